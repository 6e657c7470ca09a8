//! A log: each operation gets a position after those of all before it.

use menard_value::Value;

use super::Model;

/// A log that tells positions alone; some may be left out. What is appended makes no difference to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Log;

/// The position that an appended entry has. Positions are compared as values are.
pub type Position = Value;

impl Model for Log {
    type Operation = ();
    type Answer = Position;
    /// The last position, if anything was appended.
    type State = Option<Position>;
    type Part = ();

    fn part(&self, (): &()) {}

    fn initial(&self) -> Option<Position> {
        None
    }

    fn after(&self, state: &Option<Position>, (): &(), answer: Option<&Position>) -> Option<Option<Position>> {
        match answer {
            None => Some(state.clone()),
            Some(position) => (Some(position) > state.as_ref()).then(|| Some(position.clone())),
        }
    }

    /// No other operation can tell whether one without an answer has a position.
    fn is_read(&self, (): &(), answer: Option<&Position>) -> bool {
        answer.is_none()
    }

    fn is_too_late(&self, state: &Option<Position>, (): &(), answer: &Position) -> bool {
        Some(answer) <= state.as_ref()
    }
}
