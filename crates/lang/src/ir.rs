//! The intermediate representation: a program as structure, by names.
//!
//! Names, not numbers: rewrites move rules and relations between components, and a moved rule should still say what it
//! said. Channels are global; every other relation belongs to one component. What [`crate::check`] finds out (kinds and
//! types of relations, types of variables, strata) is stored in the same structure, and every program that exists outside
//! of this crate's checker has it: a rewrite prints its result and checks the text anew.

use menard_value::{FunctionId, Interned, RecordType, Type, UndefinedError, Value};
use smol_str::SmolStr;

use crate::source::{Source, Span};

/// A name in a program.
pub type Name = SmolStr;

/// A whole program.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// `protocol NAME`.
    pub name: Name,
    /// The text that spans refer to.
    pub source: Source,
    /// Parameters, with the values that hold for this program.
    pub params: Vec<Param>,
    /// Types of records; each is made of simple types and of those before it.
    pub records: Vec<Record>,
    /// Functions of the program that embeds this one.
    pub externs: Vec<Extern>,
    /// Roles: the logical nodes, which are also the fault domains. Rewrites never change this list.
    pub roles: Vec<Role>,
    /// Channels: the relations that cross nodes.
    pub channels: Vec<Channel>,
    /// What may go wrong.
    pub faults: Vec<Fault>,
    /// Components: the rules that run on one physical node. A role starts with one component, of the role's name; rewrites add more.
    pub components: Vec<Component>,
}

/// `param NAME: TYPE = VALUE`.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// The value that holds: the default of the text unless it was overridden.
    pub value: Value,
    /// Where it is declared.
    pub span: Span,
}

/// `record NAME(FIELDS)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// The type that it declares.
    pub ty: Type,
    /// Where it is declared.
    pub span: Span,
}

/// `extern fn NAME(PARAMETERS) -> RESULT`.
#[derive(Clone, PartialEq, Debug)]
pub struct Extern {
    /// Its name.
    pub name: Name,
    /// What it takes.
    pub parameters: Vec<Column>,
    /// What it gives.
    pub result: Type,
    /// Whether different arguments always give different results.
    pub injective: bool,
    /// How long a call takes: a number of units. For estimates only.
    pub cost: Option<(u64, Unit)>,
    /// The function.
    pub function: FunctionId,
    /// Where it is declared.
    pub span: Span,
}

/// `role NAME[COUNT] external`.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// The number of its nodes as written; `None` if the text gives none, which means one node, or for an external role any number.
    pub count: Option<Expr>,
    /// The number of its nodes; 0 for an external role without a count: any number.
    pub nodes: u32,
    /// Whether it is outside of the program: never rewritten, may be any program.
    pub external: bool,
    /// Whether its nodes are a Rust component with typed channels (a state machine, a disk) instead of rules: never rewritten, but part of
    /// the program, which counts them and may address them.
    pub native: bool,
    /// Where it is declared.
    pub span: Span,
}

/// `channel NAME(COLUMNS) SENDER -> RECEIVER by KEY`.
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    /// Its name.
    pub name: Name,
    /// Its columns, all with declared types.
    pub columns: Vec<Column>,
    /// The component that sends on it, or an external role.
    pub sender: Name,
    /// The component that receives it, or an external role. Rules address messages to logical nodes; this says which component of the
    /// node gets them.
    pub receiver: Name,
    /// Where the receiver has several partitions: the key, expressions over the columns' names, whose
    /// [`menard_value::partition_hash`] modulo the number of partitions picks the partition. Empty otherwise.
    pub by: Vec<Expr>,
    /// Of a timer, a message from a logical node to itself: how long it takes at least, by the node's own clock. It does not survive a
    /// restart of the node.
    pub delay: Option<Delay>,
    /// Whether a step takes at most one message of it.
    pub serial: bool,
    /// The columns that the MAC of a message covers, all different; empty: all. Whoever is on the wire may change the others.
    pub authenticated: Vec<Name>,
    /// Where it is declared.
    pub span: Span,
}

