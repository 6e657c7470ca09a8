//! The mechanism of partial partitioning: partitions that share what is replicated, and a coordinator that has them do so at one moment.
//!
//! What replicated channels bring in one step of the coordinator is a *batch*, with the next number over all of them. The coordinator tells
//! it to every partition, which *freezes*, says so, and lets what it receives itself wait. When all are frozen, the coordinator says *go*:
//! that is the moment at which the batch takes effect. Each partition takes its batches in their order, each in a step of its own. When it has
//! taken all that it was told of, it is open again, and takes what was waiting.
//!
//! Messages are routed by the hash of a key, so the coordinator reaches each partition under a number whose hash picks it.

mod coordinator;
mod kinds;
mod lift;
mod news;
mod partition;
mod restoring;

use std::collections::BTreeSet;

use menard_lang::ir::{
    Channel, Column, Component, Constructor, Expr, ExprKind, Keyed, Literal, Name, Policy, Program, Relation, Rule,
    RuleKind, Storage,
};
use menard_value::{Type, Value, partition_hash};

use crate::analysis::fault_model::{forgets, stops};
use crate::analysis::replication::{Place, Replication, read_by};
use crate::analysis::scope::{START, Scope, fills, sends};
use crate::analysis::together::Together;
use crate::edit::{atom, column, expr, fresh, inner_channel, integer, is_used, successor, table, variable};

use kinds::Kind;
use restoring::Restoring;

/// What is replicated and what is partitioned, and the names of all that coordination takes.
#[derive(Clone, Debug)]
pub struct Coordination {
    component: Name,
    coordinator: Name,
    parts: u32,
    replication: Replication,
    /// What is replicated: one for each channel.
    told: Vec<Kind>,
    /// What waits while a partition is frozen: one for each other channel.
    gated: Vec<Kind>,
    /// What partitions send to the coordinator for sealed rules.
    gathered: Vec<Kind>,
    /// What restarts need, if there is something on disk that is replicated.
    restoring: Option<Restoring>,
    /// Whether a restart may make a node forget what it did.
    forgets: bool,
    /// The channels on which a node that stops may have sent something in the original, and nothing here.
    unsent: BTreeSet<Name>,
    names: Names,
}

#[derive(Clone, Debug)]
struct Names {
    /// Channels: how many facts a batch has, that a partition is frozen, that a batch takes effect, how much a partition has for it.
    size: Name,
    frozen: Name,
    go: Name,
    share: Name,
    /// Coordinator: the number of the last batch, of the last that took effect, of the last that was answered.
    batches: Name,
    decided: Name,
    answered: Name,
    /// What there is in a step: by kinds, and together.
    facts_of: Name,
    facts: Name,
    /// Which partitions are frozen, how many, which batch they are all frozen for.
    frozen_at: Name,
    frozen_for: Name,
    decides: Name,
    /// How much partitions have, for how many it is known, what has arrived of it.
    shares: Name,
    expected: Name,
    shared_of: Name,
    shared: Name,
    complete: Name,
    /// Partition: the number of the last batch that it took, and that it was told of.
    released: Name,
    requested: Name,
    sizes: Name,
    arrived_of: Name,
    arrived: Name,
    decided_here: Name,
    ready: Name,
    open: Name,
    /// Variables.
    batch: Name,
    last: Name,
    part: Name,
    kind: Name,
    count: Name,
}

