//! Relations in heads and bodies: they exist, belong to the component, have the right number of arguments, and may be used so.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Type;

use super::names::check_reserved;
use super::plural;
use crate::diagnostic::Code;
use crate::ir::{
    Atom, Channel, Column, Component, Head, HeadArg, Name, Program, Relation, RelationKind, Role, Rule, RuleKind,
    Storage,
};
use crate::sink::Sink;
use crate::source::Span;
use crate::suggest::nearest;
use crate::walk::START;

/// Adds the relations that are derived but not declared; those of wrong `:~` rules too, lest they be called unknown. Types and kinds come
/// later.
pub(super) fn infer(program: &mut Program) {
    let globals: BTreeSet<Name> = program
        .roles
        .iter()
        .map(|role| role.name.clone())
        .chain(program.channels.iter().map(|channel| channel.name.clone()))
        .chain([Name::new_static(START)])
        .collect();
    for component in &mut program.components {
        let mut known: BTreeSet<Name> = component.relations.iter().map(|relation| relation.name.clone()).collect();
        for rule in &component.rules {
            let name = &rule.head.relation;
            if rule.delete || globals.contains(name) || !known.insert(name.clone()) {
                continue;
            }
            component.relations.push(Relation {
                name: name.clone(),
                columns: columns_of(&rule.head),
                kind: RelationKind::View,
                storage: Storage::default(),
                declared: false,
                span: rule.head.span,
            });
        }
    }
}

/// Columns named after the variables of a head, numbered where there is none or it repeats.
fn columns_of(head: &Head) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (index, arg) in head.args.iter().enumerate() {
        let variable = match arg {
            HeadArg::Expr(expr) => expr.as_variable(),
            HeadArg::Aggregate { .. } => None,
        };
        let fresh = variable.filter(|name| !columns.iter().any(|column| column.name == **name));
        let name = fresh.cloned().unwrap_or_else(|| Name::from(format!("_{}", index + 1)));
        columns.push(Column { name, ty: Type::Int });
    }
    columns
}

pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        let scope = Scope::new(program, component);
        for relation in component.relations.iter().filter(|relation| !relation.declared) {
            check_reserved(&relation.name, relation.span, sink);
            if let Some(param) = program.param(&relation.name) {
                let message = format!("the relation `{}` has the name of a parameter", relation.name);
                let diagnostic = sink.start(Code::E0205, message).label(relation.span, "derived here");
                sink.push(diagnostic.label(param.span, "the parameter"));
            }
        }
        for rule in &component.rules {
            if sink.is_full() {
                return;
            }
            check_head(&scope, rule, sink);
            for atom in rule.atoms() {
                check_atom(&scope, atom, sink);
            }
        }
    }
}

/// What names mean in one component, found by name.
struct Scope<'p> {
    program: &'p Program,
    component: &'p Component,
    roles: BTreeMap<&'p str, &'p Role>,
    channels: BTreeMap<&'p str, &'p Channel>,
    relations: BTreeMap<&'p str, &'p Relation>,
}

impl<'p> Scope<'p> {
    fn new(program: &'p Program, component: &'p Component) -> Self {
        Scope {
            program,
            component,
            roles: program.roles.iter().map(|role| (role.name.as_str(), role)).collect(),
            channels: program.channels.iter().map(|channel| (channel.name.as_str(), channel)).collect(),
            relations: component.relations.iter().map(|relation| (relation.name.as_str(), relation)).collect(),
        }
    }

    /// The names that can be read here.
    fn names(&self) -> impl Iterator<Item = &'p str> {
        let received = self.channels.values().filter(|channel| channel.receiver == self.component.name);
        let channels = received.map(|channel| channel.name.as_str());
        channels.chain(self.relations.keys().copied()).chain(self.roles.keys().copied())
    }
}

