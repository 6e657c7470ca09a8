//! Lists of tuples of one arity as flat buffers.

use menard_value::Value;

/// Something that has the columns of a fact.
pub(crate) trait Tuple {
    /// The value in a column.
    fn get(&self, column: usize) -> &Value;
}

impl Tuple for [Value] {
    #[inline]
    fn get(&self, column: usize) -> &Value {
        &self[column]
    }
}

/// A list of tuples; it knows its length even where the arity is 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tuples {
    arity: usize,
    count: usize,
    values: Vec<Value>,
}

impl Tuples {
    /// An empty list.
    pub(crate) fn new(arity: usize) -> Self {
        Tuples { arity, count: 0, values: Vec::new() }
    }

    /// Forgets all tuples and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.values.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a tuple.
    #[inline]
    pub(crate) fn push<'v>(&mut self, tuple: impl Iterator<Item = &'v Value>) {
        self.values.extend(tuple.cloned());
        self.count += 1;
        debug_assert_eq!(self.values.len(), self.count * self.arity, "tuples of a list have the same arity");
    }

    /// The tuples.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Value]> {
        (0..self.count).map(|index| self.get(index))
    }

    /// The tuple at a position.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> &[Value] {
        &self.values[index * self.arity..(index + 1) * self.arity]
    }

    /// Keeps the tuples for which `keep` holds.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&[Value]) -> bool) {
        let mut kept = 0;
        for index in 0..self.count {
            if keep(self.get(index)) {
                for column in 0..self.arity {
                    self.values.swap(kept * self.arity + column, index * self.arity + column);
                }
                kept += 1;
            }
        }
        self.values.truncate(kept * self.arity);
        self.count = kept;
    }
}
