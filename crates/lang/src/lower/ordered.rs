//! `channel c(n: int, ...) a -> b ordered by n`: the receiver sees the messages by their numbers, from 0, without gaps, one a step.
//!
//! Sugar at the receiver: what arrives waits in a window above a register of what is done. The one that comes next is an event, with
//! the sender as its last column, and the register moves on in the step after. What the receiver's rules read of the channel is
//! this event; what is sent, and what properties see, are the messages themselves.

use std::collections::BTreeSet;

use menard_value::{Function, Type, Value};

use super::{Lowering, fresh, text, words};
use crate::diagnostic::Code;
use crate::ir::{
    Atom, Channel, Column, Comparison, Component, Expr, ExprKind, FaultKind, Head, HeadArg, Keyed, Literal, Name,
    Policy, Program, Relation, RelationKind, Rule, RuleKind, Storage,
};
use crate::source::Span;
use crate::suggest::nearest;
use crate::syntax::{SyntaxKind, SyntaxNode, ast, span_of, token_span};
use crate::walk::START;

/// How far ahead of what is done messages wait: what is further is dropped.
const MAX_AHEAD: i64 = 5_000;

/// `ordered by COLUMN above DONE` of a channel.
pub(super) struct Order {
    channel: Name,
    column: Name,
    done: Option<Name>,
    /// The column.
    span: Span,
    /// The whole channel, which is what its rules are quoted as.
    whole: Span,
}

impl Lowering<'_> {
    /// Remembers that a channel is ordered.
    pub(super) fn order(&mut self, channel: &SyntaxNode, name: Name) {
        let Some(ordered) = ast::child(channel, SyntaxKind::Ordered) else { return };
        // The names are: `ordered`, `by`, the column, `above`, the register.
        let names: Vec<_> = ast::names(&ordered).collect();
        let Some(column) = names.get(2) else { return };
        let done = names.get(4).map(text);
        let (span, whole) = (token_span(column), span_of(channel));
        self.orders.push(Order { channel: name, column: text(column), done, span, whole });
    }

    /// Gives every ordered channel its tables and rules.
    pub(super) fn expand_ordered(&mut self, program: &mut Program, root: &SyntaxNode) {
        if self.orders.is_empty() {
            return;
        }
        let mut taken = words(root);
        for order in std::mem::take(&mut self.orders) {
            let Some(channel) = program.channel(&order.channel).cloned() else { continue };
            if !self.can_be_ordered(&order, &channel) {
                continue;
            }
            let Some(position) = program.components.iter().position(|component| component.name == channel.receiver)
            else {
                let message = format!("the channel `{}` is ordered, but no component receives it", channel.name);
                let diagnostic = self.sink.start(Code::E0618, message).label(order.span, "who would put it in order?");
                let help =
                    "messages are put in order by the rules of their receiver; external and native nodes have none";
                self.sink.push(diagnostic.help(help));
                continue;
            };
            self.warn_of_restarts(&order, program, &program.components[position]);
            let channel = without_roles(channel, program, &mut taken);
            expand(&order, &channel, &mut program.components[position], &mut taken);
        }
    }

    fn can_be_ordered(&mut self, order: &Order, channel: &Channel) -> bool {
        let column = channel.columns.iter().find(|column| column.name == order.column);
        let problem = match column {
            Some(column) if column.ty == Type::Int && channel.delay.is_none() => return true,
            Some(column) if column.ty == Type::Int => "a timer is not ordered".to_owned(),
            Some(column) => format!("of type {}, not a number", column.ty),
            None => "not a column".to_owned(),
        };
        let message = format!("the channel `{}` cannot be ordered by `{}`", channel.name, order.column);
        let diagnostic = self.sink.start(Code::E0618, message).label(order.span, problem);
        let names = channel.columns.iter().map(|column| column.name.as_str());
        self.sink.push(match nearest(&order.column, names).filter(|_| column.is_none()) {
            Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
            None => diagnostic.help("a column of type `int` numbers the messages, from 0"),
        });
        false
    }

    /// A receiver that starts anew waits for number 0.
    fn warn_of_restarts(&mut self, order: &Order, program: &Program, receiver: &Component) {
        let restarts = |fault: &&crate::ir::Fault| fault.kind == FaultKind::Restart && fault.role == receiver.role;
        let Some(fault) = program.faults.iter().find(restarts) else { return };
        let done = order.done.as_ref().and_then(|done| receiver.relation(done));
        if done.is_some_and(|done| done.storage.durable) || (order.done.is_some() && done.is_none()) {
            return;
        }
        let message =
            format!("a restart of `{}` forgets how far the channel `{}` has come", receiver.role, order.channel);
        let diagnostic = self.sink.start_warning(Code::E0619, message).label(order.span, "starts again with 0");
        let help = format!("keep it on disk: `durable table done(=> {}: int) max`, and `above done`", order.column);
        self.sink.push(diagnostic.label(fault.span, "may restart").help(help));
    }
}

