//! Channels and components: who sends, who receives, by what key.

use std::collections::BTreeSet;

use crate::diagnostic::Code;
use crate::ir::{Channel, Expr, ExprKind, Name, Program, Role};
use crate::sink::Sink;
use crate::source::Span;
use crate::suggest::nearest;

/// Senders, receivers and the roles of components exist and may be what they are. Counts are not known yet.
pub(super) fn check_endpoints(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        match program.role(&component.role) {
            None => {
                let roles = program.roles.iter().filter(|role| !role.is_foreign()).map(|role| role.name.as_str());
                let what = if component.name == component.role { "component" } else { "component of a role" };
                unknown(
                    sink,
                    component.span,
                    &format!("a {what} `{}`, but no such role", component.role),
                    &component.role,
                    roles,
                );
            }
            Some(role) if role.is_foreign() => {
                let (what, help) = if role.external {
                    ("external", "an external role may be any program")
                } else {
                    ("native", "a native role is a component written in Rust")
                };
                let message = format!("the role `{}` is {what} and has no components", role.name);
                let diagnostic = sink.start(Code::E0611, message).label(component.span, "a component of it");
                sink.push(diagnostic.label(role.span, format!("declared {what}")).help(help));
            }
            Some(role) if component.name != role.name && program.role(&component.name).is_some() => {
                let message =
                    format!("the component `{}` of `{}` has the name of another role", component.name, role.name);
                sink.error(Code::E0205, component.span, message, "this name is the other role's own component");
            }
            Some(_) => {}
        }
    }
    let mut missing = BTreeSet::new();
    for channel in &program.channels {
        for end in [&channel.sender, &channel.receiver] {
            let known = program.component(end).is_some() || program.role(end).is_some_and(Role::is_foreign);
            if !known && missing.insert(end) {
                report_endpoint(program, channel, end, sink);
            }
        }
        let foreign = |name: &Name| program.role(name).filter(|role| role.is_foreign()).map(kind);
        if let (Some(sender), Some(receiver)) = (foreign(&channel.sender), foreign(&channel.receiver)) {
            let message = format!("the channel `{}` goes from {sender} role to {receiver} role", channel.name);
            sink.error(Code::E0610, channel.span, message, "no component has a part in it");
        }
        check_front(program, channel, sink);
    }
}

fn kind(role: &Role) -> &'static str {
    if role.external { "an external" } else { "a native" }
}

/// A sender or receiver that does not exist; said of the first channel that names it.
fn report_endpoint(program: &Program, channel: &Channel, name: &Name, sink: &mut Sink) {
    if program.role(name).is_some() {
        let message = format!("the role `{name}` of the channel `{}` has no component `{name}`", channel.name);
        let diagnostic = sink.start(Code::E0202, message).label(channel.span, "nobody sends or receives this");
        sink.push(diagnostic.help(format!("add `component {name} {{ ... }}`")));
        return;
    }
    let foreign = program.roles.iter().filter(|role| role.is_foreign()).map(|role| role.name.as_str());
    let names = program.components.iter().map(|component| component.name.as_str()).chain(foreign);
    unknown(
        sink,
        channel.span,
        &format!("the channel `{}` names `{name}`, which does not exist", channel.name),
        name,
        names,
    );
}

fn unknown<'a>(sink: &mut Sink, span: Span, message: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) {
    let help = match nearest(name, names.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    let diagnostic = sink.start(Code::E0202, message).label(span, format!("`{name}` does not exist")).help(help);
    sink.push(diagnostic);
}

/// External and native roles know roles, not components: what they send goes to the component with the role's name, which has one partition.
fn check_front(program: &Program, channel: &Channel, sink: &mut Sink) {
    let Some(sender) = program.role(&channel.sender).filter(|role| role.is_foreign()) else { return };
    let Some(receiver) = program.component(&channel.receiver) else { return };
    let problem = if receiver.name != receiver.role {
        format!("`{}` is not the component that `{}` addresses", receiver.name, channel.sender)
    } else if receiver.count.is_some() {
        format!("`{}` is partitioned", receiver.name)
    } else {
        return;
    };
    let message =
        format!("the channel `{}` comes from {} role `{}`: {problem}", channel.name, kind(sender), sender.name);
    let diagnostic = sink.start(Code::E0609, message).label(channel.span, "cannot be received there");
    let help = format!("such a role cannot be changed: it addresses the unpartitioned component `{}`", receiver.role);
    sink.push(diagnostic.label(receiver.span, "the receiver").help(help));
}

/// The key of a channel: there if the receiver is partitioned, over the channel's columns.
pub(super) fn check_keys(program: &Program, sink: &mut Sink) {
    for channel in &program.channels {
        let receiver = program.component(&channel.receiver);
        let partitioned = receiver.filter(|receiver| receiver.count.is_some());
        match (partitioned, channel.by.first()) {
            (Some(receiver), None) => {
                let message = format!("the channel `{}` has no key, but its receiver is partitioned", channel.name);
                let diagnostic = sink.start(Code::E0608, message).label(channel.span, "add `by` and a key");
                sink.push(diagnostic.label(receiver.span, "has partitions"));
            }
            (None, Some(key)) => {
                let message = format!("the channel `{}` has a key, but its receiver has no partitions", channel.name);
                sink.error(Code::E0608, key.span, message, "there is nothing to choose by this key");
            }
            _ => {}
        }
        for expr in &channel.by {
            check_key(channel, expr, sink);
        }
    }
}

fn check_key(channel: &Channel, key: &Expr, sink: &mut Sink) {
    key.visit(&mut |expr| match &expr.kind {
        ExprKind::Variable(name) if !channel.columns.iter().any(|column| column.name == *name) => {
            let names = channel.columns.iter().map(|column| column.name.as_str());
            let message = format!("the channel `{}` has no column `{name}`", channel.name);
            unknown(sink, expr.span, &message, name, names);
        }
        ExprKind::Wildcard | ExprKind::Me => {
            sink.error(Code::E0402, expr.span, "a key is made of columns", "has no value in a key");
        }
        _ => {}
    });
}
