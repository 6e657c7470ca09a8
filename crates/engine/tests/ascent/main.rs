//! The deductive part of the language against an outside program: classic Datalog programs, written once more for
//! [ascent](https://docs.rs/ascent), on random facts that come, and where a program allows it go, over several steps. After each step both have
//! the same results; ours has maintained them, ascent computes them anew.

mod aggregates;
mod negation;
mod recursion;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, lower};
use menard_lang::Program;
use menard_lang::testing::compile_text;
use menard_value::{Node as LogicalNode, Value};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// The facts of relations over small integers.
pub type Facts = BTreeMap<&'static str, BTreeSet<Vec<i64>>>;

/// A program in both languages.
pub struct Case {
    /// The relations that are given, with their numbers of columns.
    pub inputs: &'static [(&'static str, usize)],
    /// Whether facts may be withdrawn; a program that recurs over them does not allow it.
    pub shrinks: bool,
    /// Values of columns are less than this.
    pub domain: i64,
    /// What our rules derive.
    pub rules: &'static str,
    /// What ascent derives: all relations that are compared.
    pub ascent: fn(&Facts) -> Facts,
}

/// A fact that comes, or goes.
#[derive(Clone, Debug)]
struct Change {
    relation: &'static str,
    comes: bool,
    row: Vec<i64>,
}

impl Case {
    /// Compares them on many random histories.
    pub fn compare(&self) {
        let program = compile_text(&self.text());
        let config = ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() };
        let outcome = TestRunner::new(config).run(&self.histories(), |history| self.follow(&program, &history));
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The whole text: facts come and go by messages, and tables keep them.
    fn text(&self) -> String {
        let mut channels = String::new();
        let mut members = String::new();
        for (name, columns) in self.inputs {
            let list = |suffix: &str| ["a", "b", "c"][..*columns].join(&format!("{suffix}, ")) + suffix;
            let (typed, plain) = (list(": int"), list(""));
            writeln!(channels, "channel add_{name}({typed}) client -> node").expect("text takes everything");
            writeln!(members, "table {name}({typed})\n{name}({plain}) :- add_{name}({plain})")
                .expect("text takes everything");
            if self.shrinks {
                writeln!(channels, "channel drop_{name}({typed}) client -> node").expect("text takes everything");
                writeln!(members, "delete {name}({plain}) :+ drop_{name}({plain})").expect("text takes everything");
            }
        }
        let rules = self.rules;
        format!("protocol classic\nrole client external\nrole node\n{channels}component node {{\n{members}{rules}\n}}")
    }

    /// Up to eight steps with up to twelve changes each.
    fn histories(&self) -> impl Strategy<Value = Vec<Vec<Change>>> + use<> {
        let (inputs, shrinks) = (self.inputs, self.shrinks);
        let row = prop::collection::vec(0..self.domain, 3);
        let change = (0..inputs.len(), 0..3, row).prop_map(move |(relation, kind, mut row)| {
            let (relation, columns) = inputs[relation];
            row.truncate(columns);
            Change { relation, comes: !shrinks || kind > 0, row }
        });
        prop::collection::vec(prop::collection::vec(change, 0..12), 1..8)
    }

    fn follow(&self, program: &Program, history: &[Vec<Change>]) -> Result<(), TestCaseError> {
        let role = program.role_index("node").expect("the text has a role `node`");
        let mut node = Node::new(Arc::new(lower(program, "node")), LogicalNode { role, index: 0 });
        let mut given: Facts = self.inputs.iter().map(|(name, _)| (*name, BTreeSet::new())).collect();
        turn(program, &mut node, true, &[]);
        for changes in history {
            turn(program, &mut node, false, changes);
            for change in changes.iter().filter(|change| change.comes) {
                facts(&mut given, change).insert(change.row.clone());
            }
            // What comes and goes in one step is gone.
            for change in changes.iter().filter(|change| !change.comes) {
                facts(&mut given, change).remove(&change.row);
            }
            for (relation, expected) in (self.ascent)(&given) {
                let derived: BTreeSet<Vec<i64>> = node.facts(relation).iter().map(|fact| integers(fact)).collect();
                prop_assert_eq!(derived, expected, "{} of {:?}", relation, given);
            }
        }
        Ok(())
    }
}

/// A step with changes, and the follow-ups in which deletions show.
fn turn(program: &Program, node: &mut Node, start: bool, changes: &[Change]) {
    let mut inputs = Inputs::default();
    inputs.start = start;
    for change in changes {
        let name = format!("{}_{}", if change.comes { "add" } else { "drop" }, change.relation);
        let channel =
            program.channels.iter().position(|channel| channel.name == name).expect("the text has the channel");
        let channel = u16::try_from(channel).expect("there are few channels");
        inputs.push(channel, LogicalNode { role: 0, index: 0 }, change.row.iter().map(|int| Value::Int(*int)));
    }
    let mut outputs = Outputs::default();
    node.step(&inputs, &mut outputs);
    while outputs.pending {
        node.step(&Inputs::default(), &mut outputs);
    }
}

fn facts<'f>(given: &'f mut Facts, change: &Change) -> &'f mut BTreeSet<Vec<i64>> {
    given.get_mut(change.relation).expect("changes are of given relations")
}

fn integers(fact: &[Value]) -> Vec<i64> {
    let integer = |value: &Value| match value {
        Value::Int(int) => *int,
        other => panic!("{other:?} is no integer"),
    };
    fact.iter().map(integer).collect()
}

/// A given relation for ascent.
pub fn given<const N: usize, T: From<[i64; N]>>(facts: &Facts, relation: &str) -> Vec<T> {
    let row = |row: &Vec<i64>| T::from(<[i64; N]>::try_from(row.as_slice()).expect("the number of columns is right"));
    facts[relation].iter().map(row).collect()
}

/// A relation that ascent derived.
pub fn derived<const N: usize, T: Into<[i64; N]>>(rows: Vec<T>) -> BTreeSet<Vec<i64>> {
    rows.into_iter().map(|row| row.into().to_vec()).collect()
}
