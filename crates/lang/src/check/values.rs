//! What holds of aggregates and functions besides their types: what a quorum's size may be, where an index may stand, and who signs.

use menard_value::Function;

use crate::diagnostic::Code;
use crate::ir::{Aggregate, Comparison, Component, Expr, ExprKind, HeadArg, Literal, Program, Rule};
use crate::sink::Sink;
use crate::source::Span;
use crate::walk::START;

/// A literal that looks like a relation, `verify(s, n, x)`, and is none is a test by the function of that name.
pub(super) fn name_tests(program: &mut Program) {
    let globals: Vec<_> = program.channels.iter().map(|channel| channel.name.clone()).collect();
    let globals: Vec<_> = globals.into_iter().chain(program.roles.iter().map(|role| role.name.clone())).collect();
    let externs: Vec<_> = program.externs.iter().map(|known| (known.name.clone(), known.function)).collect();
    for component in &mut program.components {
        let heads: Vec<_> = component.rules.iter().map(|rule| rule.head.relation.clone()).collect();
        let declared = component.relations.iter().map(|relation| relation.name.clone());
        let relations: Vec<_> = heads.into_iter().chain(declared).chain(globals.iter().cloned()).collect();
        for literal in component.rules.iter_mut().flat_map(|rule| &mut rule.body) {
            let Literal::Atom(atom) = literal else { continue };
            let plain = !atom.new && atom.from.is_none() && atom.to.is_none() && atom.relation != START;
            let declared = externs.iter().find(|(name, _)| *name == atom.relation).map(|(_, function)| *function);
            let function = declared.or_else(|| Function::find(&atom.relation));
            let Some(function) = function.filter(|function| plain && function.get().signature.is_test()) else {
                continue;
            };
            if relations.contains(&atom.relation) {
                continue;
            }
            let (args, span) = (std::mem::take(&mut atom.args), atom.span);
            let left = Expr { kind: ExprKind::Call(function, args), span };
            let right = Expr { kind: ExprKind::Constant(menard_value::Value::Bool(!atom.negated)), span };
            *literal = Literal::Compare { op: Comparison::Equal, left, right, span };
        }
    }
}

/// Checks aggregates and signatures of all rules, whose kinds are known.
pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for rule in &component.rules {
            if sink.is_full() {
                return;
            }
            check_aggregates(program, component, rule, sink);
            rule.expressions().for_each(|expr| check_signers(expr, sink));
        }
    }
    for channel in &program.channels {
        channel.by.iter().for_each(|expr| check_signers(expr, sink));
    }
}

fn check_aggregates(program: &Program, component: &Component, rule: &Rule, sink: &mut Sink) {
    let aggregates = rule.head.args.iter().filter_map(|arg| match arg {
        HeadArg::Aggregate { function, args, span } => Some((*function, args, *span)),
        HeadArg::Expr(_) => None,
    });
    let aggregates: Vec<(Aggregate, &Vec<Expr>, Span)> = aggregates.collect();
    for (function, args, span) in &aggregates {
        match (function, args.first()) {
            (Aggregate::Quorum, Some(number)) => check_number(number, sink),
            (Aggregate::Index, _) => {
                if aggregates.len() > 1 {
                    let message = "`index` stands beside another aggregate";
                    let diagnostic = sink.start(Code::E0404, message).label(*span, "numbers facts that are complete");
                    sink.push(diagnostic.help("aggregate in a rule of its own, and number the facts of that"));
                }
                if !rule.is_event_rule(component, program) {
                    let message = "`index` numbers what follows from state alone";
                    let diagnostic = sink.start(Code::E0404, message).label(*span, "needs an event in the body");
                    sink.push(
                        diagnostic
                            .help("a number is given once, in the step of an event; `new` makes an event of state"),
                    );
                }
            }
            _ => {}
        }
    }
}

/// The size of a quorum is the same in every solution.
fn check_number(number: &Expr, sink: &mut Sink) {
    let mut varies = None;
    number.visit(&mut |part| {
        if matches!(part.kind, ExprKind::Variable(_) | ExprKind::Me) {
            varies = varies.or(Some(part.span));
        }
    });
    if let Some(span) = varies {
        let message = "the size of a quorum is not known before the run";
        let diagnostic = sink.start(Code::E0404, message).label(span, "differs from solution to solution");
        sink.push(diagnostic.help("the size is made of numbers and parameters: `quorum(f + 1, x)`"));
    }
}

/// Nobody can sign for another node.
fn check_signers(expr: &Expr, sink: &mut Sink) {
    expr.visit(&mut |part| {
        let ExprKind::Call(function, args) = &part.kind else { return };
        let Some(signer) = args.first().filter(|_| Some(*function) == Function::find("sign")) else { return };
        if signer.kind != ExprKind::Me {
            let message = "a node can sign only for itself";
            let diagnostic = sink.start(Code::E0305, message).label(signer.span, "must be `me`");
            sink.push(diagnostic.help("`sign(me, x)` signs `x`; others verify it with `verify(s, n, x)`"));
        }
    });
}
