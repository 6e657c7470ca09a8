//! Why something holds: the rule, the facts of its body, and their reasons.

use std::collections::BTreeSet;
use std::fmt::Write;

use menard_lang::ir::{Atom, HeadArg, Literal, Name, Rule, RuleKind};
use menard_lang::print;
use menard_lang::run::Event;
use menard_value::Value;

use super::chronicle::{Chronicle, place, received, sent_by};
use super::matching::{Row, Solution};
use super::rounds::START;

/// Facts that an aggregate is shown to come from; there may be thousands.
const MAX_MEMBERS: usize = 20;

/// Why something holds, or does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What holds, and where it comes from.
    pub text: String,
    /// The rule that derived it, if a rule did.
    pub rule: Option<String>,
    /// The place of the rule: `voting.ded:24`.
    pub place: Option<String>,
    /// What the rule's body found.
    pub because: Vec<Reason>,
}

impl Reason {
    pub(super) fn leaf(text: impl Into<String>) -> Self {
        Reason { text: text.into(), rule: None, place: None, because: Vec::new() }
    }

    /// The reasons as a tree for people.
    pub fn tree(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "", "");
        text
    }

    fn write(&self, text: &mut String, first: &str, rest: &str) {
        writeln!(text, "{first}{}", self.text).expect("writing to a string succeeds");
        if let Some(rule) = &self.rule {
            let bar = if self.because.is_empty() { " " } else { "│" };
            let place = self.place.as_deref().unwrap_or_default();
            writeln!(text, "{rest}{bar}   by {rule}   ({place})").expect("writing to a string succeeds");
        }
        for (position, reason) in self.because.iter().enumerate() {
            let (branch, bar) =
                if position + 1 == self.because.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            reason.write(text, &format!("{rest}{branch}"), &format!("{rest}{bar}"));
        }
    }
}

/// How far to go, and what has been said already.
pub(super) struct Teller<'c, 'a> {
    pub chronicle: &'c Chronicle<'a>,
    said: BTreeSet<(usize, Name, Row)>,
}

impl<'c, 'a> Teller<'c, 'a> {
    pub fn new(chronicle: &'c Chronicle<'a>) -> Self {
        Teller { chronicle, said: BTreeSet::new() }
    }

    /// Why a fact holds in a step. `depth` is how many rules deep to go.
    pub fn fact(&mut self, event: usize, relation: &Name, row: &Row, depth: u32) -> Reason {
        let fact = self.chronicle.fact(relation, row);
        let Some(step) = self.chronicle.step(event) else { return Reason::leaf(fact) };
        if relation == START {
            return Reason::leaf(format!("{fact}: the node starts"));
        }
        if self.chronicle.program.channel(relation).is_some() {
            return self.message_of(event, relation, row, depth);
        }
        let round = step.facts.get(relation).and_then(|rows| rows.get(row)).copied().unwrap_or(0);
        let is_in_table = step.before.get(relation).is_some_and(|rows| rows.contains(row));
        match step.previous {
            Some(previous) if is_in_table => self.table(previous, relation, row, depth),
            Some(previous) if round == 0 && self.is_deferred(previous, relation, row) => {
                let text = format!("{fact}: deferred to this step by event {}", self.chronicle.label(previous));
                self.derived(previous, RuleKind::Next, relation, row, text, depth)
            }
            None if is_in_table => Reason::leaf(format!("{fact}: kept over the restart")),
            _ if round == 0 => Reason::leaf(format!("{fact}: always holds")),
            _ => {
                let text = format!("{fact}: derived in event {}", self.chronicle.label(event));
                self.derived(event, RuleKind::Now, relation, row, text, depth)
            }
        }
    }

    fn is_deferred(&self, previous: usize, relation: &Name, row: &Row) -> bool {
        let plus = self.chronicle.step(previous).and_then(|step| step.plus.get(relation));
        plus.is_some_and(|rows| rows.contains(row))
    }

