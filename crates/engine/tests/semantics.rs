//! What each construct means, step by step.

mod common;

use common::{Bench, int};
use menard_value::Node;

/// A program of one role with two channels from clients and two between its nodes.
fn program(rules: &str) -> String {
    format!(
        "protocol test
         param three: int = 3
         role client external role node[2]
         channel a(x: int) client -> node  channel b(x: int, y: int) client -> node
         channel o(x: int) node -> node  channel p(x: int, y: int) node -> node
         component node {{ {rules} }}"
    )
}

fn started(rules: &str) -> Bench {
    Bench::started(&program(rules))
}

/// Whether the checker refuses the rules with this code.
fn is_refused(rules: &str, code: &str) -> bool {
    let source = menard_lang::source::Source::new("test.ded", program(rules));
    menard_lang::compile(&source, &[]).is_err_and(|errors| errors.to_string().contains(code))
}

#[test]
fn a_table_keeps_its_facts_and_shows_insertions_at_once() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  o(x)@me :~ a(_), t(x)");
    assert_eq!(node.step(&[("a", &[1])]), ["o(1)@1#0"]);
    assert_eq!(node.step(&[("a", &[2]), ("a", &[2])]), ["o(1)@1#0", "o(2)@1#0"]);
    assert_eq!(node.facts("t"), ["1", "2"]);
}

#[test]
fn a_deletion_takes_effect_in_the_next_step() {
    let mut node = started("table t(x: int)  t(x) :- b(x, _)  delete t(x) :+ a(x)  o(x)@me :~ a(_), t(x)");
    node.turn(&[("b", &[1, 0])]);
    assert_eq!(node.step(&[("a", &[1])]), ["o(1)@1#0"], "still there in the step of the deletion");
    assert_eq!(node.facts("t"), [""; 0]);
    assert_eq!(node.step(&[("a", &[1])]), [""; 0]);
}

#[test]
fn a_deletion_beats_an_insertion_of_the_same_step() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  delete t(x) :+ a(x)");
    node.turn(&[("a", &[1])]);
    assert_eq!(node.facts("t"), [""; 0]);
}

#[test]
fn an_insertion_for_the_next_step_beats_a_deletion() {
    let mut node = started("table t(x: int)  t(x) :+ a(x)  delete t(x) :+ a(x)  n(x) :- t(x)  o(x)@me :~ new n(x)");
    assert_eq!(node.step(&[("a", &[1])]), [""; 0]);
    assert_eq!(node.settle(), ["o(1)@1#0"]);
    assert_eq!(node.facts("t"), ["1"]);
    assert_eq!(node.turn(&[("a", &[1])]), [""; 0], "it was there all the time");
}

#[test]
fn a_wildcard_deletes_whatever_matches() {
    let mut node = started("table t(x: int, y: int)  t(x, y) :- b(x, y)  delete t(x, _) :+ a(x)");
    node.turn(&[("b", &[1, 1]), ("b", &[1, 2]), ("b", &[2, 1])]);
    node.turn(&[("a", &[1])]);
    assert_eq!(node.facts("t"), ["2 1"]);
}

#[test]
fn a_fact_is_new_once_until_it_was_gone() {
    let mut node = started("table t(x: int)  t(x) :- b(x, _)  delete t(x) :+ a(x)  o(x)@me :~ new t(x)");
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0"]);
    assert_eq!(node.turn(&[("b", &[1, 1])]), [""; 0]);
    // Deleted and derived again in the very next step: it held in the step before.
    node.step(&[("a", &[1])]);
    assert_eq!(node.step(&[("b", &[1, 0])]), [""; 0]);
    assert_eq!(node.facts("t"), ["1"]);
    node.turn(&[("a", &[1])]);
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0"]);
}

#[test]
fn a_deletion_matters_to_who_asks_what_is_new() {
    let mut node = started("table t(x: int)  t(x) :- b(x, _)  delete t(x) :+ a(x)  o(x)@me :~ b(x, _), new t(x)");
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0"]);
    assert_eq!(node.turn(&[("b", &[1, 0])]), [""; 0]);
    node.step(&[("a", &[1])]);
    assert!(node.outputs.pending, "a step without the fact makes it new when it comes back");
    node.settle();
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0"]);
}

