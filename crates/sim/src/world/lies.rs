//! Lies of a world: nodes that are corrupt, and what their adversary may send.

use menard_lang::run::Struck;
use menard_value::Node;

use super::{Duty, World, fits};
use crate::log::{Content, Entry, PacketId, narrow};
use crate::prepared::{End, OUTSIDE};
use crate::replay::Obstacle;

impl World<'_> {
    /// Before the start: a node is corrupt.
    pub fn corrupt(&mut self, whom: Struck) {
        for at in self.prepared.places(&whom) {
            self.duties[at as usize] = Duty::Corrupt;
        }
        self.coalition.join(whom.node());
        if let Some(watch) = &mut self.watch {
            watch.suspect(whom.node());
        }
        self.log.entries.push(Entry::Corrupt { whom });
    }

    /// The adversary sends a message to a place, if it may.
    pub fn forge(&mut self, content: Content<'_>, place: u32) -> Result<PacketId, Obstacle> {
        self.may_forge(content, place)?;
        self.coalition.hear(content.args);
        let part = match self.prepared.channels[usize::from(content.channel)].receiver {
            End::External(_) => 0,
            End::Component(component) => {
                let component = &self.prepared.components[component];
                (place - component.first) % component.parts
            }
        };
        let packet = narrow(self.log.packets.len());
        self.log.add(content, part, place);
        self.log.entries.push(Entry::Forge { packet });
        self.stats.forged += 1;
        self.send(packet..packet + 1);
        Ok(packet)
    }

    /// Whether the keys and the ears of the coalition allow it to send this, and somebody else would receive it.
    fn may_forge(&self, content: Content<'_>, place: u32) -> Result<(), Obstacle> {
        let Content { channel, from, to, args } = content;
        let declared = self.prepared.channels.get(usize::from(channel)).ok_or(Obstacle::Misfit)?;
        let role = |end: End| self.prepared.role_at(end);
        let ends_fit = from.role == role(declared.sender) && to.role == role(declared.receiver) && self.exists(to);
        if !ends_fit || declared.delay.is_some() || !fits(self.prepared, channel, args) {
            return Err(Obstacle::Misfit);
        }
        if !self.coalition.has(from) {
            return Err(Obstacle::NotCorrupt);
        }
        if !self.can_reach(channel, to, place) {
            return Err(Obstacle::UnknownNode);
        }
        match self.coalition.can_say(args) {
            true => Ok(()),
            false => Err(Obstacle::Unforgeable),
        }
    }

    /// Whether a message on a channel to a logical node can go to this place, and an honest node is there.
    fn can_reach(&self, channel: u16, to: Node, place: u32) -> bool {
        match self.prepared.channels[usize::from(channel)].receiver {
            End::External(_) => place == OUTSIDE && !self.coalition.has(to),
            End::Component(component) => {
                let component = &self.prepared.components[component];
                let first = component.first + to.index * component.parts;
                let is_there = (first..first + component.parts).contains(&place);
                is_there && self.duties[place as usize] != Duty::Corrupt
            }
        }
    }

    /// Whether the receiver of a message drops it, since it is for another partition: message verification.
    pub fn is_stray(&self, packet: PacketId) -> bool {
        let Content { channel, args, .. } = self.log.content(packet);
        let sent_by_adversary = self.coalition.has(self.log.packets[packet as usize].from);
        sent_by_adversary
            && !self.prepared.config.trusts(&self.prepared.channels[usize::from(channel)].name)
            && self.prepared.router.part(channel, args) != self.log.packets[packet as usize].part
    }
}
