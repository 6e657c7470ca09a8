//! Deriving: the strata one after the other, then the rules that take effect later or elsewhere.

use std::hint::black_box;

use menard_value::Value;

use super::slide::is_above;
use super::{Arrived, State};
use crate::agenda::Task;
use crate::execute::{self, Rows, Scratch, Solution};
use crate::marks::Marks;
use crate::plan::{Driver, Emit, Pipeline, Plan, RulePlan, StoreKind, Stratum, Target};
use crate::store::{Store, Version};
use crate::tuples::{Row, Tuples};
use crate::{Counters, Inputs, Outputs};

/// A run with fewer rows than this is not worth fetching memory for.
pub(super) const WARM_ROWS: usize = 4;

impl State {
    pub(super) fn derive(&mut self, plan: &Plan, inputs: &Inputs, outputs: &mut Outputs) {
        let mut from = 0;
        // What a task changes calls for later ones only.
        while let Some(task) = self.agenda.next(from) {
            from = task + 1;
            match plan.tasks.list[task] {
                Task::Rule { stratum, rule } => self.rule(plan, &plan.strata[stratum].rules[rule], inputs, outputs),
                Task::Reinsert(table) => self.reinsert(plan, table),
                Task::Resolve(table) => self.resolve(plan, table),
                Task::Recursion(stratum) => self.recur(plan, &plan.strata[stratum], inputs, outputs),
                Task::Finish(rule) => self.rule(plan, &plan.finish[rule], inputs, outputs),
            }
        }
    }

    #[inline(never)]
    fn recur(&mut self, plan: &Plan, stratum: &Stratum, inputs: &Inputs, outputs: &mut Outputs) {
        while self.next_round(stratum) {
            for rule in &stratum.recursion {
                self.rule(plan, rule, inputs, outputs);
            }
        }
    }

    /// Lets what a store's facts call for be done, if this step has changed any.
    #[inline]
    pub(super) fn wake_if_touched(&mut self, plan: &Plan, store: usize) {
        if !self.stores[store].touched().is_empty() {
            self.wake(plan, store);
        }
    }

    /// Turns to the facts that the last round found; whether there are any.
    fn next_round(&mut self, stratum: &Stratum) -> bool {
        let mut found = false;
        for &store in &stratum.stores {
            self.fresh[store].clear();
            std::mem::swap(&mut self.fresh[store], &mut self.found[store]);
            found |= !self.fresh[store].is_empty();
        }
        found
    }

    /// Runs all pipelines of a rule.
    fn rule(&mut self, plan: &Plan, rule: &RulePlan, inputs: &Inputs, outputs: &mut Outputs) {
        let target = rule.target;
        let kind = self.kind(plan, target);
        for pipeline in &rule.pipelines {
            if !self.awake.includes(pipeline.wakes) || !self.is_driven(plan, pipeline) {
                continue;
            }
            for &(version, begins) in pipeline.passes {
                let before = self.scratch.solutions;
                self.run(&Run { plan, pipeline, target, kind, version, begins, inputs }, outputs);
                if begins && let (Some(fired), Some(rule)) = (&mut self.fired, rule.rule) {
                    fired[rule] += self.scratch.solutions - before;
                }
            }
        }
        if let Target::Aggregate(aggregate) = target
            && !self.groups[aggregate].is_settled()
        {
            self.flush(plan, aggregate);
        }
    }

    /// Whether there may be rows that drive a pipeline, and the events that it needs. Its stores are awake: where each has a mark of its own,
    /// that says it all.
    #[inline]
    fn is_driven(&self, plan: &Plan, pipeline: &Pipeline) -> bool {
        match pipeline.driver {
            Driver::First => !self.started,
            Driver::Fresh(store) => !self.fresh[store].is_empty(),
            Driver::Event(_) | Driver::Added(_) | Driver::Delta { .. } => {
                let mut stores = pipeline.driver.store().into_iter().chain(pipeline.needs.iter().copied());
                Marks::are_exact(plan.stores.len()) || stores.all(|store| self.has_changed(plan, store))
            }
        }
    }

    /// Whether an event happens in this step, or a store has changed.
    fn has_changed(&self, plan: &Plan, store: usize) -> bool {
        match plan.stores[store].passes {
            true => !self.arrived[store].messages.is_empty(),
            false => !self.stores[store].touched().is_empty(),
        }
    }