    /// Why a fact is in a table after a step.
    pub fn table(&mut self, mut event: usize, relation: &Name, row: &Row, depth: u32) -> Reason {
        let contains = |rows: Option<&BTreeSet<Row>>| rows.is_some_and(|rows| rows.contains(row));
        let component = place(&self.chronicle.moments[event].event).and_then(|at| self.chronicle.component(at));
        let declared = component.and_then(|component| component.relation(relation));
        // What `:+` says of a keyed table is a candidate of the next step.
        let keyed = declared.is_some_and(|relation| relation.storage.key.is_some());
        while let Some(step) = self.chronicle.step(event) {
            if !keyed && contains(step.plus.get(relation)) || !contains(step.before.get(relation)) {
                break;
            }
            let Some(previous) = step.previous else {
                return Reason::leaf(format!("{}: kept over the restart", self.chronicle.fact(relation, row)));
            };
            event = previous;
        }
        if keyed {
            return self.fact(event, relation, row, depth);
        }
        let label = self.chronicle.label(event);
        let text = format!("{}: in the table since event {label}", self.chronicle.fact(relation, row));
        let plus = self.chronicle.step(event).and_then(|step| step.plus.get(relation));
        let kind = if contains(plus) { RuleKind::Next } else { RuleKind::Now };
        self.derived(event, kind, relation, row, text, depth)
    }

    /// Why a fact holds from the step after this one on.
    pub fn deferred(&mut self, event: usize, relation: &Name, row: &Row, depth: u32) -> Reason {
        let fact = self.chronicle.fact(relation, row);
        let text = format!("{fact}: from the step after event {} on", self.chronicle.label(event));
        self.derived(event, RuleKind::Next, relation, row, text, depth)
    }

    /// Why a message was there to be read.
    fn message_of(&mut self, event: usize, channel: &Name, row: &Row, depth: u32) -> Reason {
        let flights = &self.chronicle.flights;
        let is_it = |flight: &&usize| {
            let message = &flights[**flight].message;
            message.channel == *channel && received(message) == *row
        };
        match self.chronicle.moments[event].inputs.iter().find(is_it) {
            Some(&flight) => self.message(flight, depth),
            None => Reason::leaf(self.chronicle.fact(channel, row)),
        }
    }

    /// Why a message was sent.
    pub fn message(&mut self, flight: usize, depth: u32) -> Reason {
        let (chronicle, sent) = (self.chronicle, self.chronicle.flights[flight].sent);
        let message = &chronicle.flights[flight].message;
        let (text, label) = (chronicle.names.message(message), chronicle.label(sent));
        let verb = match &chronicle.moments[sent].event {
            Event::Inject { .. } => {
                return Reason::leaf(format!("{text}: m{}, sent from outside in event {label}", flight + 1));
            }
            Event::Forge { .. } if chronicle.is_changed_on_wire(sent) => {
                return Reason::leaf(format!("{text}: m{}, changed on the wire in event {label}", flight + 1));
            }
            Event::Forge { .. } => {
                return Reason::leaf(format!("{text}: m{}, made up in event {label}", flight + 1));
            }
            Event::Repeat { .. } => "repeated",
            _ => "sent",
        };
        let text = format!("{text}: m{}, {verb} in event {label}", flight + 1);
        let Some(step) = chronicle.moments[sent].last_step else { return Reason::leaf(text) };
        let (channel, to, args) = sent_by(message);
        let tuple: Row = std::iter::once(Value::Node(to)).chain(args).collect();
        self.derived(step, RuleKind::Async, &channel, &tuple, text, depth)
    }

    /// The rule of this kind that derived a tuple in a step.
    fn derived(
        &mut self,
        event: usize,
        kind: RuleKind,
        relation: &Name,
        tuple: &Row,
        text: String,
        depth: u32,
    ) -> Reason {
        let key = (event, relation.clone(), tuple.clone());
        if self.said.contains(&key) {
            return Reason::leaf(format!("{text} (see above)"));
        }
        if depth == 0 {
            return Reason::leaf(format!("{text} …"));
        }
        let (Some(at), Some(step)) = (place(&self.chronicle.moments[event].event), self.chronicle.step(event)) else {
            return Reason::leaf(text);
        };
        let round = step.facts.get(relation).and_then(|rows| rows.get(tuple)).copied();
        let limit = if kind == RuleKind::Now { round.unwrap_or(u32::MAX) } else { u32::MAX };
        let component = self.chronicle.component(at).expect("a step is one of a component");
        let is_of = |rule: &&Rule| rule.kind == kind && !rule.delete && rule.head.relation == *relation;
        for rule in component.rules.iter().filter(is_of) {
            let derived = self.chronicle.reader(event, limit).map(|reader| reader.derive(rule));
            let Some(solutions) = derived.and_then(|mut derived| derived.remove(tuple)) else { continue };
            self.said.insert(key);
            let because = self.because(event, rule, &solutions, limit, depth - 1);
            return Reason { because, ..self.chronicle.by_rule(rule, text) };
        }
        Reason::leaf(text)
    }

