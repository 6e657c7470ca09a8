//! Rules: heads, bodies, and when heads take effect.

use menard_value::Type;

use super::{Expr, Name};
use crate::source::Span;

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

impl Literal {
    /// The relation literal, if it is one.
    pub fn as_atom(&self) -> Option<&Atom> {
        match self {
            Literal::Atom(atom) => Some(atom),
            Literal::Compare { .. } | Literal::Bind { .. } | Literal::In { .. } => None,
        }
    }
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