#[test]
fn what_holds_from_the_beginning_is_new_in_the_first_step() {
    let mut node = Bench::new(&program("v(x) :- x = three + 1  o(x)@me :~ new v(x)  p(x, x)@me :~ start(), v(x)"));
    assert_eq!(node.start(), ["o(4)@1#0", "p(4, 4)@1#0"]);
    assert_eq!(node.step(&[]), [""; 0]);
}

#[test]
fn a_view_follows_its_tables() {
    let mut node = started(
        "table t(x: int)  table u(x: int)
         t(x) :- b(x, 0)  u(x) :- b(x, 1)  delete t(x) :+ b(x, 2)  delete u(x) :+ b(x, 3)
         only(x) :- t(x), !u(x)
         some(1) :- t(_)",
    );
    node.turn(&[("b", &[1, 0]), ("b", &[2, 0]), ("b", &[2, 1])]);
    assert_eq!((node.facts("only"), node.facts("some")), (vec!["1".to_string()], vec!["1".to_string()]));
    node.turn(&[("b", &[1, 1]), ("b", &[2, 3])]);
    assert_eq!(node.facts("only"), ["2"]);
    node.turn(&[("b", &[1, 2])]);
    assert_eq!(node.facts("some"), ["1"], "one of two reasons is gone");
    node.turn(&[("b", &[2, 2])]);
    assert_eq!(node.facts("some"), [""; 0]);
}

#[test]
fn negation_with_a_wildcard_asks_for_any() {
    let mut node = started(
        "table t(x: int)  table u(x: int, y: int)
         t(x) :- a(x)  u(x, y) :- b(x, y)  delete u(x, y) :+ p(x, y)
         free(x) :- t(x), !u(x, _)",
    );
    node.turn(&[("a", &[1]), ("b", &[1, 1]), ("b", &[1, 2])]);
    assert_eq!(node.facts("free"), [""; 0]);
    node.turn(&[("p", &[1, 1])]);
    assert_eq!(node.facts("free"), [""; 0]);
    node.turn(&[("p", &[1, 2])]);
    assert_eq!(node.facts("free"), ["1"]);
}

#[test]
fn negation_of_an_event_is_of_this_step() {
    let mut node = started("o(x)@me :~ a(x), !b(x, _)");
    assert_eq!(node.step(&[("a", &[1]), ("a", &[2]), ("b", &[2, 0])]), ["o(1)@1#0"]);
    assert_eq!(node.step(&[("a", &[2])]), ["o(2)@1#0"]);
}

#[test]
fn aggregates_follow_insertions_and_deletions() {
    let mut node = started(
        "table t(x: int, y: int)  t(x, y) :- b(x, y)  delete t(x, y) :+ p(x, y)
         all(x, count(y), sum(y), min(y), max(y)) :- t(x, y)
         halves(count(h)) :- t(_, y), h = y / 2
         total(count()) :- t(_, _)",
    );
    node.turn(&[("b", &[1, 4]), ("b", &[1, 5]), ("b", &[1, 9]), ("b", &[2, 7])]);
    assert_eq!(node.facts("all"), ["1 3 18 4 9", "2 1 7 7 7"]);
    assert_eq!(node.facts("halves"), ["3"], "2, 3 and 4");
    assert_eq!(node.facts("total"), ["1"], "no named variable: one solution");
    node.turn(&[("p", &[1, 4]), ("p", &[1, 9]), ("p", &[2, 7])]);
    assert_eq!(node.facts("all"), ["1 1 5 5 5"]);
    node.turn(&[("p", &[1, 5])]);
    assert_eq!((node.facts("all").len(), node.facts("halves").len()), (0, 0), "an empty group gives no fact");
}

#[test]
fn a_view_follows_a_count_down() {
    let mut node = started(
        "table t(x: int)  t(x) :- a(x)  delete t(x) :+ b(x, _)
         n(count(x)) :- t(x)
         many(c) :- n(c), c >= 2",
    );
    node.turn(&[("a", &[1]), ("a", &[2]), ("a", &[3])]);
    assert_eq!(node.facts("many"), ["3"]);
    node.turn(&[("b", &[1, 0])]);
    assert_eq!(node.facts("many"), ["2"]);
    node.turn(&[("b", &[2, 0])]);
    assert_eq!(node.facts("many"), [""; 0]);
}

#[test]
fn an_aggregate_changes_once_in_a_step() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  n(count(x)) :- t(x)  o(c)@me :~ new n(c)");
    assert_eq!(node.turn(&[("a", &[1]), ("a", &[2])]), ["o(2)@1#0"]);
    assert_eq!(node.turn(&[("a", &[2])]), [""; 0]);
}

