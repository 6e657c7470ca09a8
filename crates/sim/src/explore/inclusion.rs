//! Refinement without lifts, for tiny scopes: every history of the rewritten program is a history of the original. A history is what external
//! nodes send and receive, in order. Histories are closed under prefixes, so it is enough that no step of a history leads out: the search
//! walks the rewritten program's states together with the set of all states in which the original can be after the same history. Where the
//! rewritten program has nothing left to do, the original must be able to have nothing left to do either: else it would send something that
//! the rewritten program never sends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_lang::ir::Name;
use menard_lang::run::Message;

use super::Scope;
use super::system::System;
use crate::prepared::Prepared;

/// What an inclusion check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Inclusion {
    /// Distinct states of the rewritten program.
    pub rewritten_states: usize,
    /// Distinct states of the original.
    pub original_states: usize,
    /// Pairs of a state of the rewritten program and a set of states of the original.
    pub pairs: usize,
    /// Whether everything was explored.
    pub complete: bool,
    /// A history of the rewritten program that the original does not have: what external nodes sent (true) and received (false).
    pub counterexample: Option<Vec<(bool, Message)>>,
    /// A history of both after which the rewritten program has nothing left to do, but the original always has.
    pub unfinished: Option<Vec<(bool, Message)>>,
}

/// Whether every history of `rewritten` in a scope is a history of `original`, and ends where that can end. On `late` channels, those on
/// which a lift is inexact, messages may be left in flight in the original.
pub fn includes(original: &Prepared, rewritten: &Prepared, late: &BTreeSet<Name>, scope: &Scope) -> Inclusion {
    let mut labels = Labels::default();
    let theirs = Graph::build(original, scope, late, &mut labels);
    let ours = Graph::build(rewritten, scope, &BTreeSet::new(), &mut labels);
    let mut result = Inclusion {
        rewritten_states: ours.edges.len(),
        original_states: theirs.edges.len(),
        pairs: 0,
        complete: ours.complete && theirs.complete,
        counterexample: None,
        unfinished: None,
    };
    if !result.complete {
        return result;
    }
    let mut walk = Walk { visited: BTreeSet::new(), queue: VecDeque::new(), parents: Vec::new() };
    walk.visit(0, theirs.closure(BTreeSet::from([0])), None);
    while let Some((state, set, index)) = walk.queue.pop_front() {
        if ours.done[state] && !set.iter().any(|other| theirs.done[*other]) {
            result.unfinished = Some(walk.history(index, None, &labels));
            result.pairs = walk.parents.len();
            return result;
        }
        for (label, next) in &ours.edges[state] {
            let reached = match label {
                None => set.clone(),
                Some(label) => theirs.after(&set, *label),
            };
            if reached.is_empty() {
                result.counterexample = Some(walk.history(index, *label, &labels));
                result.pairs = walk.parents.len();
                return result;
            }
            walk.visit(*next, reached, Some((index, *label)));
            if walk.parents.len() >= scope.max_states {
                result.complete = false;
                return result;
            }
        }
    }
    result.pairs = walk.parents.len();
    result
}

/// What external nodes can notice, by numbers that both programs share.
#[derive(Default)]
struct Labels {
    list: Vec<(bool, Message)>,
    numbers: BTreeMap<(bool, Message), usize>,
}

impl Labels {
    fn number(&mut self, label: (bool, Message)) -> usize {
        if let Some(number) = self.numbers.get(&label) {
            return *number;
        }
        self.list.push(label.clone());
        self.numbers.insert(label, self.list.len() - 1);
        self.list.len() - 1
    }
}

/// All states of a program in a scope, with its transitions: their label, if they can be noticed, and where they lead.
struct Graph {
    edges: Vec<Vec<(Option<usize>, usize)>>,
    /// Whether nothing is left to do in a state.
    done: Vec<bool>,
    complete: bool,
}

impl Graph {
    fn build(prepared: &Prepared, scope: &Scope, late: &BTreeSet<Name>, labels: &mut Labels) -> Self {
        let mut system = System::new(prepared, scope, true, false);
        let initial = system.initial(None);
        let mut numbers = BTreeMap::from([(system.key(&initial), 0)]);
        let mut queue = VecDeque::from([initial]);
        let mut graph = Graph { edges: Vec::new(), done: Vec::new(), complete: true };
        while let Some(state) = queue.pop_front() {
            let mut edges = Vec::new();
            graph.done.push(system.is_done(&state, late));
            for action in system.actions(&state) {
                let label = system.visible(&action, state.sent()).map(|label| labels.number(label));
                let next = system.after(&state, &action);
                let fresh = numbers.len();
                let number = *numbers.entry(system.key(&next)).or_insert(fresh);
                if number == fresh {
                    queue.push_back(next);
                }
                edges.push((label, number));
            }
            edges.sort_unstable();
            edges.dedup();
            graph.edges.push(edges);
            if numbers.len() > scope.max_states || system.endless.is_some() {
                graph.complete = false;
                break;
            }
        }
        graph
    }

    /// All states that can be reached from these by what nobody notices.
    fn closure(&self, mut states: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = states.iter().copied().collect();
        while let Some(state) = open.pop() {
            for (_, next) in self.edges[state].iter().filter(|(label, _)| label.is_none()) {
                if states.insert(*next) {
                    open.push(*next);
                }
            }
        }
        states
    }

    /// All states that can be reached from these by something that is noticed, and then by what nobody notices.
    fn after(&self, states: &BTreeSet<usize>, label: usize) -> BTreeSet<usize> {
        let edges = states.iter().flat_map(|state| &self.edges[*state]);
        self.closure(edges.filter(|(other, _)| *other == Some(label)).map(|(_, next)| *next).collect())
    }
}

/// Where a pair was first reached from, and by which label.
type Parent = Option<(usize, Option<usize>)>;

struct Walk {
    visited: BTreeSet<(usize, BTreeSet<usize>)>,
    queue: VecDeque<(usize, BTreeSet<usize>, usize)>,
    parents: Vec<Parent>,
}

impl Walk {
    fn visit(&mut self, state: usize, set: BTreeSet<usize>, from: Parent) {
        if self.visited.insert((state, set.clone())) {
            self.queue.push_back((state, set, self.parents.len()));
            self.parents.push(from);
        }
    }

    fn history(&self, mut index: usize, last: Option<usize>, labels: &Labels) -> Vec<(bool, Message)> {
        let mut history: Vec<usize> = last.into_iter().collect();
        while let Some((parent, label)) = self.parents[index] {
            history.extend(label);
            index = parent;
        }
        history.reverse();
        history.into_iter().map(|label| labels.list[label].clone()).collect()
    }
}
