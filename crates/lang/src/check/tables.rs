//! Tables that keep only some of their facts: keyed tables and windows.
//!
//! Which fact of a key stays is decided once in each step, and a window looks at its register between two steps. Both are about what
//! happens in a step: a rule of state alone would say its facts again in every step, against what was decided.

use menard_value::Type;

use crate::diagnostic::Code;
use crate::ir::{Component, Keyed, Name, Policy, Program, Relation};
use crate::sink::Sink;
use crate::suggest::nearest;

/// What declarations say; types of declared columns are known.
pub(super) fn check_declarations(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for relation in &component.relations {
            if let Some(low) = &relation.storage.above {
                check_first_column(relation, sink);
                check_register(component, relation, low, sink);
            }
        }
    }
}

/// Rules that fill such a table have an event in their body.
pub(super) fn check_rules(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for rule in component.rules.iter().filter(|rule| !rule.delete) {
            let Some(relation) = component.relation(&rule.head.relation) else { continue };
            if !relation.storage.is_selective() || rule.is_event_rule(component, program) {
                continue;
            }
            let (name, what) = (&relation.name, if relation.storage.key.is_some() { "keyed table" } else { "window" });
            let message = format!("state alone fills the {what} `{name}`");
            let diagnostic = sink.start(Code::E0512, message).label(rule.span, "nothing here happens in a single step");
            let diagnostic = diagnostic.label(relation.span, format!("a {what}"));
            let mut state = rule.positive_atoms().filter(|atom| component.relation(&atom.relation).is_some());
            sink.push(diagnostic.help(match state.next() {
                Some(atom) => format!("`new {}(...)` is the event that it begins to hold", atom.relation),
                None => format!("add the event after which `{name}` is to hold"),
            }));
        }
    }
}

fn check_first_column(window: &Relation, sink: &mut Sink) {
    if window.columns.first().is_some_and(|column| column.ty == Type::Int) {
        return;
    }
    let message = format!("the first column of the window `{}` is no integer", window.name);
    let diagnostic = sink.start(Code::E0513, message).label(window.span, "what slides?");
    sink.push(diagnostic.help("a window keeps the facts whose first column, an `int`, is above the register"));
}

fn check_register(component: &Component, window: &Relation, low: &Name, sink: &mut Sink) {
    let declared = component.relation(low).filter(|register| register.declared);
    let Some(register) = declared else {
        let message = format!("the window `{}` is above `{low}`, which is not declared", window.name);
        let diagnostic = sink.start(Code::E0513, message).label(window.span, format!("above `{low}`"));
        let names = component.relations.iter().filter(|one| is_register(one)).map(|one| one.name.as_str());
        sink.push(diagnostic.help(match nearest(low, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("declare `table {low}(=> n: int) max` in this component"),
        }));
        return;
    };
    if !is_register(register) {
        let message = format!("the window `{}` is above `{low}`, which is no register", window.name);
        let diagnostic = sink.start(Code::E0513, message).label(window.span, format!("above `{low}`"));
        let help = format!("declare `table {low}(=> n: int) max`: one integer that only grows");
        sink.push(diagnostic.label(register.span, "may be taken back").help(help));
    }
    if let Some(delete) = component.rules.iter().find(|rule| rule.delete && rule.head.relation == *low) {
        let message = format!("the window `{}` is above `{low}`, which is deleted from", window.name);
        let diagnostic = sink.start(Code::E0513, message).label(delete.span, "deletes from it");
        let diagnostic = diagnostic.label(window.span, format!("above `{low}`"));
        sink.push(
            diagnostic.help("a window slides in one direction: what was at or below its register never comes back"),
        );
    }
}

/// Whether it is one integer that only grows.
fn is_register(relation: &Relation) -> bool {
    relation.storage.key == Some(Keyed { columns: 0, policy: Policy::Max })
        && relation.columns.len() == 1
        && relation.columns[0].ty == Type::Int
}
