//! The board of bugs: protocols with a bug that was published, or that anybody could make, each with its fix, and what the simulator is
//! expected to find.
//!
//! A bug is a folder `bugs/NAME` with `buggy.ded`, `fixed.ded`, which has as few other lines as possible, `properties.ded`, which is of both, and
//! `expect.toml`. The simulator gets no hints: nothing in these texts says when to lose what, or what a liar should say.

mod catalog;
mod clock;
mod entry;
mod expectation;
mod hunt;
mod median;

pub use catalog::Catalog;
pub use entry::{Entry, Row, shortest};
pub use hunt::{BAR_S, Hunt};
