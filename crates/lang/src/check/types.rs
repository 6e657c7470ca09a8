//! Types of variables and of undeclared relations, by unification.
//!
//! Channels, roles and declared relations have known types; every column of an undeclared relation and every variable of a rule
//! is a *slot*. Slots that must be equal are merged (union-find); a slot that two different types meet in is an error.

use std::collections::BTreeMap;

use menard_value::{Function, Signature, Type};

use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Aggregate, Component, Expr, ExprKind, HeadArg, Literal, Name, Program, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn infer(program: &mut Program, sink: &mut Sink) {
    check_keys(program, sink);
    let mut components = std::mem::take(&mut program.components);
    for component in &mut components {
        if !sink.is_full() {
            Inference::new(program, component).run(component, sink);
        }
    }
    program.components = components;
}

/// The key of a channel, whose variables are the channel's columns.
fn check_keys(program: &Program, sink: &mut Sink) {
    for channel in &program.channels {
        let columns = channel.columns.iter().map(|column| (column.name.clone(), Term::Known(column.ty))).collect();
        let mut inference = Inference::empty(program);
        inference.variables = columns;
        for key in &channel.by {
            inference.expression(key, sink);
        }
    }
}

/// What is known about a type.
#[derive(Clone, Copy, Debug)]
enum Term {
    Known(Type),
    Slot(usize),
}

#[derive(Debug)]
struct Slot {
    parent: usize,
    /// The type, and where it was seen first.
    ty: Option<(Type, Span)>,
}

struct Inference {
    /// Columns of channels, roles and the component's relations.
    columns: BTreeMap<Name, Vec<Term>>,
    params: BTreeMap<Name, Type>,
    slots: Vec<Slot>,
    /// The variables of the rule at hand.
    variables: BTreeMap<Name, Term>,
}

impl Inference {
    fn empty(program: &Program) -> Self {
        let params = program.params.iter().map(|param| (param.name.clone(), param.ty)).collect();
        Inference { columns: BTreeMap::new(), params, slots: Vec::new(), variables: BTreeMap::new() }
    }

    fn new(program: &Program, component: &Component) -> Self {
        let mut inference = Inference::empty(program);
        for role in &program.roles {
            inference.columns.insert(role.name.clone(), vec![Term::Known(Type::Node)]);
        }
        for channel in &program.channels {
            let columns = channel.columns.iter().map(|column| Term::Known(column.ty)).collect();
            inference.columns.insert(channel.name.clone(), columns);
        }
        for relation in &component.relations {
            let term = |column: &crate::ir::Column, inference: &mut Self| match relation.declared {
                true => Term::Known(column.ty),
                false => inference.fresh(),
            };
            let columns = relation.columns.iter().map(|column| term(column, &mut inference)).collect();
            inference.columns.insert(relation.name.clone(), columns);
        }
        inference
    }

    fn run(mut self, component: &mut Component, sink: &mut Sink) {
        let mut variables_of_rules = Vec::new();
        for rule in &component.rules {
            self.variables.clear();
            self.rule(rule, sink);
            variables_of_rules.push(std::mem::take(&mut self.variables));
        }
        if sink.errors() > 0 {
            // What cannot be inferred now may only be a consequence.
            return;
        }
        for relation in component.relations.iter_mut().filter(|relation| !relation.declared) {
            let terms = self.columns[&relation.name].clone();
            for (index, (column, term)) in relation.columns.iter_mut().zip(terms).enumerate() {
                match self.resolve(term) {
                    Some(ty) => column.ty = ty,
                    None => {
                        let message =
                            format!("the type of column {} of `{}` cannot be inferred", index + 1, relation.name);
                        let diagnostic =
                            sink.start(Code::E0302, message).label(relation.span, "no rule says what it is");
                        sink.push(diagnostic.help("declare the relation, with the types of its columns"));
                    }
                }
            }
        }
        for (rule, variables) in component.rules.iter_mut().zip(variables_of_rules) {
            rule.variables = order_of_occurrence(rule)
                .into_iter()
                .filter_map(|(name, span)| match variables.get(&name).and_then(|term| self.resolve(*term)) {
                    Some(ty) => Some((name, ty)),
                    None => {
                        self.report_unknown(&name, span, component.relations.iter().any(|r| !r.declared), sink);
                        None
                    }
                })
                .collect();
        }
    }

    fn report_unknown(&self, name: &Name, span: Span, maybe_column: bool, sink: &mut Sink) {
        let message = format!("the type of the variable `{name}` cannot be inferred");
        let diagnostic = sink.start(Code::E0302, message).label(span, "nothing says what it is");
        sink.push(if maybe_column {
            diagnostic.help("declare the relation that it is a column of")
        } else {
            diagnostic
        });
    }

