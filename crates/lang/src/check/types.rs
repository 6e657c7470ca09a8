//! Types of variables and of undeclared relations, by unification.
//!
//! Channels, roles and declared relations have known types; every column of an undeclared relation and every variable of a rule
//! is a *slot*. Slots that must be equal are merged ([`terms`]); a slot that two different types meet in is an error. What has to wait
//! until more is known (a field, a function with several forms, `in`) waits in a list ([`waiting`]).

mod terms;
mod waiting;

use std::collections::BTreeMap;

use menard_value::{Function, FunctionId, Scheme, Signature, Type};

use super::plural;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Aggregate, Column, Component, Constructor, Expr, ExprKind, HeadArg, Literal, Name, Program, Rule};
use crate::sink::Sink;
use crate::source::Span;
use terms::{Shape, Term, Terms, Typed};
use waiting::Waiting;

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
fn check_keys(program: &mut Program, sink: &mut Sink) {
    let mut channels = std::mem::take(&mut program.channels);
    for channel in &mut channels {
        let columns = channel.columns.iter().map(|column| (column.name.clone(), Term::Known(column.ty))).collect();
        let mut inference = Inference::empty(program);
        inference.variables = columns;
        for key in &channel.by {
            inference.expression(key, sink);
        }
        inference.settle(true, sink);
        channel.by.iter_mut().for_each(|key| inference.place_fields(key));
    }
    program.channels = channels;
}

struct Inference {
    /// Columns of channels, roles and the component's relations.
    columns: BTreeMap<Name, Vec<Term>>,
    params: BTreeMap<Name, Type>,
    /// Functions of the embedding program, as they are declared.
    externs: BTreeMap<FunctionId, (Vec<Type>, Type)>,
    terms: Terms,
    /// The variables of the rule at hand.
    variables: BTreeMap<Name, Term>,
    /// What has to wait until more types are known.
    waiting: Vec<Waiting>,
    /// For each expression that is a field, by its place in memory: which field. Nothing moves between finding out and use.
    fields: BTreeMap<usize, usize>,
}

impl Inference {
    fn empty(program: &Program) -> Self {
        let params = program.params.iter().map(|param| (param.name.clone(), param.ty)).collect();
        let types = |columns: &[Column]| columns.iter().map(|column| column.ty).collect();
        let externs = program.externs.iter();
        Inference {
            columns: BTreeMap::new(),
            params,
            externs: externs.map(|known| (known.function, (types(&known.parameters), known.result))).collect(),
            terms: Terms::default(),
            variables: BTreeMap::new(),
            waiting: Vec::new(),
            fields: BTreeMap::new(),
        }
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
            let term = |column: &Column, inference: &mut Self| match relation.declared {
                true => Term::Known(column.ty),
                false => inference.terms.fresh(),
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
            let waiting = self.waiting.len();
            self.rule(rule, sink);
            // What other rules left waiting is looked at in the end.
            self.settle_from(waiting, sink);
            variables_of_rules.push(std::mem::take(&mut self.variables));
        }
        self.settle(sink.errors() == 0, sink);
        if sink.errors() > 0 {
            // What cannot be inferred now may only be a consequence.
            return;
        }
        for relation in component.relations.iter_mut().filter(|relation| !relation.declared) {
            let terms = self.columns[&relation.name].clone();
            for (index, (column, term)) in relation.columns.iter_mut().zip(terms).enumerate() {
                match self.terms.resolve(term) {
                    Typed::Known(ty) => column.ty = ty,
                    Typed::Unknown if is_of_properties(&relation.name) => {
                        let rule = component.rules.iter().find(|rule| rule.head.relation == relation.name);
                        let arg = rule.and_then(|rule| rule.head.args.get(index));
                        report_untyped(arg.map_or(relation.span, HeadArg::span), sink);
                    }
                    Typed::Unknown => {
                        let message =
                            format!("the type of column {} of `{}` cannot be inferred", index + 1, relation.name);
                        let diagnostic =
                            sink.start(Code::E0302, message).label(relation.span, "no rule says what it is");
                        sink.push(diagnostic.help("declare the relation, with the types of its columns"));
                    }
                    Typed::TooLarge => report_too_large(relation.span, sink),
                }
            }
        }
        for (rule, variables) in component.rules.iter_mut().zip(variables_of_rules) {
            let mut types = Vec::new();
            for (name, span) in order_of_occurrence(rule) {
                let Some(term) = variables.get(&name) else { continue };
                match self.terms.resolve(*term) {
                    Typed::Known(ty) => types.push((name, ty)),
                    Typed::Unknown => {
                        self.report_unknown(&name, span, component.relations.iter().any(|r| !r.declared), sink);
                    }
                    Typed::TooLarge => report_too_large(span, sink),
                }
            }
            rule.variables = types;
            rule.expressions_mut().for_each(|expr| self.place_fields(expr));
        }
    }

