//! Tables with special storage: keys, windows, durable ones.
//!
//! What rules derive for a keyed table goes into a hidden event, its *candidates*: `:-` rules fill it in this step, `:+` rules defer it to
//! the next. When the candidates are complete, one fact for each key stays.

use menard_lang::ir::Storage;

use super::Lowering;
use crate::plan::{KeyedPlan, StoreKind, Stratum, WindowPlan};

impl Lowering<'_> {
    /// Makes what the special storage of tables needs.
    pub(super) fn add_storage(&mut self) {
        let component = self.component;
        for relation in &component.relations {
            let (store, _) = self.by_name[&relation.name];
            let Storage { key, durable, above } = &relation.storage;
            self.stores[store].durable = *durable;
            if let Some(key) = key {
                let candidates = format!("candidates of {}", relation.name);
                let candidates = self.add_hidden(candidates, relation.columns.len(), StoreKind::Event);
                let index = self.add_index(store, key.columns);
                let plan = KeyedPlan { columns: key.columns, policy: key.policy, index, candidates };
                self.stores[store].keyed = Some(plan);
            }
            if let Some(low) = above {
                let (low, _) = self.by_name[low];
                let index = self.add_index(store, 1);
                self.stores[store].bounded = true;
                self.windows.push(WindowPlan { table: store, index, low });
            }
        }
    }

    /// An index on the first columns of a store.
    fn add_index(&mut self, store: usize, columns: usize) -> usize {
        let columns: Vec<u16> = (0..columns).map(|column| u16::try_from(column).expect("few columns")).collect();
        let indexes = &mut self.stores[store].indexes;
        indexes.iter().position(|index| *index == columns).unwrap_or_else(|| {
            indexes.push(columns);
            indexes.len() - 1
        })
    }

    /// What stands in for a store where rules derive it: the candidates of a keyed table.
    pub(super) fn filled(&self, store: usize) -> usize {
        self.stores[store].keyed.map_or(store, |keyed| keyed.candidates)
    }

    /// Those of these stores that are keyed tables.
    pub(super) fn keyed(&self, stores: &[usize]) -> Vec<usize> {
        stores.iter().copied().filter(|&store| self.stores[store].keyed.is_some()).collect()
    }

    /// The candidates of keyed tables that no rule of this step fills are complete when the step begins.
    pub(super) fn resolve_deferred(&self, strata: &mut Vec<Stratum>) {
        let all: Vec<usize> = (0..self.stores.len()).filter(|store| !self.stratum_of.contains_key(store)).collect();
        let resolve = self.keyed(&all);
        if !resolve.is_empty() {
            strata.push(Stratum { resolve, ..Stratum::default() });
        }
    }
}
