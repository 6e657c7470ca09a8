//! What moved rules read that does not come to them by itself, and how it is forwarded.
//!
//! A literal is forwarded as the values that it binds: the forwarding rule has the same literal, with its constants and repeated
//! variables, so that only what matches is sent, and only the columns that are looked at.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Column, Expr, ExprKind, HeadArg, Name, Rule};
use menard_value::Type;

use super::scope::{START, Scope, aggregates, count_uses, fills};
use crate::edit::{expr, fresh, is_declared, is_used, variable};

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

    /// Whether moved rules fill a relation.
    pub fn fills(&self, relation: &str) -> bool {
        self.filled_there.contains(relation)
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
        let reads_fed = || self.scope.references(rule).iter().any(|name| fed.contains(name));
        self.forwarded(rule).next().is_some() || reads_fed()
    }
}

/// How a literal is forwarded.
pub fn forward(scope: &Scope<'_>, rule: &Rule, atom: &Atom) -> Forward {
    let types = column_types(scope, &atom.relation);
    let is_taken =
        |name: &str| is_used(scope.program, name) || rule.variables.iter().any(|(variable, _)| variable == name);
    let uses = count_uses(rule);
    // A variable that occurs nowhere else is as good as `_`, but for aggregates that count solutions by their variables.
    let is_looked_at = |arg: &Expr| match &arg.kind {
        ExprKind::Variable(name) => aggregates(rule) || uses.get(name).is_some_and(|uses| *uses > 1),
        _ => true,
    };
    let pass = |forward: &mut Forward, arg: &Expr, ty| match is_looked_at(arg) {
        true => forward.pass(arg, ty, is_taken),
        false => expr(ExprKind::Wildcard),
    };
    let mut forward =
        Forward { literal: Atom { negated: false, ..atom.clone() }, columns: Vec::new(), args: Vec::new() };
    forward.literal.from =
        atom.from.as_ref().filter(|from| is_looked_at(from)).map(|from| forward.pass(from, Type::Node, is_taken));
    forward.literal.args = atom.args.iter().zip(types).map(|(arg, ty)| pass(&mut forward, arg, ty)).collect();
    forward
}

/// What those that read a relation ask about who sent its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// Nothing.
    Any,
    /// All of them, that it was this node.
    Me,
    /// Some of them, who it was.
    Told,
}

impl Sender {
    /// By these literals.
    pub fn asked_by<'a>(literals: impl IntoIterator<Item = &'a Atom>) -> Sender {
        let asked: Vec<Option<&Expr>> = literals.into_iter().map(|literal| literal.from.as_ref()).collect();
        if asked.iter().all(Option::is_none) {
            Sender::Any
        } else if asked.iter().all(|from| from.is_some_and(|from| from.kind == ExprKind::Me)) {
            Sender::Me
        } else {
            Sender::Told
        }
    }
}

/// How a relation that several literals read in different ways is forwarded: with all columns, and the sender if one of them asks for it.
pub fn forward_whole(scope: &Scope<'_>, atom: &Atom, sender: Sender) -> Forward {
    let mut columns: Vec<Column> = Vec::new();
    let mut add = |name: &str, ty| {
        let is_taken =
            |name: &str| columns.iter().any(|column| column.name == name) || is_declared(scope.program, name);
        let name = fresh(name, is_taken);
        columns.push(Column { name: name.clone(), ty });
        variable(name)
    };
    let from = match sender {
        Sender::Any => None,
        Sender::Me => Some(expr(ExprKind::Me)),
        Sender::Told => Some(add("sender", Type::Node)),
    };
    let types = column_types(scope, &atom.relation);
    let named = scope.program.channel(&atom.relation).map(|channel| &channel.columns);
    let named = named.or_else(|| scope.component.relation(&atom.relation).map(|relation| &relation.columns));
    let name = |position: usize| named.map_or("node", |columns| columns[position].name.as_str());
    let args = types.into_iter().enumerate().map(|(position, ty)| add(name(position), ty)).collect();
    let literal = Atom { negated: false, args, from, ..atom.clone() };
    Forward { literal, columns, args: Vec::new() }
}

/// What a literal has in the columns of what was forwarded whole, by this literal.
pub fn args_of_whole(forwarded: &Atom, literal: &Atom) -> Vec<Expr> {
    let sender = || literal.from.clone().unwrap_or_else(|| expr(ExprKind::Wildcard));
    tells_sender(forwarded).then(sender).into_iter().chain(literal.args.iter().cloned()).collect()
}

/// Whether the sender is a column of what was forwarded whole, by this literal.
pub fn tells_sender(forwarded: &Atom) -> bool {
    forwarded.from.as_ref().is_some_and(|from| from.kind != ExprKind::Me)
}

fn column_types(scope: &Scope<'_>, name: &str) -> Vec<Type> {
    if name == START {
        return Vec::new();
    }
    if scope.program.role(name).is_some() {
        return vec![Type::Node];
    }
    let columns = match scope.program.channel(name) {
        Some(channel) => &channel.columns,
        None => &scope.component.relation(name).expect("a checked rule reads relations that exist").columns,
    };
    columns.iter().map(|column| column.ty).collect()
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
            _ => fresh("value", |name| is_column(name) || is_taken(name)),
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

/// Whether two rules for one head read the same facts, and tell all their values at the same places of the head: then equal heads come
/// from one fact, which arrives once.
pub fn tell_alike<'a>(supply: &Supply<'a>, left: &'a Rule, right: &'a Rule) -> bool {
    if left.delete || right.delete {
        return false;
    }
    let scope = supply.scope;
    let only = |rule: &'a Rule| {
        let mut read = scope.literals(rule).filter(|atom| !atom.negated);
        read.next().filter(|_| read.next().is_none())
    };
    let (Some(here), Some(there)) = (only(left), only(right)) else { return false };
    let told_alike = |(here, there): (&Expr, &Expr)| {
        let is_constant = matches!(here.kind, ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me);
        is_constant && here.kind == there.kind || {
            let pairs = head_terms(left).zip(head_terms(right));
            is_variable(here)
                && is_variable(there)
                && pairs.into_iter().any(|pair| pair == (Some(&here.kind), Some(&there.kind)))
        }
    };
    match (supply.is_forwarded(here), supply.is_forwarded(there)) {
        (true, true) => {
            let (here, there) = (forward(scope, left, here), forward(scope, right, there));
            same_pattern(&here, &there) && here.args.iter().zip(&there.args).all(told_alike)
        }
        (false, false) => {
            let terms = || here.args.iter().chain(&here.from).zip(there.args.iter().chain(&there.from));
            here.relation == there.relation
                && here.new == there.new
                && here.from.is_some() == there.from.is_some()
                && terms().all(told_alike)
        }
        _ => false,
    }
}

/// The arguments of a head and its destination, but for aggregates.
fn head_terms(rule: &Rule) -> impl Iterator<Item = Option<&ExprKind>> {
    fn arg(arg: &HeadArg) -> Option<&ExprKind> {
        match arg {
            HeadArg::Expr(expr) => Some(&expr.kind),
            HeadArg::Aggregate { .. } => None,
        }
    }
    rule.head.args.iter().map(arg).chain(rule.head.at.iter().map(|at| Some(&at.kind)))
}

fn is_variable(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Variable(_))
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
