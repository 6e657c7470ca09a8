//! A node takes messages only once it has nothing left to do. What gives it something to do in every step keeps it from that for ever.
//!
//! Refused is what says so by itself: state that fills an event. Warned of is what says so by a circle of rules without a condition;
//! no check could find all such circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::strongly_connected;
use crate::ir::{Atom, Component, Expr, ExprKind, HeadArg, Literal, Name, Program, RelationKind, Rule, RuleKind};
use crate::sink::Sink;

/// Events that state fills in every step.
pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for rule in component.rules.iter().filter(|rule| fills_event(rule, component)) {
            if !rule.positive_atoms().any(|atom| atom.is_event(component, program)) {
                sink.push(state_alone(rule, component, sink));
            }
        }
    }
}

fn state_alone(rule: &Rule, component: &Component, sink: &Sink) -> Diagnostic {
    let name = &rule.head.relation;
    let message = format!("state alone fills the event `{name}`, in every step and for ever");
    let diagnostic = sink.start(Code::E0508, message).label(rule.span, "nothing here happens in a single step");
    let state = rule.positive_atoms().find(|atom| component.relation(&atom.relation).is_some_and(is_state));
    diagnostic.help(match state {
        Some(atom) => format!(
            "write `new {}(...)` to react once, or `:-` if `{name}` is to hold for as long as the state does",
            atom.relation
        ),
        None => format!("add the event after which `{name}` is to hold"),
    })
}

fn is_state(relation: &crate::ir::Relation) -> bool {
    relation.kind != RelationKind::Event
}

fn fills_event(rule: &Rule, component: &Component) -> bool {
    let is_event = |name| component.relation(name).is_some_and(|relation| relation.kind == RelationKind::Event);
    rule.kind == RuleKind::Next && !rule.delete && is_event(&rule.head.relation)
}

/// Relations that feed themselves from step to step, whatever happens.
pub(super) fn warn(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        warn_of_events(component, sink);
        for rule in component.rules.iter().filter(|rule| is_growing_table(rule, component)) {
            let message = format!("the table `{}` grows in every step, for ever", rule.head.relation);
            let diagnostic = sink.start_warning(Code::E0510, message).label(rule.span, "each fact gives a new one");
            sink.push(diagnostic.help("add a condition that ends it, or an event in whose step it is to happen"));
        }
    }
}

fn warn_of_events(component: &Component, sink: &mut Sink) {
    let events = component.relations.iter().filter(|relation| !is_state(relation)).enumerate();
    let numbers: BTreeMap<&Name, usize> = events.map(|(number, relation)| (&relation.name, number)).collect();
    let mut edges = vec![Vec::new(); numbers.len()];
    let mut feeding = Vec::new();
    for rule in component.rules.iter().filter(|rule| !rule.delete) {
        let Some(atom) = only_condition(rule) else { continue };
        if let (Some(&from), Some(&to)) = (numbers.get(&atom.relation), numbers.get(&rule.head.relation)) {
            edges[from].push(to);
            feeding.push((from, to, rule));
        }
    }
    let circles = strongly_connected(&edges);
    let mut circle_of = vec![0; edges.len()];
    for (number, members) in circles.iter().enumerate() {
        members.iter().for_each(|member| circle_of[*member] = number);
    }
    let mut inside = vec![Vec::new(); circles.len()];
    for (_, to, rule) in feeding.iter().filter(|(from, to, _)| circle_of[*from] == circle_of[*to]) {
        inside[circle_of[*to]].push(*rule);
    }
    for rules in inside {
        // Within one step a circle derives nothing new: the recursion ends there.
        let Some(next) = rules.iter().find(|rule| rule.kind == RuleKind::Next) else { continue };
        let message = format!("the event `{}` feeds itself for ever", next.head.relation);
        let mut diagnostic = sink.start_warning(Code::E0510, message).label(next.span, "always calls for another step");
        for rule in rules.iter().filter(|rule| rule.span != next.span).take(3) {
            diagnostic = diagnostic.label(rule.span, "always leads back");
        }
        sink.push(diagnostic.help("a node whose steps do not end fails: add a condition that ends it"));
    }
}

/// The only relation in a body that holds whenever any fact of that relation does.
fn only_condition(rule: &Rule) -> Option<&Atom> {
    let mut conditions = rule.body.iter().filter(|literal| !matches!(literal, Literal::Bind { .. }));
    let atom = conditions.next()?.as_atom().filter(|atom| !atom.negated && !atom.new)?;
    let mut seen = BTreeSet::new();
    let matches_all =
        atom.args.iter().all(|arg| arg.is_wildcard() || arg.as_variable().is_some_and(|it| seen.insert(it)));
    (matches_all && conditions.next().is_none()).then_some(atom)
}

fn is_growing_table(rule: &Rule, component: &Component) -> bool {
    let is_table = component.relation(&rule.head.relation).is_some_and(|relation| relation.kind == RelationKind::Table);
    let feeds_itself = || only_condition(rule).is_some_and(|atom| atom.relation == rule.head.relation);
    let computes = |arg: &HeadArg| matches!(arg, HeadArg::Expr(expr) if is_computed(expr, rule));
    rule.kind == RuleKind::Next && !rule.delete && is_table && feeds_itself() && rule.head.args.iter().any(computes)
}

/// Whether a function of variables makes the value, directly or under a name.
fn is_computed(expr: &Expr, rule: &Rule) -> bool {
    let calls =
        |expr: &Expr| matches!(expr.kind, ExprKind::Call(..) | ExprKind::Construct(..)) && !expr.variables().is_empty();
    let named = |name: &Name| {
        let mut bindings = rule.body.iter();
        bindings
            .any(|literal| matches!(literal, Literal::Bind { variable, value, .. } if variable == name && calls(value)))
    };
    calls(expr) || expr.as_variable().is_some_and(named)
}
