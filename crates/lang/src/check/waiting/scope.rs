//! What one rule derives of what is known of the relations that it reads.

use std::collections::BTreeMap;

use menard_value::Value;

use super::different::different;
use super::extent::Range;
use super::flow::{Flow, Known};
use super::missing::missing;
use super::{Counted, Wait};
use crate::check::settle;
use crate::constant::evaluate;
use crate::ir::{Aggregate, Atom, Comparison, Component, Expr, ExprKind, HeadArg, Literal, Name, Role, Rule};
use crate::source::Span;
use crate::walk::START;

/// What a rule derives.
pub(super) enum Derived<'p> {
    /// Nothing: it reads a relation that has nothing.
    Nothing,
    /// Nothing: it asks for more nodes than answer.
    Waits(Wait<'p>),
    /// Facts of which this is known, column by column.
    Facts(Vec<Known<'p>>),
}

/// A rule, and what is known of its variables.
pub(super) struct Scope<'f, 'p> {
    pub flow: &'f Flow<'p>,
    pub component: &'p Component,
    pub rule: &'p Rule,
    variables: BTreeMap<&'p Name, Known<'p>>,
}

impl<'f, 'p> Scope<'f, 'p> {
    pub fn derive(flow: &'f Flow<'p>, component: &'p Component, rule: &'p Rule) -> Derived<'p> {
        match Scope::of(flow, component, rule) {
            None => Derived::Nothing,
            Some(scope) => scope.and_then(|scope| scope.head()).map_or_else(Derived::Waits, Derived::Facts),
        }
    }

    /// A rule that reads nothing but relations that have something; or what it waits for.
    pub fn of(flow: &'f Flow<'p>, component: &'p Component, rule: &'p Rule) -> Option<Result<Self, Wait<'p>>> {
        let mut scope = Scope { flow, component, rule, variables: BTreeMap::new() };
        let mut read = Vec::new();
        for atom in rule.positive_atoms() {
            read.push((atom, scope.columns(atom)?));
        }
        Some(scope.body(&read).map(|()| scope))
    }

    /// What is known of the columns of what a literal reads, if there is anything.
    fn columns(&self, atom: &'p Atom) -> Option<Vec<Known<'p>>> {
        if let Some(role) = self.flow.program.role(&atom.relation) {
            return Some(vec![Known::Nodes(role)]);
        }
        if atom.relation == START {
            return Some(Vec::new());
        }
        self.flow.columns(settle::key(self.flow.program, self.component, &atom.relation)).map(<[_]>::to_vec)
    }

    /// Gathers what is known of variables.
    fn body(&mut self, read: &[(&'p Atom, Vec<Known<'p>>)]) -> Result<(), Wait<'p>> {
        for (atom, columns) in read {
            for (arg, known) in atom.args.iter().zip(columns) {
                self.meet(arg, *known, arg.span)?;
            }
            if let Some(from) = &atom.from {
                let sender = self.flow.program.channel(&atom.relation).map(|channel| &channel.sender);
                let role = sender.and_then(|sender| self.flow.program.role_of_endpoint(sender));
                self.meet(from, role.map_or(Known::Any, Known::Speakers), from.span)?;
            }
        }
        for literal in &self.rule.body {
            if let Literal::Bind { variable, value, span } = literal {
                let (known, value) = (self.variables.get(variable).copied(), self.known(value));
                let both = known.map_or(Ok(value), |known| both(known, value, *span))?;
                self.variables.insert(variable, both);
            }
        }
        different(self).map_or(Ok(()), Err)?;
        for literal in &self.rule.body {
            match literal {
                Literal::Compare { op, left, right, .. } => self.test(*op, left, right)?,
                Literal::Atom(atom) if atom.negated => missing(self, atom).map_or(Ok(()), Err)?,
                Literal::Atom(_) | Literal::Bind { .. } | Literal::In { .. } => {}
            }
        }
        Ok(())
    }

    /// An argument is what the column has, and the other way round.
    fn meet(&mut self, arg: &'p Expr, column: Known<'p>, at: Span) -> Result<(), Wait<'p>> {
        match arg.as_variable() {
            Some(name) => {
                let known = self.variables.get(name).copied().unwrap_or(Known::Any);
                self.variables.insert(name, both(known, column, at)?);
            }
            None => drop(both(self.known(arg), column, at)?),
        }
        Ok(())
    }

    fn test(&self, op: Comparison, left: &'p Expr, right: &'p Expr) -> Result<(), Wait<'p>> {
        let (a, b) = (self.known(left), self.known(right));
        match op {
            Comparison::Equal => drop(both(a, b, right.span)?),
            Comparison::NotEqual => {}
            Comparison::GreaterEqual => reaches(a, b, 0, right.span)?,
            Comparison::Greater => reaches(a, b, 1, right.span)?,
            Comparison::LessEqual => reaches(b, a, 0, left.span)?,
            Comparison::Less => reaches(b, a, 1, left.span)?,
        }
        Ok(())
    }

    /// What is known of the value of an expression.
    pub fn known(&self, expr: &'p Expr) -> Known<'p> {
        match &expr.kind {
            ExprKind::Variable(name) => self.variables.get(name).copied().unwrap_or(Known::Any),
            ExprKind::Me => self.flow.program.role(&self.component.role).map_or(Known::Any, Known::Speakers),
            ExprKind::Call(function, args) => match (function.get().name, args.as_slice()) {
                ("size", [collection]) => match self.known(collection) {
                    Known::Sized(range) => Known::Number(range),
                    _ => Known::Number(Range::from(0)),
                },
                (operator, [left, right]) => match (operator, self.known(left), self.known(right)) {
                    ("+", Known::Number(a), Known::Number(b)) => Known::Number(a.plus(b)),
                    ("-", Known::Number(a), Known::Number(b)) => Known::Number(a.minus(b)),
                    ("*", Known::Number(a), Known::Number(b)) => Known::Number(a.times(b)),
                    ("/", Known::Number(a), Known::Number(b)) => Known::Number(a.over(b)),
                    _ => self.constant(expr),
                },
                _ => self.constant(expr),
            },
            _ => self.constant(expr),
        }
    }

    fn constant(&self, expr: &Expr) -> Known<'p> {
        match evaluate(expr, &self.flow.program.params) {
            Ok(Value::Int(number)) => Known::Number(Range::exactly(number)),
            _ => Known::Any,
        }
    }

    fn head(&self) -> Result<Vec<Known<'p>>, Wait<'p>> {
        let arg = |arg: &'p HeadArg| match arg {
            HeadArg::Expr(expr) => Ok(self.known(expr)),
            HeadArg::Aggregate { function, args, span } => self.aggregate(*function, args, *span),
        };
        self.rule.head.args.iter().map(arg).collect()
    }

    fn aggregate(&self, function: Aggregate, args: &'p [Expr], span: Span) -> Result<Known<'p>, Wait<'p>> {
        Ok(match (function, args) {
            (Aggregate::Count, []) => Known::Number(self.solutions(span)),
            (Aggregate::Count, args) => Known::Number(self.distinct(args, span)),
            (Aggregate::List | Aggregate::Set | Aggregate::Map, [member, ..]) => {
                Known::Sized(self.distinct(std::slice::from_ref(member), span))
            }
            (Aggregate::Quorum, [number, member]) => match self.known(number) {
                asked @ Known::Number(range) => {
                    reaches(Known::Number(self.distinct(std::slice::from_ref(member), span)), asked, 0, number.span)?;
                    Known::Sized(range)
                }
                _ => Known::Any,
            },
            (Aggregate::Min | Aggregate::Max | Aggregate::Choose, [value])
            | (Aggregate::ArgMax | Aggregate::ArgMin, [_, value]) => self.known(value),
            _ => Known::Any,
        })
    }

    /// How many different tuples of values of these there are in a group.
    fn distinct(&self, values: &'p [Expr], span: Span) -> Range<'p> {
        let again = |position: usize| values[..position].iter().any(|value| value.kind == values[position].kind);
        let open = (0..values.len()).filter(|position| !again(*position) && !self.is_in_group(&values[*position]));
        open.fold(Range::exactly(1), |number, position| combined(number, self.variety(&values[position], span)))
    }

    /// How many solutions there are in a group: as many as there are combinations of values of its variables, but for those that others give.
    fn solutions(&self, span: Span) -> Range<'p> {
        let is_bound = |name: &Name| {
            self.rule.body.iter().any(|literal| matches!(literal, Literal::Bind { variable, .. } if variable == name))
        };
        let is_in_group = |name: &Name| self.group().any(|expr| expr.as_variable() == Some(name));
        let open =
            self.rule.variables.iter().map(|(name, _)| name).filter(|name| !is_bound(name) && !is_in_group(name));
        open.fold(Range::exactly(1), |number, name| combined(number, self.variety_of(name, span)))
    }

    fn group(&self) -> impl Iterator<Item = &'p Expr> {
        self.rule.head.args.iter().filter_map(HeadArg::as_expr).chain(&self.rule.head.at)
    }

    fn is_in_group(&self, value: &Expr) -> bool {
        value.as_variable().is_some() && self.group().any(|expr| expr.as_variable() == value.as_variable())
    }

    /// How many values an expression has within a group.
    fn variety(&self, value: &'p Expr, span: Span) -> Range<'p> {
        match value.as_variable() {
            Some(name) => self.variety_of(name, span),
            None => Range::from(1),
        }
    }

    fn variety_of(&self, name: &'p Name, span: Span) -> Range<'p> {
        match self.variables.get(name) {
            Some(Known::Speakers(role)) => self.flow.speakers(role, Counted { role, span, is_number: true }),
            Some(Known::Nodes(role)) => {
                let low = if self.is_free(name, role) { i64::from(role.nodes) } else { 1 };
                let high = if role.nodes == 0 { i64::MAX } else { i64::from(role.nodes) };
                Range { low, high, counted: None }
            }
            _ => Range::from(1),
        }
    }

    /// Whether a variable can be any node of a role in every group: nothing but the role's relation says anything of it, and the head has nothing that is computed, which
    /// might be different for each node, or undefined.
    fn is_free(&self, name: &Name, role: &Role) -> bool {
        let mut mentioning = self.rule.body.iter().filter(|literal| mentions(literal, name));
        let is_role =
            |literal: &Literal| literal.as_atom().is_some_and(|atom| !atom.negated && atom.relation == role.name);
        let is_plain = |expr: &Expr| expr.parts().is_empty() && expr.as_variable() != Some(name);
        let is_counted = |arg: &HeadArg| match arg {
            HeadArg::Expr(expr) => is_plain(expr),
            HeadArg::Aggregate { args, .. } => args.iter().all(|arg| arg.parts().is_empty()),
        };
        mentioning.next().is_some_and(is_role)
            && mentioning.next().is_none()
            && self.rule.head.args.iter().all(is_counted)
            && self.rule.head.at.as_ref().is_none_or(is_plain)
    }

    /// The variables of nodes that have said something, of roles that keep partly silent.
    pub fn silent_speakers(&self) -> Vec<(&'p Name, &'p Role)> {
        let speaker = |(name, known): (&&'p Name, &Known<'p>)| match known {
            Known::Speakers(role) if self.flow.is_silent(role) => Some((*name, *role)),
            _ => None,
        };
        self.variables.iter().filter_map(speaker).collect()
    }

    /// Whether a test holds whatever values there are, since nodes were counted; and where.
    pub fn always(&self, literal: &'p Literal) -> Option<Counted<'p>> {
        let Literal::Compare { op, left, right, .. } = literal else { return None };
        let (Known::Number(left), Known::Number(right)) = (self.known(left), self.known(right)) else { return None };
        let holds = match op {
            Comparison::Less => left.high < right.low,
            Comparison::LessEqual => left.high <= right.low,
            Comparison::Greater => left.low > right.high,
            Comparison::GreaterEqual => left.low >= right.high,
            Comparison::NotEqual => left.and(right).is_none(),
            Comparison::Equal => false,
        };
        left.counted.or(right.counted).filter(|_| holds)
    }
}

/// Whether a literal has a variable in it.
pub(super) fn mentions(literal: &Literal, name: &Name) -> bool {
    literal.expressions().any(|expr| expr.variables().iter().any(|(variable, _)| *variable == name))
}

/// How many pairs there are.
fn combined<'p>(number: Range<'p>, other: Range<'p>) -> Range<'p> {
    if (number.low, number.high) == (1, 1) { other } else { number.times(other) }
}

/// What is known of a value of which both are known; or what waits for nodes in vain.
fn both<'p>(a: Known<'p>, b: Known<'p>, at: Span) -> Result<Known<'p>, Wait<'p>> {
    Ok(match (a, b) {
        (Known::Any, known) | (known, Known::Any) => known,
        (Known::Number(a), Known::Number(b)) => Known::Number(a.and(b).ok_or_else(|| Wait::of(a, b, 0, at))?),
        (Known::Sized(a), Known::Sized(b)) => Known::Sized(a.and(b).ok_or_else(|| Wait::of(a, b, 0, at))?),
        (Known::Nodes(_), Known::Speakers(_)) => b,
        _ => a,
    })
}

/// A number is, by so much, at least another one.
fn reaches<'p>(number: Known<'p>, other: Known<'p>, more: i64, at: Span) -> Result<(), Wait<'p>> {
    match (number, other) {
        (Known::Number(number), Known::Number(other)) if number.high < other.low.saturating_add(more) => {
            Err(Wait::of(number, other, more, at))
        }
        _ => Ok(()),
    }
}
