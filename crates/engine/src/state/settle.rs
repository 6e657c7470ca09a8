//! The end of a step: what happens at the beginning of the next one, netted.

use super::slide::is_above;
use super::{Next, State};
use crate::plan::{Plan, StoreKind};
use crate::store::{Store, Version};
use crate::tuples::Row;

impl State {
    /// Rows that the step before deleted, that are there nevertheless, and that a state-only rule deletes still.
    pub(super) fn delete_again(&mut self, plan: &Plan) {
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

    /// Leaves in `next` what changes something, and says whether that calls for another step.
    #[inline(never)]
    pub(super) fn settle(&mut self, plan: &Plan) -> bool {
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

    #[inline(never)]
    fn settle_table(&mut self, plan: &Plan, table: usize) -> bool {
        let table_plan = &plan.stores[table];
        let mut next = std::mem::take(&mut self.next[table]);
        next.standing.clear();
        if let Some(floor) = self.floors[table] {
            next.plus.retain(|tuple| is_above(&tuple[0], floor));
        }
        let beaten = self.insertions_beat_deletions(plan, table, &mut next);
        if let Some(view) = table_plan.kept_by {
            for &row in &next.doomed {
                if self.stores[table].is_doomed(row) && self.holds(view, self.stores[table].row(row)) {
                    self.stores[table].spare(row);
                    next.standing.push(row);
                }
            }
        }
        next.doomed.retain(|&row| self.stores[table].is_doomed(row));
        let holds =
            |view: Option<usize>, row: u32| view.is_some_and(|view| self.holds(view, self.stores[table].row(row)));
        // What state inserts again in the next step will be there as it was, but in that step only if it is soon enough: what the
        // state depends on may change with the next messages. What state deletes as well is never there between steps.
        let comes_back = |&row: &u32| holds(table_plan.inserted_by, row);
        let returns_to_stay = |row: &u32| comes_back(row) && !holds(table_plan.deleted_by, *row);
        let returns = next.doomed.iter().any(returns_to_stay);
        let changes = !next.plus.is_empty() || !next.doomed.iter().all(comes_back);
        let pending = beaten || returns || table_plan.has_reactions && changes;
        self.next[table] = next;
        pending
    }

    /// Drops insertions of what is there; rows that they would bring back stay. Whether a deletion that was beaten so, being for as
    /// long as some state holds, will succeed in the next step.
    fn insertions_beat_deletions(&mut self, plan: &Plan, table: usize, next: &mut Next) -> bool {
        let Next { plus, standing, .. } = next;
        let table_plan = &plan.stores[table];
        let mut beaten = false;
        plus.retain(|tuple| {
            let row = self.stores[table].find(&Row::of(tuple));
            let Some(row) = row.filter(|&row| self.stores[table].sees(Version::New, row)) else { return true };
            if self.stores[table].spare(row)
                && let Some(view) = table_plan.deleted_by
            {
                standing.push(row);
                let kept = table_plan.kept_by.is_some_and(|view| self.holds(view, tuple));
                beaten |= !kept && self.holds(view, tuple);
            }
            false
        });
        beaten
    }

    /// Changes of tables that nobody watches take effect at once.
    #[inline(never)]
    pub(super) fn apply_silently(&mut self, plan: &Plan) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.retain(|&store| {
            if !plan.stores[store].silent {
                return true;
            }
            let next = &mut self.next[store];
            next.apply(&mut self.stores[store], plan.stores[store].durable);
            next.doomed.clear();
            next.plus.clear();
            self.stores[store].commit(false);
            false
        });
        self.dirty = dirty;
    }
}

impl Next {
    /// Changes the store. What joins a durable table was reported when that was decided.
    pub(super) fn apply(&self, store: &mut Store, durable: bool) {
        for &row in &self.doomed {
            store.execute(row);
        }
        for tuple in self.plus.iter() {
            let row = store.insert(&Row::of(tuple));
            if let Some(row) = row.filter(|_| durable) {
                store.set_recorded(row);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.doomed.is_empty() && self.plus.is_empty() && self.standing.is_empty()
    }
}