impl Coordination {
    /// For a component whose channels are replicated or partitioned.
    pub fn new(program: &Program, component: &Name, coordinator: &Name, parts: u32, replication: &Replication) -> Self {
        let scope = Scope::of(program, component);
        let mut taken: BTreeSet<Name> = BTreeSet::from([coordinator.clone()]);
        let mut columns: BTreeSet<Name> = BTreeSet::new();
        let received = program.channels.iter().filter(|channel| channel.receiver == *component);
        let (told, gated): (Vec<&Channel>, Vec<&Channel>) =
            received.partition(|channel| replication.channels.contains(&channel.name));
        for channel in &program.channels {
            columns.extend(channel.columns.iter().map(|column| column.name.clone()));
        }
        for relation in &scope.component.relations {
            columns.extend(relation.columns.iter().map(|column| column.name.clone()));
        }
        let mut name = |base: &str| {
            let is_taken = |name: &str| is_used(program, name) || columns.contains(name) || taken.contains(name);
            let found = fresh(base, is_taken);
            taken.insert(found.clone());
            found
        };
        let names = Names {
            size: name(&format!("batch_to_{component}")),
            frozen: name(&format!("{component}_frozen")),
            go: name(&format!("go_to_{component}")),
            share: name(&format!("{component}_share")),
            batches: name("batches"),
            decided: name("decided"),
            answered: name("answered"),
            facts_of: name("facts_of"),
            facts: name("facts"),
            frozen_at: name("frozen_at"),
            frozen_for: name("frozen_for"),
            decides: name("decides"),
            shares: name("shares"),
            expected: name("expected"),
            shared_of: name("gathered_of"),
            shared: name("gathered"),
            complete: name("complete"),
            released: name("released"),
            requested: name("requested"),
            sizes: name("batch_size"),
            arrived_of: name("arrived_of"),
            arrived: name("arrived"),
            decided_here: name("go"),
            ready: name("ready"),
            open: name("open"),
            batch: name("batch"),
            last: name("last"),
            part: name("part"),
            kind: name("_kind"),
            count: name("total"),
        };
        let told = told.iter().map(|channel| Kind::told(&scope, channel, component, &mut name)).collect();
        let gated = gated.iter().map(|channel| Kind::gated(&scope, channel, &mut name)).collect();
        let gathered = replication.gathered(&scope);
        let gathered = gathered.into_iter().map(|relation| Kind::gathered(&scope, relation, &mut name)).collect();
        let (component, coordinator) = (component.clone(), coordinator.clone());
        let forgets = forgets(program, &component);
        let sent = program.channels.iter().filter(|channel| channel.sender == component);
        let unsent = match stops(program, &scope.component.role) {
            true => sent.map(|channel| channel.name.clone()).collect(),
            false => BTreeSet::new(),
        };
        let (replication, restoring) = (replication.clone(), None);
        let mut coordination = Coordination {
            component,
            coordinator,
            parts,
            replication,
            told,
            gated,
            gathered,
            restoring,
            forgets,
            unsent,
            names,
        };
        if forgets {
            coordination.restoring = Restoring::find(&coordination, &scope, &mut name);
        }
        coordination
    }

    /// The channels between the coordinator and the partitions.
    pub fn channels(&self) -> BTreeSet<Name> {
        let names = &self.names;
        let restored = self.restoring.iter().flat_map(Restoring::kinds);
        let kinds = self.told.iter().chain(&self.gathered).chain(restored).map(|kind| kind.channel.clone());
        kinds.chain([names.size.clone(), names.frozen.clone(), names.go.clone(), names.share.clone()]).collect()
    }

    /// The channels of which partitions are told all, since the coordinator cannot tell whether something is news.
    pub fn told_always(&self) -> impl Iterator<Item = &Name> {
        self.told.iter().filter(|kind| kind.news.is_none()).map(|kind| &kind.relation)
    }

    /// The channels that the component receives: it may take them later than the coordinator or a partition gets them.
    pub fn received(&self) -> BTreeSet<Name> {
        self.told.iter().chain(&self.gated).map(|kind| kind.relation.clone()).collect()
    }

    /// The channels whose messages may be sent later than the original sends them: what partitions send when they take a batch, and what
    /// is sealed. Where nodes stop, it may be any: what was to be taken has not been.
    pub fn late(&self, program: &Program) -> BTreeSet<Name> {
        let scope = Scope::of(program, &self.component);
        let of_partitions = Scope::replicating(program, &self.component, &self.replication.names());
        let together = Together::new(&of_partitions);
        let is_late = |index: usize, rule: &Rule| match self.replication.place(&scope, index) {
            Place::Partition => together.happens(rule),
            Place::Coordinator => self.is_sealed(),
            Place::Everywhere => false,
        };
        let late = scope.rules().filter(|(index, rule)| is_late(*index, rule));
        late.filter_map(|(_, rule)| sends(rule)).map(Name::from).chain(self.unsent.iter().cloned()).collect()
    }

