//! What of a component is *replicated* when it is partitioned with a coordinator, what is partitioned, and what is *sealed*.
//!
//! Channels that have the columns of the key are partitioned, all others are replicated: every partition gets their messages. A relation is
//! partitioned if a rule that fills it or deletes from it reads something partitioned, or if it is a window above such a register; all
//! others are replicated, since every partition derives the same. So nothing replicated depends on anything partitioned.
//!
//! A rule may put together what several partitions have: it aggregates, negates, or joins. If it does so only because of replicated inputs, it
//! can be sealed: the partitions send what they have to the coordinator, which evaluates the rule over all of it. What they have are events
//! that are *brought about*: each rule for them reads an event that is replicated, or brought about as well. So outside of the steps in which
//! a partition gets replicated inputs there are none.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Name, RelationKind, Rule, RuleKind};

use super::scope::{Reads, START, Scope, aggregates, atoms, fills, sends};

/// Where a rule is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Wherever it is needed: it reads and fills only what is replicated, or constant.
    Everywhere,
    /// At the coordinator: it sends what follows from what is replicated, or is sealed.
    Coordinator,
    /// At the partition that has what it reads.
    Partition,
}

/// A component whose inputs are replicated or partitioned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replication {
    /// Replicated channels.
    pub channels: BTreeSet<Name>,
    /// Replicated relations. Constants are none of them.
    pub relations: BTreeSet<Name>,
    /// The positions of rules that are sealed.
    pub sealed: BTreeSet<usize>,
}

impl Replication {
    /// With these channels replicated, and nothing sealed.
    pub fn new(scope: &Scope<'_>, channels: BTreeSet<Name>) -> Self {
        let partitioned = partitioned_relations(scope, &channels);
        let own = scope.component.relations.iter().map(|relation| &relation.name);
        let relations = own.filter(|name| !scope.is_constant(name) && !partitioned.contains(name.as_str()));
        Replication { relations: relations.cloned().collect(), channels, sealed: BTreeSet::new() }
    }

    /// With all rules sealed that put together what replicated inputs bring about, and what has to be sealed with these.
    #[must_use]
    pub fn sealing(mut self, scope: &Scope<'_>) -> Self {
        let brought = self.brought_about(scope);
        loop {
            let before = self.sealed.len();
            for (index, rule) in scope.rules() {
                let wanted = self.puts_together(scope, rule) || self.follows(scope, rule);
                if wanted && self.is_sealable(scope, rule, &brought) {
                    self.sealed.insert(index);
                }
            }
            if self.sealed.len() == before {
                return self;
            }
        }
    }

    /// All that is replicated.
    pub fn names(&self) -> BTreeSet<Name> {
        self.channels.union(&self.relations).cloned().collect()
    }

    /// Where the rule at this position is evaluated.
    pub fn place(&self, scope: &Scope<'_>, index: usize) -> Place {
        let rule = scope.rule(index);
        if self.sealed.contains(&index) {
            return Place::Coordinator;
        }
        match fills(rule) {
            Some(name) if scope.is_constant(name) || self.relations.contains(name) => Place::Everywhere,
            None if !self.reads_partitioned(scope, rule) => Place::Coordinator,
            Some(_) | None => Place::Partition,
        }
    }

    /// Whether a literal reads something partitioned.
    pub fn is_partitioned(&self, scope: &Scope<'_>, atom: &Atom) -> bool {
        let is_ours = matches!(scope.reads_name(&atom.relation), Reads::Channel | Reads::Own(_));
        is_ours && !self.channels.contains(&atom.relation) && !self.relations.contains(&atom.relation)
    }

    fn reads_partitioned(&self, scope: &Scope<'_>, rule: &Rule) -> bool {
        atoms(rule).any(|atom| self.is_partitioned(scope, atom))
    }

