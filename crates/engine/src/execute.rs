//! Runs pipelines: nested loops over the stores, without copying what is not emitted.

use menard_lang::ir::Comparison;
use menard_value::{FunctionId, Value};

use crate::Counters;
use crate::plan::{Access, Driver, Emit, Op, Operand, Path, Pipeline};
use crate::store::{NONE, Store, Version};
use crate::tuples::Tuples;

/// What a pipeline derived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Derived {
    pub(crate) tuples: Tuples,
    pub(crate) rows: Vec<u32>,
}

/// Memory for running pipelines, reused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) registers: Vec<Value>,
    arguments: Vec<Value>,
}

/// A row in a join.
#[derive(Clone, Copy)]
struct Cursor<'s> {
    values: &'s [Value],
    row: u32,
}

/// Rules with more literals than this allocate in each run.
const LEVELS_ON_STACK: usize = 6;

const NOWHERE: Cursor<'static> = Cursor { values: &[], row: NONE };

/// Runs a pipeline for the rows of `version` among `rows` of its driver, or once if it has none. `derived` is emptied before.
pub(crate) fn run(
    pipeline: &Pipeline,
    rows: Option<(&[u32], Version)>,
    stores: &[Store],
    scratch: &mut Scratch,
    derived: &mut Derived,
    counters: &mut Counters,
) {
    match &pipeline.emit {
        Emit::Tuple(operands) => derived.tuples.restart(operands.len()),
        Emit::Row(_) => derived.rows.clear(),
    }
    let mut stack = [NOWHERE; LEVELS_ON_STACK];
    let mut heap = Vec::new();
    let cursors = if pipeline.levels <= LEVELS_ON_STACK {
        &mut stack[..]
    } else {
        heap.resize(pipeline.levels, NOWHERE);
        &mut heap[..]
    };
    let mut join = Join { emit: &pipeline.emit, stores, cursors, scratch, derived, counters };
    match (pipeline.driver, rows) {
        (Driver::First | Driver::Always, _) => join.go(&pipeline.ops),
        (
            Driver::Event(store) | Driver::Added(store) | Driver::Delta { store, .. } | Driver::Fresh { store, .. },
            Some((rows, version)),
        ) => {
            let store = &stores[store];
            for &row in rows.iter().filter(|&&row| store.sees(version, row)) {
                join.counters.rows_touched += 1;
                join.cursors[0] = Cursor { values: store.row(row), row };
                join.go(&pipeline.ops);
            }
        }
        (_, None) => unreachable!("a pipeline driven by a store is given rows"),
    }
}

struct Join<'s, 'r> {
    emit: &'r Emit,
    stores: &'s [Store],
    cursors: &'r mut [Cursor<'s>],
    scratch: &'r mut Scratch,
    derived: &'r mut Derived,
    counters: &'r mut Counters,
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
                Op::Call { function, arguments, register } => self.call(*function, arguments, *register),
            };
            if !goes_on {
                return;
            }
        }
        self.emit();
    }

    #[inline]
    fn value<'v>(&'v self, operand: &'v Operand) -> &'v Value {
        match operand {
            Operand::Column { level, column } => &self.cursors[*level].values[*column],
            Operand::Register(register) => &self.scratch.registers[*register],
            Operand::Constant(value) => value,
        }
    }

    fn emit(&mut self) {
        match self.emit {
            Emit::Tuple(operands) => {
                let (cursors, registers) = (&*self.cursors, &self.scratch.registers);
                self.derived.tuples.push(operands.iter().map(|operand| match operand {
                    Operand::Column { level, column } => cursors[*level].values[*column].clone(),
                    Operand::Register(register) => registers[*register].clone(),
                    Operand::Constant(value) => value.clone(),
                }));
            }
            Emit::Row(level) => self.derived.rows.push(self.cursors[*level].row),
        }
    }

    fn join(&mut self, access: &Access, level: usize, after: &[Op]) {
        let store = &self.stores[access.store];
        match &access.path {
            Path::Scan => {
                for row in store.rows(access.version) {
                    self.enter(store, row, level, after);
                }
            }
            Path::Row(key) => {
                if let Some(row) = self.probe_row(store, key)
                    && store.sees(access.version, row)
                {
                    self.enter(store, row, level, after);
                }
            }
            Path::Index { index, key } => {
                let mut row = self.probe_index(store, *index, key);
                while row != NONE {
                    if store.sees(access.version, row) {
                        self.enter(store, row, level, after);
                    }
                    row = store.index(*index).next(row);
                }
            }
        }
    }

    #[inline]
    fn enter(&mut self, store: &'s Store, row: u32, level: usize, after: &[Op]) {
        self.counters.rows_touched += 1;
        self.cursors[level] = Cursor { values: store.row(row), row };
        self.go(after);
    }

    fn exists(&mut self, access: &Access) -> bool {
        let store = &self.stores[access.store];
        match &access.path {
            Path::Scan => store.rows(access.version).next().is_some(),
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
        let hash = store.seed().tuple(key.iter().map(|operand| self.value(operand)));
        store.find(hash, |row| store.row(row).iter().eq(key.iter().map(|operand| self.value(operand))))
    }

    fn probe_index(&mut self, store: &Store, index: usize, key: &[Operand]) -> u32 {
        self.counters.probes += 1;
        let index = store.index(index);
        let hash = store.seed().tuple(key.iter().map(|operand| self.value(operand)));
        index.first(hash, |row| {
            let values = store.row(row);
            let columns = index.columns().iter().map(|&column| &values[usize::from(column)]);
            columns.eq(key.iter().map(|operand| self.value(operand)))
        })
    }

    fn call(&mut self, function: FunctionId, arguments: &[Operand], register: usize) -> bool {
        let mut values = std::mem::take(&mut self.scratch.arguments);
        values.clear();
        values.extend(arguments.iter().map(|operand| self.value(operand).clone()));
        let result = (function.get().eval)(&values);
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
