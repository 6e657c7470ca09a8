//! Keyed tables and windows, step by step.

mod common;

use common::{Bench, int};

fn program(rules: &str) -> String {
    format!(
        "protocol test
         role client external role node
         channel a(x: int) client -> node  channel b(x: int, y: int) client -> node
         channel c(x: int, y: int) client -> node
         channel o(x: int) node -> node  channel p(x: int, y: int) node -> node
         component node {{ {rules} }}"
    )
}

fn started(rules: &str) -> Bench {
    Bench::started(&program(rules))
}

/// All three policies, filled by `b`, and by `c` in the step after.
const POLICIES: &str = "table f(x: int => y: int) first table m(x: int => y: int) max table r(x: int => y: int) replace
    f(x, y) :- b(x, y) m(x, y) :- b(x, y) r(x, y) :- b(x, y)
    f(x, y) :+ c(x, y) m(x, y) :+ c(x, y) r(x, y) :+ c(x, y)";

#[test]
fn policies_choose_among_the_candidates_of_a_step() {
    let mut node = started(POLICIES);
    node.turn(&[("b", &[1, 5]), ("b", &[1, 7]), ("b", &[1, 6]), ("b", &[2, 0])]);
    assert_eq!(node.facts("f"), ["1 5", "2 0"]);
    assert_eq!(node.facts("m"), ["1 7", "2 0"]);
    assert_eq!(node.facts("r"), ["1 5", "2 0"]);
    node.turn(&[("b", &[1, 8]), ("b", &[1, 4])]);
    assert_eq!(node.facts("f"), ["1 5", "2 0"], "the fact that is there stays");
    assert_eq!(node.facts("m"), ["1 8", "2 0"]);
    assert_eq!(node.facts("r"), ["1 4", "2 0"]);
    node.turn(&[("b", &[1, 2])]);
    assert_eq!(node.facts("m"), ["1 8", "2 0"], "the greatest stays");
    assert_eq!(node.facts("r"), ["1 2", "2 0"]);
}

#[test]
fn what_next_rules_derive_competes_in_the_next_step() {
    let mut node = started(POLICIES);
    node.step(&[("b", &[1, 5]), ("c", &[1, 3])]);
    assert_eq!(
        (node.facts("f"), node.facts("m"), node.facts("r")),
        (vec!["1 5".into()], vec!["1 5".into()], vec!["1 5".into()])
    );
    assert!(node.outputs.pending, "a candidate waits");
    node.step(&[("b", &[1, 4]), ("b", &[2, 1])]);
    assert_eq!(node.facts("f"), ["1 5", "2 1"]);
    assert_eq!(node.facts("m"), ["1 5", "2 1"]);
    assert_eq!(node.facts("r"), ["1 3", "2 1"]);
    node.turn(&[("c", &[3, 1]), ("c", &[3, 2])]);
    assert_eq!(node.facts("f"), ["1 5", "2 1", "3 1"]);
    assert_eq!(node.facts("m"), ["1 5", "2 1", "3 2"]);
}

#[test]
fn a_fact_that_is_replaced_ceases_to_hold_at_once() {
    let mut node = started(
        "table r(x: int => y: int) replace
         r(x, y)         :- b(x, y)
         view n(x: int)
         n(y)            :- r(_, y)
         s(sum(y))       :- r(_, y)
         free(x)         :- client_of(x), !r(_, x)
         table client_of(x: int)
         client_of(7)    :- start()
         p(x, y)@me      :~ new r(x, y)
         o(y)@me         :~ n(y)
         o(1000 + y)@me  :~ s(y)
         o(100)@me       :~ new free(_)",
    );
    assert_eq!(node.turn(&[("b", &[1, 7])]), ["o(1007)@1#0*", "o(7)@1#0*", "p(1, 7)@1#0"]);
    assert_eq!(node.facts("free"), [""; 0]);
    assert_eq!(node.turn(&[("b", &[1, 8])]), ["o(100)@1#0", "o(1008)@1#0*", "o(8)@1#0*", "p(1, 8)@1#0"]);
    assert_eq!(node.facts("n"), ["8"]);
    assert_eq!(node.turn(&[("b", &[1, 8])]), [""; 0], "the same fact again is no change");
    assert_eq!(
        node.turn(&[("b", &[1, 9]), ("b", &[2, 8])]),
        ["o(1017)@1#0*", "o(9)@1#0*", "p(1, 9)@1#0", "p(2, 8)@1#0"]
    );
    assert!(!node.node.holds(3, node.node.me(), &[int(7)]) && node.node.holds(3, node.node.me(), &[int(9)]));
}

#[test]
fn a_deletion_beats_what_the_same_step_chose() {
    let rules = format!("{POLICIES} delete f(x, _) :+ a(x) delete r(x, y) :+ a(x), b(x, y) p(x, y)@me :~ new f(x, y)");
    let mut node = started(&rules);
    node.turn(&[("b", &[1, 5])]);
    assert_eq!(node.turn(&[("a", &[1]), ("b", &[1, 4])]), [""; 0], "a deletion makes no room in its own step");
    assert_eq!(node.facts("f"), [""; 0]);
    assert_eq!(node.facts("r"), [""; 0], "the deletion names the candidate that won");
    // It comes back in the step in which it would be gone.
    node.turn(&[("b", &[1, 5])]);
    node.step(&[("a", &[1])]);
    assert_eq!(node.step(&[("b", &[1, 5]), ("b", &[1, 6])]), [""; 0], "it held in the step before");
    assert_eq!(node.facts("f"), ["1 5"]);
    node.step(&[("a", &[1])]);
    assert_eq!(node.step(&[("b", &[1, 4]), ("b", &[1, 5])]), ["p(1, 4)@1#0"], "what is deleted does not stay first");
    assert_eq!(node.turn(&[("a", &[1]), ("c", &[1, 9])]), ["p(1, 9)@1#0"], "a candidate of the next step finds room");
}

