//! What a partition does: it freezes when it is told of a batch, takes batches in their order when they take effect, and lets what it
//! receives itself wait while it is frozen.

use menard_lang::ir::{Component, Relation, Rule, RuleKind, Storage};

use super::kinds::{count, retell};
use super::{Coordination, absent, component_of, literal, new, wildcard};
use crate::analysis::replication::Place;
use crate::analysis::scope::{Scope, fills};
use crate::edit::{integer, plain, register, rule, table};

impl Coordination {
    /// The partitions.
    pub(super) fn partition(&self, scope: &Scope<'_>) -> Component {
        let kinds = self.told.iter().chain(&self.gated);
        let retold = |original: &Rule| {
            let replicated = fills(original).is_some_and(|name| self.replication.relations.contains(name));
            let restarted = self.restoring.as_ref().filter(|_| replicated);
            let restarted = restarted.map_or_else(|| original.clone(), |found| found.restarted(scope, original));
            retell(&restarted, kinds.clone())
        };
        let (own, filled, read) = self.rules_at(scope, Place::Partition, retold);
        let mut relations = self.partition_tables();
        let sealed = self.replication.derived_sealed(scope);
        let stays = |one: &&Relation| {
            let partitioned = !self.replication.relations.contains(&one.name) && !scope.is_constant(&one.name);
            !sealed.contains(one.name.as_str())
                && (filled.contains(&one.name) || read.contains(&one.name) || partitioned)
        };
        let own_relations = scope.component.relations.iter().filter(stays);
        match &self.restoring {
            None => relations.extend(own_relations.cloned()),
            Some(restoring) => {
                relations.extend(restoring.floors(scope));
                relations.extend(own_relations.map(|one| restoring.at_partition(one)));
            }
        }
        let mut rules = self.taking_rules();
        rules.extend(self.gate_rules());
        if self.is_sealed() {
            rules.extend(self.share_rules());
        }
        rules.extend(own);
        let partition = component_of(scope.component, &self.component, relations, rules);
        Component { count: Some(integer(self.parts)), parts: self.parts, ..partition }
    }

    fn partition_tables(&self) -> Vec<Relation> {
        let names = &self.names;
        let columns = vec![Self::int(&names.part), Self::int(&names.count)];
        let mut tables = vec![
            register(&names.released, &names.batch),
            register(&names.requested, &names.batch),
            self.window(&names.sizes, columns, Some(1), &names.released),
            self.window(&names.decided_here, Vec::new(), None, &names.released),
        ];
        for kind in self.partition_kinds() {
            tables.push(self.window(&kind.waiting, kind.columns.clone(), None, &names.released));
        }
        for kind in &self.gated {
            tables.push(table(&kind.waiting, kind.columns.clone(), Storage::default()));
        }
        tables
    }

    /// Freezing, and taking batches.
    fn taking_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let batch = || vec![self.batch()];
        let request = |part, count| literal(&names.size, vec![part, self.batch(), count]);
        let mut rules = self.first_batch_rules();
        rules.extend([
            rule(&names.requested, plain(batch()), RuleKind::Now, vec![request(wildcard(), wildcard())]),
            rule(
                &names.frozen,
                plain(vec![self.batch(), self.part()]),
                RuleKind::Async,
                vec![request(self.part(), wildcard())],
            ),
            rule(
                &names.sizes,
                plain(vec![self.batch(), self.part(), self.count()]),
                RuleKind::Now,
                vec![request(self.part(), self.count())],
            ),
            rule(
                &names.decided_here,
                plain(batch()),
                RuleKind::Now,
                vec![literal(&names.go, vec![wildcard(), self.batch()])],
            ),
        ]);
        let mut arrived = Vec::new();
        for kind in self.partition_kinds() {
            let args = [batch(), kind.args()].concat();
            let message = literal(&kind.channel, [vec![wildcard()], args.clone()].concat());
            rules.push(rule(&kind.waiting, plain(args.clone()), RuleKind::Now, vec![message]));
            arrived.push((literal(&kind.waiting, args), kind.args()));
        }
        rules.extend(count(&names.arrived, &names.arrived_of, &batch(), arrived, [&names.kind, &names.count]));
        let expects = |count| {
            vec![
                literal(&names.released, vec![self.last()]),
                literal(&names.decided_here, vec![self.next()]),
                literal(&names.sizes, vec![self.next(), wildcard(), count]),
            ]
        };
        let all_there = vec![literal(&names.arrived, vec![self.next(), self.count()])];
        let complete = [expects(self.count()), all_there].concat();
        rules.push(rule(&names.ready, plain(vec![self.next()]), RuleKind::Now, complete));
        // There may be nothing on disk; all other batches have something.
        if self.restoring.is_some() {
            rules.push(rule(&names.ready, plain(vec![self.next()]), RuleKind::Now, expects(integer(0))));
        }
        let turn = || new(&names.ready, batch());
        for kind in self.partition_kinds() {
            let waiting = literal(&kind.waiting, [batch(), kind.args()].concat());
            rules.push(rule(&kind.taken, plain(kind.args()), RuleKind::Now, vec![turn(), waiting]));
        }
        rules.push(rule(&names.released, plain(batch()), RuleKind::Next, vec![turn()]));
        rules
    }

    /// What a partition receives itself passes while it is open, and waits otherwise.
    fn gate_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let open = || literal(&names.open, Vec::new());
        let all_taken = [&names.released, &names.requested].map(|register| literal(register, vec![self.batch()]));
        let mut rules = vec![rule(&names.open, Vec::new(), RuleKind::Now, all_taken.to_vec())];
        for kind in &self.gated {
            let args = || plain(kind.args());
            let opens = || new(&names.open, Vec::new());
            let waiting = literal(&kind.waiting, kind.args());
            rules.push(rule(&kind.taken, args(), RuleKind::Now, vec![kind.source(), open()]));
            rules.push(rule(
                &kind.waiting,
                args(),
                RuleKind::Now,
                vec![kind.source(), absent(&names.open, Vec::new())],
            ));
            rules.push(rule(&kind.taken, args(), RuleKind::Now, vec![opens(), waiting]));
            let forgets = rule(&kind.waiting, plain(kind.any()), RuleKind::Next, vec![opens()]);
            rules.push(Rule { delete: true, ..forgets });
        }
        rules
    }

    /// What a batch brings about here goes to the coordinator, with its number, also if it is none.
    fn share_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let turn = || {
            let size = literal(&names.sizes, vec![self.batch(), self.part(), wildcard()]);
            vec![new(&names.ready, vec![self.batch()]), size]
        };
        let address = || vec![self.batch(), self.part()];
        let mut rules = Vec::new();
        for kind in &self.gathered {
            let args = plain([address(), kind.args()].concat());
            rules.push(rule(&kind.channel, args, RuleKind::Async, [vec![kind.source()], turn()].concat()));
        }
        let shared = self.gathered.iter().map(|kind| (kind.source(), kind.args())).collect();
        rules.extend(count(&names.shared, &names.shared_of, &[], shared, [&names.kind, &names.count]));
        let share = |count| plain([address(), vec![count]].concat());
        let some = vec![literal(&names.shared, vec![self.count()])];
        rules.push(rule(&names.share, share(self.count()), RuleKind::Async, [some, turn()].concat()));
        let none = vec![absent(&names.shared, vec![wildcard()])];
        rules.push(rule(&names.share, share(integer(0)), RuleKind::Async, [turn(), none].concat()));
        rules
    }
}
