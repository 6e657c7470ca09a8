//! Disks of a world: what waits for them, and leaves when they have it.

use super::World;
use crate::log::{Entry, PacketId, narrow};

impl World<'_> {
    /// The turn of a node with a disk ends, which began with this entry of the log: what it sent from `first` on leaves, or waits for the disk.
    pub(super) fn end_turn(&mut self, at: u32, entry: usize, first: PacketId) {
        let disk = self.disks[at as usize].as_mut().expect("the node has a disk");
        if disk.end_turn() {
            self.log.writes.push(entry);
            self.writing.push(at);
        }
        self.leave(at, first..narrow(self.log.packets.len()));
    }

    /// Messages leave a node, unless they wait for its disk. What a physical node sends to itself never does.
    pub(super) fn leave(&mut self, at: u32, packets: std::ops::Range<PacketId>) {
        let Some(disk) = &mut self.disks[at as usize] else { return self.send(packets) };
        if disk.behind() == 0 {
            return self.send(packets);
        }
        for packet in packets {
            if self.log.packets[packet as usize].destination == at {
                self.flights.launch(&mut self.log.packets, packet);
            } else {
                disk.hold(packet);
            }
        }
    }

    /// The disk of a node has one more turn; gives the messages that leave now, or `None` if no turn waits.
    pub fn sync(&mut self, at: u32) -> Option<Vec<PacketId>> {
        let held = self.disks[at as usize].as_mut()?.sync()?;
        self.log.entries.push(Entry::Sync { at });
        self.stats.syncs += 1;
        for packet in &held {
            self.flights.launch(&mut self.log.packets, *packet);
        }
        Some(held)
    }

    /// How many turns the disk of a node does not have yet.
    pub fn behind(&self, at: u32) -> usize {
        self.disks[at as usize].as_ref().map_or(0, |disk| disk.behind())
    }
}
