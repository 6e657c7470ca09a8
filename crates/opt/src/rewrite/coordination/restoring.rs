//! What a restart finds: what is replicated and durable is on the disk of the coordinator alone, which tells it to all partitions at each start.
//!
//! It is on that disk when a batch takes effect, before any partition hears of that. The copy of the coordinator that answers may take the batch
//! later, when all shares are there; then what is on disk is a second copy, the *mirror*, of all that it takes to fill these tables.
//!
//! At a start the coordinator tells what it has of these tables as batch 0, which has been decided already. A partition begins closed. When it takes
//! this batch, it does of what is replicated what a node does when it starts, and opens. What is told begins to hold in that step, where the original has it before (P3.16).

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Atom, Expr, ExprKind, Literal, Name, Relation, Rule, RuleKind};
use menard_value::Value;

use super::kinds::{Kind, count, retell};
use super::{Coordination, absent, literal, new, start, wildcard};
use crate::analysis::replication::Place;
use crate::analysis::scope::{Reads, START, Scope, fills};
use crate::edit::{expr, integer, plain, rule};

/// The durable tables that are replicated, and the names of all that it takes to restore them.
#[derive(Clone, Debug)]
pub struct Restoring {
    tables: Vec<Kept>,
    /// Relations of the mirror and what they are called there, if there is one.
    mirrored: BTreeMap<Name, Name>,
    /// Replicated channels that the mirror reads, and what it reads instead.
    decided: BTreeMap<Name, Name>,
    /// Floors of windows that partitions have on disk, and what they are called there.
    floors: BTreeMap<Name, Name>,
    /// Coordinator: what there is, by kinds and together.
    kept_of: Name,
    kept: Name,
    /// Partition: it takes what is told at a start.
    restored: Name,
}

/// A table that is on the disk of the coordinator.
#[derive(Clone, Debug)]
struct Kept {
    table: Kind,
    /// Whether partitions have it, too, and are told.
    is_told: bool,
    /// The event that a fact is there when the coordinator starts.
    found: Name,
}

impl Restoring {
    /// For a component that may find something on disk; `None` if nothing of that is replicated.
    pub fn find(
        coordination: &Coordination,
        scope: &Scope<'_>,
        name: &mut impl FnMut(&str) -> Name,
    ) -> Option<Restoring> {
        let replication = &coordination.replication;
        let (_, here, _) = coordination.rules_at(scope, Place::Coordinator, Rule::clone);
        let (_, there, read_there) = coordination.rules_at(scope, Place::Partition, Rule::clone);
        let durable = || scope.component.relations.iter().filter(|one| one.storage.durable);
        let is_kept =
            |name: &Name| replication.relations.contains(name) && (here.contains(name) || there.contains(name));
        let tables: Vec<Kept> = durable()
            .filter(|one| is_kept(&one.name))
            .map(|one| Kept {
                table: Kind::restored(scope, &one.name, &coordination.component, name),
                is_told: there.contains(&one.name),
                found: name(&format!("{}_kept", one.name)),
            })
            .collect();
        if tables.is_empty() {
            return None;
        }
        let names = tables.iter().map(|kept| kept.table.relation.clone()).collect();
        let (mut mirrored, mut decided, mut floors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        if coordination.is_sealed() {
            let (_, filled, read) = coordination.rules_for(scope, &names, Rule::clone);
            for one in filled.union(&read) {
                if replication.relations.contains(one) {
                    mirrored.insert(one.clone(), name(&format!("{one}_decided")));
                } else if replication.channels.contains(one) {
                    decided.insert(one.clone(), name(&format!("{one}_decided")));
                }
            }
        }
        // A window that nothing fills nor reads is nowhere, and perhaps neither is its floor.
        let is_there = |name: &Name| read_there.contains(name) || !replication.relations.contains(name);
        for one in durable().filter(|one| !names.contains(&one.name) && is_there(&one.name)) {
            if let Some(floor) = one.storage.above.as_ref().filter(|floor| names.contains(*floor)) {
                floors.entry(floor.clone()).or_insert_with(|| name(&format!("{floor}_on_disk")));
            }
        }
        let (kept_of, kept, restored) = (name("kept_of"), name("kept"), name("restored"));
        Some(Restoring { tables, mirrored, decided, floors, kept_of, kept, restored })
    }

    /// What partitions are told at a start.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> + Clone {
        self.told().map(|kept| &kept.table)
    }

