//! Breadth-first search for violations: the one that is found is among the shortest.

use std::collections::{BTreeSet, VecDeque};

use menard_lang::run::{Address, Event, Schedule};

use super::Scope;
use super::system::{Action, State, System};
use crate::observe::PreparedObserver;
use crate::prepared::Prepared;
use crate::replay::Replayer;
use crate::simulate::Run;

/// What an exploration found.
#[derive(Clone, PartialEq, Debug)]
pub struct Exploration {
    /// Distinct states.
    pub distinct_states: u64,
    /// Transitions between them.
    pub transitions: u64,
    /// Whether everything was explored; not if there were too many states, or a violation or a node that does not settle ended the search.
    pub complete: bool,
    /// A shortest run to a violation.
    pub violation: Option<Run>,
    /// A node whose follow-ups do not end.
    pub endless: Option<Address>,
}

/// Explores everything that can happen in a scope.
pub fn explore(prepared: &Prepared, observer: Option<&PreparedObserver>, scope: &Scope) -> Exploration {
    let mut search = Search::new(System::new(prepared, scope, false, observer.is_some()));
    let initial = search.system.initial(observer);
    let mut bad = search.system.violation(&initial).map(|_| 0);
    search.visit(initial, None);
    let mut transitions = 0;
    let mut full = false;
    'search: while bad.is_none() && search.system.endless.is_none() {
        let Some((state, index)) = search.queue.pop_front() else { break };
        for action in search.system.actions(&state) {
            let next = search.system.after(&state, &action);
            let violated = search.system.violation(&next).is_some();
            let new = search.visit(next, Some((index, action)));
            transitions += 1;
            if search.system.endless.is_some() {
                break 'search;
            }
            bad = new.filter(|_| violated);
            full = search.states() >= scope.max_states;
            if bad.is_some() || full {
                break 'search;
            }
        }
    }
    let endless = search.system.endless.clone();
    Exploration {
        distinct_states: search.states() as u64,
        transitions,
        complete: !full && bad.is_none() && endless.is_none(),
        violation: bad.map(|index| run_along(prepared, observer, search.path(index))),
        endless,
    }
}

fn run_along(prepared: &Prepared, observer: Option<&PreparedObserver>, events: Vec<Event>) -> Run {
    let mut replayer = Replayer::new(prepared, observer);
    let violation = replayer.replay(&Schedule { events, choice_seed: 0 }).expect("an explored path is a run");
    replayer.run(violation)
}

/// A breadth-first search on its way.
pub(super) struct Search<'a> {
    pub system: System<'a>,
    pub queue: VecDeque<(State<'a>, usize)>,
    visited: BTreeSet<u128>,
    /// For each visited state, where it was first reached from.
    parents: Vec<Option<(usize, Action)>>,
}

impl<'a> Search<'a> {
    /// A search that has visited nothing.
    pub fn new(system: System<'a>) -> Self {
        Search { system, visited: BTreeSet::new(), queue: VecDeque::new(), parents: Vec::new() }
    }

    /// Notes a state, and queues it if it is new; gives the index of a new one.
    pub fn visit(&mut self, state: State<'a>, from: Option<(usize, Action)>) -> Option<usize> {
        if !self.visited.insert(self.system.key(&state)) {
            return None;
        }
        let index = self.parents.len();
        self.parents.push(from);
        self.queue.push_back((state, index));
        Some(index)
    }

    /// How many states have been visited.
    pub fn states(&self) -> usize {
        self.parents.len()
    }

    /// The schedule that leads to a state.
    pub fn path(&self, index: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut at = index;
        while let Some((parent, action)) = &self.parents[at] {
            events.push(self.system.event(action, 0));
            at = *parent;
        }
        events.extend(self.system.preamble().into_iter().rev());
        events.reverse();
        events
    }
}
