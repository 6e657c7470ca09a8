//! Expressions.

use menard_value::{FunctionId, Interned, RecordType, UndefinedError, Value};

use super::Name;
use crate::source::Span;

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
