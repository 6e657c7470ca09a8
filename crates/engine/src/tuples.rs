//! Tuples: rows of references to values, and lists of tuples of one arity as flat buffers.

use std::ops::Deref;

use menard_value::Value;

/// A row with more values than this allocates.
const FEW: usize = 8;

static NOTHING: Value = Value::Bool(false);

/// The values of a fact, wherever they are: references that are found once, however often the fact is then hashed and compared.
pub(crate) struct Row<'v> {
    few: [&'v Value; FEW],
    /// All of them, if they are many.
    many: Vec<&'v Value>,
    len: usize,
}

impl<'v> Row<'v> {
    /// The row of these values.
    #[inline]
    pub(crate) fn of<I>(values: I) -> Self
    where
        I: IntoIterator<Item = &'v Value, IntoIter: ExactSizeIterator>,
    {
        let values = values.into_iter();
        let len = values.len();
        if len > FEW {
            return Row { few: [&NOTHING; FEW], many: values.collect(), len };
        }
        let mut few = [&NOTHING; FEW];
        few.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        Row { few, many: Vec::new(), len }
    }
}

impl<'v> Deref for Row<'v> {
    type Target = [&'v Value];

    #[inline]
    fn deref(&self) -> &[&'v Value] {
        if self.len <= FEW { &self.few[..self.len] } else { &self.many }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_values_whether_they_are_few_or_many() {
        for len in 0..20 {
            let values: Vec<Value> = (0..len).map(Value::Int).collect();
            let row = Row::of(&values);
            assert!(row.iter().copied().eq(&values), "{len} values");
        }
    }
}
