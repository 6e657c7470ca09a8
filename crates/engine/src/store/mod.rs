//! The facts of one relation on one node: rows in a slab, found by their values or by those of some columns.
//!
//! During a step a store has two versions at once, the one before the step and the one of the step, so that rules over
//! state can be maintained by deltas. Rows that the step touched are listed; [`Store::commit`] makes the new version the
//! only one and frees what it lacks.

mod index;
mod row_table;

use menard_value::Value;

use crate::hash::Seed;
pub(crate) use index::{Index, NONE};
pub(crate) use row_table::RowTable;

/// Which facts a reader sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// Those of this step.
    New,
    /// Those of the step before.
    Old,
    /// Those of this step that did not hold in the step before.
    Added,
    /// Those of the step before that do not hold in this one.
    Removed,
}

/// More entries than this do not stay in the cache.
const LARGE: usize = 1 << 15;

/// The row holds in the step before.
const OLD: u8 = 1;
/// The row holds in this step.
const NEW: u8 = 2;
/// The row is in the list of touched rows.
const TOUCHED: u8 = 4;
/// The row leaves the store at the beginning of the next step.
const DOOMED: u8 = 8;

impl Version {
    #[inline]
    fn sees(self, flags: u8) -> bool {
        match self {
            Version::New => flags & NEW != 0,
            Version::Old => flags & OLD != 0,
            Version::Added => flags & (OLD | NEW) == NEW,
            Version::Removed => flags & (OLD | NEW) == OLD,
        }
    }
}

/// What an insertion did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Inserted {
    /// Nothing: the fact held already.
    Nothing,
    /// The fact begins to hold, in this row; it did not in the step before.
    Added(u32),
    /// The fact, deleted at the beginning of this step, holds after all.
    Revived(u32),
}

/// The facts of one relation.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    arity: usize,
    seed: Seed,
    values: Vec<Value>,
    flags: Vec<u8>,
    /// Derivations of each row; empty unless the store counts them.
    counts: Vec<u32>,
    counted: bool,
    free: Vec<u32>,
    touched: Vec<u32>,
    primary: RowTable,
    indexes: Vec<Index>,
}

impl Store {
    /// An empty store with indexes on these lists of columns.
    pub(crate) fn new(arity: usize, counted: bool, indexes: &[Vec<u16>], seed: Seed) -> Self {
        Store {
            arity,
            seed,
            values: Vec::new(),
            flags: Vec::new(),
            counts: Vec::new(),
            counted,
            free: Vec::new(),
            touched: Vec::new(),
            primary: RowTable::default(),
            indexes: indexes.iter().map(|columns| Index::new(columns)).collect(),
        }
    }

    /// The values of a row.
    #[inline]
    pub(crate) fn row(&self, row: u32) -> &[Value] {
        let start = row as usize * self.arity;
        &self.values[start..start + self.arity]
    }

    #[inline]
    pub(crate) fn sees(&self, version: Version, row: u32) -> bool {
        version.sees(self.flags[row as usize])
    }

    /// All slots, in use or not.
    pub(crate) fn slots(&self) -> u32 {
        u32::try_from(self.flags.len()).expect("a store has fewer than 2^32 rows")
    }

    /// The rows that this step touched.
    #[inline]
    pub(crate) fn touched(&self) -> &[u32] {
        &self.touched
    }

    pub(crate) fn index(&self, index: usize) -> &Index {
        &self.indexes[index]
    }

    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// The row that has this hash and for which `matches` holds, in whatever version.
    #[inline]
    pub(crate) fn find(&self, hash: u64, matches: impl FnMut(u32) -> bool) -> Option<u32> {
        self.primary.find(hash, matches)
    }

