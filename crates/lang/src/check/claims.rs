//! What a node may believe, where other nodes may be Byzantine.
//!
//! A message of a *suspect*, a node of a role of which some may be Byzantine, proves who sent it and nothing else: its columns are claims. A node that is
//! counted must be more than claimed ([`nodes`]), and a signature says something only to who verifies it, and only about what it
//! covers ([`signatures`], [`coverage`]); so does a MAC, to whom it is for. All of these are warnings: what a protocol may believe for other reasons, no check can know.

mod coverage;
mod nodes;
mod places;
mod reader;
mod signatures;

use std::collections::BTreeSet;

use menard_value::{FunctionId, Value};

use super::settle::{self, Key};
use crate::ir::{
    Atom, Channel, Comparison, Component, Expr, ExprKind, FaultKind, HeadArg, Literal, Name, Program, Rule, RuleKind,
};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn warn(program: &Program, sink: &mut Sink) {
    let liars = program.faults.iter().filter(|fault| fault.kind == FaultKind::Byzantine && fault.nodes > 0);
    let suspects: BTreeSet<&Name> = liars.map(|fault| &fault.role).collect();
    if suspects.is_empty() {
        return;
    }
    let world = World { program, suspects };
    nodes::warn(&world, sink);
    signatures::warn(&world, sink);
}

/// A program, and of whom it is said that they may lie.
struct World<'p> {
    program: &'p Program,
    suspects: BTreeSet<&'p Name>,
}

/// Where a claim comes in.
#[derive(Clone, Copy)]
struct Entry<'p> {
    channel: &'p Channel,
    span: Span,
}

impl<'p> World<'p> {
    /// Whether who sends what a literal reads of a channel may be a liar. The sender of a timer is the node itself, as it is of what is read `from me`.
    fn is_suspect(&self, channel: &Channel, atom: &Atom) -> bool {
        let role = self.program.role_of_endpoint(&channel.sender);
        let is_own = channel.delay.is_some() || atom.from.as_ref().is_some_and(|from| from.kind == ExprKind::Me);
        !is_own && role.is_some_and(|role| self.suspects.contains(&role.name))
    }

    /// The role of the sender of a channel.
    fn sender(&self, channel: &'p Channel) -> &'p Name {
        self.program.role_of_endpoint(&channel.sender).map_or(&channel.sender, |role| &role.name)
    }

    fn key(&self, component: &'p Component, relation: &'p Name) -> Key<'p> {
        settle::key(self.program, component, relation)
    }

    fn rules(&self) -> impl Iterator<Item = (&'p Component, &'p Rule)> + use<'p> {
        settle::rules(self.program)
    }
}

/// What is made of the result of a `verify` or a `verify_mac`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The rule needs it to be true.
    Holds,
    /// The rule needs it to be false.
    Fails,
    /// The rule passes it on.
    Kept,
}

/// A call `verify(signature, signer, covered, ...)`, or `verify_mac(mac, signer, me, covered, ...)`.
struct Verification<'p> {
    /// As people call it.
    what: &'static str,
    signature: &'p Expr,
    signer: &'p Expr,
    covered: &'p [Expr],
    outcome: Outcome,
    span: Span,
}

/// What a function verifies, and where what is covered begins among its arguments; nothing for other functions.
fn verified(function: FunctionId) -> Option<(&'static str, usize)> {
    match function.get().name {
        "verify" => Some((SIGNATURE, 2)),
        "verify_mac" => Some((MAC, 3)),
        _ => None,
    }
}

const SIGNATURE: &str = "signature";
const MAC: &str = "MAC";

/// The signatures and MACs that a rule verifies.
fn verifications(rule: &Rule) -> Vec<Verification<'_>> {
    let mut found = Vec::new();
    for literal in &rule.body {
        for expr in literal.expressions() {
            let outcome = match literal {
                Literal::Compare { op, left, right, .. } => outcome_of_test(*op, left, right),
                Literal::Bind { variable, .. } => outcome_of_name(rule, variable),
                Literal::Atom(_) | Literal::In { .. } => Outcome::Kept,
            };
            collect(expr, outcome, &mut found);
        }
    }
    let head = rule.head.args.iter().filter_map(HeadArg::as_expr).chain(&rule.head.at);
    head.for_each(|expr| collect(expr, Outcome::Kept, &mut found));
    found
}

fn collect<'p>(expr: &'p Expr, outcome: Outcome, found: &mut Vec<Verification<'p>>) {
    let span = expr.span;
    if let ExprKind::Call(function, args) = &expr.kind
        && let Some((what, covered)) = verified(*function)
    {
        let ([signature, signer, ..], Some(covered)) = (args.as_slice(), args.get(covered..)) else { return };
        found.push(Verification { what, signature, signer, covered, outcome, span });
        return;
    }
    // What another function makes of it is anybody's guess.
    expr.parts().iter().for_each(|part| collect(part, Outcome::Kept, found));
}

fn outcome_of_test(op: Comparison, left: &Expr, right: &Expr) -> Outcome {
    let constant = |expr: &Expr| match &expr.kind {
        ExprKind::Constant(Value::Bool(value)) => Some(*value),
        _ => None,
    };
    match (op, constant(left).or_else(|| constant(right))) {
        (Comparison::Equal, Some(true)) | (Comparison::NotEqual, Some(false)) => Outcome::Holds,
        (Comparison::Equal, Some(false)) | (Comparison::NotEqual, Some(true)) => Outcome::Fails,
        _ => Outcome::Kept,
    }
}

/// What becomes of a result that has a name: `ok = verify(...), ok == true`.
fn outcome_of_name(rule: &Rule, variable: &Name) -> Outcome {
    let tests = rule.body.iter().filter_map(|literal| match literal {
        Literal::Compare { op, left, right, .. }
            if [left, right].iter().any(|side| side.as_variable() == Some(variable)) =>
        {
            Some(outcome_of_test(*op, left, right))
        }
        _ => None,
    });
    tests.into_iter().find(|outcome| *outcome != Outcome::Kept).unwrap_or(Outcome::Kept)
}

/// Whether a relation is read in no other way than for what it lacks, like that of `!( ... )`.
fn is_only_absent(component: &Component, rule: &Rule) -> bool {
    let name = &rule.head.relation;
    let mut reads = component.rules.iter().flat_map(Rule::atoms).filter(|atom| atom.relation == *name).peekable();
    rule.kind == RuleKind::Now && reads.peek().is_some() && reads.all(|atom| atom.negated)
}
