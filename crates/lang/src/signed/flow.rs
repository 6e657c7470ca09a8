//! How the columns of a message go through rules.

use std::collections::{BTreeMap, VecDeque};

use menard_value::{FunctionId, Type};

use super::{RequestSignature, Term, function};
use crate::ir::{
    Atom, Channel, Comparison, Component, Expr, ExprKind, HeadArg, Literal, Name, Program, Rule, RuleKind,
};

/// The most ways in which a relation has parts of a message; a rule that calls itself could find more and more.
const MAX_VIEWS: usize = 16;
/// The deepest term.
const MAX_DEPTH: usize = 8;

/// What the facts of a relation have of a message.
#[derive(Clone, PartialEq, Debug)]
struct View<'p> {
    /// Of the component that is named, or a channel.
    relation: (Option<&'p Name>, &'p Name),
    columns: Vec<Option<Term>>,
    sender: Option<Term>,
    /// What `me` is to who reads it.
    me: Option<Term>,
}

/// The signatures of a channel from an external role.
pub(super) fn signatures(program: &Program, channel: &Channel) -> Vec<RequestSignature> {
    let has_signature = |ty: Type| ty.contains(|part| part == Type::Signature);
    let mut found = Vec::new();
    if !channel.columns.iter().any(|column| has_signature(column.ty)) {
        return found;
    }
    let columns = (0..channel.columns.len()).map(|column| Some(Term::Column(column))).collect();
    let start = View { relation: (None, &channel.name), columns, sender: Some(Term::Sender), me: Some(Term::Receiver) };
    let mut known = vec![start.clone()];
    let mut waiting = VecDeque::from([start]);
    while let Some(view) = waiting.pop_front() {
        for component in &program.components {
            if view.relation.0.is_some_and(|owner| *owner != component.name) {
                continue;
            }
            for rule in component.rules.iter().filter(|rule| !rule.delete) {
                for atom in rule.positive_atoms().filter(|atom| atom.relation == *view.relation.1) {
                    let reader = Reader::new(program, rule, atom, &view);
                    reader.collect(channel, &mut found);
                    let handed_on = reader.handed_on(component);
                    let others = known.iter().filter(|other| other.relation == handed_on.relation).count();
                    let has_columns = handed_on.columns.iter().any(Option::is_some);
                    if has_columns && others < MAX_VIEWS && !known.contains(&handed_on) {
                        known.push(handed_on.clone());
                        waiting.push_back(handed_on);
                    }
                }
            }
        }
    }
    found
}

/// A rule that reads a view.
struct Reader<'p> {
    program: &'p Program,
    rule: &'p Rule,
    me: Option<Term>,
    variables: BTreeMap<&'p Name, Term>,
}

impl<'p> Reader<'p> {
    fn new(program: &'p Program, rule: &'p Rule, atom: &'p Atom, view: &View<'p>) -> Self {
        let mut reader = Reader { program, rule, me: view.me.clone(), variables: BTreeMap::new() };
        for (arg, term) in atom.args.iter().zip(&view.columns).chain(atom.from.iter().zip([&view.sender])) {
            if let (Some(variable), Some(term)) = (arg.as_variable(), term) {
                reader.variables.entry(variable).or_insert_with(|| term.clone());
            }
        }
        while reader.name_more() {}
        reader
    }

    /// Takes note of a variable that equals a term; whether there was one.
    fn name_more(&mut self) -> bool {
        for literal in &self.rule.body {
            let named = match literal {
                Literal::Bind { variable, value, .. } => self.named(variable, value),
                Literal::Compare { op: Comparison::Equal, left, right, .. } => {
                    let named = |variable: &'p Expr, value| self.named(variable.as_variable()?, value);
                    named(left, right).or_else(|| named(right, left))
                }
                _ => None,
            };
            if let Some((variable, term)) = named {
                self.variables.insert(variable, term);
                return true;
            }
        }
        false
    }

    fn named(&self, variable: &'p Name, value: &Expr) -> Option<(&'p Name, Term)> {
        if self.variables.contains_key(variable) { None } else { Some((variable, self.term(value)?)) }
    }

    /// What an expression is in terms of the message, if nothing else is in it.
    fn term(&self, expr: &Expr) -> Option<Term> {
        let all = |parts: &[Expr]| parts.iter().map(|part| self.term(part)).collect::<Option<Vec<_>>>();
        let term = match &expr.kind {
            ExprKind::Variable(name) => self.variables.get(name)?.clone(),
            ExprKind::Wildcard => return None,
            ExprKind::Constant(value) => Term::Constant(value.clone()),
            ExprKind::Param(name) => Term::Constant(self.program.param(name)?.value.clone()),
            ExprKind::Me => self.me.clone()?,
            ExprKind::Call(function, parts) => Term::Call(*function, all(parts)?),
            ExprKind::Construct(constructor, parts) => Term::Construct(*constructor, all(parts)?),
            ExprKind::Field { value, position, .. } => self.term(value)?.field(*position),
        };
        (term.depth() <= MAX_DEPTH).then_some(term)
    }

    /// Adds the signatures that the rule verifies.
    fn collect(&self, channel: &Channel, found: &mut Vec<RequestSignature>) {
        let verify = function("verify");
        for expr in self.rule.expressions() {
            expr.visit(&mut |expr| {
                let Some(signature) = self.verified(expr, verify, channel) else { return };
                let is_known =
                    |known: &RequestSignature| (known.column, &known.path) == (signature.column, &signature.path);
                if !found.iter().any(is_known) {
                    found.push(signature);
                }
            });
        }
    }

    fn verified(&self, expr: &Expr, verify: FunctionId, channel: &Channel) -> Option<RequestSignature> {
        let ExprKind::Call(function, args) = &expr.kind else { return None };
        let [signature, signer, covered @ ..] = args.as_slice() else { return None };
        if *function != verify {
            return None;
        }
        let (column, path) = self.term(signature)?.place()?;
        let covered = covered.iter().map(|expr| self.term(expr)).collect::<Option<Vec<_>>>()?;
        let (channel, signer) = (channel.name.clone(), self.term(signer)?);
        Some(RequestSignature { channel, column, path, signer, covered, is_real: false })
    }

    /// What the head has of the message.
    fn handed_on(&self, component: &'p Component) -> View<'p> {
        let head = &self.rule.head;
        let column = |arg: &HeadArg| match arg {
            HeadArg::Expr(expr) => self.term(expr).filter(|term| !matches!(term, Term::Constant(_))),
            HeadArg::Aggregate { .. } => None,
        };
        let leaves = self.rule.kind == RuleKind::Async;
        View {
            relation: ((!leaves).then_some(&component.name), &head.relation),
            columns: head.args.iter().map(column).collect(),
            sender: None,
            me: self.me.clone().filter(|_| !leaves),
        }
    }
}
