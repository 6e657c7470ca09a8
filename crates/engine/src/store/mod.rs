//! The facts of one relation on one node: rows in a slab, found by their values or by those of some columns.
//!
//! During a step a store has two versions at once, the one before the step and the one of the step, so that rules over
//! state can be maintained by deltas. Rows that the step touched are listed; [`Store::commit`] makes the new version the
//! only one and frees what it lacks.

mod index;
mod live;
mod row_table;
mod version;

use menard_value::Value;

use crate::hash::Seed;
pub(crate) use index::{Index, NONE};
use live::Live;
pub(crate) use row_table::RowTable;
pub(crate) use version::Version;
use version::{DOOMED, HASHED, NEW, OLD, RECORDED, TOUCHED};

/// More entries than this do not stay in the cache.
const LARGE: usize = 1 << 15;

/// The rows of a key are found by looking at all of them as long as there are not more than these.
const SHORT: u32 = 8;

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
    /// The slots in use, if the store is scanned.
    live: Option<Live>,
    touched: Vec<u32>,
    indexes: Vec<Index>,
    /// The index with the most columns, by which rows are found: most keys have few rows, and those of one key are near each other
    /// in memory where their hashes would not be.
    lead: Option<usize>,
    /// Rows by the hash of all values: all if there is no index, otherwise those whose key in the leading index has many rows.
    by_hash: RowTable,
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
            live: None,
            touched: Vec::new(),
            indexes: indexes.iter().map(|columns| Index::new(columns)).collect(),
            lead: (0..indexes.len()).max_by_key(|&index| indexes[index].len()),
            by_hash: RowTable::default(),
        }
    }

    /// The same, made for being scanned.
    pub(crate) fn scanned(self) -> Self {
        Store { live: Some(Live::default()), ..self }
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

    /// The row with these values, in whatever version.
    #[inline]
    pub(crate) fn find(&self, tuple: &[&Value]) -> Option<u32> {
        let Some(lead) = self.lead else { return self.find_by_hash(tuple) };
        let index = &self.indexes[lead];
        let hash = self.seed.tuple(index.columns().iter().map(|&column| tuple[usize::from(column)]));
        let key = index.find_key(hash, |row| self.agrees(row, tuple, index.columns()))?;
        self.find_in_key(key, tuple)
    }

    /// The row with these values among those of a key of the leading index.
    #[inline]
    fn find_in_key(&self, key: u32, tuple: &[&Value]) -> Option<u32> {
        let index = &self.indexes[self.lead?];
        let mut row = index.first(key);
        if self.flags[row as usize] & HASHED != 0 {
            return self.find_by_hash(tuple);
        }
        while row != NONE && !self.is(row, tuple) {
            row = index.next(row);
        }
        (row != NONE).then_some(row)
    }

    fn find_by_hash(&self, tuple: &[&Value]) -> Option<u32> {
        self.by_hash.find(self.hash(tuple), |row| self.is(row, tuple))
    }

    #[inline]
    fn hash(&self, tuple: &[&Value]) -> u64 {
        self.seed.tuple(tuple.iter().copied())
    }

    #[inline]
    fn is(&self, row: u32, tuple: &[&Value]) -> bool {
        let values = self.row(row);
        // From the last column: the first ones are often those of the key.
        (0..self.arity).rev().all(|column| values[column] == *tuple[column])
    }

    #[inline]
    fn agrees(&self, row: u32, tuple: &[&Value], columns: &[u16]) -> bool {
        let values = self.row(row);
        columns.iter().all(|&column| values[usize::from(column)] == *tuple[usize::from(column)])
    }

    /// Makes a fact hold; the row if it did not hold already.
    #[inline]
    pub(crate) fn insert(&mut self, tuple: &[&Value]) -> Option<u32> {
        match self.slot(tuple) {
            Ok(row) if self.flags[row as usize] & NEW != 0 => None,
            Ok(row) => {
                self.flags[row as usize] |= NEW;
                Some(row)
            }
            Err(row) => Some(row),
        }
    }

    /// Adds a derivation of a fact; whether it is the first.
    #[inline]
    pub(crate) fn increment(&mut self, tuple: &[&Value]) -> bool {
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
    pub(crate) fn decrement(&mut self, tuple: &[&Value]) -> bool {
        let row = self.find(tuple).expect("a derivation that ends had begun");
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
    pub(crate) fn append(&mut self, tuple: &[&Value], version: Version) {
        let flags = if version == Version::Removed { OLD } else { NEW };
        let row = self.allocate(tuple, flags | TOUCHED);
        self.touched.push(row);
    }

    /// The first row of this step with these values in the columns of an index.
    pub(crate) fn find_by_index<'v>(&self, index: usize, key: impl Iterator<Item = &'v Value> + Clone) -> Option<u32> {
        self.rows_by_index(index, key).find(|&row| self.sees(Version::New, row))
    }

    /// The rows, of all versions, with these values in the columns of an index.
    pub(crate) fn rows_by_index<'v>(
        &self,
        index: usize,
        key: impl Iterator<Item = &'v Value> + Clone,
    ) -> impl Iterator<Item = u32> {
        let index = &self.indexes[index];
        let number = index.find_key(self.seed.tuple(key.clone()), |row| index.key(self.row(row)).eq(key.clone()));
        let mut row = number.map_or(NONE, |number| index.first(number));
        std::iter::from_fn(move || {
            let found = row;
            if found == NONE {
                return None;
            }
            row = index.next(found);
            Some(found)
        })
    }

    /// The number of slots in use.
    pub(crate) fn used(&self) -> usize {
        self.flags.len() - self.free.len()
    }

    /// The row of a known tuple, or else a new row that begins to hold.
    #[inline]
    fn slot(&mut self, tuple: &[&Value]) -> Result<u32, u32> {
        let Some(lead) = self.lead else { return self.slot_by_hash(tuple) };
        let Store { indexes, values, arity, seed, .. } = self;
        let index = &mut indexes[lead];
        let columns = index.columns().iter().map(|&column| usize::from(column));
        let hash = seed.tuple(columns.map(|column| tuple[column]));
        let key = index.find_or_add_key(hash, |row, columns| {
            let values = &values[row as usize * *arity..(row as usize + 1) * *arity];
            columns.iter().all(|&column| values[usize::from(column)] == *tuple[usize::from(column)])
        });
        if let Ok(key) = key
            && let Some(row) = self.find_in_key(key, tuple)
        {
            return Ok(row);
        }
        let (Ok(key) | Err(key)) = key;
        Err(self.add(tuple, Some((lead, key))))
    }

    fn slot_by_hash(&mut self, tuple: &[&Value]) -> Result<u32, u32> {
        let next = self.free.last().copied().unwrap_or_else(|| self.slots());
        let hash = self.hash(tuple);
        let (values, arity) = (&self.values, self.arity);
        let is = |row: u32| (0..arity).all(|column| values[row as usize * arity + column] == *tuple[column]);
        match self.by_hash.find_or_insert(hash, next, is) {
            Some(row) => Ok(row),
            None => {
                let row = self.add(tuple, None);
                self.flags[row as usize] |= HASHED;
                Err(row)
            }
        }
    }

    /// Adds a row that is not there, to this key of the leading index.
    #[inline]
    fn add(&mut self, tuple: &[&Value], key: Option<(usize, u32)>) -> u32 {
        let row = self.allocate(tuple, NEW | TOUCHED);
        self.touched.push(row);
        for (position, index) in self.indexes.iter_mut().enumerate() {
            match key {
                Some((lead, key)) if lead == position => index.link(row, key),
                _ => index.insert(row, self.arity, &self.values, self.seed),
            }
        }
        if let Some((lead, key)) = key {
            let rows = self.indexes[lead].rows(key);
            // The last one tells: a key stays with its way of finding rows until it has none.
            let next = self.indexes[lead].next(row);
            if rows > 1 && self.flags[next as usize] & HASHED != 0 {
                self.add_hash(row);
            } else if rows > SHORT {
                self.add_hashes(row, lead);
            }
        }
        row
    }

    fn add_hash(&mut self, row: u32) {
        let hash = self.seed.tuple(self.row(row));
        let known = self.by_hash.find_or_insert(hash, row, |_| false);
        debug_assert_eq!(known, None);
        self.flags[row as usize] |= HASHED;
    }

    #[cold]
    fn add_hashes(&mut self, first: u32, lead: usize) {
        let mut row = first;
        while row != NONE {
            self.add_hash(row);
            row = self.indexes[lead].next(row);
        }
    }

    #[inline]
    fn allocate(&mut self, tuple: &[&Value], flags: u8) -> u32 {
        if let Some(row) = self.free.pop() {
            let start = row as usize * self.arity;
            for (column, place) in self.values[start..start + self.arity].iter_mut().enumerate() {
                place.clone_from(tuple[column]);
            }
            self.flags[row as usize] = flags;
            if let Some(live) = &mut self.live {
                live.add(row);
            }
            return row;
        }
        let row = self.slots();
        if let Some(live) = &mut self.live {
            live.add(row);
        }
        self.values.extend(tuple.iter().copied().cloned());
        self.flags.push(flags);
        if self.counted {
            self.counts.push(0);
        }
        row
    }

    /// Whether rows are likely to be out of the cache.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        let entries = self.lead.map_or(self.by_hash.capacity(), |lead| self.indexes[lead].capacity());
        entries > LARGE
    }

    /// Reads the places where a tuple belongs, so that they are in the cache when it comes.
    #[inline]
    pub(crate) fn warm(&self, tuple: &[&Value]) -> u64 {
        let of_index = |index: &Index| {
            let key = index.columns().iter().map(|&column| tuple[usize::from(column)]);
            index.warm(self.seed.tuple(key))
        };
        let by_hash = if self.lead.is_none() { self.by_hash.warm(self.hash(tuple)) } else { 0 };
        self.indexes.iter().map(of_index).fold(by_hash, u64::wrapping_add)
    }

    /// Reads the place where a key belongs in an index, so that it is in the cache when it is looked for.
    #[inline]
    pub(crate) fn warm_index(&self, index: usize, key: &[Value]) -> u64 {
        self.indexes[index].warm(self.seed.tuple(key))
    }

    /// Lets a row hold no more from this step on.
    #[inline]
    pub(crate) fn hide(&mut self, row: u32) {
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

    /// Says that a row's coming is known already.
    pub(crate) fn set_recorded(&mut self, row: u32) {
        self.flags[row as usize] |= RECORDED;
    }

    /// Whether a row has come (`true`) or gone since that was last asked, as the next step will find it; `None` if neither.
    pub(crate) fn record(&mut self, row: u32) -> Option<bool> {
        let flags = &mut self.flags[row as usize];
        let stays = *flags & (NEW | DOOMED) == NEW;
        if stays == (*flags & RECORDED != 0) {
            return None;
        }
        *flags ^= RECORDED;
        Some(stays)
    }

    /// Makes the new version the only one. A store of `deltas` keeps nothing.
    pub(crate) fn commit(&mut self, deltas: bool) {
        let mut touched = std::mem::take(&mut self.touched);
        for &row in &touched {
            let flags = &mut self.flags[row as usize];
            if *flags & NEW != 0 && !deltas {
                *flags = OLD | NEW | (*flags & (DOOMED | HASHED | RECORDED));
            } else {
                self.release(row, !deltas);
            }
        }
        touched.clear();
        self.touched = touched;
    }

    fn release(&mut self, row: u32, indexed: bool) {
        let hashed = self.flags[row as usize] & HASHED != 0;
        self.flags[row as usize] = 0;
        if indexed {
            let values = &self.values[row as usize * self.arity..(row as usize + 1) * self.arity];
            for index in &mut self.indexes {
                index.remove(row, values, self.seed);
            }
            if hashed {
                self.by_hash.remove(self.seed.tuple(values), row);
            }
        }
        let start = row as usize * self.arity;
        for value in &mut self.values[start..start + self.arity] {
            if !matches!(value, Value::Int(_) | Value::Bool(_) | Value::Node(_)) {
                *value = Value::Bool(false);
            }
        }
        if let Some(live) = &mut self.live {
            live.remove(row);
        }
        self.free.push(row);
    }

    /// Forgets everything, keeps the memory unless it is far more than was used.
    pub(crate) fn clear(&mut self) {
        if self.flags.is_empty() {
            // Nothing was ever there.
            return;
        }
        self.values.clear();
        self.flags.clear();
        self.counts.clear();
        self.free.clear();
        if let Some(live) = &mut self.live {
            live.clear();
        }
        self.touched.clear();
        self.by_hash.clear();
        self.indexes.iter_mut().for_each(Index::clear);
    }

    /// The rows that a version sees.
    pub(crate) fn rows(&self, version: Version) -> impl Iterator<Item = u32> {
        self.candidates(version).filter(move |&row| self.sees(version, row))
    }

    /// The rows to look at for those that a version sees, few more than these if the store is made for being scanned.
    pub(crate) fn candidates(&self, version: Version) -> impl Iterator<Item = u32> {
        let (listed, slots) = match (version, &self.live) {
            (Version::Added | Version::Removed, _) => (&self.touched[..], 0..0),
            (Version::New | Version::Old, Some(live)) => (live.rows(), 0..0),
            (Version::New | Version::Old, None) => (&[][..], 0..self.slots()),
        };
        listed.iter().copied().chain(slots)
    }

    /// Whether no row is in use. Between steps, these are the rows that hold.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.flags.len()
    }
}

#[cfg(test)]
mod tests;
