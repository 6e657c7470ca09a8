//! What a step means, straight from the definition: everything is computed from scratch in every step, by trying all facts. Shares no code
//! with the engine.

mod aggregates;
mod expressions;
mod rules;
mod solutions;

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{Component, Keyed, Name, Policy, Relation, RelationKind, Rule, RuleKind, Storage};
use menard_value::{Node, Value};

pub type Row = Vec<Value>;
pub type Facts = BTreeMap<Name, BTreeSet<Row>>;

/// A message: channel, destination, fields.
pub type Sent = (Name, Node, Row);

/// A node.
#[derive(Clone)]
pub struct Oracle<'p> {
    program: &'p Program,
    component: &'p Component,
    me: Node,
    /// Tables at the beginning of the next step.
    pub tables: Facts,
    /// What held in the last step.
    pub held: Facts,
    /// Messages that state-only rules held in the last step.
    pub held_messages: BTreeSet<Sent>,
    /// Events of the next step, and candidates for keyed tables.
    pub deferred: Facts,
    /// For each group of a quorum over state, by the positions of its rule and of the argument: the values of the group in the last step, and
    /// those of the quorum.
    pub quorums: Quorums,
    /// What `choose` chooses by.
    pub choice_seed: u64,
}

pub type Quorums = BTreeMap<(usize, usize, Row), (BTreeSet<Value>, Option<Row>)>;

/// What a step did.
#[derive(Default)]
pub struct Step {
    /// What it sent.
    pub sent: BTreeSet<Sent>,
}

impl<'p> Oracle<'p> {
    pub fn new(program: &'p Program, component: &str, me: Node) -> Self {
        let component = program.component(component).expect("the component exists");
        Oracle {
            program,
            component,
            me,
            tables: Facts::new(),
            held: Facts::new(),
            held_messages: BTreeSet::new(),
            deferred: Facts::new(),
            quorums: Quorums::new(),
            choice_seed: 0,
        }
    }

    /// Takes a step with messages: channel, sender, fields.
    pub fn step(&mut self, start: bool, messages: &[(Name, Node, Row)]) -> Step {
        let mut facts = self.tables.clone();
        let mut candidates = Facts::new();
        for (name, rows) in std::mem::take(&mut self.deferred) {
            let is_keyed = self.storage(&name).is_some_and(|storage| storage.key.is_some());
            if is_keyed { &mut candidates } else { &mut facts }.entry(name).or_default().extend(rows);
        }
        for (channel, from, args) in messages {
            let row = std::iter::once(Value::Node(*from)).chain(args.iter().cloned()).collect();
            facts.entry(channel.clone()).or_default().insert(row);
        }
        if start {
            facts.entry(Name::new("start")).or_default().insert(Vec::new());
        }
        for (index, role) in (0..).zip(&self.program.roles) {
            facts
                .entry(role.name.clone())
                .or_default()
                .extend((0..role.nodes).map(|node| vec![Value::node(index, node)]));
        }
        let in_strata: BTreeSet<&Name> = self.component.strata.iter().flatten().collect();
        let undefined = self.component.relations.iter().filter(|relation| !in_strata.contains(&relation.name));
        for relation in undefined.filter(|relation| relation.storage.key.is_some()) {
            self.choose(relation, &candidates, &mut facts);
        }
        for stratum in &self.component.strata {
            match self.component.relation(&stratum[0]) {
                Some(relation) if relation.storage.key.is_some() => self.choose(relation, &candidates, &mut facts),
                _ => self.fixpoint(stratum, &mut facts),
            }
        }
        let step = self.send(&facts);
        self.change(&facts);
        self.quorums = self.remembered(&facts);
        self.held = facts;
        step
    }

