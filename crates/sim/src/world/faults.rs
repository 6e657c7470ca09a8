//! Faults of a world: nodes that stop, and nodes that begin anew with what their disks have.

use menard_lang::run::Struck;

use super::{Duty, World};
use crate::host::Host;
use crate::log::{Content, Entry, Packet, PacketId, digest, narrow};

/// What a node took from other nodes and may get again when it restarts.
#[derive(Clone, Default, Debug)]
pub(super) struct Taken {
    /// By the incarnation that runs.
    pub now: Vec<PacketId>,
    /// By those before, and not come again yet.
    before: Vec<PacketId>,
}

impl World<'_> {
    /// A node stops for ever.
    pub fn crash(&mut self, whom: Struck) {
        for at in self.prepared.places(&whom) {
            assert!(self.duties[at as usize] != Duty::Dead, "a node crashes once");
            self.duties[at as usize] = Duty::Dead;
            self.stop_disk(at);
        }
        self.log.entries.push(Entry::Crash { whom });
        self.stats.crashes += 1;
    }

    /// A node loses its state and begins anew. What the struck physical nodes sent to each other vanishes.
    pub fn restart(&mut self, whom: Struck) {
        let places: Vec<u32> = self.prepared.places(&whom).collect();
        self.log.entries.push(Entry::Restart { whom });
        self.stats.restarts += 1;
        for at in &places {
            self.forget(*at, &places);
        }
        for at in places {
            self.turn(at, &[]);
        }
    }

    /// A physical node forgets everything and has to start; `struck` are the places of all that do so together.
    fn forget(&mut self, at: u32, struck: &[u32]) {
        assert!(self.duties[at as usize] != Duty::Dead, "a crashed node stays down");
        self.engines[at as usize].reset();
        self.stop_disk(at);
        if let (Some(disk), Host::Rules(engine)) = (&self.disks[at as usize], &mut self.engines[at as usize]) {
            disk.load(engine);
        }
        self.duties[at as usize] = Duty::Start;
        let packets = &self.log.packets;
        let own = |id: &PacketId| struck.contains(&packets[*id as usize].origin);
        let own: Vec<PacketId> = self.flights.to(at).iter().copied().filter(own).collect();
        for packet in own {
            self.stats.lost += u32::from(!self.log.packets[packet as usize].timer);
            self.remove(packet);
            if !self.perished.contains(&packet) {
                self.perished.push(packet);
            }
        }
        if let Some(taken) = &mut self.taken {
            let Taken { now, before } = &mut taken[at as usize];
            before.append(now);
        }
    }

    /// What waits for the disk of a physical node that stops never leaves it.
    fn stop_disk(&mut self, at: u32) {
        if let Some(disk) = &mut self.disks[at as usize] {
            let lost = disk.stop();
            self.stats.lost += narrow(lost.len());
            self.perished.extend(lost);
        }
    }

    /// Messages in flight from a node that is about to stop, which it had sent and the network had not taken over, are lost. Those to itself
    /// vanish when it stops.
    pub fn forgo(&mut self, lost: Vec<PacketId>) {
        for packet in &lost {
            let Packet { from, to, .. } = self.log.packets[*packet as usize];
            if from != to {
                self.take(*packet, true);
            }
        }
        self.perished.extend(lost);
    }

    /// What struck physical nodes took before they restarted and may get again, the earliest first.
    pub fn redeliverable(&self, whom: &Struck) -> Vec<PacketId> {
        let Some(taken) = &self.taken else { return Vec::new() };
        self.prepared.places(whom).flat_map(|at| taken[at as usize].before.iter().copied()).collect()
    }

    /// A message that a node took before it restarted is in flight again; gives the new one, or `None` if the message is not
    /// [redeliverable](Self::redeliverable).
    pub fn redeliver(&mut self, packet: PacketId) -> Option<PacketId> {
        let original = self.log.packets[packet as usize].clone();
        let before = &mut self.taken.as_mut()?.get_mut(original.destination as usize)?.before;
        let position = before.iter().position(|other| *other == packet)?;
        before.remove(position);
        let args = self.log.args(packet).to_vec();
        let Packet { channel, from, to, part, destination, .. } = original;
        let packet = narrow(self.log.packets.len());
        let added = self.log.add(Content { channel, from, to, args: &args }, part, destination);
        added.origin = original.origin;
        self.log.entries.push(Entry::Redeliver { packet });
        self.stats.redelivered += 1;
        self.send(packet..packet + 1);
        Some(packet)
    }

    /// Whether everything that is to be struck is there and runs.
    pub fn runs(&self, whom: &Struck) -> bool {
        let mut places = self.prepared.places(whom).peekable();
        places.peek().is_some() && places.all(|at| !matches!(self.duties[at as usize], Duty::Dead | Duty::Corrupt))
    }

    /// A redeliverable message with this content.
    pub fn find_redeliverable(&mut self, content: Content<'_>) -> Option<PacketId> {
        let digest = digest(content, &mut self.scratch);
        self.redeliverable(&Struck::Whole(content.to)).into_iter().find(|id| self.is(*id, digest, content))
    }
}
