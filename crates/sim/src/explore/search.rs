//! Breadth-first search for violations: the one that is found is among the shortest.

use std::collections::{BTreeSet, VecDeque};

use menard_lang::run::{Address, Schedule};

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
    let system = System::new(prepared, scope, false, observer.is_some());
    let mut search = Search { system, visited: BTreeSet::new(), queue: VecDeque::new(), parents: Vec::new() };
    let initial = search.system.initial(observer);
    let mut bad = search.visit(initial, None);
    let mut transitions = 0;
    let mut complete = true;
    'search: while bad.is_none() {
        let Some((state, index)) = search.queue.pop_front() else { break };
        for action in search.system.actions(&state) {
            let next = search.system.after(&state, &action);
            transitions += 1;
            bad = search.visit(next, Some((index, action)));
            complete = search.parents.len() < scope.max_states;
            if bad.is_some() || search.system.endless.is_some() || !complete {
                break 'search;
            }
        }
    }
    let ended_early = bad.is_some() || search.system.endless.is_some();
    Exploration {
        distinct_states: search.parents.len() as u64,
        transitions,
        complete: complete && !ended_early,
        violation: bad.map(|index| search.run_to(index, prepared, observer)),
        endless: search.system.endless.clone(),
    }
}

struct Search<'a> {
    system: System<'a>,
    visited: BTreeSet<u128>,
    queue: VecDeque<(State<'a>, usize)>,
    /// For each visited state, where it was first reached from.
    parents: Vec<Option<(usize, Action)>>,
}

impl<'a> Search<'a> {
    /// Notes a state if it is new; gives its index if a property is violated in it.
    fn visit(&mut self, state: State<'a>, from: Option<(usize, Action)>) -> Option<usize> {
        if !self.visited.insert(self.system.key(&state)) {
            return None;
        }
        let index = self.parents.len();
        self.parents.push(from);
        let violated = self.system.violation(&state).is_some();
        self.queue.push_back((state, index));
        violated.then_some(index)
    }

    /// The run that leads to a state.
    fn run_to(&self, index: usize, prepared: &Prepared, observer: Option<&PreparedObserver>) -> Run {
        let mut events = Vec::new();
        let mut at = index;
        while let Some((parent, action)) = &self.parents[at] {
            events.push(self.system.event(action, 0));
            at = *parent;
        }
        events.extend(self.system.preamble().into_iter().rev());
        events.reverse();
        let mut replayer = Replayer::new(prepared, observer);
        let violation = replayer.replay(&Schedule { events }).expect("an explored path is a run");
        replayer.run(violation)
    }
}