fn check_head(scope: &Scope<'_>, rule: &Rule, sink: &mut Sink) {
    let head = &rule.head;
    let name = head.relation.as_str();
    if name == START || scope.roles.contains_key(name) {
        let what =
            if name == START { "happens by itself in a node's first step" } else { "is a role: its nodes are fixed" };
        sink.error(Code::E0208, head.span, format!("`{name}` cannot be derived"), format!("`{name}` {what}"));
        return;
    }
    if let Some(channel) = scope.channels.get(name) {
        check_channel_head(scope, rule, channel, sink);
        check_arity(name, channel.columns.len(), head.args.len(), head.span, channel.span, sink);
        return;
    }
    if let Some(at) = &head.at {
        let message = format!("`{name}` is no channel and has no destination");
        let diagnostic = sink.start(Code::E0604, message).label(at.span, "a destination");
        sink.push(
            diagnostic.help(format!("to send it, declare `channel {name}(...) {} -> ...`", scope.component.name)),
        );
        return;
    }
    if rule.kind == RuleKind::Async && !rule.delete {
        let help = nearest(name, scope.channels.keys().copied());
        let message = format!("`:~` sends a message, but `{name}` is no channel");
        let diagnostic = sink.start(Code::E0601, message).label(head.span, "not a channel");
        sink.push(match help {
            Some(name) => diagnostic.help(format!("did you mean the channel `{name}`?")),
            None => diagnostic.help(format!(
                "declare `channel {name}(...) {} -> ...`, or derive it by `:-` or `:+`",
                scope.component.name
            )),
        });
        return;
    }
    let Some(relation) = scope.relations.get(name) else {
        unknown(scope, name, head.span, sink);
        return;
    };
    check_arity(name, relation.columns.len(), head.args.len(), head.span, relation.span, sink);
    if rule.delete {
        check_delete(rule, relation, sink);
    }
}

fn check_delete(rule: &Rule, relation: &Relation, sink: &mut Sink) {
    if rule.is_aggregate() {
        let message = "a deletion names facts, it does not aggregate";
        sink.error(Code::E0404, rule.head.span, message, "an aggregate cannot stand here");
    }
    if rule.kind != RuleKind::Next {
        let message = "a deletion takes effect in the next step";
        sink.error(Code::E0504, rule.span, message, "write `delete ... :+ ...`");
    }
    if !(relation.declared && relation.kind == RelationKind::Table) {
        let message = format!("`{}` is no table, and nothing can be deleted from it", relation.name);
        let diagnostic = sink.start(Code::E0504, message).label(rule.head.span, "only tables are deleted from");
        let diagnostic = diagnostic.label(relation.span, "not declared a table");
        sink.push(diagnostic.help("other relations hold only as long as a rule derives them"));
    }
}

fn check_channel_head(scope: &Scope<'_>, rule: &Rule, channel: &Channel, sink: &mut Sink) {
    let (name, head) = (&channel.name, &rule.head);
    if rule.delete {
        let message = format!("`{name}` is a channel, and nothing can be deleted from it");
        sink.error(Code::E0504, head.span, message, "only tables are deleted from");
        return;
    }
    if rule.kind != RuleKind::Async {
        let message = format!("`{name}` is a channel: facts get into it only as messages");
        let diagnostic = sink.start(Code::E0602, message).label(rule.head.span, "this is no message");
        sink.push(
            diagnostic.label(channel.span, "the channel").help(format!("to send, write `{name}(...)@node :~ ...`")),
        );
        return;
    }
    if head.at.is_none() {
        let message = format!("the message `{name}` has no destination");
        let diagnostic = sink.start(Code::E0603, message).label(head.span, "sent to whom?");
        sink.push(diagnostic.help(format!("write `{name}(...)@node :~ ...`")));
    }
    if channel.sender != scope.component.name {
        let message = format!("`{}` sends on the channel `{name}` of `{}`", scope.component.name, channel.sender);
        let diagnostic =
            sink.start(Code::E0605, message).label(head.span, format!("sent by `{}`", scope.component.name));
        sink.push(diagnostic.label(channel.span, format!("the sender is `{}`", channel.sender)));
    }
}

