//! Delays and timers.

use menard_value::Value;

use crate::constant::evaluate;
use crate::diagnostic::Code;
use crate::ir::{Channel, Delay, ExprKind, Param, Program};
use crate::sink::Sink;

/// How long delays are.
pub(super) fn measure(program: &mut Program, sink: &mut Sink) {
    for delay in program.channels.iter_mut().filter_map(|channel| channel.delay.as_mut()) {
        delay.micros = micros(delay, &program.params, sink);
    }
}

fn micros(delay: &Delay, params: &[Param], sink: &mut Sink) -> u64 {
    let problem = match evaluate(&delay.amount, params) {
        Err(problem) => {
            sink.error(Code::E0303, problem.span, "this time is not known before the run", problem.reason);
            return 1;
        }
        Ok(Value::Int(amount)) => {
            let micros = u64::try_from(amount).ok().and_then(|amount| amount.checked_mul(delay.unit.micros()));
            match micros.filter(|micros| *micros > 0 && i64::try_from(*micros).is_ok()) {
                Some(micros) => return micros,
                None if amount > 0 => format!("{amount} {} is too long", delay.unit.name()),
                None => format!("{amount} {} is no time to wait for", delay.unit.name()),
            }
        }
        Ok(value) => format!("{value} is not a number"),
    };
    sink.error(Code::E0705, delay.amount.span, "this delay makes no sense", problem);
    1
}

/// A delayed message stays within a logical node: it goes from a component of a role to one of the same role.
pub(super) fn check_endpoints(program: &Program, sink: &mut Sink) {
    for channel in program.channels.iter().filter(|channel| channel.delay.is_some()) {
        let role = |end| program.component(end).map(|component| &component.role);
        let (Some(from), Some(to)) = (role(&channel.sender), role(&channel.receiver)) else {
            report(channel, "external and native nodes have time of their own", sink);
            continue;
        };
        if from != to {
            report(channel, &format!("from `{from}` to `{to}`"), sink);
        }
    }
}

fn report(channel: &Channel, label: &str, sink: &mut Sink) {
    let message = format!("the delayed channel `{}` goes to another node", channel.name);
    let diagnostic = sink.start(Code::E0616, message).label(channel.span, label);
    sink.push(diagnostic.help("a timer is a message of a node to itself; who hears of it later sends on"));
}

/// Rules send delayed messages to `me`.
pub(super) fn check_destinations(program: &Program, sink: &mut Sink) {
    for rule in program.components.iter().flat_map(|component| &component.rules) {
        let delayed = program.channel(&rule.head.relation).is_some_and(|channel| channel.delay.is_some());
        let Some(at) = rule.head.at.as_ref().filter(|at| delayed && at.kind != ExprKind::Me) else { continue };
        let message = format!("the delayed message `{}` goes to another node", rule.head.relation);
        let diagnostic = sink.start(Code::E0616, message).label(at.span, "not `me`");
        let help = format!("a timer is a message of a node to itself: `{}(...) :~ ...`", rule.head.relation);
        sink.push(diagnostic.help(help));
    }
}
