//! Windows: tables that hold nothing at or below a bound, which rises.
//!
//! Within a step the bound is what it was at the beginning: nothing in the step depends on what the step makes of it. At the end, the facts
//! that are not above the new bound leave, like deleted ones. They are found by the values of their first column between the
//! old bound and the new, or by looking at all facts where these are fewer.

use std::hint::black_box;

use menard_value::Value;

use super::State;
use super::derive::WARM_ROWS;
use crate::plan::{Plan, WindowPlan};
use crate::store::Version;

/// Whether the first value of a fact is above a bound.
#[inline]
pub(super) fn is_above(value: &Value, floor: i64) -> bool {
    value.as_int().is_some_and(|value| value > floor)
}

impl State {
    /// Takes the new bounds and dooms what is not above them.
    pub(super) fn slide(&mut self, plan: &Plan) {
        for window in &plan.windows {
            let floor = self.bound(plan, window);
            let before = std::mem::replace(&mut self.floors[window.table], floor);
            let Some(floor) = floor.filter(|_| before != floor) else { continue };
            let mut rows = std::mem::take(&mut self.rows);
            self.find_below(window, before, floor, &mut rows);
            if !rows.is_empty() {
                self.mark_dirty(window.table);
            }
            for row in rows.drain(..) {
                if self.stores[window.table].doom(row) {
                    self.next[window.table].doomed.push(row);
                }
            }
            self.rows = rows;
        }
    }

    /// The value of the register that bounds a window.
    pub(super) fn bound(&self, plan: &Plan, window: &WindowPlan) -> Option<i64> {
        let low = &self.stores[window.low];
        let keyed = plan.stores[window.low].keyed.expect("a checked window is bounded by a keyed table");
        let row = low.find_by_index(keyed.index, std::iter::empty())?;
        low.row(row)[0].as_int()
    }

    /// The rows of a window above the old bound and not above the new one.
    #[inline(never)]
    fn find_below(&mut self, window: &WindowPlan, before: Option<i64>, floor: i64, rows: &mut Vec<u32>) {
        let store = &self.stores[window.table];
        let used = store.used() as u64;
        match before.filter(|before| floor.abs_diff(*before) <= used) {
            Some(before) => {
                if store.is_large() && floor - before >= WARM_ROWS as i64 {
                    let places = (before + 1..=floor).map(|first| store.warm_index(window.index, &[Value::Int(first)]));
                    black_box(places.fold(0, u64::wrapping_add));
                }
                for first in before + 1..=floor {
                    self.counters.probes += 1;
                    let first = Value::Int(first);
                    let found = store.rows_by_index(window.index, std::iter::once(&first));
                    rows.extend(found.filter(|&row| store.sees(Version::New, row)));
                }
            }
            None => {
                self.counters.rows_touched += used;
                let below = |&row: &u32| !is_above(&store.row(row)[0], floor);
                rows.extend(store.rows(Version::New).filter(below));
            }
        }
    }
}