    /// Whether a table is on the disk of the coordinator.
    pub fn keeps(&self, table: &str) -> bool {
        self.tables.iter().any(|kept| kept.table.relation == table)
    }

    fn told(&self) -> impl Iterator<Item = &Kept> + Clone {
        self.tables.iter().filter(|kept| kept.is_told)
    }

    /// What a relation is called where it is on disk at the coordinator.
    fn on_disk<'a>(&'a self, relation: &'a Name) -> &'a Name {
        self.mirrored.get(relation).unwrap_or(relation)
    }

    /// The coordinator's relations of these, as they are where there is a mirror: what answers is volatile.
    pub fn at_coordinator(&self, relation: &Relation) -> Relation {
        let mut relation = relation.clone();
        relation.storage.durable &= self.mirrored.is_empty();
        relation
    }

    /// The relations of the mirror.
    pub fn mirror(&self, scope: &Scope<'_>) -> Vec<Relation> {
        let mirrored = |one: &Relation| {
            let mut mirrored = Relation { name: self.mirrored.get(&one.name)?.clone(), ..one.clone() };
            if let Some(floor) = &mut mirrored.storage.above {
                *floor = self.on_disk(floor).clone();
            }
            Some(mirrored)
        };
        scope.component.relations.iter().filter_map(mirrored).collect()
    }

    /// A relation of the component as a partition has it: what is replicated it has in memory alone.
    pub fn at_partition(&self, relation: &Relation) -> Relation {
        let mut relation = relation.clone();
        if self.keeps(&relation.name) {
            relation.storage.durable = false;
        } else if let Some(floor) = relation.storage.above.as_mut().filter(|_| relation.storage.durable) {
            *floor = self.floors.get(floor).unwrap_or(floor).clone();
        }
        relation
    }

    /// The floors that partitions have on disk.
    pub fn floors(&self, scope: &Scope<'_>) -> Vec<Relation> {
        let floor = |one: &Relation| Some(Relation { name: self.floors.get(&one.name)?.clone(), ..one.clone() });
        scope.component.relations.iter().filter_map(floor).collect()
    }

    /// They follow the floors that are restored.
    fn floor_rules(&self, height: &Expr) -> Vec<Rule> {
        let height = || vec![height.clone()];
        let follows =
            |(floor, kept): (&Name, &Name)| rule(kept, plain(height()), RuleKind::Now, vec![new(floor, height())]);
        self.floors.iter().map(follows).collect()
    }

    /// A rule of a partition for what is replicated: what happens at a start happens when that is restored.
    pub fn restarted(&self, scope: &Scope<'_>, original: &Rule) -> Rule {
        let mut rule = original.clone();
        if scope.derives_constant(original) {
            return rule;
        }
        let mut starts = false;
        for literal in &mut rule.body {
            let Literal::Atom(atom) = literal else { continue };
            if atom.relation == START {
                atom.relation = self.restored.clone();
            } else if !atom.negated && scope.reads(atom) == Reads::Start {
                atom.new = false;
                starts = true;
            }
        }
        if starts {
            rule.body.push(literal(&self.restored, Vec::new()));
        }
        rule
    }
}

