//! Of which role the nodes are that a variable or a column can have: what counts them cannot count more than the role has.

use std::collections::BTreeSet;

use menard_lang::ir::{Expr, HeadArg, Name, Rule};

use super::scope::{Scope, atoms, fills};

/// The role of the nodes that a variable of a rule can have, if its body says so: they are in the role's relation, have sent a message, or
/// are in a column that only such nodes get into.
pub fn nodes_of_variable<'a>(scope: &'a Scope<'a>, rule: &Rule, name: &Name) -> Option<&'a str> {
    of_variable(scope, rule, name, &mut BTreeSet::new()).and_then(Found::role)
}

/// What is known of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found<'a> {
    /// Nodes of this role.
    Role(&'a str),
    /// Whatever is being looked for: a relation that depends on itself.
    Same,
}

impl<'a> Found<'a> {
    fn role(self) -> Option<&'a str> {
        match self {
            Found::Role(role) => Some(role),
            Found::Same => None,
        }
    }
}

fn of_variable<'a>(
    scope: &'a Scope<'a>,
    rule: &Rule,
    name: &Name,
    asked: &mut BTreeSet<(Name, usize)>,
) -> Option<Found<'a>> {
    let is_it = |expr: &Expr| expr.as_variable() == Some(name);
    for atom in atoms(rule).filter(|atom| !atom.negated) {
        if atom.from.as_ref().is_some_and(is_it) {
            return sender(scope, &atom.relation).map(Found::Role);
        }
        let Some(position) = atom.args.iter().position(is_it) else { continue };
        if let Some(role) = scope.program.role(&atom.relation) {
            return Some(Found::Role(&role.name));
        }
        if let Some(found) = of_column(scope, &atom.relation, position, asked) {
            return Some(found);
        }
    }
    None
}

/// The role of a channel's senders.
fn sender<'a>(scope: &'a Scope<'a>, channel: &str) -> Option<&'a str> {
    let sender = &scope.program.channel(channel)?.sender;
    let of_component = scope.program.component(sender).map(|component| component.role.as_str());
    of_component.or_else(|| scope.program.role(sender).map(|role| role.name.as_str()))
}

/// The role of all nodes that rules put into a column.
fn of_column<'a>(
    scope: &'a Scope<'a>,
    relation: &Name,
    position: usize,
    asked: &mut BTreeSet<(Name, usize)>,
) -> Option<Found<'a>> {
    scope.component.relation(relation)?;
    let column = (relation.clone(), position);
    if !asked.insert(column.clone()) {
        return Some(Found::Same);
    }
    let found = of_rules(scope, relation, position, asked);
    // What was assumed of the column holds within its own rules only.
    asked.remove(&column);
    found
}

fn of_rules<'a>(
    scope: &'a Scope<'a>,
    relation: &Name,
    position: usize,
    asked: &mut BTreeSet<(Name, usize)>,
) -> Option<Found<'a>> {
    let mut all: Option<Found<'a>> = None;
    for (_, rule) in scope.rules().filter(|(_, rule)| fills(rule) == Some(relation) && !rule.delete) {
        let Some(HeadArg::Expr(expr)) = rule.head.args.get(position) else { return None };
        let found = of_variable(scope, rule, expr.as_variable()?, asked)?;
        all = match (all, found) {
            (None | Some(Found::Same), found) => Some(found),
            (known, Found::Same) => known,
            (Some(Found::Role(known)), Found::Role(role)) => (known == role).then_some(Found::Role(known)),
        };
        all?;
    }
    all
}
