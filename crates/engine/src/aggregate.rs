//! Aggregations: groups of solutions, with what each function needs to be maintained as solutions come and go.

use std::collections::BTreeMap;

use menard_value::Value;

use crate::accumulator::Accumulator;
use crate::execute::Solution;
use crate::hash::Seed;
use crate::plan::{AggregateColumn, AggregatePlan, FunctionPlan};
use crate::store::{NONE, RowTable, Store};
use crate::tuples::Row;

/// The groups of one aggregation.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    seed: Seed,
    /// What `choose` chooses by.
    pub(crate) choice_seed: u64,
    by_key: RowTable,
    /// The keys of all groups.
    keys: Vec<Value>,
    groups: Vec<Group>,
    /// One for each group and function.
    accumulators: Vec<Accumulator>,
    /// What the functions gave before the step, for touched groups.
    before: Vec<Value>,
    free: Vec<u32>,
    touched: Vec<u32>,
    /// For each function that must tell apart what it has seen, the pairs of group and arguments.
    seen: Vec<Option<Store>>,
    scratch: Vec<Value>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    solutions: u64,
    touched: bool,
    /// Whether the group gave a fact before the step.
    had_fact: bool,
}

/// What a group gives.
#[derive(Clone, Copy)]
pub(crate) struct Fact<'a> {
    columns: &'a [AggregateColumn],
    key: GroupKey<'a>,
    values: &'a [Value],
}

/// The values that solutions of a group have in common.
#[derive(Clone, Copy)]
enum GroupKey<'a> {
    Own(&'a [Value]),
    /// Those in these columns of a row.
    Row(&'a [Value], &'a [usize]),
}

/// More groups than this do not stay in the cache.
const LARGE: usize = 1 << 15;

impl<'a> Fact<'a> {
    /// Its values.
    #[inline]
    pub(crate) fn row(&self) -> Row<'a> {
        Row::of(self.columns.iter().map(|column| match (*column, self.key) {
            (AggregateColumn::Group(position), GroupKey::Own(values)) => &values[position],
            (AggregateColumn::Group(position), GroupKey::Row(values, columns)) => &values[columns[position]],
            (AggregateColumn::Function(position), _) => &self.values[position],
        }))
    }
}

impl Groups {
    pub(crate) fn new(plan: &AggregatePlan, seed: Seed) -> Self {
        let seen = |function: &FunctionPlan| {
            function.distinct.then(|| Store::new(1 + function.arguments.len(), true, &[], seed))
        };
        Groups {
            seed,
            choice_seed: 0,
            by_key: RowTable::default(),
            keys: Vec::new(),
            groups: Vec::new(),
            accumulators: Vec::new(),
            before: Vec::new(),
            free: Vec::new(),
            touched: Vec::new(),
            seen: plan.functions.iter().map(seen).collect(),
            scratch: Vec::new(),
        }
    }

    /// A solution begins or ceases to hold.
    pub(crate) fn change(
        &mut self,
        plan: &AggregatePlan,
        stores: &[Box<Store>],
        solution: &Solution<'_>,
        begins: bool,
    ) {
        let group = match &plan.shared {
            Some(shared) => {
                let group = stores[shared.store].index(shared.index).key_of(solution.row(0));
                while self.groups.len() <= group as usize {
                    self.push(plan);
                }
                group
            }
            None => self.group(plan, solution),
        };
        self.touch(plan, group);
        let solutions = &mut self.groups[group as usize].solutions;
        *solutions = if begins { *solutions + 1 } else { solutions.checked_sub(1).expect("what ends had begun") };
        for (position, function) in plan.functions.iter().enumerate() {
            let arguments = function.arguments.clone();
            if let Some(seen) = &mut self.seen[position] {
                let group = Value::Int(i64::from(group));
                let argument = |position: usize| solution.get(arguments.start + position - 1);
                let pair = |position: usize| if position == 0 { &group } else { argument(position) };
                let pair = Row::of((0..arguments.len() + 1).map(pair));
                let changes = if begins { seen.increment(&pair) } else { seen.decrement(&pair) };
                if !changes {
                    continue;
                }
            }
            self.accumulators[group as usize * plan.functions.len() + position].change(
                solution,
                arguments,
                begins,
                self.choice_seed,
            );
        }
    }

    /// Whether nothing has changed since the last [`Groups::flush`].
    pub(crate) fn is_settled(&self) -> bool {
        self.touched.is_empty()
    }

