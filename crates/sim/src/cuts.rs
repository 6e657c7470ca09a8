//! Cuts of the network: for a while some logical nodes cannot reach the others. Nothing is lost, it only waits; so cuts need no declaration.
//!
//! Most are drawn before a run begins, and know nothing of it. Those that somebody makes on purpose are around who leads.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Node;

use crate::log::Packet;
use crate::prepared::{OUTSIDE, Prepared};
use crate::random::{Random, mix};
use crate::world::World;

/// Who leads is told by so many of the last messages.
const LATELY: usize = 64;

/// A cut that is going to happen.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// When, in ticks.
    pub start: u64,
    /// When the network is whole again.
    pub end: u64,
    /// The nodes on one side.
    pub side: Vec<Node>,
}

/// Sets the stream of chance that cuts are drawn from apart from others. It is one with which the first seeds have no cuts, so that the runs
/// that people look at first are simple.
const STREAM: u64 = 282_344;

/// The cuts of a run, one after another; most runs have none.
pub(crate) fn draw(prepared: &Prepared, window: u64, seed: u64) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut random = Random::new(mix(seed ^ STREAM));
    let count = *random.pick(&[0, 0, 0, 0, 1, 1, 4]);
    let mut start = random.below(window + 50);
    for _ in 0..count {
        let length = *random.pick(&[20, 200, 2_000]);
        let end = start + 1 + random.below(length);
        let side = side(prepared, &mut random);
        if !side.is_empty() {
            cuts.push(Cut { start, end, side });
        }
        start = end + random.below(200);
    }
    cuts
}

/// One node, or about half of them; nodes outside of the program can be cut off, too.
fn side(prepared: &Prepared, random: &mut Random) -> Vec<Node> {
    let roles = (0..).zip(&prepared.roles);
    let mut nodes: Vec<Node> =
        roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index })).collect();
    let count = nodes.len();
    if count < 2 {
        return Vec::new();
    }
    if random.percent(50) {
        return vec![nodes[random.index(count)]];
    }
    nodes.retain(|_| random.percent(50));
    nodes
}

/// A node that leads: one that was the only one lately to send on some channel to other nodes, or else the one that sent most. Liars are not looked at.
pub(crate) fn leader(world: &World<'_>, random: &mut Random) -> Option<Node> {
    let mut senders: BTreeMap<u16, BTreeSet<Node>> = BTreeMap::new();
    let mut counts: BTreeMap<Node, usize> = BTreeMap::new();
    let is_inner = |packet: &&Packet| packet.from != packet.to && packet.origin != OUTSIDE && !packet.timer;
    for packet in world.log.packets.iter().rev().filter(is_inner).take(LATELY) {
        senders.entry(packet.channel).or_default().insert(packet.from);
        *counts.entry(packet.from).or_default() += 1;
    }
    let only = senders.into_values().filter(|senders| senders.len() == 1).flatten().collect::<BTreeSet<Node>>();
    let most = counts.iter().max_by_key(|(_, count)| **count).map(|(node, _)| *node);
    let leaders: Vec<Node> = if only.is_empty() { most.into_iter().collect() } else { only.into_iter().collect() };
    (!leaders.is_empty()).then(|| *random.pick(&leaders))
}

/// A node and others of its role, all together no more than half of it.
pub(crate) fn party(world: &World<'_>, leader: Node, random: &mut Random) -> Vec<Node> {
    let nodes = world.prepared.roles[usize::from(leader.role)].nodes;
    let mut others: Vec<Node> =
        (0..nodes).map(|index| Node { index, ..leader }).filter(|node| *node != leader).collect();
    let mut party = vec![leader];
    while (party.len() + 1) * 2 < nodes as usize + 1 && random.percent(70) {
        party.push(others.swap_remove(random.index(others.len())));
    }
    party
}
