//! Keyed tables and windows: what stays of what is derived for them, and why something is not there.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Keyed, Name, Policy, Relation, Storage};

use super::chronicle::{Chronicle, place};
use super::matching::Row;
use super::query::{Pattern, matches};
use super::reason::Reason;
use super::rounds::{Rows, Step, Stepper};

impl Stepper<'_> {
    pub(super) fn is_keyed(&self, name: &str) -> bool {
        self.storage(name).is_some_and(|storage| storage.key.is_some())
    }

    fn storage(&self, name: &str) -> Option<&Storage> {
        self.component.relation(name).map(|relation| &relation.storage)
    }

    /// Whether a row may be in a window with this bound; in other tables any row may be.
    pub(super) fn is_above(&self, name: &str, row: &Row, bounds: &Rows) -> bool {
        let low = self.storage(name).and_then(|storage| bounds.get(storage.above.as_ref()?));
        low.is_none_or(|low| low.iter().all(|low| row.first() > low.first()))
    }

    /// Decides for the keyed tables that no rule of the step itself fills.
    pub(super) fn choose_deferred(&self, step: &mut Step) {
        let filled: BTreeSet<&Name> = self.component.strata.iter().flatten().collect();
        for relation in self.component.relations.iter().filter(|relation| !filled.contains(&relation.name)) {
            if relation.storage.key.is_some() {
                self.choose(&relation.name, step);
            }
        }
    }

    /// Decides which fact each key of a keyed table has in this step, of the one that was there and the candidates.
    pub(super) fn choose(&self, name: &Name, step: &mut Step) {
        let Some(Keyed { columns, policy }) = self.storage(name).and_then(|storage| storage.key) else { return };
        let Some(candidates) = step.candidates.get_mut(name) else { return };
        let (above, refused): (BTreeMap<Row, u32>, BTreeMap<Row, u32>) =
            std::mem::take(candidates).into_iter().partition(|(row, _)| self.is_above(name, row, &step.before));
        *candidates = above;
        if !refused.is_empty() {
            step.refused.entry(name.clone()).or_default().extend(refused.into_keys());
        }
        let facts = step.facts.entry(name.clone()).or_default();
        for (row, round) in candidates.iter() {
            let same_key = |other: &&Row| other[..columns] == row[..columns];
            let Some(holder) = facts.keys().find(same_key).cloned() else {
                facts.insert(row.clone(), *round);
                continue;
            };
            let is_first = || candidates.keys().find(same_key) == Some(row);
            let replaces = match policy {
                Policy::First => false,
                Policy::Max => *row > holder,
                Policy::Replace => *row != holder && is_first(),
            };
            if replaces {
                facts.remove(&holder);
                facts.insert(row.clone(), *round);
            }
        }
    }

    /// Lets go what is not above the bounds of windows when the step ends.
    pub(super) fn slide(&self, step: &mut Step) {
        let now = |name: &Name| step.facts.get(name).map(|rows| rows.keys().cloned().collect());
        let bounds = self.component.relations.iter().filter_map(|relation| relation.storage.above.as_ref());
        let bounds: Rows = bounds.filter_map(|low| Some((low.clone(), now(low)?))).collect();
        for (name, table) in &mut step.after {
            let (stays, leaves): (BTreeSet<Row>, BTreeSet<Row>) =
                std::mem::take(table).into_iter().partition(|row| self.is_above(name, row, &bounds));
            *table = stays;
            if !leaves.is_empty() {
                step.slid.insert(name.clone(), leaves);
            }
        }
    }
}

/// What keeps facts out of a keyed table or a window, or took them out of it, as far as it is not a deletion.
pub(super) fn kept_out(chronicle: &Chronicle<'_>, event: usize, relation: &Name, pattern: &Pattern) -> Vec<Reason> {
    let component = place(&chronicle.moments[event].event).and_then(|at| chronicle.component(at));
    let Some(relation) = component.and_then(|component| component.relation(relation)) else { return Vec::new() };
    let told = [left(chronicle, event, relation, pattern), lost(chronicle, event, relation, pattern)];
    told.into_iter().flatten().map(Reason::leaf).collect()
}

/// A fact that was there, and what became of it.
fn left(chronicle: &Chronicle<'_>, event: usize, relation: &Relation, pattern: &Pattern) -> Option<String> {
    let name = &relation.name;
    let mut now = event;
    loop {
        let (step, label) = (chronicle.step(now)?, chronicle.label(now));
        let of = |rows: &Rows| rows.get(name).into_iter().flatten().find(|row| matches(pattern, row)).cloned();
        let holds = |row: &Row| step.facts.get(name).is_some_and(|rows| rows.contains_key(row));
        if let Some(row) = of(&step.before).filter(|row| !holds(row)) {
            let winner = holder(step, relation, &row).map(|winner| chronicle.fact(name, winner)).unwrap_or_default();
            return Some(format!("{} was replaced by {winner} in event {label}", chronicle.fact(name, &row)));
        }
        if now != event
            && let Some(row) = of(&step.slid)
        {
            let bound = bound(chronicle, step, relation);
            return Some(format!("{} left the window in event {label}: {bound}", chronicle.fact(name, &row)));
        }
        now = step.previous?;
    }
}

/// A candidate of this step that is not there.
fn lost(chronicle: &Chronicle<'_>, event: usize, relation: &Relation, pattern: &Pattern) -> Option<String> {
    let (step, name, label) = (chronicle.step(event)?, &relation.name, chronicle.label(event));
    let is_it = |row: &&Row| matches(pattern, row);
    if let Some(row) = step.refused.get(name).into_iter().flatten().find(is_it) {
        let low = relation.storage.above.as_ref().and_then(|low| Some((low, step.before.get(low)?.first()?)));
        let low = low.map(|(low, row)| chronicle.fact(low, row)).unwrap_or_default();
        return Some(format!("{} is not above {low}, which held before event {label}", chronicle.fact(name, row)));
    }
    let row = step.candidates.get(name).into_iter().flat_map(BTreeMap::keys).find(is_it)?;
    let winner = holder(step, relation, row)?;
    let why = match relation.storage.key?.policy {
        Policy::First if step.before.get(name).is_some_and(|rows| rows.contains(winner)) => "was there first",
        Policy::First | Policy::Replace => "is the least candidate",
        Policy::Max => "is greater",
    };
    let (row, winner) = (chronicle.fact(name, row), chronicle.fact(name, winner));
    Some(format!("{row} is derived in event {label}, but {winner} {why}"))
}

/// The fact that has the key of a row.
fn holder<'s>(step: &'s Step, relation: &Relation, row: &Row) -> Option<&'s Row> {
    let columns = relation.storage.key?.columns;
    step.facts.get(&relation.name)?.keys().find(|other| other[..columns] == row[..columns])
}

/// The bound that a step leaves.
fn bound(chronicle: &Chronicle<'_>, step: &Step, relation: &Relation) -> String {
    let low = relation.storage.above.as_ref();
    let row = low.and_then(|low| Some((low, step.facts.get(low)?.keys().next()?)));
    row.map(|(low, row)| format!("{} holds", chronicle.fact(low, row))).unwrap_or_default()
}
