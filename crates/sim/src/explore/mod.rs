//! Small scopes, exhaustively: everything that can happen, each state once.
//!
//! What can happen is the delivery of messages, in every order and in every grouping into steps, and the repetition of held messages. Timers
//! fire at any time, but at each node only [`MAX_FIRINGS`] times, since one that sets itself again would go on for ever. Losses and crashes need no transitions of their own: to everything that properties speak of, a message that is lost, or sent to a node that
//! has crashed, is one that has not arrived yet. Restarts and Byzantine nodes are not explored.

mod inclusion;
mod lifts;
mod search;
mod system;

pub use inclusion::{Inclusion, includes};
pub use lifts::{LiftExploration, explore_lifts};
pub use search::{Exploration, explore};

/// In exhaustive search, timers fire so often at each physical node.
pub const MAX_FIRINGS: u8 = system::MAX_FIRINGS;

use menard_lang::run::Message;

/// How messages that wait for the same node are grouped into steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Groups {
    /// One message a step.
    Singles,
    /// Every non-empty selection of what waits.
    All,
}

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Scope {
    /// What external nodes send; [`crate::Prepared::sample_requests`] makes some up.
    pub requests: Vec<Message>,
    /// How messages are grouped.
    pub groups: Groups,
    /// The search gives up after so many distinct states.
    pub max_states: usize,
}
