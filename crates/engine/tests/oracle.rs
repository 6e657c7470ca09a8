//! The engine against an independent evaluator: random programs, random steps, everything equal after each of them.

mod common;
#[path = "common/generate/mod.rs"]
mod generate;
#[path = "common/oracle/mod.rs"]
mod oracle;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, Router, lower};
use menard_lang::Program;
use menard_lang::ir::{Component, HeadArg, Name, RelationKind, Rule, RuleKind};
use menard_value::{Node as LogicalNode, Value, partition_hash};
use oracle::{Facts, Oracle, Row, Sent};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Channels that random messages come on.
const CHANNELS: &[&str] = &["a", "b", "o", "b", "a", "c"];

/// More rows than this for a key, and the engine finds them in another way.
const LONG: usize = 8;

/// The engine and the oracle side by side.
struct Pair<'p> {
    program: &'p Program,
    node: Node,
    oracle: Oracle<'p>,
    outputs: Outputs,
    /// After a step that left the node settled: the same with one more step, which must not make a difference.
    rested: Option<Oracle<'p>>,
    /// A node that takes one more step whenever it is settled.
    idler: Node,
    /// The tables of settled nodes, and the fingerprints that they had.
    fingerprints: BTreeMap<(Facts, Remembered), u128>,
    tables: BTreeMap<u128, (Facts, Remembered)>,
    reached: Reached,
}

/// Programs choose in different ways; some as real nodes do.
fn choice_seed(program: &Program) -> u64 {
    program.source.text.len() as u64 % 4
}

/// What quorums have chosen.
type Remembered = Vec<((usize, usize, Row), Row)>;

/// What a run came by.
#[derive(Clone, Copy, Default)]
struct Reached {
    recursion: bool,
    long_key: bool,
    partition: bool,
    /// A fact of a keyed table gave way to another one of its key.
    replaced: bool,
    /// Facts left a window.
    slid: bool,
    /// A node started with facts.
    recovered: bool,
    /// A quorum lost a member and chose another one.
    rechosen: bool,
}

impl<'p> Pair<'p> {
    fn new(program: &'p Program) -> Self {
        let role = program.role_index("node").expect("programs have a role `node`");
        let me = LogicalNode { role, index: 0 };
        let mut node = Node::new(Arc::new(lower(program, "node")), me);
        node.set_choice_seed(choice_seed(program));
        let mut oracle = Oracle::new(program, "node", me);
        oracle.choice_seed = choice_seed(program);
        Pair {
            program,
            idler: node.clone(),
            node,
            oracle,
            outputs: Outputs::default(),
            rested: None,
            fingerprints: BTreeMap::new(),
            tables: BTreeMap::new(),
            reached: Reached::default(),
        }
    }

    fn step(&mut self, start: bool, messages: &[(Name, LogicalNode, Row)]) -> Result<(), TestCaseError> {
        let mut inputs = Inputs::default();
        inputs.start = start;
        for (channel, from, args) in messages {
            inputs.push(self.channel(channel), *from, args.iter().cloned());
        }
        let settled = self.rested.is_some();
        self.node.step(&inputs, &mut self.outputs);
        self.step_idler(settled, &inputs)?;
        let before = self.oracle.tables.clone();
        let quorums = self.oracle.quorums.clone();
        let step = self.oracle.step(start, messages);
        self.reached.rechosen |= self.oracle.quorums.iter().any(|(group, (_, now))| {
            let last = quorums.get(group).and_then(|(_, last)| last.as_ref());
            last.zip(now.as_ref()).is_some_and(|(last, now)| last != now)
        });
        self.observe(&step.sent, &before);
        self.compare_changes(&before)?;
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

    fn component(&self) -> &'p Component {
        self.program.component("node").expect("programs have a component `node`")
    }

