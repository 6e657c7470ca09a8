//! Linearizability: whether clients of a service saw what one copy of it would have shown them, had each of their operations taken effect
//! at one moment between its invocation and its answer (Herlihy and Wing, "Linearizability: a correctness condition for concurrent
//! objects", 1990).
//!
//! [`check`] decides it for a history and a [`Model`] of the service. Operations that do not see each other, such as those of different
//! keys, are checked apart, which decides the same (locality, there) and is much less to search. The [search] is that of Wing and Gong,
//! "Testing and verifying concurrent objects" (1993), with Lowe's two improvements, "Testing for linearizability" (2017): an operation
//! takes effect only when the answer of one calls for it, and no configuration is looked at twice.
//!
//! Histories of distributed systems have operations without an answer, which may have taken effect at any time since they began, or not
//! at all; these are what makes a search hard. It has a limit, and says so where it meets it: it never guesses.

mod chart;
mod log;
mod register;
mod search;

use std::collections::BTreeMap;
use std::fmt::Debug;

pub use self::chart::chart;
pub use self::log::{Log, Position};
pub use self::register::{Access, Answer, Registers};
use self::search::{Outcome, Search, Unexplained};

/// What a service does, one operation after another.
pub trait Model {
    /// What a client asks for, without the answer.
    type Operation: Clone + Debug;
    /// What the service answers.
    type Answer: Clone + Debug;
    /// What decides the answers to come.
    type State: Clone + Ord + Debug;
    /// Operations of different parts do not see each other.
    type Part: Clone + Ord + Debug;

    /// The part of the service that an operation is about.
    fn part(&self, operation: &Self::Operation) -> Self::Part;

    /// The state of each part before all operations.
    fn initial(&self) -> Self::State;

    /// The state after an operation that has given this answer, or any if there is no answer; none if it cannot give it in this state.
    fn after(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        answer: Option<&Self::Answer>,
    ) -> Option<Self::State>;

    /// Whether the operation, if it gives this answer, leaves every state as it is.
    fn is_read(&self, operation: &Self::Operation, answer: Option<&Self::Answer>) -> bool;

    /// Whether the operation gives this answer neither in this state nor in any that may follow. False is always right; true makes searches
    /// short.
    fn is_too_late(&self, _state: &Self::State, _operation: &Self::Operation, _answer: &Self::Answer) -> bool {
        false
    }
}

/// One operation of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call<O, A> {
    /// What was asked for.
    pub operation: O,
    /// When it was invoked.
    pub begin: u64,
    /// When it was answered, and what; none if it never was. Two operations are in order if one ends before the other begins. At equal
    /// times they overlap.
    pub end: Option<(u64, A)>,
}

/// Calls of a model's operations.
pub type History<M> = [Call<<M as Model>::Operation, <M as Model>::Answer>];

/// What is known of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict<S> {
    /// There is an order of the operations that explains all answers.
    Linearizable,
    /// There is none.
    Not(Conflict<S>),
    /// The search met its limit, after it had looked at so many configurations, and found no conflict that far.
    Unknown {
        /// Configurations: what has taken effect of the operations under way, and the state.
        configurations: u64,
    },
}

/// The first answer that no order explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict<S> {
    /// The position of the call that has this answer.
    pub call: usize,
    /// The states in which the service can be when `calls` begin, whatever the order of what was before.
    pub before: Vec<S>,
    /// The positions of the calls that a person has to look at, in the order in which they began: `call`, and what was under way since a
    /// moment at which all that had begun was answered or never will be.
    pub calls: Vec<usize>,
    /// The states from which `call` would have to get its answer, and gets another one from each.
    pub possible: Vec<S>,
}

