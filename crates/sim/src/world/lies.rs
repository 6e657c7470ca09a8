//! Lies of a world: nodes that are corrupt, and what their adversary may send.

use menard_lang::run::Struck;
use menard_value::Node;

use super::{Duty, World, fits};
use crate::log::{Content, Entry, Packet, PacketId, narrow};
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
        self.learn(content);
        let part = match self.prepared.channels[usize::from(content.channel)].receiver {
            End::External(_) => 0,
            End::Component(component) => {
                let component = &self.prepared.components[component];
                (place - component.first) % component.parts
            }
        };
        let packet = narrow(self.log.packets.len());
        self.log.add(content, part, place).changed = !self.coalition.has(content.from);
        self.log.entries.push(Entry::Forge { packet });
        self.stats.forged += 1;
        self.send(packet..packet + 1);
        Ok(packet)
    }

    /// Who sends a message knows what it says; who changes one on the wire has read the columns that its MAC does not cover, and no others.
    fn learn(&mut self, content: Content<'_>) {
        let Content { channel, from, args, .. } = content;
        if self.coalition.has(from) {
            return self.coalition.hear(args);
        }
        for column in &self.prepared.channels[usize::from(channel)].uncovered {
            self.coalition.hear(std::slice::from_ref(&args[*column]));
        }
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
            return self.may_change(content, place);
        }
        if !self.can_reach(channel, to, place) {
            return Err(Obstacle::UnknownNode);
        }
        match self.coalition.can_say(args) {
            true => Ok(()),
            false => Err(Obstacle::Unforgeable),
        }
    }

    /// Whether MACs of a channel leave something for somebody on the wire to change. Where nobody is corrupt, nobody is there.
    pub fn can_be_changed(&self, channel: u16) -> bool {
        !self.coalition.is_empty() && !self.prepared.channels[usize::from(channel)].uncovered.is_empty()
    }

    /// Whether the adversary may put this message in the place of one of a correct node, which is in flight to the same place and differs in what its
    /// MAC does not cover; and in nothing else, since a MAC also covers the number of a message.
    fn may_change(&self, content: Content<'_>, place: u32) -> Result<(), Obstacle> {
        let Content { channel, from, to, args } = content;
        if !self.can_be_changed(channel) {
            return Err(Obstacle::NotCorrupt);
        }
        if place == OUTSIDE || !self.can_reach(channel, to, place) {
            return Err(Obstacle::UnknownNode);
        }
        let uncovered = &self.prepared.channels[usize::from(channel)].uncovered;
        let is_like = |id: &&PacketId| {
            let packet = &self.log.packets[**id as usize];
            let is_kept = |column: &usize| uncovered.contains(column) || self.log.args(**id)[*column] == args[*column];
            (packet.channel, packet.from, packet.to, packet.changed) == (channel, from, to, false)
                && (0..args.len()).all(|column| is_kept(&column))
        };
        let mut originals = self.flights.to(place).iter().filter(is_like).peekable();
        if originals.peek().is_none() || originals.clone().any(|id| self.log.args(*id) == args) {
            return Err(Obstacle::NotChanged);
        }
        let can_say = |original: &PacketId| {
            let changed = uncovered.iter().filter(|column| self.log.args(*original)[**column] != args[**column]);
            changed.into_iter().all(|column| self.coalition.can_say(std::slice::from_ref(&args[*column])))
        };
        match originals.any(can_say) {
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
        let Packet { from, changed, .. } = self.log.packets[packet as usize];
        let sent_by_adversary = changed || self.coalition.has(from);
        sent_by_adversary
            && !self.prepared.config.trusts(&self.prepared.channels[usize::from(channel)].name)
            && self.prepared.router.part(channel, args) != self.log.packets[packet as usize].part
    }
}