    /// Whether there are no groups.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Gives the facts that groups cease and begin to give, net since the last call, to `sink`.
    pub(crate) fn flush(&mut self, plan: &AggregatePlan, stores: &[Box<Store>], mut sink: impl FnMut(bool, Fact<'_>)) {
        if let Some(skipped) = plan.numbers {
            return self.number(plan, skipped, sink);
        }
        let functions = plan.functions.len();
        let mut touched = std::mem::take(&mut self.touched);
        let mut now = std::mem::take(&mut self.scratch);
        for &group in &touched {
            let first = group as usize * functions;
            now.clear();
            self.accumulators[first..first + functions].iter_mut().for_each(Accumulator::settle);
            let has_fact = self.current(plan, group, &mut now);
            let Group { had_fact, solutions, .. } = self.groups[group as usize];
            let before = &self.before[first..first + functions];
            if had_fact != has_fact || before != now {
                let fact = |values| Fact { columns: &plan.columns, key: self.key(plan, stores, group), values };
                if had_fact {
                    sink(false, fact(before));
                }
                if has_fact {
                    sink(true, fact(&now));
                }
            }
            self.groups[group as usize].touched = false;
            if solutions == 0 {
                self.release(plan, group);
            }
        }
        touched.clear();
        self.touched = touched;
        self.scratch = now;
        for seen in self.seen.iter_mut().flatten() {
            seen.commit(false);
        }
    }

    /// Gives the facts of all groups of the step, each with its position among them; the first values of a group have no part in that.
    fn number(&mut self, plan: &AggregatePlan, skipped: usize, mut sink: impl FnMut(bool, Fact<'_>)) {
        let touched = std::mem::take(&mut self.touched);
        let mut least: BTreeMap<&[Value], &[Value]> = BTreeMap::new();
        let rank = |group: u32| {
            let accumulators = &self.accumulators[group as usize * plan.functions.len()..];
            accumulators
                .iter()
                .find_map(Accumulator::rank)
                .expect("an aggregation that numbers has a rank for each group")
        };
        for &group in &touched {
            let found = least.entry(&self.own_key(plan, group)[skipped..]).or_insert_with(|| rank(group));
            *found = (*found).min(rank(group));
        }
        let mut order: Vec<(&[Value], &[Value])> = least.into_iter().map(|(key, rank)| (rank, key)).collect();
        order.sort_unstable();
        let positions: BTreeMap<&[Value], i64> = order.iter().map(|(_, key)| *key).zip(0..).collect();
        for &group in &touched {
            let key = self.own_key(plan, group);
            let values = [Value::Int(positions[&key[skipped..]])];
            sink(true, Fact { columns: &plan.columns, key: GroupKey::Own(key), values: &values });
        }
    }

    /// What maintained aggregations remember of the steps before: for each group and each such function, what it gives.
    pub(crate) fn memory(&self, plan: &AggregatePlan, stores: &[Box<Store>]) -> Vec<Vec<Value>> {
        let mut memory = Vec::new();
        for (position, accumulator) in self.accumulators.iter().enumerate() {
            let Some(chosen) = accumulator.chosen().filter(|_| plan.maintained) else { continue };
            let group = u32::try_from(position / plan.functions.len()).expect("fewer than 2^32 groups");
            let function = Value::Int(i64::try_from(position % plan.functions.len()).expect("few functions"));
            let key: Vec<Value> = match self.key(plan, stores, group) {
                GroupKey::Own(values) => values.to_vec(),
                GroupKey::Row(row, columns) => columns.iter().map(|&column| row[column].clone()).collect(),
            };
            memory.push([function].into_iter().chain(key).chain(chosen.iter().cloned()).collect());
        }
        memory
    }

    /// The facts that all groups give.
    pub(crate) fn facts(&self, plan: &AggregatePlan, stores: &[Box<Store>]) -> Vec<Vec<Value>> {
        let groups = 0..u32::try_from(self.groups.len()).expect("fewer than 2^32 groups");
        let fact = |group: u32| {
            let mut values = Vec::new();
            let has_fact = self.current(plan, group, &mut values);
            has_fact.then(|| {
                let fact = Fact { columns: &plan.columns, key: self.key(plan, stores, group), values: &values };
                fact.row().iter().copied().cloned().collect()
            })
        };
        groups.filter_map(fact).collect()
    }

    /// See [`RowTable::warm`].
    pub(crate) fn warm(&self, plan: &AggregatePlan, solution: &Solution<'_>) -> u64 {
        self.by_key.warm(self.seed.tuple(solution.tuple().take(plan.group)))
    }

    /// Whether groups are likely to be out of the cache.
    pub(crate) fn is_large(&self) -> bool {
        self.by_key.capacity() > LARGE
    }

    /// Forgets all groups: what the events of one step gave.
    pub(crate) fn clear(&mut self) {
        if self.groups.is_empty() {
            return;
        }
        self.by_key.clear();
        self.keys.clear();
        self.groups.clear();
        self.accumulators.clear();
        self.before.clear();
        self.free.clear();
        self.touched.clear();
        for seen in self.seen.iter_mut().flatten() {
            seen.clear();
        }
    }

    /// The key of a group with solutions.
    #[inline]
    fn key<'a>(&'a self, plan: &'a AggregatePlan, stores: &'a [Box<Store>], group: u32) -> GroupKey<'a> {
        match &plan.shared {
            Some(shared) => {
                let store = &stores[shared.store];
                let row = store.index(shared.index).first(group);
                debug_assert_ne!(row, NONE, "rows leave an index only after the step");
                GroupKey::Row(store.row(row), &shared.columns)
            }
            None => GroupKey::Own(self.own_key(plan, group)),
        }
    }

