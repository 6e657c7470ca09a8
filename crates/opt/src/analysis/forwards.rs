//! What moved rules read that does not come to them by itself, and how it is forwarded.
//!
//! A literal is forwarded as the values that it binds: the forwarding rule has the same literal, with its constants and repeated
//! variables, so that only what matches is sent, and only the columns that are looked at.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Column, Expr, ExprKind, Name, Rule};
use menard_value::Type;

use super::scope::{Scope, atoms, fills};
use crate::edit::{fresh, is_used, variable};

/// A literal of a moved rule that reads what stays.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The literal as the forwarding rule has it, positive.
    pub literal: Atom,
    /// One column for each value that is forwarded.
    pub columns: Vec<Column>,
    /// What the moved rule has in these columns.
    pub args: Vec<Expr>,
}

/// How moved rules get what they read.
pub struct Supply<'a> {
    scope: &'a Scope<'a>,
    /// Relations and channels that rules that stay read.
    read_here: BTreeSet<&'a str>,
    /// Relations that moved rules fill.
    filled_there: BTreeSet<&'a str>,
}

impl<'a> Supply<'a> {
    /// For these moved and staying rules of a scope.
    pub fn new(scope: &'a Scope<'a>, moving: &[&'a Rule], staying: &[&'a Rule]) -> Self {
        let read_here = staying.iter().flat_map(|rule| scope.references(rule)).collect();
        Supply { scope, read_here, filled_there: moving.iter().filter_map(|rule| fills(rule)).collect() }
    }

    /// Whether an atom of a moved rule reads what stays: a relation that moved rules do not fill, or a channel that cannot be
    /// redirected, because rules that stay read it or an external role sends on it.
    pub fn is_forwarded(&self, atom: &Atom) -> bool {
        let name = atom.relation.as_str();
        match self.scope.program.channel(name) {
            Some(_) => self.read_here.contains(name) || self.scope.is_from_outside(name),
            None => !self.filled_there.contains(name),
        }
    }

    /// The atoms of a moved rule that are forwarded.
    pub fn forwarded(&self, rule: &'a Rule) -> impl Iterator<Item = &'a Atom> {
        self.scope.literals(rule).filter(|atom| self.is_forwarded(atom))
    }

    /// Moved relations that depend on something forwarded, directly or not.
    pub fn fed(&self, moving: &[&'a Rule]) -> BTreeSet<&'a str> {
        let mut fed = BTreeSet::new();
        loop {
            let before = fed.len();
            let more: Vec<&str> =
                moving.iter().filter(|rule| self.is_fed(rule, &fed)).filter_map(|rule| fills(rule)).collect();
            fed.extend(more);
            if fed.len() == before {
                return fed;
            }
        }
    }

    /// Whether a moved rule reads something forwarded or fed.
    pub fn is_fed(&self, rule: &'a Rule, fed: &BTreeSet<&str>) -> bool {
        self.forwarded(rule).next().is_some() || atoms(rule).any(|atom| fed.contains(atom.relation.as_str()))
    }
}

/// How a literal is forwarded.
pub fn forward(scope: &Scope<'_>, rule: &Rule, atom: &Atom) -> Forward {
    let types: Vec<Type> = match scope.program.channel(&atom.relation) {
        Some(channel) => channel.columns.iter().map(|column| column.ty).collect(),
        None => {
            let relation = scope.component.relation(&atom.relation).expect("a checked rule reads relations that exist");
            relation.columns.iter().map(|column| column.ty).collect()
        }
    };
    let is_taken =
        |name: &str| is_used(scope.program, name) || rule.variables.iter().any(|(variable, _)| variable == name);
    let mut forward =
        Forward { literal: Atom { negated: false, ..atom.clone() }, columns: Vec::new(), args: Vec::new() };
    forward.literal.from = atom.from.as_ref().map(|from| forward.pass(from, Type::Node, is_taken));
    forward.literal.args = atom.args.iter().zip(types).map(|(arg, ty)| forward.pass(arg, ty, is_taken)).collect();
    forward
}

impl Forward {
    /// Adds a column for an argument if it tells the reader something, and gives the argument of the forwarding rule's literal. A call is
    /// computed by the reader; the literal then has a variable.
    fn pass(&mut self, arg: &Expr, ty: Type, is_taken: impl Fn(&str) -> bool) -> Expr {
        let is_column = |name: &str| self.columns.iter().any(|column| column.name == name);
        let name = match &arg.kind {
            ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => return arg.clone(),
            ExprKind::Variable(name) if is_column(name) => return arg.clone(),
            ExprKind::Variable(name) => name.clone(),
            ExprKind::Call(..) => fresh("value", |name| is_column(name) || is_taken(name)),
        };
        self.args.push(arg.clone());
        self.columns.push(Column { name: name.clone(), ty });
        variable(name)
    }
}

/// Whether two literals are the same but for the names of variables, so that one message serves both.
pub fn same_pattern(left: &Forward, right: &Forward) -> bool {
    pattern(left) == pattern(right)
}

/// The literal with its columns numbered.
fn pattern(forward: &Forward) -> Atom {
    let rename = |expr: &Expr| match &expr.kind {
        ExprKind::Variable(name) => {
            let position = forward.columns.iter().position(|column| column.name == *name);
            variable(Name::from(format!("{}", position.expect("every variable of a forwarded literal is a column"))))
        }
        _ => expr.clone(),
    };
    let mut atom = forward.literal.clone();
    atom.args = atom.args.iter().map(rename).collect();
    atom.from = atom.from.as_ref().map(rename);
    atom
}
