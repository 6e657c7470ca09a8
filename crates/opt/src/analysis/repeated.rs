//! Which messages may come again: those that state alone sends, and those that are sent whenever one of these comes; and which events
//! happen again with them.
//!
//! The checker makes sure that nobody notices, so a rewrite must not let anybody look: a channel that brings repetitions may be forwarded
//! as it is, but not counted or numbered.

use std::collections::BTreeSet;

use menard_lang::ir::{Component, Program, RelationKind, Rule};

use super::scope::{Scope, atoms, fills, sends};

/// The channels that a component receives, and its events, that a repetition may bring about.
pub fn repeated_events<'a>(program: &'a Program, component: &'a Component) -> BTreeSet<&'a str> {
    let scopes: Vec<Scope<'a>> = program.components.iter().map(|component| Scope::new(program, component)).collect();
    let mut channels: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = channels.len();
        for scope in &scopes {
            let events = events_of(scope.component, &channels);
            let again = |rule: &Rule| reads_any(rule, &events) || scope.is_state_only(rule) && !is_timer(program, rule);
            channels.extend(scope.component.rules.iter().filter(|rule| again(rule)).filter_map(sends));
        }
        if channels.len() == before {
            return events_of(component, &channels);
        }
    }
}

/// Timers that state arms are armed once.
fn is_timer(program: &Program, rule: &Rule) -> bool {
    program.channel(&rule.head.relation).is_some_and(|channel| channel.delay.is_some())
}

fn reads_any(rule: &Rule, events: &BTreeSet<&str>) -> bool {
    atoms(rule).any(|atom| !atom.new && events.contains(atom.relation.as_str()))
}

/// These channels, and the events of a component that follow from them.
fn events_of<'a>(component: &'a Component, channels: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut events = channels.clone();
    let is_event = |name: &str| component.relation(name).is_some_and(|head| head.kind == RelationKind::Event);
    loop {
        let before = events.len();
        let follows: Vec<&Rule> = component.rules.iter().filter(|rule| reads_any(rule, &events)).collect();
        events.extend(follows.into_iter().filter_map(fills).filter(|name| is_event(name)));
        if events.len() == before {
            return events;
        }
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn repetitions_go_as_far_as_events_do() {
        let program = compile_text(
            "protocol t role client external role a role b
             channel put(k: int) client -> a channel m(k: int) a -> b channel back(k: int) b -> a channel once(k: int) a -> b
             component a {
               table kept(k: int) table known(k: int)
               timer late(k: int) after 1 s
               kept(k) :- put(k)  late(k) :~ kept(k)  known(k) :- late(k)
               m(k)@n :~ kept(k), b(n)  once(k)@n :~ new kept(k), b(n)
               got(k) :- back(k)  known(k) :- got(k)
             }
             component b {
               table had(k: int)
               v(k) :- m(k)  w(k) :+ v(k)  had(k) :- w(k)  had(k) :- once(k)
               back(k)@n :~ m(k) from n
             }",
        );
        let events = |name: &str| {
            let component = program.component(name).expect("it is in the text");
            let own = |event: &&str| component.relation(event).is_some() || program.channel(event).is_some();
            repeated_events(&program, component).into_iter().filter(own).collect::<Vec<_>>()
        };
        assert_eq!(events("a"), ["back", "got", "m"]);
        assert_eq!(events("b"), ["back", "m", "v", "w"]);
    }
}
