//! Properties: rules over the messages of a whole run, compiled to an *observer*, a program that an engine runs like any other.
//!
//! The observer has the roles of the protocol and one more, `observer`, and its channels under the same names, received by the observer,
//! with two columns in front: who sent, and to whom. Whoever runs it gives it the messages of the run when they are delivered, not when
//! they are sent, and those never that are lost: refinement compares deliveries, so a rewritten program has the properties of the
//! original. Messages stay in tables named `received NAME`; what properties say about a channel is read there. Each rule for `violation` fills a view of its own, `violation 1`, `violation 2`,
//! so that they may have different columns. Each `eventually` fills a view `unmet 1`, `unmet 2`, of the variables of its body for which its
//! goal is not there: at the end of a run in which nothing more goes wrong, these have to be empty. Each `linearizable` fills views of [`operations`]. (No name of a text has a space in it, so these clash with nothing.)

use menard_value::Type;

use crate::diagnostic::{Code, Diagnostics};
use crate::ir::{
    Atom, Channel, Column, Component, Expr, ExprKind, Head, HeadArg, Literal, Name, Program, Relation, RelationKind,
    Role, Rule, RuleKind, Storage,
};
use crate::lower::{Lowering, check_size, header_names};
use crate::sink::Sink;
use crate::source::{Source, Span};
use crate::syntax::{self, SyntaxKind, SyntaxNode, ast, span_of, token_span};
use crate::walk::START;
use crate::{check, operations, syntax::SyntaxToken};

/// The name of the observer, as role and as component.
pub const OBSERVER: &str = "observer";

/// The head of a rule that says what must never be.
const VIOLATION: &str = "violation";

/// The relation of the nodes that are not corrupt in a run.
pub const CORRECT: &str = "correct";

/// The channel by which whoever runs an observer tells it who is corrupt; the fields are of no matter.
pub const CORRUPT: &str = "corrupt node";

/// Compiles properties of a protocol to their observer.
pub fn compile(source: &Source, protocol: &Program) -> Result<Program, Diagnostics> {
    let mut sink = Sink::new(source);
    let parse = syntax::parse_program(source);
    sink.extend(parse.errors);
    sink.stop_on_errors()?;
    let rules = rules(&parse.root, protocol, &mut sink);
    sink.stop_on_errors()?;
    let mut observer = observer(source, protocol, rules);
    check::observer(&mut observer, &mut sink)?;
    operations::check(&observer, &mut sink);
    sink.stop_on_errors()?;
    Ok(observer)
}

/// The views of an observer that must stay empty, one for each rule, in the order of the text.
pub fn violations(observer: &Program) -> Vec<Name> {
    let relations = observer.components.iter().flat_map(|component| &component.relations);
    relations.filter(|relation| relation.name.starts_with("violation ")).map(|relation| relation.name.clone()).collect()
}

/// The views of an observer that must be empty in the end, one for each `eventually`, in the order of the text. Their columns are the
/// variables of the body, in the order in which they first occur there.
pub fn goals(observer: &Program) -> Vec<Name> {
    let relations = observer.components.iter().flat_map(|component| &component.relations);
    relations.filter(|relation| relation.name.starts_with("unmet ")).map(|relation| relation.name.clone()).collect()
}

/// The table of the messages of a channel that were delivered: taken by a step of a node, or by an external node.
pub fn received(channel: &str) -> Name {
    Name::from(format!("received {channel}"))
}

fn rules(root: &SyntaxNode, protocol: &Program, sink: &mut Sink) -> Vec<Rule> {
    let mut lowering = Lowering::new(sink);
    let items = lowering.expanded(root);
    check_size(&items, lowering.sink);
    lowering.header(root, "properties of NAME", |header| ast::has_token(header, SyntaxKind::PropertiesWord));
    lowering.params = protocol.params.clone();
    lowering.records = protocol.records.clone();
    lowering.externs = protocol.externs.clone();
    let mut rules: Vec<Rule> = Vec::new();
    let (mut goals, mut number) = (0, 0);
    for item in items {
        match item.kind() {
            SyntaxKind::Header => {}
            SyntaxKind::Rule => rules.extend(lowering.rule(&item)),
            SyntaxKind::Eventually => {
                goals += 1;
                rules.extend(unmet(&item, goals, &mut lowering));
            }
            SyntaxKind::Linearizable => {
                number += 1;
                rules.extend(operations::rules(&item, number, &mut lowering));
            }
            _ => {
                let message = "properties consist of rules alone";
                lowering.sink.error(Code::E0901, span_of(&item), message, "belongs to the protocol");
            }
        }
    }
    let rules = lowering.expand_absent_in(rules, root);
    let header = header_names(root).last();
    check_header(header.as_ref(), protocol, sink);
    for rule in &rules {
        check_rule(rule, protocol, sink);
    }
    if goals + number == 0 && !rules.iter().any(|rule| rule.head.relation == VIOLATION) {
        let span = header.map_or(Span::default(), |token| token_span(&token));
        let diagnostic = sink.start(Code::E0902, "no rule says what a violation is").label(span, "has no property");
        sink.push(diagnostic.help("write what must never happen: `violation(\"why\", x) :- ...`"));
    }
    rules
}

