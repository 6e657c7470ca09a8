//! What may come in: hellos and messages are judged here, without sockets. What passes becomes input of the node's next step.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use menard_engine::Inputs;
use menard_value::{Node, Value};

use crate::config::MAX_CLIENTS;
use crate::layout::{Endpoint, Layout};
use crate::meter::{DropReason, Meter};
use crate::wire::{Caller, Hello, LENGTH_BYTES, Refusal, WirePlace, read_fields, read_header};

/// Who is at the other end of a connection, after its hello was judged good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    /// A node of the deployment, by its place.
    Peer {
        /// Its place in the layout.
        place: usize,
        /// Its component.
        component: usize,
        /// Its logical node's index.
        index: u32,
    },
    /// Logical nodes `first..first + count` of an external role.
    Client {
        /// The role.
        role: u16,
        /// The first index.
        first: u32,
        /// How many.
        count: u32,
    },
}

/// The gate of one node, and the inputs that have passed it.
#[derive(Debug)]
pub(crate) struct Inbox {
    layout: Arc<Layout>,
    session: u64,
    place: usize,
    /// Messages for the next turn.
    pub inputs: Inputs,
    values: Vec<Value>,
    /// For each channel of which a turn takes one message at a time, what waits.
    serial: Vec<Serial>,
    waiting: usize,
}

/// A channel of which a turn takes at most one message.
#[derive(Debug)]
struct Serial {
    channel: u16,
    /// Whether the next turn has one.
    taken: bool,
    waiting: VecDeque<(Node, Box<[Value]>)>,
}

/// With so many messages that wait for a turn of their own, no more are taken.
const FULL_MESSAGES: usize = 10_000;

impl Inbox {
    /// The gate of the node at `place`.
    pub fn new(layout: Arc<Layout>, session: u64, place: usize) -> Self {
        let routes = (0..).zip(&layout.routes).filter(|(_, route)| route.serial);
        let serial = routes.map(|(channel, _)| Serial { channel, taken: false, waiting: VecDeque::new() }).collect();
        Inbox { layout, session, place, inputs: Inputs::default(), values: Vec::new(), serial, waiting: 0 }
    }

    /// Whether nothing is there for a turn.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Whether messages wait for a turn of their own, besides those of the next turn.
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether so many messages wait that no more should be taken.
    pub fn is_full(&self) -> bool {
        self.waiting >= FULL_MESSAGES
    }

    /// Gives the messages of the next turn in exchange for an empty buffer.
    pub fn next_turn(&mut self, taken: &mut Inputs) {
        std::mem::swap(&mut self.inputs, taken);
        for serial in &mut self.serial {
            let next = serial.waiting.pop_front();
            serial.taken = next.is_some();
            if let Some((from, args)) = next {
                self.waiting -= 1;
                self.inputs.push(serial.channel, from, args);
            }
        }
    }

    /// Keeps a good message for the next turn, or, of a serial channel, for a later one.
    #[inline]
    pub fn push(&mut self, channel: u16, from: Node, args: impl IntoIterator<Item = Value>) {
        if self.serial.is_empty() {
            return self.inputs.push(channel, from, args);
        }
        match self.serial.iter_mut().find(|serial| serial.channel == channel) {
            Some(serial) if serial.taken => {
                serial.waiting.push_back((from, args.into_iter().collect()));
                self.waiting += 1;
            }
            serial => {
                if let Some(serial) = serial {
                    serial.taken = true;
                }
                self.inputs.push(channel, from, args);
            }
        }
    }

    /// Judges a hello to this incarnation of the node. Physical nodes of one logical node start together: what one of them had sent before that is
    /// not for the others, who have forgotten why.
    pub fn admit(&self, hello: &Hello, incarnation: u64) -> Result<Identity, Refusal> {
        if hello.fingerprint != self.layout.fingerprint {
            return Err(Refusal::Program);
        }
        if self.find(hello.target) != Some(self.place) {
            return Err(Refusal::Target);
        }
        match hello.caller {
            Caller::Peer(wire) => {
                if hello.session != self.session {
                    return Err(Refusal::Session);
                }
                let place = self.find(wire).ok_or(Refusal::Caller)?;
                if self.layout.places[place].node == self.layout.places[self.place].node {
                    match hello.incarnation.cmp(&incarnation) {
                        Ordering::Less => return Err(Refusal::Superseded),
                        Ordering::Greater => return Err(Refusal::Outlived),
                        Ordering::Equal => {}
                    }
                }
                Ok(Identity::Peer { place, component: usize::from(wire.component), index: wire.index })
            }
            Caller::Client { role, first, count } => {
                let nodes = self.layout.external.get(usize::from(role)).copied().flatten().ok_or(Refusal::Caller)?;
                let end = first.checked_add(count).ok_or(Refusal::Caller)?;
                if !(1..=MAX_CLIENTS).contains(&count) || (nodes != 0 && end > nodes) || !self.deals_with(role) {
                    return Err(Refusal::Caller);
                }
                Ok(Identity::Client { role, first, count })
            }
        }
    }

