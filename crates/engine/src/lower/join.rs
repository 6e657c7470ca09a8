//! The order of a join: from a driving literal on, each next literal is the one with the most columns known.
//!
//! Tests and negated literals run as soon as their variables are known. Greedy, and good enough: the rules of protocols
//! join few relations, nearly always by keys.

use crate::lower::clause::{Atom, Clause, Literal, Term};
use crate::marks::Marks;
use crate::plan::{Access, Driver, Emit, Op, Operand, Path, Pipeline, StoreKind, StorePlan};
use crate::store::Version;
use menard_lang::ir::Comparison;

/// What a pipeline shall emit.
pub(super) enum Output {
    /// The clause's head.
    Head,
    /// The row of the literal at this position.
    Row(usize),
}

/// What a pipeline starts from and sees.
pub(super) struct Start<'v> {
    pub(super) driver: Driver,
    /// The position of the literal whose rows drive it.
    pub(super) literal: Option<usize>,
    /// The version that the literal at a position sees.
    pub(super) version: &'v dyn Fn(usize) -> Version,
    /// Whether it does not matter how often a solution is found.
    pub(super) is_set: bool,
}

/// Plans one pipeline of a clause. Gives the number of registers that it uses.
pub(super) fn pipeline(clause: &Clause, start: &Start, output: &Output, stores: &mut [StorePlan]) -> (Pipeline, usize) {
    let joiner = Joiner {
        stores,
        known: vec![None; clause.variables],
        registers: 1,
        ops: Vec::new(),
        levels: 0,
        tests: Vec::new(),
        row_level: None,
    };
    joiner.plan(clause, start, output)
}

