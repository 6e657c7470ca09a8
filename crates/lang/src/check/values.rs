//! What holds of aggregates and functions besides their types: what a quorum's size may be, where an index may stand, and whose
//! keys are used.

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
        }
    }
}

/// Nobody has the keys of another node; properties look from outside, and may use all.
pub(super) fn check_keys(program: &Program, sink: &mut Sink) {
    let rules = program.components.iter().flat_map(|component| &component.rules);
    let keys = program.channels.iter().flat_map(|channel| &channel.by);
    rules.flat_map(Rule::expressions).chain(keys).for_each(|expr| check_owner(expr, sink));
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

/// A function with the keys of one node, which has to be that of the rule.
struct Keyed {
    function: &'static str,
    /// The position of the node among the arguments.
    owner: usize,
    message: &'static str,
    /// What to write instead.
    help: &'static str,
}

const KEYED: [Keyed; 5] = [
    Keyed {
        function: "sign",
        owner: 0,
        message: "a node can sign only for itself",
        help: "`sign(me, x)` signs `x`; others verify it with `verify(s, n, x)`",
    },
    Keyed {
        function: "mac",
        owner: 0,
        message: "a node can make MACs only in its own name",
        help: "`mac(me, n, x)` is a MAC over `x` for `n`, who verifies it with `verify_mac(m, sender, me, x)`",
    },
    Keyed {
        function: "verify_mac",
        owner: 2,
        message: "a node can verify only MACs that are for itself",
        help: "`verify_mac(m, n, me, x)` says whether `n` has made `m` over `x` for this node; what others have to verify is signed",
    },
    Keyed {
        function: "encrypt",
        owner: 0,
        message: "a node can encrypt only by itself",
        help: "`encrypt(me, n, x, 1)` encrypts `x` for `n`, who decrypts it",
    },
    Keyed {
        function: "decrypt",
        owner: 0,
        message: "a node can decrypt only by itself",
        help: "`decrypt(me, n, x, 1)` decrypts what `n` has encrypted for this node",
    },
];

fn check_owner(expr: &Expr, sink: &mut Sink) {
    expr.visit(&mut |part| {
        let ExprKind::Call(function, args) = &part.kind else { return };
        let Some(keyed) = KEYED.iter().find(|keyed| Some(*function) == Function::find(keyed.function)) else { return };
        let Some(owner) = args.get(keyed.owner) else { return };
        if owner.kind != ExprKind::Me {
            let diagnostic = sink.start(Code::E0305, keyed.message).label(owner.span, "must be `me`");
            sink.push(diagnostic.help(keyed.help));
        }
    });
}
