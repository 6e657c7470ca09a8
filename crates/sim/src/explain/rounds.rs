//! One step of one node, straight from its definition: everything is computed from scratch, in rounds.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{Component, Name, RelationKind, Rule, RuleKind};
use menard_value::{Node, Value};

use super::matching::{Facts, Quorums, Reader, Row};

/// Facts without rounds.
pub(super) type Rows = BTreeMap<Name, BTreeSet<Row>>;
/// A message that a step sends: channel, destination, fields.
pub(super) type Sent = (Name, Node, Row);

/// The name of the event of a node's first step.
pub(super) const START: &str = "start";

/// What a node keeps from step to step.
#[derive(Clone, Default)]
pub(super) struct Memory {
    pub tables: Rows,
    /// Events of the next step, and candidates for keyed tables.
    deferred: Rows,
    /// Messages that state-only rules held in the last step.
    held: BTreeSet<Sent>,
    /// What quorums over state knew in the last step.
    quorums: Quorums,
    /// The event of its last step.
    pub last: Option<usize>,
}

/// A step, with everything that held in it.
#[derive(Default)]
pub(super) struct Step {
    /// The event of the step before.
    pub previous: Option<usize>,
    /// The tables at its beginning.
    pub before: Rows,
    /// What held in it.
    pub facts: Facts,
    /// What was derived for keyed tables, with its round; what the step before deferred has round 0.
    pub candidates: Facts,
    /// What was derived for windows and is not above their bounds.
    pub refused: Rows,
    /// What `:+` adds for the next step.
    pub plus: Rows,
    /// What its delete rules match.
    pub deleted: Rows,
    /// What leaves windows.
    pub slid: Rows,
    /// The tables after it.
    pub after: Rows,
    /// What it sent.
    pub sent: BTreeSet<Sent>,
    /// What quorums over state knew in the step before, and know after it.
    pub quorums: (Quorums, Quorums),
}

/// What steps: a component on a logical node.
#[derive(Clone, Copy)]
pub(super) struct Stepper<'a> {
    pub program: &'a Program,
    pub component: &'a Component,
    pub me: Node,
    /// What `choose` chooses by.
    pub choice_seed: u64,
}

