//! Components: the rules that run on one physical node, and the relations that they are about.

use super::{Column, Expr, Name, Rule};
use crate::source::Span;

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

impl Component {
    /// The relation of this component with this name.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
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

impl Storage {
    /// Whether the facts of a table are more than what rules say: keyed tables and windows lose facts without a deletion.
    pub fn is_selective(&self) -> bool {
        self.key.is_some() || self.above.is_some()
    }
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
