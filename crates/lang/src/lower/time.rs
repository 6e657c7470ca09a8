//! Timers: messages that a component sends to itself, and that take their time.

use super::{Lowering, text};
use crate::diagnostic::Code;
use crate::ir::{Atom, Channel, Component, Delay, Expr, ExprKind, Head, Literal, Name, Program, Rule, RuleKind, Unit};
use crate::source::Span;
use crate::syntax::{SyntaxKind, SyntaxNode, ast, span_of, token_span};
use crate::walk::START;

impl Lowering<'_> {
    /// `after EXPR UNIT` or `every EXPR UNIT` in a channel or timer. How long that is comes later, with the other numbers.
    pub(super) fn delay(&mut self, node: &SyntaxNode) -> Option<Delay> {
        let delay = ast::child(node, SyntaxKind::Delay)?;
        let unit = ast::names(&delay).last().and_then(|unit| Unit::from_name(unit.text()))?;
        let amount = self.expression(&ast::expressions(&delay).next()?);
        Some(Delay { amount, unit, micros: 0 })
    }

    /// A timer of a component: a channel to itself, and for `every` the rules that arm it.
    pub(super) fn timer(&mut self, node: &SyntaxNode, component: &mut Component, program: &mut Program) {
        let (Some(name), Some(columns), Some(delay)) = (ast::name(node), self.fields(node), self.delay(node)) else {
            return;
        };
        let span = token_span(&name);
        let name = text(&name);
        let every = ast::child(node, SyntaxKind::Delay).and_then(|delay| ast::name(&delay));
        if every.is_some_and(|word| word.text() == "every") {
            if !columns.is_empty() {
                let message = format!("the timer `{name}` repeats, and has columns");
                let diagnostic = self.sink.start(Code::E0617, message).label(span, "which values would they have?");
                let help = format!(
                    "a timer with columns is armed by a rule: `timer {name}(...) after ...`, `{name}(x) :~ ...`"
                );
                self.sink.push(diagnostic.help(help));
            }
            component.rules.extend([START, name.as_str()].map(|cause| arm(&name, cause, span_of(node))));
        }
        let (sender, receiver) = (component.name.clone(), component.name.clone());
        let (by, delay) = (Vec::new(), Some(delay));
        program.channels.push(Channel {
            name,
            columns,
            sender,
            receiver,
            by,
            delay,
            serial: false,
            authenticated: Vec::new(),
            span: span_of(node),
        });
    }
}

/// `TIMER()@me :~ CAUSE()`.
fn arm(timer: &Name, cause: &str, span: Span) -> Rule {
    let relation = Name::from(cause);
    let atom = Atom { negated: false, new: false, relation, args: Vec::new(), from: None, to: None, span };
    let at = Some(Expr { kind: ExprKind::Me, span });
    Rule {
        delete: false,
        head: Head { relation: timer.clone(), args: Vec::new(), at, span },
        kind: RuleKind::Async,
        body: vec![Literal::Atom(atom)],
        variables: Vec::new(),
        span,
    }
}

/// Puts channels that are printed as timers, within their components, behind all others, in the order in which they are printed.
pub(super) fn order_timers(program: &mut Program) {
    let mut channels = std::mem::take(&mut program.channels);
    let place = |channel: &Channel| {
        let component = program.components.iter().position(|component| component.name == channel.sender);
        component.filter(|_| channel.is_local_timer()).map(|component| component + 1)
    };
    channels.sort_by_key(|channel| place(channel).unwrap_or(0));
    program.channels = channels;
}

/// A delayed message without a destination is for the node that sends it.
pub(super) fn send_to_self(program: &mut Program) {
    let delayed: Vec<&Name> =
        program.channels.iter().filter(|channel| channel.delay.is_some()).map(|channel| &channel.name).collect();
    for rule in program.components.iter_mut().flat_map(|component| &mut component.rules) {
        let head = &mut rule.head;
        if rule.kind == RuleKind::Async && head.at.is_none() && delayed.contains(&&head.relation) {
            head.at = Some(Expr { kind: ExprKind::Me, span: head.span });
        }
    }
}