#[test]
fn a_register_is_read_and_written() {
    let mut node =
        started("table low(=> n: int) max  low(0) :- start()  low(n + 1) :+ low(n), a(_)  o(n)@me :~ a(_), low(n)");
    assert_eq!(node.step(&[("a", &[1])]), ["o(0)@1#0"]);
    assert_eq!(node.turn(&[("a", &[1])]), ["o(1)@1#0"]);
    assert_eq!(node.facts("low"), ["2"]);
}

const WINDOW: &str = "table low(=> n: int) max window table w(n: int, x: int) above low window table wf(n: int => x: int) first above low
    low(n)          :- a(n)
    w(n, x)         :- b(n, x)
    w(n, x)         :+ c(n, x)
    wf(n, x)        :- b(n, x)
    wf(n, x)        :+ c(n, x)
    size(count())   :- w(_, _)
    p(n, x)@me      :~ new w(n, x)";

#[test]
fn a_window_lets_go_what_is_not_above_its_bound() {
    let mut node = started(WINDOW);
    node.turn(&[("b", &[1, 0]), ("b", &[2, 0]), ("b", &[2, 1]), ("b", &[3, 0]), ("b", &[-5, 0])]);
    assert_eq!(node.facts("w"), ["-5 0", "1 0", "2 0", "2 1", "3 0"]);
    assert_eq!(node.facts("wf"), ["-5 0", "1 0", "2 0", "3 0"]);
    assert_eq!(
        node.step(&[("a", &[2]), ("b", &[1, 7])]),
        ["p(1, 7)@1#0"],
        "the bound of a step is that of its beginning"
    );
    assert_eq!(node.facts("w"), ["3 0"]);
    assert_eq!(node.facts("wf"), ["3 0"]);
    node.settle();
    assert_eq!(node.facts("size"), ["1"]);
    assert_eq!(node.turn(&[("b", &[2, 9]), ("c", &[1, 1]), ("b", &[4, 0])]), ["p(4, 0)@1#0"]);
    assert_eq!(node.facts("w"), ["3 0", "4 0"]);
    assert_eq!(node.facts("wf"), ["3 0", "4 0"]);
    assert_eq!(node.turn(&[("a", &[1])]), [""; 0], "the bound never falls");
    assert_eq!(
        node.turn(&[("a", &[4]), ("c", &[4, 4]), ("c", &[5, 5])]),
        ["p(5, 5)@1#0"],
        "insertions of the next step, too"
    );
    assert_eq!(node.facts("w"), ["5 5"]);
    assert_eq!(node.facts("wf"), ["5 5"]);
    node.turn(&[("a", &[i64::MAX])]);
    assert!(node.node.is_empty("w") && node.node.is_empty("wf"));
}

#[test]
fn a_window_that_nobody_watches_slides_as_well() {
    let mut node = started(
        "table low(=> n: int) max window table w(n: int, x: int) above low low(n) :- a(n) w(n, x) :- b(n, x) w(n, x) :+ c(n, x)",
    );
    node.turn(&[("b", &[1, 0]), ("b", &[2, 0]), ("c", &[3, 0])]);
    node.turn(&[("a", &[2]), ("c", &[2, 2])]);
    assert_eq!(node.facts("w"), ["3 0"]);
    node.turn(&[("b", &[2, 2])]);
    assert_eq!(node.facts("w"), ["3 0"]);
}

#[test]
fn recovered_facts_are_there_before_candidates() {
    let durable = POLICIES.replace("table", "durable table");
    let rules = format!("{durable} f(1, 1) :- start() m(1, 1) :- start() p(x, y)@me :~ new f(x, y)");
    let mut node = Bench::new(&program(&rules));
    node.node.recover("f", &[int(1), int(5)]).expect("a durable table");
    assert!(node.node.recover("f", &[int(1), int(6)]).is_err(), "one fact for each key");
    node.node.recover("m", &[int(1), int(0)]).expect("a durable table");
    node.node.recover("m", &[int(2), int(0)]).expect("a durable table");
    assert_eq!(node.start(), ["p(1, 5)@1#0"]);
    assert_eq!(node.facts("m"), ["1 1", "2 0"]);
    let changes: Vec<_> = node.outputs.changes().map(|change| (change.begins, change.fact.to_vec())).collect();
    assert_eq!(changes, [(false, vec![int(1), int(0)]), (true, vec![int(1), int(1)])]);
}

#[test]
fn a_recovered_bound_holds_from_the_first_step_on() {
    let durable = WINDOW.replace("window", "durable window").replace("table low", "durable table low");
    let mut node = Bench::new(&program(&format!("{durable} w(5, 1) :- start() w(6, 1) :- start()")));
    node.node.recover("w", &[int(4), int(4)]).expect("a durable table");
    node.node.recover("w", &[int(7), int(4)]).expect("a durable table");
    node.node.recover("low", &[int(5)]).expect("a durable table");
    assert_eq!(node.start(), ["p(6, 1)@1#0", "p(7, 4)@1#0"]);
    assert_eq!(node.outputs.changes().len(), 2, "a fact that is not above the bound goes, one comes");
    node.turn(&[("a", &[6])]);
    assert_eq!(node.facts("w"), ["7 4"]);
}
