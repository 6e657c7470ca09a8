//! The state of a node, and the phases of a step.
//!
//! What the step before left takes effect ([`begin`]); the strata are derived one after the other and then the rules run that take
//! effect later or elsewhere ([`derive`]), with keyed tables resolved when their candidates are complete ([`resolve`]); windows slide
//! ([`slide`]); what all that says about the next step is netted ([`settle`]) and, of durable tables,
//! reported ([`durable`]); the new version of all stores becomes the only one.

mod begin;
mod derive;
mod durable;
mod resolve;
mod settle;
mod slide;

use menard_value::Value;

use crate::agenda::Agenda;
use crate::aggregate::Groups;
use crate::execute::Scratch;
use crate::hash::Seed;
use crate::marks::Marks;
use crate::outbox::Outbox;
use crate::plan::{Plan, StoreKind, StorePlan};
use crate::store::{RowTable, Store, Version};
use crate::tuples::{Row, Tuples};
use crate::{Counters, Inputs, Outputs};

/// All that a node has besides its plan.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) seed: Seed,
    pub(crate) started: bool,
    /// Boxed, so that the store that a rule derives can be taken out while the rule reads the others.
    #[expect(clippy::vec_box, reason = "stores are swapped")]
    pub(crate) stores: Vec<Box<Store>>,
    /// What stands in for a store that is taken out.
    spare: Box<Store>,
    /// For each store, what happens to it at the beginning of the next step.
    pub(crate) next: Vec<Next>,
    /// The stores with something in `next`.
    dirty: Vec<usize>,
    /// The stores that this step has changed so far, and those whose messages it takes.
    awake: Marks,
    /// The stores with anything that a new node's do not have.
    used: Marks,
    /// The stores that the last step has changed.
    pub(crate) changed: Marks,
    /// What the changes of this step call for.
    agenda: Agenda,
    /// For each store of a channel that only drives rules, the messages of this step.
    arrived: Vec<Arrived>,
    pub(crate) groups: Vec<Groups>,
    /// The aggregations over events that have groups in this step.
    gathered: Vec<usize>,
    outbox: Outbox,
    scratch: Scratch,
    /// Rows that a delete rule found, or that compete for keys.
    rows: Vec<u32>,
    /// For each key that rows compete for, the row that has it.
    holders: Vec<Option<u32>>,
    /// For each store of a recursive stratum, the facts that the current round looks at.
    fresh: Vec<Vec<u32>>,
    /// For each store, the facts that were found in this step since then.
    found: Vec<Vec<u32>>,
    /// For each store, if it is a window, the bound: there is no fact at or below it at the beginning of a step.
    floors: Vec<Option<i64>>,
    pub(crate) counters: Counters,
    /// For each rule of the component, how many of its solutions began to hold; if they are counted.
    pub(crate) fired: Option<Vec<u64>>,
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

/// The messages of a step on one channel, by their positions in the inputs.
#[derive(Clone, Debug, Default)]
struct Arrived {
    messages: Vec<u32>,
    /// Those of them that have been seen, where that matters.
    seen: RowTable,
}

