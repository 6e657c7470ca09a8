//! What an adversary that looks for decisions does to the network: what supports a decision elsewhere is late, and so is what follows from it.

use std::collections::BTreeSet;

use menard_value::Value;

use super::Simulator;
use crate::log::{Content, PacketId, narrow};
use crate::prepared::OUTSIDE;
use crate::random::Random;

/// What messages at a place say that say the same.
type Matter = (u32, u16, Option<Value>, Option<Value>);

/// How such an adversary treats the network in one run.
#[derive(Clone, Default, Debug)]
pub(super) struct Pounces {
    /// How often it still does.
    left: u32,
    /// How many of a hundred decisions it takes.
    percent: u32,
    /// How late messages are then, in ticks.
    late: u64,
    /// How many of a hundred of those that support the decision elsewhere.
    support: u32,
    /// How many of a hundred of those that follow from it.
    consequences: u32,
    /// What nodes have taken so far.
    taken: BTreeSet<Matter>,
}

impl Pounces {
    pub fn draw(random: &mut Random) -> Self {
        Pounces {
            left: *random.pick(&[1, 1, 2, 8]),
            percent: *random.pick(&[20, 50, 100]),
            late: *random.pick(&[300, 3_000, 30_000]),
            support: *random.pick(&[0, 50, 100, 100]),
            consequences: *random.pick(&[0, 70, 100, 100]),
            taken: BTreeSet::new(),
        }
    }
}

impl Simulator<'_> {
    /// A node took a step with what is in `group`, and sent the messages from `first` on.
    pub(super) fn pounce(&mut self, at: u32, first: PacketId, random: &mut Random) {
        self.strike_at_support(at, first, random);
        let timer = self.group[0];
        if let Some(adversary) = &mut self.adversary
            && self.world.log.packets[timer as usize].timer
        {
            adversary.tick(&mut self.world, timer);
        }
    }

    fn strike_at_support(&mut self, at: u32, first: PacketId, random: &mut Random) {
        if self.pounces.left == 0 || !self.matters(at, first) || !random.percent(self.pounces.percent) {
            return;
        }
        self.pounces.left -= 1;
        let Pounces { late, support, consequences, .. } = self.pounces;
        let log = &self.world.log;
        let supports = |packet: &PacketId| {
            let content = log.content(*packet);
            self.group.iter().map(|taken| log.content(*taken)).any(|taken| is_for_the_same(content, taken))
        };
        let elsewhere = self.world.flights.all().filter(|id| log.packets[*id as usize].destination != at);
        let mut hit: Vec<(PacketId, u32)> = elsewhere.filter(supports).map(|id| (id, support)).collect();
        let sent = first..narrow(log.packets.len());
        let is_inner = |id: &PacketId| log.packets[*id as usize].from != log.packets[*id as usize].to;
        hit.extend(sent.filter(is_inner).map(|id| (id, consequences)));
        hit.sort_unstable();
        for (packet, percent) in hit {
            if random.percent(percent) {
                self.stalled_until.insert(packet, self.now + late);
            }
        }
        if let Some(adversary) = &mut self.adversary {
            adversary.pounce(&mut self.world, &self.group);
        }
    }

    /// Whether a step was one that an outcome hangs on: it told somebody outside, or it sent something on a message of which the node had equal ones
    /// before.
    fn matters(&mut self, at: u32, first: PacketId) -> bool {
        let log = &self.world.log;
        let matter = |taken: &PacketId| {
            let Content { channel, args, .. } = log.content(*taken);
            (at, channel, args.first().cloned(), args.get(1).cloned())
        };
        let mut is_vote = false;
        for taken in &self.group {
            is_vote |= !self.pounces.taken.insert(matter(taken));
        }
        let mut sent = first..narrow(log.packets.len());
        !sent.is_empty() && (is_vote || sent.any(|id| log.packets[id as usize].destination == OUTSIDE))
    }
}

/// Whether two messages say the same, apart from who says it to whom.
fn is_for_the_same(one: Content<'_>, other: Content<'_>) -> bool {
    one.channel == other.channel && one.args.first() == other.args.first() && one.args.get(1) == other.args.get(1)
}
