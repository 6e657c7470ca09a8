//! The rows of a store that are in use, next to each other: a store that was once large is scanned as fast as one that never was.

/// A set of rows that can be walked in time proportional to its size. Adding and removing are O(1).
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    rows: Vec<u32>,
    /// For each slot of the store, the position of its row in `rows`; of no meaning while the slot is free.
    places: Vec<u32>,
}

impl Live {
    /// The rows in use.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Adds a row that is not there.
    pub(super) fn add(&mut self, row: u32) {
        let place = u32::try_from(self.rows.len()).expect("a store has fewer than 2^32 rows");
        if self.places.len() <= row as usize {
            self.places.resize(row as usize + 1, 0);
        }
        self.places[row as usize] = place;
        self.rows.push(row);
    }

    /// Takes out a row that is there.
    pub(super) fn remove(&mut self, row: u32) {
        let place = self.places[row as usize];
        let removed = self.rows.swap_remove(place as usize);
        debug_assert_eq!(removed, row);
        if let Some(&moved) = self.rows.get(place as usize) {
            self.places[moved as usize] = place;
        }
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.places.clear();
    }
}
