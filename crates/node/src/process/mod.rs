//! Logical nodes as processes: what one process does ([`node`]), what starts, kills and watches them ([`fleet`]), and the lines that they
//! say to each other ([`lines`]).

pub(crate) mod fleet;
mod lines;
mod node;

pub use fleet::Processes;
pub use node::NodeProcess;
