//! A node: the state of one component, and its step.

use std::sync::Arc;

use menard_value::Value;

use crate::aggregate::Groups;
use crate::execute::{self, Derived, Scratch};
use crate::hash::Seed;
use crate::outbox::Outbox;
use crate::plan::{Driver, Plan, RulePlan, StoreKind, Stratum, Target};
use crate::store::{Inserted, Store, Version};
use crate::tuples::Tuples;
use crate::{Inputs, Outputs};

/// What a node has done, counted; the same for the same inputs on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Steps.
    pub steps: u64,
    /// Lookups of rows by values.
    pub probes: u64,
    /// Rows that joins looked at, and rows derived.
    pub rows_touched: u64,
    /// Messages taken.
    pub messages_in: u64,
    /// Messages sent.
    pub messages_out: u64,
    /// Messages not sent since the node they are for does not exist or does not have the channel's receiving role.
    pub misaddressed: u64,
    /// Calls of functions that were undefined at their arguments.
    pub undefined: u64,
}

/// A physical node: it has the facts of its component, and steps.
#[derive(Clone, Debug)]
pub struct Node {
    plan: Arc<Plan>,
    me: menard_value::Node,
    state: State,
}

/// All that a node has besides its plan.
#[derive(Clone, Debug)]
pub(crate) struct State {
    seed: Seed,
    pub(crate) started: bool,
    pub(crate) stores: Vec<Store>,
    /// For each store, what happens to it at the beginning of the next step.
    pub(crate) next: Vec<Next>,
    /// The stores with something in `next`.
    dirty: Vec<usize>,
    pub(crate) groups: Vec<Groups>,
    outbox: Outbox,
    scratch: Scratch,
    derived: Derived,
    ceased: Tuples,
    begun: Tuples,
    /// For each store of a recursive stratum, the facts that the current and the next round look at.
    fresh: Vec<(Vec<u32>, Vec<u32>)>,
    counters: Counters,
}

/// Changes of a store at the beginning of the next step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Next {
    /// Rows that leave a table, unless spared.
    pub(crate) doomed: Vec<u32>,
    /// Facts that join a table or are events.
    pub(crate) plus: Tuples,
    /// Rows that the last step deleted, or would have: what a state-only rule deletes must be deleted again if it is there.
    standing: Vec<u32>,
}

impl Node {
    /// A node that has not started.
    pub fn new(plan: Arc<Plan>, me: menard_value::Node) -> Node {
        Node::with_seed(plan, me, 0)
    }

    /// A node with a seed for its hash tables: one that remote parties cannot guess keeps them from choosing keys that collide. Results
    /// do not depend on it.
    pub fn with_seed(plan: Arc<Plan>, me: menard_value::Node, seed: u64) -> Node {
        let state = State::new(&plan, me, Seed::new(seed));
        Node { plan, me, state }
    }

    /// Forgets everything: the node has not started.
    pub fn reset(&mut self) {
        self.state = State::new(&self.plan, self.me, self.state.seed);
    }

    /// Takes a step. What it did replaces what is in `outputs`.
    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        outputs.clear();
        self.state.step(&self.plan, inputs, outputs);
    }

    /// What the node has done so far.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// The plan that the node runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The logical node that it is part of.
    pub fn me(&self) -> menard_value::Node {
        self.me
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }
}

impl State {
    fn new(plan: &Plan, me: menard_value::Node, seed: Seed) -> Self {
        let stores = plan.stores.iter().map(|store| {
            let mut made = Store::new(store.arity, store.counted, &store.indexes, seed);
            if let StoreKind::Role { role, nodes } = store.kind {
                for index in 0..nodes {
                    made.insert(&mut [Value::node(role, index)]);
                }
                made.commit(false);
            }
            made
        });
        let next = |store: &crate::plan::StorePlan| Next { plus: Tuples::new(store.arity), ..Next::default() };
        let mut scratch = Scratch::default();
        scratch.registers.resize(plan.registers, Value::Bool(false));
        scratch.registers[0] = Value::Node(me);
        State {
            seed,
            started: false,
            stores: stores.collect(),
            next: plan.stores.iter().map(next).collect(),
            dirty: Vec::new(),
            groups: plan.aggregates.iter().map(|aggregate| Groups::new(aggregate, seed)).collect(),
            outbox: Outbox::default(),
            scratch,
            derived: Derived::default(),
            ceased: Tuples::default(),
            begun: Tuples::default(),
            fresh: vec![(Vec::new(), Vec::new()); plan.stores.len()],
            counters: Counters::default(),
        }
    }