    /// The relations that sealed rules derive.
    pub fn derived_sealed<'a>(&self, scope: &Scope<'a>) -> BTreeSet<&'a str> {
        self.sealed.iter().filter_map(|index| fills(scope.rule(*index))).collect()
    }

    /// The relations of which partitions send to the coordinator what they have.
    pub fn gathered<'a>(&self, scope: &Scope<'a>) -> BTreeSet<&'a str> {
        let derived = self.derived_sealed(scope);
        let read = self.sealed.iter().flat_map(|index| atoms(scope.rule(*index)));
        let partitioned = read.filter(|atom| self.is_partitioned(scope, atom));
        partitioned.map(|atom| atom.relation.as_str()).filter(|name| !derived.contains(name)).collect()
    }

    fn is_replicated_event(&self, scope: &Scope<'_>, atom: &Atom) -> bool {
        let name = &atom.relation;
        let is_event = || scope.component.relation(name).is_some_and(|found| found.kind == RelationKind::Event);
        self.channels.contains(name) || self.relations.contains(name) && (atom.new || is_event())
    }

    /// The partitioned events that happen only with replicated inputs.
    fn brought_about<'a>(&self, scope: &Scope<'a>) -> BTreeSet<&'a str> {
        let is_event = |name: &str| scope.component.relation(name).is_some_and(|one| one.kind == RelationKind::Event);
        let mut brought: BTreeSet<&str> = BTreeSet::new();
        loop {
            let before = brought.len();
            for relation in &scope.component.relations {
                let name = relation.name.as_str();
                let mut rules = scope.rules().map(|(_, rule)| rule).filter(|rule| fills(rule) == Some(name));
                if is_event(name)
                    && !self.relations.contains(name)
                    && rules.all(|rule| rule.kind == RuleKind::Now && self.is_brought_about(scope, rule, &brought))
                {
                    brought.insert(name);
                }
            }
            if brought.len() == before {
                return brought;
            }
        }
    }

    fn is_brought_about(&self, scope: &Scope<'_>, rule: &Rule, brought: &BTreeSet<&str>) -> bool {
        let brings = |atom: &Atom| self.is_replicated_event(scope, atom) || brought.contains(atom.relation.as_str());
        atoms(rule).any(|atom| !atom.negated && brings(atom))
    }

    /// Whether a rule looks at more than one partition's facts.
    fn puts_together(&self, scope: &Scope<'_>, rule: &Rule) -> bool {
        let partitioned: Vec<&Atom> = atoms(rule).filter(|atom| self.is_partitioned(scope, atom)).collect();
        let alone = partitioned.len() == 1 && !partitioned[0].negated && !aggregates(rule);
        !partitioned.is_empty() && !alone
    }

    /// Whether a rule has to be sealed since others are: it reads what they derive, derives the same, or sends on a channel on which the
    /// coordinator sends.
    fn follows(&self, scope: &Scope<'_>, rule: &Rule) -> bool {
        let derived = self.derived_sealed(scope);
        let reads = atoms(rule).any(|atom| derived.contains(atom.relation.as_str()));
        let with_others = sends(rule).is_some_and(|channel| {
            scope
                .rules()
                .any(|(index, other)| sends(other) == Some(channel) && self.place(scope, index) == Place::Coordinator)
        });
        reads || with_others || fills(rule).is_some_and(|name| derived.contains(name))
    }

    /// Whether a rule can be evaluated over what the partitions send.
    fn is_sealable(&self, scope: &Scope<'_>, rule: &Rule, brought: &BTreeSet<&str>) -> bool {
        let makes_events = match fills(rule) {
            None => true,
            Some(name) => rule.kind == RuleKind::Now && brought.contains(name),
        };
        let is_sent = |atom: &Atom| !atom.new && brought.contains(atom.relation.as_str());
        makes_events
            && self.reads_partitioned(scope, rule)
            && atoms(rule).filter(|atom| self.is_partitioned(scope, atom)).all(is_sent)
            && self.is_brought_about(scope, rule, brought)
    }

    /// The rules among these positions that a place needs, with all that they need: replicated relations and constants, and the rules for
    /// these.
    pub fn needed(&self, scope: &Scope<'_>, rules: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut needed = rules.clone();
        loop {
            let read: BTreeSet<&str> = needed.iter().flat_map(|index| read_by(scope, scope.rule(*index))).collect();
            let more = scope.rules().filter(|(index, rule)| {
                self.place(scope, *index) == Place::Everywhere && fills(rule).is_some_and(|name| read.contains(name))
            });
            let more: Vec<usize> = more.map(|(index, _)| index).filter(|index| !needed.contains(index)).collect();
            if more.is_empty() {
                return needed;
            }
            needed.extend(more);
        }
    }
}

/// All names that a rule depends on: what it reads, and the floors of windows that it reads or fills.
pub fn read_by<'a>(scope: &Scope<'a>, rule: &'a Rule) -> BTreeSet<&'a str> {
    let read = atoms(rule).map(|atom| atom.relation.as_str()).filter(|name| *name != START);
    read.chain(scope.constants_read(rule)).chain(scope.references(rule)).collect()
}

/// The relations that depend on a channel that is not among these.
fn partitioned_relations<'a>(scope: &Scope<'a>, replicated: &BTreeSet<Name>) -> BTreeSet<&'a str> {
    let is_keyed = |name: &str| scope.reads_name(name) == Reads::Channel && !replicated.contains(name);
    let mut partitioned: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = partitioned.len();
        for (_, rule) in scope.rules() {
            let Some(head) = fills(rule) else { continue };
            let read = scope.references(rule);
            let depends = read.iter().any(|name| is_keyed(name) || partitioned.contains(name));
            if depends && !scope.is_constant(head) {
                partitioned.insert(head);
            }
        }
        if partitioned.len() == before {
            return partitioned;
        }
    }
}
