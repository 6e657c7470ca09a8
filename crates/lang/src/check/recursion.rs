//! Recursion over state that can shrink is refused: state is maintained by counting derivations, and facts that derive each other
//! would keep each other alive.

use std::collections::{BTreeMap, BTreeSet};

use super::strata::Dependencies;
use crate::diagnostic::Code;
use crate::graph::reachable;
use crate::ir::{Atom, Component, Name, Policy, Program, Relation, RelationKind, Rule};
use crate::sink::Sink;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        check_component(program, component, sink);
    }
}

fn check_component(program: &Program, component: &Component, sink: &mut Sink) {
    let dependencies = Dependencies::of(component);
    let shrinking = shrinking(component);
    for stratum in (0..dependencies.strata.len()).filter(|stratum| dependencies.is_recursive(*stratum)) {
        let inside = |relation: usize| dependencies.stratum_of[relation] == stratum;
        let members = &dependencies.strata[stratum];
        let recursive_over_state = members.iter().any(|member| {
            dependencies.reads(*member).any(|(read, rule, _)| inside(read) && !rule.is_event_rule(component, program))
        });
        if !recursive_over_state {
            continue;
        }
        let rules = component.rules.iter().filter(|rule| rule.is_now() && !rule.is_event_rule(component, program));
        let rules =
            rules.filter(|rule| members.iter().any(|member| *dependencies.names[*member] == rule.head.relation));
        let culprit = rules.flat_map(|rule| rule.atoms().map(move |atom| (rule, atom)));
        let is_member = |name: &Name| members.iter().any(|member| dependencies.names[*member] == name);
        let shrinks = |rule: &Rule, atom: &Atom| {
            let head_shrinks = is_member(&atom.relation) && shrinking.contains(&rule.head.relation);
            let culprit = if head_shrinks { &rule.head.relation } else { &atom.relation };
            shrinking.contains(culprit).then(|| culprit.clone())
        };
        let culprit = culprit.into_iter().find_map(|(rule, atom)| Some((rule, atom, shrinks(rule, atom)?)));
        if let Some((rule, atom, name)) = culprit {
            let message = format!("`{}` is recursive over state that can shrink", rule.head.relation);
            let diagnostic = sink.start(Code::E0506, message).label(atom.span, format!("`{name}` can shrink"));
            let diagnostic = match component.rules.iter().find(|other| other.delete && other.head.relation == name) {
                Some(delete) => diagnostic.label(delete.span, "deleted from here"),
                None => diagnostic,
            };
            sink.push(
                diagnostic.help("recursion is possible over tables that are never deleted from, and over events"),
            );
        }
    }
}

/// State whose facts may cease to hold: tables with a deletion, windows, keyed tables whose facts are replaced, views that read such state, or that negate or aggregate.
pub(super) fn shrinking(component: &Component) -> BTreeSet<&Name> {
    let mut seeds: Vec<&Name> =
        component.rules.iter().filter(|rule| rule.delete).map(|rule| &rule.head.relation).collect();
    let replaces = |table: &Relation| table.storage.key.is_some_and(|key| key.policy != Policy::First);
    let selective = |table: &&Relation| table.storage.above.is_some() || replaces(table);
    seeds.extend(component.relations.iter().filter(selective).map(|table| &table.name));
    let views = views(component);
    let constant = constant_views(component);
    let mut derived = BTreeMap::new();
    let varying = |rule: &&Rule| views.contains(&rule.head.relation) && !constant.contains(&rule.head.relation);
    for rule in component.rules.iter().filter(|rule| rule.is_now() && varying(rule)) {
        if rule.is_aggregate() || rule.negated_atoms().next().is_some() {
            seeds.push(&rule.head.relation);
        }
        for atom in rule.atoms() {
            derived.entry(&atom.relation).or_insert_with(Vec::new).push(&rule.head.relation);
        }
    }
    reachable(seeds, &derived)
}

fn views(component: &Component) -> BTreeSet<&Name> {
    let views = component.relations.iter().filter(|relation| relation.kind == RelationKind::View);
    views.map(|view| &view.name).collect()
}

/// Views that are derived from roles alone, perhaps through one another: they are the same in every step.
pub(super) fn constant_views(component: &Component) -> BTreeSet<&Name> {
    let views = views(component);
    let mut varying: Vec<&Name> = Vec::new();
    let mut derived = BTreeMap::new();
    for rule in component.rules.iter().filter(|rule| views.contains(&rule.head.relation)) {
        for atom in rule.atoms() {
            if component.relation(&atom.relation).is_some_and(|read| read.kind != RelationKind::View) {
                varying.push(&rule.head.relation);
            }
            derived.entry(&atom.relation).or_insert_with(Vec::new).push(&rule.head.relation);
        }
    }
    let varying = reachable(varying, &derived);
    views.iter().copied().filter(|view| !varying.contains(view)).collect()
}
