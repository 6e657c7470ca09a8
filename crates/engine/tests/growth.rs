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
