//! What a run is made of, apart from its seed.

use std::collections::BTreeSet;

use menard_lang::Program;
use menard_lang::ir::{Channel, FaultKind, Name};

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
    /// What fails in every run, whatever the program declares: then nothing else fails.
    pub faulty: Option<Vec<Faulty>>,
    /// How many of a hundred requests are one that was sent before, sent again.
    pub resend_percent: u32,
    /// How many of a hundred fresh identifiers are one that the same client has used before.
    pub reuse_percent: u32,
    /// The ways in which adversaries of corrupt nodes lie.
    pub layers: Vec<Layer>,
    /// For studies: channels whose receivers take messages that are for another partition, which they drop otherwise.
    pub without_message_verification: Vec<Name>,
    /// For studies: columns, by channel and position, that MACs do not cover, besides those of which the program says so.
    pub without_authentication: Vec<(Name, usize)>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            requests: 10,
            clients: 2,
            max_steps: 2_000,
            faults: true,
            faulty: None,
            resend_percent: 10,
            reuse_percent: 3,
            layers: Layer::ALL.to_vec(),
            without_message_verification: Vec::new(),
            without_authentication: Vec::new(),
        }
    }
}

impl Config {
    /// Whether receivers of a channel take whatever comes, for themselves or for another partition.
    pub(crate) fn trusts(&self, channel: &Name) -> bool {
        self.without_message_verification.contains(channel)
    }

    /// The columns of a channel that MACs do not cover, in order.
    pub(crate) fn uncovered(&self, channel: &Channel) -> Vec<usize> {
        let exposed = self.without_authentication.iter().filter(|(name, _)| *name == channel.name);
        let all: BTreeSet<usize> = channel.uncovered().into_iter().chain(exposed.map(|(_, column)| *column)).collect();
        all.into_iter().collect()
    }
}

/// Nodes that fail in every run, chosen anew for each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faulty {
    /// How they fail.
    pub kind: FaultKind,
    /// How many, neither more nor fewer.
    pub nodes: u32,
    /// The role that they are of; the program has it, with as many nodes at least.
    pub role: Name,
}

impl Faulty {
    /// How many nodes of the role may fail so by what a program declares. What may be Byzantine may crash.
    pub fn declared(kind: FaultKind, role: &str, program: &Program) -> u32 {
        let covers =
            |declared: FaultKind| declared == kind || (declared, kind) == (FaultKind::Byzantine, FaultKind::Crash);
        let declared = program.faults.iter().filter(|fault| fault.role == *role && covers(fault.kind));
        declared.map(|fault| fault.nodes).max().unwrap_or(0)
    }

    /// Whether the program declares fewer.
    pub(crate) fn is_too_much_for(&self, program: &Program) -> bool {
        self.nodes > Faulty::declared(self.kind, &self.role, program)
    }
}
