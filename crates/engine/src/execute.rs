//! Runs pipelines: nested loops over the stores, without copying anything.

use menard_lang::ir::{Comparison, Constructor};
use menard_value::{Function, UndefinedError, Value};

use crate::plan::{Access, Op, Operand, Path, Pipeline};
use crate::store::{NONE, Store, Version};
use crate::tuples::Row;
use crate::{Counters, Inputs};

/// Memory for running pipelines, reused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) registers: Vec<Value>,
    /// How many solutions were found so far.
    pub(crate) solutions: u64,
    arguments: Vec<Value>,
}

/// What drives a pipeline.
#[derive(Clone, Copy)]
pub(crate) enum Rows<'s> {
    /// Nothing: it runs once.
    Once,
    /// Those of these rows of a store that a version sees.
    Stored(&'s Store, &'s [u32], Version),
    /// These messages.
    Arrived(&'s Inputs, &'s [u32]),
}

/// A row in a join.
#[derive(Clone, Copy)]
struct Cursor<'s> {
    values: &'s [Value],
    row: u32,
}

/// One way to satisfy a body, with the tuple that its rule derives.
pub(crate) struct Solution<'a> {
    values: &'a [&'a Value],
    cursors: &'a [Cursor<'a>],
}

/// Rules with more relation literals than this allocate in each run.
const LEVELS_ON_STACK: usize = 4;

const NOWHERE: Cursor<'static> = Cursor { values: &[], row: NONE };

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::Once => 1,
            Rows::Stored(_, rows, _) | Rows::Arrived(_, rows) => rows.len(),
        }
    }
}

impl Solution<'_> {
    /// The derived tuple.
    #[inline]
    pub(crate) fn tuple(&self) -> impl ExactSizeIterator<Item = &Value> + Clone {
        self.values.iter().copied()
    }

    /// The same as a row.
    #[inline]
    pub(crate) fn values(&self) -> &[&Value] {
        self.values
    }

    /// The value in a column of the derived tuple.
    #[inline]
    pub(crate) fn get(&self, column: usize) -> &Value {
        self.values[column]
    }

    /// The row joined at a level.
    pub(crate) fn row(&self, level: usize) -> u32 {
        self.cursors[level].row
    }
}

#[inline]
fn value<'v>(operand: &'v Operand, cursors: &[Cursor<'v>], registers: &'v [Value]) -> &'v Value {
    match operand {
        Operand::Column { level, column } => &cursors[*level].values[*column],
        Operand::Register(register) => &registers[*register],
        Operand::Constant(value) => value,
    }
}

/// The values that operands stand for.
#[inline]
fn row<'v>(operands: &'v [Operand], cursors: &[Cursor<'v>], registers: &'v [Value]) -> Row<'v> {
    Row::of(operands.iter().map(|operand| value(operand, cursors, registers)))
}

/// Runs a pipeline and gives each solution to `sink`.
pub(crate) fn run<'s>(
    pipeline: &'s Pipeline,
    rows: Rows<'s>,
    stores: &'s [Box<Store>],
    scratch: &mut Scratch,
    counters: &mut Counters,
    sink: &mut dyn FnMut(&Solution<'_>, &mut Counters),
) {
    let mut stack = [NOWHERE; LEVELS_ON_STACK];
    let mut heap = Vec::new();
    let cursors = if pipeline.levels <= LEVELS_ON_STACK {
        &mut stack[..]
    } else {
        heap.resize(pipeline.levels, NOWHERE);
        &mut heap[..]
    };
    let mut join = Join { tuple: pipeline.emit.tuple(), stores, cursors, scratch, counters, sink };
    match rows {
        Rows::Once => join.go(&pipeline.ops),
        Rows::Stored(store, rows, version) => {
            for &row in rows.iter().filter(|&&row| store.sees(version, row)) {
                join.enter(Cursor { values: store.row(row), row }, 0, &pipeline.ops);
            }
        }
        Rows::Arrived(inputs, messages) => {
            for &message in messages {
                join.enter(Cursor { values: inputs.row(message), row: NONE }, 0, &pipeline.ops);
            }
        }
    }
}

struct Join<'s, 'r> {
    tuple: &'s [Operand],
    stores: &'s [Box<Store>],
    cursors: &'r mut [Cursor<'s>],
    scratch: &'r mut Scratch,
    counters: &'r mut Counters,
    sink: &'r mut dyn FnMut(&Solution<'_>, &mut Counters),
}

