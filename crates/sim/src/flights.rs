//! Messages in flight, by where they go.

use crate::log::{Packet, PacketId, narrow};
use crate::prepared::OUTSIDE;

/// The messages in flight.
#[derive(Clone, Debug)]
pub(crate) struct Flights {
    /// Those to each place; the last list is of those to external nodes.
    lists: Vec<Vec<PacketId>>,
    count: u32,
    timers: u32,
}

impl Flights {
    /// Nothing in flight to so many places.
    pub fn new(places: usize) -> Self {
        Flights { lists: vec![Vec::new(); places + 1], count: 0, timers: 0 }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
        self.count = 0;
        self.timers = 0;
    }

    /// Puts a message in flight.
    pub fn launch(&mut self, packets: &mut [Packet], id: PacketId) {
        let packet = &mut packets[id as usize];
        let list = self.list(packet.destination);
        packet.waiting = Some(narrow(list.len()));
        list.push(id);
        self.count += 1;
        self.timers += u32::from(packet.timer);
    }

    /// Takes a message out of flight.
    pub fn land(&mut self, packets: &mut [Packet], id: PacketId) {
        let packet = &mut packets[id as usize];
        let position = packet.waiting.take().expect("a message is taken at most once");
        self.timers -= u32::from(packet.timer);
        let list = self.list(packet.destination);
        list.swap_remove(position as usize);
        if let Some(moved) = list.get(position as usize) {
            packets[*moved as usize].waiting = Some(position);
        }
        self.count -= 1;
    }

    fn list(&mut self, place: u32) -> &mut Vec<PacketId> {
        let outside = self.lists.len() - 1;
        let position = if place == OUTSIDE { outside } else { place as usize };
        &mut self.lists[position]
    }

    /// The messages in flight to a place, or to [`OUTSIDE`].
    pub fn to(&self, place: u32) -> &[PacketId] {
        match place {
            OUTSIDE => &self.lists[self.lists.len() - 1],
            place => &self.lists[place as usize],
        }
    }

    /// All messages in flight.
    pub fn all(&self) -> impl Iterator<Item = PacketId> + '_ {
        self.lists.iter().flatten().copied()
    }

    /// How many are in flight, timers aside.
    pub fn messages(&self) -> u32 {
        self.count - self.timers
    }
}
