//! A hash table of row numbers.
//!
//! Open addressing in one array, linear probing, deletion by shifting back. An entry holds the row and 32 bits of the hash, so that
//! looking for a key, growing and deleting need not read rows that do not match: a lookup in a large table costs one cache miss.

/// Finds rows by the hash of what they hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowTable {
    /// 0 where free; otherwise the tag, then the row plus 1.
    slots: Vec<u64>,
    len: usize,
    /// What shifts a tag to its home position.
    shift: u32,
}

const LEAST_CAPACITY: usize = 8;

fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn pack(tag: u32, row: u32) -> u64 {
    u64::from(tag) << 32 | (u64::from(row) + 1)
}

fn row_of(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}

impl RowTable {
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        (tag >> self.shift) as usize
    }

    /// The row with this hash for which `matches` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let (tag, mask) = (tag_of(hash), self.slots.len() - 1);
        let mut position = self.home(tag);
        loop {
            let slot = self.slots[position & mask];
            if slot == 0 {
                return None;
            }
            if tag_of(slot) == tag && matches(row_of(slot)) {
                return Some(row_of(slot));
            }
            position += 1;
        }
    }

    /// The row with this hash for which `matches` holds; if there is none, `row` goes in.
    #[inline]
    pub(crate) fn find_or_insert(&mut self, hash: u64, row: u32, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.len * 2 >= self.slots.len() {
            self.grow();
        }
        let (tag, mask) = (tag_of(hash), self.slots.len() - 1);
        let mut position = self.home(tag);
        loop {
            let slot = self.slots[position & mask];
            if slot == 0 {
                self.slots[position & mask] = pack(tag, row);
                self.len += 1;
                return None;
            }
            if tag_of(slot) == tag && matches(row_of(slot)) {
                return Some(row_of(slot));
            }
            position += 1;
        }
    }

    /// Takes out a row that is in the table.
    pub(crate) fn remove(&mut self, hash: u64, row: u32) {
        let mask = self.slots.len() - 1;
        let mut hole = self.position(hash, row);
        let mut position = hole;
        loop {
            position = (position + 1) & mask;
            let slot = self.slots[position];
            if slot == 0 {
                break;
            }
            // An entry moves back into the hole unless that is before its home.
            let from_home = position.wrapping_sub(self.home(tag_of(slot))) & mask;
            if from_home >= (position.wrapping_sub(hole) & mask) {
                self.slots[hole] = slot;
                hole = position;
            }
        }
        self.slots[hole] = 0;
        self.len -= 1;
    }

    fn position(&self, hash: u64, row: u32) -> usize {
        let (tag, mask) = (tag_of(hash), self.slots.len() - 1);
        let wanted = pack(tag, row);
        let mut position = self.home(tag);
        while self.slots[position & mask] != wanted {
            assert_ne!(self.slots[position & mask], 0, "the row is in the table");
            position += 1;
        }
        position & mask
    }

    /// Reads the place where this hash belongs, so that it is in the cache when it is wanted.
    #[inline]
    pub(crate) fn warm(&self, hash: u64) -> u64 {
        self.slots.get(self.home(tag_of(hash))).copied().unwrap_or(0)
    }

    /// Forgets all rows. Keeps the memory unless it is far more than was needed: clearing costs the capacity, and after one large
    /// step every small one would pay for it.
    pub(crate) fn clear(&mut self) {
        if self.len == 0 {
            return;
        }
        if self.slots.len() > 64 * (self.len + 4) {
            *self = RowTable::default();
        } else {
            self.slots.fill(0);
            self.len = 0;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let capacity = (self.slots.len() * 2).max(LEAST_CAPACITY);
        assert!(capacity <= 1 << 32, "a table has fewer than 2^31 rows");
        let old = std::mem::replace(&mut self.slots, vec![0; capacity]);
        self.shift = 32 - capacity.trailing_zeros();
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let mut position = self.home(tag_of(slot));
            while self.slots[position & (capacity - 1)] != 0 {
                position += 1;
            }
            self.slots[position & (capacity - 1)] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowTable;
    use std::collections::BTreeMap;

    /// A hash whose upper bits take few values, so that runs of entries collide and wrap around.
    fn hash(key: u32) -> u64 {
        u64::from(key % 7).wrapping_mul(0x2fff_ffff_ffff_ffff) | u64::from(key)
    }

    #[test]
    fn finds_what_was_inserted_and_not_removed() {
        let (mut table, mut expected) = (RowTable::default(), BTreeMap::new());
        let mut state = 1_u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = state >> 8 & 63;
            if state & 1 << 20 == 0 {
                let found = table.find_or_insert(hash(key), key, |row| row == key);
                assert_eq!(found, expected.insert(key, ()).map(|()| key));
            } else if expected.remove(&key).is_some() {
                table.remove(hash(key), key);
            }
            assert_eq!(table.len, expected.len());
            assert!(
                (0..64).all(|key| table.find(hash(key), |row| row == key).is_some() == expected.contains_key(&key))
            );
        }
    }

    #[test]
    fn clearing_gives_back_what_is_far_too_large() {
        let mut table = RowTable::default();
        (0..10_000).for_each(|row| assert_eq!(table.find_or_insert(u64::from(row) << 40, row, |_| false), None));
        table.clear();
        assert!(table.capacity() >= 10_000 && table.find(1 << 40, |_| true).is_none());
        table.find_or_insert(0, 1, |_| false);
        table.clear();
        assert_eq!(table.capacity(), 0);
    }
}