/// A literal that waits until its variables are known.
enum Test<'c> {
    Compare { op: Comparison, left: &'c Term, right: &'c Term },
    Bind { variable: usize, value: &'c Term },
    Absent { atom: &'c Atom, version: Version },
    Column { column: Operand, term: &'c Term },
    In { element: &'c Term, collection: &'c Term, negated: bool },
}

struct Joiner<'a, 'c> {
    stores: &'a mut [StorePlan],
    /// Where the values of variables are.
    known: Vec<Option<Operand>>,
    registers: usize,
    ops: Vec<Op>,
    levels: usize,
    tests: Vec<Test<'c>>,
    row_level: Option<usize>,
}

impl<'c> Joiner<'_, 'c> {
    fn plan(mut self, clause: &'c Clause, start: &Start, output: &Output) -> (Pipeline, usize) {
        let mut waiting: Vec<usize> = Vec::new();
        for (position, literal) in clause.body.iter().enumerate() {
            if start.literal == Some(position) {
                continue;
            }
            match literal {
                Literal::Atom(atom) if atom.negated => {
                    self.tests.push(Test::Absent { atom, version: (start.version)(position) });
                }
                Literal::Atom(_) => waiting.push(position),
                Literal::Compare { op, left, right } => self.tests.push(Test::Compare { op: *op, left, right }),
                Literal::Bind { variable, value } => self.tests.push(Test::Bind { variable: *variable, value }),
                Literal::In { element, collection, negated } => {
                    self.tests.push(Test::In { element, collection, negated: *negated });
                }
            }
        }
        if let Some(position) = start.literal {
            let level = self.level(position, output);
            self.bind(level, &atom_at(clause, position).args, &[]);
        }
        self.test();
        loop {
            let best = self.best(clause, &waiting);
            let is_keyed = |best: usize| atom_at(clause, waiting[best]).args.iter().any(|arg| self.is_known(arg));
            if !best.is_some_and(is_keyed) && self.expand() {
                self.test();
                continue;
            }
            let Some(best) = best else { break };
            let position = waiting.remove(best);
            self.join(position, atom_at(clause, position), start, output);
            self.test();
        }
        assert!(self.tests.is_empty(), "a checked rule binds all its variables: {}", clause.text);
        let emit = match output {
            Output::Head => Emit::Tuple(clause.head.iter().map(|term| self.operand(term)).collect()),
            Output::Row(_) => Emit::Row(self.row_level.expect("the literal was joined")),
        };
        let needs = clause.positive_atoms().filter(|(_, atom)| self.stores[atom.store].kind == StoreKind::Event);
        let needs: Vec<usize> = needs.map(|(_, atom)| atom.store).collect();
        let wakes = Marks::of(needs.iter().copied().chain(start.driver.store()));
        let pipeline = Pipeline {
            driver: start.driver,
            passes: &[],
            needs,
            wakes,
            ops: self.ops,
            emit,
            levels: self.levels,
            reads_target: false,
        };
        (pipeline, self.registers)
    }

    /// Which of the waiting literals to join next.
    fn best(&self, clause: &Clause, waiting: &[usize]) -> Option<usize> {
        let score = |position: usize| {
            let atom = atom_at(clause, position);
            let bound = atom.args.iter().filter(|arg| self.is_known(arg)).count();
            let size = match self.stores[atom.store].kind {
                StoreKind::Event => 2,
                StoreKind::Role { .. } => 1,
                StoreKind::Table | StoreKind::View | StoreKind::Delta => 0,
            };
            (bound == atom.args.len(), bound > 0, if bound == 0 || atom.new { size } else { 0 }, bound)
        };
        // The last of several equal maxima is taken, and the first in the text should be.
        (0..waiting.len()).rev().max_by_key(|&index| score(waiting[index]))
    }

    fn join(&mut self, position: usize, atom: &'c Atom, start: &Start, output: &Output) {
        let keyed: Vec<u16> = (0..atom.args.len())
            .filter(|&column| self.is_known(&atom.args[column]))
            .map(|column| u16::try_from(column).expect("a relation has fewer than 2^16 columns"))
            .collect();
        let version = if atom.new { Version::Added } else { (start.version)(position) };
        let access = self.access(atom, &keyed, version);
        let emits_row = matches!(output, Output::Row(row) if *row == position);
        let binds =
            (0..atom.args.len()).any(|column| atom.args[column] != Term::Wildcard && !keyed.contains(&(column as u16)));
        if start.is_set && !binds && !emits_row {
            self.ops.push(Op::Exists(access));
            return;
        }
        let level = self.level(position, output);
        self.ops.push(Op::Join { access, level });
        self.bind(level, &atom.args, &keyed);
    }

    fn level(&mut self, position: usize, output: &Output) -> usize {
        let level = self.levels;
        self.levels += 1;
        if matches!(output, Output::Row(row) if *row == position) {
            self.row_level = Some(level);
        }
        level
    }

    /// How to find the rows that agree with the known terms in the `keyed` columns.
    fn access(&mut self, atom: &'c Atom, keyed: &[u16], version: Version) -> Access {
        let key: Vec<Operand> = keyed.iter().map(|&column| self.operand(&atom.args[usize::from(column)])).collect();
        let store = &mut self.stores[atom.store];
        let path = if keyed.is_empty() && !atom.args.is_empty() {
            Path::Scan
        } else if keyed.len() == atom.args.len() {
            Path::Row(key)
        } else {
            let index = store.indexes.iter().position(|columns| columns == keyed).unwrap_or_else(|| {
                store.indexes.push(keyed.to_vec());
                store.indexes.len() - 1
            });
            Path::Index { index, key }
        };
        Access { store: atom.store, version, path }
    }

    /// Makes the variables of a joined row known, and tests what the access did not.
    fn bind(&mut self, level: usize, args: &'c [Term], keyed: &[u16]) {
        for (column, arg) in args.iter().enumerate() {
            if keyed.contains(&(column as u16)) || *arg == Term::Wildcard {
                continue;
            }
            let place = Operand::Column { level, column };
            match arg {
                Term::Variable(variable) if self.known[*variable].is_none() => self.known[*variable] = Some(place),
                _ => self.tests.push(Test::Column { column: place, term: arg }),
            }
        }
    }

    /// Runs all tests whose variables are known; a name that becomes known may allow more.
    fn test(&mut self) {
        while let Some(position) = self.tests.iter().position(|test| self.is_ready(test)) {
            match self.tests.remove(position) {
                Test::Compare { op, left, right } => {
                    let (left, right) = (self.operand(left), self.operand(right));
                    self.ops.push(Op::Compare { op, left, right });
                }
                Test::Bind { variable, value } => {
                    let value = self.operand(value);
                    match self.known[variable].clone() {
                        None => self.known[variable] = Some(value),
                        Some(left) => self.ops.push(Op::Compare { op: Comparison::Equal, left, right: value }),
                    }
                }
                Test::Absent { atom, version } => {
                    let columns = (0..atom.args.len()).filter(|&column| atom.args[column] != Term::Wildcard);
                    let keyed: Vec<u16> = columns.map(|column| column as u16).collect();
                    let version = if atom.new { Version::Added } else { version };
                    let access = self.access(atom, &keyed, version);
                    self.ops.push(Op::Absent(access));
                }
                Test::In { element, collection, negated } => {
                    let (element, collection) = (self.operand(element), self.operand(collection));
                    self.ops.push(Op::Member { element, collection, negated });
                }
                Test::Column { column, term } => {
                    let right = self.operand(term);
                    self.ops.push(Op::Compare { op: Comparison::Equal, left: column, right });
                }
            }
        }
    }

    /// Goes through the members of a collection, if the next thing to do can be that.
    fn expand(&mut self) -> bool {
        let ready = self.tests.iter().position(|test| match test {
            Test::In { element: Term::Variable(_), collection, negated: false } => self.is_known(collection),
            _ => false,
        });
        let Some(position) = ready else { return false };
        let Test::In { element: Term::Variable(variable), collection, .. } = self.tests.remove(position) else {
            unreachable!("only such tests are found")
        };
        let collection = self.operand(collection);
        let register = self.register();
        self.ops.push(Op::Expand { collection, register });
        self.known[*variable] = Some(Operand::Register(register));
        true
    }

    fn register(&mut self) -> usize {
        self.registers += 1;
        self.registers - 1
    }

    fn is_ready(&self, test: &Test) -> bool {
        match test {
            Test::Compare { left, right, .. } => self.is_known(left) && self.is_known(right),
            Test::Bind { value: term, .. } | Test::Column { term, .. } => self.is_known(term),
            Test::In { element, collection, .. } => self.is_known(element) && self.is_known(collection),
            Test::Absent { atom, .. } => atom.args.iter().all(|arg| *arg == Term::Wildcard || self.is_known(arg)),
        }
    }

    fn is_known(&self, term: &Term) -> bool {
        match term {
            Term::Variable(variable) => self.known[*variable].is_some(),
            Term::Wildcard => false,
            Term::Constant(_) | Term::Me => true,
            Term::Call(_, parts) | Term::Construct(_, parts) => parts.iter().all(|part| self.is_known(part)),
            Term::Field(value, _) => self.is_known(value),
        }
    }

    /// Where the value of a known term is; computes calls.
    fn operand(&mut self, term: &Term) -> Operand {
        match term {
            Term::Variable(variable) => self.known[*variable].clone().expect("asked only for known terms"),
            Term::Constant(value) => Operand::Constant(value.clone()),
            Term::Me => Operand::Register(0),
            Term::Call(function, args) => {
                let arguments = args.iter().map(|arg| self.operand(arg)).collect();
                let register = self.register();
                self.ops.push(Op::Call { function: function.get(), arguments, register });
                Operand::Register(register)
            }
            Term::Construct(constructor, parts) => {
                let parts = parts.iter().map(|part| self.operand(part)).collect();
                let register = self.register();
                self.ops.push(Op::Construct { constructor: *constructor, parts, register });
                Operand::Register(register)
            }
            Term::Field(value, position) => {
                let value = self.operand(value);
                let register = self.register();
                self.ops.push(Op::Field { value, position: *position, register });
                Operand::Register(register)
            }
            Term::Wildcard => unreachable!("a wildcard has no value"),
        }
    }
}

fn atom_at(clause: &Clause, position: usize) -> &Atom {
    clause.body[position].as_atom().expect("only relation literals are joined")
}
