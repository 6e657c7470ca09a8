//! A secondary index: rows by the values of some columns.
//!
//! A hash table has one entry for each key, the first row of a doubly linked list of all rows with that key. Inserting and
//! deleting are O(1) however many rows share a key, and nothing is allocated per key.

use menard_value::Value;

use super::row_table::RowTable;
use crate::hash::Seed;

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    columns: Box<[u16]>,
    heads: RowTable,
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
}

impl Index {
    pub(crate) fn new(columns: &[u16]) -> Self {
        Index { columns: columns.into(), heads: RowTable::default(), links: Vec::new() }
    }

    /// Adds a row that is not in the index. `values` are those of the whole store.
    pub(crate) fn insert(&mut self, row: u32, arity: usize, values: &[Value], seed: Seed) {
        let columns = &self.columns;
        let key = |row: u32| {
            let start = row as usize * arity;
            let values = &values[start..start + arity];
            columns.iter().map(move |&column| &values[usize::from(column)])
        };
        if self.links.len() <= row as usize {
            self.links.resize(row as usize + 1, Link { previous: NONE, next: NONE });
        }
        match self.heads.find_or_insert(seed.tuple(key(row)), row, |other| key(other).eq(key(row))) {
            None => self.links[row as usize] = Link { previous: NONE, next: NONE },
            Some(head) => {
                let second = self.links[head as usize].next;
                self.links[row as usize] = Link { previous: head, next: second };
                self.links[head as usize].next = row;
                if second != NONE {
                    self.links[second as usize].previous = row;
                }
            }
        }
    }

    /// Takes out a row that is in the index; `values` are those of the row.
    pub(crate) fn remove(&mut self, row: u32, values: &[Value], seed: Seed) {
        let Link { previous, next } = self.links[row as usize];
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
            return;
        }
        let hash = seed.tuple(self.key(values));
        if next == NONE {
            self.heads.remove(hash, row);
        } else {
            self.heads.replace(hash, row, next);
        }
    }

    /// The key of a row with these values.
    #[inline]
    pub(crate) fn key<'v>(&self, values: &'v [Value]) -> impl Iterator<Item = &'v Value> {
        self.columns.iter().map(|&column| &values[usize::from(column)])
    }

    /// The first row for which `matches` holds among those with this hash.
    #[inline]
    pub(crate) fn first(&self, hash: u64, matches: impl FnMut(u32) -> bool) -> u32 {
        self.heads.find(hash, matches).unwrap_or(NONE)
    }

    /// The row after this one in the list of its key.
    #[inline]
    pub(crate) fn next(&self, row: u32) -> u32 {
        self.links[row as usize].next
    }

    /// The indexed columns, ascending.
    #[inline]
    pub(crate) fn columns(&self) -> &[u16] {
        &self.columns
    }

    /// See [`RowTable::warm`].
    #[inline]
    pub(crate) fn warm(&self, hash: u64) -> u64 {
        self.heads.warm(hash)
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.links.clear();
    }
}