impl Coordination {
    /// What the coordinator tells at a start.
    pub(super) fn restart_rules(&self, restoring: &Restoring) -> Vec<Rule> {
        let (names, mut rules, mut told) = (&self.names, Vec::new(), Vec::new());
        let to_all = |more| plain([vec![self.part(), integer(0)], more].concat());
        for Kept { table: kind, found, .. } in restoring.told() {
            let table = literal(restoring.on_disk(&kind.relation), kind.args());
            let there = || literal(found, kind.args());
            rules.push(rule(found, plain(kind.args()), RuleKind::Now, vec![start(), table]));
            rules.push(rule(&kind.channel, to_all(kind.args()), RuleKind::Async, vec![there(), self.all_parts()]));
            told.push((there(), kind.args()));
        }
        let mut none = vec![start(), self.all_parts()];
        if !told.is_empty() {
            none.push(absent(&restoring.kept, vec![wildcard()]));
            rules.extend(count(&restoring.kept, &restoring.kept_of, &[], told, [&names.kind, &names.count]));
            let some = vec![literal(&restoring.kept, vec![self.count()]), self.all_parts()];
            rules.push(rule(&names.size, to_all(vec![self.count()]), RuleKind::Async, some));
        }
        rules.push(rule(&names.size, to_all(vec![integer(0)]), RuleKind::Async, none));
        rules
    }

    /// The mirror takes a batch when it takes effect; the copy that answers begins with what is in the mirror.
    pub(super) fn mirror_rules(
        &self,
        scope: &Scope<'_>,
        restoring: &Restoring,
        answering: &BTreeSet<Name>,
    ) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut kinds = Vec::new();
        for kind in &self.told {
            let Some(decided) = restoring.decided.get(&kind.relation) else { continue };
            let waiting = literal(&kind.waiting, [vec![self.batch()], kind.args()].concat());
            let body = vec![new(&self.names.decides, vec![self.batch()]), waiting];
            rules.push(rule(decided, plain(kind.args()), RuleKind::Now, body));
            kinds.push(Kind { taken: decided.clone(), ..kind.clone() });
        }
        if restoring.mirrored.is_empty() {
            return rules;
        }
        let rename = |name: &mut Name| *name = restoring.on_disk(name).clone();
        let mirrored = |original: &Rule| {
            let mut rule = retell(original, kinds.iter());
            rename(&mut rule.head.relation);
            let atoms = rule.body.iter_mut().filter_map(|literal| match literal {
                Literal::Atom(atom) => Some(atom),
                _ => None,
            });
            atoms.for_each(|Atom { relation, .. }| rename(relation));
            rule
        };
        let names = restoring.tables.iter().map(|kept| kept.table.relation.clone()).collect();
        rules.extend(self.rules_for(scope, &names, mirrored).0);
        for Kept { table, .. } in restoring.tables.iter().filter(|kept| answering.contains(&kept.table.relation)) {
            let kept = literal(restoring.on_disk(&table.relation), table.args());
            rules.push(rule(&table.relation, plain(table.args()), RuleKind::Now, vec![start(), kept]));
        }
        rules
    }

    /// The rules that fill these tables, with all that they need.
    pub(super) fn rules_for(
        &self,
        scope: &Scope<'_>,
        tables: &BTreeSet<Name>,
        retell: impl Fn(&Rule) -> Rule,
    ) -> (Vec<Rule>, BTreeSet<Name>, BTreeSet<Name>) {
        let own = scope.rules().filter(|(_, rule)| fills(rule).is_some_and(|name| tables.contains(name)));
        self.with_needed(scope, own.map(|(index, _)| index).collect(), retell)
    }

    /// The registers of a partition: before the first batch it is open, or closed until everything is restored.
    pub(super) fn first_batch_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let released = if self.restoring.is_some() { -1 } else { 0 };
        let released = plain(vec![expr(ExprKind::Constant(Value::Int(released)))]);
        let mut rules = vec![rule(&names.released, released, RuleKind::Now, vec![start()])];
        rules.push(rule(&names.requested, plain(vec![integer(0)]), RuleKind::Now, vec![start()]));
        if let Some(restoring) = &self.restoring {
            rules.push(rule(&names.decided_here, plain(vec![integer(0)]), RuleKind::Now, vec![start()]));
            let turn = vec![new(&names.ready, vec![integer(0)])];
            rules.push(rule(&restoring.restored, Vec::new(), RuleKind::Now, turn));
            rules.extend(restoring.floor_rules(&self.last()));
        }
        rules
    }
}
