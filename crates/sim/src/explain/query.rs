//! Questions about facts: why does this hold, and where does it?

use menard_lang::Program;
use menard_lang::ir::{Channel, Column, Name};
use menard_lang::run::Event;
use menard_value::{Type, Value};
use thiserror::Error;

use super::absence::absent;
use super::chronicle::{Chronicle, Flight, place};
use super::notation::{NotationError, Spoken};
use super::reason::{Reason, Teller};
use super::rounds::START;

/// Why a question has no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum QueryError {
    /// The text is no fact.
    #[error(transparent)]
    Notation(#[from] NotationError),
    /// There is no such relation where the event happens.
    #[error("{place} has no relation `{relation}`")]
    UnknownRelation {
        /// Where.
        place: String,
        /// What was asked for.
        relation: Name,
        /// What there is.
        known: Vec<Name>,
    },
    /// The arguments are not those of the relation.
    #[error("`{relation}` has the columns ({columns})")]
    WrongArguments {
        /// Which relation.
        relation: Name,
        /// Its columns with their types.
        columns: String,
    },
    /// At the event, no node of the program takes a step.
    #[error("event {0} is no step of a node, so only its message holds there")]
    NoStep(String),
}

/// Some fact or some message, `None` for values that do not matter.
pub(super) type Pattern = Vec<Option<Value>>;

/// Why a fact holds, or why it does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whether it holds.
    pub holds: bool,
    /// Why, or why not.
    pub reason: Reason,
}