    /// Judges a message and keeps it for the next step if it is good; counts it either way.
    pub fn take(&mut self, caller: &Identity, body: &[u8], meter: &mut Meter) {
        match self.judge(caller, body) {
            Ok((channel, from)) => {
                let mut values = std::mem::take(&mut self.values);
                self.push(channel, from, values.drain(..));
                self.values = values;
                meter.messages_in += 1;
                meter.bytes_in += (LENGTH_BYTES + body.len()) as u64;
            }
            Err(reason) => meter.drop(reason),
        }
    }

    /// Decodes a message into `values` and checks everything that can be checked about it.
    fn judge(&mut self, caller: &Identity, body: &[u8]) -> Result<(u16, Node), DropReason> {
        self.values.clear();
        let (header, fields) = read_header(body).ok_or(DropReason::Malformed)?;
        let route = self.layout.routes.get(usize::from(header.channel)).ok_or(DropReason::UnknownChannel)?;
        let me = &self.layout.places[self.place];
        let from = match *caller {
            Identity::Peer { component, .. } if route.sender != Endpoint::Component(component) => {
                return Err(DropReason::WrongSender);
            }
            Identity::Peer { index, .. } if header.from != index => return Err(DropReason::ForgedSender),
            Identity::Peer { place, .. } => self.layout.places[place].node,
            Identity::Client { role, .. } if route.sender != Endpoint::External(role) => {
                return Err(DropReason::WrongSender);
            }
            Identity::Client { role, first, count } => match header.from.checked_sub(first) {
                Some(offset) if offset < count => Node { role, index: header.from },
                _ => return Err(DropReason::ForgedSender),
            },
        };
        // Whichever of its machines arms them, a node's timers are its own.
        if route.delay.is_some() && from != me.node {
            return Err(DropReason::WrongSender);
        }
        if route.receiver != Endpoint::Component(me.component) || header.to != me.node.index {
            return Err(DropReason::WrongNode);
        }
        read_fields(fields, &route.columns, &mut self.values).map_err(|_| DropReason::Malformed)?;
        if !self.layout.is_for_part(header.channel, me.component, &self.values, me.part) {
            return Err(DropReason::WrongPart);
        }
        Ok((header.channel, from))
    }

    /// Whether this node takes messages of an external role or sends any to it.
    fn deals_with(&self, role: u16) -> bool {
        let ends = [Endpoint::External(role), Endpoint::Component(self.layout.places[self.place].component)];
        let routes = &mut self.layout.routes.iter();
        routes.any(|route| ends == [route.sender, route.receiver] || ends == [route.receiver, route.sender])
    }

    fn find(&self, wire: WirePlace) -> Option<usize> {
        self.layout.place(usize::from(wire.component), wire.index, wire.part)
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    const PROGRAM: &str = "protocol timed role client external role node[2]
        channel put(k: int) client -> node channel tell(k: int) node -> node channel done(k: int) node -> client
        component node {
          timer late(k: int) after 1 s
          late(k) :~ put(k)  tell(k)@n :~ late(k), node(n)  done(k)@c :~ tell(k), put(_) from c
        }";

    #[test]
    fn nobody_fires_the_timers_of_another_node() {
        let program = compile_text(PROGRAM);
        let mut inbox = Inbox::new(Arc::new(Layout::new(&program).expect("two nodes")), 0, 0);
        let mut judge = |caller: &Identity, name: &str, from: u32| {
            let channel = program.channels.iter().position(|channel| channel.name == name).expect("it is declared");
            let channel = u16::try_from(channel).expect("channels are few");
            let fields = 7_i64.to_le_bytes();
            let body = [&channel.to_le_bytes()[..], &from.to_le_bytes(), &0_u32.to_le_bytes(), &fields].concat();
            inbox.judge(caller, &body)
        };
        let peer = Identity::Peer { place: 1, component: 0, index: 1 };
        assert!(judge(&peer, "tell", 1).is_ok());
        assert_eq!(judge(&peer, "late", 1), Err(DropReason::WrongSender));
        let itself = Identity::Peer { place: 0, component: 0, index: 0 };
        assert!(judge(&itself, "late", 0).is_ok(), "another machine of the node could be where it is armed");
    }
}
