//! Channels, and the delays of timers.

use super::{Column, Expr, Name};
use crate::source::Span;

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

impl Channel {
    /// Whether it is written as a timer of a component: a delayed message to itself, that no key leads to another partition.
    pub fn is_local_timer(&self) -> bool {
        self.delay.is_some() && self.sender == self.receiver && self.by.is_empty() && !self.serial
    }
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
