//! Names of parameters, roles, channels, components and declared relations: each once, none that belongs to the language.

use std::collections::BTreeMap;

use crate::diagnostic::Code;
use crate::ir::{Channel, Component, ExprKind, Literal, Name, Program};
use crate::sink::Sink;
use crate::source::Span;
use crate::walk::START;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    let mut globals = BTreeMap::new();
    let params = program.params.iter().map(|param| (&param.name, param.span, "parameter"));
    let roles = program.roles.iter().map(|role| (&role.name, role.span, "role"));
    let what = |channel: &Channel| if channel.is_local_timer() { "timer" } else { "channel" };
    let channels = program.channels.iter().map(|channel| (&channel.name, channel.span, what(channel)));
    for (name, span, what) in params.chain(roles).chain(channels) {
        declare(&mut globals, name, span, what, sink);
    }
    check_columns(program, sink);
    let mut components = BTreeMap::new();
    for component in &program.components {
        declare(&mut components, &component.name, component.span, "component", sink);
        let mut relations = globals.clone();
        for relation in component.relations.iter().filter(|relation| relation.declared) {
            declare(&mut relations, &relation.name, relation.span, "relation", sink);
        }
        check_variables(component, &globals, sink);
    }
}

/// Adds a name, which must be new and free to use.
fn declare<'p>(
    names: &mut BTreeMap<&'p Name, (Span, &'static str)>,
    name: &'p Name,
    span: Span,
    what: &'static str,
    sink: &mut Sink,
) {
    check_reserved(name, span, sink);
    let Some((first, first_what)) = names.insert(name, (span, what)) else { return };
    let message = if first_what == what {
        format!("the {what} `{name}` is declared twice")
    } else {
        format!("the {what} `{name}` has the name of a {first_what}")
    };
    let diagnostic = sink.start(Code::E0205, message).label(span, "declared again").label(first, "declared first");
    sink.push(if what == "timer" {
        diagnostic
            .help("a timer is a channel, and channels are known everywhere: timers of two components need two names")
    } else {
        diagnostic
    });
}

/// Reports the name of a relation, role or parameter that means something in every program.
pub(super) fn check_reserved(name: &Name, span: Span, sink: &mut Sink) {
    // Names of other functions are free: where a function and a relation could stand, it is the relation that is meant.
    let is_function = ["min", "max", "hash", "length", "index_of", "count", "sum"].contains(&name.as_str());
    if is_function || name == START {
        let what = if name == START { "the event of a node's first step" } else { "a function" };
        let diagnostic = sink.start(Code::E0208, format!("`{name}` cannot be declared"));
        let help = "give it another name: `menard explain E0208` lists those that are taken";
        sink.push(diagnostic.label(span, format!("`{name}` is {what}")).help(help));
    }
}

/// In the key of a channel, a name could be a column or a parameter.
fn check_columns(program: &Program, sink: &mut Sink) {
    for channel in &program.channels {
        for column in &channel.columns {
            let Some(param) = program.param(&column.name) else { continue };
            let message =
                format!("the column `{}` of the channel `{}` has the name of a parameter", column.name, channel.name);
            let diagnostic = sink.start(Code::E0207, message).label(channel.span, "has such a column");
            sink.push(diagnostic.label(param.span, "the parameter"));
        }
    }
}

/// A variable with the name of a role looks like the relation of its nodes; parameters were told apart before.
fn check_variables(component: &Component, globals: &BTreeMap<&Name, (Span, &'static str)>, sink: &mut Sink) {
    for rule in &component.rules {
        for expr in rule.expressions() {
            for (variable, span) in expr.variables() {
                if let Some((declared, "role")) = globals.get(variable) {
                    let message = format!("the variable `{variable}` has the name of a role");
                    let diagnostic = sink.start(Code::E0207, message);
                    let diagnostic = diagnostic.label(span, "this would be a variable").label(*declared, "the role");
                    let help = format!("for each node of the role, write `{variable}(x)` and use `x`");
                    sink.push(diagnostic.help(help));
                }
            }
        }
        for literal in &rule.body {
            let Literal::Bind { variable, span, value } = literal else { continue };
            if let Some((declared, what)) =
                globals.get(variable).filter(|(_, what)| !matches!(*what, "channel" | "timer"))
            {
                let message = format!("the variable `{variable}` has the name of a {what}");
                let diagnostic = sink.start(Code::E0207, message).label(*span, "this would bind a variable");
                let compares = matches!(value.kind, ExprKind::Constant(_)) || *what == "parameter";
                let diagnostic = diagnostic.label(*declared, format!("the {what}"));
                sink.push(if compares { diagnostic.help("`==` compares, `=` names a value") } else { diagnostic });
            }
        }
    }
}