/// `after EXPR ms`.
#[derive(Clone, PartialEq, Debug)]
pub struct Delay {
    /// As written, in the unit that is written.
    pub amount: Expr,
    /// The unit that is written.
    pub unit: Unit,
    /// The time that it takes, in microseconds.
    pub micros: u64,
}

/// A unit of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unit {
    /// `us`
    Microseconds,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
}

/// A column of a relation.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name; inferred relations have the names of the variables of their first rule, or `_1`, `_2`.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}

/// A kind of fault. They are different declarations because preconditions proved for one need not hold for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FaultKind {
    /// A node may fail to send or to receive some messages.
    Omission,
    /// A node may stop for ever.
    Crash,
    /// A node may stop and start again without its volatile state.
    Restart,
    /// A node may do anything that its keys allow.
    Byzantine,
}

/// `fault KIND COUNT of ROLE`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What may happen.
    pub kind: FaultKind,
    /// To how many nodes, as written.
    pub count: Expr,
    /// To how many nodes of the role at most.
    pub nodes: u32,
    /// Of which role.
    pub role: Name,
    /// Where it is declared.
    pub span: Span,
}

/// The rules that run on one physical node, or, partitioned, on several with the same rules.
#[derive(Clone, PartialEq, Debug)]
pub struct Component {
    /// Its name, unique in the program. The component that has its role's name is the one that external roles address.
    pub name: Name,
    /// The role whose fault domain it belongs to.
    pub role: Name,
    /// The number of partitions as written; `None` for an unpartitioned component.
    pub count: Option<Expr>,
    /// The number of partitions, at least 1.
    pub parts: u32,
    /// Its relations, other than channels, in the order in which they are declared or first derived.
    pub relations: Vec<Relation>,
    /// Its rules, in the order of the text.
    pub rules: Vec<Rule>,
    /// Names of relations derived by this component's `:-` rules, in evaluation order: each group is one strongly connected component of
    /// the dependency graph over `:-` rules, and comes after all groups that it reads.
    pub strata: Vec<Vec<Name>>,
    /// Where it is declared.
    pub span: Span,
}

/// What kind of relation it is (architecture, semantics of a step).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RelationKind {
    /// Persists until deleted.
    Table,
    /// Derived from tables and constants only: holds as long as its body does.
    View,
    /// Holds in single steps: derived from a channel, from `new`, from `start()`, or filled by `:+`.
    Event,
}

/// A relation of a component.
#[derive(Clone, PartialEq, Debug)]
pub struct Relation {
    /// Its name, unique in its component, and not that of a channel or role.
    pub name: Name,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its kind.
    pub kind: RelationKind,
    /// Of a table: what is special about it.
    pub storage: Storage,
    /// Whether the text declares it (`table`, `event`, `view`); undeclared ones are inferred from their use.
    pub declared: bool,
    /// Where it is declared or first derived.
    pub span: Span,
}

/// How a table keeps its facts.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Storage {
    /// `table r(k => v) POLICY`: at most one fact for each key.
    pub key: Option<Keyed>,
    /// `durable table`: a restart keeps its facts.
    pub durable: bool,
    /// `window table r(n, ...) above LOW`: the keyed table of one integer, without a key and with [`Policy::Max`], at or below which no
    /// fact exists, by its first column.
    pub above: Option<Name>,
}

/// A key: the facts of a table differ in their first columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keyed {
    /// How many columns are the key; the others are its value.
    pub columns: usize,
    /// Which fact stays.
    pub policy: Policy,
}

/// Which of several facts with the same key holds. The candidates of a step are what `:-` derives in it and what `:+` derived in the step
/// before; values are compared column by column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Policy {
    /// The one that is there, else the candidate of least value.
    First,
    /// The greatest of the one that is there and the candidates.
    Max,
    /// The candidate of least value, if there is one.
    Replace,
}

/// When the head of a rule takes effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RuleKind {
    /// `:-` in this step.
    Now,
    /// `:+` from the next step on.
    Next,
    /// `:~` at another node, later.
    Async,
}

