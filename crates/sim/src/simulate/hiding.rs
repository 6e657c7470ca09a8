//! What the network does in some runs with corrupt nodes: all messages of some kind are late for some nodes, until what comes after them is long over.
//! Messages are of one kind if they are on one channel and their first numbers are equal: a view, a slot, a round. In other runs, all messages on one channel that liars hear are late. Chance that decides for each
//! message by itself hides no certificate from all but one.

use menard_value::Node;

use crate::adversary::{first_number, heard_channels};
use crate::log::Content;
use crate::random::{Random, mix};
use crate::world::World;

/// Sets its chance apart from others.
const STREAM: u64 = 0x6869_6465;
/// In so many of a hundred runs something is hidden.
const HIDES: u32 = 60;
/// In so many of a hundred of these, what is on one channel.
const ONE_CHANNEL: u32 = 66;
/// What is hidden so arrives when the run comes to rest.
pub(super) const AT_REST: u64 = u64::MAX;

/// Which messages are of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kinds {
    /// None: nothing is hidden.
    None,
    /// Those on one channel that have the same first number; so many of a hundred such kinds are late.
    Epochs(u32),
    /// Those on this channel.
    Channel(u16),
}

/// What is hidden in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hiding {
    salt: u64,
    kinds: Kinds,
    /// How many of a hundred nodes they are late for.
    nodes: u32,
    /// How late they are, in ticks.
    late: u64,
}

impl Default for Hiding {
    fn default() -> Self {
        Hiding { salt: 0, kinds: Kinds::None, nodes: 0, late: 0 }
    }
}

impl Hiding {
    /// What is hidden in the run of this seed, in which some nodes are corrupt.
    pub fn draw(world: &World<'_>, seed: u64) -> Self {
        let mut random = Random::new(mix(seed ^ STREAM));
        if !random.percent(HIDES) {
            return Hiding::default();
        }
        let channels = heard_channels(world);
        let kinds = match random.percent(ONE_CHANNEL) && !channels.is_empty() {
            true => Kinds::Channel(*random.pick(&channels)),
            false => Kinds::Epochs(*random.pick(&[10, 30, 50])),
        };
        Hiding {
            salt: random.bits(),
            kinds,
            nodes: *random.pick(&[50, 80, 100, 100]),
            late: *random.pick(&[300, 3_000, 30_000, AT_REST]),
        }
    }

    /// How much later this message is.
    pub fn delay(&self, content: Content<'_>) -> u64 {
        let Content { channel, to, args, .. } = content;
        let number = || args.iter().find_map(first_number).unwrap_or_default();
        let kind = match self.kinds {
            Kinds::None => return 0,
            Kinds::Channel(hidden) if hidden != channel => return 0,
            Kinds::Channel(_) => self.salt,
            Kinds::Epochs(percent) => {
                let kind = mix(self.salt ^ mix(u64::from(channel)) ^ number().cast_unsigned());
                if kind % 100 >= u64::from(percent) {
                    return 0;
                }
                kind
            }
        };
        let Node { role, index } = to;
        let node = mix(kind ^ (u64::from(role) << 32) ^ u64::from(index));
        if node % 100 < u64::from(self.nodes) { self.late } else { 0 }
    }
}
