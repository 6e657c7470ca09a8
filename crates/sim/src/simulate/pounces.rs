//! What an adversary that looks for decisions does to the network. When a correct node has done something that matters, that on which it hangs is late
//! elsewhere, and so is what follows from it; or somebody is cut off: who has done it, those whose word it hangs on, or who leads.

use std::collections::BTreeSet;

use menard_value::Node;

use super::{Chance, Happening, Simulator};
use crate::adversary::Layer;
use crate::cuts;
use crate::log::{Content, Entry, PacketId, digest, narrow};
use crate::prepared::OUTSIDE;
use crate::random::{Random, mix};
use crate::support::Support;

/// In so many of a hundred runs whose liars do not look for decisions the network does.
const OF_OTHER_LAYERS: u32 = 20;

/// In so many of a hundred runs whose liars do, what decisions hang on is derived, which takes time.
const DERIVES: u32 = 20;

/// How the network is treated in one run.
#[derive(Clone, Default, Debug)]
pub(super) struct Pounces {
    /// How often it still happens.
    left: u32,
    /// How many of a hundred decisions it takes.
    percent: u32,
    /// How late messages are then, in ticks.
    late: u64,
    /// How many of a hundred of those that support the decision elsewhere.
    support: u32,
    /// How many of a hundred of those that follow from it.
    consequences: u32,
    /// Whether the support of the next decision is derived; if not, it is what says the same as the messages of its step.
    derives: bool,
    /// Whether only the last message of the support is late: with it a threshold was reached.
    only_last: bool,
    /// Who is cut off.
    isolated: Option<Isolated>,
    /// How many timers of correct nodes fire before the network is whole again.
    patience: u32,
    /// How many of these still have to.
    until_whole: u32,
    /// What nodes have taken so far: hashes of the place, the channel and the first two columns. Messages that say the same agree in these.
    taken: BTreeSet<u64>,
    scratch: Vec<u8>,
}

/// Who is cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Isolated {
    /// The node that has done what matters.
    Doer,
    /// It, and the nodes on whose word it has.
    Supporters,
    /// A node through which most goes.
    Leader,
    /// Such a node, and some others of its role.
    LeaderAndSome,
}

impl Pounces {
    pub fn draw(random: &mut Random, layer: Layer) -> Self {
        let is_lineage = layer == Layer::Lineage;
        if !is_lineage && !random.percent(OF_OTHER_LAYERS) {
            return Pounces::default();
        }
        const ALL: [Isolated; 4] = [Isolated::Doer, Isolated::Supporters, Isolated::Leader, Isolated::LeaderAndSome];
        let isolates = !is_lineage || random.percent(30);
        Pounces {
            left: *random.pick(&[1, 1, 2, 8]),
            percent: *random.pick(&[20, 50, 100]),
            late: *random.pick(&[300, 3_000, 30_000]),
            support: *random.pick(&[0, 50, 100, 100]),
            consequences: *random.pick(&[0, 70, 100, 100]),
            derives: is_lineage && random.percent(DERIVES),
            only_last: random.percent(30),
            isolated: isolates.then(|| *random.pick(&ALL)),
            patience: *random.pick(&[1, 3, 8]),
            until_whole: 0,
            taken: BTreeSet::new(),
            scratch: Vec::new(),
        }
    }
}

