//! Shrinking: a run with some undesired property, made as small as possible while it keeps the property.
//!
//! A run's trace is a schedule, so a run is shrunk by leaving out events and messages and replaying what is left leniently (delta debugging:
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). What comes out is again a run that happened, not a
//! list with holes: its trace replays to the letter.

use menard_lang::run::{Event, Schedule, Trace};

use crate::observe::PreparedObserver;
use crate::prepared::Prepared;
use crate::replay::Replayer;
use crate::simulate::Run;

/// Replays that shrinking may spend on one run.
const MAX_REPLAYS: u32 = 20_000;
/// Runs with more events are not tried without each two of them.
const MAX_PAIRED: usize = 60;

/// Shrinks a run while `keeps` holds of what is left of it, for example that the same property is violated, or that refinement fails. It
/// must hold of the run itself; otherwise the run comes back as it is.
pub fn shrink(
    prepared: &Prepared,
    observer: Option<&PreparedObserver>,
    trace: &Trace,
    keeps: &mut dyn FnMut(&Run) -> bool,
) -> Run {
    shrink_to_rest(prepared, observer, trace, keeps, false)
}

/// Shrinks a run in which a goal of the properties is never met: what is left comes to rest without it, too. What happens while it does is
/// part of the run that comes back, but is not made smaller: it follows from the rest.
pub fn shrink_unmet(prepared: &Prepared, observer: &PreparedObserver, run: &Run, goal: usize) -> Run {
    let keeps = &mut |run: &Run| run.unmet.as_ref().is_some_and(|unmet| unmet.goal == goal);
    // A run that had come to rest and were to do so again would see every request of every round again in every round.
    let mut trace = run.trace.clone();
    trace.events.truncate(run.rounds.first().copied().unwrap_or(usize::MAX));
    shrink_to_rest(prepared, Some(observer), &trace, keeps, true)
}

fn shrink_to_rest(
    prepared: &Prepared,
    observer: Option<&PreparedObserver>,
    trace: &Trace,
    keeps: &mut dyn FnMut(&Run) -> bool,
    rests: bool,
) -> Run {
    let mut shrinker = Shrinker { replayer: Replayer::new(prepared, observer), keeps, replays: 0, rests };
    let mut best = shrinker.replay(schedule_of(trace));
    if !(shrinker.keeps)(&best.run) {
        return best.run;
    }
    for swaps in [false, true] {
        shrinker.replayer.swaps = swaps;
        best = shrinker.smallest(best);
    }
    best.run
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

/// A run, with the schedule under which it happens again.
struct Candidate {
    run: Run,
    events: Vec<Event>,
}

struct Shrinker<'a, 'k> {
    replayer: Replayer<'a>,
    keeps: &'k mut dyn FnMut(&Run) -> bool,
    replays: u32,
    /// Whether what is left is to come to rest.
    rests: bool,
}

impl Shrinker<'_, '_> {
    fn replay(&mut self, schedule: Schedule) -> Candidate {
        self.replays += 1;
        let violation = self.replayer.replay_leniently(&schedule);
        let run = self.replayer.run(violation);
        let events = schedule_of(&run.trace).events;
        let goes_on = self.rests && run.violation.is_none() && run.endless.is_none();
        Candidate { events, run: if goes_on { self.replayer.come_to_rest() } else { run } }
    }

    /// Leaves out what can be left out, until there is nothing.
    fn smallest(&mut self, mut best: Candidate) -> Candidate {
        loop {
            let size = best.size();
            best = self.without_events(best);
            best = self.without_inputs(best);
            best = self.with_separate_inputs(best);
            if best.size() == size {
                best = self.without_pairs(best);
            }
            if size <= best.size() || self.replays >= MAX_REPLAYS {
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
        (candidate.size() < best.size() && (self.keeps)(&candidate.run)).then_some(candidate)
    }

    /// Leaves out chunks of events, from half of all down to single ones.
    fn without_events(&mut self, mut best: Candidate) -> Candidate {
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
    fn without_pairs(&mut self, mut best: Candidate) -> Candidate {
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
    fn without_inputs(&mut self, mut best: Candidate) -> Candidate {
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

    /// Takes a step's inputs one by one where that is enough: steps with many inputs are hard to follow.
    fn with_separate_inputs(&mut self, mut best: Candidate) -> Candidate {
        for position in (0..best.events.len()).rev() {
            if best.inputs_at(position) < 2 {
                continue;
            }
            let mut events = best.events.clone();
            let Event::Step { at, inputs, .. } = events.remove(position) else { continue };
            for (offset, input) in inputs.into_iter().enumerate() {
                let step = Event::Step { at: at.clone(), inputs: vec![input], outputs: Vec::new() };
                events.insert(position + offset, step);
            }
            best = self.attempt(events, &best).unwrap_or(best);
        }
        best
    }
}

impl Candidate {
    fn inputs_at(&self, position: usize) -> usize {
        match self.events.get(position) {
            Some(Event::Step { inputs, .. }) => inputs.len(),
            _ => 0,
        }
    }

    /// How much there is to read: first the deliveries and other events, then how many of them come at once.
    fn size(&self) -> (usize, usize) {
        let weight = |event: &Event| match event {
            Event::Step { inputs, .. } => inputs.len(),
            _ => 1,
        };
        let crowds = (0..self.events.len()).map(|position| self.inputs_at(position).saturating_sub(1));
        (self.events.iter().map(weight).sum(), crowds.sum())
    }
}
