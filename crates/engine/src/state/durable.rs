//! Durable tables: what a step changed of them is reported, and a node that starts again gets their facts back.

use menard_value::Value;

use super::State;
use super::slide::is_above;
use crate::Outputs;
use crate::plan::Plan;
use crate::store::Version;
use crate::tuples::Row;

impl State {
    /// Reports how durable tables at the beginning of the next step differ from what they were at the beginning of this one.
    pub(super) fn report(&mut self, plan: &Plan, outputs: &mut Outputs) {
        for (number, &table) in (0..).zip(&plan.durable) {
            let (store, next) = (&mut self.stores[table], &self.next[table]);
            for position in 0..store.touched().len() + next.doomed.len() {
                let touched = store.touched().get(position).copied();
                let row = touched.unwrap_or_else(|| next.doomed[position - store.touched().len()]);
                if let Some(begins) = store.record(row) {
                    outputs.push_change(number, begins, store.row(row));
                }
            }
            let mut joining: Vec<&[Value]> = next.plus.iter().collect();
            joining.sort_unstable();
            joining.dedup();
            joining.into_iter().for_each(|fact| outputs.push_change(number, true, fact));
        }
    }

    /// Puts a fact into a durable table before the first step, as if the step before had inserted it; whether it was not there.
    pub(crate) fn recover(&mut self, plan: &Plan, table: usize, fact: &[Value]) -> bool {
        if let Some(keyed) = plan.stores[table].keyed
            && self.stores[table].find_by_index(keyed.index, fact[..keyed.columns].iter()).is_some()
        {
            return false;
        }
        let row = self.stores[table].insert(&Row::of(fact));
        self.wake_if_touched(plan, table);
        if let Some(row) = row {
            self.stores[table].set_recorded(row);
        }
        row.is_some()
    }

    /// Takes the bounds of windows from what was recovered. Usually there is nothing below them: what is on record was a state.
    #[inline(never)]
    pub(super) fn recovered(&mut self, plan: &Plan) {
        for window in &plan.windows {
            let Some(floor) = self.bound(plan, window) else { continue };
            self.floors[window.table] = Some(floor);
            let store = &mut self.stores[window.table];
            let below = |&row: &u32| !is_above(&store.row(row)[0], floor);
            let below: Vec<u32> = store.rows(Version::New).filter(below).collect();
            below.into_iter().for_each(|row| store.hide(row));
        }
    }
}
