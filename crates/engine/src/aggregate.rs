//! Aggregations: groups of solutions, with what each function needs to be maintained as solutions come and go.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use menard_lang::ir::Aggregate;
use menard_value::Value;

use crate::hash::Seed;
use crate::plan::{AggregateColumn, AggregatePlan};
use crate::store::Store;
use crate::tuples::Tuples;

/// The groups of one aggregation.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    seed: Seed,
    by_key: HashTable<u32>,
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

#[derive(Clone, Debug)]
enum Accumulator {
    Count(i64),
    /// Exact: the partial sums of 64-bit integers do not overflow it.
    Sum(i128),
    /// Values with their number of solutions, for the least.
    Least(BTreeMap<Value, u64>),
    /// The same, for the greatest.
    Greatest(BTreeMap<Value, u64>),
}

impl Groups {
    pub(crate) fn new(plan: &AggregatePlan, seed: Seed) -> Self {
        let seen = |function: &crate::plan::FunctionPlan| {
            function.distinct.then(|| Store::new(1 + function.arguments.len(), true, &[], seed))
        };
        Groups {
            seed,
            by_key: HashTable::new(),
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
    pub(crate) fn change(&mut self, plan: &AggregatePlan, tuple: &mut [Value], begins: bool) {
        let group = self.group(plan, &mut tuple[..plan.group]);
        self.touch(plan, group);
        let solutions = &mut self.groups[group as usize].solutions;
        *solutions = if begins { *solutions + 1 } else { solutions.checked_sub(1).expect("what ends had begun") };
        for (position, function) in plan.functions.iter().enumerate() {
            let arguments = &tuple[function.arguments.clone()];
            if let Some(seen) = &mut self.seen[position] {
                self.scratch.clear();
                self.scratch.push(Value::Int(i64::from(group)));
                self.scratch.extend_from_slice(arguments);
                let changes = if begins { seen.increment(&mut self.scratch) } else { seen.decrement(&self.scratch) };
                if !changes {
                    continue;
                }
            }
            self.accumulators[group as usize * plan.functions.len() + position].change(arguments, begins);
        }
    }

    /// Appends the facts that groups cease and begin to give, net since the last call.
    pub(crate) fn flush(&mut self, plan: &AggregatePlan, ceased: &mut Tuples, begun: &mut Tuples) {
        let functions = plan.functions.len();
        let mut touched = std::mem::take(&mut self.touched);
        for &group in &touched {
            let first = group as usize * functions;
            let now: Option<Vec<Value>> = self.current(plan, group);
            let Group { had_fact, solutions, .. } = self.groups[group as usize];
            let before = had_fact.then(|| &self.before[first..first + functions]);
            if before != now.as_deref() {
                let key = &self.keys[group as usize * plan.group..(group as usize + 1) * plan.group];
                let fact = |values: &[Value], out: &mut Tuples| {
                    out.push(plan.columns.iter().map(|column| match column {
                        AggregateColumn::Group(position) => key[*position].clone(),
                        AggregateColumn::Function(position) => values[*position].clone(),
                    }));
                };
                if let Some(values) = before {
                    fact(values, ceased);
                }
                if let Some(values) = &now {
                    fact(values, begun);
                }
            }
            self.groups[group as usize].touched = false;
            if solutions == 0 {
                self.release(plan, group);
            }
        }
        touched.clear();
        self.touched = touched;
        for seen in self.seen.iter_mut().flatten() {
            seen.commit(false);
        }
    }

    /// The facts that all groups give.
    pub(crate) fn facts(&self, plan: &AggregatePlan) -> Vec<Vec<Value>> {
        let groups = 0..u32::try_from(self.groups.len()).expect("fewer than 2^32 groups");
        let fact = |group: u32| {
            let values = self.current(plan, group)?;
            let key = &self.keys[group as usize * plan.group..(group as usize + 1) * plan.group];
            let column = |column: &AggregateColumn| match column {
                AggregateColumn::Group(position) => key[*position].clone(),
                AggregateColumn::Function(position) => values[*position].clone(),
            };
            Some(plan.columns.iter().map(column).collect())
        };
        groups.filter_map(fact).collect()
    }

    /// Forgets all groups: what the events of one step gave.
    pub(crate) fn clear(&mut self) {
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

    /// The group with this key, a new one if there is none.
    #[inline]
    fn group(&mut self, plan: &AggregatePlan, key: &mut [Value]) -> u32 {
        let (seed, stride, keys) = (self.seed, plan.group, &self.keys);
        let of = |group: u32| &keys[group as usize * stride..(group as usize + 1) * stride];
        let entry = self.by_key.entry(seed.tuple(&*key), |&group| of(group) == key, |&group| seed.tuple(of(group)));
        let vacant = match entry {
            Entry::Occupied(entry) => return *entry.get(),
            Entry::Vacant(vacant) => vacant,
        };
        let fresh = |function: &crate::plan::FunctionPlan| Accumulator::new(function.function);
        if let Some(group) = self.free.pop() {
            vacant.insert(group);
            let start = group as usize * stride;
            self.keys[start..start + stride].clone_from_slice(key);
            self.groups[group as usize] = Group::default();
            return group;
        }
        let group = u32::try_from(self.groups.len()).expect("fewer than 2^32 groups");
        vacant.insert(group);
        self.keys.extend(key.iter().cloned());
        self.groups.push(Group::default());
        self.accumulators.extend(plan.functions.iter().map(fresh));
        self.before.extend(plan.functions.iter().map(|_| Value::Bool(false)));
        group
    }

    /// Remembers what the group gave before its first change.
    #[inline]
    fn touch(&mut self, plan: &AggregatePlan, group: u32) {
        if self.groups[group as usize].touched {
            return;
        }
        let first = group as usize * plan.functions.len();
        let had_fact = match self.current(plan, group) {
            Some(values) => {
                for (slot, value) in self.before[first..].iter_mut().zip(values) {
                    *slot = value;
                }
                true
            }
            None => false,
        };
        let state = &mut self.groups[group as usize];
        state.touched = true;
        state.had_fact = had_fact;
        self.touched.push(group);
    }

    /// What the functions give for a group; nothing for an empty group, or if a sum overflows.
    fn current(&self, plan: &AggregatePlan, group: u32) -> Option<Vec<Value>> {
        if self.groups[group as usize].solutions == 0 {
            return None;
        }
        let first = group as usize * plan.functions.len();
        self.accumulators[first..first + plan.functions.len()].iter().map(Accumulator::value).collect()
    }

    fn release(&mut self, plan: &AggregatePlan, group: u32) {
        let key = &self.keys[group as usize * plan.group..(group as usize + 1) * plan.group];
        match self.by_key.find_entry(self.seed.tuple(key), |&other| other == group) {
            Ok(entry) => {
                entry.remove();
            }
            Err(_) => unreachable!("every group in use is found by its key"),
        }
        let first = group as usize * plan.functions.len();
        for (accumulator, function) in self.accumulators[first..].iter_mut().zip(&plan.functions) {
            *accumulator = Accumulator::new(function.function);
        }
        self.free.push(group);
    }
}

impl Accumulator {
    fn new(function: Aggregate) -> Self {
        match function {
            Aggregate::Count => Accumulator::Count(0),
            Aggregate::Sum => Accumulator::Sum(0),
            Aggregate::Min => Accumulator::Least(BTreeMap::new()),
            Aggregate::Max => Accumulator::Greatest(BTreeMap::new()),
        }
    }

    fn change(&mut self, arguments: &[Value], begins: bool) {
        match self {
            Accumulator::Count(count) => *count += if begins { 1 } else { -1 },
            Accumulator::Sum(sum) => {
                let value = i128::from(arguments[0].as_int().expect("only integers are summed"));
                *sum += if begins { value } else { -value };
            }
            Accumulator::Least(values) | Accumulator::Greatest(values) if begins => {
                *values.entry(arguments[0].clone()).or_insert(0) += 1;
            }
            Accumulator::Least(values) | Accumulator::Greatest(values) => {
                let count = values.get_mut(&arguments[0]).expect("what ends had begun");
                *count -= 1;
                if *count == 0 {
                    values.remove(&arguments[0]);
                }
            }
        }
    }

    fn value(&self) -> Option<Value> {
        match self {
            Accumulator::Count(count) => Some(Value::Int(*count)),
            Accumulator::Sum(sum) => i64::try_from(*sum).ok().map(Value::Int),
            Accumulator::Least(values) => values.first_key_value().map(|(value, _)| value.clone()),
            Accumulator::Greatest(values) => values.last_key_value().map(|(value, _)| value.clone()),
        }
    }
}
