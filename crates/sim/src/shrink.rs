//! Shrinking: a run with some undesired property, made as small as possible while it keeps the property.
//!
//! A run's trace is a schedule, so a run is shrunk by changing its events and messages and replaying the schedule leniently (delta debugging:
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). What comes out is again a run that happened, not a
//! list with holes: its trace replays to the letter, and the world allowed whatever corrupt nodes send in it.
//!
//! Changes are one kind a file: events and inputs [left out](omit), steps [put together](together), honest nodes [replaced](lies) by lies of
//! corrupt ones. Their number is bounded, so what comes out does not depend on how fast the machine is.

mod candidate;
mod lies;
mod omit;
mod together;

use menard_lang::run::{Event, Schedule, Trace};

use self::candidate::Candidate;
use crate::observe::PreparedObserver;
use crate::prepared::Prepared;
use crate::replay::Replayer;
use crate::simulate::Run;

/// Replays that shrinking may spend on one run for each kind of brevity.
const MAX_REPLAYS: u32 = 20_000;

/// What makes a run small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brevity {
    /// Few messages, taken one by one: easy to follow.
    Messages,
    /// Few [steps](Run::protocol_steps), of as few messages as possible: nodes take all at once that they can, as the literature tells it.
    Steps,
}

/// Shrinks a run while `keeps` holds of what is left of it, for example that the same property is violated, or that refinement fails. It
/// must hold of the run itself; otherwise the run comes back as it is.
pub fn shrink(
    prepared: &Prepared,
    observer: Option<&PreparedObserver>,
    trace: &Trace,
    brevity: Brevity,
    keeps: &mut dyn FnMut(&Run) -> bool,
) -> Run {
    Shrinker::new(prepared, observer, keeps, false).shrink(trace, brevity)
}

/// Shrinks a run in which a goal of the properties is never met: what is left comes to rest without it, too. What happens while it does is
/// part of the run that comes back, but is not made smaller: it follows from the rest.
pub fn shrink_unmet(prepared: &Prepared, observer: &PreparedObserver, run: &Run, brevity: Brevity, goal: usize) -> Run {
    let keeps = &mut |run: &Run| run.unmet.as_ref().is_some_and(|unmet| unmet.goal == goal);
    // A run that had come to rest and were to do so again would see every request of every round again in every round.
    let mut trace = run.trace.clone();
    trace.events.truncate(run.rounds.first().copied().unwrap_or(usize::MAX));
    Shrinker::new(prepared, Some(observer), keeps, true).shrink(&trace, brevity)
}

/// The schedule under which the program does again what it did.
pub fn schedule_of(trace: &Trace) -> Schedule {
    let event = |event: &Event| match event {
        Event::Step { inputs, .. } if inputs.is_empty() => None,
        Event::Step { at, inputs, .. } => {
            Some(Event::Step { at: at.clone(), inputs: inputs.clone(), outputs: Vec::new() })
        }
        other => Some(other.clone()),
    };
    Schedule { events: trace.events.iter().filter_map(event).collect(), choice_seed: trace.choice_seed }
}

struct Shrinker<'a, 'k> {
    replayer: Replayer<'a>,
    keeps: &'k mut dyn FnMut(&Run) -> bool,
    replays: u32,
    brevity: Brevity,
    /// Whether what is left is to come to rest.
    rests: bool,
}

impl<'a, 'k> Shrinker<'a, 'k> {
    fn new(
        prepared: &'a Prepared,
        observer: Option<&'a PreparedObserver>,
        keeps: &'k mut dyn FnMut(&Run) -> bool,
        rests: bool,
    ) -> Self {
        let replayer = Replayer::new(prepared, observer);
        Shrinker { replayer, keeps, replays: 0, brevity: Brevity::Messages, rests }
    }

    fn shrink(mut self, trace: &Trace, brevity: Brevity) -> Run {
        let mut best = self.replay(schedule_of(trace));
        if !(self.keeps)(&best.run) {
            return best.run;
        }
        for swaps in [false, true] {
            self.replayer.swaps = swaps;
            best = self.smallest(best);
        }
        if brevity == Brevity::Steps {
            (self.brevity, self.replays) = (brevity, 0);
            best = self.smallest(best);
        }
        best.run
    }

    fn replay(&mut self, schedule: Schedule) -> Candidate {
        self.replays += 1;
        let violation = self.replayer.replay_leniently(&schedule);
        let run = self.replayer.run(violation);
        let events = schedule_of(&run.trace).events;
        let goes_on = self.rests && run.violation.is_none() && run.endless.is_none();
        Candidate { events, run: if goes_on { self.replayer.come_to_rest() } else { run } }
    }

    /// Makes it smaller in all ways, until none does.
    fn smallest(&mut self, mut best: Candidate) -> Candidate {
        loop {
            let size = best.size(self.brevity);
            best = self.without_events(best);
            best = self.without_inputs(best);
            best = match self.brevity {
                Brevity::Messages => self.with_separate_inputs(best),
                Brevity::Steps => self.with_steps_together(best),
            };
            if best.size(self.brevity) == size {
                best = self.without_pairs(best);
            }
            if best.size(self.brevity) == size {
                best = self.with_lies_instead(best);
            }
            if size <= best.size(self.brevity) || self.replays >= MAX_REPLAYS {
                return best;
            }
        }
    }

    /// Replays these events; gives what comes of it if that is better than `best` and keeps the property.
    fn attempt(&mut self, events: Vec<Event>, best: &Candidate) -> Option<Candidate> {
        if self.replays >= MAX_REPLAYS {
            return None;
        }
        let candidate = self.replay(Schedule { events, choice_seed: best.run.trace.choice_seed });
        let is_smaller = candidate.size(self.brevity) < best.size(self.brevity);
        (is_smaller && (self.keeps)(&candidate.run)).then_some(candidate)
    }
}
