//! Tables that keep only some of their facts: keyed tables and windows.
//!
//! Which fact of a key stays is decided once in each step, and a window looks at its register between two steps. Both are about what
//! happens in a step: a rule of state alone would say its facts again in every step, against what was decided.

use menard_value::Type;

use crate::diagnostic::Code;
use crate::ir::{Component, Keyed, Name, Policy, Program, Relation};
use crate::sink::Sink;
use crate::suggest::nearest;
use crate::walk::START;

/// What declarations say; types of declared columns are known.
pub(super) fn check_declarations(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        for relation in &component.relations {
            if let Some(low) = &relation.storage.above {
                check_first_column(relation, sink);
                check_key(relation, sink);
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

/// A restarted node has its durable facts, and `start()` holds again.
pub(super) fn warn(program: &Program, sink: &mut Sink) {
    for component in &program.components {
        let replaced = |name: &Name| {
            let relation = component.relation(name).filter(|relation| relation.storage.durable);
            relation.filter(|relation| relation.storage.key.is_some_and(|key| key.policy == Policy::Replace))
        };
        for rule in component.rules.iter().filter(|rule| rule.is_now()) {
            let Some(relation) = replaced(&rule.head.relation) else { continue };
            let Some(start) = rule.positive_atoms().find(|atom| atom.relation == START) else { continue };
            let name = &relation.name;
            let message = format!("every restart sets the durable table `{name}` back");
            let diagnostic = sink.start_warning(Code::E0514, message).label(start.span, "holds after a restart too");
            let help =
                format!("set it only where nothing is there, in the next step: `{name}(...) :+ start(), !{name}(...)`");
            sink.push(diagnostic.label(relation.span, "durable, and the new value replaces the old").help(help));
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

/// Of facts with one key, only those above the register come about: which of them stays must not depend on where it is.
fn check_key(window: &Relation, sink: &mut Sink) {
    if window.storage.key.is_some_and(|key| key.columns == 0) {
        let message = format!("the first column of the window `{}` is no part of its key", window.name);
        let diagnostic = sink.start(Code::E0513, message).label(window.span, "one fact, and it slides away?");
        sink.push(
            diagnostic.help("a window keeps facts by their first column: it belongs to the key, `(n: int => ...)`"),
        );
    }
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
    if window.storage.durable && !register.storage.durable {
        let message = format!("the durable window `{}` is above `{low}`, which a restart forgets", window.name);
        let diagnostic = sink.start(Code::E0513, message).label(window.span, "survives a restart");
        let help = format!("declare `durable table {low}(=> n: int) max`: facts that are gone would be let in again");
        sink.push(diagnostic.label(register.span, "does not").help(help));
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
