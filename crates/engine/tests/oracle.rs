//! The engine against an independent evaluator: random programs, random steps, everything equal after each of them.

mod common;
#[path = "common/generate.rs"]
mod generate;
#[path = "common/oracle.rs"]
mod oracle;

use std::collections::BTreeSet;
use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, lower};
use menard_lang::Program;
use menard_lang::ir::{Name, RelationKind};
use menard_value::{Node as LogicalNode, Value};
use oracle::{Oracle, Row, Sent};
use proptest::prelude::*;

/// Channels that random messages come on.
const CHANNELS: &[(&str, usize)] = &[("a", 1), ("b", 2), ("o", 1), ("b", 2), ("a", 1)];

/// The engine and the oracle side by side.
struct Pair<'p> {
    program: &'p Program,
    node: Node,
    oracle: Oracle<'p>,
    outputs: Outputs,
    /// After a step that left the node settled: the same with one more step, which must not make a difference.
    rested: Option<Oracle<'p>>,
}

impl<'p> Pair<'p> {
    fn new(program: &'p Program) -> Self {
        let role = program.role_index("node").expect("programs have a role `node`");
        let me = LogicalNode { role, index: 0 };
        let node = Node::new(Arc::new(lower(program, "node")), me);
        Pair { program, node, oracle: Oracle::new(program, "node", me), outputs: Outputs::default(), rested: None }
    }

    fn step(&mut self, start: bool, messages: &[(Name, LogicalNode, Row)]) -> Result<(), TestCaseError> {
        let mut inputs = Inputs::default();
        inputs.start = start;
        for (channel, from, args) in messages {
            inputs.push(self.channel(channel), *from, args.iter().cloned());
        }
        self.node.step(&inputs, &mut self.outputs);
        let step = self.oracle.step(start, messages);
        if let Some(mut rested) = self.rested.take() {
            prop_assert_eq!(
                &step.sent,
                &rested.step(start, messages).sent,
                "a step of a settled node makes a difference"
            );
            prop_assert_eq!(&self.oracle.tables, &rested.tables, "a step of a settled node makes a difference");
        }
        self.compare_outputs(&step.sent)?;
        self.compare_state()?;
        self.compare_pending()
    }

    fn channel(&self, name: &str) -> u16 {
        let position = self.program.channels.iter().position(|channel| channel.name == name);
        u16::try_from(position.expect("a channel")).expect("few channels")
    }

    fn compare_outputs(&self, expected: &BTreeSet<Sent>) -> Result<(), TestCaseError> {
        let name = |channel: u16| self.program.channels[usize::from(channel)].name.clone();
        let sent = self.outputs.iter().map(|message| (name(message.channel), message.to, message.args.to_vec()));
        let mut sent: Vec<Sent> = sent.collect();
        sent.sort();
        let expected: Vec<Sent> = expected.iter().cloned().collect();
        prop_assert_eq!(sent, expected, "messages");
        for (channel, to, args) in &self.oracle.held_messages {
            prop_assert!(self.node.holds(self.channel(channel), *to, args), "held on {}: {:?}", channel, args);
        }
        Ok(())
    }

    fn compare_state(&self) -> Result<(), TestCaseError> {
        for relation in &self.program.components[0].relations {
            let expected = match relation.kind {
                RelationKind::Table => self.oracle.tables.get(&relation.name),
                RelationKind::View => self.oracle.held.get(&relation.name),
                RelationKind::Event => None,
            };
            let expected: Vec<Row> = expected.into_iter().flatten().cloned().collect();
            prop_assert_eq!(self.node.is_empty(&relation.name), expected.is_empty(), "emptiness of {}", relation.name);
            prop_assert_eq!(self.node.facts(&relation.name), expected, "facts of {}", relation.name);
        }
        Ok(())
    }

    /// Pending promises a change; its absence that a step without messages does nothing.
    fn compare_pending(&mut self) -> Result<(), TestCaseError> {
        let mut next = self.oracle.clone();
        let step = next.step(false, &[]);
        if self.outputs.pending {
            let deferred = self.oracle.deferred.values().any(|rows| !rows.is_empty());
            let changed = self.oracle.tables.iter().any(|(name, rows)| {
                let held = self.oracle.held.get(name);
                held.map_or(!rows.is_empty(), |held| held != rows) || next.tables[name] != *rows
            });
            prop_assert!(deferred || changed, "pending without anything to do");
        } else {
            prop_assert!(step.sent.is_empty(), "a settled node sends {:?}", step.sent);
            for (name, rows) in &next.tables {
                // What a standing rule inserts and another rule deletes is there in every step, and gone between steps.
                let held = self.oracle.held.get(name).cloned().unwrap_or_default();
                let mut expected = self.oracle.tables[name].clone();
                expected.extend(rows.iter().filter(|row| held.contains(*row)).cloned());
                prop_assert_eq!(rows, &expected, "the table {} of a settled node changes", name);
            }
            prop_assert!(next.deferred.is_empty(), "a settled node has events");
            let is_view = |name: &&Name| {
                self.program.components[0].relation(name).is_some_and(|relation| relation.kind == RelationKind::View)
            };
            for view in self.oracle.held.keys().chain(next.held.keys()).filter(is_view) {
                let facts = |oracle: &Oracle| oracle.held.get(view).cloned().unwrap_or_default();
                prop_assert_eq!(facts(&next), facts(&self.oracle), "the view {} of a settled node changes", view);
            }
            self.rested = Some(next);
        }
        Ok(())
    }
}

fn message((channel, args): &generate::MessageSpec) -> (Name, LogicalNode, Row) {
    let (name, columns) = CHANNELS[usize::from(*channel) % CHANNELS.len()];
    let role = u16::from(name == "o");
    let from = LogicalNode { role, index: u32::from(args[0] / 64 % 2) };
    let row = args[..columns].iter().map(|arg| Value::Int(i64::from(arg % 4))).collect();
    (Name::new(name), from, row)
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_do_what_the_definition_says(rules in generate::rules(), steps in generate::steps()) {
        let Some(program) = generate::program(&rules) else { return Ok(()) };
        check(&program, &steps).map_err(|error| TestCaseError::fail(format!("{error}\n{}", program.source.text)))?;
    }
}

fn check(program: &Program, steps: &[Vec<generate::MessageSpec>]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(program);
    pair.step(true, &[])?;
    for messages in steps {
        // Usually a node settles before it takes messages, but a step must be right in any state.
        let settles = messages.first().is_none_or(|(channel, _)| channel % 4 != 0);
        for _ in 0..if settles { 6 } else { 0 } {
            if pair.outputs.pending {
                pair.step(false, &[])?;
            }
        }
        let mut messages: Vec<(Name, LogicalNode, Row)> = messages.iter().map(message).collect();
        // Often one comes twice.
        if let Some(first) = messages.first().filter(|(_, _, row)| row[0] < Value::Int(2)).cloned() {
            messages.push(first);
        }
        pair.step(false, &messages)?;
    }
    Ok(())
}
