//! What happened in one event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use menard_lang::ir::{Name, RelationKind};
use menard_lang::run::{Address, Event};

use super::chronicle::{Chronicle, Flight, place};
use super::matching::Row;
use super::rounds::Step;

/// An event, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its number.
    pub event: String,
    /// Where it happens.
    pub node: String,
    /// What happens, without its messages.
    pub action: String,
    /// The messages taken, with the events that sent them.
    pub takes: Vec<String>,
    /// What the step derived.
    pub derives: Vec<Change>,
    /// The messages sent.
    pub sends: Vec<String>,
    /// What is different from the next step on.
    pub then: Vec<Change>,
    /// Messages in flight after it.
    pub network: Vec<String>,
    /// The tables of the node after it, and its views as they were in it; of a node of the program only.
    pub tables: Vec<(Name, Vec<String>)>,
}

/// A fact that begins to hold, holds in this step only, or no longer holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// `+` begins to hold, `-` no longer holds, `*` holds in one step.
    pub sign: char,
    /// What kind of relation it is one of: `table`, `view`, `event`; `candidate` for what a keyed table may take in the next step.
    pub kind: &'static str,
    /// The fact.
    pub fact: String,
}

impl Account {
    /// The event for people.
    pub fn text(&self) -> String {
        let mut text = format!("event {}: {} {}\n", self.event, self.node, self.action);
        section(&mut text, "takes", &self.takes);
        section(&mut text, "derives", &lines(&self.derives));
        section(&mut text, "sends", &self.sends);
        section(&mut text, "from the next step on", &lines(&self.then));
        section(&mut text, "in the network", &self.network);
        if !self.tables.is_empty() {
            text.push_str(&tables_text(&self.node, &self.tables));
        }
        text
    }
}

/// Tables and views with their facts.
pub fn tables_text(node: &str, tables: &[(Name, Vec<String>)]) -> String {
    let facts: Vec<String> = tables.iter().flat_map(|(_, facts)| facts).cloned().collect();
    let mut text = String::new();
    section(&mut text, &format!("tables and views of {node}"), &facts);
    match (tables.is_empty(), facts.is_empty()) {
        (true, _) => format!("{node} keeps no tables and no views\n"),
        (false, true) => format!("tables and views of {node}: empty\n"),
        (false, false) => text,
    }
}

fn section(text: &mut String, head: &str, lines: &[String]) {
    if !lines.is_empty() {
        writeln!(text, "{head}").expect("writing to a string succeeds");
    }
    for line in lines {
        writeln!(text, "  {line}").expect("writing to a string succeeds");
    }
}

fn lines(changes: &[Change]) -> Vec<String> {
    let width = changes.iter().map(|change| change.fact.chars().count()).max().unwrap_or(0);
    changes.iter().map(|change| format!("{} {:<width$}   {}", change.sign, change.fact, change.kind)).collect()
}