    fn step(&mut self, plan: &Plan, inputs: &Inputs, outputs: &mut Outputs) {
        self.counters.steps += 1;
        self.begin(plan);
        self.take(plan, inputs);
        for stratum in &plan.strata {
            self.stratum(plan, stratum, outputs);
        }
        for rule in &plan.finish {
            self.rule(plan, rule, outputs);
        }
        self.delete_again(plan);
        self.started = true;
        outputs.pending = self.settle(plan);
        self.commit(plan);
    }

    /// Lets what the step before left take effect.
    fn begin(&mut self, plan: &Plan) {
        let dirty = std::mem::take(&mut self.dirty);
        for &store in &dirty {
            let next = &mut self.next[store];
            for &row in &next.doomed {
                self.stores[store].execute(row);
            }
            self.counters.rows_touched += (next.doomed.len() + next.plus.len()) as u64;
            for position in 0..next.plus.len() {
                self.stores[store].insert(next.plus.get_mut(position));
            }
            next.plus.clear();
            if plan.stores[store].deleted_by.is_some() {
                next.standing.append(&mut next.doomed);
            }
            next.doomed.clear();
        }
        self.dirty = dirty;
    }

    fn take(&mut self, plan: &Plan, inputs: &Inputs) {
        if inputs.start {
            self.stores[plan.start].insert(&mut []);
        }
        for message in inputs.iter() {
            self.counters.messages_in += 1;
            if let Some(store) = plan.received[usize::from(message.channel)] {
                let tuple = &mut self.derived.tuples;
                tuple.restart(message.args.len() + 1);
                tuple.push(std::iter::once(Value::Node(message.from)).chain(message.args.iter().cloned()));
                self.stores[store].insert(tuple.get_mut(0));
            }
        }
    }

    fn stratum(&mut self, plan: &Plan, stratum: &Stratum, outputs: &mut Outputs) {
        for rule in &stratum.rules {
            self.rule(plan, rule, outputs);
        }
        for &table in &stratum.reinsert {
            self.reinsert(plan, table);
        }
        if stratum.recursion.is_empty() {
            return;
        }
        loop {
            let mut found = false;
            for &store in &stratum.stores {
                let (now, next) = &mut self.fresh[store];
                now.clear();
                std::mem::swap(now, next);
                found |= !now.is_empty();
            }
            if !found {
                return;
            }
            for rule in &stratum.recursion {
                self.rule(plan, rule, outputs);
            }
        }
    }

    /// Runs all pipelines of a rule.
    fn rule(&mut self, plan: &Plan, rule: &RulePlan, outputs: &mut Outputs) {
        for pipeline in &rule.pipelines {
            let state_target = matches!(rule.target, Target::Count(_) | Target::Aggregate(_));
            let passes: &[(Version, bool)] = match pipeline.driver {
                Driver::First if self.started => &[],
                Driver::Fresh { added: false, .. } | Driver::Event(_) | Driver::First | Driver::Always => {
                    &[(Version::New, true)]
                }
                Driver::Added(_) | Driver::Fresh { added: true, .. } => &[(Version::Added, true)],
                Driver::Delta { negated: false, .. } if state_target => {
                    &[(Version::Removed, false), (Version::Added, true)]
                }
                Driver::Delta { negated: true, .. } if state_target => {
                    &[(Version::Added, false), (Version::Removed, true)]
                }
                Driver::Delta { negated: false, .. } => &[(Version::Added, true)],
                Driver::Delta { negated: true, .. } => &[(Version::Removed, true)],
            };
            if pipeline.needs.iter().any(|&store| self.stores[store].touched().is_empty()) {
                continue;
            }
            for &(version, begins) in passes {
                let rows = match pipeline.driver {
                    Driver::First | Driver::Always => None,
                    Driver::Fresh { store, .. } => Some(&self.fresh[store].0[..]),
                    Driver::Event(store) | Driver::Added(store) | Driver::Delta { store, .. } => {
                        Some(self.stores[store].touched())
                    }
                };
                if rows.is_some_and(<[u32]>::is_empty) {
                    continue;
                }
                execute::run(
                    pipeline,
                    rows.map(|rows| (rows, version)),
                    &self.stores,
                    &mut self.scratch,
                    &mut self.derived,
                    &mut self.counters,
                );
                self.apply_derived(plan, rule.target, begins, outputs);
            }
        }
        if let Target::Aggregate(aggregate) = rule.target {
            self.flush(plan, aggregate, outputs);
        }
    }

