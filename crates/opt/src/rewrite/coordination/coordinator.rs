//! What the coordinator does: it numbers batches, waits until all partitions are frozen, and says go; of what is replicated it has a copy of
//! its own, which sends what follows from it, once.

use menard_lang::ir::{Aggregate, Component, Name, Relation, Rule, RuleKind};

use super::kinds::{count, retell};
use super::{Coordination, component_of, literal, new, wildcard, zero};
use crate::analysis::replication::Place;
use crate::analysis::scope::Scope;
use crate::edit::{aggregate, integer, plain, register, rule};

impl Coordination {
    /// The coordinator.
    pub(super) fn coordinator(&self, scope: &Scope<'_>) -> Component {
        let kinds = self.told.iter().chain(&self.gathered);
        let (copied, filled, read) =
            self.rules_at(scope, Place::Coordinator, |original| retell(original, kinds.clone()));
        let has_copy = !copied.is_empty();
        let mut relations = self.coordinator_tables(has_copy);
        let own = scope.component.relations.iter().filter(|one| filled.contains(&one.name) || read.contains(&one.name));
        let own = own.filter(|one| self.gathered.iter().all(|kind| kind.relation != one.name));
        match &self.restoring {
            None => relations.extend(own.cloned()),
            Some(restoring) => {
                relations.extend(restoring.mirror(scope));
                relations.extend(own.map(|one| restoring.at_coordinator(one)));
            }
        }
        let mut rules = self.batch_rules();
        rules.extend(self.decision_rules());
        if self.is_sealed() {
            rules.extend(self.sealing_rules());
        }
        if has_copy {
            rules.extend(self.copy_rules());
        }
        if let Some(restoring) = &self.restoring {
            rules.extend(self.restart_rules(restoring));
            rules.extend(self.mirror_rules(scope, restoring, &filled));
        }
        rules.extend(copied);
        component_of(scope.component, &self.coordinator, relations, rules)
    }

    /// The register of the last batch that the copy took.
    fn copied(&self) -> &Name {
        if self.is_sealed() { &self.names.answered } else { &self.names.decided }
    }

    fn coordinator_tables(&self, has_copy: bool) -> Vec<Relation> {
        let names = &self.names;
        let mut tables = vec![register(&names.batches, &names.batch), register(&names.decided, &names.batch)];
        tables.push(self.window(&names.frozen_at, vec![Self::int(&names.part)], None, &names.decided));
        if self.is_sealed() {
            tables.push(register(&names.answered, &names.batch));
            let columns = vec![Self::int(&names.part), Self::int(&names.count)];
            tables.push(self.window(&names.shares, columns, Some(2), &names.answered));
            for kind in &self.gathered {
                let columns = [vec![Self::int(&names.part)], kind.columns.clone()].concat();
                tables.push(self.window(&kind.waiting, columns, None, &names.answered));
            }
        }
        if has_copy {
            let told = self.told.iter();
            tables.extend(told.map(|kind| self.window(&kind.waiting, kind.columns.clone(), None, self.copied())));
        }
        tables
    }