/// Checks a history, in any order. Of several conflicts, the one that is told shows first.
pub fn check<M: Model>(model: &M, history: &History<M>) -> Verdict<M::State> {
    let mut parts: BTreeMap<M::Part, Vec<usize>> = BTreeMap::new();
    for (position, call) in history.iter().enumerate() {
        parts.entry(model.part(&call.operation)).or_default().push(position);
    }
    let mut found: Vec<(&Vec<usize>, Unexplained<M::State>)> = Vec::new();
    let mut unknown: Option<u64> = None;
    for calls in parts.values() {
        match Search::new(model, history, calls).run() {
            Outcome::Explained(_) => {}
            Outcome::Limit(configurations) => *unknown.get_or_insert(0) += configurations,
            Outcome::Unexplained(unexplained) => found.push((calls, unexplained)),
        }
    }
    let earliest = found.into_iter().min_by_key(|(_, unexplained)| end_of(&history[unexplained.call]));
    match (earliest, unknown) {
        (Some((calls, unexplained)), _) => Verdict::Not(conflict(model, history, calls, unexplained)),
        (None, Some(configurations)) => Verdict::Unknown { configurations },
        (None, None) => Verdict::Linearizable,
    }
}

/// When a call was answered.
fn end_of<O, A>(call: &Call<O, A>) -> Option<u64> {
    call.end.as_ref().map(|(time, _)| *time)
}

/// Calls that are shown at least, if there are so many: what was before the interval of a conflict helps to see where a value is from.
const SHOWN: usize = 8;
/// Configurations that may be looked at to show less.
const MAX_NARROWING: u64 = 1_000_000;

/// A conflict with as little as is needed to see it.
fn conflict<M: Model>(
    model: &M,
    history: &History<M>,
    part: &[usize],
    found: Unexplained<M::State>,
) -> Conflict<M::State> {
    let last = end_of(&history[found.call]).unwrap_or(u64::MAX);
    let mut calls: Vec<usize> = part.iter().copied().filter(|other| history[*other].begin <= last).collect();
    calls.sort_by_key(|call| (history[*call].begin, *call));
    let (before, shown) = calls.split_at(interval(history, &calls));
    let is_the_same =
        |outcome: Outcome<M::State>| matches!(outcome, Outcome::Unexplained(other) if other.call == found.call);
    let mut shown = shown.to_vec();
    let mut spare = MAX_NARROWING;
    for other in shown.clone().into_iter().filter(|other| *other != found.call).rev() {
        let Call { operation, end, .. } = &history[other];
        // A read that is left out makes no history wrong that was right.
        if model.is_read(operation, end.as_ref().map(|(_, answer)| answer)) && spare > found.configurations {
            spare -= found.configurations + 1;
            let rest: Vec<usize> = shown.iter().copied().filter(|call| *call != other).collect();
            let all: Vec<usize> = before.iter().chain(&rest).copied().collect();
            if is_the_same(Search::new(model, history, &all).run()) {
                shown = rest;
            }
        }
    }
    // What is not answered may take effect later still, so it is shown wherever it began.
    let open = before.iter().copied().filter(|call| history[*call].end.is_none());
    let states = match Search::new(model, history, before).run() {
        Outcome::Explained(states) => states,
        Outcome::Unexplained(_) | Outcome::Limit(_) => Vec::new(),
    };
    Conflict { call: found.call, before: states, calls: open.chain(shown).collect(), possible: found.states }
}

/// From where on calls are shown, of those that had begun when the last one was answered, in the order in which they began: from a
/// moment at which no answer was still to come.
fn interval<O, A>(history: &[Call<O, A>], calls: &[usize]) -> usize {
    let mut cuts = Vec::new();
    let mut answered = None;
    for (position, &call) in calls.iter().enumerate() {
        if answered < Some(history[call].begin) {
            cuts.push(position);
        }
        answered = answered.max(end_of(&history[call]));
    }
    let enough = calls.len().saturating_sub(SHOWN);
    let late = cuts.partition_point(|cut| *cut < enough);
    cuts.get(late).or(cuts.last()).copied().unwrap_or(0)
}