impl Chronicle<'_> {
    /// Why a fact holds in an event, or why not: at most `depth` rules deep. Of facts with wildcards, the first.
    pub fn why(&self, event: usize, fact: &str, depth: u32) -> Result<Answer, QueryError> {
        let spoken = Spoken::read(self.program, fact)?;
        match self.program.channel(&spoken.relation) {
            Some(channel) => self.why_message(event, channel, &spoken, depth),
            None => self.why_fact(event, &spoken, depth),
        }
    }

    fn why_message(&self, event: usize, channel: &Channel, spoken: &Spoken, depth: u32) -> Result<Answer, QueryError> {
        let pattern = typed(spoken, &channel.columns)?;
        let moment = &self.moments[event];
        let mut flights = moment.inputs.iter().chain(&moment.outputs);
        let found = flights.find(|flight| is_of(&self.flights[**flight], spoken, &pattern));
        Ok(match found {
            Some(flight) => Answer { holds: true, reason: Teller::new(self).message(*flight, depth) },
            None => Answer { holds: false, reason: absent(self, event, spoken, &pattern) },
        })
    }

    fn why_fact(&self, event: usize, spoken: &Spoken, depth: u32) -> Result<Answer, QueryError> {
        let (Some(step), Some(at)) = (self.step(event), place(&self.moments[event].event)) else {
            return Err(QueryError::NoStep(self.label(event).to_owned()));
        };
        let relation = &spoken.relation;
        let columns = self.columns(at, relation).ok_or_else(|| self.unknown(at, relation))?;
        let pattern = typed(spoken, &columns)?;
        let mut teller = Teller::new(self);
        let rows = step.facts.get(relation).into_iter().flat_map(|rows| rows.keys());
        if let Some(row) = rows.into_iter().find(|row| matches(&pattern, row)) {
            return Ok(Answer { holds: true, reason: teller.fact(event, relation, row, depth) });
        }
        let mut plus = step.plus.get(relation).into_iter().flatten();
        Ok(match plus.find(|row| matches(&pattern, row)) {
            Some(row) => Answer { holds: true, reason: teller.deferred(event, relation, row, depth) },
            None => Answer { holds: false, reason: absent(self, event, spoken, &pattern) },
        })
    }

    /// Where a fact begins to hold, and what becomes of a message: one line each. Wildcards match anything.
    pub fn find(&self, fact: &str) -> Result<Vec<String>, QueryError> {
        let spoken = Spoken::read(self.program, fact)?;
        let relation = &spoken.relation;
        if let Some(channel) = self.program.channel(relation) {
            let pattern = typed(&spoken, &channel.columns)?;
            let flights = (0..self.flights.len()).filter(|flight| is_of(&self.flights[*flight], &spoken, &pattern));
            return Ok(flights.map(|flight| self.fate(flight)).collect());
        }
        let components = self.program.components.iter();
        let mut columns = components.filter_map(|component| component.relation(relation));
        let Some(declared) = columns.next() else {
            let known = self.program.components.iter().flat_map(|component| &component.relations);
            let known = known.map(|relation| relation.name.clone()).collect();
            let place = format!("the protocol {}", self.program.name);
            return Err(QueryError::UnknownRelation { place, relation: relation.clone(), known });
        };
        let pattern = typed(&spoken, &declared.columns)?;
        Ok((0..self.len()).flat_map(|event| self.begins(event, relation, &pattern)).collect())
    }

    /// The facts that match and that hold in a step, but not at its beginning, nor in the step before.
    fn begins(&self, event: usize, relation: &Name, pattern: &Pattern) -> Vec<String> {
        let (Some(step), Some(at)) = (self.step(event), place(&self.moments[event].event)) else {
            return Vec::new();
        };
        let before = step.previous.and_then(|previous| self.step(previous)?.facts.get(relation));
        let rows = step.facts.get(relation).into_iter().flat_map(|rows| rows.keys());
        let begins = rows.filter(|row| matches(pattern, row) && before.is_none_or(|rows| !rows.contains_key(*row)));
        let place = format!("event {}, {}", self.label(event), self.names.address(at));
        begins.map(|row| format!("{place}: {}", self.fact(relation, row))).collect()
    }

    /// What becomes of a message.
    pub(super) fn fate(&self, flight: usize) -> String {
        let Flight { message, sent, taken, .. } = &self.flights[flight];
        let end = match taken.map(|taken| (&self.moments[taken].event, self.label(taken))) {
            None => "never taken".to_owned(),
            Some((Event::Take { lost: true, .. }, label)) => format!("lost in event {label}"),
            Some((Event::Restart { .. }, label)) => format!("gone with the restart in event {label}"),
            Some((_, label)) => format!("taken in event {label}"),
        };
        let label = self.label(*sent);
        format!("m{} {}: sent in event {label}, {end}", flight + 1, self.names.message(message))
    }

    fn columns(&self, at: &menard_lang::run::Address, relation: &Name) -> Option<Vec<Column>> {
        if relation == START {
            return Some(Vec::new());
        }
        if self.program.role(relation).is_some() {
            return Some(vec![Column { name: Name::new("node"), ty: Type::Node }]);
        }
        self.component(at)?.relation(relation).map(|relation| relation.columns.clone())
    }

    fn unknown(&self, at: &menard_lang::run::Address, relation: &Name) -> QueryError {
        let component = self.component(at);
        let relations = component.iter().flat_map(|component| &component.relations);
        QueryError::UnknownRelation {
            place: self.names.address(at),
            relation: relation.clone(),
            known: relations.map(|relation| relation.name.clone()).chain(channels(self.program)).collect(),
        }
    }
}

fn channels(program: &Program) -> impl Iterator<Item = Name> {
    program.channels.iter().map(|channel| channel.name.clone())
}

fn typed(spoken: &Spoken, columns: &[Column]) -> Result<Pattern, QueryError> {
    let column = |column: &Column| format!("{}: {}", column.name, column.ty);
    let columns_text = || columns.iter().map(column).collect::<Vec<_>>().join(", ");
    spoken
        .typed(columns)
        .ok_or_else(|| QueryError::WrongArguments { relation: spoken.relation.clone(), columns: columns_text() })
}

/// Whether a message is one of those that are meant.
pub(super) fn is_of(flight: &Flight, spoken: &Spoken, pattern: &Pattern) -> bool {
    let message = &flight.message;
    message.channel == spoken.relation
        && spoken.from.is_none_or(|from| from == message.from)
        && spoken.to.is_none_or(|to| to == message.to)
        && matches(pattern, &message.args)
}

pub(super) fn matches(pattern: &Pattern, row: &[Value]) -> bool {
    row.iter().zip(pattern).all(|(value, wanted)| wanted.as_ref().is_none_or(|wanted| wanted == value))
}
