//! A rule that asks whether an event is absent needs an event that is present: otherwise it would hold in every step in which nothing
//! happens, and a node takes no such steps.

use crate::diagnostic::Code;
use crate::ir::Program;
use crate::sink::Sink;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for rule in &component.rules {
            let Some(absent) = rule.negated_atoms().find(|atom| atom.is_event(component, program)) else { continue };
            if !rule.is_event_rule(component, program) {
                let message = format!("the rule asks for the absence of the event `{}` alone", absent.relation);
                let diagnostic = sink.start(Code::E0405, message).label(absent.span, "absent in which step?");
                let diagnostic = diagnostic.label(rule.span, "has no event that is present");
                sink.push(diagnostic.help("add the event in whose step the absence matters"));
            }
        }
    }
}
