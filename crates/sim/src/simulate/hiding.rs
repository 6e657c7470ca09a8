//! What the network does in some runs with corrupt nodes: all messages of some kind are late for some nodes, until what comes after them is long over.
//! Messages are of one kind if they are on one channel and their first numbers are equal: a view, a slot, a round. Chance that decides for each
//! message by itself hides no certificate from all but one.

use menard_value::Node;

use crate::adversary::first_number;
use crate::log::Content;
use crate::random::{Random, mix};

/// Sets its chance apart from others.
const STREAM: u64 = 0x6869_6465;
/// In so many of a hundred runs something is hidden.
const HIDES: u32 = 50;

/// What is hidden in a run.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Hiding {
    salt: u64,
    /// How many of a hundred kinds of messages are late.
    kinds: u32,
    /// How many of a hundred nodes they are late for.
    nodes: u32,
    /// How late they are, in ticks.
    late: u64,
}

impl Hiding {
    /// Of most runs nothing is hidden.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(mix(seed ^ STREAM));
        if !random.percent(HIDES) {
            return Hiding::default();
        }
        Hiding {
            salt: random.bits(),
            kinds: *random.pick(&[10, 30, 50]),
            nodes: *random.pick(&[50, 80, 100]),
            late: *random.pick(&[300, 3_000, 30_000]),
        }
    }

    /// How much later this message is.
    pub fn delay(&self, content: Content<'_>) -> u64 {
        let Content { channel, to, args, .. } = content;
        if self.kinds == 0 {
            return 0;
        }
        let number = args.iter().find_map(first_number).unwrap_or_default();
        let kind = mix(self.salt ^ mix(u64::from(channel)) ^ number.cast_unsigned());
        let Node { role, index } = to;
        let node = mix(kind ^ (u64::from(role) << 32) ^ u64::from(index));
        let is_hidden = kind % 100 < u64::from(self.kinds) && node % 100 < u64::from(self.nodes);
        if is_hidden { self.late } else { 0 }
    }
}