    /// What a body found. Of a rule with an aggregate, in all its solutions.
    fn because(&mut self, event: usize, rule: &Rule, solutions: &[Solution], limit: u32, depth: u32) -> Vec<Reason> {
        let aggregated = rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. }));
        let members = if aggregated { solutions.len() } else { 1 };
        let (mut reasons, mut seen): (Vec<Reason>, BTreeSet<(Name, Row)>) = (Vec::new(), BTreeSet::new());
        for solution in solutions.iter().take(members.min(MAX_MEMBERS)) {
            for literal in &rule.body {
                let reason = match literal {
                    Literal::Atom(atom) if !atom.negated => {
                        let reader = self.chronicle.reader(event, limit);
                        let row = reader.and_then(|reader| reader.witness(atom, solution).cloned());
                        let Some(row) = row else { continue };
                        if !seen.insert((atom.relation.clone(), row.clone())) {
                            continue;
                        }
                        self.body_fact(event, atom, &row, depth)
                    }
                    _ => Reason::leaf(self.chronicle.literal(event, literal, solution)),
                };
                if reasons.iter().all(|known| known.text != reason.text) {
                    reasons.push(reason);
                }
            }
        }
        if members > MAX_MEMBERS {
            reasons.push(Reason::leaf(format!("… and {} more solutions", members - MAX_MEMBERS)));
        }
        reasons
    }

    fn body_fact(&mut self, event: usize, atom: &Atom, row: &Row, depth: u32) -> Reason {
        let mut reason = self.fact(event, &atom.relation, row, depth);
        if atom.new {
            reason.text = format!("new {}", reason.text);
        }
        reason
    }
}

impl Chronicle<'_> {
    /// A fact as people read it; a received message with its sender.
    pub(super) fn fact(&self, relation: &str, row: &[Value]) -> String {
        match (self.program.channel(relation), row) {
            (Some(_), [from, args @ ..]) => {
                format!("{} from {}", self.names.fact(relation, args), self.names.value(from))
            }
            _ => self.names.fact(relation, row),
        }
    }

    /// A rule with its place.
    pub(super) fn by_rule(&self, rule: &Rule, text: String) -> Reason {
        let place = self.program.source.place(rule.span.start);
        Reason {
            text,
            rule: Some(print::rule(rule)),
            place: Some(format!("{}:{}", place.name, place.line())),
            because: Vec::new(),
        }
    }

    /// A literal with the values of its variables.
    pub(super) fn literal(&self, event: usize, literal: &Literal, solution: &Solution) -> String {
        let Some(reader) = self.reader(event, u32::MAX) else { return print::literal(literal) };
        let value = |expr: &menard_lang::ir::Expr| match reader.evaluate(expr, solution) {
            Some(value) => self.names.value(&value),
            None => print::expr(expr),
        };
        match literal {
            Literal::Compare { left, right, .. } => {
                format!("{}: {} and {}", print::literal(literal), value(left), value(right))
            }
            Literal::Bind { variable, value: expr, .. } => format!("{variable} = {}", value(expr)),
            Literal::In { element, collection, negated, .. } => {
                let text = format!("{} in {}", value(element), value(collection));
                if *negated { format!("!({text})") } else { text }
            }
            Literal::Atom(atom) => {
                let args: Vec<String> = atom.args.iter().map(value).collect();
                let from = atom.from.as_ref().map(|from| format!(" from {}", value(from))).unwrap_or_default();
                let sign = if atom.negated { "!" } else { "" };
                let new = if atom.new { "new " } else { "" };
                format!("{sign}{new}{}({}){from}", atom.relation, args.join(", "))
            }
        }
    }
}
