//! Somebody on the wire: messages of correct nodes to each other, with something else in the columns that their MACs do not cover.

use menard_value::{Node, Value};

use super::borges::adapted;
use super::{Forgery, Scene};
use crate::log::PacketId;
use crate::prepared::OUTSIDE;
use crate::random::{Random, mix};
use crate::world::World;

/// Sets this chance apart from others: seeds of programs that authenticate whole messages mean what they meant.
const STREAM: u64 = 0x7769_7265;

/// The part of an adversary that is on the wire.
pub(super) struct Wire {
    pub random: Random,
    /// Channels on which something can be changed.
    channels: Vec<u16>,
    /// How many of a hundred times something is changed.
    zeal: u32,
}

/// A message in flight that can be changed.
pub(super) struct Exposed {
    channel: u16,
    from: Node,
    to: Node,
    place: u32,
    args: Vec<Value>,
}

impl Wire {
    /// Nothing, if MACs cover whole messages on all channels.
    pub fn draw(world: &World<'_>, seed: u64) -> Option<Self> {
        let all = (0..).zip(&world.prepared.channels);
        let exposed = all.filter(|(_, channel)| !channel.uncovered.is_empty());
        let channels: Vec<u16> = exposed.map(|(number, _)| number).collect();
        let mut random = Random::new(mix(seed ^ STREAM));
        let zeal = *random.pick(&[5, 20, 60]);
        (!channels.is_empty()).then_some(Wire { random, channels, zeal })
    }

    /// What could be changed now.
    pub fn exposed(&self, world: &World<'_>) -> Vec<Exposed> {
        let is_exposed = |id: &PacketId| {
            let packet = &world.log.packets[*id as usize];
            let is_honest = !packet.changed && !world.coalition.has(packet.from);
            self.channels.contains(&packet.channel) && is_honest && packet.destination != OUTSIDE
        };
        let mut ids: Vec<PacketId> = world.flights.all().filter(is_exposed).collect();
        ids.sort_unstable();
        let exposed = |id: PacketId| {
            let (packet, args) = (&world.log.packets[id as usize], world.log.args(id).to_vec());
            Exposed { channel: packet.channel, from: packet.from, to: packet.to, place: packet.destination, args }
        };
        ids.into_iter().map(exposed).collect()
    }

    /// Changes one of these messages, perhaps.
    pub fn change(&self, exposed: &[Exposed], scene: &mut Scene<'_>) {
        if !scene.random.percent(self.zeal) {
            return;
        }
        let Exposed { channel, from, to, place, args } = &exposed[scene.random.index(exposed.len())];
        let uncovered = &scene.prepared.channels[usize::from(*channel)].uncovered;
        let only = scene.random.percent(60).then(|| *scene.random.pick(uncovered));
        let mut args = args.clone();
        for column in only.map_or_else(|| uncovered.clone(), |only| vec![only]) {
            args[column] = match scene.random.below(10) {
                0..4 => self.of_another(exposed, *channel, column, scene),
                4..6 => scene.lore.make(scene.prepared, scene.lore.types(*channel)[column], scene.random),
                _ => {
                    let liar = scene.liar();
                    adapted(&args[column..=column], liar, 1, scene).swap_remove(0)
                }
            };
        }
        scene.forgeries.push(Forgery { channel: *channel, from: *from, to: *to, place: *place, args });
    }

    /// What another message of the channel has there, or this one.
    fn of_another(&self, exposed: &[Exposed], channel: u16, column: usize, scene: &mut Scene<'_>) -> Value {
        let all: Vec<&Exposed> = exposed.iter().filter(|other| other.channel == channel).collect();
        scene.random.pick(&all).args[column].clone()
    }
}