    /// Writes down which fields of records and tuples expressions are.
    fn place_fields(&self, expr: &mut Expr) {
        let place = address(expr);
        match &mut expr.kind {
            ExprKind::Field { value, position, .. } => {
                *position = self.fields.get(&place).copied().unwrap_or_default();
                self.place_fields(value);
            }
            ExprKind::Call(_, parts) | ExprKind::Construct(_, parts) => {
                parts.iter_mut().for_each(|part| self.place_fields(part));
            }
            ExprKind::Variable(_) | ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => {}
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

    /// Makes two terms equal. `span` is the place of the expression that has the type `found` and should have `wanted`.
    fn unify(&mut self, wanted: Term, found: Term, span: Span, sink: &mut Sink) {
        let types = (self.terms.describe(wanted), self.terms.describe(found));
        let seen = self.terms.seen(wanted).or_else(|| self.terms.seen(found));
        let fits = self.terms.merge(wanted, found, span);
        if self.terms.was_overfull() {
            report_too_large(span, sink);
        } else if !fits {
            let of_node = self.terms.is_simple(wanted, Type::Node);
            clash(&types, of_node, span, seen, sink);
        }
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
        if let Some(arity) = function.arity().filter(|arity| *arity != args.len()) {
            let (takes, needs) = match arity {
                1 => ("one value", "needs one argument"),
                _ => ("two values", "needs two arguments"),
            };
            let message = format!("`{}` aggregates {takes}, but {} are given", function.name(), args.len());
            sink.error(Code::E0404, span, message, needs);
            return self.terms.fresh();
        }
        let types: Vec<Term> = args.iter().map(|arg| self.expression(arg, sink)).collect();
        let int = Term::Known(Type::Int);
        match (function, types.as_slice()) {
            (Aggregate::Min | Aggregate::Max | Aggregate::Choose, [value]) => *value,
            (Aggregate::ArgMin | Aggregate::ArgMax, [_, value]) => *value,
            (Aggregate::List, [value]) => self.terms.build(Shape::List, vec![*value]),
            (Aggregate::Set, [value]) => self.terms.build(Shape::Set, vec![*value]),
            (Aggregate::Map, [key, value]) => self.terms.build(Shape::Map, vec![*key, *value]),
            (Aggregate::Quorum, [number, value]) => {
                self.unify(int, *number, args[0].span, sink);
                self.terms.build(Shape::List, vec![*value])
            }
            (Aggregate::Sum, [number]) => {
                self.unify(int, *number, args[0].span, sink);
                int
            }
            _ => int,
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
            Literal::In { element, collection, .. } => {
                let found = self.expression(collection, sink);
                let member = self.expression(element, sink);
                self.wait(Waiting::In { collection: found, of: collection.span, member, span: element.span }, sink);
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
    fn argument(&mut self, function: &str, wanted: Term, found: Term, span: Span, sink: &mut Sink) -> bool {
        let (wanted_type, found_type) = (self.terms.describe(wanted), self.terms.describe(found));
        let seen = self.terms.seen(found);
        let fits = self.terms.merge(wanted, found, span);
        if self.terms.was_overfull() {
            report_too_large(span, sink);
            return false;
        }
        if fits {
            return true;
        }
        let message = format!("`{function}` takes a value of type {wanted_type}, found one of type {found_type}");
        let label = format!("of type {found_type}, should be {wanted_type}");
        let diagnostic = sink.start(Code::E0301, message).label(span, label);
        sink.push(because(diagnostic, seen, span));
        false
    }

    fn variable(&mut self, name: &Name) -> Term {
        if let Some(term) = self.variables.get(name) {
            return *term;
        }
        let term = self.terms.fresh();
        self.variables.insert(name.clone(), term);
        term
    }

    fn expression(&mut self, expr: &Expr, sink: &mut Sink) -> Term {
        match &expr.kind {
            ExprKind::Variable(name) => self.variable(name),
            ExprKind::Constant(value) => self.terms.of_value(value),
            ExprKind::Param(name) => match self.params.get(name) {
                Some(ty) => Term::Known(*ty),
                None => self.terms.fresh(),
            },
            ExprKind::Me => Term::Known(Type::Node),
            ExprKind::Wildcard => self.terms.fresh(),
            ExprKind::Call(function, args) => match self.externs.get(function).cloned() {
                Some(declared) => self.call_declared(function.get(), declared, args, expr.span, sink),
                None => self.call(function.get(), args, expr.span, sink),
            },
            ExprKind::Construct(constructor, parts) => self.construct(*constructor, parts, sink),
            ExprKind::Field { value, name, .. } => {
                let of = self.expression(value, sink);
                let result = self.terms.fresh();
                let field = address(expr);
                self.wait(Waiting::Field { of, name: name.clone(), result, field, span: expr.span }, sink);
                result
            }
        }
    }

    fn construct(&mut self, constructor: Constructor, parts: &[Expr], sink: &mut Sink) -> Term {
        match constructor {
            Constructor::List => {
                let element = self.terms.fresh();
                parts.iter().for_each(|part| self.expect(element, part, sink));
                self.terms.build(Shape::List, vec![element])
            }
            Constructor::Tuple => {
                let fields: Vec<Term> = parts.iter().map(|part| self.expression(part, sink)).collect();
                self.terms.build(Shape::Tuple(fields.len()), fields)
            }
            Constructor::Record(record) => {
                for ((_, ty), part) in record.fields.iter().zip(parts) {
                    self.expect(Term::Known(*ty), part, sink);
                }
                Term::Known(Type::Record(record))
            }
        }
    }

    fn call(&mut self, function: &'static Function, args: &[Expr], span: Span, sink: &mut Sink) -> Term {
        if !function.signature.takes(args.len()) {
            report_arity(function, args.len(), span, sink);
            return self.terms.fresh();
        }
        match function.signature {
            Signature::OneOf([scheme]) => self.call_scheme(function, scheme, args, sink),
            Signature::OneOf(schemes) => {
                let terms: Vec<Term> = args.iter().map(|arg| self.expression(arg, sink)).collect();
                let spans = args.iter().map(|arg| arg.span).collect();
                let result = self.terms.fresh();
                let schemes = schemes.iter().filter(|scheme| scheme.parameters.len() == args.len()).collect();
                self.wait(Waiting::Call { function, schemes, args: terms, spans, result, span }, sink);
                result
            }
            Signature::Variadic { fixed, result } => {
                for (position, arg) in args.iter().enumerate() {
                    let found = self.expression(arg, sink);
                    let wanted = fixed.get(position).map(|ty| Term::Known(*ty));
                    if wanted.is_some_and(|wanted| !self.argument(function.name, wanted, found, arg.span, sink)) {
                        return self.terms.fresh();
                    }
                }
                Term::Known(result)
            }
        }
    }

    fn call_declared(
        &mut self,
        function: &Function,
        (parameters, result): (Vec<Type>, Type),
        args: &[Expr],
        span: Span,
        sink: &mut Sink,
    ) -> Term {
        if parameters.len() != args.len() {
            report_arity(function, args.len(), span, sink);
        }
        for (arg, ty) in args.iter().zip(parameters) {
            let found = self.expression(arg, sink);
            if !self.argument(function.name, Term::Known(ty), found, arg.span, sink) {
                break;
            }
        }
        Term::Known(result)
    }

    fn call_scheme(&mut self, function: &Function, scheme: &Scheme, args: &[Expr], sink: &mut Sink) -> Term {
        let mut variables = BTreeMap::new();
        for (arg, parameter) in args.iter().zip(scheme.parameters) {
            let found = self.expression(arg, sink);
            let wanted = self.terms.of_pattern(parameter, &mut variables);
            if !self.argument(function.name, wanted, found, arg.span, sink) {
                // What it should have been is unknown: one mistake, one error.
                return self.terms.fresh();
            }
        }
        self.terms.of_pattern(&scheme.result, &mut variables)
    }
}

/// What tells an expression apart from all others while they are at their places.
fn address(expr: &Expr) -> usize {
    std::ptr::from_ref(expr).addr()
}

fn clash(types: &(String, String), of_node: bool, span: Span, seen: Option<(String, Span)>, sink: &mut Sink) {
    let (wanted, found) = types;
    let message = format!("expected a value of type {wanted}, found one of type {found}");
    let diagnostic = sink.start(Code::E0301, message).label(span, format!("of type {found}, should be {wanted}"));
    let diagnostic = because(diagnostic, seen, span);
    sink.push(if of_node {
        diagnostic.help("nodes come from `from`, from the relation of a role, as `server(s)`, or are `me`")
    } else {
        diagnostic
    });
}

/// Adds where a type was seen first, unless the diagnostic is about that place.
fn because(diagnostic: Diagnostic, seen: Option<(String, Span)>, span: Span) -> Diagnostic {
    match seen.filter(|(_, seen)| (seen.start, seen.end) != (span.start, span.end)) {
        Some((ty, seen)) => diagnostic.label(seen, format!("of type {ty} because of this")),
        None => diagnostic,
    }
}

/// Whether properties have made a relation: nobody can declare it.
fn is_of_properties(name: &str) -> bool {
    name.contains(' ')
}

fn report_untyped(span: Span, sink: &mut Sink) {
    let message = "the type of what stands here cannot be inferred";
    let diagnostic = sink.start(Code::E0302, message).label(span, "this fits several types");
    sink.push(
        diagnostic.help("a variable of a message has a type: `none()`, `[]` and their like have none by themselves"),
    );
}

fn report_arity(function: &Function, args: usize, span: Span, sink: &mut Sink) {
    let takes = function.signature.arity();
    let message = format!("the function `{}` takes {takes} arguments, but {args} are given", function.name);
    sink.error(Code::E0206, span, message, plural(args, "argument"));
}

fn report_too_large(span: Span, sink: &mut Sink) {
    let message = "the type of this is too large";
    let diagnostic = sink.start(Code::E0105, message).label(span, "made of too many others");
    sink.push(diagnostic.help("a list of lists of lists has a depth of four; the limit is in the reference"));
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