impl Chronicle<'_> {
    /// What happened in an event.
    pub fn account(&self, event: usize) -> Account {
        let moment = &self.moments[event];
        let at = place(&moment.event);
        let (node, action) = self.headline(event);
        let step = moment.step.as_ref();
        Account {
            event: moment.label.clone(),
            node,
            action,
            takes: moment.inputs.iter().map(|flight| self.arrival(*flight)).collect(),
            derives: step.zip(at).map(|(step, at)| self.derived_in(step, at)).unwrap_or_default(),
            sends: moment.outputs.iter().map(|flight| self.departure(*flight)).collect(),
            then: step.zip(at).map(|(step, at)| self.changed_by(step, at)).unwrap_or_default(),
            network: self.network(event),
            tables: at.map(|at| self.tables_of(at, event)).unwrap_or_default(),
        }
    }

    /// Where an event happens, and what.
    fn headline(&self, event: usize) -> (String, String) {
        let moment = &self.moments[event];
        let (node, action) = match &moment.event {
            Event::Inject { message } => (self.names.node(message.from), "sends a message"),
            Event::Corrupt { whom } => (self.names.struck(whom), "lies from now on"),
            Event::Forge { message, .. } => match self.is_changed_on_wire(event) {
                true => (self.names.node(message.from), "has its message changed on the wire"),
                false => (self.names.node(message.from), "makes up a message"),
            },
            Event::Step { at, inputs, .. } => {
                let is_first = moment.step.as_ref().is_some_and(|step| step.previous.is_none());
                let action = match (is_first, inputs.is_empty()) {
                    (true, _) => "starts",
                    (false, true) => "follows up",
                    (false, false) => "takes a step",
                };
                (self.names.address(at), action)
            }
            Event::Repeat { at, .. } => (self.names.address(at), "repeats a message"),
            Event::Take { message, lost: true } => (self.names.node(message.to), "never gets a message: it is lost"),
            Event::Take { message, lost: false } => (self.names.node(message.to), "gets a message"),
            Event::Crash { whom } => (self.names.struck(whom), "crashes"),
            Event::Restart { whom } => (self.names.struck(whom), "restarts with what its disk has"),
            Event::Forgo { .. } => unreachable!("only schedules have such events"),
            Event::Redeliver { message } => (self.names.node(message.to), "is going to get a message again"),
            Event::Sync { at } => (self.names.address(at), "has one more turn on its disk"),
            Event::Cut { nodes } => {
                let nodes: Vec<String> = nodes.iter().map(|node| self.names.node(*node)).collect();
                (nodes.join(", "), "cannot reach the other nodes, nor they them")
            }
            Event::Heal => ("the network".to_owned(), "is whole again"),
        };
        (node, action.to_owned())
    }

    /// An event in one line.
    pub fn line(&self, event: usize) -> String {
        let (node, action) = self.headline(event);
        let moment = &self.moments[event];
        let of = |flights: &[usize]| {
            let of = flights.iter().map(|flight| format!("m{} {}", flight + 1, self.flights[*flight].message.channel));
            of.collect::<Vec<_>>().join(", ")
        };
        let mut line = format!("{:>5}  {node} {action}", moment.label);
        for (flights, word) in [(&moment.inputs, "takes"), (&moment.outputs, "sends")] {
            if !flights.is_empty() {
                line.push_str(&format!("; {word} {}", of(flights)));
            }
        }
        line
    }

    fn arrival(&self, flight: usize) -> String {
        let Flight { message, sent, .. } = &self.flights[flight];
        let fact = self.names.fact(&message.channel, &message.args);
        let from = self.names.node(message.from);
        format!("m{} {fact} from {from}, sent in event {}", flight + 1, self.label(*sent))
    }

    fn departure(&self, flight: usize) -> String {
        let message = &self.flights[flight].message;
        let fact = self.names.fact(&message.channel, &message.args);
        format!("m{} {fact} to {}", flight + 1, self.names.node(message.to))
    }

    /// The messages in flight after an event.
    pub fn network(&self, event: usize) -> Vec<String> {
        let flies =
            |(_, flight): &(usize, &Flight)| flight.since <= event && flight.taken.is_none_or(|taken| taken > event);
        let flying = self.flights.iter().enumerate().filter(flies);
        let line = |(number, flight): (usize, &Flight)| {
            let message = self.names.message(&flight.message);
            format!("m{} {message}, sent in event {}", number + 1, self.label(flight.sent))
        };
        flying.map(line).collect()
    }

    /// The tables of a node after an event, and its views as they were in its last step.
    pub fn tables_of(&self, at: &Address, event: usize) -> Vec<(Name, Vec<String>)> {
        let Some(component) = self.component(at) else { return Vec::new() };
        let step = self.last_step_of(at, event).and_then(|last| self.step(last));
        let kept = component.relations.iter().filter(|relation| relation.kind != RelationKind::Event);
        let facts = |relation: &menard_lang::ir::Relation| {
            let rows: Vec<&Row> = match (step, relation.kind) {
                (None, _) => Vec::new(),
                (Some(step), RelationKind::Table) => step.after.get(&relation.name).into_iter().flatten().collect(),
                (Some(step), _) => step.facts.get(&relation.name).into_iter().flat_map(BTreeMap::keys).collect(),
            };
            rows.into_iter().map(|row| self.fact(&relation.name, row)).collect()
        };
        kept.map(|relation| (relation.name.clone(), facts(relation))).collect()
    }

    fn derived_in(&self, step: &Step, at: &Address) -> Vec<Change> {
        let before = step.previous.and_then(|previous| self.step(previous));
        let mut changes = Vec::new();
        for relation in self.component(at).into_iter().flat_map(|component| &component.relations) {
            let name = &relation.name;
            let rows = |step: &Step| -> BTreeSet<Row> {
                step.facts.get(name).into_iter().flat_map(BTreeMap::keys).cloned().collect()
            };
            let now = rows(step);
            let (sign, kind, known) = match relation.kind {
                RelationKind::Table => ('+', "table", step.before.get(name).cloned().unwrap_or_default()),
                RelationKind::View => ('+', "view", before.map(rows).unwrap_or_default()),
                RelationKind::Event => ('*', "event", BTreeSet::new()),
            };
            let change = |sign, row: &Row| Change { sign, kind, fact: self.fact(name, row) };
            changes.extend(known.difference(&now).map(|row| change('-', row)));
            changes.extend(now.difference(&known).map(|row| change(sign, row)));
        }
        changes
    }

    fn changed_by(&self, step: &Step, at: &Address) -> Vec<Change> {
        let mut changes = Vec::new();
        for relation in self.component(at).into_iter().flat_map(|component| &component.relations) {
            let name = &relation.name;
            let is_table = relation.kind == RelationKind::Table;
            let kind = if is_table { "table" } else { "event" };
            let change = |sign, row: &Row| Change { sign, kind, fact: self.fact(name, row) };
            if is_table {
                let now: BTreeSet<Row> = step.facts.get(name).into_iter().flat_map(BTreeMap::keys).cloned().collect();
                let after = step.after.get(name).cloned().unwrap_or_default();
                changes.extend(now.difference(&after).map(|row| change('-', row)));
                changes.extend(after.difference(&now).map(|row| change('+', row)));
                let candidates = step.plus.get(name).into_iter().flatten().filter(|_| relation.storage.key.is_some());
                changes.extend(candidates.map(|row| Change { kind: "candidate", ..change('*', row) }));
            } else {
                changes.extend(step.plus.get(name).into_iter().flatten().map(|row| change('*', row)));
            }
        }
        changes
    }
}