impl State {
    pub(crate) fn new(plan: &Plan, me: menard_value::Node, seed: Seed) -> Self {
        let next = |store: &StorePlan| Next { plus: Tuples::new(store.arity), ..Next::default() };
        let mut scratch = Scratch::default();
        scratch.registers.resize(plan.registers, Value::Bool(false));
        scratch.registers[0] = Value::Node(me);
        State {
            seed,
            started: false,
            stores: plan.stores.iter().map(|store| Box::new(new_store(store, seed))).collect(),
            spare: Box::new(Store::new(0, false, &[], seed)),
            next: plan.stores.iter().map(next).collect(),
            dirty: Vec::new(),
            awake: Marks::default(),
            used: Marks::default(),
            changed: Marks::default(),
            agenda: Agenda::default(),
            arrived: plan.stores.iter().map(|_| Arrived::default()).collect(),
            groups: plan.aggregates.iter().map(|aggregate| Groups::new(aggregate, seed)).collect(),
            gathered: Vec::new(),
            outbox: Outbox::default(),
            scratch,
            rows: Vec::new(),
            holders: Vec::new(),
            fresh: vec![Vec::new(); plan.stores.len()],
            found: vec![Vec::new(); plan.stores.len()],
            floors: vec![None; plan.stores.len()],
            counters: Counters::default(),
            fired: None,
        }
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn reset(&mut self, plan: &Plan) {
        self.started = false;
        let used = std::mem::take(&mut self.used);
        used.each(plan.stores.len(), |store| self.reset_store(store, &plan.stores[store].kind));
        self.dirty.clear();
        self.awake = Marks::default();
        self.changed = Marks::default();
        self.agenda.clear();
        self.groups.iter_mut().for_each(Groups::clear);
        self.floors.fill(None);
        self.counters = Counters::default();
    }

    fn reset_store(&mut self, position: usize, kind: &StoreKind) {
        // The nodes of a role stay.
        if !matches!(kind, StoreKind::Role { .. }) {
            self.stores[position].clear();
        }
        let next = &mut self.next[position];
        next.plus.clear();
        next.doomed.clear();
        next.standing.clear();
    }

    pub(crate) fn step(&mut self, plan: &Plan, inputs: &Inputs, outputs: &mut Outputs) {
        self.counters.steps += 1;
        self.begin(plan);
        self.take(plan, inputs);
        self.derive(plan, inputs, outputs);
        self.delete_again(plan);
        self.slide(plan);
        self.started = true;
        // Most steps leave nothing to the next one.
        outputs.pending = !self.dirty.is_empty() && self.settle(plan);
        self.report(plan, outputs);
        self.commit(plan);
        if !self.dirty.is_empty() {
            self.apply_silently(plan);
        }
    }

    /// Whether a fact holds in this step.
    pub(crate) fn holds(&self, store: usize, tuple: &[Value]) -> bool {
        let store = &self.stores[store];
        store.find(&Row::of(tuple)).is_some_and(|row| store.sees(Version::New, row))
    }

    /// Says that a store has changed in this step.
    #[inline]
    fn wake(&mut self, plan: &Plan, store: usize) {
        self.awake.add(store);
        self.used.add(store);
        self.agenda.wake(&plan.tasks, store);
    }

    fn mark_dirty(&mut self, store: usize) {
        self.used.add(store);
        if !self.dirty.contains(&store) {
            self.dirty.push(store);
        }
    }

    /// Makes what holds now what held before.
    fn commit(&mut self, plan: &Plan) {
        let changed = std::mem::take(&mut self.awake);
        self.changed = changed;
        changed.each(plan.stores.len(), |store| self.commit_store(store, &plan.stores[store].kind));
        for aggregate in self.gathered.drain(..) {
            self.groups[aggregate].clear();
        }
        self.outbox.clear();
        self.agenda.clear();
    }

    fn commit_store(&mut self, position: usize, kind: &StoreKind) {
        let arrived = &mut self.arrived[position];
        if !arrived.messages.is_empty() {
            arrived.messages.clear();
            arrived.seen.clear();
        }
        let store = &mut self.stores[position];
        if store.touched().is_empty() {
            return;
        }
        match kind {
            StoreKind::Event => store.clear(),
            StoreKind::Delta => store.commit(true),
            StoreKind::Table | StoreKind::View | StoreKind::Role { .. } => store.commit(false),
        }
        self.fresh[position].clear();
        self.found[position].clear();
    }
}

fn new_store(plan: &StorePlan, seed: Seed) -> Store {
    let mut store = Store::new(plan.arity, plan.counted, &plan.indexes, seed);
    if plan.scanned {
        store = store.scanned();
    }
    fill(&mut store, plan);
    store
}

/// The nodes of a role are there from the beginning.
fn fill(store: &mut Store, plan: &StorePlan) {
    if let StoreKind::Role { role, nodes } = plan.kind {
        for index in 0..nodes {
            store.insert(&[&Value::node(role, index)]);
        }
        store.commit(false);
    }
}
