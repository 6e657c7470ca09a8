//! One kind of fact that goes between the coordinator and the partitions, or waits at a partition.

use menard_lang::ir::{Aggregate, Atom, Channel, Column, Expr, HeadArg, Literal, Name, Rule, RuleKind};

use super::news::News;
use super::{literal, wildcard};
use crate::analysis::forwards::{Sender, args_of_whole, forward_whole};
use crate::analysis::scope::{Scope, atoms};
use crate::edit::{aggregate, atom, plain, rule, variable};

/// A channel or relation, with all its columns.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The channel or relation.
    pub relation: Name,
    /// The channel that carries it.
    pub channel: Name,
    /// Where it waits.
    pub waiting: Name,
    /// What rules read instead.
    pub taken: Name,
    /// What of it is news, if the coordinator can tell: that alone is told.
    pub news: Option<News>,
    /// Its columns; first the sender, if rules ask for it.
    pub columns: Vec<Column>,
    /// A literal that has its columns as variables.
    pub source: Atom,
}

impl Kind {
    /// What the coordinator tells all partitions.
    pub fn told(scope: &Scope<'_>, channel: &Channel, component: &str, name: &mut impl FnMut(&str) -> Name) -> Kind {
        let relation = &channel.name;
        let channel = name(&format!("{relation}_to_{component}"));
        let kind = Kind::new(scope, relation, channel, ["waiting", "released"], name);
        let news = News::find(scope, &kind, || name(&format!("new_{relation}")));
        Kind { news, ..kind }
    }

    /// What waits while a partition is frozen.
    pub fn gated(scope: &Scope<'_>, channel: &Channel, name: &mut impl FnMut(&str) -> Name) -> Kind {
        Kind::new(scope, &channel.name, channel.name.clone(), ["held", "taken"], name)
    }

    /// What partitions send to the coordinator.
    pub fn gathered(scope: &Scope<'_>, relation: &str, name: &mut impl FnMut(&str) -> Name) -> Kind {
        let channel = name(&format!("{relation}_share"));
        Kind::new(scope, &Name::from(relation), channel, ["waiting", "gathered"], name)
    }

    /// What the coordinator tells of a table when it starts.
    pub fn restored(scope: &Scope<'_>, table: &Name, component: &str, name: &mut impl FnMut(&str) -> Name) -> Kind {
        let channel = name(&format!("{table}_to_{component}"));
        let kind = Kind::new(scope, table, channel, ["waiting", "restored"], name);
        Kind { taken: table.clone(), ..kind }
    }

    fn new(
        scope: &Scope<'_>,
        relation: &Name,
        channel: Name,
        [waiting, taken]: [&str; 2],
        name: &mut impl FnMut(&str) -> Name,
    ) -> Kind {
        let read = scope.rules().flat_map(|(_, rule)| atoms(rule)).filter(|atom| atom.relation == *relation);
        let sender = Sender::asked_by(read);
        let arity = match scope.program.channel(relation) {
            Some(channel) => channel.columns.len(),
            None => scope.component.relation(relation).map_or(0, |relation| relation.columns.len()),
        };
        let forward = forward_whole(scope, &atom(relation, vec![wildcard(); arity]), sender);
        Kind {
            waiting: name(&format!("{relation}_{waiting}")),
            taken: name(&format!("{relation}_{taken}")),
            news: None,
            relation: relation.clone(),
            channel,
            columns: forward.columns,
            source: forward.literal,
        }
    }

    /// Its columns as variables.
    pub fn args(&self) -> Vec<Expr> {
        self.columns.iter().map(|column| variable(column.name.clone())).collect()
    }

    /// As many wildcards.
    pub fn any(&self) -> Vec<Expr> {
        vec![wildcard(); self.columns.len()]
    }

    /// Where it comes about.
    pub fn source(&self) -> Literal {
        match &self.news {
            Some(news) => literal(&news.event, self.args()),
            None => Literal::Atom(self.source.clone()),
        }
    }

    /// A literal of a rule, over what the rule reads instead.
    fn retold(&self, read: &Atom) -> Atom {
        let args = args_of_whole(&self.source, read);
        Atom { relation: self.taken.clone(), args, from: None, ..read.clone() }
    }
}

/// A rule that reads these kinds as they are taken.
pub fn retell<'k>(original: &Rule, kinds: impl Iterator<Item = &'k Kind> + Clone) -> Rule {
    let mut rule = original.clone();
    for literal in &mut rule.body {
        let Literal::Atom(atom) = literal else { continue };
        if let Some(kind) = kinds.clone().find(|kind| kind.relation == atom.relation) {
            *atom = kind.retold(atom);
        }
    }
    rule
}

/// Rules that count all facts of these literals, in groups, as `total`: kind by kind if there are several.
pub fn count(
    total: &Name,
    of_kind: &Name,
    group: &[Expr],
    kinds: Vec<(Literal, Vec<Expr>)>,
    sum: [&Name; 2],
) -> Vec<Rule> {
    let head = |more: Vec<HeadArg>| [plain(group.to_vec()), more].concat();
    if let [(body, columns)] = kinds.as_slice() {
        let counted = vec![aggregate(Aggregate::Count, columns.clone())];
        return vec![rule(total, head(counted), RuleKind::Now, vec![body.clone()])];
    }
    let mut rules = Vec::new();
    for (position, (body, columns)) in (1..).zip(kinds) {
        let counted = vec![HeadArg::Expr(crate::edit::integer(position)), aggregate(Aggregate::Count, columns)];
        rules.push(rule(of_kind, head(counted), RuleKind::Now, vec![body]));
    }
    let [kind, facts] = sum.map(|name| variable(name.clone()));
    let summed = vec![aggregate(Aggregate::Sum, vec![facts.clone()])];
    let body = literal(of_kind, [group.to_vec(), vec![kind, facts]].concat());
    rules.push(rule(total, head(summed), RuleKind::Now, vec![body]));
    rules
}