    fn storage(&self, name: &str) -> Option<&'p Storage> {
        self.component.relation(name).map(|relation| &relation.storage)
    }

    /// Whether a window takes a row, given the facts of its bound.
    fn is_above(&self, name: &str, row: &Row, bounds: &Facts) -> bool {
        let low = self.storage(name).and_then(|storage| storage.above.as_ref()).and_then(|low| bounds.get(low));
        low.into_iter().flatten().all(|low| row[0] > low[0])
    }

    /// One fact for each key of a keyed table.
    fn choose(&self, relation: &Relation, deferred: &Facts, facts: &mut Facts) {
        let Some(Keyed { columns, policy }) = relation.storage.key else { panic!("it is keyed") };
        let mut candidates: BTreeSet<Row> = deferred.get(&relation.name).cloned().unwrap_or_default();
        let is_of = |rule: &&Rule| rule.kind == RuleKind::Now && rule.head.relation == relation.name;
        for rule in self.component.rules.iter().filter(is_of) {
            candidates.extend(self.derive(rule, facts));
        }
        candidates.retain(|row| self.is_above(&relation.name, row, &self.tables));
        let before = self.tables.get(&relation.name).cloned().unwrap_or_default();
        let keys: BTreeSet<&[Value]> = candidates.iter().chain(&before).map(|row| &row[..columns]).collect();
        let chosen = keys.into_iter().map(|key| {
            let of_key = |rows: &BTreeSet<Row>| -> Vec<Row> {
                rows.iter().filter(|row| row.starts_with(key)).cloned().collect()
            };
            let (fact, candidates) = (of_key(&before), of_key(&candidates));
            assert!(fact.len() <= 1, "one fact for each key");
            let all = fact.iter().chain(&candidates);
            let chosen = match policy {
                Policy::First => fact.first().or_else(|| candidates.iter().min()),
                Policy::Max => all.max(),
                Policy::Replace => candidates.iter().min().or_else(|| fact.first()),
            };
            chosen.expect("a key has a fact or a candidate").clone()
        });
        facts.insert(relation.name.clone(), chosen.collect());
    }

    fn fixpoint(&self, stratum: &[Name], facts: &mut Facts) {
        let rules = self.component.rules.iter();
        let rules: Vec<&Rule> =
            rules.filter(|rule| rule.kind == RuleKind::Now && stratum.contains(&rule.head.relation)).collect();
        loop {
            let mut changed = false;
            for rule in &rules {
                let mut rows = self.derive(rule, facts);
                rows.retain(|row| self.is_above(&rule.head.relation, row, &self.tables));
                for row in rows {
                    changed |= facts.entry(rule.head.relation.clone()).or_default().insert(row);
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn send(&mut self, facts: &Facts) -> Step {
        let mut step = Step::default();
        let mut held = BTreeSet::new();
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Async) {
            let is_event = self.is_event_rule(rule);
            for mut row in self.derive(rule, facts) {
                let Value::Node(to) = row.remove(0) else { panic!("a destination is a node") };
                let message = (rule.head.relation.clone(), to, row);
                let is_new = is_event || !self.held_messages.contains(&message);
                if is_new && self.exists(&message) {
                    step.sent.insert(message.clone());
                }
                if !is_event {
                    held.insert(message);
                }
            }
        }
        self.held_messages = held;
        step
    }

    fn exists(&self, (channel, to, _): &Sent) -> bool {
        let receiver = &self.program.channel(channel).expect("a channel").receiver;
        let role = self.program.component(receiver).map_or(receiver, |component| &component.role);
        let index = self.program.role_index(role).expect("a role");
        let role = &self.program.roles[usize::from(index)];
        to.role == index && (to.index < role.nodes || role.external && role.count.is_none())
    }

    fn change(&mut self, facts: &Facts) {
        let mut plus = Facts::new();
        let mut tables = Facts::new();
        for relation in self.component.relations.iter().filter(|relation| relation.kind == RelationKind::Table) {
            tables.insert(relation.name.clone(), facts.get(&relation.name).cloned().unwrap_or_default());
        }
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Next) {
            if rule.delete {
                let table = tables.get_mut(&rule.head.relation).expect("only tables are deleted from");
                for pattern in self.patterns(rule, facts) {
                    table.retain(|row| {
                        let differs = |(value, wanted): (&Value, &Option<Value>)| {
                            wanted.as_ref().is_some_and(|wanted| wanted != value)
                        };
                        row.iter().zip(&pattern).any(differs)
                    });
                }
            } else {
                plus.entry(rule.head.relation.clone()).or_default().extend(self.derive(rule, facts));
            }
        }
        for (name, rows) in plus.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let is_keyed = self.storage(&name).is_some_and(|storage| storage.key.is_some());
            match tables.get_mut(&name).filter(|_| !is_keyed) {
                Some(table) => table.extend(rows),
                None => self.deferred.entry(name).or_default().extend(rows),
            }
        }
        for (name, rows) in &mut tables {
            rows.retain(|row| self.is_above(name, row, facts));
        }
        self.tables = tables;
    }

    /// Whether a rule has an event in its body.
    fn is_event_rule(&self, rule: &Rule) -> bool {
        rule.body.iter().filter_map(|literal| literal.as_atom()).any(|atom| {
            let relation = self.component.relation(&atom.relation);
            atom.new
                || atom.relation == "start"
                || self.program.channel(&atom.relation).is_some()
                || relation.is_some_and(|relation| relation.kind == RelationKind::Event)
        })
    }
}