impl Stepper<'_> {
    /// Takes a step with messages (channel, then sender and fields). `last` is what held in the step before.
    pub fn step(&self, memory: &mut Memory, last: &Facts, start: bool, messages: &[(Name, Row)]) -> Step {
        let mut step = self.given(memory, start, messages);
        let mut round = 0;
        self.choose_deferred(&mut step);
        for stratum in &self.component.strata {
            self.fixpoint(stratum, &mut step, last, &mut round);
        }
        step.sent = self.send(memory, (&step.facts, &step.quorums.0), last);
        self.change(&mut step, last);
        self.remember(&mut step, last);
        memory.quorums = step.quorums.1.clone();
        memory.tables = step.after.clone();
        let waits = |(name, _): &(&Name, &BTreeSet<Row>)| !self.is_table(name) || self.is_keyed(name);
        memory.deferred = step.plus.iter().filter(waits).map(|(name, rows)| (name.clone(), rows.clone())).collect();
        step
    }

    /// What holds before any rule is looked at.
    fn given(&self, memory: &Memory, start: bool, messages: &[(Name, Row)]) -> Step {
        let (mut facts, mut candidates) = (Facts::new(), Facts::new());
        for (name, rows) in &memory.deferred {
            let kind = if self.is_keyed(name) { &mut candidates } else { &mut facts };
            kind.entry(name.clone()).or_default().extend(rows.iter().map(|row| (row.clone(), 0)));
        }
        let mut add = |name: &Name, row: Row| {
            facts.entry(name.clone()).or_default().insert(row, 0);
        };
        for (name, rows) in &memory.tables {
            rows.iter().for_each(|row| add(name, row.clone()));
        }
        messages.iter().for_each(|(channel, row)| add(channel, row.clone()));
        if start {
            add(&Name::new(START), Row::new());
        }
        for (index, role) in (0..).zip(&self.program.roles) {
            (0..role.nodes).for_each(|node| add(&role.name, vec![Value::node(index, node)]));
        }
        let (previous, before) = (memory.last, memory.tables.clone());
        let quorums = (memory.quorums.clone(), Quorums::new());
        Step { previous, before, facts, candidates, quorums, ..Step::default() }
    }

    /// What quorums over state are to know in the next step.
    fn remember(&self, step: &mut Step, last: &Facts) {
        let mut quorums = Quorums::new();
        let reader = self.reader((&step.facts, &step.quorums.0), last);
        for rule in self.component.rules.iter().filter(|rule| !self.is_event_rule(rule)) {
            reader.remember(rule, &mut quorums);
        }
        step.quorums.1 = quorums;
    }

    fn fixpoint(&self, stratum: &[Name], step: &mut Step, last: &Facts, round: &mut u32) {
        let is_of_stratum = |rule: &&Rule| rule.kind == RuleKind::Now && stratum.contains(&rule.head.relation);
        let rules: Vec<&Rule> = self.component.rules.iter().filter(is_of_stratum).collect();
        loop {
            *round += 1;
            let reader = self.reader((&step.facts, &step.quorums.0), last);
            let derived: Vec<(&Name, Row)> = rules
                .iter()
                .flat_map(|rule| reader.derive(rule).into_keys().map(|row| (&rule.head.relation, row)))
                .filter(|(name, row)| self.is_keyed(name) || !holds(&step.facts, name, row))
                .collect();
            let (derived, refused): (Vec<_>, Vec<_>) =
                derived.into_iter().partition(|(name, row)| self.is_above(name, row, &step.before));
            for (name, row) in refused {
                step.refused.entry(name.clone()).or_default().insert(row);
            }
            if let [only] = stratum
                && self.is_keyed(only)
            {
                let candidates = step.candidates.entry(only.clone()).or_default();
                for (_, row) in derived {
                    candidates.entry(row).or_insert(*round);
                }
                return self.choose(only, step);
            }
            if derived.is_empty() {
                return;
            }
            for (name, row) in derived {
                step.facts.entry(name.clone()).or_default().entry(row).or_insert(*round);
            }
        }
    }

    fn send(&self, memory: &mut Memory, facts: (&Facts, &Quorums), last: &Facts) -> BTreeSet<Sent> {
        let (mut sent, mut held) = (BTreeSet::new(), BTreeSet::new());
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Async) {
            let is_event = self.is_event_rule(rule);
            for mut row in self.reader(facts, last).derive(rule).into_keys() {
                let Value::Node(to) = row.remove(0) else { continue };
                let message = (rule.head.relation.clone(), to, row);
                if (is_event || !memory.held.contains(&message)) && self.exists(&message) {
                    sent.insert(message.clone());
                }
                if !is_event {
                    held.insert(message);
                }
            }
        }
        memory.held = held;
        sent
    }

    /// Whether a message's destination exists and is of the role that receives the channel.
    fn exists(&self, (channel, to, _): &Sent) -> bool {
        let Some(channel) = self.program.channel(channel) else { return false };
        let component = self.program.component(&channel.receiver);
        let role = component.map_or(&channel.receiver, |component| &component.role);
        let is_there = |role: &menard_lang::ir::Role| to.index < role.nodes || role.external && role.count.is_none();
        self.program.role_index(role) == Some(to.role) && self.program.role(role).is_some_and(is_there)
    }

    /// What the step changes for the next one.
    fn change(&self, step: &mut Step, last: &Facts) {
        for relation in self.component.relations.iter().filter(|relation| relation.kind == RelationKind::Table) {
            let rows = step.facts.get(&relation.name).map(|rows| rows.keys().cloned().collect());
            step.after.insert(relation.name.clone(), rows.unwrap_or_default());
        }
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Next) {
            let (name, reader) = (&rule.head.relation, self.reader((&step.facts, &step.quorums.0), last));
            if rule.delete {
                let matching = |pattern: &Vec<Option<Value>>, row: &Row| {
                    row.iter().zip(pattern).all(|(value, wanted)| wanted.as_ref().is_none_or(|wanted| wanted == value))
                };
                let patterns = reader.patterns(rule);
                let rows = step.facts.get(name).into_iter().flat_map(BTreeMap::keys);
                let doomed = rows.filter(|row| patterns.iter().any(|pattern| matching(pattern, row))).cloned();
                step.deleted.entry(name.clone()).or_default().extend(doomed);
            } else {
                step.plus.entry(name.clone()).or_default().extend(reader.derive(rule).into_keys());
            }
        }
        step.plus.retain(|_, rows| !rows.is_empty());
        for (name, table) in &mut step.after {
            let deleted = step.deleted.get(name);
            table.retain(|row| deleted.is_none_or(|deleted| !deleted.contains(row)));
            if !self.is_keyed(name) {
                table.extend(step.plus.get(name).into_iter().flatten().cloned());
            }
        }
        self.slide(step);
    }

    fn reader<'a>(&'a self, (facts, quorums): (&'a Facts, &'a Quorums), last: &'a Facts) -> Reader<'a> {
        let (program, me, choice_seed) = (self.program, self.me, self.choice_seed);
        Reader { program, me, facts, before: last, quorums, choice_seed, limit: u32::MAX }
    }

    fn is_table(&self, name: &str) -> bool {
        self.component.relation(name).is_some_and(|relation| relation.kind == RelationKind::Table)
    }

    /// Whether a rule has an event in its body.
    fn is_event_rule(&self, rule: &Rule) -> bool {
        rule.body.iter().filter_map(|literal| literal.as_atom()).any(|atom| {
            let relation = self.component.relation(&atom.relation);
            atom.new
                || atom.relation == START
                || self.program.channel(&atom.relation).is_some()
                || relation.is_some_and(|relation| relation.kind == RelationKind::Event)
        })
    }
}

fn holds(facts: &Facts, name: &Name, row: &Row) -> bool {
    facts.get(name).is_some_and(|rows| rows.contains_key(row))
}