impl Simulator<'_> {
    /// A node took a turn with what is in `group`, and sent the messages from `first` on.
    pub(super) fn pounce(&mut self, at: u32, first: PacketId, chance: &mut Chance) {
        let end = narrow(self.world.log.packets.len());
        self.expose(at, first..end, chance);
        if self.pounces.left > 0 && self.matters(at, first) && chance.more.percent(self.pounces.percent) {
            self.pounces.left -= 1;
            self.seize(at, first..end, &mut chance.more);
        }
        let timer = self.group[0];
        if self.world.log.packets[timer as usize].timer {
            self.tick(timer);
        }
    }

    /// A timer of a correct node has fired.
    fn tick(&mut self, timer: PacketId) {
        if self.pounces.until_whole > 0 {
            self.pounces.until_whole -= 1;
            if self.pounces.until_whole == 0 {
                self.heal();
            }
        }
        if let Some(adversary) = &mut self.adversary {
            adversary.tick(&mut self.world, timer);
        }
    }

    /// Takes away what a step hangs on, which sent these messages.
    fn seize(&mut self, at: u32, sent: std::ops::Range<PacketId>, random: &mut Random) {
        let Pounces { late, consequences, .. } = self.pounces;
        let support = self.support(at, sent.clone());
        let packets = &self.world.log.packets;
        let is_inner = |id: &PacketId| packets[*id as usize].from != packets[*id as usize].to;
        let mut hit = self.elsewhere(at, &support);
        hit.extend(sent.filter(is_inner).map(|id| (id, consequences)));
        for (packet, percent) in hit {
            if random.percent(percent) {
                self.stalled_until.insert(packet, self.now + late);
            }
        }
        self.isolate(at, &support, random);
        if let Some(adversary) = &mut self.adversary {
            let support: Vec<PacketId> = support.all.into_iter().collect();
            adversary.pounce(&mut self.world, &support);
        }
        self.pounces.derives = false;
    }

    /// What the messages that a step sent hang on: what they tell outside, if they do.
    fn support(&self, at: u32, mut sent: std::ops::Range<PacketId>) -> Support {
        let taken: BTreeSet<PacketId> = self.group.iter().copied().collect();
        let taken = Support { direct: taken.clone(), all: taken };
        if !self.pounces.derives {
            return taken;
        }
        let packets = &self.world.log.packets;
        let told = sent.clone().find(|id| packets[*id as usize].destination == OUTSIDE);
        let goal = told.or_else(|| sent.find(|id| packets[*id as usize].destination != at));
        let support = goal.map(|goal| Support::of(&self.world, goal)).unwrap_or_default();
        if support.direct.is_empty() { taken } else { support }
    }

    /// The messages in flight to other places that support the same, with how many of a hundred of them are late.
    fn elsewhere(&self, at: u32, support: &Support) -> BTreeSet<(PacketId, u32)> {
        let log = &self.world.log;
        let supports = |packet: &PacketId| {
            let content = log.content(*packet);
            support.direct.iter().map(|taken| log.content(*taken)).any(|taken| is_for_the_same(content, taken))
        };
        let waiting: BTreeSet<PacketId> = match (self.pounces.derives, self.pounces.only_last) {
            (false, _) => self.world.flights.all().filter(supports).collect(),
            (true, false) => support.copies(&self.world),
            (true, true) => support.last().copies(&self.world),
        };
        let elsewhere = waiting.into_iter().filter(|id| log.packets[*id as usize].destination != at);
        elsewhere.map(|id| (id, self.pounces.support)).collect()
    }

    /// Cuts off who is to be cut off, until some timers have fired, or for as long as messages are late. Liars reach everybody on their side of the
    /// cut, which is the larger one.
    fn isolate(&mut self, at: u32, support: &Support, random: &mut Random) {
        let Some(isolated) = self.pounces.isolated.filter(|_| self.side.is_empty()) else { return };
        let doer = self.world.prepared.addresses[at as usize].node;
        let side: BTreeSet<Node> = match isolated {
            Isolated::Doer => BTreeSet::from([doer]),
            Isolated::Supporters => {
                let packets = &self.world.log.packets;
                let inner = support.direct.iter().map(|id| &packets[*id as usize]).filter(|by| by.origin != OUTSIDE);
                inner.map(|packet| packet.from).chain([doer]).collect()
            }
            Isolated::Leader => cuts::leader(&self.world, random).into_iter().collect(),
            Isolated::LeaderAndSome => {
                let leader = cuts::leader(&self.world, random);
                leader.into_iter().flat_map(|leader| cuts::party(&self.world, leader, random)).collect()
            }
        };
        self.side = side.into_iter().filter(|node| !self.world.coalition.has(*node)).collect();
        if !self.side.is_empty() {
            self.world.note(Entry::Cut { nodes: self.side.clone() });
            self.pounces.until_whole = self.pounces.patience;
            self.schedule(self.now + self.pounces.late, Happening::Heal);
        }
    }

    /// Whether a step was one that an outcome hangs on: it told somebody outside, or it sent something on a message of which the node had equal ones
    /// before.
    fn matters(&mut self, at: u32, first: PacketId) -> bool {
        let log = &self.world.log;
        let mut is_vote = false;
        for taken in &self.group {
            let Content { channel, to, args, .. } = log.content(*taken);
            let said = Content { channel, from: to, to, args: &args[..args.len().min(2)] };
            let matter = mix(digest(said, &mut self.pounces.scratch) ^ u64::from(at));
            is_vote |= !self.pounces.taken.insert(matter);
        }
        let mut sent = first..narrow(log.packets.len());
        !sent.is_empty() && (is_vote || sent.any(|id| log.packets[id as usize].destination == OUTSIDE))
    }
}

/// Whether two messages say the same, apart from who says it to whom.
fn is_for_the_same(one: Content<'_>, other: Content<'_>) -> bool {
    one.channel == other.channel && one.args.first() == other.args.first() && one.args.get(1) == other.args.get(1)
}