    /// A step of a settled node is none: it does nothing, and nothing later differs for it.
    fn step_idler(&mut self, settled: bool, inputs: &Inputs) -> Result<(), TestCaseError> {
        let mut outputs = Outputs::default();
        if settled {
            self.idler.step(&Inputs::default(), &mut outputs);
            prop_assert!(outputs.is_empty() && !outputs.pending, "an empty step of a settled node does something");
        }
        self.idler.step(inputs, &mut outputs);
        let sorted = |outputs: &Outputs| {
            let messages = outputs.iter().map(|it| (it.channel, it.to, it.part, it.held, it.args.to_vec()));
            let mut messages: Vec<_> = messages.collect();
            messages.sort();
            messages
        };
        prop_assert_eq!(sorted(&self.outputs), sorted(&outputs), "an empty step between turns makes a difference");
        prop_assert_eq!(self.outputs.pending, outputs.pending, "an empty step between turns calls for another");
        Ok(())
    }

    /// Forgets everything that happened, on the engine's side by a reset.
    fn restart(&mut self) -> Result<(), TestCaseError> {
        let fresh = Pair::new(self.program);
        self.node.reset();
        prop_assert_eq!(self.node.fingerprint(), fresh.node.fingerprint(), "a node that was reset is a new one");
        let Pair { oracle, rested, idler, outputs, .. } = fresh;
        (self.oracle, self.rested, self.idler, self.outputs) = (oracle, rested, idler, outputs);
        Ok(())
    }

    /// The node stops, and will start again with the facts of its durable tables.
    fn crash(&mut self) -> Result<(), TestCaseError> {
        let mut tables = std::mem::take(&mut self.oracle.tables);
        tables.retain(|name, _| self.component().relation(name).is_some_and(|relation| relation.storage.durable));
        self.oracle = Oracle::new(self.program, "node", self.node.me());
        self.oracle.choice_seed = choice_seed(self.program);
        self.node.reset();
        for (name, rows) in &tables {
            for row in rows {
                prop_assert_eq!(self.node.recover(name, row), Ok(()));
                self.reached.recovered = true;
            }
        }
        self.oracle.tables = tables;
        (self.idler, self.rested) = (self.node.clone(), None);
        self.compare_state()
    }

    /// What a step reports about durable tables is how they differ from what they were before it.
    fn compare_changes(&self, before: &Facts) -> Result<(), TestCaseError> {
        let names: Vec<&Name> = self.node.plan().durable_tables().collect();
        let reported = self.outputs.changes();
        let reported = reported.map(|change| (names[usize::from(change.table)], change.begins, change.fact.to_vec()));
        let mut reported: Vec<_> = reported.collect();
        reported.sort();
        let mut expected = Vec::new();
        for name in names {
            let rows = |facts: &Facts| facts.get(name).cloned().unwrap_or_default();
            let (old, new) = (rows(before), rows(&self.oracle.tables));
            expected.extend(old.difference(&new).map(|row| (name, false, row.clone())));
            expected.extend(new.difference(&old).map(|row| (name, true, row.clone())));
        }
        expected.sort();
        prop_assert_eq!(reported, expected, "changes of durable tables");
        Ok(())
    }

    /// In settled nodes the fingerprints are equal if and only if the tables are.
    fn compare_fingerprint(&mut self) -> Result<(), TestCaseError> {
        let mut tables = self.oracle.tables.clone();
        tables.retain(|_, rows| !rows.is_empty());
        let fingerprint = self.node.fingerprint();
        prop_assert_eq!(self.idler.fingerprint(), fingerprint, "an empty step changes the fingerprint");
        // What a quorum has chosen is state like a table.
        let chosen =
            self.oracle.quorums.iter().filter_map(|(group, (_, chosen))| Some((group.clone(), chosen.clone()?)));
        let tables = (tables, chosen.collect::<Remembered>());
        let same = *self.fingerprints.entry(tables.clone()).or_insert(fingerprint);
        prop_assert_eq!(same, fingerprint, "two fingerprints of {:?}", &tables);
        let same = self.tables.entry(fingerprint).or_insert_with(|| tables.clone());
        prop_assert_eq!(same, &tables, "two states with one fingerprint");
        Ok(())
    }