/// `eventually GOAL :- BODY`: where the body holds and the goal does not. What only the goal names may be anything.
fn unmet(node: &SyntaxNode, number: u32, lowering: &mut Lowering<'_>) -> Option<Rule> {
    let mut goal = lowering.atom(&ast::child(node, SyntaxKind::Goal)?)?;
    let mut body = lowering.body(node);
    let mut names: Vec<(Name, Span)> = Vec::new();
    for (name, span) in lowering.named(&body) {
        if !names.iter().any(|(known, _)| *known == name) {
            names.push((name, span));
        }
    }
    for expr in goal.args.iter_mut().chain(&mut goal.from).chain(&mut goal.to) {
        if expr.as_variable().is_some_and(|name| !names.iter().any(|(known, _)| known == name)) {
            expr.kind = ExprKind::Wildcard;
        }
    }
    goal.negated = true;
    body.push(Literal::Atom(goal));
    let variable = |(name, span)| HeadArg::Expr(Expr { kind: ExprKind::Variable(name), span });
    let (relation, args) = (Name::from(format!("unmet {number}")), names.into_iter().map(variable).collect());
    let span = span_of(node);
    let head = Head { relation, args, at: None, span };
    Some(Rule { delete: false, head, kind: RuleKind::Now, body, variables: Vec::new(), span })
}

fn check_header(name: Option<&SyntaxToken>, protocol: &Program, sink: &mut Sink) {
    let Some(name) = name else { return };
    if name.text() != protocol.name {
        let message = format!("these are properties of `{}`, not of `{}`", name.text(), protocol.name);
        sink.error(Code::E0903, token_span(name), message, "another protocol");
    }
    if protocol.role(OBSERVER).is_some() || protocol.channel(OBSERVER).is_some() {
        let message = format!("the protocol has the name `{OBSERVER}`, which properties need");
        sink.error(Code::E0901, token_span(name), message, "call it something else");
    }
}

/// Properties are about what happened, whenever: they have no steps, and belong to no node.
fn check_rule(rule: &Rule, protocol: &Program, sink: &mut Sink) {
    if rule.kind != RuleKind::Now || rule.delete {
        sink.error(Code::E0901, rule.span, "properties look back on a run, they do not go on", "only `:-` can be used");
    }
    if protocol.channel(&rule.head.relation).is_some() {
        let message = format!("`{}` is a channel of the protocol", rule.head.relation);
        sink.error(Code::E0901, rule.head.span, message, "properties send nothing");
    }
    for atom in rule.atoms() {
        let problem = if atom.new {
            "properties have no steps in which a fact could be new"
        } else if atom.relation == START {
            "properties have no first step"
        } else if atom.relation == VIOLATION {
            "a violation is not read by other rules"
        } else {
            check_arity(atom, protocol, sink);
            continue;
        };
        sink.error(Code::E0901, atom.span, problem, "cannot be used here");
    }
    for expr in rule.expressions() {
        expr.visit(&mut |expr| {
            if expr.kind == ExprKind::Me {
                sink.error(Code::E0901, expr.span, "properties belong to no node", "`me` is nobody");
            }
        });
    }
}

fn check_arity(atom: &Atom, protocol: &Program, sink: &mut Sink) {
    let Some(channel) = protocol.channel(&atom.relation) else { return };
    let (columns, args) = (channel.columns.len(), atom.args.len());
    if columns != args {
        let (columns, given) = (check::plural(columns, "column"), check::plural(args, "argument"));
        let message = format!("the channel `{}` has {columns}, but here {given}", channel.name);
        sink.error(Code::E0206, atom.span, message, given);
    }
}