    /// The row with these values, in whatever version.
    pub(crate) fn find_tuple<'v>(&self, tuple: impl Iterator<Item = &'v Value> + Clone) -> Option<u32> {
        self.find(self.seed.tuple(tuple.clone()), |row| self.row(row).iter().eq(tuple.clone()))
    }

    /// Makes a fact hold.
    #[inline]
    pub(crate) fn insert<'v>(&mut self, tuple: impl Iterator<Item = &'v Value> + Clone) -> Inserted {
        match self.slot(tuple) {
            Ok(row) => {
                let flags = self.flags[row as usize];
                if flags & NEW != 0 {
                    return Inserted::Nothing;
                }
                self.flags[row as usize] = flags | NEW;
                if flags & OLD != 0 { Inserted::Revived(row) } else { Inserted::Added(row) }
            }
            Err(row) => Inserted::Added(row),
        }
    }

    /// Adds a derivation of a fact; whether it is the first.
    #[inline]
    pub(crate) fn increment<'v>(&mut self, tuple: impl Iterator<Item = &'v Value> + Clone) -> bool {
        let (Ok(row) | Err(row)) = self.slot(tuple);
        let count = &mut self.counts[row as usize];
        *count = count.checked_add(1).expect("a fact has fewer than 2^32 derivations");
        let first = *count == 1;
        if first {
            self.flags[row as usize] |= NEW;
        }
        first
    }

    /// Takes away a derivation of a fact that has one; whether it was the last.
    #[inline]
    pub(crate) fn decrement<'v>(&mut self, tuple: impl Iterator<Item = &'v Value> + Clone) -> bool {
        let row = self.find_tuple(tuple).expect("a derivation that ends had begun");
        let count = &mut self.counts[row as usize];
        *count = count.checked_sub(1).expect("a derivation that ends had begun");
        let last = *count == 0;
        if last {
            self.hide(row);
        }
        last
    }

    /// Appends a fact of one version only, without looking whether there is such a row: for stores that nothing probes.
    #[inline]
    pub(crate) fn append<'v>(&mut self, tuple: impl Iterator<Item = &'v Value>, version: Version) {
        let flags = if version == Version::Removed { OLD } else { NEW };
        let row = self.allocate(tuple, flags | TOUCHED);
        self.touched.push(row);
    }

    /// The row of a known tuple, or else a new row that begins to hold.
    #[inline]
    fn slot<'v>(&mut self, tuple: impl Iterator<Item = &'v Value> + Clone) -> Result<u32, u32> {
        let (arity, values) = (self.arity, &self.values);
        let of = |row: u32| values[row as usize * arity..(row as usize + 1) * arity].iter();
        let next = self.free.last().copied().unwrap_or_else(|| self.slots());
        let hash = self.seed.tuple(tuple.clone());
        if let Some(row) = self.primary.find_or_insert(hash, next, |row| of(row).eq(tuple.clone())) {
            return Ok(row);
        }
        let row = self.allocate(tuple, NEW | TOUCHED);
        self.touched.push(row);
        for index in &mut self.indexes {
            index.insert(row, self.arity, &self.values, self.seed);
        }
        Err(row)
    }

    #[inline]
    fn allocate<'v>(&mut self, tuple: impl Iterator<Item = &'v Value>, flags: u8) -> u32 {
        if let Some(row) = self.free.pop() {
            let start = row as usize * self.arity;
            for (place, value) in self.values[start..start + self.arity].iter_mut().zip(tuple) {
                place.clone_from(value);
            }
            self.flags[row as usize] = flags;
            return row;
        }
        let row = self.slots();
        self.values.extend(tuple.cloned());
        self.flags.push(flags);
        if self.counted {
            self.counts.push(0);
        }
        row
    }

    /// Whether rows are likely to be out of the cache.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.primary.capacity() > LARGE
    }

    /// Reads the places where a tuple belongs, so that they are in the cache when it comes.
    #[inline]
    pub(crate) fn warm<'v>(&self, get: impl Fn(usize) -> &'v Value) -> u64 {
        let hash = self.seed.tuple((0..self.arity).map(&get));
        let of_index = |index: &Index| {
            let key = index.columns().iter().map(|&column| get(usize::from(column)));
            index.warm(self.seed.tuple(key))
        };
        self.indexes.iter().map(of_index).fold(self.primary.warm(hash), u64::wrapping_add)
    }

    #[inline]
    fn hide(&mut self, row: u32) {
        let flags = &mut self.flags[row as usize];
        *flags &= !NEW;
        if *flags & TOUCHED == 0 {
            *flags |= TOUCHED;
            self.touched.push(row);
        }
    }

    /// Says that a row leaves the store at the beginning of the next step; whether that was not said before.
    pub(crate) fn doom(&mut self, row: u32) -> bool {
        let flags = &mut self.flags[row as usize];
        let first = *flags & DOOMED == 0;
        *flags |= DOOMED;
        first
    }

    /// Takes back [`Store::doom`]; whether it had been said.
    pub(crate) fn spare(&mut self, row: u32) -> bool {
        let flags = &mut self.flags[row as usize];
        let doomed = *flags & DOOMED != 0;
        *flags &= !DOOMED;
        doomed
    }

    pub(crate) fn is_doomed(&self, row: u32) -> bool {
        self.flags[row as usize] & DOOMED != 0
    }

    /// Lets a doomed row leave the store, unless it was spared.
    pub(crate) fn execute(&mut self, row: u32) {
        if self.spare(row) {
            self.hide(row);
        }
    }

    /// Makes a row hold again that left the store in this step.
    pub(crate) fn revive(&mut self, row: u32) {
        self.flags[row as usize] |= NEW;
    }

    /// Makes the new version the only one. A store of `deltas` keeps nothing.
    pub(crate) fn commit(&mut self, deltas: bool) {
        let mut touched = std::mem::take(&mut self.touched);
        for &row in &touched {
            let flags = &mut self.flags[row as usize];
            if *flags & NEW != 0 && !deltas {
                *flags = OLD | NEW | (*flags & DOOMED);
            } else {
                self.release(row, !deltas);
            }
        }
        touched.clear();
        self.touched = touched;
    }

    fn release(&mut self, row: u32, indexed: bool) {
        self.flags[row as usize] = 0;
        if indexed {
            let values = &self.values[row as usize * self.arity..(row as usize + 1) * self.arity];
            for index in &mut self.indexes {
                index.remove(row, values, self.seed);
            }
            self.primary.remove(self.seed.tuple(values), row);
        }
        let start = row as usize * self.arity;
        for value in &mut self.values[start..start + self.arity] {
            if matches!(value, Value::Bytes(_) | Value::String(_) | Value::Digest(_)) {
                *value = Value::Bool(false);
            }
        }
        self.free.push(row);
    }

    /// Forgets everything, keeps the memory unless it is far more than was used.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.flags.clear();
        self.counts.clear();
        self.free.clear();
        self.touched.clear();
        self.primary.clear();
        self.indexes.iter_mut().for_each(Index::clear);
    }

    /// The rows that a version sees.
    pub(crate) fn rows(&self, version: Version) -> impl Iterator<Item = u32> {
        (0..self.slots()).filter(move |&row| self.sees(version, row))
    }
}