    /// Notes what the run came by.
    fn observe(&mut self, sent: &BTreeSet<Sent>, before: &Facts) {
        let component = self.component();
        let holds = |name: &Name| self.oracle.held.get(name).is_some_and(|rows| !rows.is_empty());
        let recursive = |names: &&Vec<Name>| is_recursive(component, names);
        self.reached.recursion |= component.strata.iter().filter(recursive).any(|names| names.iter().any(holds));
        let mut rows: BTreeMap<&Value, usize> = BTreeMap::new();
        for row in self.oracle.tables.get("u").into_iter().flatten() {
            *rows.entry(&row[0]).or_default() += 1;
        }
        self.reached.long_key |= rows.values().any(|&rows| rows > LONG);
        for relation in &component.relations {
            let rows = |facts: &Facts| facts.get(&relation.name).cloned().unwrap_or_default();
            let (held, old) = (rows(&self.oracle.held), rows(before));
            self.reached.replaced |= relation.storage.key.is_some() && old.difference(&held).next().is_some();
            if let Some(low) = &relation.storage.above {
                let low = self.oracle.tables[low].first();
                self.reached.slid |= low.is_some_and(|low| held.iter().any(|row| row[0] <= low[0]));
            }
        }
        self.reached.partition |= sent.iter().any(|(channel, ..)| channel == "p" || channel == "q");
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
        let router = Router::new(self.program);
        for message in self.outputs.iter() {
            let part = match name(message.channel).as_str() {
                "p" => partition_hash([&message.args[1]]) % 3,
                "q" => partition_hash([&message.args[1], &message.args[0]]) % 3,
                _ => 0,
            };
            prop_assert_eq!(u64::from(message.part), part, "partition");
            prop_assert_eq!(router.part(message.channel, message.args), message.part, "sender and receiver agree");
        }
        for (channel, to, args) in &self.oracle.held_messages {
            prop_assert!(self.node.holds(self.channel(channel), *to, args), "held on {}: {:?}", channel, args);
        }
        Ok(())
    }

    fn compare_state(&self) -> Result<(), TestCaseError> {
        for relation in &self.component().relations {
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
                self.component().relation(name).is_some_and(|relation| relation.kind == RelationKind::View)
            };
            for view in self.oracle.held.keys().chain(next.held.keys()).filter(is_view) {
                let facts = |oracle: &Oracle| oracle.held.get(view).cloned().unwrap_or_default();
                prop_assert_eq!(facts(&next), facts(&self.oracle), "the view {} of a settled node changes", view);
            }
            self.rested = Some(next);
            self.compare_fingerprint()?;
        }
        Ok(())
    }
}

/// One message, or a dozen with one key.
fn messages((channel, args): &generate::MessageSpec) -> Vec<(Name, LogicalNode, Row)> {
    let name = CHANNELS[usize::from(*channel) % CHANNELS.len()];
    let from = LogicalNode { role: u16::from(name == "o"), index: u32::from(args[0] / 64 % 2) };
    let small = |arg: u8| Value::Int(i64::from(arg % 4));
    if name == "b" && args[1] >= 225 {
        let row = |other: i64| (Name::new("b"), from, vec![small(args[0]), Value::Int(other)]);
        return (i64::from(args[1] % 4)..12).map(row).collect();
    }
    let row = match name {
        "b" => vec![small(args[0]), small(args[1])],
        "c" => {
            let string = generate::STRINGS[usize::from(args[1]) % generate::STRINGS.len()];
            let bytes = vec![args[0] % 2; usize::from(args[0] % 32)];
            vec![Value::string(string), Value::bytes(&bytes), Value::Bool(args[1] < 128)]
        }
        _ => vec![small(args[0])],
    };
    vec![(Name::new(name), from, row)]
}

fn reads(rule: &Rule, names: &[Name]) -> bool {
    rule.body.iter().filter_map(|literal| literal.as_atom()).any(|atom| names.contains(&atom.relation))
}

fn is_recursive(component: &Component, names: &[Name]) -> bool {
    let derives = |rule: &&Rule| rule.kind == RuleKind::Now && names.contains(&rule.head.relation);
    component.rules.iter().filter(derives).any(|rule| reads(rule, names))
}

fn is_aggregating(rule: &Rule) -> bool {
    rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. }))
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4000)
}

/// How many of all cases have something.
#[derive(Default)]
struct Share(Cell<u32>);

impl Share {
    fn count(&self, has: bool) {
        self.0.set(self.0.get() + u32::from(has));
    }

    /// A generator that makes too little of what is hard to get right tests less than it seems to. A few cases say nothing.
    fn assert_at_least(&self, percent: u32, what: &str) {
        let (count, all) = (self.0.get(), cases());
        println!("{what}: {count} of {all}");
        assert!(all < 1000 || count * 100 >= all * percent, "{what}: only in {count} of {all} cases");
    }
}