/// The channel with columns that can be variables: none has the name of a role.
fn without_roles(mut channel: Channel, program: &Program, taken: &mut BTreeSet<Name>) -> Channel {
    for column in channel.columns.iter_mut().filter(|column| program.role(&column.name).is_some()) {
        column.name = fresh(&column.name, taken);
    }
    channel
}

/// The names that the rules of one ordered channel need.
struct Names {
    waiting: Name,
    done: Name,
    due: Name,
    event: Name,
    last: Name,
    sender: Name,
}

fn expand(order: &Order, channel: &Channel, receiver: &mut Component, taken: &mut BTreeSet<Name>) {
    let mut new = |suffix: &str| fresh(&format!("{}_{suffix}", channel.name), taken);
    let (waiting, due, event) = (new("waiting"), new("due"), new("in_order"));
    let done = order.done.clone().unwrap_or_else(|| new("done"));
    let (last, sender) = (fresh("last", taken), fresh("sender", taken));
    let names = Names { waiting, done, due, event, last, sender };
    for rule in &mut receiver.rules {
        for literal in &mut rule.body {
            read_in_order(literal, channel, &names);
        }
    }
    if order.done.is_none() {
        let columns = vec![Column { name: order.column.clone(), ty: Type::Int }];
        let key = Some(Keyed { columns: 0, policy: Policy::Max });
        receiver.relations.push(table(&names.done, columns, Storage { key, ..Storage::default() }, order.span));
    }
    let durable = receiver.relation(&names.done).is_some_and(|done| done.storage.durable);
    let storage =
        Storage { key: Some(Keyed { columns: 1, policy: Policy::First }), durable, above: Some(names.done.clone()) };
    let (number, others): (Vec<Column>, Vec<Column>) =
        channel.columns.iter().cloned().partition(|column| column.name == order.column);
    let from = Column { name: names.sender.clone(), ty: Type::Node };
    let columns = number.into_iter().chain(others).chain([from]).collect();
    receiver.relations.push(table(&names.waiting, columns, storage, order.span));
    receiver.rules.extend(rules(order, channel, &names));
}

fn table(name: &Name, columns: Vec<Column>, storage: Storage, span: Span) -> Relation {
    Relation { name: name.clone(), columns, kind: RelationKind::Table, storage, declared: true, span }
}

/// What a rule of the receiver says of the channel, it means of the event.
fn read_in_order(literal: &mut Literal, channel: &Channel, names: &Names) {
    let Literal::Atom(atom) = literal else { return };
    if atom.relation == channel.name && atom.args.len() == channel.columns.len() {
        let wildcard = Expr { kind: ExprKind::Wildcard, span: atom.span };
        atom.relation = names.event.clone();
        atom.args.push(atom.from.take().unwrap_or(wildcard));
    }
}

