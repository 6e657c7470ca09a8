//! Keyed tables: which of several facts with one key holds.

use std::hint::black_box;

use menard_lang::ir::Policy;
use menard_value::Value;

use super::State;
use super::derive::WARM_ROWS;
use super::slide::is_above;
use crate::plan::Plan;
use crate::tuples::Row;

impl State {
    /// Decides for each key that has candidates in this step. What a rule reads afterwards is the result: a fact that was replaced ceased
    /// to hold in this step, a candidate that lost never held.
    #[inline(never)]
    pub(super) fn resolve(&mut self, plan: &Plan, table: usize) {
        let keyed = plan.stores[table].keyed.expect("only keyed tables are resolved");
        if self.stores[keyed.candidates].touched().is_empty() {
            return;
        }
        let floor = self.floors[table];
        std::mem::swap(&mut self.stores[keyed.candidates], &mut self.spare);
        let (candidates, store) = (&self.spare, &mut self.stores[table]);
        let above = |&&row: &&u32| floor.is_none_or(|floor| is_above(&candidates.row(row)[0], floor));
        self.rows.clear();
        self.rows.extend(candidates.touched().iter().filter(above));
        if self.rows.len() > 1 {
            self.rows.sort_unstable_by(|&left, &right| candidates.row(left).cmp(candidates.row(right)));
        }
        let key = |row: u32| &candidates.row(row)[..keyed.columns];
        self.rows.dedup_by(|next, best| {
            let same = key(*next) == key(*best);
            if same && keyed.policy == Policy::Max {
                *best = *next;
            }
            same
        });
        if self.rows.len() >= WARM_ROWS && store.is_large() {
            black_box(self.rows.iter().fold(0, |sum, &row| store.warm_index(keyed.index, key(row)) ^ sum));
        }
        // All holders first: their cache misses overlap, where those of insertions would wait for each other.
        self.holders.clear();
        self.holders.extend(self.rows.iter().map(|&row| store.find_by_index(keyed.index, key(row).iter())));
        self.counters.probes += self.rows.len() as u64;
        for (&best, holder) in self.rows.iter().zip(&self.holders) {
            let best = candidates.row(best);
            if let Some(holder) = *holder {
                if !replaces(keyed.policy, store.row(holder), best) {
                    continue;
                }
                store.hide(holder);
            }
            self.counters.rows_touched += 1;
            store.insert(&Row::of(best));
        }
        self.rows.clear();
        std::mem::swap(&mut self.stores[keyed.candidates], &mut self.spare);
        self.wake_if_touched(plan, table);
    }
}

/// Whether a fact gives way to the best candidate.
fn replaces(policy: Policy, fact: &[Value], candidate: &[Value]) -> bool {
    match policy {
        Policy::First => false,
        Policy::Max => candidate > fact,
        Policy::Replace => candidate != fact,
    }
}
