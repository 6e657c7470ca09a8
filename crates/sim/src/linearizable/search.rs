//! The search for an order that explains the answers of one part of a history.
//!
//! It goes through the invocations and answers as they came, with all *configurations* in which the service can be then: a state, and
//! which of the operations under way have taken effect. An invocation changes none of them. An answer does: in each configuration, other
//! operations that are under way may take effect first, in any order, and then the one that is answered has to. Where none is left, no
//! order explains the answer, and all before it were explained.
//!
//! What has been answered is not told apart any more, so where nothing is under way only states are left, and a long history costs as much
//! as its parts between such moments.

use std::collections::BTreeMap;

use super::{History, Model};

/// Configurations that are kept at one time.
const MAX_HELD: usize = 100_000;
/// Configurations that are looked at in one search.
const MAX_VISITED: u64 = 1_000_000;

/// How a search ends.
pub enum Outcome<S> {
    /// There is an order; the states that the service can be in at the end.
    Explained(Vec<S>),
    /// There is none.
    Unexplained(Unexplained<S>),
    /// The limit is met, after so many configurations.
    Limit(u64),
}

/// An answer that no order explains.
pub struct Unexplained<S> {
    /// The call that has it.
    pub call: usize,
    /// The states that it could find.
    pub states: Vec<S>,
    /// Configurations that were looked at.
    pub configurations: u64,
}

/// The search through some calls of a history.
pub struct Search<'h, M: Model> {
    model: &'h M,
    history: &'h History<M>,
    /// Invocations and answers in order; at equal times invocations first, so that the operations overlap.
    events: Vec<(u64, bool, usize)>,
    /// Operations under way that are going to be answered, each in a place of its own.
    answered: Places,
    /// Operations that have begun and are never answered.
    open: Places,
    visited: u64,
}

/// The places of operations under way, of which sets of bits speak.
struct Places {
    calls: Vec<Option<usize>>,
}

/// A state, and the operations under way that have taken effect.
#[derive(Clone)]
struct Configuration<S> {
    state: S,
    answered: u128,
    open: u128,
}

/// Configurations without those that others make superfluous: of two that differ in operations without an answer alone, the one in which fewer
/// have taken effect can do all that the other can.
struct Held<S> {
    by_state: BTreeMap<(S, u128), Vec<u128>>,
    size: usize,
}

impl<'h, M: Model> Search<'h, M> {
    pub fn new(model: &'h M, history: &'h History<M>, calls: &[usize]) -> Self {
        let mut events = Vec::with_capacity(2 * calls.len());
        for &call in calls {
            let is_silent = history[call].end.is_none() && model.is_read(&history[call].operation, None);
            if !is_silent {
                events.push((history[call].begin, false, call));
                events.extend(history[call].end.as_ref().map(|(time, _)| (*time, true, call)));
            }
        }
        events.sort_unstable();
        let places = || Places { calls: Vec::new() };
        Search { model, history, events, answered: places(), open: places(), visited: 0 }
    }

    pub fn run(mut self) -> Outcome<M::State> {
        let mut held = Held::new();
        held.insert(Configuration { state: self.model.initial(), answered: 0, open: 0 });
        for (_, is_end, call) in std::mem::take(&mut self.events) {
            if !is_end {
                let places = if self.history[call].end.is_some() { &mut self.answered } else { &mut self.open };
                if !places.take(call) {
                    return Outcome::Limit(self.visited);
                }
                continue;
            }
            match self.answer(call, held) {
                Ok(next) => held = next,
                Err(outcome) => return outcome,
            }
            self.answered.free(call);
        }
        Outcome::Explained(held.states())
    }

