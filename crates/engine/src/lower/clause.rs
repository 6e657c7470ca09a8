//! Rules as lowering sees them: relations are stores, variables are numbers, parameters are their values.

use menard_lang::ir::{self, Comparison, Constructor, Expr, ExprKind, Name, Program};
use menard_value::{FunctionId, Value};

use crate::plan::{StoreKind, StorePlan};

/// A value in a clause.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Term {
    Variable(usize),
    Wildcard,
    Constant(Value),
    Me,
    Call(FunctionId, Vec<Term>),
    Construct(Constructor, Vec<Term>),
    Field(Box<Term>, usize),
}

/// A relation in a clause.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) store: usize,
    pub(super) negated: bool,
    pub(super) new: bool,
    pub(super) args: Vec<Term>,
}

#[derive(Clone, Debug)]
pub(super) enum Literal {
    Atom(Atom),
    Compare { op: Comparison, left: Term, right: Term },
    Bind { variable: usize, value: Term },
    In { element: Term, collection: Term, negated: bool },
}

/// A body with what is to be derived from it.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) text: String,
    /// The position of the component's rule of which it is the body.
    pub(super) rule: Option<usize>,
    pub(super) head: Vec<Term>,
    pub(super) body: Vec<Literal>,
    /// The number of variables.
    pub(super) variables: usize,
}

impl Literal {
    pub(super) fn as_atom(&self) -> Option<&Atom> {
        match self {
            Literal::Atom(atom) => Some(atom),
            Literal::Compare { .. } | Literal::Bind { .. } | Literal::In { .. } => None,
        }
    }
}

impl Atom {
    /// Whether it holds in single steps only.
    pub(super) fn is_event(&self, stores: &[StorePlan]) -> bool {
        self.new || stores[self.store].kind == StoreKind::Event
    }

    pub(super) fn has_wildcard(&self) -> bool {
        self.args.contains(&Term::Wildcard)
    }
}

impl Clause {
    /// The positions and contents of its relation literals.
    pub(super) fn atoms(&self) -> impl Iterator<Item = (usize, &Atom)> {
        self.body.iter().enumerate().filter_map(|(position, literal)| Some((position, literal.as_atom()?)))
    }

    pub(super) fn positive_atoms(&self) -> impl Iterator<Item = (usize, &Atom)> {
        self.atoms().filter(|(_, atom)| !atom.negated)
    }

    pub(super) fn has_event(&self, stores: &[StorePlan]) -> bool {
        self.atoms().any(|(_, atom)| atom.is_event(stores))
    }

    /// Whether two ways to satisfy the body may agree on all variables.
    pub(super) fn may_repeat_solutions(&self) -> bool {
        self.positive_atoms().any(|(_, atom)| atom.has_wildcard())
    }

    /// Whether two ways to satisfy the body always differ in one of these terms.
    pub(super) fn is_injective_in<'t>(&self, terms: impl Iterator<Item = &'t Term> + Clone) -> bool {
        let given = |variable: &usize| terms.clone().any(|term| *term == Term::Variable(*variable));
        let mut variables = Vec::new();
        self.positive_atoms().for_each(|(_, atom)| atom.args.iter().for_each(|arg| arg.variables(&mut variables)));
        for literal in &self.body {
            if let Literal::In { element, negated: false, .. } = literal {
                element.variables(&mut variables);
            }
        }
        !self.may_repeat_solutions() && variables.iter().all(given)
    }
}

impl Term {
    /// Appends the variables that occur in the term.
    pub(super) fn variables(&self, out: &mut Vec<usize>) {
        match self {
            Term::Variable(variable) => out.push(*variable),
            Term::Call(_, parts) | Term::Construct(_, parts) => parts.iter().for_each(|part| part.variables(out)),
            Term::Field(value, _) => value.variables(out),
            Term::Wildcard | Term::Constant(_) | Term::Me => {}
        }
    }
}

/// Numbers the variables of one rule and translates its parts.
pub(super) struct Translator<'p> {
    program: &'p Program,
    variables: Vec<Name>,
}

impl<'p> Translator<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Translator { program, variables: Vec::new() }
    }

    /// The number of variables so far.
    pub(super) fn variables(&self) -> usize {
        self.variables.len()
    }

    pub(super) fn term(&mut self, expr: &Expr) -> Term {
        match &expr.kind {
            ExprKind::Variable(name) => Term::Variable(self.variable(name)),
            ExprKind::Wildcard => Term::Wildcard,
            ExprKind::Constant(value) => Term::Constant(value.clone()),
            ExprKind::Param(name) => {
                Term::Constant(self.program.param(name).expect("a checked rule uses known parameters").value.clone())
            }
            ExprKind::Me => Term::Me,
            ExprKind::Call(function, args) => Term::Call(*function, args.iter().map(|arg| self.term(arg)).collect()),
            ExprKind::Construct(constructor, parts) => {
                Term::Construct(*constructor, parts.iter().map(|part| self.term(part)).collect())
            }
            ExprKind::Field { value, position, .. } => Term::Field(Box::new(self.term(value)), *position),
        }
    }

    /// `store` gives a relation's store and whether it is a channel, whose first column is the sender.
    pub(super) fn literal(&mut self, literal: &ir::Literal, store: impl Fn(&str) -> (usize, bool)) -> Literal {
        match literal {
            ir::Literal::Atom(atom) => {
                let (store, is_channel) = store(&atom.relation);
                let sender = is_channel.then(|| atom.from.as_ref().map_or(Term::Wildcard, |from| self.term(from)));
                let args = sender.into_iter().chain(atom.args.iter().map(|arg| self.term(arg))).collect();
                Literal::Atom(Atom { store, negated: atom.negated, new: atom.new, args })
            }
            ir::Literal::Compare { op, left, right, .. } => {
                Literal::Compare { op: *op, left: self.term(left), right: self.term(right) }
            }
            ir::Literal::Bind { variable, value, .. } => {
                Literal::Bind { variable: self.variable(variable), value: self.term(value) }
            }
            ir::Literal::In { element, collection, negated, .. } => {
                Literal::In { element: self.term(element), collection: self.term(collection), negated: *negated }
            }
        }
    }

    fn variable(&mut self, name: &Name) -> usize {
        self.variables.iter().position(|known| known == name).unwrap_or_else(|| {
            self.variables.push(name.clone());
            self.variables.len() - 1
        })
    }
}
