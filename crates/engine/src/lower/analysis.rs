//! What can be said only of a whole plan: which views need no rows, and what changes of tables can lead to.

use crate::agenda::Tasks;
use crate::plan::{Driver, Operand, Path, Pipeline, Plan, RulePlan, SharedIndex, StoreKind, Target};
use crate::store::Version;

/// Completes a plan whose rules are all there.
pub(super) fn complete(plan: &mut Plan) {
    find_deltas(plan);
    find_reactions(plan);
    find_silent(plan);
    find_passing(plan);
    find_scanned(plan);
    share_indexes(plan);
    plan.tasks = Tasks::of(plan);
}

fn rules(plan: &Plan) -> impl Iterator<Item = &RulePlan> {
    let strata = plan.strata.iter().flat_map(|stratum| stratum.rules.iter().chain(&stratum.recursion));
    strata.chain(&plan.finish)
}

/// A view that is the result of one aggregation and that no join looks into is kept by its groups alone. Violations are
/// kept, since they are asked for by name.
fn find_deltas(plan: &mut Plan) {
    for store in 0..plan.stores.len() {
        let view = &plan.stores[store];
        let aggregations = plan.aggregates.iter().filter(|aggregate| aggregate.target == Target::Count(store)).count();
        let is_delta = view.kind == StoreKind::View
            && view.counted
            && !view.hidden
            && !view.name.starts_with("violation")
            && aggregations == 1
            && !rules(plan).any(|rule| rule.target == Target::Count(store))
            && !rules(plan)
                .flat_map(|rule| &rule.pipelines)
                .flat_map(Pipeline::accesses)
                .any(|access| access.store == store);
        if is_delta {
            plan.stores[store].kind = StoreKind::Delta;
            plan.stores[store].counted = false;
        }
    }
}

/// Finds the stores whose changes make a difference to a rule in a step without input: it follows them, or it asks what is new.
///
/// A deletion makes a difference to who asks what is new: what comes back after a step without it is new, what comes back at once is not.
fn find_reactions(plan: &mut Plan) {
    let mut found = Vec::new();
    for pipeline in rules(plan).flat_map(|rule| &rule.pipelines) {
        let asks_for_new = pipeline.accesses().filter(|access| access.version == Version::Added);
        found.extend(asks_for_new.map(|access| access.store));
        match pipeline.driver {
            Driver::Added(store) | Driver::Delta { store, .. } => found.push(store),
            Driver::First | Driver::Event(_) | Driver::Fresh(_) => {}
        }
    }
    for store in found {
        plan.stores[store].has_reactions = true;
    }
}

/// Finds the tables whose changes drive nothing and of which no reader asks what it held before.
fn find_silent(plan: &mut Plan) {
    for store in 0..plan.stores.len() {
        let watched = rules(plan).flat_map(|rule| &rule.pipelines).any(|pipeline| {
            let drives = match pipeline.driver {
                Driver::Added(driving) | Driver::Delta { store: driving, .. } => driving == store,
                Driver::First | Driver::Event(_) | Driver::Fresh(_) => false,
            };
            drives || pipeline.accesses().any(|access| access.store == store && access.version != Version::New)
        });
        let table = &mut plan.stores[store];
        table.silent = table.kind == StoreKind::Table && table.inserted_by.is_none() && !watched;
    }
}

/// Finds the channels whose messages rules can read where they arrived, and what has to be known of removals.
fn find_passing(plan: &mut Plan) {
    for store in 0..plan.stores.len() {
        let mut probed = false;
        let mut distinct = false;
        let mut drives_removals = false;
        for rule in rules(plan) {
            for pipeline in &rule.pipelines {
                probed |= pipeline.accesses().any(|access| access.store == store);
                let sends_once =
                    |channel: u16| plan.sent[usize::from(channel)].as_ref().is_some_and(|send| !send.repeats);
                let is_sensitive = match rule.target {
                    Target::Send { channel, .. } => sends_once(channel),
                    Target::Aggregate(_) => true,
                    _ => false,
                };
                distinct |= is_sensitive && pipeline.driver == Driver::Event(store);
                drives_removals |= matches!(pipeline.driver, Driver::Delta { store: driving, .. } if driving == store);
            }
        }
        let is_channel = plan.received.contains(&Some(store));
        let store = &mut plan.stores[store];
        store.passes = is_channel && !probed;
        store.distinct = distinct;
        store.drives_removals = drives_removals;
    }
}

/// Finds the stores that keep a list of their rows, windows among them: a bound may rise by more than there are rows. Events need none: their rows are next to each other anyway.
fn find_scanned(plan: &mut Plan) {
    for store in 0..plan.stores.len() {
        let by_rule = rules(plan)
            .flat_map(|rule| &rule.pipelines)
            .flat_map(Pipeline::accesses)
            .any(|access| access.store == store && matches!(access.path, Path::Scan));
        let store = &mut plan.stores[store];
        let scanned = by_rule || store.bounded;
        store.scanned = scanned && matches!(store.kind, StoreKind::Table | StoreKind::View);
    }
}

/// An aggregation over one relation that groups by the columns of an index has no need to look for groups.
fn share_indexes(plan: &mut Plan) {
    for aggregate in 0..plan.aggregates.len() {
        let group = plan.aggregates[aggregate].group;
        let rule = rules(plan).find(|rule| rule.target == Target::Aggregate(aggregate));
        plan.aggregates[aggregate].shared = rule.and_then(|rule| shared_index(plan, rule, group));
    }
}

fn shared_index(plan: &Plan, rule: &RulePlan, group: usize) -> Option<SharedIndex> {
    let [pipeline] = &rule.pipelines[..] else { return None };
    let Driver::Delta { store, negated: false } = pipeline.driver else { return None };
    let column = |operand: &Operand| match operand {
        Operand::Column { level: 0, column } => Some(*column),
        _ => None,
    };
    let columns: Vec<usize> = pipeline.emit.tuple()[..group].iter().map(column).collect::<Option<_>>()?;
    let mut sorted: Vec<u16> = columns.iter().map(|&column| u16::try_from(column).expect("few columns")).collect();
    sorted.sort_unstable();
    let index = plan.stores[store].indexes.iter().position(|indexed| *indexed == sorted)?;
    Some(SharedIndex { store, index, columns })
}
