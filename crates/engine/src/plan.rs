//! A component made executable: stores, and rules as joins over them, in the order in which a step runs them.
//!
//! A rule is one or more *pipelines*: a driver gives rows, operations join them with other stores and test them, and what
//! passes is emitted. Columns of the joined rows are read in place; only computed values go through registers.

use menard_lang::ir::{Aggregate, Comparison, Constructor, Name, Policy};
use menard_value::{Function, Value};

use crate::agenda::Tasks;
use crate::marks::Marks;
use crate::router::Router;
use crate::store::Version;

/// A component, ready to run; one is shared by all its nodes.
#[derive(Debug)]
pub struct Plan {
    pub(crate) component: Name,
    pub(crate) stores: Vec<StorePlan>,
    /// For each channel of the program, the store that holds its messages of this step, if the component receives it.
    pub(crate) received: Vec<Option<usize>>,
    /// For each channel of the program, how the component sends on it, if it does.
    pub(crate) sent: Vec<Option<SendPlan>>,
    /// The store of `start()`.
    pub(crate) start: usize,
    pub(crate) strata: Vec<Stratum>,
    /// What runs when everything is derived: rules that take effect later or elsewhere.
    pub(crate) finish: Vec<RulePlan>,
    pub(crate) aggregates: Vec<AggregatePlan>,
    /// The number of registers that rules use; register 0 is `me`.
    pub(crate) registers: usize,
    pub(crate) router: Router,
    /// The stores of the durable tables, in the order of their declarations.
    pub(crate) durable: Vec<usize>,
    pub(crate) windows: Vec<WindowPlan>,
    /// How many rules the component has.
    pub(crate) rules: usize,
    /// What a step does, and when.
    pub(crate) tasks: Tasks,
}

/// A table without facts at or below a bound that only rises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WindowPlan {
    pub(crate) table: usize,
    /// Of the table: its index on the first column.
    pub(crate) index: usize,
    /// The keyed table whose only fact is the bound.
    pub(crate) low: usize,
}

/// A table with one fact for each key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyedPlan {
    /// The first columns, so many, are the key.
    pub(crate) columns: usize,
    pub(crate) policy: Policy,
    /// The table's index on its key.
    pub(crate) index: usize,
    /// The event of what rules derive for the table.
    pub(crate) candidates: usize,
}

impl Plan {
    /// The names of the component's durable tables; [`crate::Change::table`] is a position in this list.
    pub fn durable_tables(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.durable.iter().map(|&store| &self.stores[store].name)
    }

    /// The same plan with functions as [real nodes](menard_value::Function::real) call them. Keys of partitions have none that differ, since
    /// these are called with `me`.
    #[must_use]
    pub fn real(mut self) -> Plan {
        let strata = self.strata.iter_mut().flat_map(|stratum| stratum.rules.iter_mut().chain(&mut stratum.recursion));
        let pipelines = strata.chain(&mut self.finish).flat_map(|rule| &mut rule.pipelines);
        for op in pipelines.flat_map(|pipeline| &mut pipeline.ops) {
            if let Op::Call { function, .. } = op {
                *function = function.real();
            }
        }
        self
    }
}

/// A relation, or one that lowering made up.
#[derive(Debug)]
pub(crate) struct StorePlan {
    pub(crate) name: Name,
    pub(crate) arity: usize,
    pub(crate) kind: StoreKind,
    /// Whether it counts the derivations of each fact.
    pub(crate) counted: bool,
    /// Whether lowering made it up.
    pub(crate) hidden: bool,
    /// Of a channel: whether it only drives rules, which can then read the inputs themselves.
    pub(crate) passes: bool,
    /// Of a channel: whether some rule would do something twice for a message that comes twice in a step.
    pub(crate) distinct: bool,
    /// Whether some rule reacts to facts that cease to hold.
    pub(crate) drives_removals: bool,
    /// Whether a rule or a window looks at all its rows, and rows come and go one by one.
    pub(crate) scanned: bool,
    /// The lists of columns by which it is probed.
    pub(crate) indexes: Vec<Vec<u16>>,
    /// Of a table: the view of what state-only `:-` rules insert for as long as it holds.
    pub(crate) inserted_by: Option<usize>,
    /// Of a table: the view of what state-only delete rules delete for as long as it holds.
    pub(crate) deleted_by: Option<usize>,
    /// Of a table: the view of what state-only `:+` rules keep for as long as it holds.
    pub(crate) kept_by: Option<usize>,
    /// Whether a change of it makes a difference to some rule in a step without input.
    pub(crate) has_reactions: bool,
    /// Of a table that has a key.
    pub(crate) keyed: Option<KeyedPlan>,
    /// Whether it is a window.
    pub(crate) bounded: bool,
    /// Of a table: whether changes of it are reported.
    pub(crate) durable: bool,
    /// Whether no rule sees changes of it as such, so that they can take effect at the end of a step.
    pub(crate) silent: bool,
}