    /// What a step brings is a batch: it is numbered, and told to all partitions.
    fn batch_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let last = || literal(&names.batches, vec![self.last()]);
        let mut rules = vec![zero(&names.batches)];
        rules.extend(self.told.iter().filter_map(|kind| kind.news.as_ref()).flat_map(|news| news.rules.clone()));
        for kind in &self.told {
            let args = plain([vec![self.part(), self.next()], kind.args()].concat());
            rules.push(rule(&kind.channel, args, RuleKind::Async, vec![kind.source(), last(), self.all_parts()]));
        }
        let told = self.told.iter().map(|kind| (kind.source(), kind.args())).collect();
        rules.extend(count(&names.facts, &names.facts_of, &[], told, [&names.kind, &names.count]));
        let size = plain(vec![self.part(), self.next(), self.count()]);
        let body = vec![literal(&names.facts, vec![self.count()]), last(), self.all_parts()];
        rules.push(rule(&names.size, size, RuleKind::Async, body));
        let body = vec![literal(&names.facts, vec![wildcard()]), last()];
        rules.push(rule(&names.batches, plain(vec![self.next()]), RuleKind::Next, body));
        rules
    }

    /// When all are frozen for the next batch, it takes effect.
    fn decision_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let said = || vec![self.batch(), self.part()];
        let all = integer(self.parts);
        let counted = [plain(vec![self.batch()]), vec![aggregate(Aggregate::Count, vec![self.part()])]].concat();
        let decided = || new(&names.decides, vec![self.batch()]);
        vec![
            zero(&names.decided),
            rule(&names.frozen_at, plain(said()), RuleKind::Now, vec![literal(&names.frozen, said())]),
            rule(&names.frozen_for, counted, RuleKind::Now, vec![literal(&names.frozen_at, said())]),
            rule(
                &names.decides,
                plain(vec![self.next()]),
                RuleKind::Now,
                vec![literal(&names.decided, vec![self.last()]), literal(&names.frozen_for, vec![self.next(), all])],
            ),
            rule(&names.go, plain(vec![self.part(), self.batch()]), RuleKind::Async, vec![decided(), self.all_parts()]),
            rule(&names.decided, plain(vec![self.batch()]), RuleKind::Next, vec![decided()]),
        ]
    }

    /// When every partition has said what it has for the next batch, and all of that is there, sealed rules can have it.
    fn sealing_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let share = || vec![self.batch(), self.part(), self.count()];
        let mut rules = vec![
            zero(&names.answered),
            rule(&names.shares, plain(share()), RuleKind::Now, vec![literal(&names.share, share())]),
        ];
        let known = [
            plain(vec![self.batch()]),
            vec![aggregate(Aggregate::Count, vec![self.part()]), aggregate(Aggregate::Sum, vec![self.count()])],
        ];
        rules.push(rule(&names.expected, known.concat(), RuleKind::Now, vec![literal(&names.shares, share())]));
        let mut arrived = Vec::new();
        for kind in &self.gathered {
            let columns = [vec![self.part()], kind.args()].concat();
            let args = [vec![self.batch()], columns.clone()].concat();
            rules.push(rule(
                &kind.waiting,
                plain(args.clone()),
                RuleKind::Now,
                vec![literal(&kind.channel, args.clone())],
            ));
            arrived.push((literal(&kind.waiting, args), columns));
        }
        rules.extend(count(&names.shared, &names.shared_of, &[self.batch()], arrived, [&names.kind, &names.count]));
        let complete = |count| {
            let expected = literal(&names.expected, vec![self.next(), integer(self.parts), count]);
            vec![literal(&names.answered, vec![self.last()]), expected]
        };
        let next = || plain(vec![self.next()]);
        rules.push(rule(&names.complete, next(), RuleKind::Now, complete(integer(0))));
        let arrived = literal(&names.shared, vec![self.next(), self.count()]);
        let body = [complete(self.count()), vec![arrived]].concat();
        rules.push(rule(&names.complete, next(), RuleKind::Now, body));
        let turn = || new(&names.complete, vec![self.batch()]);
        for kind in &self.gathered {
            let waiting = [vec![self.batch(), wildcard()], kind.args()].concat();
            let body = vec![turn(), literal(&kind.waiting, waiting)];
            rules.push(rule(&kind.taken, plain(kind.args()), RuleKind::Now, body));
        }
        rules.push(rule(&names.answered, plain(vec![self.batch()]), RuleKind::Next, vec![turn()]));
        rules
    }

    /// The coordinator's own copy of what is replicated takes the batch, too.
    fn copy_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let turn = if self.is_sealed() { &names.complete } else { &names.decides };
        let mut rules = Vec::new();
        for kind in &self.told {
            let kept = plain([vec![self.next()], kind.args()].concat());
            let body = vec![kind.source(), literal(&names.batches, vec![self.last()])];
            // For the next step, since what is news depends on what the copy has.
            rules.push(rule(&kind.waiting, kept, RuleKind::Next, body));
            let waiting = literal(&kind.waiting, [vec![self.batch()], kind.args()].concat());
            let body = vec![new(turn, vec![self.batch()]), waiting];
            rules.push(rule(&kind.taken, plain(kind.args()), RuleKind::Now, body));
        }
        rules
    }
}
