//! Smaller runs with something left out.

use menard_lang::run::Event;

use super::Shrinker;
use super::candidate::Candidate;

/// Runs with more events are not tried without each two of them.
const MAX_PAIRED: usize = 60;

impl Shrinker<'_, '_> {
    /// Leaves out chunks of events, from half of all down to single ones.
    pub(super) fn without_events(&mut self, mut best: Candidate) -> Candidate {
        let mut chunk = best.events.len().div_ceil(2);
        while chunk > 0 {
            let mut end = best.events.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut events = best.events.clone();
                events.drain(start..end);
                best = self.attempt(events, &best).unwrap_or(best);
                end = start.min(best.events.len());
            }
            chunk /= 2;
        }
        best
    }

    /// Leaves out two events at once, of a run that is small already: numbers that must stay equal often hang together so.
    pub(super) fn without_pairs(&mut self, mut best: Candidate) -> Candidate {
        let mut second = best.events.len();
        while second > 1 && second <= MAX_PAIRED {
            second = (second - 1).min(best.events.len().saturating_sub(1));
            for first in (0..second).rev() {
                if second < best.events.len() {
                    let mut events = best.events.clone();
                    events.remove(second);
                    events.remove(first);
                    best = self.attempt(events, &best).unwrap_or(best);
                }
            }
        }
        best
    }

    /// Leaves out single inputs of steps.
    pub(super) fn without_inputs(&mut self, mut best: Candidate) -> Candidate {
        for position in (0..best.events.len()).rev() {
            for input in (0..best.inputs_at(position)).rev() {
                let mut events = best.events.clone();
                if let Some(Event::Step { inputs, .. }) = events.get_mut(position)
                    && input < inputs.len()
                {
                    inputs.remove(input);
                    best = self.attempt(events, &best).unwrap_or(best);
                }
            }
        }
        best
    }
}