#[test]
fn random_programs_do_what_the_definition_says() {
    let config = ProptestConfig {
        cases: cases(),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let shares: [Share; 11] = Default::default();
    let [
        recursion,
        long_keys,
        partitions,
        event_aggregates,
        shrinking,
        types,
        replaced,
        slid,
        recovered,
        rechosen,
        parts,
    ] = &shares;
    let result = TestRunner::new(config).run(&(generate::rules(), generate::steps()), |(rules, steps)| {
        let Some(program) = generate::program(&rules) else { return Ok(()) };
        let reached = check(&program, &steps)
            .map_err(|error| TestCaseError::fail(format!("{error}\n{}", program.source.text)))?;
        recursion.count(reached.recursion);
        long_keys.count(reached.long_key);
        partitions.count(reached.partition);
        replaced.count(reached.replaced);
        slid.count(reached.slid);
        recovered.count(reached.recovered);
        rechosen.count(reached.rechosen);
        let rules = &program.component("node").expect("programs have a component `node`").rules;
        let events: Vec<Name> = program.channels.iter().map(|channel| channel.name.clone()).collect();
        event_aggregates.count(rules.iter().any(|rule| is_aggregating(rule) && reads(rule, &events)));
        let deleted: Vec<Name> =
            rules.iter().filter(|rule| rule.delete).map(|rule| rule.head.relation.clone()).collect();
        shrinking.count(rules.iter().any(|rule| is_aggregating(rule) && reads(rule, &deleted)));
        types.count(rules.iter().any(|rule| ["g", "ve", "q", "kr"].contains(&rule.head.relation.as_str())));
        parts.count(rules.iter().any(|rule| rule.head.relation.starts_with(['k', 't', 'v']) && has_parts(rule)));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    recursion.assert_at_least(25, "facts of recursive relations");
    long_keys.assert_at_least(3, "keys with many rows");
    partitions.assert_at_least(12, "messages to partitions");
    replaced.assert_at_least(10, "facts of keyed tables that are replaced");
    slid.assert_at_least(5, "windows that slide");
    recovered.assert_at_least(10, "nodes that start with facts");
    event_aggregates.assert_at_least(10, "aggregates over messages");
    shrinking.assert_at_least(6, "aggregates over tables with deletions");
    rechosen.assert_at_least(1, "quorums that choose anew");
    parts.assert_at_least(35, "values with parts");
    types.assert_at_least(30, "strings, bytes, digests and truth values");
}

/// Whether some variable of the rule has a type that is made of others.
fn has_parts(rule: &Rule) -> bool {
    rule.variables.iter().any(|(_, ty)| !ty.parts().is_empty())
}

fn check(program: &Program, steps: &[Vec<generate::MessageSpec>]) -> Result<Reached, TestCaseError> {
    let mut pair = Pair::new(program);
    run(&mut pair, steps, false)?;
    pair.restart()?;
    run(&mut pair, steps, true)?;
    Ok(pair.reached)
}

/// Runs all steps; if `backwards`, with the messages of each in the other order, which must not make a difference.
fn run(pair: &mut Pair<'_>, steps: &[Vec<generate::MessageSpec>], backwards: bool) -> Result<(), TestCaseError> {
    pair.step(true, &[])?;
    for specs in steps {
        // Usually a node settles before it takes messages, but a step must be right in any state.
        let settles = specs.first().is_none_or(|(channel, _)| channel % 4 != 0);
        for _ in 0..if settles { 6 } else { 0 } {
            if pair.outputs.pending {
                pair.step(false, &[])?;
            }
        }
        let crashes = specs.first().is_some_and(|(_, args)| args[0] >= 224) && pair.rested.is_some();
        if crashes {
            pair.crash()?;
        }
        let mut messages: Vec<(Name, LogicalNode, Row)> = specs.iter().flat_map(messages).collect();
        // Often one comes twice.
        if let Some(first) = messages.first().filter(|(_, _, row)| row[0] < Value::Int(2)).cloned() {
            messages.push(first);
        }
        if backwards {
            messages.reverse();
        }
        pair.step(crashes, &messages)?;
    }
    Ok(())
}
