//! Which relations are tables, events and views.
//!
//! A relation that is not declared is an event if `:+` fills it or if some rule for it has an event in its body; otherwise it is a view.
//! That is a least fixpoint, since an event may be derived from an event.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Code;
use crate::graph::reachable;
use crate::ir::{Atom, Component, Name, Program, RelationKind, Rule, RuleKind};
use crate::sink::Sink;
use crate::walk::START;

pub(super) fn infer(program: &mut Program, sink: &mut Sink) {
    let channels: Vec<Name> = program.channels.iter().map(|channel| channel.name.clone()).collect();
    let mut components = std::mem::take(&mut program.components);
    for component in &mut components {
        let mut kinds = Kinds::new(&channels, component);
        kinds.run(component);
        for relation in component.relations.iter_mut().filter(|relation| !relation.declared) {
            relation.kind = kinds.relations[&relation.name];
        }
        for rule in &component.rules {
            kinds.check_rule(component, rule, sink);
        }
    }
    program.components = components;
}

struct Kinds {
    /// Kinds of the component's relations; `Event` for channels and for `start`. Roles are not in it.
    relations: BTreeMap<Name, RelationKind>,
}

impl Kinds {
    fn new(channels: &[Name], component: &Component) -> Self {
        let events = channels.iter().cloned().chain([Name::new_static(START)]);
        let mut relations: BTreeMap<Name, RelationKind> = events.map(|name| (name, RelationKind::Event)).collect();
        relations.extend(component.relations.iter().map(|relation| (relation.name.clone(), relation.kind)));
        Kinds { relations }
    }

    fn run(&mut self, component: &Component) {
        let inferred: BTreeSet<&Name> =
            component.relations.iter().filter(|relation| !relation.declared).map(|relation| &relation.name).collect();
        let (mut seeds, mut derived) = (Vec::new(), BTreeMap::new());
        for rule in component.rules.iter().filter(|rule| inferred.contains(&rule.head.relation)) {
            if rule.kind == RuleKind::Next || self.event_of(rule).is_some() {
                seeds.push(&rule.head.relation);
            }
            for atom in rule.positive_atoms() {
                derived.entry(&atom.relation).or_insert_with(Vec::new).push(&rule.head.relation);
            }
        }
        let events = reachable(seeds, &derived);
        self.relations.extend(events.into_iter().map(|name| (name.clone(), RelationKind::Event)));
    }

    fn is_event(&self, atom: &Atom) -> bool {
        atom.new || self.relations.get(&atom.relation) == Some(&RelationKind::Event)
    }

    /// The first event in the body that is present.
    fn event_of<'r>(&self, rule: &'r Rule) -> Option<&'r Atom> {
        rule.positive_atoms().find(|atom| self.is_event(atom))
    }

    fn check_rule(&self, component: &Component, rule: &Rule, sink: &mut Sink) {
        for atom in rule.atoms().filter(|atom| atom.new) {
            self.check_new(component, atom, sink);
        }
        if rule.kind == RuleKind::Async {
            return;
        }
        let Some(relation) = component.relation(&rule.head.relation) else { return };
        match (relation.declared, relation.kind, rule.kind, self.event_of(rule)) {
            (true, RelationKind::View, RuleKind::Next, _) => {
                let message = format!("`{}` is declared a view, but filled by `:+`", relation.name);
                let diagnostic = sink.start(Code::E0502, message).label(rule.head.span, "holds in one step only");
                sink.push(
                    diagnostic.label(relation.span, "declared a view").help("declare it a `table` or an `event`"),
                );
            }
            (true, RelationKind::View, _, Some(event)) => {
                let message = format!("`{}` is declared a view, but derived from an event", relation.name);
                let diagnostic = sink.start(Code::E0502, message).label(event.span, "an event");
                sink.push(
                    diagnostic.label(relation.span, "declared a view").help("declare it a `table` or an `event`"),
                );
            }
            (_, RelationKind::Event, RuleKind::Now, None) => self.report_mixed(component, rule, sink),
            _ => {}
        }
    }

    /// State cannot derive an event: the event would hold in every step, also in those that nothing else calls for.
    fn report_mixed(&self, component: &Component, rule: &Rule, sink: &mut Sink) {
        let name = &rule.head.relation;
        let message = format!("`{name}` is an event, but derived from state alone");
        let mut diagnostic =
            sink.start(Code::E0501, message).label(rule.span, "from state alone: holds while the state does");
        let mut others = component.rules.iter().filter(|other| other.head.relation == *name && !other.delete);
        let event = others.find(|other| other.kind == RuleKind::Next || self.event_of(other).is_some());
        if let Some(other) = event {
            diagnostic = diagnostic.label(other.span, "an event: holds in one step");
        } else if let Some(relation) = component.relation(name) {
            diagnostic = diagnostic.label(relation.span, "declared an event");
        }
        let mut state = rule.positive_atoms().filter(|atom| component.relation(&atom.relation).is_some());
        sink.push(diagnostic.help(match state.next() {
            Some(atom) => format!("`new {}(...)` is the event that it begins to hold", atom.relation),
            None => "use two relations, one for what happens and one for what is the case".to_owned(),
        }));
    }

    fn check_new(&self, component: &Component, atom: &Atom, sink: &mut Sink) {
        let relation = component.relation(&atom.relation);
        let label = match self.relations.get(&atom.relation) {
            Some(RelationKind::Event) => "an event is always new",
            None => "the nodes of a role are always the same",
            Some(RelationKind::Table | RelationKind::View) => return,
        };
        let message = format!("`new {}`: only a table or a view begins to hold", atom.relation);
        let diagnostic = sink.start(Code::E0503, message).label(atom.span, label);
        sink.push(match relation {
            Some(relation) => diagnostic.label(relation.span, "not state"),
            None => diagnostic,
        });
    }
}
