//! The work of a step depends on its messages and the facts that they affect, not on the size of tables.

mod common;

use common::Bench;
use menard_engine::Counters;

/// Joins, negation, counting and thresholds, deletions, by rules over events and over state.
const RULES: &str = "protocol growth
    role client external role node
    channel put(x: int, y: int) client -> node  channel drop(x: int) client -> node
    channel note(x: int) node -> node
    component node {
      table t(x: int, y: int)  table done(x: int)
      t(x, y)        :- put(x, y), !done(x)
      n(x, count(y)) :- t(x, y)
      full(x)        :- n(x, c), c >= 3, !done(x)
      note(x)@me     :~ new full(x)
      note(y)@me     :~ put(x, _), t(x, y)
      done(x)        :+ new full(x)
      delete t(x, _) :+ new done(x)
      delete done(x) :+ drop(x)
    }";

/// What three hundred turns cost on a node with so many facts.
fn cost(facts: i64) -> Counters {
    let mut node = Bench::started(RULES);
    for x in 0..facts {
        node.turn(&[("put", &[1_000_000 + x, 0])]);
    }
    let before = *node.node.counters();
    for x in 100..200 {
        node.turn(&[("put", &[x, 1]), ("put", &[x, 2])]);
        assert_eq!(node.turn(&[("put", &[x, 3])]).len(), 4);
        node.turn(&[("drop", &[x])]);
    }
    assert_eq!(node.node.facts("t").len() as i64, facts);
    let after = *node.node.counters();
    Counters {
        steps: after.steps - before.steps,
        probes: after.probes - before.probes,
        rows_touched: after.rows_touched - before.rows_touched,
        messages_in: after.messages_in - before.messages_in,
        messages_out: after.messages_out - before.messages_out,
        ..Counters::default()
    }
}

#[test]
fn steps_cost_the_same_in_large_tables() {
    let small = cost(100);
    assert_eq!(small, cost(100_000));
    assert_eq!(small.messages_in, 400);
}

/// A rule that looks at all facts of a table, and one that asks whether there is any.
const SCANNING: &str = "protocol scanning
    role client external role node
    channel fill(x: int) client -> node  channel drop(x: int) client -> node
    channel ask(x: int) client -> node   channel reply(x: int, y: int) node -> node
    component node {
      table t(x: int)  table u(x: int)
      t(x)            :- fill(x)
      u(x)            :- fill(x)
      delete t(x)     :+ drop(x)
      delete u(x)     :+ drop(x)
      reply(x, y)@me  :~ ask(x), t(y)
      reply(x, -1)@me :~ ask(x), !u(_)
    }";

/// What a question costs after so many facts came and went, but for one in the middle.
fn scan(facts: i64) -> Counters {
    let mut node = Bench::started(SCANNING);
    for x in 0..facts {
        node.turn(&[("fill", &[x])]);
    }
    for x in (0..facts).filter(|&x| x != facts / 2) {
        node.turn(&[("drop", &[x])]);
    }
    let before = *node.node.counters();
    assert_eq!(node.turn(&[("ask", &[7])]), [format!("reply(7, {})@1#0", facts / 2)]);
    let after = *node.node.counters();
    node.turn(&[("drop", &[facts / 2])]);
    assert!(node.node.is_empty("t"));
    assert_eq!(node.turn(&[("ask", &[8])]), ["reply(8, -1)@1#0"]);
    Counters {
        probes: after.probes - before.probes,
        rows_touched: after.rows_touched - before.rows_touched,
        ..Counters::default()
    }
}

#[test]
fn a_table_that_was_large_is_scanned_like_one_that_never_was() {
    assert_eq!(scan(2), scan(50_000));
}

/// A table with a key whose facts are replaced, watched by a view and an aggregate, and a window that slides by one with each turn.
const BOUNDED: &str = "protocol bounded
    role client external role node
    channel put(x: int, y: int) client -> node  channel slide(n: int) client -> node
    channel note(x: int, y: int) node -> node
    component node {
      durable table last(x: int => y: int) replace
      durable table most(x: int => y: int) max
      durable table low(=> n: int) max
      durable window table w(n: int, x: int) above low
      window table slot(n: int => x: int) first above low
      last(x, y)      :- put(x, y)
      most(x, y)      :+ put(x, y)
      w(x, y)         :- put(x, y)
      slot(x, y)      :- put(x, y)
      low(n)          :- slide(n)
      size(count())   :- w(_, _)
      odd(x)          :- last(x, y), y > 5, !most(x, 9)
      note(x, y)@me   :~ new last(x, y), most(x, _)
      note(x, 0)@me   :~ new odd(x)
    }";

/// What two hundred turns cost on a node with so many facts above the bound.
fn bounded(facts: i64) -> Counters {
    let mut node = Bench::started(BOUNDED);
    node.turn(&[("slide", &[0])]);
    for x in 1..=facts {
        node.turn(&[("put", &[x, x % 5])]);
    }
    let before = *node.node.counters();
    for x in 1..=100 {
        // The facts that the window keeps are as many before as after.
        assert_eq!(node.turn(&[("put", &[x, 7])]).len(), 2);
        node.turn(&[("slide", &[x]), ("put", &[facts + x, 0])]);
    }
    let after = *node.node.counters();
    assert_eq!(node.node.facts("w").len() as i64, facts);
    assert_eq!(node.node.facts("slot").len() as i64, facts);
    Counters {
        steps: after.steps - before.steps,
        probes: after.probes - before.probes,
        rows_touched: after.rows_touched - before.rows_touched,
        ..Counters::default()
    }
}

#[test]
fn updates_and_slides_cost_the_same_in_large_tables() {
    assert_eq!(bounded(1000), bounded(100_000));
}

/// A bound that jumps far ahead costs no more than there are facts, and few facts no more than the bound rises.
#[test]
fn a_jump_of_the_bound_costs_what_the_window_holds() {
    let jump = |facts: i64, to: i64| {
        let mut node = Bench::started(BOUNDED);
        node.turn(&[("slide", &[0])]);
        (1..=facts).for_each(|x| drop(node.turn(&[("put", &[x, 0])])));
        let before = *node.node.counters();
        node.turn(&[("slide", &[to])]);
        node.node.counters().probes + node.node.counters().rows_touched - before.probes - before.rows_touched
    };
    assert_eq!(jump(1000, 10), jump(20_000, 10));
    assert_eq!(jump(50, 1_000), jump(50, i64::MAX));
}
