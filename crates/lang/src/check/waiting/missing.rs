//! Waiting for everybody by asking that nobody is missing: `open(v) :- asked(v), replica(r), !voted(v, r)`, and `!open(v)`.

use std::collections::BTreeMap;

use super::flow::Known;
use super::scope::Scope;
use super::{Counted, Wait};
use crate::check::settle;
use crate::ir::{Atom, Expr, HeadArg, Literal, Name, Role, Rule, RuleKind};

/// Whether a literal asks for the absence of a fact that there is as long as some node keeps silent.
pub(super) fn missing<'p>(scope: &Scope<'_, 'p>, absent: &'p Atom) -> Option<Wait<'p>> {
    let fills = |rule: &&'p Rule| {
        rule.head.relation == absent.relation && rule.kind == RuleKind::Now && !rule.delete && !rule.is_aggregate()
    };
    scope.component.rules.iter().filter(fills).find_map(|rule| {
        let (role, node) = silent_member(scope, rule)?;
        let lasts = is_implied(scope.rule, absent, rule, &node);
        let counted = Some(Counted { role, span: absent.span });
        lasts.then(|| Wait { counted, needed: i64::from(role.nodes), at: absent.span })
    })
}

/// The role, and the variable, of which a rule asks for a member that has not said something: besides that it has nothing but relations.
fn silent_member<'p>(scope: &Scope<'_, 'p>, rule: &'p Rule) -> Option<(&'p Role, Name)> {
    if !rule.body.iter().all(|literal| matches!(literal, Literal::Atom(_))) {
        return None;
    }
    let mut absent = rule.negated_atoms();
    let (unsaid, None) = (absent.next()?, absent.next()) else { return None };
    let columns = scope.flow.columns(settle::key(scope.flow.program, scope.component, &unsaid.relation));
    rule.positive_atoms().find_map(|atom| {
        let role = scope.flow.program.role(&atom.relation).filter(|role| scope.flow.is_silent(role))?;
        let name = atom.args.first()?.as_variable()?;
        let position = unsaid.args.iter().position(|arg| arg.as_variable() == Some(name))?;
        // Who said something is in that column, and nobody else is; or nothing is in it at all.
        let is_of_speakers = columns.is_none_or(
            |columns| matches!(columns.get(position), Some(Known::Speakers(speakers)) if speakers.name == role.name),
        );
        let mentions = |atom: &&Atom| atom.args.iter().any(|arg| arg.as_variable() == Some(name));
        let is_elsewhere = rule.atoms().filter(mentions).count() != 2
            || rule.head.args.iter().any(|arg| arg.as_expr().and_then(Expr::as_variable) == Some(name));
        (is_of_speakers && !is_elsewhere).then(|| (role, name.clone()))
    })
}

/// Whether the other relations that a rule for the absent fact reads have what it needs whenever the rule that asks for the absence has what that one needs.
fn is_implied(asking: &Rule, absent: &Atom, rule: &Rule, node: &Name) -> bool {
    let mut names: BTreeMap<&Name, &Expr> = BTreeMap::new();
    for (arg, asked) in rule.head.args.iter().zip(&absent.args) {
        match arg {
            _ if asked.is_wildcard() => {}
            HeadArg::Expr(arg) => match arg.as_variable() {
                Some(name) if names.get(name).is_none_or(|other| other.kind == asked.kind) => {
                    names.insert(name, asked);
                }
                _ if arg.kind == asked.kind => {}
                _ => return false,
            },
            HeadArg::Aggregate { .. } => return false,
        }
    }
    let others = rule.positive_atoms().filter(|atom| !atom.args.iter().any(|arg| arg.as_variable() == Some(node)));
    others.into_iter().all(|needed| asking.positive_atoms().any(|atom| matches(needed, atom, &mut names)))
}

/// Whether a literal reads what another one has read, with these names for what.
fn matches<'r>(needed: &'r Atom, read: &'r Atom, names: &mut BTreeMap<&'r Name, &'r Expr>) -> bool {
    let mut found = names.clone();
    let mut fits = |needed: &'r Expr, read: &'r Expr| match needed.as_variable() {
        _ if needed.is_wildcard() => true,
        Some(name) => found.entry(name).or_insert(read).kind == read.kind,
        None => needed.kind == read.kind,
    };
    let from = match (&needed.from, &read.from) {
        (None, _) => true,
        (Some(needed), Some(read)) => fits(needed, read),
        (Some(_), None) => false,
    };
    let all = needed.relation == read.relation
        && needed.new == read.new
        && from
        && needed.args.iter().zip(&read.args).all(|(needed, read)| fits(needed, read));
    if all {
        *names = found;
    }
    all
}
