//! What goes into a step and what comes out, as flat buffers that are reused from step to step.

use menard_value::{Node, Value};

/// The waiting inputs that one step takes.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Whether this is the node's first step.
    pub start: bool,
    messages: Vec<Header>,
    /// Of each message the sender, then the fields: the columns of the channel as rules see them.
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    channel: u16,
    from: Node,
    start: u32,
    end: u32,
}

/// One message of [`Inputs`].
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The channel's position in `Program::channels`.
    pub channel: u16,
    /// The logical node that sent it, authenticated by whoever made the inputs.
    pub from: Node,
    /// Its fields; number and types are those of the channel.
    pub args: &'a [Value],
}

impl Inputs {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.start = false;
        self.messages.clear();
        self.values.clear();
    }

    /// Adds a message.
    pub fn push(&mut self, channel: u16, from: Node, args: impl IntoIterator<Item = Value>) {
        let position = |len: usize| u32::try_from(len).expect("a step takes fewer than 2^32 values");
        let start = position(self.values.len());
        self.values.push(Value::Node(from));
        self.values.extend(args);
        self.messages.push(Header { channel, from, start, end: position(self.values.len()) });
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = Received<'_>> {
        self.messages.iter().map(|header| {
            let args = &self.values[header.start as usize + 1..header.end as usize];
            Received { channel: header.channel, from: header.from, args }
        })
    }

    /// The channels of the messages.
    pub(crate) fn channels(&self) -> impl Iterator<Item = u16> {
        self.messages.iter().map(|header| header.channel)
    }

    /// The columns of a message: its sender, then its fields.
    #[inline]
    pub(crate) fn row(&self, message: u32) -> &[Value] {
        let header = self.messages[message as usize];
        &self.values[header.start as usize..header.end as usize]
    }
}

/// The number of steps without messages in a row after which a node that still has work to do has failed: its rules never settle.
pub const MAX_FOLLOW_UPS: u32 = 10_000;

/// What one step did.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Whether the step left work to the next one (deferred facts, changes of tables that some rule reacts to): the node must step
    /// again at once, with or without messages.
    pub pending: bool,
    messages: Vec<Target>,
    values: Vec<Value>,
    changes: Vec<ChangeHeader>,
    facts: Vec<Value>,
}

/// A fact that a durable table has from this step on or no longer: the facts of the table at the beginning of the next step are those
/// at the beginning of this one with all changes of the step. In a turn the same fact may come and go; what counts is what its
/// last change says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// The table's position in [`crate::Plan::durable_tables`].
    pub table: u16,
    /// Whether the table has the fact.
    pub begins: bool,
    /// The fact.
    pub fact: &'a [Value],
}

#[derive(Clone, Copy, Debug)]
struct ChangeHeader {
    table: u16,
    begins: bool,
    end: u32,
}

#[derive(Clone, Copy, Debug)]
struct Target {
    channel: u16,
    to: Node,
    part: u32,
    held: bool,
    end: u32,
}

/// One message of [`Outputs`].
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The channel's position in `Program::channels`; its receiver says which component of the node gets the message.
    pub channel: u16,
    /// The logical node that it is addressed to. The node exists and is of the channel's receiving role.
    pub to: Node,
    /// The partition of the receiving component, by the channel's key; 0 if the receiver is external.
    pub part: u32,
    /// Whether a rule whose body is state only sent it: it may be sent again at any time while the node still holds it.
    pub held: bool,
    /// Its fields.
    pub args: &'a [Value],
}

impl Outputs {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.pending = false;
        self.messages.clear();
        self.values.clear();
        self.changes.clear();
        self.facts.clear();
    }

    /// Adds a change of a durable table.
    pub(crate) fn push_change(&mut self, table: u16, begins: bool, fact: &[Value]) {
        self.facts.extend_from_slice(fact);
        let end = u32::try_from(self.facts.len()).expect("a step changes fewer than 2^32 values");
        self.changes.push(ChangeHeader { table, begins, end });
    }

    /// The changes of durable tables, table by table.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        let mut start = 0;
        self.changes.iter().map(move |change| {
            let fact = &self.facts[start..change.end as usize];
            start = change.end as usize;
            Change { table: change.table, begins: change.begins, fact }
        })
    }

    /// Adds a message.
    pub fn push(&mut self, channel: u16, to: Node, part: u32, held: bool, args: impl IntoIterator<Item = Value>) {
        self.values.extend(args);
        let end = u32::try_from(self.values.len()).expect("a step sends fewer than 2^32 values");
        self.messages.push(Target { channel, to, part, held, end });
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message at a position.
    pub(crate) fn get(&self, position: usize) -> Sent<'_> {
        let Target { channel, to, part, held, end } = self.messages[position];
        let start = if position == 0 { 0 } else { self.messages[position - 1].end as usize };
        Sent { channel, to, part, held, args: &self.values[start..end as usize] }
    }

    /// The messages, in the order in which they were derived.
    pub fn iter(&self) -> impl Iterator<Item = Sent<'_>> {
        let mut start = 0;
        self.messages.iter().map(move |target| {
            let args = &self.values[start..target.end as usize];
            start = target.end as usize;
            Sent { channel: target.channel, to: target.to, part: target.part, held: target.held, args }
        })
    }
}
