//! Keyed tables: which of several facts with one key holds.

use menard_lang::ir::Policy;
use menard_value::Value;

use super::State;
use super::slide::is_above;
use crate::plan::Plan;

impl State {
    /// Decides for each key that has candidates in this step. What a rule reads afterwards is the result: a fact that was replaced ceased
    /// to hold in this step, a candidate that lost never held.
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
        for group in self.rows.chunk_by(|&left, &right| key(left) == key(right)) {
            let best = match keyed.policy {
                Policy::Max => group[group.len() - 1],
                Policy::First | Policy::Replace => group[0],
            };
            let best = candidates.row(best);
            self.counters.probes += 1;
            let holder = store.find_by_index(keyed.index, best[..keyed.columns].iter());
            if let Some(holder) = holder {
                if !replaces(keyed.policy, store.row(holder), best) {
                    continue;
                }
                store.hide(holder);
            }
            self.counters.rows_touched += 1;
            store.insert(best);
        }
        self.rows.clear();
        std::mem::swap(&mut self.stores[keyed.candidates], &mut self.spare);
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