/// How a store lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StoreKind {
    /// Emptied at the end of each step.
    Event,
    /// A table.
    Table,
    /// A view.
    View,
    /// A view that nothing probes: only what begins and what ceases to hold in this step is there.
    Delta,
    /// The nodes of a role.
    Role {
        /// Its position.
        role: u16,
        /// How many there are.
        nodes: u32,
    },
}

/// Where messages on a channel may go, and how to keep them apart.
#[derive(Debug)]
pub(crate) struct SendPlan {
    /// The receiving role's position.
    pub(crate) role: u16,
    /// The number of its nodes; `None` if any index will do.
    pub(crate) nodes: Option<u32>,
    /// Whether a step may derive the same message twice.
    pub(crate) repeats: bool,
    /// The number of rules that send on it.
    pub(crate) senders: usize,
    /// The view of the messages that state-only rules hold, columns destination and fields.
    pub(crate) held_by: Option<usize>,
}

/// Relations that depend on each other, and the rules that derive them.
#[derive(Default, Debug)]
pub(crate) struct Stratum {
    /// The stores that it completes.
    pub(crate) stores: Vec<usize>,
    pub(crate) rules: Vec<RulePlan>,
    /// In a recursive stratum: what to do with each fact that is new in it, until there is none.
    pub(crate) recursion: Vec<RulePlan>,
    /// Tables whose deleted rows come back while a view holds them.
    pub(crate) reinsert: Vec<usize>,
    /// Keyed tables whose candidates are all there.
    pub(crate) resolve: Vec<usize>,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct RulePlan {
    /// As it is written, or what it is for.
    pub(crate) text: String,
    /// Its position among the rules of the component, if it finds the solutions of one; what lowering made up for other ends has none.
    pub(crate) rule: Option<usize>,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) target: Target,
}

/// What becomes of what a rule derives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// It holds now: a table or an event.
    Insert(usize),
    /// A derivation of it begins or ends: a view.
    Count(usize),
    /// It joins a table at the beginning of the next step.
    Plus(usize),
    /// It is an event of the next step.
    Defer(usize),
    /// The row leaves a table at the beginning of the next step.
    Doom(usize),
    /// A message: destination, then the fields.
    Send {
        /// The channel's position in the program.
        channel: u16,
        /// Whether it may be repeated while the view behind it holds.
        held: bool,
    },
    /// It goes into an aggregation, whose result goes on.
    Aggregate(usize),
}

/// One way to find solutions of a rule.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) driver: Driver,
    /// The versions of its driver for which it runs, and whether solutions begin or cease to hold then.
    pub(crate) passes: &'static [(Version, bool)],
    /// Event stores without which there is no solution.
    pub(crate) needs: Vec<usize>,
    /// Its driver and what it needs: if one of these stores has not changed, there is no solution.
    pub(crate) wakes: Marks,
    pub(crate) ops: Vec<Op>,
    pub(crate) emit: Emit,
    /// The number of rows joined.
    pub(crate) levels: usize,
    /// Whether it reads the store that it derives, so that what it derives has to wait until it is done.
    pub(crate) reads_target: bool,
}

/// Where a pipeline begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Driver {
    /// Once in the life of a node, before its first step's changes.
    First,
    /// Every fact of an event.
    Event(usize),
    /// Every fact that begins to hold.
    Added(usize),
    /// Every fact that begins or ceases to hold; derivations begin and end with it, or, for a negated literal, the other way round.
    Delta { store: usize, negated: bool },
    /// Every fact that the last round of a recursive stratum found.
    Fresh(usize),
}

/// What passes all operations of a pipeline.
#[derive(Debug)]
pub(crate) enum Emit {
    /// A tuple.
    Tuple(Vec<Operand>),
    /// The row joined at this level.
    Row(usize),
}

