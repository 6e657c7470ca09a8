//! Deriving: the strata one after the other, then the rules that take effect later or elsewhere.

use std::hint::black_box;

use super::slide::is_above;
use super::{Arrived, State};
use crate::execute::{self, Rows, Scratch, Solution};
use crate::plan::{Driver, Emit, Pipeline, Plan, RulePlan, StoreKind, Stratum, Target};
use crate::store::{Store, Version};
use crate::tuples::{Tuple, Tuples};
use crate::{Counters, Inputs, Outputs};

/// A run with fewer rows than this is not worth fetching memory for.
pub(super) const WARM_ROWS: usize = 4;

impl State {
    pub(super) fn derive(&mut self, plan: &Plan, inputs: &Inputs, outputs: &mut Outputs) {
        for stratum in &plan.strata {
            self.stratum(plan, stratum, inputs, outputs);
        }
        for rule in &plan.finish {
            self.rule(plan, rule, inputs, outputs);
        }
    }

    fn stratum(&mut self, plan: &Plan, stratum: &Stratum, inputs: &Inputs, outputs: &mut Outputs) {
        if !self.awake.meets(stratum.wakes) && self.started {
            return;
        }
        for rule in &stratum.rules {
            self.rule(plan, rule, inputs, outputs);
        }
        for &table in &stratum.reinsert {
            self.reinsert(plan, table);
        }
        for &table in &stratum.resolve {
            self.resolve(plan, table);
        }
        if stratum.recursion.is_empty() {
            return;
        }
        while self.next_round(stratum) {
            for rule in &stratum.recursion {
                self.rule(plan, rule, inputs, outputs);
            }
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
        if !self.awake.meets(rule.wakes) && self.started {
            return;
        }
        for pipeline in &rule.pipelines {
            if !self.awake.includes(pipeline.wakes)
                || self.has_no_rows(pipeline)
                || pipeline.needs.iter().any(|&store| self.is_quiet(plan, store))
            {
                continue;
            }
            for &(version, begins) in self.passes(pipeline, rule.target) {
                let kind = self.kind(plan, rule.target);
                let run = Run { plan, pipeline, target: rule.target, kind, version, begins, inputs };
                let before = self.scratch.solutions;
                self.run(&run, outputs);
                if begins && let (Some(fired), Some(rule)) = (&mut self.fired, rule.rule) {
                    fired[rule] += self.scratch.solutions - before;
                }
            }
        }
        if let Target::Aggregate(aggregate) = rule.target {
            self.flush(plan, aggregate);
        }
    }

    /// Whether it is seen at once that nothing drives a pipeline: most steps leave most stores alone. Events are among its needs.
    fn has_no_rows(&self, pipeline: &Pipeline) -> bool {
        match pipeline.driver {
            Driver::Added(store) | Driver::Delta { store, .. } => self.stores[store].touched().is_empty(),
            Driver::Fresh(store) => self.fresh[store].is_empty(),
            Driver::First | Driver::Event(_) => false,
        }
    }

    /// Whether an event does not happen in this step.
    fn is_quiet(&self, plan: &Plan, store: usize) -> bool {
        if plan.stores[store].passes {
            self.arrived[store].messages.is_empty()
        } else {
            self.stores[store].touched().is_empty()
        }
    }

    /// The versions of its driver for which a pipeline runs, and whether solutions begin or cease to hold then.
    fn passes(&self, pipeline: &Pipeline, target: Target) -> &'static [(Version, bool)] {
        let counts = matches!(target, Target::Count(_) | Target::Aggregate(_));
        match pipeline.driver {
            Driver::First if self.started => &[],
            Driver::First | Driver::Event(_) | Driver::Fresh(_) => &[(Version::New, true)],
            Driver::Added(_) => &[(Version::Added, true)],
            Driver::Delta { negated: false, .. } if counts => &[(Version::Removed, false), (Version::Added, true)],
            Driver::Delta { negated: true, .. } if counts => &[(Version::Added, false), (Version::Removed, true)],
            Driver::Delta { negated: false, .. } => &[(Version::Added, true)],
            Driver::Delta { negated: true, .. } => &[(Version::Removed, true)],
        }
    }

