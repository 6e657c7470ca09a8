//! Sets of stores that are quick to compare, for a question that a step asks often: has every store changed without which there is nothing to do?
//!
//! A store is a bit. Stores of large plans share bits, so that such a set may have more in it than was put there: what it says yes to has to be
//! looked at, what it says no to has not.

/// A set of stores, and perhaps some others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Marks(u128);

impl Marks {
    /// Whether sets of so many stores have in them only what was put there.
    #[inline]
    pub(crate) fn are_exact(stores: usize) -> bool {
        stores <= 128
    }

    /// The set of these stores.
    pub(crate) fn of(stores: impl IntoIterator<Item = usize>) -> Self {
        let mut marks = Marks::default();
        stores.into_iter().for_each(|store| marks.add(store));
        marks
    }

    /// Puts a store into the set.
    #[inline]
    pub(crate) fn add(&mut self, store: usize) {
        self.0 |= 1 << (store % 128);
    }

    /// Visits what may be in the set, of so many stores.
    #[inline]
    pub(crate) fn each(self, stores: usize, mut visit: impl FnMut(usize)) {
        let mut bits = self.0;
        while bits != 0 {
            let first = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            (first..stores).step_by(128).for_each(&mut visit);
        }
    }

    /// Whether something may be in both sets.
    #[inline]
    pub(crate) fn meets(self, other: Marks) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all that is in the other set may be in this one.
    #[inline]
    pub(crate) fn includes(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_may_be_but_what_is_there_is() {
        let marks = Marks::of([3, 130]);
        assert!(
            marks.includes(Marks::of([3])) && !marks.includes(Marks::of([3, 5])) && marks.includes(Marks::default())
        );
        assert!(marks.meets(Marks::of([3, 5])) && !marks.meets(Marks::of([5])) && !marks.meets(Marks::default()));
        assert!(marks.includes(Marks::of([2])) && !marks.includes(Marks::of([4])));
        let mut visited = Vec::new();
        marks.each(140, |store| visited.push(store));
        assert_eq!(visited, [2, 130, 3, 131]);
    }
}