impl Emit {
    /// The tuple; empty if it is a row.
    pub(crate) fn tuple(&self) -> &[Operand] {
        match self {
            Emit::Tuple(operands) => operands,
            Emit::Row(_) => &[],
        }
    }
}

impl Pipeline {
    /// How it reads stores besides its driver.
    pub(crate) fn accesses(&self) -> impl Iterator<Item = &Access> {
        self.ops.iter().filter_map(|op| match op {
            Op::Join { access, .. } | Op::Exists(access) | Op::Absent(access) => Some(access),
            Op::Compare { .. }
            | Op::Call { .. }
            | Op::Construct { .. }
            | Op::Field { .. }
            | Op::Expand { .. }
            | Op::Member { .. } => None,
        })
    }
}

impl Driver {
    /// The store whose facts drive the pipeline, if it is one.
    pub(crate) fn store(self) -> Option<usize> {
        match self {
            Driver::First => None,
            Driver::Event(store) | Driver::Added(store) | Driver::Fresh(store) | Driver::Delta { store, .. } => {
                Some(store)
            }
        }
    }
}

impl Target {
    /// The store that changes in this step, if one does.
    pub(crate) fn store(self) -> Option<usize> {
        match self {
            Target::Insert(store) | Target::Count(store) => Some(store),
            Target::Plus(_) | Target::Defer(_) | Target::Doom(_) | Target::Send { .. } | Target::Aggregate(_) => None,
        }
    }
}

/// One operation of a pipeline.
#[derive(Debug)]
pub(crate) enum Op {
    /// Goes on with every matching row.
    Join { access: Access, level: usize },
    /// Goes on if there is a matching row.
    Exists(Access),
    /// Goes on if there is no matching row.
    Absent(Access),
    /// Goes on if it is true.
    Compare { op: Comparison, left: Operand, right: Operand },
    /// Goes on with a value in a register, unless the function is undefined.
    Call { function: &'static Function, arguments: Vec<Operand>, register: usize },
    /// Goes on with a value made of others in a register, unless it is too large.
    Construct { constructor: Constructor, parts: Vec<Operand>, register: usize },
    /// Goes on with a field of a tuple or record in a register.
    Field { value: Operand, position: usize, register: usize },
    /// Goes on with each distinct member of a collection in a register.
    Expand { collection: Operand, register: usize },
    /// Goes on if a collection has a member; negated, if it has not.
    Member { element: Operand, collection: Operand, negated: bool },
}

/// How rows of a store are found.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) store: usize,
    pub(crate) version: Version,
    pub(crate) path: Path,
}

/// Which rows are looked at.
#[derive(Debug)]
pub(crate) enum Path {
    /// All.
    Scan,
    /// The one with these values.
    Row(Vec<Operand>),
    /// Those that have these values in the columns of an index.
    Index { index: usize, key: Vec<Operand> },
}

/// A value at hand.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Operand {
    Column { level: usize, column: usize },
    Register(usize),
    Constant(Value),
}

/// An aggregation. What goes in are the group's values, then the arguments of each function.
#[derive(Debug)]
pub(crate) struct AggregatePlan {
    /// The number of values that make the group.
    pub(crate) group: usize,
    pub(crate) functions: Vec<FunctionPlan>,
    /// Where the columns of the result come from.
    pub(crate) columns: Vec<AggregateColumn>,
    /// Whether it is over state and maintained, or over the events of one step.
    pub(crate) maintained: bool,
    /// Where it numbers its groups: how many of the first values of the group have no part in that.
    pub(crate) numbers: Option<usize>,
    /// Where its groups are the keys of an index.
    pub(crate) shared: Option<SharedIndex>,
    pub(crate) target: Target,
}

/// An index on the columns by which an aggregation over one relation groups: its keys are the groups.
#[derive(Debug)]
pub(crate) struct SharedIndex {
    pub(crate) store: usize,
    pub(crate) index: usize,
    /// For each value of the group, the column of the store.
    pub(crate) columns: Vec<usize>,
}

/// One aggregate function.
#[derive(Debug)]
pub(crate) struct FunctionPlan {
    pub(crate) function: Aggregate,
    /// Where its arguments are in what goes in.
    pub(crate) arguments: std::ops::Range<usize>,
    /// Whether the same arguments may come again in a group, and must be told apart from new ones.
    pub(crate) distinct: bool,
}

/// A column of an aggregation's result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AggregateColumn {
    Group(usize),
    Function(usize),
}
