//! Numbers of nodes, of partitions and of faults.

use menard_value::Value;

use super::MAX_NODES;
use crate::constant::evaluate;
use crate::diagnostic::Code;
use crate::ir::{Expr, FaultKind, Param, Program};
use crate::sink::Sink;
use crate::source::Span;
use crate::suggest::nearest;

pub(super) fn check(program: &mut Program, sink: &mut Sink) {
    let params = &program.params;
    for role in &mut program.roles {
        role.nodes = match &role.count {
            Some(count) => at_least(1, count, params, sink),
            None => u32::from(!role.external),
        };
    }
    for component in &mut program.components {
        if let Some(count) = &component.count {
            component.parts = at_least(1, count, params, sink);
        }
    }
    check_total(program, sink);
    check_faults(program, sink);
}

/// The value of a count; where it makes no sense, reports that and gives `least`.
fn at_least(least: u32, count: &Expr, params: &[Param], sink: &mut Sink) -> u32 {
    let problem = match evaluate(count, params) {
        Err(problem) => {
            sink.error(Code::E0303, problem.span, "this number is not known before the run", problem.reason);
            return least;
        }
        Ok(Value::Int(int)) => match u32::try_from(int) {
            Ok(number) if number >= least && number <= MAX_NODES => return number,
            _ => format!("{int} is not between {least} and {MAX_NODES}"),
        },
        Ok(value) => format!("{value} is not a number"),
    };
    sink.error(Code::E0701, count.span, "this number of nodes makes no sense", problem);
    least
}

fn check_total(program: &Program, sink: &mut Sink) {
    let nodes = |role: &str| program.role(role).map_or(0, |role| u64::from(role.nodes));
    let total: u64 = program.components.iter().map(|part| nodes(&part.role) * u64::from(part.parts)).sum();
    let Some(largest) = program.components.iter().max_by_key(|part| nodes(&part.role) * u64::from(part.parts)) else {
        return;
    };
    if total > u64::from(MAX_NODES) {
        let message = format!("the program has {total} physical nodes, more than the limit of {MAX_NODES}");
        let most = nodes(&largest.role) * u64::from(largest.parts);
        sink.error(Code::E0702, largest.span, message, format!("{most} of them are here"));
    }
}

fn check_faults(program: &mut Program, sink: &mut Sink) {
    let mut seen: Vec<(crate::ir::FaultKind, crate::ir::Name, Span)> = Vec::new();
    for fault in &mut program.faults {
        fault.nodes = at_least(0, &fault.count, &program.params, sink);
        let Some(role) = program.roles.iter().find(|role| role.name == fault.role) else {
            let help = nearest(&fault.role, program.roles.iter().map(|role| role.name.as_str()));
            let message = format!("there is no role `{}`", fault.role);
            let diagnostic = sink.start(Code::E0202, message).label(fault.span, "a fault of nobody");
            sink.push(match help {
                Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
                None => diagnostic,
            });
            continue;
        };
        if role.external {
            let message = format!("a fault of `{}`, which is external", role.name);
            let (label, help) = match fault.kind {
                FaultKind::Byzantine => (
                    "external nodes send what workloads make up, and are in no coalition of liars",
                    format!(
                        "for some that lie, declare a role of the protocol with a component that does what `{}` does, and the fault of that",
                        role.name
                    ),
                ),
                _ => (
                    "nothing is asked of external nodes, so nothing need be declared",
                    format!("leave it out, or let `{}` be a role of the protocol, with a component", role.name),
                ),
            };
            let diagnostic = sink.start(Code::E0704, message).label(fault.span, label);
            sink.push(diagnostic.label(role.span, "declared external").help(help));
        } else if fault.nodes > role.nodes {
            let message = format!("{} faulty nodes of `{}`, which has {}", fault.nodes, role.name, role.nodes);
            let diagnostic = sink.start(Code::E0703, message).label(fault.count.span, "more than there are");
            sink.push(diagnostic.label(role.span, "the role"));
        }
        if let Some((_, _, first)) = seen.iter().find(|(kind, name, _)| *kind == fault.kind && *name == fault.role) {
            let message = format!("this kind of fault of `{}` is declared twice", fault.role);
            let diagnostic = sink.start(Code::E0205, message).label(fault.span, "declared again");
            sink.push(diagnostic.label(*first, "declared first"));
        }
        seen.push((fault.kind, fault.role.clone(), fault.span));
    }
}
