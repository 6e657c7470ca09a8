//! Lifts, checked wherever a small scope leads: for every transition between two states, the run that reaches the first by the shortest way
//! and takes the transition is lifted, replayed on the original and compared.

use menard_lang::run::{Schedule, Trace};

use super::Scope;
use super::search::Search;
use super::system::System;
use crate::prepared::Prepared;
use crate::refine::{Mismatch, Refiner, Stage};
use crate::replay::Replayer;

/// What an exploration of lifts found.
#[derive(Clone, PartialEq, Debug)]
pub struct LiftExploration {
    /// Distinct states of the rewritten program.
    pub distinct_states: u64,
    /// Transitions between them: runs that were lifted.
    pub transitions: u64,
    /// Whether all were; not if there were too many states, or a mismatch or a node that does not settle ended the search.
    pub complete: bool,
    /// A shortest run that the original cannot do.
    pub mismatch: Option<(Trace, Box<Mismatch>)>,
}

/// Lifts runs of a program over all transitions of a scope. `stages` are those of the plan that made it, from the last rewrite to the first.
pub fn explore_lifts(prepared: &Prepared, stages: &[Stage<'_>], scope: &Scope) -> LiftExploration {
    let mut search = Search::new(System::new(prepared, scope, false, true));
    let mut replayer = Replayer::new(prepared, None);
    let mut refiner = Refiner::new(stages);
    let mut found = LiftExploration { distinct_states: 0, transitions: 0, complete: false, mismatch: None };
    let initial = search.system.initial(None);
    search.visit(initial, None);
    while let Some((state, index)) = search.queue.pop_front() {
        let path = search.path(index);
        for action in search.system.actions(&state) {
            let next = search.system.after(&state, &action);
            found.distinct_states = search.states() as u64;
            if search.states() >= scope.max_states || search.system.endless.is_some() {
                return found;
            }
            let mut events = path.clone();
            events.push(search.system.event(&action, state.sent()));
            replayer.replay(&Schedule { events, choice_seed: 0 }).expect("an explored path is a run");
            found.transitions += 1;
            let trace = replayer.trace();
            if let Err(mismatch) = refiner.check(&trace) {
                found.mismatch = Some((trace, mismatch));
                return found;
            }
            search.visit(next, Some((index, action)));
        }
    }
    found.distinct_states = search.states() as u64;
    found.complete = true;
    found
}
