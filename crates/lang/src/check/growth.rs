//! Recursion within a step must end: it may derive facts from facts, but not make ever new values.
//!
//! Values are followed from column to column of the relations that are derived from each other. A value that is copied stays one of
//! finitely many; one that a function makes may be new. If such a new value comes back to the column that it was made from, nothing
//! says that this ever ends, and the rule is refused. (Without existential variables, this is weak acyclicity of Fagin, Kolaitis,
//! Miller, Popa, "Data exchange: semantics and query answering", 2005.)
//!
//! A variable that a relation outside of the recursion binds too has finitely many values, and so has any variable that is neither an
//! integer nor a digest, since no function makes others.

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

/// Columns of the recursion in which new values can turn up, each with a number.
type Columns<'p> = BTreeMap<(&'p Name, usize), usize>;

/// Where a value may come from: a column, and whether a function was applied on the way.
type Origins = BTreeSet<(usize, bool)>;

/// A head's argument that takes values from a column.
struct Flow<'p> {
    from: usize,
    to: usize,
    computed: bool,
    rule: &'p Rule,
    span: Span,
}

fn check_stratum(component: &Component, members: &BTreeSet<&Name>, sink: &mut Sink) {
    let columns = columns(component, members);
    let rules = component.rules.iter().filter(|rule| rule.is_now() && members.contains(&rule.head.relation));
    let flows: Vec<Flow<'_>> = rules.flat_map(|rule| flows(rule, members, &columns)).collect();
    let mut edges = vec![Vec::new(); columns.len()];
    flows.iter().for_each(|flow| edges[flow.from].push(flow.to));
    let mut group = vec![0; columns.len()];
    for (number, nodes) in strongly_connected(&edges).iter().enumerate() {
        nodes.iter().for_each(|node| group[*node] = number);
    }
    if let Some(flow) = flows.iter().find(|flow| flow.computed && group[flow.from] == group[flow.to]) {
        report(flow, component, members, sink);
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

fn columns<'p>(component: &'p Component, members: &BTreeSet<&Name>) -> Columns<'p> {
    let mut columns = Columns::new();
    for relation in component.relations.iter().filter(|relation| members.contains(&relation.name)) {
        for (position, column) in relation.columns.iter().enumerate() {
            if matches!(column.ty, Type::Int | Type::Digest) {
                let number = columns.len();
                columns.insert((&relation.name, position), number);
            }
        }
    }
    columns
}

fn flows<'p>(rule: &'p Rule, members: &BTreeSet<&Name>, columns: &Columns<'_>) -> Vec<Flow<'p>> {
    let origins = origins(rule, members, columns);
    let mut flows = Vec::new();
    for (position, arg) in rule.head.args.iter().enumerate() {
        let (HeadArg::Expr(expr), Some(&to)) = (arg, columns.get(&(&rule.head.relation, position))) else { continue };
        let flow = |(from, computed)| Flow { from, to, computed, rule, span: expr.span };
        flows.extend(origins_of(expr, &origins).into_iter().map(flow));
    }
    flows
}

/// Where the values of a rule's variables may come from. Those that have finitely many values from elsewhere have no origins.
fn origins<'p>(rule: &'p Rule, members: &BTreeSet<&Name>, columns: &Columns<'_>) -> BTreeMap<&'p Name, Origins> {
    let mut origins: BTreeMap<&Name, Origins> = BTreeMap::new();
    let mut finite: BTreeSet<&Name> = BTreeSet::new();
    for atom in rule.positive_atoms() {
        let inside = members.contains(&atom.relation);
        for (position, variable) in atom.args.iter().enumerate().filter_map(|(at, arg)| Some((at, arg.as_variable()?)))
        {
            match columns.get(&(&atom.relation, position)) {
                Some(&column) if inside => {
                    origins.entry(variable).or_default().insert((column, false));
                }
                _ => {
                    finite.insert(variable);
                }
            }
        }
        finite.extend(atom.from.as_ref().and_then(Expr::as_variable));
    }
    origins.retain(|variable, _| !finite.contains(variable));
    let mut bindings: Vec<(&Name, &Expr)> = rule.body.iter().filter_map(binding).collect();
    // A binding may use variables that a later one names; the checker of bindings has made sure that there is an order.
    let mut waiting: BTreeSet<&Name> = bindings.iter().map(|(variable, _)| *variable).collect();
    loop {
        let before = bindings.len();
        bindings.retain(|(variable, value)| {
            let ready = !value.variables().iter().any(|(used, _)| waiting.contains(used));
            if ready {
                waiting.remove(variable);
                origins.insert(variable, origins_of(value, &origins));
            }
            !ready
        });
        if bindings.len() == before {
            return origins;
        }
    }
}

fn binding(literal: &Literal) -> Option<(&Name, &Expr)> {
    match literal {
        Literal::Bind { variable, value, .. } => Some((variable, value)),
        Literal::Atom(_) | Literal::Compare { .. } => None,
    }
}

/// Where the value of an expression may come from.
fn origins_of(expr: &Expr, known: &BTreeMap<&Name, Origins>) -> Origins {
    match &expr.kind {
        ExprKind::Variable(name) => known.get(name).cloned().unwrap_or_default(),
        ExprKind::Call(function, args) => {
            let all = args.iter().flat_map(|arg| origins_of(arg, known));
            // The lesser or greater of two values is one of them.
            let selects = matches!(function.get().name, "min" | "max");
            all.map(|(column, computed)| (column, computed || !selects)).collect()
        }
        ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => Origins::new(),
    }
}