    fn run(&mut self, run: &Run<'_>, outputs: &mut Outputs) {
        if self.reading().rows(run).len() == 0 {
            return;
        }
        match run.target {
            Target::Insert(store) | Target::Count(store) if run.pipeline.reads_target => self.run_buffered(run, store),
            Target::Insert(store) | Target::Count(store) => self.run_into_store(run, store),
            Target::Aggregate(aggregate) => self.run_into_groups(run, aggregate),
            Target::Plus(store) | Target::Defer(store) => self.run_into_next(run, store),
            Target::Doom(store) => self.run_into_deletions(run, store),
            Target::Send { channel, held } => {
                let State { outbox, seed, stores, arrived, fresh, scratch, counters, .. } = self;
                Reading { stores, arrived, fresh, scratch, counters }.execute(run, &mut |solution, counters| {
                    outbox.send(run.plan, (channel, held), solution, outputs, *seed, counters);
                });
            }
        }
    }

    /// For rules that do not read what they derive: solutions go straight into the store.
    fn run_into_store(&mut self, run: &Run<'_>, store: usize) {
        self.awake.add(store);
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        let State { spare, found, stores, arrived, fresh, scratch, counters, .. } = self;
        let mut reading = Reading { stores, arrived, fresh, scratch, counters };
        if spare.is_large() {
            reading.warm(run, |solution| spare.warm(solution));
        }
        reading.execute(run, &mut |solution, counters| {
            counters.rows_touched += 1;
            change(run.kind, spare, run.begins, solution, &mut found[store]);
        });
        std::mem::swap(&mut self.stores[store], &mut self.spare);
    }

    /// For rules that read what they derive: solutions wait until all are found.
    fn run_buffered(&mut self, run: &Run<'_>, store: usize) {
        self.awake.add(store);
        let mut derived = Tuples::new(run.plan.stores[store].arity);
        self.reading().execute(run, &mut |solution, _| derived.push(solution.tuple()));
        self.counters.rows_touched += derived.len() as u64;
        for tuple in derived.iter() {
            change(run.kind, &mut self.stores[store], run.begins, tuple, &mut self.found[store]);
        }
    }

    fn run_into_groups(&mut self, run: &Run<'_>, aggregate: usize) {
        let plan = &run.plan.aggregates[aggregate];
        let State { groups, stores, arrived, fresh, scratch, counters, .. } = self;
        let groups = &mut groups[aggregate];
        let mut reading = Reading { stores, arrived, fresh, scratch, counters };
        if plan.shared.is_none() && groups.is_large() {
            reading.warm(run, |solution| groups.warm(plan, solution));
        }
        reading.execute(run, &mut |solution, counters| {
            counters.rows_touched += 1;
            groups.change(plan, stores, solution, run.begins);
        });
    }

    fn run_into_next(&mut self, run: &Run<'_>, store: usize) {
        let State { next, stores, arrived, fresh, scratch, counters, .. } = self;
        let plus = &mut next[store].plus;
        Reading { stores, arrived, fresh, scratch, counters }
            .execute(run, &mut |solution, _| plus.push(solution.tuple()));
        if !plus.is_empty() {
            self.mark_dirty(store);
        }
    }

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
    fn flush(&mut self, plan: &Plan, aggregate: usize) {
        let target = plan.aggregates[aggregate].target;
        let (Target::Insert(store) | Target::Count(store)) = target else {
            unreachable!("an aggregation derives a relation of this step")
        };
        if self.groups[aggregate].is_settled() {
            return;
        }
        self.awake.add(store);
        let kind = self.kind(plan, target);
        std::mem::swap(&mut self.stores[store], &mut self.spare);
        let State { groups, stores, spare, found, counters, .. } = self;
        groups[aggregate].flush(&plan.aggregates[aggregate], stores, |begins, fact| {
            counters.rows_touched += 1;
            change(kind, spare, begins, &fact, &mut found[store]);
        });
        std::mem::swap(&mut self.stores[store], &mut self.spare);
    }

    /// Rows that were deleted at the beginning of the step and that a view puts into the table come back.
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
fn change(kind: Kind, store: &mut Store, begins: bool, tuple: &(impl Tuple + ?Sized), found: &mut Vec<u32>) {
    match (kind, begins) {
        (Kind::Set, true) => {
            found.extend(store.insert(tuple));
        }
        (Kind::Above(floor), true) => {
            if is_above(tuple.get(0), floor) {
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