    fn apply_derived(&mut self, plan: &Plan, target: Target, begins: bool, outputs: &mut Outputs) {
        if let Target::Doom(store) = target {
            self.doom(store);
        } else if !self.derived.tuples.is_empty() {
            let mut tuples = std::mem::take(&mut self.derived.tuples);
            self.apply(plan, target, begins, &mut tuples, outputs);
            self.derived.tuples = tuples;
        }
    }

    /// Gives what a rule derived to its target.
    fn apply(&mut self, plan: &Plan, target: Target, begins: bool, tuples: &mut Tuples, outputs: &mut Outputs) {
        self.counters.rows_touched += tuples.len() as u64;
        match target {
            Target::Insert(_) if !begins => {}
            Target::Insert(store) => {
                for position in 0..tuples.len() {
                    match self.stores[store].insert(tuples.get_mut(position)) {
                        Inserted::Nothing => {}
                        Inserted::Added(row) | Inserted::Revived(row) => self.fresh[store].1.push(row),
                    }
                }
            }
            Target::Count(store) if plan.stores[store].kind == StoreKind::Delta => {
                let version = if begins { Version::Added } else { Version::Removed };
                for position in 0..tuples.len() {
                    self.stores[store].append(tuples.get_mut(position), version);
                }
            }
            Target::Count(store) => {
                for position in 0..tuples.len() {
                    if begins {
                        self.stores[store].increment(tuples.get_mut(position));
                    } else {
                        self.stores[store].decrement(tuples.get(position));
                    }
                }
            }
            Target::Plus(store) | Target::Defer(store) => {
                self.mark_dirty(store);
                let plus = &mut self.next[store].plus;
                for position in 0..tuples.len() {
                    plus.push(
                        tuples.get_mut(position).iter_mut().map(|value| std::mem::replace(value, Value::Bool(false))),
                    );
                }
            }
            Target::Send { channel, held } => {
                self.outbox.send(plan, (channel, held), tuples, outputs, self.seed, &mut self.counters);
            }
            Target::Aggregate(aggregate) => {
                for position in 0..tuples.len() {
                    self.groups[aggregate].change(&plan.aggregates[aggregate], tuples.get_mut(position), begins);
                }
            }
            Target::Doom(_) => unreachable!("rows are doomed, not tuples"),
        }
    }

    fn flush(&mut self, plan: &Plan, aggregate: usize, outputs: &mut Outputs) {
        let aggregate_plan = &plan.aggregates[aggregate];
        let (mut ceased, mut begun) = (std::mem::take(&mut self.ceased), std::mem::take(&mut self.begun));
        ceased.restart(aggregate_plan.columns.len());
        begun.restart(aggregate_plan.columns.len());
        self.groups[aggregate].flush(aggregate_plan, &mut ceased, &mut begun);
        if !ceased.is_empty() {
            self.apply(plan, aggregate_plan.target, false, &mut ceased, outputs);
        }
        if !begun.is_empty() {
            self.apply(plan, aggregate_plan.target, true, &mut begun, outputs);
        }
        (self.ceased, self.begun) = (ceased, begun);
    }

    fn doom(&mut self, store: usize) {
        if self.derived.rows.is_empty() {
            return;
        }
        self.mark_dirty(store);
        for &row in &self.derived.rows {
            if self.stores[store].doom(row) {
                self.next[store].doomed.push(row);
            }
        }
    }

    fn mark_dirty(&mut self, store: usize) {
        if !self.dirty.contains(&store) {
            self.dirty.push(store);
        }
    }

    /// Rows that were deleted at the beginning of the step and that a view puts into the table come back.
    fn reinsert(&mut self, plan: &Plan, table: usize) {
        let view = plan.stores[table].inserted_by.expect("only such tables are listed");
        let deleted: Vec<u32> = self.stores[table].touched().to_vec();
        for row in deleted {
            let store = &self.stores[table];
            if store.sees(Version::Removed, row) && self.holds(view, store.row(row)) {
                self.stores[table].revive(row);
                self.fresh[table].1.push(row);
            }
        }
    }

