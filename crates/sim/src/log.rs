//! What happened in a run, as flat lists that are cheap to write; a [`Trace`] is made of it when somebody asks for one.

use std::ops::Range;

use menard_lang::run::{Address, Event, Message, Struck, Trace};
use menard_value::{Node, Value, encode_tagged};
use xxhash_rust::xxh3::xxh3_64;

use crate::prepared::Prepared;
use crate::random::mix;

/// A message's position in [`Log::packets`].
pub(crate) type PacketId = u32;

/// A message with everything that the world needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub channel: u16,
    pub from: Node,
    pub to: Node,
    pub part: u32,
    /// The place that it goes to, or [`crate::prepared::OUTSIDE`].
    pub destination: u32,
    /// The place that it comes from, or [`crate::prepared::OUTSIDE`].
    pub origin: u32,
    /// Whether the sender may repeat it while it holds it.
    pub held: bool,
    /// Whether it is a timer.
    pub timer: bool,
    /// Whether somebody on the wire has made it of a message of a correct node.
    pub changed: bool,
    /// A hash of channel, ends and fields, the same on every machine.
    pub digest: u64,
    /// Its position among the messages that wait at its destination; `None` once it has been taken.
    pub waiting: Option<u32>,
    first: u32,
    end: u32,
}

/// One event, by numbers.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Inject { packet: PacketId },
    Corrupt { whom: Struck },
    Forge { packet: PacketId },
    Step { at: u32, inputs: Range<u32>, outputs: Range<PacketId> },
    Repeat { at: u32, packet: PacketId },
    Take { packet: PacketId, lost: bool },
    Crash { whom: Struck },
    Restart { whom: Struck },
    Redeliver { packet: PacketId },
    Sync { at: u32 },
    Cut { nodes: Vec<Node> },
    Heal,
}

/// The history of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub packets: Vec<Packet>,
    pub entries: Vec<Entry>,
    /// The entries with which turns began that wait, or waited, for a disk.
    pub writes: Vec<usize>,
    /// What `choose` chooses by in this run.
    pub choice_seed: u64,
    values: Vec<Value>,
    inputs: Vec<PacketId>,
    scratch: Vec<u8>,
}

/// What identifies a message: channel, sender, addressee, fields.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Content<'a> {
    pub channel: u16,
    pub from: Node,
    pub to: Node,
    pub args: &'a [Value],
}