#[test]
fn a_sum_that_overflows_gives_no_fact() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  delete t(x) :+ b(x, _)  s(sum(x)) :- t(x)");
    node.turn(&[("a", &[i64::MAX]), ("a", &[1])]);
    assert_eq!(node.facts("s"), [""; 0]);
    node.turn(&[("b", &[1, 0])]);
    assert_eq!(node.facts("s"), [i64::MAX.to_string()]);
}

#[test]
fn aggregates_over_events_are_of_one_step() {
    let mut node = started("n(x, count(y)) :- b(x, y)  p(x, c)@me :~ n(x, c)  o(max(y))@me :~ b(_, y)");
    let sent = node.step(&[("b", &[1, 1]), ("b", &[1, 2]), ("b", &[1, 2]), ("b", &[2, 7])]);
    assert_eq!(sent, ["o(7)@1#0", "p(1, 2)@1#0", "p(2, 1)@1#0"]);
    assert_eq!(node.step(&[("b", &[1, 9])]), ["o(9)@1#0", "p(1, 1)@1#0"]);
}

#[test]
fn a_message_that_comes_twice_in_a_step_is_one_fact() {
    let mut node = started("o(x)@me :~ a(x)  p(x, sum(y))@me :~ b(x, y)");
    assert_eq!(node.step(&[("a", &[1]), ("a", &[1]), ("a", &[2])]), ["o(1)@1#0", "o(2)@1#0"]);
    assert_eq!(node.step(&[("b", &[1, 5]), ("b", &[1, 6]), ("b", &[1, 5])]), ["p(1, 11)@1#0"]);
    assert_eq!(node.step(&[("a", &[1])]), ["o(1)@1#0"], "another step, another event");
}

#[test]
fn recursion_over_state_and_over_events() {
    let mut node = started(
        "table edge(x: int, y: int)  edge(x, y) :- b(x, y)
         path(x, y) :- edge(x, y)
         path(x, z) :- path(x, y), edge(y, z)
         seen(x) :- a(x)
         seen(y) :- seen(x), edge(x, y)
         o(x)@me :~ seen(x)",
    );
    node.turn(&[("b", &[1, 2])]);
    node.turn(&[("b", &[2, 3]), ("b", &[3, 1])]);
    assert_eq!(node.facts("path").len(), 9);
    assert_eq!(node.step(&[("a", &[2])]), ["o(1)@1#0", "o(2)@1#0", "o(3)@1#0"]);
}

#[test]
fn recursion_goes_on_from_what_comes_back() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  t(y) :- t(x), b(x, y)  delete t(x) :+ o(x)");
    node.turn(&[("a", &[1]), ("b", &[1, 2]), ("b", &[2, 3])]);
    assert_eq!(node.facts("t"), ["1", "2", "3"]);
    node.step(&[("o", &[1]), ("o", &[2]), ("o", &[3])]);
    node.step(&[("a", &[1]), ("b", &[1, 2]), ("b", &[2, 3])]);
    assert_eq!(node.facts("t"), ["1", "2", "3"]);
}

#[test]
fn recursion_that_cannot_be_maintained_is_refused() {
    // A view in a cycle that shrinks when `u` grows.
    let view = "table t(x: int) table u(x: int)
        v(x) :- t(x), !u(x)
        t(y) :- v(x), b(x, y)
        u(x) :- a(x)";
    assert!(is_refused(view, "E0506"));
    // A table in a cycle that would have to be refilled after a deletion.
    let table = "table t(x: int) table w(x: int)
        t(x) :- w(x)
        w(y) :- t(x), b(x, y)
        delete t(x) :+ a(x)";
    assert!(is_refused(table, "E0506"));
}

#[test]
fn an_event_of_the_next_step_holds_there_only() {
    let mut node = started("later(x) :+ a(x)  o(x)@me :~ later(x)");
    assert_eq!(node.step(&[("a", &[1])]), [""; 0]);
    assert!(node.outputs.pending);
    assert_eq!(node.step(&[]), ["o(1)@1#0"]);
    assert!(!node.outputs.pending);
    assert_eq!(node.step(&[]), [""; 0]);
}