    /// Whether the coordinator waits for what the partitions have.
    fn is_sealed(&self) -> bool {
        !self.gathered.is_empty()
    }

    /// The program with a coordinator and partitions, whose own channels have these keys.
    pub fn apply(&self, program: &Program, keys: &[(Name, Vec<Expr>)]) -> Program {
        let scope = Scope::of(program, &self.component);
        let mut rewritten = program.clone();
        let at_coordinator: BTreeSet<&str> = scope
            .rules()
            .filter(|(index, _)| self.replication.place(&scope, *index) == Place::Coordinator)
            .filter_map(|(_, rule)| sends(rule))
            .collect();
        for channel in &mut rewritten.channels {
            if at_coordinator.contains(channel.name.as_str()) {
                channel.sender = self.coordinator.clone();
            }
            if self.replication.channels.contains(&channel.name) {
                channel.receiver = self.coordinator.clone();
            }
            if let Some((_, key)) = keys.iter().find(|(name, _)| *name == channel.name) {
                channel.by.clone_from(key);
            }
        }
        rewritten.channels.extend(self.declarations());
        let coordinator = self.coordinator(&scope);
        let partition = self.partition(&scope);
        let position = program.components.iter().position(|found| found.name == self.component);
        let position = position.expect("the component of a site is in its program");
        rewritten.components[position] = partition;
        rewritten.components.insert(position, coordinator);
        rewritten
    }

    fn declarations(&self) -> Vec<Channel> {
        let names = &self.names;
        let int = |name: &Name| column(name, Type::Int);
        let (part, batch, count) = (int(&names.part), int(&names.batch), int(&names.count));
        let to_partition = |name: &Name, columns: Vec<Column>| Channel {
            sender: self.coordinator.clone(),
            by: vec![variable(names.part.clone())],
            ..inner_channel(name, [vec![part.clone()], columns].concat(), &self.component)
        };
        let to_coordinator = |name: &Name, columns: Vec<Column>| Channel {
            receiver: self.coordinator.clone(),
            ..inner_channel(name, [vec![batch.clone(), part.clone()], columns].concat(), &self.component)
        };
        let numbered = |kind: &Kind| [vec![batch.clone()], kind.columns.clone()].concat();
        let mut channels: Vec<Channel> =
            self.partition_kinds().map(|kind| to_partition(&kind.channel, numbered(kind))).collect();
        channels.push(to_partition(&names.size, vec![batch.clone(), count.clone()]));
        channels.push(to_coordinator(&names.frozen, Vec::new()));
        channels.push(to_partition(&names.go, vec![batch.clone()]));
        if self.is_sealed() {
            let gathered = self.gathered.iter();
            channels.extend(gathered.map(|kind| to_coordinator(&kind.channel, kind.columns.clone())));
            channels.push(to_coordinator(&names.share, vec![count]));
        }
        channels
    }

    /// `[0, 3, 1]`: for each partition the least number whose hash picks it.
    fn all_parts(&self) -> Literal {
        let address = |part: u32| {
            let reaches =
                |number: &i64| partition_hash([&Value::Int(*number)]) % u64::from(self.parts) == u64::from(part);
            let number = (0..).find(reaches).expect("a hash of integers reaches every partition");
            expr(ExprKind::Constant(Value::Int(number)))
        };
        let all = (0..self.parts).map(address).collect();
        Literal::In {
            element: self.part(),
            collection: expr(ExprKind::Construct(Constructor::List, all)),
            negated: false,
            span: menard_lang::source::Span::default(),
        }
    }

    /// What partitions are told.
    fn partition_kinds(&self) -> impl Iterator<Item = &Kind> + Clone {
        self.told.iter().chain(self.restoring.iter().flat_map(Restoring::kinds))
    }

