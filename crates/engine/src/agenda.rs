//! What is left to do in a step: tasks by number, in the order in which they are done. Most steps change few stores, and what no change calls
//! for is not even looked at.

use crate::plan::{Driver, Plan, RulePlan};

/// Something that a step does when a store has changed that it looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    /// A rule of a stratum.
    Rule { stratum: usize, rule: usize },
    /// Rows that were deleted from a table come back while a view holds them.
    Reinsert(usize),
    /// A keyed table decides between its candidates.
    Resolve(usize),
    /// The rounds of a recursive stratum.
    Recursion(usize),
    /// A rule that takes effect later or elsewhere.
    Finish(usize),
}

/// The tasks of a plan.
#[derive(Default, Debug)]
pub(crate) struct Tasks {
    /// In the order in which they are done.
    pub(crate) list: Vec<Task>,
    /// What a node's first step does whatever has changed.
    first: TaskSet,
    /// For each store, what is to be done when it has changed.
    of_store: Vec<TaskSet>,
}

/// A set of tasks: a bit for each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct TaskSet(Box<[u64]>);

/// The tasks that are left in a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    bits: Vec<u64>,
}

impl TaskSet {
    fn of(tasks: usize, is_member: impl Fn(usize) -> bool) -> Self {
        let mut bits = vec![0; tasks.div_ceil(64)].into_boxed_slice();
        (0..tasks).filter(|&task| is_member(task)).for_each(|task| bits[task / 64] |= 1 << (task % 64));
        TaskSet(bits)
    }
}

impl Tasks {
    /// Those of a plan whose strata and rules are all there.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut list = Vec::new();
        for (number, stratum) in plan.strata.iter().enumerate() {
            list.extend((0..stratum.rules.len()).map(|rule| Task::Rule { stratum: number, rule }));
            list.extend(stratum.reinsert.iter().copied().map(Task::Reinsert));
            list.extend(stratum.resolve.iter().copied().map(Task::Resolve));
            list.extend((!stratum.recursion.is_empty()).then_some(Task::Recursion(number)));
        }
        list.extend((0..plan.finish.len()).map(Task::Finish));
        let causes: Vec<Vec<usize>> = list.iter().map(|task| causes(plan, *task)).collect();
        let begins = |task: &Task| match *task {
            Task::Rule { stratum, rule } => has_beginning(&plan.strata[stratum].rules[rule]),
            Task::Finish(rule) => has_beginning(&plan.finish[rule]),
            Task::Reinsert(_) | Task::Resolve(_) | Task::Recursion(_) => false,
        };
        let of_store = |store: usize| TaskSet::of(list.len(), |task| causes[task].contains(&store));
        Tasks {
            first: TaskSet::of(list.len(), |task| begins(&list[task])),
            of_store: (0..plan.stores.len()).map(of_store).collect(),
            list,
        }
    }
}

/// The stores of which at least one has changed if a task is to be done.
fn causes(plan: &Plan, task: Task) -> Vec<usize> {
    let of_rule = |rule: &RulePlan| rule.pipelines.iter().filter_map(|pipeline| pipeline.driver.store()).collect();
    match task {
        Task::Rule { stratum, rule } => of_rule(&plan.strata[stratum].rules[rule]),
        Task::Finish(rule) => of_rule(&plan.finish[rule]),
        Task::Reinsert(table) => vec![table],
        Task::Resolve(table) => plan.stores[table].keyed.iter().map(|keyed| keyed.candidates).collect(),
        Task::Recursion(stratum) => plan.strata[stratum].stores.clone(),
    }
}

/// Whether a rule has something to do in a node's first step before anything has changed.
fn has_beginning(rule: &RulePlan) -> bool {
    rule.pipelines.iter().any(|pipeline| pipeline.driver == Driver::First)
}

impl Agenda {
    /// Nothing is left to do.
    pub(crate) fn clear(&mut self) {
        self.bits.fill(0);
    }

    /// Adds what a first step does whatever has changed.
    pub(crate) fn begin(&mut self, tasks: &Tasks) {
        self.add(&tasks.first);
    }

    /// Adds what is to be done since a store has changed.
    #[inline]
    pub(crate) fn wake(&mut self, tasks: &Tasks, store: usize) {
        self.add(&tasks.of_store[store]);
    }

    #[inline]
    fn add(&mut self, set: &TaskSet) {
        if self.bits.len() < set.0.len() {
            self.bits.resize(set.0.len(), 0);
        }
        for (bits, more) in self.bits.iter_mut().zip(&set.0) {
            *bits |= more;
        }
    }

    /// The first task at this number or later.
    #[inline]
    pub(crate) fn next(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.bits.get(word)? & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.bits.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_their_order_and_only_those_that_are_called_for() {
        let set = |members: &[usize]| TaskSet::of(200, |task| members.contains(&task));
        let tasks =
            Tasks { list: Vec::new(), first: set(&[5]), of_store: vec![set(&[0, 63, 64]), set(&[64, 130, 199])] };
        let all = |agenda: &Agenda| {
            let mut found = Vec::new();
            while let Some(task) = agenda.next(found.last().map_or(0, |last| last + 1)) {
                found.push(task);
            }
            found
        };
        let mut agenda = Agenda::default();
        assert_eq!(all(&agenda), []);
        agenda.begin(&tasks);
        agenda.wake(&tasks, 1);
        assert_eq!(all(&agenda), [5, 64, 130, 199]);
        agenda.wake(&tasks, 0);
        assert_eq!(all(&agenda), [0, 5, 63, 64, 130, 199]);
        agenda.clear();
        assert_eq!(all(&agenda), []);
    }
}
