//! Waiting for everybody by asking that nobody is missing, `open(v) :- asked(v), replica(r), !voted(v, r)` and `!open(v)`, or that they are not too few,
//! `few(v) :- votes(v, n), n < 4` and `!few(v)`.

use std::collections::BTreeMap;

use super::flow::Known;
use super::scope::{Scope, mentions};
use super::{Counted, Wait};
use crate::check::settle;
use crate::ir::{Atom, Expr, ExprKind, HeadArg, Literal, Name, Role, Rule, RuleKind};

/// Whether a literal asks for the absence of a fact that there is as long as some node keeps silent.
pub(super) fn missing<'p>(scope: &Scope<'_, 'p>, absent: &'p Atom) -> Option<Wait<'p>> {
    // Keyed tables and windows lose facts that rules derive.
    scope.component.relation(&absent.relation).filter(|relation| !relation.storage.is_selective())?;
    let fills = |rule: &&'p Rule| {
        rule.head.relation == absent.relation && rule.kind == RuleKind::Now && !rule.delete && !rule.is_aggregate()
    };
    scope.component.rules.iter().filter(fills).find_map(|rule| {
        let at = absent.span;
        if let Some((role, node)) = silent_member(scope, rule) {
            let counted = Some(Counted { role, span: at, is_number: true });
            let wait = Wait { counted, needed: i64::from(role.nodes), at };
            return is_implied(scope.rule, absent, rule, Some(&node)).then_some(wait);
        }
        let counted = Some(Counted { is_number: false, ..too_few(scope, rule)? });
        is_implied(scope.rule, absent, rule, None).then_some(Wait { counted, needed: 0, at })
    })
}

/// Where the nodes are counted that a rule always finds to be few: it has nothing but relations and tests, and all tests hold.
fn too_few<'p>(scope: &Scope<'_, 'p>, rule: &'p Rule) -> Option<Counted<'p>> {
    // That a rule asks for the absence of what it derives itself, no program does; each rule of a cycle would be looked at within the other.
    if rule.negated_atoms().next().is_some() {
        return None;
    }
    let rule = Scope::of(scope.flow, scope.component, rule)?.ok()?;
    let tests = rule.rule.body.iter().filter(|literal| literal.as_atom().is_none());
    let counted: Option<Vec<Counted<'p>>> = tests.map(|test| rule.always(test)).collect();
    counted?.first().copied()
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
        let is_in_head = rule
            .head
            .args
            .iter()
            .filter_map(HeadArg::as_expr)
            .any(|arg| arg.variables().iter().any(|(variable, _)| *variable == name));
        let is_elsewhere = is_in_head || rule.body.iter().filter(|literal| mentions(literal, name)).count() != 2;
        (is_of_speakers && !is_elsewhere).then(|| (role, name.clone()))
    })
}

/// Whether the relations that a rule for the absent fact reads, but for that of the node, have what it needs whenever the rule that asks for the absence has what that
/// one needs.
fn is_implied(asking: &Rule, absent: &Atom, rule: &Rule, node: Option<&Name>) -> bool {
    let mut names: BTreeMap<&Name, &Expr> = BTreeMap::new();
    for (arg, asked) in rule.head.args.iter().zip(&absent.args) {
        match arg {
            _ if asked.is_wildcard() => {}
            HeadArg::Expr(arg) => match arg.as_variable() {
                Some(name) if names.get(name).is_none_or(|other| other.kind == asked.kind) => {
                    names.insert(name, asked);
                }
                None if is_same_constant(arg, asked) => {}
                _ => return false,
            },
            HeadArg::Aggregate { .. } => return false,
        }
    }
    let is_of_node =
        |atom: &&Atom| node.is_some_and(|node| atom.args.iter().any(|arg| arg.as_variable() == Some(node)));
    let mut others = rule.positive_atoms().filter(|atom| !is_of_node(atom));
    others.all(|needed| asking.positive_atoms().any(|atom| matches(needed, atom, &mut names)))
}

/// Whether a literal reads what another one has read, with these names for what.
fn matches<'r>(needed: &'r Atom, read: &'r Atom, names: &mut BTreeMap<&'r Name, &'r Expr>) -> bool {
    let mut found = names.clone();
    let mut fits = |needed: &'r Expr, read: &'r Expr| match needed.as_variable() {
        _ if needed.is_wildcard() => true,
        Some(name) => found.entry(name).or_insert(read).kind == read.kind,
        None => is_same_constant(needed, read),
    };
    let from = match (&needed.from, &read.from) {
        (None, _) => true,
        (Some(needed), Some(read)) => fits(needed, read),
        (Some(_), None) => false,
    };
    let all = needed.relation == read.relation
        && (read.new || !needed.new)
        && from
        && needed.args.iter().zip(&read.args).all(|(needed, read)| fits(needed, read));
    if all {
        *names = found;
    }
    all
}

/// Whether expressions of two rules, whose variables have nothing to do with each other, are the same value.
fn is_same_constant(one: &Expr, other: &Expr) -> bool {
    one.kind == other.kind && one.parts().is_empty() && !matches!(one.kind, ExprKind::Variable(_) | ExprKind::Wildcard)
}