/// A rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// `delete r(...) :+ ...`: the facts that match leave the table for the next step. Always [`RuleKind::Next`].
    pub delete: bool,
    /// The head.
    pub head: Head,
    /// When it takes effect.
    pub kind: RuleKind,
    /// The body, in the order of the text.
    pub body: Vec<Literal>,
    /// The types of its variables, in order of first occurrence in the body.
    pub variables: Vec<(Name, Type)>,
    /// The whole rule.
    pub span: Span,
}

/// The head of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Head {
    /// The relation.
    pub relation: Name,
    /// One for each column.
    pub args: Vec<HeadArg>,
    /// `@NODE` of an asynchronous rule: the logical node addressed. Never an aggregate; a group argument of the head's aggregates.
    pub at: Option<Expr>,
    /// The head without `@`.
    pub span: Span,
}

/// An argument of a head.
#[derive(Clone, PartialEq, Debug)]
pub enum HeadArg {
    /// A value; a wildcard only in the head of a delete rule, where it matches anything.
    Expr(Expr),
    /// An aggregate over the solutions of the body that agree on all arguments of the head that are not aggregates, and on the
    /// destination ([`Head::at`]) if there is one.
    Aggregate {
        /// Which.
        function: Aggregate,
        /// Of what: for `count` any number of expressions (none: all solutions), for `index` any number, otherwise one or two.
        args: Vec<Expr>,
        /// Where.
        span: Span,
    },
}

/// An aggregate function, applied to each group of solutions: those with equal values of the head's other arguments *and* of its
/// destination, so that each node addressed gets an aggregate of its own. An empty group gives no fact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aggregate {
    /// The number of distinct tuples of its arguments; without arguments, of distinct solutions of the body's named variables.
    Count,
    /// The sum of its argument over the distinct solutions of the body's named variables. Overflow: the group gives no fact.
    Sum,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// Of a measure and a value: the value of greatest measure, of several the least.
    ArgMax,
    /// The value of least measure, of several the least.
    ArgMin,
    /// The distinct values, ascending.
    List,
    /// The distinct values.
    Set,
    /// Of a key and a value: the map, with the least value of each key.
    Map,
    /// Of a number and a value: that many of the distinct values, ascending; no fact while there are fewer. Over events they are the
    /// least. Over state they stay the same for as long as all of them are there; otherwise they are those that were there in the step
    /// before, then the others, the least first.
    Quorum,
    /// One of the values, the same for equal sets of values; which one is up to the world.
    Choose,
    /// The position, from 0, of the other arguments of the head among all that the rule derives in the step, in the order of its
    /// own arguments (of several, the least) and then of the others. It makes no groups, and stands alone.
    Index,
}

/// A literal of a body.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// A relation.
    Atom(Atom),
    /// `LEFT OP RIGHT`: a test.
    Compare {
        /// The comparison.
        op: Comparison,
        /// Its left side.
        left: Expr,
        /// Its right side.
        right: Expr,
        /// Where.
        span: Span,
    },
    /// `VARIABLE = EXPR`: names a value.
    Bind {
        /// The variable that it binds.
        variable: Name,
        /// Its value.
        value: Expr,
        /// Where.
        span: Span,
    },
    /// `ELEMENT in COLLECTION`: a list, a set, a map (of pairs) or an option has this member. A variable that nothing else binds ranges
    /// over the distinct members.
    In {
        /// The member.
        element: Expr,
        /// What it is in.
        collection: Expr,
        /// `!(ELEMENT in COLLECTION)`: it is not.
        negated: bool,
        /// Where.
        span: Span,
    },
}