/// ```text
/// done(-1)          :- start()
/// waiting(n, x, s)  :- c(n, x) from s, done(l), n <= l + MAX_AHEAD
/// due(l + 1, x, s)  :- done(l), waiting(l + 1, x, s)
/// in_order(n, x, s) :- new due(n, x, s)
/// done(n)           :+ new due(n, x, s)
/// ```
fn rules(order: &Order, channel: &Channel, names: &Names) -> Vec<Rule> {
    let make = Make { span: order.whole };
    let number = || make.variable(&order.column);
    let next = || make.call("+", vec![make.variable(&names.last), make.int(1)]);
    let done = || make.atom(&names.done, vec![make.variable(&names.last)]);
    // The columns in the order of the channel, and with the number first.
    let columns = || channel.columns.iter().map(|column| make.variable(&column.name));
    let others = || channel.columns.iter().filter(|one| one.name != order.column).map(|one| make.variable(&one.name));
    let sender = || std::iter::once(make.variable(&names.sender));
    let stored = |number: Expr| std::iter::once(number).chain(others()).chain(sender()).collect::<Vec<_>>();
    let in_order = |number: &dyn Fn() -> Expr| {
        let column = |one: &Column| if one.name == order.column { number() } else { make.variable(&one.name) };
        channel.columns.iter().map(column).chain(sender()).collect::<Vec<_>>()
    };
    let message = Atom { from: Some(make.variable(&names.sender)), ..make.atom(&channel.name, columns().collect()) };
    let far = make.call("+", vec![make.variable(&names.last), make.int(MAX_AHEAD)]);
    let near = Literal::Compare { op: Comparison::LessEqual, left: number(), right: far, span: order.whole };
    let begins = |args| Literal::Atom(Atom { new: true, ..make.atom(&names.due, args) });
    let only_number = |one: &Column| if one.name == order.column { number() } else { make.wildcard() };
    let any = channel.columns.iter().map(only_number).chain([make.wildcard()]).collect();
    vec![
        make.rule(
            &names.done,
            vec![make.int(-1)],
            RuleKind::Now,
            vec![Literal::Atom(make.atom(&Name::new_static(START), vec![]))],
        ),
        make.rule(
            &names.waiting,
            stored(number()),
            RuleKind::Now,
            vec![Literal::Atom(message), Literal::Atom(done()), near],
        ),
        make.rule(
            &names.due,
            in_order(&next),
            RuleKind::Now,
            vec![Literal::Atom(done()), Literal::Atom(make.atom(&names.waiting, stored(next())))],
        ),
        make.rule(&names.event, in_order(&number), RuleKind::Now, vec![begins(in_order(&number))]),
        make.rule(&names.done, vec![number()], RuleKind::Next, vec![begins(any)]),
    ]
}

/// Makes parts of rules, all in one place of the text.
struct Make {
    span: Span,
}

impl Make {
    fn expr(&self, kind: ExprKind) -> Expr {
        Expr { kind, span: self.span }
    }

    fn variable(&self, name: &Name) -> Expr {
        self.expr(ExprKind::Variable(name.clone()))
    }

    fn wildcard(&self) -> Expr {
        self.expr(ExprKind::Wildcard)
    }

    fn int(&self, int: i64) -> Expr {
        self.expr(ExprKind::Constant(Value::Int(int)))
    }

    fn call(&self, function: &str, args: Vec<Expr>) -> Expr {
        let function = Function::find(function).expect("every operator of the grammar is in the table of functions");
        self.expr(ExprKind::Call(function, args))
    }

    fn atom(&self, relation: &Name, args: Vec<Expr>) -> Atom {
        Atom { negated: false, new: false, relation: relation.clone(), args, from: None, to: None, span: self.span }
    }

    fn rule(&self, relation: &Name, args: Vec<Expr>, kind: RuleKind, body: Vec<Literal>) -> Rule {
        let args = args.into_iter().map(HeadArg::Expr).collect();
        let head = Head { relation: relation.clone(), args, at: None, span: self.span };
        Rule { delete: false, head, kind, body, variables: Vec::new(), span: self.span }
    }
}
