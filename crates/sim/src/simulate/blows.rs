//! Faults that strike nodes in a simulated run, and what they do to messages and disks.

use std::ops::Range;

use menard_lang::run::Struck;
use menard_value::Node;

use super::{Chance, Happening, Simulator};
use crate::log::{PacketId, narrow};
use crate::misfortune::{Blow, Loss};
use crate::random::Random;

/// The message that a node took so many messages before its last one arrives again after a restart half as likely as the last one.
const RECENT: u32 = 4;

/// The time of a blow that does not fall at a time, but right after a step in which its node tells others something: before its disk knows of that, and
/// before the others do.
const LURKS: u64 = u64::MAX;

impl Simulator<'_> {
    /// The blow at this position among those of the run happens.
    pub(super) fn strike(&mut self, blow: u32, chance: &mut Chance) {
        let (time, blow, whom) = chance.misfortune.blows[blow as usize].clone();
        // One that lurks has another time than it was given first.
        if time != self.now || !self.world.runs(&whom) {
            return;
        }
        let written = self.write_some(&whom, chance);
        match blow {
            Blow::Crash => self.crash(whom, chance),
            Blow::Restart => self.restart(whom, chance),
        }
        for packet in written {
            match chance.more.percent(50) && self.world.is_waiting(packet) {
                true => self.world.take(packet, true),
                false => self.schedule_message(packet, chance),
            }
        }
    }

    /// From now on all blows lurk that are still to come.
    pub(super) fn lurk(&mut self, chance: &mut Chance) {
        self.lurking = *chance.more.pick(&[15, 40, 100]);
        let to_come = chance.misfortune.blows.iter_mut().filter(|(time, _, _)| *time > self.now);
        to_come.for_each(|(time, _, _)| *time = LURKS);
    }

    /// A node has taken a turn and has sent these messages: a blow that lurks may fall before anything else happens.
    pub(super) fn expose(&mut self, at: u32, mut sent: Range<PacketId>, chance: &mut Chance) {
        if self.lurking == 0 {
            return;
        }
        let (packets, address) = (&self.world.log.packets, &self.world.prepared.addresses[at as usize]);
        let falls_here = |(time, _, whom): &(u64, Blow, Struck)| *time == LURKS && whom.strikes(address);
        let Some(position) = chance.misfortune.blows.iter().position(falls_here) else { return };
        if sent.any(|id| packets[id as usize].to != address.node) && chance.more.percent(self.lurking) {
            chance.misfortune.blows[position].0 = self.now;
            self.schedule(self.now, Happening::Blow(narrow(position)));
        }
    }

    /// At the moment of a blow disks may have more turns than anybody has noticed. Gives what leaves.
    fn write_some(&mut self, whom: &Struck, chance: &mut Chance) -> Vec<PacketId> {
        let places: Vec<u32> = self.world.prepared.places(whom).collect();
        let mut left = Vec::new();
        for at in places {
            let behind = self.world.behind(at);
            for _ in 0..if behind > 0 { chance.more.index(behind + 1) } else { 0 } {
                left.extend(self.world.sync(at).into_iter().flatten());
            }
        }
        left
    }

    /// A node stops for ever. Of the messages in flight from it to other nodes some are lost.
    fn crash(&mut self, whom: Struck, chance: &mut Chance) {
        let flying = self.flying(|from, _| from == whom.node());
        self.world.crash(whom);
        self.lose(flying, chance.misfortune.dies_with_it, &mut chance.fate);
    }

    /// The messages in flight between different nodes of which this holds, in the order in which they were sent.
    fn flying(&self, concerns: impl Fn(Node, Node) -> bool) -> Vec<PacketId> {
        let packets = &self.world.log.packets;
        let concerns = |id: &PacketId| {
            let packet = &packets[*id as usize];
            packet.from != packet.to && concerns(packet.from, packet.to)
        };
        let mut flying: Vec<PacketId> = self.world.flights.all().filter(concerns).collect();
        flying.sort_unstable();
        flying
    }

    /// So many of a hundred of these messages are lost.
    fn lose(&mut self, flying: Vec<PacketId>, percent: u32, random: &mut Random) {
        for packet in flying {
            if random.percent(percent) {
                self.world.take(packet, true);
            }
        }
    }

    /// A node restarts. Of the messages in flight from and to other nodes some are lost; of those that it took before some arrive again,
    /// recent ones more likely than others.
    fn restart(&mut self, whom: Struck, chance: &mut Chance) {
        let Loss { lost, again } = chance.misfortune.loss;
        let flying = self.flying(|from, to| from == whom.node() || to == whom.node());
        self.world.restart(whom.clone());
        self.lose(flying, lost, &mut chance.random);
        for (age, packet) in (0..).zip(self.world.redeliverable(&whom).into_iter().rev()) {
            if chance.random.percent(again * RECENT / (RECENT + age)) {
                self.world.redeliver(packet);
            }
        }
    }
}