#[test]
fn a_message_that_state_holds_is_sent_when_that_begins() {
    let mut node = started("table t(x: int)  t(x) :- b(x, _)  delete t(x) :+ a(x)  o(x)@me :~ t(x)");
    let me = Node { role: 1, index: 0 };
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0*"]);
    assert!(node.node.holds(2, me, &[int(1)]) && !node.node.holds(2, me, &[int(2)]));
    assert_eq!(node.turn(&[("b", &[1, 1])]), [""; 0]);
    node.turn(&[("a", &[1])]);
    assert!(!node.node.holds(2, me, &[int(1)]));
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0*"]);
}

#[test]
fn what_state_inserts_comes_back_after_a_deletion() {
    let mut node = started(
        "table t(x: int)  table u(x: int)
         u(x) :- b(x, 0)  delete u(x) :+ b(x, 1)
         t(x) :- u(x)  delete t(x) :+ a(x)
         o(x)@me :~ new t(x)",
    );
    assert_eq!(node.turn(&[("b", &[1, 0])]), ["o(1)@1#0"]);
    assert_eq!(node.turn(&[("a", &[1])]), [""; 0], "it is there in every step");
    node.turn(&[("b", &[1, 1])]);
    assert_eq!(node.facts("t"), ["1"], "nothing inserts it, nothing deletes it");
    node.turn(&[("a", &[1])]);
    assert_eq!(node.facts("t"), [""; 0]);
}

#[test]
fn a_deletion_for_as_long_as_state_holds() {
    let mut node = started(
        "table t(x: int)  table closed(x: int)
         t(x) :- b(x, 0)  closed(x) :- b(x, 1)
         delete t(x) :+ closed(x)",
    );
    node.turn(&[("b", &[1, 0]), ("b", &[2, 0]), ("b", &[1, 1])]);
    assert_eq!(node.facts("t"), ["2"]);
    node.turn(&[("b", &[1, 0])]);
    assert_eq!(node.facts("t"), ["2"]);
    assert!(!node.outputs.pending);
}

#[test]
fn an_undefined_function_makes_its_literal_not_hold() {
    let mut node = started("o(z)@me :~ b(x, y), z = x / y  p(x, 0)@me :~ b(x, y), !a(x / y)");
    assert_eq!(node.step(&[("b", &[6, 0]), ("b", &[6, 3])]), ["o(2)@1#0", "p(6, 0)@1#0"]);
    assert_eq!(node.node.counters().undefined, 2);
}

#[test]
fn messages_to_nodes_that_do_not_exist_are_dropped_and_counted() {
    let text = "protocol test role client external role node[2]
        channel a(x: int) client -> node  channel o(x: int) node -> node
        component node { o(x)@n :~ a(x) from n  o(x)@me :~ a(x) }";
    let mut node = Bench::started(text);
    assert_eq!(node.step(&[("a", &[1])]), ["o(1)@1#0"], "a client is no node");
    assert_eq!(node.node.counters().misaddressed, 1);
}

#[test]
fn roles_and_me() {
    let mut node = Bench::new(&program("others(n) :- node(n), n != me  o(1)@n :~ start(), others(n)"));
    assert_eq!(node.start(), ["o(1)@1#1"]);
    assert_eq!(node.facts("others"), ["1#1"]);
}

#[test]
fn a_reset_node_is_a_fresh_one() {
    let mut node = started("table t(x: int)  t(x) :- a(x)  late(x) :+ a(x)  t(x) :- late(x)");
    let fresh = node.node.fingerprint();
    node.step(&[("a", &[1])]);
    assert_ne!(node.node.fingerprint(), fresh);
    node.node.reset();
    node.start();
    assert_eq!(node.node.fingerprint(), fresh);
}

#[test]
fn a_fingerprint_is_of_what_is_and_not_of_how_it_came_about() {
    let rules = "table t(x: int)  t(x) :- b(x, 0)  delete t(x) :+ b(x, 1)  late(x) :+ a(x)  o(x)@me :~ late(x)";
    let (mut one, mut other) = (started(rules), started(rules));
    one.turn(&[("b", &[1, 0])]);
    one.turn(&[("b", &[2, 0])]);
    other.turn(&[("b", &[3, 0]), ("b", &[2, 0])]);
    assert_ne!(one.node.fingerprint(), other.node.fingerprint());
    other.turn(&[("b", &[1, 0]), ("b", &[3, 1])]);
    assert_eq!(one.node.fingerprint(), other.node.fingerprint());
    one.step(&[("a", &[5])]);
    assert_ne!(one.node.fingerprint(), other.node.fingerprint(), "what is deferred belongs to the state");
}
