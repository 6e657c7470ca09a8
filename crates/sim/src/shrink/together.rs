//! Runs with the same messages, grouped into steps in another way.

use menard_lang::run::{Address, Event, Message};

use super::Shrinker;
use super::candidate::Candidate;

impl Shrinker<'_, '_> {
    /// Takes a step's inputs one by one where that is enough: steps with many inputs are hard to follow.
    pub(super) fn with_separate_inputs(&mut self, mut best: Candidate) -> Candidate {
        for position in (0..best.events.len()).rev() {
            if best.inputs_at(position) < 2 {
                continue;
            }
            let mut events = best.events.clone();
            let Event::Step { at, inputs, .. } = events.remove(position) else { continue };
            for (offset, input) in inputs.into_iter().enumerate() {
                events.insert(position + offset, step(&at, vec![input]));
            }
            best = self.attempt(events, &best).unwrap_or(best);
        }
        best
    }

    /// Makes one step of two of a node where that is enough, and moves it to wherever between them it does.
    pub(super) fn with_steps_together(&mut self, mut best: Candidate) -> Candidate {
        let mut first = 0;
        while first < best.events.len() {
            match self.joined(first, &best) {
                Some(smaller) => best = smaller,
                None => first += 1,
            }
        }
        best
    }

    /// A smaller run in which the step at this position and a later one of the same node are one.
    fn joined(&mut self, first: usize, best: &Candidate) -> Option<Candidate> {
        let (at, taken) = taken(&best.events[first])?;
        for second in first + 1..best.events.len() {
            let Some((_, later)) = taken_by(at, &best.events[second]) else { continue };
            let all = step(at, taken.iter().chain(later).cloned().collect());
            for place in (first..second).rev() {
                let mut events = best.events.clone();
                events.remove(second);
                events.remove(first);
                events.insert(place, all.clone());
                let smaller = self.attempt(events, best);
                if smaller.is_some() {
                    return smaller;
                }
            }
        }
        None
    }
}

fn step(at: &Address, inputs: Vec<Message>) -> Event {
    Event::Step { at: at.clone(), inputs, outputs: Vec::new() }
}

/// The node that takes messages in this step, and the messages.
fn taken(event: &Event) -> Option<(&Address, &[Message])> {
    match event {
        Event::Step { at, inputs, .. } if !inputs.is_empty() => Some((at, inputs)),
        _ => None,
    }
}

fn taken_by<'e>(node: &Address, event: &'e Event) -> Option<(&'e Address, &'e [Message])> {
    taken(event).filter(|(at, _)| *at == node)
}