    // Functions that run pipelines are not inlined: in the loop of a rule the compiler would prepare for all of them what one of them needs.
    #[inline(never)]
    fn run(&mut self, run: &Run<'_>, outputs: &mut Outputs) {
        match run.target {
            Target::Insert(store) | Target::Count(store) if run.pipeline.reads_target => self.run_buffered(run, store),
            Target::Insert(store) | Target::Count(store) => self.run_into_store(run, store),
            Target::Aggregate(aggregate) => self.run_into_groups(run, aggregate),
            Target::Plus(store) | Target::Defer(store) => self.run_into_next(run, store),
            Target::Doom(store) => self.run_into_deletions(run, store),
            Target::Send { channel, held } => self.run_into_outputs(run, (channel, held), outputs),
        }
    }

    #[inline(never)]
    fn run_into_outputs(&mut self, run: &Run<'_>, channel: (u16, bool), outputs: &mut Outputs) {
        let State { outbox, seed, stores, arrived, fresh, scratch, counters, .. } = self;
        Reading { stores, arrived, fresh, scratch, counters }.execute(run, &mut |solution, counters| {
            outbox.send(run.plan, channel, solution, outputs, *seed, counters);
        });
    }

    /// For rules that do not read what they derive: solutions go straight into the store.
    #[inline(never)]
    fn run_into_store(&mut self, run: &Run<'_>, store: usize) {
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        let State { spare, found, stores, arrived, fresh, scratch, counters, .. } = self;
        let mut reading = Reading { stores, arrived, fresh, scratch, counters };
        if spare.is_large() {
            reading.warm(run, |solution| spare.warm(solution.values()));
        }
        reading.execute(run, &mut |solution, counters| {
            counters.rows_touched += 1;
            change(run.kind, spare, run.begins, solution.values(), &mut found[store]);
        });
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        self.wake_if_touched(run.plan, store);
    }

    /// For rules that read what they derive: solutions wait until all are found.
    #[inline(never)]
    fn run_buffered(&mut self, run: &Run<'_>, store: usize) {
        let mut derived = Tuples::new(run.plan.stores[store].arity);
        self.reading().execute(run, &mut |solution, _| derived.push(solution.tuple()));
        self.counters.rows_touched += derived.len() as u64;
        for tuple in derived.iter() {
            change(run.kind, &mut self.stores[store], run.begins, &Row::of(tuple), &mut self.found[store]);
        }
        self.wake_if_touched(run.plan, store);
    }

    #[inline(never)]
    fn run_into_groups(&mut self, run: &Run<'_>, aggregate: usize) {
        let plan = &run.plan.aggregates[aggregate];
        let State { groups, gathered, stores, arrived, fresh, scratch, counters, .. } = self;
        let groups = &mut groups[aggregate];
        let is_first = !plan.maintained && groups.is_empty();
        let mut reading = Reading { stores, arrived, fresh, scratch, counters };
        if plan.shared.is_none() && groups.is_large() {
            reading.warm(run, |solution| groups.warm(plan, solution));
        }
        reading.execute(run, &mut |solution, counters| {
            counters.rows_touched += 1;
            groups.change(plan, stores, solution, run.begins);
        });
        if is_first && !groups.is_empty() {
            gathered.push(aggregate);
        }
    }

    #[inline(never)]
    fn run_into_next(&mut self, run: &Run<'_>, store: usize) {
        let State { next, stores, arrived, fresh, scratch, counters, .. } = self;
        let plus = &mut next[store].plus;
        Reading { stores, arrived, fresh, scratch, counters }
            .execute(run, &mut |solution, _| plus.push(solution.tuple()));
        if !plus.is_empty() {
            self.mark_dirty(store);
        }
    }

    #[inline(never)]
    fn run_into_deletions(&mut self, run: &Run<'_>, table: usize) {
        let Emit::Row(level) = run.pipeline.emit else { unreachable!("a deletion emits rows") };
        let mut rows = std::mem::take(&mut self.rows);
        self.reading().execute(run, &mut |solution, _| rows.push(solution.row(level)));
        if !rows.is_empty() {
            self.mark_dirty(table);
        }
        for row in rows.drain(..) {
            if self.stores[table].doom(row) {
                self.next[table].doomed.push(row);
            }
        }
        self.rows = rows;
    }

