//! What a replicated channel brings that is news to the coordinator. A message that changes nothing is not told, so that who repeats
//! itself does not freeze partitions.
//!
//! That can be said of channels that do nothing but fill tables from which nothing is deleted, plain ones or such that keep the greatest: what
//! changes nothing now will change nothing later.

use std::collections::BTreeMap;

use menard_lang::ir::{
    Atom, Comparison, Constructor, Expr, ExprKind, HeadArg, Keyed, Literal, Name, Policy, RelationKind, Rule, RuleKind,
};
use menard_lang::source::Span;

use super::kinds::Kind;
use super::{absent, literal};
use crate::analysis::forwards::tells_sender;
use crate::analysis::scope::{Scope, atoms, fills};
use crate::edit::{expr, plain, rule, variable};

/// How the coordinator tells what is news.
#[derive(Clone, Debug)]
pub struct News {
    /// The event that it is.
    pub event: Name,
    /// The rules for it.
    pub rules: Vec<Rule>,
    /// The tables that it is news to.
    pub tables: Vec<Name>,
}

impl News {
    /// For a channel, if all that it does is to fill tables that grow.
    pub fn find(scope: &Scope<'_>, kind: &Kind, name: impl FnOnce() -> Name) -> Option<News> {
        let reads = |rule: &&Rule| atoms(rule).any(|atom| atom.relation == kind.relation);
        let readers: Vec<&Rule> = scope.rules().map(|(_, rule)| rule).filter(reads).collect();
        let fills = readers.iter().map(|rule| Fill::of(scope, kind, rule)).collect::<Option<Vec<Fill>>>()?;
        if fills.is_empty() {
            return None;
        }
        let event = name();
        let rules = fills.iter().flat_map(|fill| fill.rules(kind, &event)).collect();
        let tables = fills.into_iter().map(|fill| fill.table).collect();
        Some(News { event, rules, tables })
    }
}

/// A rule that fills a table with what a channel brings.
struct Fill {
    table: Name,
    key: Option<Keyed>,
    /// The head's arguments and the rule's conditions, over the columns of the channel.
    args: Vec<Expr>,
    conditions: Vec<Literal>,
}

impl Fill {
    fn of(scope: &Scope<'_>, kind: &Kind, rule: &Rule) -> Option<Fill> {
        let name = fills(rule).filter(|_| !rule.delete && rule.kind == RuleKind::Now)?;
        let relation = scope.component.relation(name).filter(|found| found.kind == RelationKind::Table)?;
        let grows = relation.storage.key.is_none_or(|key| key.policy == Policy::Max);
        let loses = scope.rules().any(|(_, other)| other.delete && fills(other) == Some(name));
        if !grows || loses || relation.storage.above.is_some() {
            return None;
        }
        let (mut read, conditions): (Vec<&Literal>, Vec<&Literal>) =
            rule.body.iter().partition(|literal| literal.as_atom().is_some());
        let columns = columns_of(kind, read.pop()?.as_atom()?)?;
        if !read.is_empty() || !conditions.iter().all(|one| matches!(one, Literal::Compare { .. })) {
            return None;
        }
        let args = rule.head.args.iter().map(|arg| match arg {
            HeadArg::Expr(arg) => Some(renamed(arg, &columns)),
            HeadArg::Aggregate { .. } => None,
        });
        let conditions = conditions.into_iter().cloned().map(|mut condition| {
            if let Literal::Compare { left, right, .. } = &mut condition {
                [left, right].into_iter().for_each(|side| *side = renamed(side, &columns));
            }
            condition
        });
        Some(Fill {
            table: relation.name.clone(),
            key: relation.storage.key,
            args: args.collect::<Option<Vec<Expr>>>()?,
            conditions: conditions.collect(),
        })
    }

    /// A message is news if the table lacks the fact, or has a lesser one.
    fn rules(&self, kind: &Kind, event: &Name) -> Vec<Rule> {
        let brings = |more: Vec<Literal>| {
            let body = [vec![Literal::Atom(kind.source.clone())], self.conditions.clone(), more].concat();
            rule(event, plain(kind.args()), RuleKind::Now, body)
        };
        let Some(key) = self.key else { return vec![brings(vec![absent(&self.table, self.args.clone())])] };
        let (own, value) = self.args.split_at(key.columns);
        let nothing = value.iter().map(|_| expr(ExprKind::Wildcard)).collect();
        let known: Vec<Expr> = (0..value.len()).map(|position| known(kind, position)).collect();
        let lacks = absent(&self.table, [own.to_vec(), nothing].concat());
        let lesser = Literal::Compare {
            op: Comparison::Greater,
            left: whole(value.to_vec()),
            right: whole(known.clone()),
            span: Span::default(),
        };
        vec![brings(vec![lacks]), brings(vec![literal(&self.table, [own.to_vec(), known].concat()), lesser])]
    }
}

/// The channel's columns for the variables of a literal that has nothing but different variables.
fn columns_of(kind: &Kind, atom: &Atom) -> Option<BTreeMap<Name, Expr>> {
    let mut columns = BTreeMap::new();
    let sender = kind.source.from.iter().zip(atom.from.iter()).filter(|_| tells_sender(&kind.source));
    for (column, arg) in sender.chain(kind.source.args.iter().zip(&atom.args)) {
        match &arg.kind {
            ExprKind::Wildcard => {}
            ExprKind::Variable(name) if !columns.contains_key(name) => {
                columns.insert(name.clone(), column.clone());
            }
            _ => return None,
        }
    }
    Some(columns)
}

fn renamed(original: &Expr, columns: &BTreeMap<Name, Expr>) -> Expr {
    let mut renamed = original.clone();
    renamed.visit_mut(&mut |part| {
        if let ExprKind::Variable(name) = &part.kind
            && let Some(column) = columns.get(name)
        {
            *part = column.clone();
        }
    });
    renamed
}

/// A variable for what a table has.
fn known(kind: &Kind, position: usize) -> Expr {
    let taken = |name: &str| kind.columns.iter().any(|column| column.name == name);
    let base = if position == 0 { "known".to_owned() } else { format!("known_{}", position + 1) };
    variable(crate::edit::fresh(&base, taken))
}

/// One value, or the tuple of several, which are compared from the first on.
fn whole(mut values: Vec<Expr>) -> Expr {
    match values.len() {
        1 => values.remove(0),
        _ => expr(ExprKind::Construct(Constructor::Tuple, values)),
    }
}
