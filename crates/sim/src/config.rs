//! What a run is made of, apart from its seed.

use menard_lang::ir::Name;

use crate::Layer;

/// The size of runs and what may happen in them. The rest, down to how slow the network is and which node loses messages, is drawn from
/// the seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Messages that external nodes send in a run, all channels together.
    pub requests: u32,
    /// Nodes of an external role whose number the program leaves open.
    pub clients: u32,
    /// A run ends after so many steps even if messages are still in flight: a program may talk for ever.
    pub max_steps: u32,
    /// Whether the faults that the program declares happen (in about half of the runs, to at most the declared number of nodes).
    pub faults: bool,
    /// How many of a hundred requests are one that was sent before, sent again.
    pub resend_percent: u32,
    /// How many of a hundred fresh identifiers are one that the same client has used before.
    pub reuse_percent: u32,
    /// The ways in which adversaries of corrupt nodes lie.
    pub layers: Vec<Layer>,
    /// For studies: channels whose receivers take messages that are for another partition, which they drop otherwise.
    pub without_message_verification: Vec<Name>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            requests: 10,
            clients: 2,
            max_steps: 2_000,
            faults: true,
            resend_percent: 10,
            reuse_percent: 3,
            layers: Layer::ALL.to_vec(),
            without_message_verification: Vec::new(),
        }
    }
}

impl Config {
    /// Whether receivers of a channel take whatever comes, for themselves or for another partition.
    pub(crate) fn trusts(&self, channel: &Name) -> bool {
        self.without_message_verification.contains(channel)
    }
}