    /// The rules at these positions and all that they need, reading what is told, let through and gathered.
    fn rules_at(
        &self,
        scope: &Scope<'_>,
        place: Place,
        retell: impl Fn(&Rule) -> Rule,
    ) -> (Vec<Rule>, BTreeSet<Name>, BTreeSet<Name>) {
        let news = |rule: &Rule| {
            let tables = self.told.iter().filter_map(|kind| kind.news.as_ref()).flat_map(|news| &news.tables);
            place == Place::Coordinator && fills(rule).is_some_and(|name| tables.clone().any(|table| *table == name))
        };
        let keeps = |rule: &Rule| {
            let restoring = self.restoring.as_ref().filter(|_| place == Place::Coordinator && !self.is_sealed());
            restoring.is_some_and(|restoring| fills(rule).is_some_and(|name| restoring.keeps(name)))
        };
        let is_own = |index: &usize| {
            let rule = scope.rule(*index);
            self.replication.place(scope, *index) == place || news(rule) || keeps(rule)
        };
        let own = scope.rules().map(|(index, _)| index).filter(is_own);
        self.with_needed(scope, own.collect(), retell)
    }

    /// These rules and all that they need, with what they fill and read.
    fn with_needed(
        &self,
        scope: &Scope<'_>,
        own: BTreeSet<usize>,
        retell: impl Fn(&Rule) -> Rule,
    ) -> (Vec<Rule>, BTreeSet<Name>, BTreeSet<Name>) {
        let needed = self.replication.needed(scope, &own);
        let rules = || needed.iter().map(|index| scope.rule(*index));
        let filled = rules().filter_map(fills).map(Name::from).collect();
        let read = rules().flat_map(|rule| read_by(scope, rule)).map(Name::from).collect();
        (rules().map(retell).collect(), filled, read)
    }

    fn batch(&self) -> Expr {
        variable(self.names.batch.clone())
    }

    fn last(&self) -> Expr {
        variable(self.names.last.clone())
    }

    fn next(&self) -> Expr {
        successor(self.last())
    }

    fn part(&self) -> Expr {
        variable(self.names.part.clone())
    }

    fn count(&self) -> Expr {
        variable(self.names.count.clone())
    }

    /// `window table name(batch: int, ...) above floor`, with so many columns as key, or none.
    fn window(&self, name: &Name, columns: Vec<Column>, key: Option<usize>, floor: &Name) -> Relation {
        let columns = [vec![column(&self.names.batch, Type::Int)], columns].concat();
        let key = key.map(|columns| Keyed { columns, policy: Policy::First });
        table(name, columns, Storage { key, durable: false, above: Some(floor.clone()) })
    }

    fn int(name: &Name) -> Column {
        column(name, Type::Int)
    }
}

/// A positive literal.
fn literal(name: &Name, args: Vec<Expr>) -> Literal {
    Literal::Atom(atom(name, args))
}

/// `new name(...)`.
fn new(name: &Name, args: Vec<Expr>) -> Literal {
    Literal::Atom(menard_lang::ir::Atom { new: true, ..atom(name, args) })
}

/// `!name(...)`.
fn absent(name: &Name, args: Vec<Expr>) -> Literal {
    Literal::Atom(menard_lang::ir::Atom { negated: true, ..atom(name, args) })
}

fn start() -> Literal {
    literal(&Name::new_static(START), Vec::new())
}

fn wildcard() -> Expr {
    expr(ExprKind::Wildcard)
}

/// `name(0) :- start()`.
fn zero(name: &Name) -> Rule {
    crate::edit::rule(name, crate::edit::plain(vec![integer(0)]), RuleKind::Now, vec![start()])
}

/// A component of the same role, to be checked.
fn component_of(original: &Component, name: &Name, relations: Vec<Relation>, rules: Vec<Rule>) -> Component {
    Component {
        name: name.clone(),
        relations,
        rules,
        strata: Vec::new(),
        span: menard_lang::source::Span::default(),
        ..original.clone()
    }
}
