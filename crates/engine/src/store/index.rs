//! A secondary index: rows by the values of some columns.
//!
//! A hash table has one entry for each key, the first row of a doubly linked list of all rows with that key. Inserting and
//! deleting are O(1) however many rows share a key, and nothing is allocated per key.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use menard_value::Value;

use crate::hash::Seed;

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    columns: Box<[u16]>,
    heads: HashTable<u32>,
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
}

impl Index {
    pub(crate) fn new(columns: &[u16]) -> Self {
        Index { columns: columns.into(), heads: HashTable::new(), links: Vec::new() }
    }

    /// Adds a row that is not in the index. `values` are those of the whole store.
    pub(crate) fn insert(&mut self, row: u32, arity: usize, values: &[Value], seed: Seed) {
        let columns = &self.columns;
        let key = |row: u32| columns.iter().map(move |&column| &values[row as usize * arity + usize::from(column)]);
        let entry =
            self.heads.entry(seed.tuple(key(row)), |&other| key(other).eq(key(row)), |&other| seed.tuple(key(other)));
        if self.links.len() <= row as usize {
            self.links.resize(row as usize + 1, Link { previous: NONE, next: NONE });
        }
        match entry {
            Entry::Vacant(vacant) => {
                vacant.insert(row);
                self.links[row as usize] = Link { previous: NONE, next: NONE };
            }
            Entry::Occupied(occupied) => {
                let head = *occupied.get();
                let second = self.links[head as usize].next;
                self.links[row as usize] = Link { previous: head, next: second };
                self.links[head as usize].next = row;
                if second != NONE {
                    self.links[second as usize].previous = row;
                }
            }
        }
    }

    /// Takes out a row that is in the index.
    pub(crate) fn remove(&mut self, row: u32, arity: usize, values: &[Value], seed: Seed) {
        let Link { previous, next } = self.links[row as usize];
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
            return;
        }
        let key = self.columns.iter().map(|&column| &values[row as usize * arity + usize::from(column)]);
        match self.heads.find_entry(seed.tuple(key), |&head| head == row) {
            Ok(mut entry) if next != NONE => *entry.get_mut() = next,
            Ok(entry) => {
                entry.remove();
            }
            Err(_) => unreachable!("a row without a previous one is the head of its list"),
        }
    }

    /// The first row for which `matches` holds among those with this hash.
    #[inline]
    pub(crate) fn first(&self, hash: u64, mut matches: impl FnMut(u32) -> bool) -> u32 {
        self.heads.find(hash, |&row| matches(row)).copied().unwrap_or(NONE)
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

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.links.clear();
    }
}