impl<'s> Join<'s, '_> {
    fn go(&mut self, ops: &[Op]) {
        let mut rest = ops;
        while let Some((op, after)) = rest.split_first() {
            rest = after;
            let goes_on = match op {
                Op::Join { access, level } => return self.join(access, *level, after),
                Op::Exists(access) => self.exists(access),
                Op::Absent(access) => !self.exists(access),
                Op::Compare { op, left, right } => compare(*op, self.value(left), self.value(right)),
                Op::Call { function, arguments, register } => self.call(function, arguments, *register),
                Op::Construct { constructor, parts, register } => self.construct(*constructor, parts, *register),
                Op::Field { value, position, register } => self.field(value, *position, *register),
                Op::Expand { collection, register } => return self.expand(collection, *register, after),
                Op::Member { element, collection, negated } => {
                    self.value(collection).contains(self.value(element)) != *negated
                }
            };
            if !goes_on {
                return;
            }
        }
        self.scratch.solutions += 1;
        let values = row(self.tuple, self.cursors, &self.scratch.registers);
        (self.sink)(&Solution { values: &values, cursors: self.cursors }, self.counters);
    }

    #[inline]
    fn value<'v>(&'v self, operand: &'v Operand) -> &'v Value {
        value(operand, self.cursors, &self.scratch.registers)
    }

    #[inline]
    fn enter(&mut self, cursor: Cursor<'s>, level: usize, after: &[Op]) {
        self.counters.rows_touched += 1;
        self.cursors[level] = cursor;
        self.go(after);
    }

    fn join(&mut self, access: &Access, level: usize, after: &[Op]) {
        let store: &'s Store = &self.stores[access.store];
        match &access.path {
            Path::Scan => {
                for row in store.candidates(access.version) {
                    if store.sees(access.version, row) {
                        self.enter(Cursor { values: store.row(row), row }, level, after);
                    } else {
                        self.counters.rows_touched += 1;
                    }
                }
            }
            Path::Row(key) => {
                if let Some(row) = self.probe_row(store, key)
                    && store.sees(access.version, row)
                {
                    self.enter(Cursor { values: store.row(row), row }, level, after);
                }
            }
            Path::Index { index, key } => {
                let mut row = self.probe_index(store, *index, key);
                while row != NONE {
                    if store.sees(access.version, row) {
                        self.enter(Cursor { values: store.row(row), row }, level, after);
                    }
                    row = store.index(*index).next(row);
                }
            }
        }
    }

    fn exists(&mut self, access: &Access) -> bool {
        let store = &self.stores[access.store];
        match &access.path {
            Path::Scan => {
                let mut looked_at = 0;
                let found = store.candidates(access.version).any(|row| {
                    looked_at += 1;
                    store.sees(access.version, row)
                });
                self.counters.rows_touched += looked_at;
                found
            }
            Path::Row(key) => self.probe_row(store, key).is_some_and(|row| store.sees(access.version, row)),
            Path::Index { index, key } => {
                let mut row = self.probe_index(store, *index, key);
                while row != NONE && !store.sees(access.version, row) {
                    self.counters.rows_touched += 1;
                    row = store.index(*index).next(row);
                }
                row != NONE
            }
        }
    }

    fn probe_row(&mut self, store: &Store, key: &[Operand]) -> Option<u32> {
        self.counters.probes += 1;
        store.find(&row(key, self.cursors, &self.scratch.registers))
    }

    fn probe_index(&mut self, store: &Store, index: usize, key: &[Operand]) -> u32 {
        self.counters.probes += 1;
        let index = store.index(index);
        let wanted = row(key, self.cursors, &self.scratch.registers);
        let hash = store.seed().tuple(wanted.iter().copied());
        let key = index.find_key(hash, |row| index.key(store.row(row)).eq(wanted.iter().copied()));
        key.map_or(NONE, |key| index.first(key))
    }

    fn call(&mut self, function: &Function, arguments: &[Operand], register: usize) -> bool {
        self.compute(arguments, register, |values| function.call(values))
    }

    fn construct(&mut self, constructor: Constructor, parts: &[Operand], register: usize) -> bool {
        self.compute(parts, register, |values| constructor.apply(values))
    }

    #[inline]
    fn compute(
        &mut self,
        operands: &[Operand],
        register: usize,
        function: impl FnOnce(&[Value]) -> Result<Value, UndefinedError>,
    ) -> bool {
        let mut values = std::mem::take(&mut self.scratch.arguments);
        values.clear();
        values.extend(operands.iter().map(|operand| self.value(operand).clone()));
        let result = function(&values);
        self.scratch.arguments = values;
        match result {
            Ok(value) => {
                self.scratch.registers[register] = value;
                true
            }
            Err(_) => {
                self.counters.undefined += 1;
                false
            }
        }
    }

    fn field(&mut self, value: &Operand, position: usize, register: usize) -> bool {
        let fields = self.value(value).fields().expect("a checked field is one of a tuple or record");
        self.scratch.registers[register] = fields[position].clone();
        true
    }

    fn expand(&mut self, collection: &Operand, register: usize, after: &[Op]) {
        let collection = self.value(collection).clone();
        for member in collection.distinct().iter() {
            self.counters.rows_touched += 1;
            self.scratch.registers[register] = member.clone();
            self.go(after);
        }
    }
}

#[inline]
fn compare(op: Comparison, left: &Value, right: &Value) -> bool {
    match op {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterEqual => left >= right,
    }
}