    /// All configurations after the answer of a call, which has taken effect in each.
    fn answer(&mut self, call: usize, before: Held<M::State>) -> Result<Held<M::State>, Outcome<M::State>> {
        let bit = self.answered.bit(call);
        let (mut next, mut seen, mut waiting) = (Held::new(), Held::new(), Vec::new());
        let states = before.states();
        let mut reach = |configuration: Option<Configuration<M::State>>, waiting: &mut Vec<_>| {
            let Some(configuration) = configuration else { return seen.size };
            if configuration.answered & bit != 0 {
                next.insert(Configuration { answered: configuration.answered & !bit, ..configuration });
            } else if seen.insert(configuration.clone()) {
                waiting.push(configuration);
            }
            next.size + seen.size
        };
        for configuration in before.into_configurations() {
            reach(self.settled(configuration), &mut waiting);
        }
        while let Some(configuration) = waiting.pop() {
            self.visited += 1;
            for after in self.steps(&configuration) {
                if reach(self.settled(after), &mut waiting) > MAX_HELD || self.visited > MAX_VISITED {
                    return Err(Outcome::Limit(self.visited));
                }
            }
        }
        match next.size {
            0 => {
                let mut states: Vec<_> = states.into_iter().chain(seen.states()).collect();
                states.sort_unstable();
                states.dedup();
                Err(Outcome::Unexplained(Unexplained { call, states, configurations: self.visited }))
            }
            _ => Ok(next),
        }
    }

    /// The configurations in which one more of the operations under way has taken effect.
    fn steps(&self, from: &Configuration<M::State>) -> Vec<Configuration<M::State>> {
        let after = |call: usize| {
            let answer = self.history[call].end.as_ref().map(|(_, answer)| answer);
            self.model.after(&from.state, &self.history[call].operation, answer)
        };
        let answered = self.answered.without(from.answered).filter_map(|(bit, call)| {
            Some(Configuration { state: after(call)?, answered: from.answered | bit, open: from.open })
        });
        let open = self.open.without(from.open).filter_map(|(bit, call)| {
            let state = after(call).filter(|state| *state != from.state)?;
            Some(Configuration { state, answered: from.answered, open: from.open | bit })
        });
        answered.chain(open).collect()
    }

    /// Reads that fit take effect at once: they cannot do so better later. None if an operation can no longer give its answer.
    fn settled(&self, mut configuration: Configuration<M::State>) -> Option<Configuration<M::State>> {
        for (bit, call) in self.answered.without(configuration.answered) {
            let operation = &self.history[call].operation;
            let (_, answer) = self.history[call].end.as_ref().expect("these operations are answered");
            if self.model.is_too_late(&configuration.state, operation, answer) {
                return None;
            }
            let is_read = self.model.is_read(operation, Some(answer));
            if is_read && self.model.after(&configuration.state, operation, Some(answer)).is_some() {
                configuration.answered |= bit;
            }
        }
        Some(configuration)
    }
}

impl Places {
    /// Gives a call a place, if there is one.
    fn take(&mut self, call: usize) -> bool {
        match self.calls.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(call),
            None => self.calls.push(Some(call)),
        }
        self.calls.len() <= u128::BITS as usize
    }

    fn free(&mut self, call: usize) {
        self.calls.iter_mut().filter(|place| **place == Some(call)).for_each(|place| *place = None);
    }

    fn bit(&self, call: usize) -> u128 {
        let place = self.calls.iter().position(|place| *place == Some(call));
        1 << place.expect("a call is answered after it has begun")
    }

    /// The calls that are not in a set, with their bits.
    fn without(&self, set: u128) -> impl Iterator<Item = (u128, usize)> {
        let bits = (0..u128::BITS).map(|place| 1u128 << place);
        let calls = bits.zip(&self.calls).filter_map(|(bit, call)| call.map(|call| (bit, call)));
        calls.filter(move |(bit, _)| set & bit == 0)
    }
}

impl<S: Clone + Ord> Held<S> {
    fn new() -> Self {
        Held { by_state: BTreeMap::new(), size: 0 }
    }

    /// Whether it is needed: none that makes it superfluous was there.
    fn insert(&mut self, configuration: Configuration<S>) -> bool {
        let Configuration { state, answered, open } = configuration;
        let known = self.by_state.entry((state, answered)).or_default();
        if known.iter().any(|other| other & !open == 0) {
            return false;
        }
        let before = known.len();
        known.retain(|other| open & !other != 0);
        known.push(open);
        self.size = self.size + known.len() - before;
        true
    }

    fn into_configurations(self) -> impl Iterator<Item = Configuration<S>> {
        self.by_state.into_iter().flat_map(|((state, answered), open)| {
            open.into_iter().map(move |open| Configuration { state: state.clone(), answered, open })
        })
    }

    /// The different states.
    fn states(&self) -> Vec<S> {
        let mut states: Vec<S> = self.by_state.keys().map(|(state, _)| state.clone()).collect();
        states.dedup();
        states
    }
}
