//! Where a node's messages go: into its own inbox, over a link, to a client, into a timer; and what a faulty node sends instead.

use std::time::Instant;

use menard_engine::Sent;
use menard_value::{Node, Value};

use crate::callers::Callers;
use crate::durability::Durability;
use crate::faulty::{Fault, Utterance, Words};
use crate::inbox::Inbox;
use crate::layout::Layout;
use crate::link::Link;
use crate::meter::{DropReason, Lie, Meter};
use crate::timers::Timers;
use crate::wire::MessageHeader;

/// Where messages go.
pub(crate) struct Outbox {
    pub links: Vec<Option<Link>>,
    pub callers: Callers,
    pub timers: Timers,
    /// A timer could not be armed.
    pub is_overrun: bool,
    /// If the node is faulty on purpose.
    pub fault: Option<Fault>,
    pub utterances: Vec<Utterance>,
    /// For each role how many of its nodes may lie.
    pub liars: Vec<u32>,
}

impl Outbox {
    /// Whether a node is behind that has to be waited for. If no more nodes of a role have been behind for long than may lie, they are not
    /// waited for: whoever takes nothing must not stop others.
    pub fn is_behind(&self, layout: &Layout, now: Instant) -> bool {
        let behind = self.links.iter().zip(&layout.places).filter_map(|(link, place)| Some((link.as_ref()?, place)));
        let behind: Vec<(&Link, Node)> =
            behind.filter(|(link, _)| link.is_behind()).map(|(link, place)| (link, place.node)).collect();
        let is_waited_for = |(_, node): &(&Link, Node)| {
            let mut slow: Vec<Node> = behind
                .iter()
                .filter(|(link, other)| other.role == node.role && link.is_slow(now))
                .map(|(_, other)| *other)
                .collect();
            slow.dedup();
            slow.len() > self.liars[usize::from(node.role)] as usize || !slow.contains(node)
        };
        behind.iter().any(is_waited_for)
    }

    /// Arms a timer, if what a rule sent is a timer's message; whether it is.
    pub fn arm(&mut self, layout: &Layout, sent: Sent<'_>) -> bool {
        let delay = layout.routes[usize::from(sent.channel)].delay;
        if let Some(delay) = delay {
            self.is_overrun |= !self.timers.arm(sent, delay, Instant::now());
        }
        delay.is_some()
    }

    /// Sends a message: into this node's own inbox, or away, which may have to wait for the disk.
    pub fn send(
        &mut self,
        layout: &Layout,
        place: usize,
        sent: Sent<'_>,
        inbox: &mut Inbox,
        hold: Option<&mut Durability>,
        meter: &mut Meter,
    ) {
        let to = layout.receiver(sent);
        if to == Some(place) {
            inbox.push(sent.channel, layout.places[place].node, sent.args.iter().cloned());
        } else if let Some(durability) = hold {
            durability.hold(sent);
        } else {
            self.deliver(layout, place, to, sent, meter);
        }
    }

    /// Sends a message that leaves the node, or what a faulty node sends instead.
    pub fn deliver(&mut self, layout: &Layout, place: usize, to: Option<usize>, sent: Sent<'_>, meter: &mut Meter) {
        match &mut self.fault {
            None => {
                let from = layout.places[place].node.index;
                let header = MessageHeader { channel: sent.channel, from, to: sent.to.index };
                self.post(to.ok_or(sent.to.role), header, sent.args, meter);
            }
            Some(Fault::Silent) => meter.lie(Lie::Withheld),
            Some(Fault::Lies(liar)) => {
                let words = Words { channel: sent.channel, to: sent.to, place: to, args: sent.args };
                let lie = liar.utter(&words, &mut self.utterances);
                lie.into_iter().for_each(|lie| meter.lie(lie));
                self.say(meter);
            }
        }
    }

    /// When a liar wants to make something up.
    pub fn next_lie(&self) -> Option<Instant> {
        match &self.fault {
            Some(Fault::Lies(liar)) => Some(liar.next()),
            _ => None,
        }
    }

    /// Lets a liar make something up, if it is time to.
    pub fn lie(&mut self, meter: &mut Meter, now: Instant) {
        if let Some(Fault::Lies(liar)) = &mut self.fault {
            liar.act(now, &mut self.utterances).into_iter().for_each(|lie| meter.lie(lie));
            self.say(meter);
        }
    }

    /// Sends what a liar wants to say.
    fn say(&mut self, meter: &mut Meter) {
        let mut utterances = std::mem::take(&mut self.utterances);
        for utterance in utterances.drain(..) {
            match utterance {
                Utterance::Message { to, header, args } => self.post(to, header, &args, meter),
                Utterance::Noise { place, body } => {
                    self.links[place].iter_mut().for_each(|link| link.push_noise(&body));
                }
                Utterance::Spoilt { place } => self.links[place].iter_mut().for_each(Link::spoil),
            }
        }
        self.utterances = utterances;
    }

    /// Puts a message into the link to a place, or into the connection of a client of a role.
    fn post(&mut self, to: Result<usize, u16>, header: MessageHeader, args: &[Value], meter: &mut Meter) {
        let pushed = match to {
            Err(role) => self.callers.reply(role, header, args, meter),
            Ok(to) => {
                let link = self.links[to].as_mut().expect("messages to this node do not leave it");
                link.push(header, args).map_err(|_| DropReason::TooLong)
            }
        };
        match pushed {
            Ok(bytes) => {
                meter.messages_out += 1;
                meter.bytes_out += bytes as u64;
            }
            Err(reason) => meter.drop(reason),
        }
    }
}
