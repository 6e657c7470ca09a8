//! What a run was: with its trace, or without.

use menard_lang::run::{Address, Event, Trace};

use crate::adversary::Layer;
use crate::observe::{Unmet, Violation};
use crate::world::RunStats;

/// Rounds of coming to rest that are shown of a run.
const SHOWN_ROUNDS: usize = 4;
/// So few more rounds are shown, too.
const SPARED_ROUNDS: usize = 2;

/// A run.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// What happened.
    pub trace: Trace,
    /// The first violated property; the run ends where it is violated.
    pub violation: Option<Violation>,
    /// What never comes, if the run came to rest without it.
    pub unmet: Option<Unmet>,
    /// The events of the trace at which the rounds began in which the run came to rest, if it got so far. What happens from the first of them on
    /// follows from what happened before.
    pub rounds: Vec<usize>,
    /// The node whose follow-ups did not end, if there was one; the run ends there.
    pub endless: Option<Address>,
    /// A hash of everything that happened, equal on every machine and in every build.
    pub hash: u64,
    /// What it did, in numbers.
    pub stats: RunStats,
}

impl Run {
    /// The steps that honest nodes of the protocol take, each with all the messages that it takes, and what happens to nodes and messages. What
    /// others send and receive is not counted, nor are starts and follow-ups, nor how the run comes to rest.
    pub fn protocol_steps(&self) -> usize {
        let before_rest = self.rounds.first().copied().unwrap_or(self.trace.events.len());
        steps(&self.trace.events[..before_rest])
    }

    /// What a person has to read of it: rounds in which only more of the same happens are left out. Gives their number, too.
    pub fn shown(&self) -> (Trace, usize) {
        let mut trace = self.trace.clone();
        let hidden = self.rounds.len().saturating_sub(SHOWN_ROUNDS);
        if self.unmet.is_none() || hidden <= SPARED_ROUNDS {
            return (trace, 0);
        }
        trace.events.truncate(self.rounds[SHOWN_ROUNDS]);
        (trace, hidden)
    }
}

/// Of these events, those that are steps of the protocol.
pub(crate) fn steps(events: &[Event]) -> usize {
    let is_step = |event: &&Event| match event {
        Event::Step { inputs, .. } => !inputs.is_empty(),
        Event::Inject { .. } | Event::Take { lost: false, .. } | Event::Corrupt { .. } | Event::Forge { .. } => false,
        _ => true,
    };
    events.iter().filter(is_step).count()
}

/// A run without its trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// As in [`Run`].
    pub violation: Option<Violation>,
    /// As in [`Run`].
    pub unmet: Option<Unmet>,
    /// As in [`Run`].
    pub rounds: Vec<usize>,
    /// Whether everything arrived in the end and timers went on firing for a while, so that it is known what never comes.
    pub came_to_rest: bool,
    /// As in [`Run`].
    pub endless: Option<Address>,
    /// How corrupt nodes lied, if there were any.
    pub layer: Option<Layer>,
    /// Whether the search for an order of the operations of clients was given up.
    pub undecided: bool,
    /// As in [`Run`].
    pub hash: u64,
    /// As in [`Run`].
    pub stats: RunStats,
    /// As in [`Trace`].
    pub drained: bool,
    /// How many things happened until nothing was left to happen or the run was over: places at which it may go on with another seed are below this.
    pub happenings: u32,
    /// How much time passed in the run until it came to rest, in microseconds of its timers; 0 if the program has none, or if they fire at any time.
    pub simulated_us: u64,
}
