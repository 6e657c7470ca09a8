//! Recursion within a step must end: it may derive facts from facts, but not make ever new values.
//!
//! Values are followed from column to column of the relations that are derived from each other, through the variables of rules. A value that is copied stays one of
//! finitely many; one that a function makes may be new. If such a new value comes back to the column that it was made from, nothing
//! says that this ever ends, and the rule is refused. (Without existential variables, this is weak acyclicity of Fagin, Kolaitis,
//! Miller, Popa, "Data exchange: semantics and query answering", 2005.)
//!
//! A variable that a relation outside of the recursion binds too has finitely many values, and so has a variable that is a truth value or a
//! node, since functions make no others of these.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Type;

use super::strata::Dependencies;
use crate::diagnostic::Code;
use crate::graph::strongly_connected;
use crate::ir::{Component, Expr, ExprKind, HeadArg, Literal, Name, Program, RelationKind, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        let dependencies = Dependencies::of(component);
        for stratum in (0..dependencies.strata.len()).filter(|stratum| dependencies.is_recursive(*stratum)) {
            let members = dependencies.strata[stratum].iter().map(|member| dependencies.names[*member]).collect();
            check_stratum(component, &members, sink);
        }
    }
}

/// A place that values pass through: a column of a relation, or a variable of a rule, given by its position in the component.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'p> {
    Column(&'p Name, usize),
    Variable(usize, &'p Name),
}

/// A value goes from one place to another, perhaps through a function.
struct Flow<'p> {
    from: Place<'p>,
    to: Place<'p>,
    computed: bool,
    rule: &'p Rule,
    span: Span,
}

fn check_stratum(component: &Component, members: &BTreeSet<&Name>, sink: &mut Sink) {
    let mut flows = Vec::new();
    for (number, rule) in component.rules.iter().enumerate() {
        if rule.is_now() && members.contains(&rule.head.relation) {
            let mut add = |from, to, computed, span| flows.push(Flow { from, to, computed, rule, span });
            flows_of(component, members, (number, rule), &mut add);
        }
    }
    let mut numbers = BTreeMap::new();
    for place in flows.iter().flat_map(|flow| [flow.from, flow.to]) {
        let next = numbers.len();
        numbers.entry(place).or_insert(next);
    }
    let mut edges = vec![Vec::new(); numbers.len()];
    flows.iter().for_each(|flow| edges[numbers[&flow.from]].push(numbers[&flow.to]));
    let mut group = vec![0; numbers.len()];
    for (number, nodes) in strongly_connected(&edges).iter().enumerate() {
        nodes.iter().for_each(|node| group[*node] = number);
    }
    let returns = |flow: &&Flow<'_>| flow.computed && group[numbers[&flow.from]] == group[numbers[&flow.to]];
    if let Some(flow) = flows.iter().find(returns) {
        report(flow, component, members, sink);
    }
}

/// The flows of a rule: from columns into its variables, among these by `=`, and into the columns of its head.
fn flows_of<'p>(
    component: &'p Component,
    members: &BTreeSet<&Name>,
    (number, rule): (usize, &'p Rule),
    add: &mut impl FnMut(Place<'p>, Place<'p>, bool, Span),
) {
    let finite = finite(component, members, rule);
    for atom in rule.positive_atoms().filter(|atom| members.contains(&atom.relation)) {
        for (position, arg) in atom.args.iter().enumerate() {
            if let Some(variable) = arg.as_variable().filter(|variable| !finite.contains(variable)) {
                add(Place::Column(&atom.relation, position), Place::Variable(number, variable), false, arg.span);
            }
        }
    }
    let mut into = |to, expr: &'p Expr, computed| {
        variables(expr, computed, &mut |name, computed| add(Place::Variable(number, name), to, computed, expr.span));
    };
    for literal in &rule.body {
        match literal {
            Literal::Bind { variable, value, .. } => into(Place::Variable(number, variable), value, false),
            Literal::In { element, collection, negated: false, .. } => {
                if let Some(variable) = element.as_variable() {
                    into(Place::Variable(number, variable), collection, true);
                }
            }
            Literal::In { .. } | Literal::Atom(_) | Literal::Compare { .. } => {}
        }
    }
    for (position, arg) in rule.head.args.iter().enumerate() {
        if let HeadArg::Expr(expr) = arg {
            into(Place::Column(&rule.head.relation, position), expr, false);
        }
    }
}

/// Variables with finitely many values: those that something outside of the recursion binds, and those of types without new values.
fn finite<'p>(component: &Component, members: &BTreeSet<&Name>, rule: &'p Rule) -> BTreeSet<&'p Name> {
    let mut finite = BTreeSet::new();
    for atom in rule.positive_atoms() {
        finite.extend(atom.from.iter().filter_map(Expr::as_variable));
        let columns = component.relation(&atom.relation).filter(|relation| members.contains(&relation.name));
        for (position, arg) in atom.args.iter().enumerate() {
            let column = columns.and_then(|relation| relation.columns.get(position));
            if column.is_none_or(|column| matches!(column.ty, Type::Bool | Type::Node)) {
                finite.extend(arg.as_variable());
            }
        }
    }
    finite
}

/// The variables that the value of an expression is made of, each with whether a function makes it a new value.
fn variables<'p>(expr: &'p Expr, computed: bool, visit: &mut impl FnMut(&'p Name, bool)) {
    match &expr.kind {
        ExprKind::Variable(name) => visit(name, computed),
        ExprKind::Call(function, args) => {
            // The lesser or greater of two values is one of them.
            let selects = matches!(function.get().name, "min" | "max");
            args.iter().for_each(|arg| variables(arg, computed || !selects, visit));
        }
        ExprKind::Construct(_, parts) => parts.iter().for_each(|part| variables(part, true, visit)),
        ExprKind::Field { value, .. } => variables(value, computed, visit),
        ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => {}
    }
}

fn report(flow: &Flow<'_>, component: &Component, members: &BTreeSet<&Name>, sink: &mut Sink) {
    let name = &flow.rule.head.relation;
    let message = format!("`{name}` is derived from itself with a computed value, which need not end");
    let mut diagnostic = sink.start(Code::E0509, message).label(flow.span, "makes a new value each time round");
    if let Some(atom) = flow.rule.positive_atoms().find(|atom| members.contains(&atom.relation)) {
        let label = if atom.relation == *name {
            format!("`{name}` itself")
        } else {
            format!("`{}` is derived from `{name}`", atom.relation)
        };
        diagnostic = diagnostic.label(atom.span, label);
    }
    let is_table = component.relation(name).is_some_and(|relation| relation.kind == RelationKind::Table);
    sink.push(diagnostic.help(if is_table {
        format!("a value changes from step to step: `{name}(...) :+ ...` for the new one, `delete {name}(...) :+ ...` for the old")
    } else {
        "compute only with values that a relation outside of the recursion binds too, or count from step to step, with `:+`"
            .to_owned()
    }));
}
