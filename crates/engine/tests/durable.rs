//! Durable tables: what a step reports about them, and what a node that starts again gets back.

mod common;

use std::collections::BTreeSet;

use common::{Bench, int};
use menard_engine::RecoverError;
use menard_value::Value;

const RULES: &str = "protocol test
    role client external role node
    channel a(x: int) client -> node  channel b(x: int) client -> node
    channel o(x: int) node -> node
    component node {
      durable table t(x: int)
      durable table later(x: int)
      durable table quiet(x: int)
      t(x)            :- a(x)
      later(x)        :+ a(x)
      quiet(x)        :- a(x)
      delete t(x)     :+ b(x)
      delete later(x) :+ b(x)
      delete quiet(x) :+ b(x)
      many(count(x))  :- t(x)
      o(x)@me         :~ new t(x)
      o(x + 100)@me   :~ new later(x), start()
      o(n + 1000)@me  :~ many(n)
    }";

/// A node whose tables are durable.
fn bench() -> Bench {
    Bench::new(RULES)
}

/// The changes of the last step as text.
fn changes(bench: &Bench) -> Vec<String> {
    let names: Vec<_> = bench.node.plan().durable_tables().cloned().collect();
    let text = |change: menard_engine::Change<'_>| {
        let sign = if change.begins { '+' } else { '-' };
        format!("{sign}{} {}", names[usize::from(change.table)], change.fact[0])
    };
    let mut changes: Vec<String> = bench.outputs.changes().map(text).collect();
    changes.sort();
    changes
}

#[test]
fn a_step_reports_what_it_changes_for_the_next() {
    let mut node = bench();
    node.start();
    assert_eq!(changes(&node), [""; 0]);
    node.step(&[("a", &[1]), ("a", &[1]), ("a", &[2])]);
    assert_eq!(changes(&node), ["+later 1", "+later 2", "+quiet 1", "+quiet 2", "+t 1", "+t 2"]);
    node.step(&[]);
    assert_eq!(changes(&node), [""; 0]);
    node.step(&[("b", &[1])]);
    assert_eq!(changes(&node), ["-later 1", "-quiet 1", "-t 1"]);
    node.step(&[("a", &[1]), ("b", &[2])]);
    assert_eq!(changes(&node), ["+later 1", "+quiet 1", "+t 1", "-later 2", "-quiet 2", "-t 2"]);
    node.step(&[("a", &[3]), ("b", &[3])]);
    assert_eq!(changes(&node), ["+later 3"], "what comes and goes in one step never was there");
}

#[test]
fn all_changes_together_are_the_facts() {
    let mut node = bench();
    let names: Vec<_> = node.node.plan().durable_tables().cloned().collect();
    let mut facts: Vec<BTreeSet<Vec<Value>>> = vec![BTreeSet::new(); names.len()];
    node.start();
    let mut state = 1_u32;
    for _ in 0..1000 {
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i64::from(state >> 16 & 7)
        };
        let (first, second, third) = (draw(), draw(), draw());
        node.step(&[(["a", "b"][(first & 1) as usize], &[second]), ("a", &[third]), ("b", &[first])]);
        for change in node.outputs.changes() {
            let table = &mut facts[usize::from(change.table)];
            let fact = change.fact.to_vec();
            assert!(if change.begins { table.insert(fact) } else { table.remove(&fact) }, "each change is one");
        }
        for (name, facts) in names.iter().zip(&facts) {
            assert_eq!(node.node.facts(name), facts.iter().cloned().collect::<Vec<_>>());
        }
    }
}

#[test]
fn recovered_facts_are_new_in_the_first_step() {
    let mut node = bench();
    node.node.recover("t", &[int(1)]).expect("a durable table");
    node.node.recover("t", &[int(2)]).expect("a durable table");
    node.node.recover("later", &[int(3)]).expect("a durable table");
    assert_eq!(node.facts("t"), ["1", "2"]);
    assert_eq!(node.start(), ["o(1)@1#0", "o(1002)@1#0*", "o(103)@1#0", "o(2)@1#0"]);
    assert_eq!(changes(&node), [""; 0], "what is recovered is on record");
    assert_eq!(node.settle(), [""; 0]);
    node.step(&[("b", &[1])]);
    assert_eq!(changes(&node), ["-t 1"]);
}

#[test]
fn only_facts_of_durable_tables_are_recovered_and_only_before_the_first_step() {
    let mut node = bench();
    assert_eq!(node.node.recover("many", &[int(1)]), Err(RecoverError::NotDurable("many".into())));
    let columns = RecoverError::Columns { table: "t".into(), columns: 1, values: 0 };
    assert_eq!(node.node.recover("t", &[]), Err(columns));
    assert_eq!(node.node.recover("t", &[int(1)]), Ok(()));
    assert_eq!(node.node.recover("t", &[int(1)]), Err(RecoverError::Twice("t".into())));
    node.start();
    assert_eq!(node.node.recover("t", &[int(2)]), Err(RecoverError::Started));
    node.node.reset();
    assert_eq!(node.facts("t"), [""; 0]);
    assert_eq!(node.node.recover("t", &[int(2)]), Ok(()));
}
