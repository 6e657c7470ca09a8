//! A secondary index: rows by the values of some columns.
//!
//! A hash table finds the number of a key; a key has a doubly linked list of the rows that have it. Inserting and deleting are O(1) however
//! many rows share a key, a row knows its key without looking, and nothing is allocated per key.

use menard_value::Value;

use super::row_table::RowTable;
use crate::hash::Seed;

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    columns: Box<[u16]>,
    by_hash: RowTable,
    keys: Vec<Key>,
    free: Vec<u32>,
    /// One for each row of the store.
    links: Vec<Link>,
}

/// The rows that have a key.
#[derive(Clone, Copy, Debug)]
struct Key {
    head: u32,
    rows: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
    key: u32,
}

const UNLINKED: Link = Link { previous: NONE, next: NONE, key: NONE };

impl Index {
    pub(crate) fn new(columns: &[u16]) -> Self {
        Index {
            columns: columns.into(),
            by_hash: RowTable::default(),
            keys: Vec::new(),
            free: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The indexed columns, ascending.
    #[inline]
    pub(crate) fn columns(&self) -> &[u16] {
        &self.columns
    }

    /// The number of the key with this hash whose rows agree, in the indexed columns, with what is looked for. If there is none, `Err` with
    /// the number of a new key, which must get a row at once.
    #[inline]
    pub(crate) fn find_or_add_key(
        &mut self,
        hash: u64,
        mut agrees: impl FnMut(u32, &[u16]) -> bool,
    ) -> Result<u32, u32> {
        let next = self.free.last().copied();
        let next = next.unwrap_or_else(|| u32::try_from(self.keys.len()).expect("an index has fewer than 2^32 keys"));
        let Index { keys, columns, .. } = self;
        if let Some(key) = self.by_hash.find_or_insert(hash, next, |key| agrees(keys[key as usize].head, columns)) {
            return Ok(key);
        }
        if self.free.pop().is_none() {
            self.keys.push(Key { head: NONE, rows: 0 });
        }
        Err(next)
    }

    /// The number of the key with this hash for whose rows `matches` holds.
    #[inline]
    pub(crate) fn find_key(&self, hash: u64, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        self.by_hash.find(hash, |key| matches(self.keys[key as usize].head))
    }

    /// Adds a row that is not in the index to those of a key.
    #[inline]
    pub(crate) fn link(&mut self, row: u32, key: u32) {
        if self.links.len() <= row as usize {
            self.links.resize(row as usize + 1, UNLINKED);
        }
        let Key { head, rows } = &mut self.keys[key as usize];
        self.links[row as usize] = Link { previous: NONE, next: *head, key };
        if *head != NONE {
            self.links[*head as usize].previous = row;
        }
        *head = row;
        *rows += 1;
    }

    /// Adds a row that is not in the index. `values` are those of the whole store.
    pub(crate) fn insert(&mut self, row: u32, arity: usize, values: &[Value], seed: Seed) {
        let of = |row: u32| &values[row as usize * arity..(row as usize + 1) * arity];
        let hash = seed.tuple(self.key(of(row)));
        let (Ok(key) | Err(key)) = self.find_or_add_key(hash, |other, columns| {
            columns.iter().all(|&column| of(other)[usize::from(column)] == of(row)[usize::from(column)])
        });
        self.link(row, key);
    }

    /// Takes out a row that is in the index; `values` are those of the row.
    pub(crate) fn remove(&mut self, row: u32, values: &[Value], seed: Seed) {
        let Link { previous, next, key } = self.links[row as usize];
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
        } else {
            self.keys[key as usize].head = next;
        }
        let rows = &mut self.keys[key as usize].rows;
        *rows -= 1;
        if *rows == 0 {
            self.by_hash.remove(seed.tuple(self.key(values)), key);
            self.free.push(key);
        }
    }

    /// The key of a row with these values.
    #[inline]
    pub(crate) fn key<'v>(&self, values: &'v [Value]) -> impl Iterator<Item = &'v Value> {
        self.columns.iter().map(|&column| &values[usize::from(column)])
    }

    /// The number of a row's key. It stays the same as long as the key has rows.
    #[inline]
    pub(crate) fn key_of(&self, row: u32) -> u32 {
        self.links[row as usize].key
    }

    /// The number of rows of a key.
    #[inline]
    pub(crate) fn rows(&self, key: u32) -> u32 {
        self.keys[key as usize].rows
    }

    /// The first row of a key.
    #[inline]
    pub(crate) fn first(&self, key: u32) -> u32 {
        self.keys[key as usize].head
    }

    /// The row after this one in the list of its key.
    #[inline]
    pub(crate) fn next(&self, row: u32) -> u32 {
        self.links[row as usize].next
    }

    /// See [`RowTable::warm`].
    #[inline]
    pub(crate) fn warm(&self, hash: u64) -> u64 {
        self.by_hash.warm(hash)
    }

    /// The number of entries that it has room for.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.by_hash.capacity()
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.by_hash.clear();
        self.keys.clear();
        self.free.clear();
        self.links.clear();
    }
}