    fn fresh(&mut self) -> Term {
        self.slots.push(Slot { parent: self.slots.len(), ty: None });
        Term::Slot(self.slots.len() - 1)
    }

    fn root(&mut self, mut slot: usize) -> usize {
        while self.slots[slot].parent != slot {
            let grandparent = self.slots[self.slots[slot].parent].parent;
            self.slots[slot].parent = grandparent;
            slot = grandparent;
        }
        slot
    }

    fn resolve(&mut self, term: Term) -> Option<Type> {
        match term {
            Term::Known(ty) => Some(ty),
            Term::Slot(_) => self.seen(term).map(|(ty, _)| ty),
        }
    }

    /// The type of a slot, and where it was seen first.
    fn seen(&mut self, term: Term) -> Option<(Type, Span)> {
        match term {
            Term::Known(_) => None,
            Term::Slot(slot) => {
                let root = self.root(slot);
                self.slots[root].ty
            }
        }
    }

    /// Makes two terms equal. `span` is the place of the expression that has the type `found` and should have `wanted`.
    fn unify(&mut self, wanted: Term, found: Term, span: Span, sink: &mut Sink) {
        let (slot, other) = match (wanted, found) {
            (Term::Known(wanted), Term::Known(found)) => {
                if wanted != found {
                    self.clash(wanted, found, span, None, sink);
                }
                return;
            }
            (Term::Slot(slot), other) | (other, Term::Slot(slot)) => (self.root(slot), other),
        };
        let known = self.slots[slot].ty;
        match other {
            Term::Known(ty) => match known {
                None => self.slots[slot].ty = Some((ty, span)),
                Some((known, seen)) if known != ty => {
                    let (wanted, found) = if matches!(found, Term::Known(_)) { (known, ty) } else { (ty, known) };
                    self.clash(wanted, found, span, Some((known, seen)), sink);
                }
                Some(_) => {}
            },
            Term::Slot(other) => {
                let other = self.root(other);
                match (known, self.slots[other].ty) {
                    (Some((left, seen)), Some((right, _))) if left != right => {
                        self.clash(left, right, span, Some((left, seen)), sink);
                    }
                    (Some(known), None) => self.slots[other].ty = Some(known),
                    _ => {}
                }
                self.slots[slot].parent = other;
            }
        }
    }

    fn clash(&self, wanted: Type, found: Type, span: Span, seen: Option<(Type, Span)>, sink: &mut Sink) {
        let message = format!("expected a value of type {wanted}, found one of type {found}");
        let mut diagnostic =
            sink.start(Code::E0301, message).label(span, format!("of type {found}, should be {wanted}"));
        diagnostic = because(diagnostic, seen, span);
        sink.push(if wanted == Type::Node {
            diagnostic.help("nodes come from `from`, from the relation of a role, as `server(s)`, or are `me`")
        } else {
            diagnostic
        });
    }

    fn rule(&mut self, rule: &Rule, sink: &mut Sink) {
        for literal in &rule.body {
            self.literal(literal, sink);
        }
        let columns = self.columns.get(&rule.head.relation).cloned().unwrap_or_default();
        for (arg, column) in rule.head.args.iter().zip(columns) {
            match arg {
                HeadArg::Expr(expr) => self.expect(column, expr, sink),
                HeadArg::Aggregate { function, args, span } => {
                    let ty = self.aggregate(*function, args, *span, sink);
                    self.unify(column, ty, *span, sink);
                }
            }
        }
        if let Some(at) = &rule.head.at {
            self.expect(Term::Known(Type::Node), at, sink);
        }
    }

    fn aggregate(&mut self, function: Aggregate, args: &[Expr], span: Span, sink: &mut Sink) -> Term {
        if function != Aggregate::Count && args.len() != 1 {
            let message = format!("`{}` aggregates one value, but {} are given", function.name(), args.len());
            sink.error(Code::E0404, span, message, "needs one argument");
            return Term::Known(Type::Int);
        }
        let types: Vec<Term> = args.iter().map(|arg| self.expression(arg, sink)).collect();
        match (function, types.first(), args.first()) {
            (Aggregate::Min | Aggregate::Max, Some(ty), _) => *ty,
            (Aggregate::Sum, Some(ty), Some(arg)) => {
                self.unify(Term::Known(Type::Int), *ty, arg.span, sink);
                Term::Known(Type::Int)
            }
            _ => Term::Known(Type::Int),
        }
    }