fn observer(source: &Source, protocol: &Program, rules: Vec<Rule>) -> Program {
    let name = Name::new_static(OBSERVER);
    let mut roles = protocol.roles.clone();
    roles.push(Role {
        name: name.clone(),
        count: None,
        nodes: 1,
        external: false,
        native: false,
        span: Span::default(),
    });
    let mut channels: Vec<Channel> = protocol.channels.iter().map(|channel| observed(protocol, channel)).collect();
    let asks = rules.iter().flat_map(Rule::atoms).any(|atom| atom.relation == CORRECT);
    let asks_for_correct = asks && !rules.iter().any(|rule| rule.head.relation == CORRECT);
    if asks_for_correct {
        channels.push(corruption());
    }
    let mut component = Component {
        name: name.clone(),
        role: name,
        count: None,
        parts: 1,
        relations: channels.iter().map(table).collect(),
        rules: channels.iter().map(fill).collect(),
        strata: Vec::new(),
        span: Span::default(),
    };
    if asks_for_correct {
        let readable = |role: &&Role| !role.external || role.count.is_some();
        component.rules.extend(protocol.roles.iter().filter(readable).map(correct));
    }
    let mut number = 0;
    for mut rule in rules {
        if rule.head.relation == VIOLATION {
            number += 1;
            rule.head.relation = Name::from(format!("{VIOLATION} {number}"));
        }
        rule.body.iter_mut().for_each(|literal| read_history(literal, protocol));
        component.rules.push(rule);
    }
    Program {
        name: protocol.name.clone(),
        source: source.clone(),
        params: protocol.params.clone(),
        records: protocol.records.clone(),
        externs: protocol.externs.clone(),
        roles,
        channels,
        faults: Vec::new(),
        components: vec![component],
    }
}

/// A channel of the protocol as the observer receives it.
fn observed(protocol: &Program, channel: &Channel) -> Channel {
    let end = |name| Column { name: Name::new_static(name), ty: Type::Node };
    let columns = [end("sender"), end("receiver")].into_iter().chain(channel.columns.iter().cloned()).collect();
    let sender =
        protocol.role_of_endpoint(&channel.sender).map_or_else(|| channel.sender.clone(), |role| role.name.clone());
    let receiver = Name::new_static(OBSERVER);
    Channel {
        name: channel.name.clone(),
        columns,
        sender,
        receiver,
        by: Vec::new(),
        delay: None,
        serial: false,
        authenticated: Vec::new(),
        span: Span::default(),
    }
}

/// The channel that tells who is corrupt.
fn corruption() -> Channel {
    let end = |name| Column { name: Name::new_static(name), ty: Type::Node };
    Channel {
        name: Name::new_static(CORRUPT),
        columns: vec![end("sender"), end("receiver")],
        sender: Name::new_static(OBSERVER),
        receiver: Name::new_static(OBSERVER),
        by: Vec::new(),
        delay: None,
        serial: false,
        authenticated: Vec::new(),
        span: Span::default(),
    }
}

/// The nodes of a role are correct that are not corrupt.
fn correct(role: &Role) -> Rule {
    let span = Span::default();
    let node = Expr { kind: ExprKind::Variable(Name::new_static("node")), span };
    let anybody = Expr { kind: ExprKind::Wildcard, span };
    let atom = |relation: Name, negated, args| {
        Literal::Atom(Atom { negated, new: false, relation, args, from: None, to: None, span })
    };
    let args = vec![HeadArg::Expr(node.clone())];
    Rule {
        delete: false,
        head: Head { relation: Name::new_static(CORRECT), args, at: None, span },
        kind: RuleKind::Now,
        body: vec![
            atom(role.name.clone(), false, vec![node.clone()]),
            atom(received(CORRUPT), true, vec![node, anybody]),
        ],
        variables: Vec::new(),
        span,
    }
}

fn table(channel: &Channel) -> Relation {
    Relation {
        name: received(&channel.name),
        columns: channel.columns.clone(),
        kind: RelationKind::Table,
        storage: Storage::default(),
        declared: true,
        span: Span::default(),
    }
}

/// The rule that keeps every message of a channel.
fn fill(channel: &Channel) -> Rule {
    let span = Span::default();
    let variable = |index: usize| Expr { kind: ExprKind::Variable(Name::from(format!("column {index}"))), span };
    let args: Vec<Expr> = (0..channel.columns.len()).map(variable).collect();
    let head_args = args.iter().cloned().map(HeadArg::Expr).collect();
    let relation = channel.name.clone();
    let atom = Atom { negated: false, new: false, relation, args, from: None, to: None, span };
    Rule {
        delete: false,
        head: Head { relation: received(&channel.name), args: head_args, at: None, span },
        kind: RuleKind::Now,
        body: vec![Literal::Atom(atom)],
        variables: Vec::new(),
        span,
    }
}

/// Makes a literal about a channel one about the table of its messages.
fn read_history(literal: &mut Literal, protocol: &Program) {
    let Literal::Atom(atom) = literal else { return };
    if protocol.channel(&atom.relation).is_none() {
        return;
    }
    atom.relation = received(&atom.relation);
    let anybody = Expr { kind: ExprKind::Wildcard, span: atom.span };
    let from = atom.from.take().unwrap_or_else(|| anybody.clone());
    let to = atom.to.take().unwrap_or(anybody);
    atom.args.splice(0..0, [from, to]);
}