    fn reading(&mut self) -> Reading<'_> {
        let State { stores, arrived, fresh, scratch, counters, .. } = self;
        Reading { stores, arrived, fresh, scratch, counters }
    }

    /// Gives the results of an aggregation to the relation that it derives.
    #[inline(never)]
    fn flush(&mut self, plan: &Plan, aggregate: usize) {
        let target = plan.aggregates[aggregate].target;
        let (Target::Insert(store) | Target::Count(store)) = target else {
            unreachable!("an aggregation derives a relation of this step")
        };
        let kind = self.kind(plan, target);
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        let State { groups, stores, spare, found, counters, .. } = self;
        groups[aggregate].flush(&plan.aggregates[aggregate], stores, |begins, fact| {
            counters.rows_touched += 1;
            change(kind, spare, begins, &fact.row(), &mut found[store]);
        });
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        self.wake_if_touched(plan, store);
    }

    /// Rows that were deleted at the beginning of the step and that a view puts into the table come back.
    #[inline(never)]
    fn reinsert(&mut self, plan: &Plan, table: usize) {
        let view = plan.stores[table].inserted_by.expect("only such tables are listed");
        for row in self.stores[table].touched().to_vec() {
            let store = &self.stores[table];
            if store.sees(Version::Removed, row) && self.holds(view, store.row(row)) {
                self.stores[table].revive(row);
                self.found[table].push(row);
            }
        }
    }
}

/// One pass of a pipeline.
struct Run<'a> {
    plan: &'a Plan,
    pipeline: &'a Pipeline,
    target: Target,
    kind: Kind,
    /// Which of its driver's rows it is for.
    version: Version,
    /// Whether solutions begin or cease to hold.
    begins: bool,
    inputs: &'a Inputs,
}

/// What a rule reads, and what it needs for that.
struct Reading<'a> {
    stores: &'a [Box<Store>],
    arrived: &'a [Arrived],
    fresh: &'a [Vec<u32>],
    scratch: &'a mut Scratch,
    counters: &'a mut Counters,
}

impl<'a> Reading<'a> {
    /// The rows that drive a pipeline.
    fn rows<'r>(&self, run: &Run<'r>) -> Rows<'r>
    where
        'a: 'r,
    {
        let Reading { stores, arrived, fresh, .. } = *self;
        match run.pipeline.driver {
            Driver::First => Rows::Once,
            Driver::Fresh(store) => Rows::Stored(&stores[store], &fresh[store], run.version),
            Driver::Event(store) if run.plan.stores[store].passes => {
                Rows::Arrived(run.inputs, &arrived[store].messages)
            }
            Driver::Event(store) | Driver::Added(store) | Driver::Delta { store, .. } => {
                Rows::Stored(&stores[store], stores[store].touched(), run.version)
            }
        }
    }

    fn execute(&mut self, run: &Run<'_>, sink: &mut dyn FnMut(&Solution<'_>, &mut Counters)) {
        let rows = self.rows(run);
        execute::run(run.pipeline, rows, self.stores, self.scratch, self.counters, sink);
    }

    /// Reads the places in a large store that the solutions belong to, one directly after the other: the cache misses of many rows
    /// overlap, where those of insertions would wait for each other. Is not counted, since nothing depends on it.
    fn warm(&mut self, run: &Run<'_>, place: impl Fn(&Solution<'_>) -> u64) {
        if self.rows(run).len() >= WARM_ROWS {
            let before = (*self.counters, self.scratch.solutions);
            let mut places = 0_u64;
            self.execute(run, &mut |solution, _| places = places.wrapping_add(place(solution)));
            black_box(places);
            (*self.counters, self.scratch.solutions) = before;
        }
    }
}

/// How a store changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Facts hold from now on.
    Set,
    /// Derivations are counted.
    Counted,
    /// Facts whose first value is above this hold from now on.
    Above(i64),
    /// Only changes are kept.
    Delta,
    /// The same, but nobody asks what ceases to hold.
    Begun,
}

impl State {
    fn kind(&self, plan: &Plan, target: Target) -> Kind {
        match target {
            Target::Count(store) if plan.stores[store].kind != StoreKind::Delta => Kind::Counted,
            Target::Count(store) if plan.stores[store].drives_removals => Kind::Delta,
            Target::Count(_) => Kind::Begun,
            Target::Insert(store) => self.floors[store].map_or(Kind::Set, Kind::Above),
            _ => Kind::Set,
        }
    }
}

/// A fact of a store begins or ceases to hold, or to have one more derivation.
#[inline]
fn change(kind: Kind, store: &mut Store, begins: bool, tuple: &[&Value], found: &mut Vec<u32>) {
    match (kind, begins) {
        (Kind::Set, true) => {
            found.extend(store.insert(tuple));
        }
        (Kind::Above(floor), true) => {
            if is_above(tuple[0], floor) {
                found.extend(store.insert(tuple));
            }
        }
        (Kind::Counted, true) => {
            store.increment(tuple);
        }
        (Kind::Counted, false) => {
            store.decrement(tuple);
        }
        (Kind::Delta | Kind::Begun, true) => store.append(tuple, Version::Added),
        (Kind::Delta, false) => store.append(tuple, Version::Removed),
        (Kind::Set | Kind::Above(_) | Kind::Begun, false) => {}
    }
}