    fn literal(&mut self, literal: &Literal, sink: &mut Sink) {
        match literal {
            Literal::Atom(atom) => {
                let columns = self.columns.get(&atom.relation).cloned().unwrap_or_default();
                for (arg, column) in atom.args.iter().zip(columns) {
                    self.expect(column, arg, sink);
                }
                for node in atom.from.iter().chain(&atom.to) {
                    self.expect(Term::Known(Type::Node), node, sink);
                }
            }
            Literal::Compare { left, right, .. } => {
                let wanted = self.expression(left, sink);
                self.expect(wanted, right, sink);
            }
            Literal::Bind { variable, value, span } => {
                let found = self.expression(value, sink);
                let variable = self.variable(variable);
                self.unify(variable, found, *span, sink);
            }
        }
    }

    fn expect(&mut self, wanted: Term, expr: &Expr, sink: &mut Sink) {
        if !expr.is_wildcard() {
            let found = self.expression(expr, sink);
            self.unify(wanted, found, expr.span, sink);
        }
    }

    /// Whether an argument fits its function. If not, that is reported.
    fn argument(&mut self, function: &Function, wanted: Type, arg: &Expr, sink: &mut Sink) -> bool {
        let found = self.expression(arg, sink);
        match self.resolve(found) {
            Some(ty) if ty != wanted => {
                let message = format!("`{}` takes a value of type {wanted}, found one of type {ty}", function.name);
                let label = format!("of type {ty}, should be {wanted}");
                let diagnostic = sink.start(Code::E0301, message).label(arg.span, label);
                sink.push(because(diagnostic, self.seen(found), arg.span));
                false
            }
            _ => {
                self.unify(Term::Known(wanted), found, arg.span, sink);
                true
            }
        }
    }

    fn variable(&mut self, name: &Name) -> Term {
        if let Some(term) = self.variables.get(name) {
            return *term;
        }
        let term = self.fresh();
        self.variables.insert(name.clone(), term);
        term
    }

    fn expression(&mut self, expr: &Expr, sink: &mut Sink) -> Term {
        match &expr.kind {
            ExprKind::Variable(name) => self.variable(name),
            ExprKind::Constant(value) => Term::Known(value.ty()),
            ExprKind::Param(name) => match self.params.get(name) {
                Some(ty) => Term::Known(*ty),
                None => self.fresh(),
            },
            ExprKind::Me => Term::Known(Type::Node),
            ExprKind::Wildcard => self.fresh(),
            ExprKind::Call(function, args) => {
                let function = function.get();
                match function.signature {
                    Signature::Exact(types) if types.len() == args.len() => {
                        let fits = |(arg, ty): (&Expr, &Type)| self.argument(function, *ty, arg, sink);
                        if !args.iter().zip(types).all(fits) {
                            // What it should have been is unknown: one mistake, one error.
                            return self.fresh();
                        }
                    }
                    Signature::Any if !args.is_empty() => {
                        for arg in args {
                            self.expression(arg, sink);
                        }
                    }
                    signature => report_arity(function.name, signature, args.len(), expr.span, sink),
                }
                Term::Known(function.result)
            }
        }
    }
}

/// Adds where a type was seen first, unless the diagnostic is about that place.
fn because(diagnostic: Diagnostic, seen: Option<(Type, Span)>, span: Span) -> Diagnostic {
    match seen.filter(|(_, seen)| (seen.start, seen.end) != (span.start, span.end)) {
        Some((ty, seen)) => diagnostic.label(seen, format!("of type {ty} because of this")),
        None => diagnostic,
    }
}

fn report_arity(function: &str, signature: Signature, args: usize, span: Span, sink: &mut Sink) {
    let wanted = match signature {
        Signature::Exact(types) => format!("{}", types.len()),
        Signature::Any => "at least 1".to_owned(),
    };
    let message = format!("the function `{function}` takes {wanted} arguments, but {args} are given");
    sink.error(Code::E0206, span, message, format!("{args} arguments"));
}

/// The variables of a rule's body, then of its head, each once, where it occurs first.
fn order_of_occurrence(rule: &Rule) -> Vec<(Name, Span)> {
    let mut seen = BTreeMap::new();
    let mut add = |name: &Name, span: Span| {
        let order = seen.len();
        seen.entry(name.clone()).or_insert((order, span));
    };
    for literal in &rule.body {
        if let Literal::Bind { variable, span, .. } = literal {
            add(variable, *span);
        }
        for expr in literal.expressions() {
            expr.variables().into_iter().for_each(|(name, span)| add(name, span));
        }
    }
    for expr in rule.expressions() {
        expr.variables().into_iter().for_each(|(name, span)| add(name, span));
    }
    let mut ordered: Vec<(usize, Name, Span)> =
        seen.into_iter().map(|(name, (order, span))| (order, name, span)).collect();
    ordered.sort_by_key(|(order, _, _)| *order);
    ordered.into_iter().map(|(_, name, span)| (name, span)).collect()
}
