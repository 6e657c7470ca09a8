//! The board of bugs: protocols with a bug that was published, or that anybody could make, each with its fix, and what the simulator is
//! expected to find.
//!
//! A bug is a folder `bugs/NAME` with `buggy.ded`, `fixed.ded`, which has as few other lines as possible, `properties.ded`, which is of both, and
//! `expect.toml`. The simulator gets no hints: nothing in these texts says when to lose what, or what a liar should say.
//!
//! Bugs of a rewrite that leaves out a precondition are in a folder `bugs/preconditions/REWRITE`, with programs that show them.

mod catalog;
mod clock;
mod entry;
mod expectation;
mod family;
mod hunt;
mod median;
mod mutant;
mod rules;

pub use catalog::{Catalog, PRECONDITIONS};
pub use entry::{Entry, Row, shortest};
pub use family::{Family, FamilyRow};
pub use hunt::{BAR_S, Hunt};
pub use mutant::{Fate, Mutant};
pub use rules::RUNS_FOR_ALL_RULES;