    #[inline]
    fn own_key(&self, plan: &AggregatePlan, group: u32) -> &[Value] {
        &self.keys[group as usize * plan.group..(group as usize + 1) * plan.group]
    }

    /// Makes room for one more group.
    fn push(&mut self, plan: &AggregatePlan) {
        self.groups.push(Group::default());
        self.accumulators.extend(plan.functions.iter().map(|function| Accumulator::new(function.function)));
        self.before.extend(plan.functions.iter().map(|_| Value::Bool(false)));
    }

    /// The group that a solution belongs to, a new one if there is none.
    #[inline]
    fn group(&mut self, plan: &AggregatePlan, solution: &Solution<'_>) -> u32 {
        let key = solution.tuple().take(plan.group);
        // Solutions of one group often come together: all votes of a request are deleted at once.
        if let Some(last) = self.touched.last().copied()
            && self.own_key(plan, last).iter().eq(key.clone())
        {
            return last;
        }
        let (stride, keys) = (plan.group, &self.keys);
        let of = |group: u32| keys[group as usize * stride..(group as usize + 1) * stride].iter();
        let fresh = self.free.last().copied();
        let fresh = fresh.unwrap_or_else(|| u32::try_from(self.groups.len()).expect("fewer than 2^32 groups"));
        let hash = self.seed.tuple(key.clone());
        if let Some(group) = self.by_key.find_or_insert(hash, fresh, |group| of(group).eq(key.clone())) {
            return group;
        }
        if self.free.pop().is_some() {
            let start = fresh as usize * stride;
            for (place, value) in self.keys[start..start + stride].iter_mut().zip(key) {
                place.clone_from(value);
            }
            self.groups[fresh as usize] = Group::default();
        } else {
            self.keys.extend(key.cloned());
            self.push(plan);
        }
        fresh
    }

    /// Remembers what the group gave before its first change.
    #[inline]
    fn touch(&mut self, plan: &AggregatePlan, group: u32) {
        if self.groups[group as usize].touched {
            return;
        }
        let mut values = std::mem::take(&mut self.scratch);
        values.clear();
        let had_fact = self.current(plan, group, &mut values);
        let first = group as usize * plan.functions.len();
        for (slot, value) in self.before[first..].iter_mut().zip(values.drain(..)) {
            *slot = value;
        }
        self.scratch = values;
        let state = &mut self.groups[group as usize];
        state.touched = true;
        state.had_fact = had_fact;
        self.touched.push(group);
    }

    /// Appends what the functions give for a group; false if it gives no fact, being empty or having a sum that overflows.
    #[inline]
    fn current(&self, plan: &AggregatePlan, group: u32, values: &mut Vec<Value>) -> bool {
        if self.groups[group as usize].solutions == 0 {
            return false;
        }
        let first = group as usize * plan.functions.len();
        let accumulators = &self.accumulators[first..first + plan.functions.len()];
        accumulators.iter().all(|accumulator| match accumulator.value() {
            Some(value) => {
                values.push(value);
                true
            }
            None => false,
        })
    }

    fn release(&mut self, plan: &AggregatePlan, group: u32) {
        if plan.shared.is_none() {
            let hash = self.seed.tuple(self.own_key(plan, group));
            self.by_key.remove(hash, group);
            self.free.push(group);
        }
        let first = group as usize * plan.functions.len();
        for (accumulator, function) in self.accumulators[first..].iter_mut().zip(&plan.functions) {
            *accumulator = Accumulator::new(function.function);
        }
    }
}