    /// Rows that the step before deleted, that are there nevertheless, and that a state-only rule deletes still.
    fn delete_again(&mut self, plan: &Plan) {
        for position in 0..self.dirty.len() {
            let table = self.dirty[position];
            let Some(view) = plan.stores[table].deleted_by else { continue };
            let standing = std::mem::take(&mut self.next[table].standing);
            for &row in &standing {
                let store = &self.stores[table];
                if store.sees(Version::New, row) && self.holds(view, store.row(row)) && self.stores[table].doom(row) {
                    self.next[table].doomed.push(row);
                }
            }
            self.next[table].standing = standing;
        }
    }

    /// Whether a fact holds in this step.
    pub(crate) fn holds(&self, store: usize, tuple: &[Value]) -> bool {
        let store = &self.stores[store];
        store.find_tuple(tuple).is_some_and(|row| store.sees(Version::New, row))
    }

    /// Leaves in `next` what changes something, and says whether that calls for another step.
    fn settle(&mut self, plan: &Plan) -> bool {
        let mut pending = false;
        let mut dirty = std::mem::take(&mut self.dirty);
        for &store in &dirty {
            pending |= match plan.stores[store].kind {
                StoreKind::Event => !self.next[store].plus.is_empty(),
                _ => self.settle_table(plan, store),
            };
        }
        dirty.retain(|&store| !self.next[store].is_empty());
        self.dirty = dirty;
        pending
    }

    fn settle_table(&mut self, plan: &Plan, table: usize) -> bool {
        let table_plan = &plan.stores[table];
        let mut next = std::mem::take(&mut self.next[table]);
        next.standing.clear();
        // A deletion for as long as some state holds, beaten by an insertion in this step only: it will succeed in the next.
        let mut beaten = false;
        next.plus.retain(|tuple| match self.stores[table].find_tuple(tuple) {
            Some(row) if self.stores[table].sees(Version::New, row) => {
                if self.stores[table].spare(row)
                    && let Some(view) = table_plan.deleted_by
                {
                    next.standing.push(row);
                    let kept = table_plan.kept_by.is_some_and(|view| self.holds(view, tuple));
                    beaten |= !kept && self.holds(view, tuple);
                }
                false
            }
            _ => true,
        });
        if let Some(view) = table_plan.kept_by {
            for &row in &next.doomed {
                if self.stores[table].is_doomed(row) && self.holds(view, self.stores[table].row(row)) {
                    self.stores[table].spare(row);
                    next.standing.push(row);
                }
            }
        }
        next.doomed.retain(|&row| self.stores[table].is_doomed(row));
        let comes_back =
            |row: u32| table_plan.inserted_by.is_some_and(|view| self.holds(view, self.stores[table].row(row)));
        let pending = beaten
            || table_plan.reacts_to_insertion && !next.plus.is_empty()
            || table_plan.reacts_to_deletion && next.doomed.iter().any(|&row| !comes_back(row));
        self.next[table] = next;
        pending
    }

    fn commit(&mut self, plan: &Plan) {
        for ((position, store), plan) in self.stores.iter_mut().enumerate().zip(&plan.stores) {
            if store.touched().is_empty() {
                continue;
            }
            match plan.kind {
                StoreKind::Event => store.clear(),
                StoreKind::Delta => store.commit(true),
                StoreKind::Table | StoreKind::View | StoreKind::Role { .. } => store.commit(false),
            }
            self.fresh[position].0.clear();
            self.fresh[position].1.clear();
        }
        for (groups, plan) in self.groups.iter_mut().zip(&plan.aggregates) {
            if !plan.maintained {
                groups.clear();
            }
        }
        self.outbox.clear();
        self.apply_silently(plan);
    }

    /// Changes of tables that nobody watches take effect at once.
    fn apply_silently(&mut self, plan: &Plan) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.retain(|&store| {
            if !plan.stores[store].silent {
                return true;
            }
            let next = &mut self.next[store];
            for &row in &next.doomed {
                self.stores[store].execute(row);
            }
            for position in 0..next.plus.len() {
                self.stores[store].insert(next.plus.get_mut(position));
            }
            next.doomed.clear();
            next.plus.clear();
            self.stores[store].commit(false);
            false
        });
        self.dirty = dirty;
    }
}

impl Next {
    fn is_empty(&self) -> bool {
        self.doomed.is_empty() && self.plus.is_empty() && self.standing.is_empty()
    }
}
