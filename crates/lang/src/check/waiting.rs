//! Who waits for all nodes of a role, some of which may crash or keep silent, waits for ever.
//!
//! Looked at are numbers of nodes of a role that something was heard of, by `count` or `quorum`, where a rule asks for more of them than the role has nodes that do
//! not fail. A node that may restart or lose messages is no reason not to wait for it: a protocol may try again. A node is *heard of* if
//! it sent a message: rules have it from `from`, or from a relation that has it from there.

use std::collections::BTreeSet;

use menard_value::Value;

use super::plural;
use crate::constant::evaluate;
use crate::diagnostic::Code;
use crate::ir::{Aggregate, Comparison, Component, Expr, FaultKind, HeadArg, Literal, Name, Program, Role, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn warn(program: &Program, sink: &mut Sink) {
    if program.roles.iter().all(|role| silent(program, role) == 0) {
        return;
    }
    for component in &program.components {
        let scope = Scope { program, component };
        for rule in component.rules.iter().filter(|rule| !rule.delete) {
            for (position, arg) in rule.head.args.iter().enumerate() {
                let HeadArg::Aggregate { function, args, span } = arg else { continue };
                let counted = match (function, args.as_slice()) {
                    (Aggregate::Count, [node]) | (Aggregate::Quorum, [_, node]) => node.as_variable(),
                    _ => None,
                };
                let role = counted.and_then(|node| scope.heard_of(rule, node, &mut BTreeSet::new()));
                let Some(role) = role.filter(|role| silent(program, role) > 0) else { continue };
                let thresholds = match function {
                    Aggregate::Quorum => {
                        scope.number(&args[0]).map(|number| (number, args[0].span)).into_iter().collect()
                    }
                    _ => scope.thresholds(&rule.head.relation, position),
                };
                report(program, role, &thresholds, (*function == Aggregate::Count).then_some(*span), sink);
            }
        }
    }
}

/// How many nodes of a role may say nothing any more.
fn silent(program: &Program, role: &Role) -> u32 {
    let is_silent = |kind| matches!(kind, FaultKind::Crash | FaultKind::Byzantine);
    let faults = program.faults.iter().filter(|fault| fault.role == role.name && is_silent(fault.kind));
    faults.map(|fault| fault.nodes).fold(0, u32::saturating_add).min(role.nodes)
}

fn report(program: &Program, role: &Role, thresholds: &[(i64, Span)], counted: Option<Span>, sink: &mut Sink) {
    let silent = silent(program, role);
    let remaining = role.nodes - silent;
    let mut exceeding = thresholds.iter().filter(|(number, _)| *number > i64::from(remaining));
    let Some((number, span)) = exceeding.next() else { return };
    let of = plural(role.nodes as usize, "node");
    let message = format!("{number} of {of} of `{}` are waited for, and {silent} may never answer", role.name);
    let mut diagnostic = sink.start_warning(Code::E0706, message).label(*span, "this may never be reached");
    for (_, span) in exceeding.take(2) {
        diagnostic = diagnostic.label(*span, "nor this");
    }
    if let Some(counted) = counted {
        diagnostic = diagnostic.label(counted, "counted here");
    }
    sink.push(diagnostic.help(format!("wait for {remaining} at most: so many do not fail")));
}

/// A component of a program.
struct Scope<'p> {
    program: &'p Program,
    component: &'p Component,
}

impl<'p> Scope<'p> {
    /// The role of the nodes in a variable, if they are such that something was heard of them.
    fn heard_of(&self, rule: &'p Rule, node: &Name, asked: &mut BTreeSet<(&'p Name, usize)>) -> Option<&'p Role> {
        let is_it = |expr: &Expr| expr.as_variable() == Some(node);
        rule.positive_atoms().find_map(|atom| {
            if atom.from.as_ref().is_some_and(is_it) {
                let channel = self.program.channel(&atom.relation)?;
                return self.program.role_of_endpoint(&channel.sender);
            }
            let relation = self.component.relation(&atom.relation)?;
            let column = atom.args.iter().position(is_it)?;
            if !asked.insert((&relation.name, column)) {
                return None;
            }
            let filling = |rule: &&Rule| !rule.delete && rule.head.relation == relation.name;
            self.component.rules.iter().filter(filling).find_map(|rule| {
                let node = rule.head.args.get(column)?.as_expr()?.as_variable()?;
                self.heard_of(rule, node, asked)
            })
        })
    }

    /// What rules ask for of a column that has numbers: at least that many.
    fn thresholds(&self, relation: &Name, column: usize) -> Vec<(i64, Span)> {
        let mut found = Vec::new();
        for rule in self.component.rules.iter() {
            for atom in rule.positive_atoms().filter(|atom| atom.relation == *relation) {
                let arg = &atom.args[column];
                found.extend(self.number(arg).map(|number| (number, arg.span)));
                let Some(variable) = arg.as_variable() else { continue };
                found.extend(rule.body.iter().filter_map(|literal| self.bound(literal, variable)));
            }
        }
        found
    }

    /// How large a test makes a variable at least.
    fn bound(&self, literal: &Literal, variable: &Name) -> Option<(i64, Span)> {
        let Literal::Compare { op, left, right, .. } = literal else { return None };
        let is_it = |expr: &Expr| expr.as_variable() == Some(variable);
        let (number, is_exclusive) = match op {
            Comparison::Equal if is_it(left) => (right, false),
            Comparison::Equal if is_it(right) => (left, false),
            Comparison::GreaterEqual if is_it(left) => (right, false),
            Comparison::LessEqual if is_it(right) => (left, false),
            Comparison::Greater if is_it(left) => (right, true),
            Comparison::Less if is_it(right) => (left, true),
            _ => return None,
        };
        Some((self.number(number)?.saturating_add(i64::from(is_exclusive)), number.span))
    }

    fn number(&self, expr: &Expr) -> Option<i64> {
        match evaluate(expr, &self.program.params) {
            Ok(Value::Int(number)) => Some(number),
            _ => None,
        }
    }
}
