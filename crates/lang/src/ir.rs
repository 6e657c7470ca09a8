//! The intermediate representation: a program as structure, by names.
//!
//! Names, not numbers: rewrites move rules and relations between components, and a moved rule should still say what it
//! said. Channels are global; every other relation belongs to one component. What [`crate::check`] finds out (kinds and
//! types of relations, types of variables, strata) is stored in the same structure, and every program that exists outside
//! of this crate's checker has it: a rewrite prints its result and checks the text anew.

mod channel;
mod component;
mod expr;
mod rule;

use menard_value::{FunctionId, Type, Value};
use smol_str::SmolStr;

pub use self::channel::{Channel, Delay, Unit};
pub use self::component::{Component, Keyed, Policy, Relation, RelationKind, Storage};
pub use self::expr::{Constructor, Expr, ExprKind};
pub use self::rule::{Aggregate, Atom, Comparison, Head, HeadArg, Literal, Rule, RuleKind};
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

impl Role {
    /// Whether its nodes run something else than rules: it is external or native.
    pub fn is_foreign(&self) -> bool {
        self.external || self.native
    }
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
