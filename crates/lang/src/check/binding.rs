//! Safety: every variable gets its value from somewhere, whatever the order of the literals.
//!
//! A variable is bound by a positive relation that has it as an argument or sender, or by `x = e` once the variables of `e` are
//! bound. Everything else (heads, destinations, absent relations, comparisons, arguments that are calls) only uses variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Code;
use crate::ir::{Expr, ExprKind, HeadArg, Literal, Name, Program, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    for rule in program.components.iter().flat_map(|component| &component.rules) {
        if sink.is_full() {
            return;
        }
        check_wildcards(rule, sink);
        check_rule(rule, sink);
    }
}

fn check_rule(rule: &Rule, sink: &mut Sink) {
    let mut bound: BTreeMap<&Name, Span> = BTreeMap::new();
    for expr in rule.positive_atoms().flat_map(|atom| atom.expressions()) {
        if let ExprKind::Variable(name) = &expr.kind {
            bound.entry(name).or_insert(expr.span);
        }
    }
    let mut bindings: Vec<(&Name, &Expr, Span)> = Vec::new();
    for literal in &rule.body {
        let Literal::Bind { variable, value, span } = literal else { continue };
        let first = bound
            .get(variable)
            .copied()
            .or_else(|| bindings.iter().find(|(name, _, _)| *name == variable).map(|(_, _, span)| *span));
        match first {
            Some(first) => report_bound_twice(variable, first, *span, sink),
            None => bindings.push((variable, value, *span)),
        }
    }
    for literal in &rule.body {
        let Literal::In { element, collection, negated: false, .. } = literal else { continue };
        if let Some(variable) = element.as_variable().filter(|name| !bound.contains_key(name))
            && !bindings.iter().any(|(name, _, _)| *name == variable)
        {
            bindings.push((variable, collection, element.span));
        }
    }
    bind_to_fixpoint(&mut bound, bindings);
    let mut reported: BTreeSet<&Name> = BTreeSet::new();
    for expr in rule.expressions() {
        for (name, span) in expr.variables() {
            if !bound.contains_key(name) && reported.insert(name) {
                report_unbound(rule, name, span, sink);
            }
        }
    }
}

fn bind_to_fixpoint<'r>(bound: &mut BTreeMap<&'r Name, Span>, mut bindings: Vec<(&'r Name, &'r Expr, Span)>) {
    loop {
        let before = bindings.len();
        bindings.retain(|(variable, value, span)| {
            let ready = value.variables().iter().all(|(name, _)| bound.contains_key(name));
            if ready {
                bound.insert(variable, *span);
            }
            !ready
        });
        if bindings.len() == before {
            return;
        }
    }
}

fn report_bound_twice(variable: &Name, first: Span, again: Span, sink: &mut Sink) {
    let message = format!("`{variable}` has a value already");
    let diagnostic = sink.start(Code::E0403, message).label(again, "would get a second value");
    sink.push(diagnostic.label(first, "gets its value here").help("`==` compares, `=` names a value"));
}

fn report_unbound(rule: &Rule, name: &Name, span: Span, sink: &mut Sink) {
    let message = format!("the variable `{name}` has no value");
    let mut diagnostic = sink.start(Code::E0401, message).label(span, "nothing in the body binds it");
    let absent = rule.negated_atoms().find(|atom| atom.expressions().any(|expr| expr.as_variable() == Some(name)));
    let bound_by_itself =
        rule.body.iter().any(|literal| matches!(literal, Literal::Bind { variable, .. } if variable == name));
    if let Some(atom) = absent {
        diagnostic = diagnostic.help(format!("to ask whether any `{}` is absent, write `_`", atom.relation));
    } else if bound_by_itself {
        diagnostic = diagnostic.help("a value cannot be defined by itself");
    } else if rule.positive_atoms().any(|atom| atom.expressions().any(|expr| mentions(expr, name))) {
        diagnostic = diagnostic.help("an argument that is computed binds nothing: name the argument, and compare it");
    } else if rule.head.at.as_ref().is_some_and(|at| mentions(at, name)) {
        let help = format!(
            "the body says to whom: `... from {name}` answers a message, the relation of a role has all its nodes, a table can keep a node"
        );
        diagnostic = diagnostic.help(help);
    } else if let Some(collection) = rule.body.iter().find_map(|literal| taken_apart(literal, name)) {
        let help = format!(
            "`in` takes no member apart: name it, `x in {}`, and its parts are `x.0`, `x.1` or `x.FIELD`",
            crate::print::expr(collection)
        );
        diagnostic = diagnostic.help(help);
    } else {
        diagnostic =
            diagnostic.help("a relation that is not negated, `... from x`, `x in ...` or `x = ...` binds a variable");
    }
    sink.push(diagnostic);
}

/// The collection whose member is written as something with this variable in it.
fn taken_apart<'r>(literal: &'r Literal, name: &Name) -> Option<&'r Expr> {
    match literal {
        Literal::In { element, collection, negated: false, .. } if mentions(element, name) => Some(collection),
        _ => None,
    }
}

fn mentions(expr: &Expr, name: &Name) -> bool {
    expr.variables().iter().any(|(variable, _)| *variable == name)
}

/// `_` stands alone as an argument of a relation in a body, as a sender, or as an argument of a deletion.
fn check_wildcards(rule: &Rule, sink: &mut Sink) {
    for arg in &rule.head.args {
        match arg {
            HeadArg::Expr(expr) if expr.is_wildcard() && rule.delete => {}
            HeadArg::Expr(expr) => forbid(expr, "a head", sink),
            HeadArg::Aggregate { args, .. } => args.iter().for_each(|arg| forbid(arg, "an aggregate", sink)),
        }
    }
    rule.head.at.iter().for_each(|at| forbid(at, "a destination", sink));
    for literal in &rule.body {
        match literal {
            Literal::Atom(atom) => {
                let complex = atom.expressions().filter(|expr| !expr.is_wildcard());
                complex.for_each(|expr| forbid(expr, "a function", sink));
            }
            Literal::Compare { left, right, .. } => {
                [left, right].into_iter().for_each(|side| forbid(side, "a comparison", sink));
            }
            Literal::Bind { value, .. } => forbid(value, "a binding", sink),
            Literal::In { element, collection, .. } => {
                [element, collection].into_iter().for_each(|side| forbid(side, "`in`", sink));
            }
        }
    }
}

fn forbid(expr: &Expr, place: &str, sink: &mut Sink) {
    expr.visit(&mut |expr| {
        if expr.is_wildcard() {
            let message = format!("`_` cannot stand in {place}");
            let diagnostic = sink.start(Code::E0402, message).label(expr.span, "has no value");
            sink.push(diagnostic.help("`_` stands for any value of a relation's column, in a body or in a deletion; elsewhere, name the value"));
        }
    });
}
