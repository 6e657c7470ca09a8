//! Programs made executable, and the interpreter: one node, one step. Sans-I/O.
//!
//! [`lower`] turns a component of a checked program into a [`Plan`]; a [`Node`] runs it, `step(inputs) -> outputs`.

mod accumulator;
mod agenda;
mod aggregate;
mod display;
mod execute;
mod hash;
mod inspect;
mod io;
mod lower;
mod marks;
mod native;
mod node;
mod outbox;
mod plan;
mod router;
mod state;
mod store;
mod tuples;

pub use inspect::{Relation, Views};
pub use io::{Change, Inputs, MAX_FOLLOW_UPS, Outputs, Received, Sent};
pub use lower::lower;
pub use native::{Native, Natives, Wiring};
pub use node::{Counters, Node, RecoverError};
pub use plan::Plan;
pub use router::Router;

/// What the book says about functions of an embedding program compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../../book/src/language.md")]
struct LanguagePage;
