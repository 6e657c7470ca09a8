//! What sugar of the language does when it runs: ordered channels, `!( )`, timers that repeat.

mod common;

use common::Bench;

fn started(channels: &str, rules: &str) -> Bench {
    Bench::started(&format!(
        "protocol test
         role client external role node
         {channels}
         channel b(x: int, y: int) client -> node
         channel o(x: int) node -> node  channel p(x: int, y: int) node -> node
         component node {{ {rules} }}"
    ))
}

#[test]
fn an_ordered_channel_closes_gaps() {
    let mut node =
        started("channel put(x: int, n: int) client -> node ordered by n", "p(n, x)@me :~ put(x, n) from _c");
    assert_eq!(node.turn(&[("put", &[20, 2])]), [""; 0], "number 0 is not there");
    assert_eq!(node.turn(&[("put", &[10, 1]), ("put", &[50, 5])]), [""; 0]);
    assert_eq!(
        node.turn(&[("put", &[0, 0]), ("put", &[30, 3])]),
        ["p(0, 0)@1#0", "p(1, 10)@1#0", "p(2, 20)@1#0", "p(3, 30)@1#0"]
    );
    assert_eq!(node.facts("put_waiting").len(), 1);
    assert_eq!(node.turn(&[("put", &[7, 3]), ("put", &[8, 0])]), [""; 0], "they are done");
    assert_eq!(node.turn(&[("put", &[51, 5])]), [""; 0], "another one waits under this number");
    assert_eq!(node.turn(&[("put", &[40, 4])]), ["p(4, 40)@1#0", "p(5, 50)@1#0"]);
    assert_eq!(node.facts("put_waiting"), [""; 0]);
    assert_eq!(node.facts("put_done"), ["5"]);
}

#[test]
fn an_ordered_channel_takes_one_message_a_step() {
    let rules = "p(n, count(x))@me :~ put(x, n)";
    let mut node = started("channel put(x: int, n: int) client -> node ordered by n", rules);
    assert_eq!(node.step(&[("put", &[1, 1]), ("put", &[0, 0])]), ["p(0, 1)@1#0"]);
    assert_eq!(node.step(&[]), ["p(1, 1)@1#0"]);
    assert_eq!(node.settle(), [""; 0]);
}

#[test]
fn what_is_far_ahead_is_dropped() {
    let mut node = started("channel put(n: int) client -> node ordered by n", "o(n)@me :~ put(n)");
    node.turn(&[("put", &[4999]), ("put", &[5000]), ("put", &[-1]), ("put", &[i64::MAX])]);
    assert_eq!(node.facts("put_waiting").len(), 1, "the last that may wait is 5000 ahead of -1");
}

#[test]
fn a_register_may_jump() {
    let rules = "table done(=> n: int) max  done(n) :+ b(n, 0)  o(n)@me :~ put(n)";
    let mut node = started("channel put(n: int) client -> node ordered by n above done", rules);
    assert_eq!(node.turn(&[("put", &[3]), ("put", &[7]), ("put", &[8])]), [""; 0]);
    assert_eq!(node.turn(&[("b", &[6, 0])]), ["o(7)@1#0", "o(8)@1#0"]);
    assert_eq!(node.facts("put_waiting"), [""; 0]);
}

#[test]
fn a_conjunction_is_absent_where_it_has_no_solution() {
    let rules = "table t(x: int, y: int)  t(x, y) :- b(x, y)
        least(x, y) :- t(x, y), !(t(x, z), z < y)
        p(x, y)@me :~ new least(x, y)";
    let mut node = started("", rules);
    assert_eq!(node.turn(&[("b", &[1, 5]), ("b", &[1, 7]), ("b", &[2, 2])]), ["p(1, 5)@1#0", "p(2, 2)@1#0"]);
    assert_eq!(node.turn(&[("b", &[1, 6])]), [""; 0]);
    assert_eq!(node.turn(&[("b", &[1, 3])]), ["p(1, 3)@1#0"]);
    let mut node = started("", "table t(x: int)  t(x) :- b(x, _)  o(x)@me :~ b(x, y), !(t(z), z > y)");
    assert_eq!(node.turn(&[("b", &[1, 1])]), ["o(1)@1#0"]);
    assert_eq!(node.turn(&[("b", &[5, 4])]), [""; 0]);
    assert_eq!(node.turn(&[("b", &[2, 5])]), ["o(2)@1#0"]);
}

#[test]
fn a_timer_that_repeats_is_armed_at_the_start_and_whenever_it_fires() {
    let text = "protocol test role client external role node component node { timer tick() every 5 ms }";
    let mut node = Bench::new(text);
    assert_eq!(node.start(), ["tick()@1#0"]);
    assert_eq!(node.settle(), [""; 0]);
    assert_eq!(node.turn(&[("tick", &[])]), ["tick()@1#0"]);
}
