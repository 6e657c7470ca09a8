//! Programs made executable, and the interpreter: one node, one step. Sans-I/O.
//!
//! [`lower`] turns a component of a checked program into a [`Plan`]; a [`Node`] runs it, `step(inputs) -> outputs`.

mod io;

pub use io::{Inputs, Outputs, Received, Sent};