impl Log {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.entries.clear();
        self.writes.clear();
        self.values.clear();
        self.inputs.clear();
    }

    /// Adds a message; what it is not told is filled in with what holds for a message from outside.
    pub fn add(&mut self, content: Content<'_>, part: u32, destination: u32) -> &mut Packet {
        let digest = digest(content, &mut self.scratch);
        let first = narrow(self.values.len());
        self.values.extend_from_slice(content.args);
        let Content { channel, from, to, .. } = content;
        let end = narrow(self.values.len());
        let origin = crate::prepared::OUTSIDE;
        self.packets.push(Packet {
            channel,
            from,
            to,
            part,
            destination,
            origin,
            held: false,
            timer: false,
            changed: false,
            digest,
            waiting: None,
            first,
            end,
        });
        self.packets.last_mut().expect("a packet was added just now")
    }

    /// Sorts the messages from `first` on, which one step sent: they are a set, and the order in which an engine derives them must not
    /// decide what a seed means.
    pub fn sort_from(&mut self, first: usize) {
        let values = &self.values;
        let key = |packet: &Packet| (packet.channel, packet.to, packet.part);
        self.packets[first..].sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| args(values, a).cmp(args(values, b))));
    }

    /// The fields of a message.
    pub fn args(&self, packet: PacketId) -> &[Value] {
        args(&self.values, &self.packets[packet as usize])
    }

    /// A message's content.
    pub fn content(&self, packet: PacketId) -> Content<'_> {
        let Packet { channel, from, to, .. } = self.packets[packet as usize];
        Content { channel, from, to, args: self.args(packet) }
    }

    /// Adds a step that took these inputs and sent the packets from `first_output` on.
    pub fn add_step(&mut self, at: u32, inputs: &[PacketId], first_output: PacketId) {
        let start = narrow(self.inputs.len());
        self.inputs.extend_from_slice(inputs);
        let inputs = start..narrow(self.inputs.len());
        let outputs = first_output..narrow(self.packets.len());
        self.entries.push(Entry::Step { at, inputs, outputs });
    }

    /// The inputs of a step.
    pub fn inputs(&self, range: &Range<u32>) -> &[PacketId] {
        &self.inputs[range.start as usize..range.end as usize]
    }

    /// A hash of all that happened, the same on every machine and in every build.
    pub fn hash(&self, prepared: &Prepared) -> u64 {
        let digest = |packet: PacketId| self.packets[packet as usize].digest;
        let mut hash = 0;
        let mut absorb = |word: u64| hash = mix(hash ^ word);
        for entry in &self.entries {
            match entry {
                Entry::Inject { packet } => [1, digest(*packet)].into_iter().for_each(&mut absorb),
                Entry::Step { at, inputs, outputs } => {
                    [2, u64::from(*at), inputs.len() as u64, outputs.len() as u64].into_iter().for_each(&mut absorb);
                    self.inputs(inputs).iter().for_each(|packet| absorb(digest(*packet)));
                    outputs.clone().for_each(|packet| absorb(digest(packet)));
                }
                Entry::Repeat { at, packet } => {
                    [3, u64::from(*at), digest(*packet)].into_iter().for_each(&mut absorb);
                }
                Entry::Take { packet, lost } => {
                    [4, digest(*packet), u64::from(*lost)].into_iter().for_each(&mut absorb);
                }
                Entry::Crash { whom } => {
                    [5].into_iter().chain(prepared.places(whom).map(u64::from)).for_each(&mut absorb)
                }
                Entry::Restart { whom } => {
                    [6].into_iter().chain(prepared.places(whom).map(u64::from)).for_each(&mut absorb)
                }
                Entry::Redeliver { packet } => [7, digest(*packet)].into_iter().for_each(&mut absorb),
                Entry::Sync { at } => [8, u64::from(*at)].into_iter().for_each(&mut absorb),
                Entry::Cut { nodes } => {
                    [9, nodes.len() as u64].into_iter().for_each(&mut absorb);
                    nodes.iter().for_each(|node| absorb(word_of(*node)));
                }
                Entry::Heal => absorb(10),
                Entry::Corrupt { whom } => {
                    [11].into_iter().chain(prepared.places(whom).map(u64::from)).for_each(&mut absorb)
                }
                Entry::Forge { packet } => [12, digest(*packet)].into_iter().for_each(&mut absorb),
            }
        }
        hash
    }

    /// A message by names.
    pub fn message(&self, prepared: &Prepared, packet: PacketId) -> Message {
        let Content { channel, from, to, args } = self.content(packet);
        let channel = prepared.channels[usize::from(channel)].name.clone();
        Message { channel, from, to, args: args.to_vec() }
    }

    /// The physical node that a message goes to.
    fn addressee(&self, prepared: &Prepared, packet: PacketId) -> Address {
        let packet = &self.packets[packet as usize];
        match prepared.addresses.get(packet.destination as usize) {
            Some(address) => address.clone(),
            None => prepared.names.home(packet.to),
        }
    }

    /// What happened, by names.
    pub fn trace(&self, prepared: &Prepared, drained: bool) -> Trace {
        let message = |packet: PacketId| self.message(prepared, packet);
        let address = |at: u32| prepared.addresses[at as usize].clone();
        let event = |entry: &Entry| match entry {
            Entry::Inject { packet } => Event::Inject { message: message(*packet) },
            Entry::Corrupt { whom } => Event::Corrupt { whom: whom.clone() },
            Entry::Forge { packet } => {
                Event::Forge { message: message(*packet), at: self.addressee(prepared, *packet) }
            }
            Entry::Step { at, inputs, outputs } => Event::Step {
                at: address(*at),
                inputs: self.inputs(inputs).iter().map(|packet| message(*packet)).collect(),
                outputs: outputs.clone().map(message).collect(),
            },
            Entry::Repeat { at, packet } => Event::Repeat { at: address(*at), message: message(*packet) },
            Entry::Take { packet, lost } => Event::Take { message: message(*packet), lost: *lost },
            Entry::Crash { whom } => Event::Crash { whom: whom.clone() },
            Entry::Restart { whom } => Event::Restart { whom: whom.clone() },
            Entry::Redeliver { packet } => Event::Redeliver { message: message(*packet) },
            Entry::Sync { at } => Event::Sync { at: address(*at) },
            Entry::Cut { nodes } => Event::Cut { nodes: nodes.clone() },
            Entry::Heal => Event::Heal,
        };
        let events = self.entries.iter().map(event).collect();
        Trace { events, drained, choice_seed: self.choice_seed, writes: self.writes.clone() }
    }
}

fn args<'a>(values: &'a [Value], packet: &Packet) -> &'a [Value] {
    &values[packet.first as usize..packet.end as usize]
}

fn word_of(node: Node) -> u64 {
    (u64::from(node.role) << 32) | u64::from(node.index)
}

/// A hash of a message's content. `scratch` is memory to work in.
pub(crate) fn digest(content: Content<'_>, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    scratch.extend_from_slice(&content.channel.to_le_bytes());
    for node in [content.from, content.to] {
        scratch.extend_from_slice(&node.role.to_le_bytes());
        scratch.extend_from_slice(&node.index.to_le_bytes());
    }
    for value in content.args {
        encode_tagged(value, scratch);
    }
    xxh3_64(scratch)
}

/// A length as 32 bits: runs are limited in steps, and steps in what they send.
pub(crate) fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("a run has fewer than 2^32 messages and values")
}
