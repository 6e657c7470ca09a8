//! What shrinking has come to: a run, and how small it is.

use menard_lang::run::Event;

use super::Brevity;
use crate::simulate::{Run, steps};

/// A run, with the schedule under which it happens again.
pub(super) struct Candidate {
    pub run: Run,
    pub events: Vec<Event>,
}

impl Candidate {
    /// The messages that the event at this position takes in a step.
    pub fn inputs_at(&self, position: usize) -> usize {
        self.events.get(position).map_or(0, inputs)
    }

    /// How much there is to read, what counts most first.
    pub fn size(&self, brevity: Brevity) -> (usize, usize) {
        let weight = self.events.iter().map(|event| inputs(event).max(1)).sum();
        match brevity {
            Brevity::Messages => (weight, self.events.iter().map(|event| inputs(event).saturating_sub(1)).sum()),
            Brevity::Steps => (steps(&self.events), weight),
        }
    }
}

fn inputs(event: &Event) -> usize {
    match event {
        Event::Step { inputs, .. } => inputs.len(),
        _ => 0,
    }
}
