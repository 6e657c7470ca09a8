//! Where messages go: a message to a node of another role than the receiver's is dropped, always.

use crate::diagnostic::Code;
use crate::ir::{Component, Expr, ExprKind, Literal, Name, Program, Rule};
use crate::sink::Sink;

pub(super) fn warn(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for rule in &component.rules {
            if sink.is_full() {
                return;
            }
            check_rule(program, component, rule, sink);
        }
    }
}

fn check_rule(program: &Program, component: &Component, rule: &Rule, sink: &mut Sink) {
    let Some((channel, at)) = program.channel(&rule.head.relation).zip(rule.head.at.as_ref()) else { return };
    let Some(receiver) = program.role_of_endpoint(&channel.receiver).map(|role| &role.name) else { return };
    let Some(role) = role_of(program, component, rule, at).filter(|role| *role != receiver) else { return };
    let message = format!("`{}` goes to nodes of `{receiver}`, and this is one of `{role}`", channel.name);
    let diagnostic = sink.start_warning(Code::E0621, message).label(at.span, format!("a node of `{role}`"));
    let diagnostic = diagnostic.label(channel.span, format!("declared to go to `{}`", channel.receiver));
    sink.push(diagnostic.help("a message to a node of another role is dropped"));
}

/// The role that a node is of, as far as a rule tells.
fn role_of<'p>(program: &'p Program, component: &'p Component, rule: &'p Rule, node: &Expr) -> Option<&'p Name> {
    let variable = match &node.kind {
        ExprKind::Me => return Some(&component.role),
        ExprKind::Variable(name) => name,
        _ => return None,
    };
    let is_it = |expr: &Expr| expr.as_variable() == Some(variable);
    rule.body.iter().find_map(|literal| match literal {
        Literal::Atom(atom) if !atom.negated => {
            let is_role = program.role(&atom.relation).is_some() && atom.args.first().is_some_and(is_it);
            let is_sender = atom.from.as_ref().is_some_and(is_it);
            match (is_role, is_sender) {
                (true, _) => Some(&atom.relation),
                (_, true) => {
                    let channel = program.channel(&atom.relation)?;
                    program.role_of_endpoint(&channel.sender).map(|role| &role.name)
                }
                _ => None,
            }
        }
        Literal::Bind { variable: bound, value, .. } if bound == variable && value.kind == ExprKind::Me => {
            Some(&component.role)
        }
        _ => None,
    })
}