fn check_atom(scope: &Scope<'_>, atom: &Atom, sink: &mut Sink) {
    let name = atom.relation.as_str();
    let channel = scope.channels.get(name);
    let is_known =
        name == START || scope.roles.contains_key(name) || channel.is_some() || scope.relations.contains_key(name);
    if !is_known {
        unknown(scope, name, atom.span, sink);
        return;
    }
    if let Some(from) = atom.from.as_ref().filter(|_| channel.is_none()) {
        let message = format!("`{name}` is no channel and has no sender");
        sink.error(Code::E0607, from.span, message, "only messages are from somebody");
    }
    if let Some(to) = &atom.to {
        let message = "a rule sees only messages to the node that runs it";
        let diagnostic = sink.start(Code::E0607, message).label(to.span, "always `me`");
        sink.push(diagnostic.help("`to` is for properties, which see all messages"));
    }
    if name == START {
        check_arity(name, 0, atom.args.len(), atom.span, atom.span, sink);
    } else if let Some(role) = scope.roles.get(name) {
        check_arity(name, 1, atom.args.len(), atom.span, role.span, sink);
        check_enumerable(role, atom, sink);
    } else if let Some(channel) = channel {
        check_arity(name, channel.columns.len(), atom.args.len(), atom.span, channel.span, sink);
        if channel.receiver != scope.component.name {
            let message =
                format!("`{}` reads the channel `{name}`, which `{}` receives", scope.component.name, channel.receiver);
            let diagnostic = sink.start(Code::E0606, message).label(atom.span, "does not arrive here");
            let diagnostic = diagnostic.label(channel.span, format!("the receiver is `{}`", channel.receiver));
            sink.push(if channel.sender == scope.component.name {
                diagnostic.help("a sender that has to know what it sent keeps it in a table")
            } else {
                diagnostic
            });
        }
    } else if let Some(relation) = scope.relations.get(name) {
        check_arity(name, relation.columns.len(), atom.args.len(), atom.span, relation.span, sink);
    }
}

/// The nodes of an external role without a count cannot be listed; whether a bound value is one of them cannot be told either.
fn check_enumerable(role: &Role, atom: &Atom, sink: &mut Sink) {
    if role.external && role.count.is_none() {
        let message = format!("the nodes of the external role `{}` are not known", role.name);
        let diagnostic = sink.start(Code::E0612, message).label(atom.span, "would range over all of them");
        let help = format!("give their number, `role {}[N] external`, or take the node from a message", role.name);
        sink.push(diagnostic.label(role.span, "declared without a number").help(help));
    }
}

fn check_arity(name: &str, columns: usize, args: usize, span: Span, declared: Span, sink: &mut Sink) {
    if columns == args {
        return;
    }
    let message = format!("`{name}` has {}, but {} given", plural(columns, "column"), are(args, "argument"));
    let diagnostic = sink.start(Code::E0206, message).label(span, plural(args, "argument"));
    sink.push(if declared == span && name == START {
        diagnostic
    } else {
        diagnostic.label(declared, plural(columns, "column"))
    });
}

fn are(number: usize, thing: &str) -> String {
    format!("{} {}", plural(number, thing), if number == 1 { "is" } else { "are" })
}

fn unknown(scope: &Scope<'_>, name: &str, span: Span, sink: &mut Sink) {
    let elsewhere = scope.program.components.iter().find(|component| component.relation(name).is_some());
    if let Some(other) = elsewhere {
        let message = format!("`{}` reads `{name}`, a relation of `{}`", scope.component.name, other.name);
        let diagnostic = sink.start(Code::E0209, message).label(span, "not a relation of this component");
        let help = "components share nothing: send what the other one has to know over a channel";
        let declared = other.relation(name).map_or(other.span, |relation| relation.span);
        sink.push(diagnostic.label(declared, format!("a relation of `{}`", other.name)).help(help));
        return;
    }
    let message = format!("there is no relation `{name}`");
    let diagnostic = sink.start(Code::E0201, message).label(span, "nothing derives or declares it");
    sink.push(match nearest(name, scope.names()) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None => diagnostic,
    });
}
