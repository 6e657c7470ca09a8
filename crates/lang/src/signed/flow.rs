//! How the columns of a message go through rules.

use std::collections::{BTreeMap, VecDeque};

use menard_value::{Node, Type, Value};

use super::{Proof, RequestSignature, Term, function};
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
    /// Whether who reads it is who was addressed.
    is_first: bool,
}

/// The signatures of a channel from an external role.
pub(super) fn signatures(program: &Program, channel: &Channel) -> Vec<RequestSignature> {
    let has_signature = |ty: Type| ty.contains(|part| matches!(part, Type::Signature | Type::Mac));
    let mut found = Vec::new();
    if !channel.columns.iter().any(|column| has_signature(column.ty)) {
        return found;
    }
    let columns = (0..channel.columns.len()).map(|column| Some(Term::Column(column))).collect();
    let start = View { relation: (None, &channel.name), columns, sender: Some(Term::Sender), is_first: true };
    let mut known = vec![start.clone()];
    let mut waiting = VecDeque::from([start]);
    while let Some(view) = waiting.pop_front() {
        for component in &program.components {
            if view.relation.0.is_some_and(|owner| *owner != component.name) {
                continue;
            }
            for rule in component.rules.iter().filter(|rule| !rule.delete) {
                for atom in rule.positive_atoms().filter(|atom| atom.relation == *view.relation.1) {
                    let reader = Reader::new(program, component, rule, (atom, &view));
                    reader.collect(channel, &mut found);
                    let handed_on = reader.handed_on();
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
    component: &'p Component,
    rule: &'p Rule,
    is_first: bool,
    variables: BTreeMap<&'p Name, Term>,
}

impl<'p> Reader<'p> {
    fn new(
        program: &'p Program,
        component: &'p Component,
        rule: &'p Rule,
        (atom, view): (&'p Atom, &View<'p>),
    ) -> Self {
        let mut reader = Reader { program, component, rule, is_first: view.is_first, variables: BTreeMap::new() };
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
            ExprKind::Me => Term::Reader,
            ExprKind::Call(function, parts) => Term::Call(*function, all(parts)?),
            ExprKind::Construct(constructor, parts) => Term::Construct(*constructor, all(parts)?),
            ExprKind::Field { value, position, .. } => self.term(value)?.field(*position),
        };
        (term.depth() <= MAX_DEPTH).then_some(term)
    }

    /// Adds the signatures and MACs that the rule verifies.
    fn collect(&self, channel: &Channel, found: &mut Vec<RequestSignature>) {
        for expr in self.rule.expressions() {
            expr.visit(&mut |expr| {
                let Some(signature) = self.verified(expr, channel) else { return };
                let is_known = |known: &RequestSignature| {
                    (known.column, &known.path) == (signature.column, &signature.path)
                        && !are_for_others(&known.proof, &signature.proof)
                };
                if !found.iter().any(is_known) {
                    found.push(signature);
                }
            });
        }
    }

    fn verified(&self, expr: &Expr, channel: &Channel) -> Option<RequestSignature> {
        let ExprKind::Call(function, args) = &expr.kind else { return None };
        match function.get().name {
            "verify" => {
                let [signature, signer, covered @ ..] = args.as_slice() else { return None };
                self.request(channel, Proof::Signature, self.term(signature)?, (signer, covered))
            }
            "verify_mac" => {
                let [mac, sender, _, covered @ ..] = args.as_slice() else { return None };
                let (proof, place) = self.proof(self.term(mac)?)?;
                self.request(channel, proof, place, (sender, covered))
            }
            _ => None,
        }
    }

    /// What a MAC that is verified is of, and the place that it or the whole of it has in a message.
    fn proof(&self, mac: Term) -> Option<(Proof, Term)> {
        let Term::Call(taken, mut parts) = mac else { return Some((Proof::Mac(self.reader()?), mac)) };
        let (Some(key), Some(whole), true) = (parts.pop(), parts.pop(), taken == function("get")) else { return None };
        let is_list = key == Term::Call(function("index_of"), vec![Term::Reader]);
        let role = self.program.role_index(&self.component.role)?;
        let nodes = self.program.roles.get(usize::from(role))?.nodes;
        let readers = (0..nodes).map(|index| Node { role, index }).collect();
        (is_list || key == Term::Reader).then_some((Proof::Authenticator { readers, is_list }, whole))
    }

    /// The one who reads, if it is the same one whoever is asked.
    fn reader(&self) -> Option<Term> {
        let role = self.program.role_index(&self.component.role)?;
        let is_alone = self.program.roles.get(usize::from(role))?.nodes == 1;
        let alone = || Term::Constant(Value::Node(Node { role, index: 0 }));
        if self.is_first { Some(Term::Receiver) } else { is_alone.then(alone) }
    }

    fn request(
        &self,
        channel: &Channel,
        proof: Proof,
        place: Term,
        (signer, covered): (&Expr, &[Expr]),
    ) -> Option<RequestSignature> {
        let reader = match &proof {
            Proof::Authenticator { .. } => Some(Term::Reader),
            Proof::Signature | Proof::Mac(_) => self.reader(),
        };
        let term = |expr: &Expr| known_to(reader.as_ref(), self.term(expr)?);
        let (column, path) = place.place()?;
        let covered = covered.iter().map(term).collect::<Option<Vec<_>>>()?;
        let signer = known_to(self.reader().as_ref(), self.term(signer)?)?;
        Some(RequestSignature { channel: channel.name.clone(), column, path, proof, signer, covered, is_real: false })
    }

    /// What the head has of the message.
    fn handed_on(&self) -> View<'p> {
        let head = &self.rule.head;
        let leaves = self.rule.kind == RuleKind::Async;
        let reader = if leaves { self.is_first.then_some(Term::Receiver) } else { Some(Term::Reader) };
        let column = |arg: &HeadArg| match arg {
            HeadArg::Expr(expr) => {
                let term = self.term(expr).filter(|term| !matches!(term, Term::Constant(_)))?;
                known_to(reader.as_ref(), term)
            }
            HeadArg::Aggregate { .. } => None,
        };
        View {
            relation: ((!leaves).then_some(&self.component.name), &head.relation),
            columns: head.args.iter().map(column).collect(),
            sender: None,
            is_first: self.is_first && !leaves,
        }
    }
}

/// The term for who reads, if it is the same without.
fn known_to(reader: Option<&Term>, term: Term) -> Option<Term> {
    match reader {
        Some(reader) => Some(term.read_by(reader)),
        None => (!term.has(&Term::Reader)).then_some(term),
    }
}

/// Whether both are MACs, for the nodes of different roles: one message may have them side by side.
fn are_for_others(one: &Proof, other: &Proof) -> bool {
    match (one, other) {
        (Proof::Authenticator { readers: one, .. }, Proof::Authenticator { readers: other, .. }) => one != other,
        _ => false,
    }
}
