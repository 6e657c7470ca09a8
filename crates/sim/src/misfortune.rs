//! Which faults happen in a run, within what the program declares.

use menard_lang::ir::FaultKind;
use menard_lang::run::Struck;
use menard_value::Node;

use crate::log::narrow;
use crate::prepared::Prepared;
use crate::random::Random;

/// The faults of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Misfortune {
    /// Logical nodes that lose messages, with how many of a hundred.
    lossy: Vec<(Node, u32)>,
    /// Nodes that are corrupt from the start on.
    pub corrupt: Vec<Struck>,
    /// What is struck, each at a time in ticks.
    pub blows: Vec<(u64, Blow, Struck)>,
    /// What restarts do to messages.
    pub loss: Loss,
    /// How many of a hundred messages in flight from a node are lost when it crashes: what it had sent, and the network had not taken over.
    pub dies_with_it: u32,
}

/// Something that happens to a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Blow {
    /// It stops for ever.
    Crash,
    /// It loses its state and begins anew.
    Restart,
}

/// What becomes of messages when a node restarts.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Loss {
    /// How many of a hundred in flight from or to it are lost.
    pub lost: u32,
    /// How many of a hundred that it took lately arrive again; of earlier ones fewer.
    pub again: u32,
}

impl Misfortune {
    /// Draws the faults of a run in which external nodes send within `window` ticks. Half of the runs have none: only where nothing is lost
    /// can be seen whether everything was said that had to be. But what is to fail in every run does.
    pub fn draw(prepared: &Prepared, window: u64, random: &mut Random, fate: &mut Random) -> Self {
        let mut misfortune = Misfortune::default();
        let exactly = prepared.config.faulty.is_some();
        if !prepared.config.faults || prepared.faults.is_empty() || !exactly && random.percent(50) {
            return misfortune;
        }
        for fault in &prepared.faults {
            let nodes = prepared.roles[usize::from(fault.role)].nodes;
            let wanted = if exactly { fault.nodes.min(nodes) } else { some(fault.nodes.min(nodes), random) };
            for index in choose(nodes, wanted, random) {
                let node = Node { role: fault.role, index };
                match fault.kind {
                    FaultKind::Omission => misfortune.lossy.push((node, *random.pick(&[5, 30, 100]))),
                    FaultKind::Crash => {
                        misfortune.dies_with_it = *fate.pick(&[0, 0, 0, 0, 0, 0, 30, 100]);
                        misfortune.strike(node, window, Blow::Crash, random);
                    }
                    FaultKind::Restart => {
                        misfortune.loss.lost = *random.pick(&[0, 0, 30, 100]);
                        misfortune.loss.again = *random.pick(&[0, 0, 30, 100]);
                        for _ in 0..*random.pick(&[1, 1, 2, 4]) {
                            misfortune.strike(node, window, Blow::Restart, random);
                        }
                    }
                    FaultKind::Byzantine => misfortune.corrupt.push(corrupted(prepared, node, fate)),
                }
            }
        }
        misfortune
    }

    /// Strikes a logical node, sometimes some time after the last message. All its physical nodes are struck at once: they are one fault domain.
    fn strike(&mut self, node: Node, window: u64, blow: Blow, random: &mut Random) {
        self.blows.push((random.below(window + 200), blow, Struck::Whole(node)));
    }

    /// Whether a message between these nodes is lost. What a node sends to itself never is.
    pub fn loses(&self, from: Node, to: Node, random: &mut Random) -> bool {
        if from == to {
            return false;
        }
        let blamed = |(node, percent): &(Node, u32)| (*node == from || *node == to).then_some(*percent);
        match self.lossy.iter().filter_map(blamed).max() {
            Some(percent) => random.percent(percent),
            None => false,
        }
    }
}

/// A node is corrupt as a whole; sometimes, where it has several physical nodes, one of them is and the others are honest.
fn corrupted(prepared: &Prepared, node: Node, random: &mut Random) -> Struck {
    let whole = Struck::Whole(node);
    let places: Vec<u32> = prepared.places(&whole).collect();
    match places.len() > 1 && random.percent(20) {
        true => Struck::Part(prepared.addresses[*random.pick(&places) as usize].clone()),
        false => whole,
    }
}

/// Between one and `most`; none if that is 0.
fn some(most: u32, random: &mut Random) -> u32 {
    if most == 0 { 0 } else { 1 + narrow(random.index(most as usize)) }
}

/// So many distinct numbers below `count`.
fn choose(count: u32, wanted: u32, random: &mut Random) -> Vec<u32> {
    let wanted = wanted as usize;
    let mut all: Vec<u32> = (0..count).collect();
    for position in 0..wanted {
        let other = position + random.index(all.len() - position);
        all.swap(position, other);
    }
    all.truncate(wanted);
    all
}