/// A relation in a body.
#[derive(Clone, PartialEq, Debug)]
pub struct Atom {
    /// `!`: holds if no fact matches.
    pub negated: bool,
    /// `new`: holds in the step in which the fact begins to hold.
    pub new: bool,
    /// A channel that this component receives, a relation of this component, a role (the constant relation of its nodes), or `start`
    /// (holds in a node's first step).
    pub relation: Name,
    /// One for each column.
    pub args: Vec<Expr>,
    /// `from NODE`: the logical node that sent it; channels only.
    pub from: Option<Expr>,
    /// `to NODE`: the logical node that it was sent to; only in properties.
    pub to: Option<Expr>,
    /// The whole literal.
    pub span: Span,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// An expression with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A variable.
    Variable(Name),
    /// `_`
    Wildcard,
    /// A literal value.
    Constant(Value),
    /// A parameter.
    Param(Name),
    /// `me`: the logical node that runs the rule.
    Me,
    /// A function or operator.
    Call(FunctionId, Vec<Expr>),
    /// A value made of others.
    Construct(Constructor, Vec<Expr>),
    /// `VALUE.NAME`: a field of a record or, by its position, of a tuple.
    Field {
        /// The record or tuple.
        value: Box<Expr>,
        /// The name as it is written.
        name: Name,
        /// Which field that is, from 0.
        position: usize,
    },
}

/// What values are made of others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Constructor {
    /// `[x, y]`
    List,
    /// `(x, y)`
    Tuple,
    /// `name { a: x, b: y }`: the fields in the order of the type.
    Record(Interned<RecordType>),
}

impl Constructor {
    /// The value made of these; undefined if it is too large.
    pub fn apply(self, parts: &[Value]) -> Result<Value, UndefinedError> {
        match self {
            Constructor::List => Value::list(parts),
            Constructor::Tuple => Value::tuple(parts),
            Constructor::Record(record) => Value::record(record, parts),
        }
    }
}

impl Program {
    /// The component with this name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The channel with this name.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// The role with this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The position of a role, which is what [`menard_value::Node::role`] holds.
    pub fn role_index(&self, name: &str) -> Option<u16> {
        self.roles.iter().position(|role| role.name == name).and_then(|index| u16::try_from(index).ok())
    }

    /// The parameter with this name.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// The number of physical nodes: over all components, nodes of the role times partitions, and the nodes of native roles.
    pub fn physical_nodes(&self) -> u32 {
        let nodes = |component: &Component| self.role(&component.role).map_or(0, |role| role.nodes) * component.parts;
        let native = self.roles.iter().filter(|role| role.native).map(|role| role.nodes);
        self.components.iter().map(nodes).chain(native).sum()
    }
}

impl Role {
    /// Whether its nodes run something else than rules: it is external or native.
    pub fn is_foreign(&self) -> bool {
        self.external || self.native
    }
}

impl Channel {
    /// Whether it is written as a timer of a component: a delayed message to itself, that no key leads to another partition.
    pub fn is_local_timer(&self) -> bool {
        self.delay.is_some() && self.sender == self.receiver && self.by.is_empty() && !self.serial
    }
}

impl Unit {
    /// All units.
    pub const ALL: [Unit; 3] = [Unit::Microseconds, Unit::Milliseconds, Unit::Seconds];

    /// The name in Dedalus text.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Microseconds => "us",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
        }
    }

    /// The unit with this name.
    pub fn from_name(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// How many microseconds it has.
    pub fn micros(self) -> u64 {
        match self {
            Unit::Microseconds => 1,
            Unit::Milliseconds => 1_000,
            Unit::Seconds => 1_000_000,
        }
    }
}

impl Policy {
    /// All policies.
    pub const ALL: [Policy; 3] = [Policy::First, Policy::Max, Policy::Replace];

    /// The name in Dedalus text.
    pub fn name(self) -> &'static str {
        match self {
            Policy::First => "first",
            Policy::Max => "max",
            Policy::Replace => "replace",
        }
    }

    /// The policy with this name.
    pub fn from_name(name: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

impl Storage {
    /// Whether the facts of a table are more than what rules say: keyed tables and windows lose facts without a deletion.
    pub fn is_selective(&self) -> bool {
        self.key.is_some() || self.above.is_some()
    }
}

impl Component {
    /// The relation of this component with this name.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}

impl Literal {
    /// The relation literal, if it is one.
    pub fn as_atom(&self) -> Option<&Atom> {
        match self {
            Literal::Atom(atom) => Some(atom),
            Literal::Compare { .. } | Literal::Bind { .. } | Literal::In { .. } => None,
        }
    }
}
