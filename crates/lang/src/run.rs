//! What happens when a program runs: traces of what was, schedules of what shall be.
//!
//! A [`Trace`] records a run of the simulator. A [`Schedule`] tells the simulator what to do. A rewrite *lifts* a trace of the
//! rewritten program to the schedule under which the original does the same.
//!
//! Turns: every physical node's first step is its start, alone. A step that leaves work to the next one (facts deferred by `:+`, changes of
//! tables) is followed *at once* by another step of the same node, a **follow-up**, which takes no messages; and so on until the node is
//! settled. Only a settled node takes messages, and all nodes are settled before the first message is delivered. (Otherwise decoupling would
//! change what a protocol does: with rules on two nodes, a message caused by the first step could come back before the second.)

use std::collections::BTreeSet;

use menard_value::{Node, Value};

use crate::ir::Name;

/// A physical node: one partition of one component of a logical node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address {
    /// The logical node.
    pub node: Node,
    /// The component; for a node of an external role, the role's name.
    pub component: Name,
    /// The partition, from 0.
    pub part: u32,
}

/// A message, as both programs see it: between logical nodes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Message {
    /// The channel.
    pub channel: Name,
    /// The logical node that sent it.
    pub from: Node,
    /// The logical node that it is addressed to.
    pub to: Node,
    /// Its fields.
    pub args: Vec<Value>,
}

/// What a fault strikes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Struck {
    /// A logical node: all its physical nodes at once. That is what faults do.
    Whole(Node),
    /// One of several physical nodes of a logical node, while the others go on. No run does this; a schedule may, to show what would
    /// go wrong if the physical nodes of a logical node were not one fault domain.
    Part(Address),
}

impl Struck {
    /// The logical node that is struck, or that has the part that is.
    pub fn node(&self) -> Node {
        match self {
            Struck::Whole(node) | Struck::Part(Address { node, .. }) => *node,
        }
    }

    /// Whether a physical node is struck.
    pub fn strikes(&self, address: &Address) -> bool {
        match self {
            Struck::Whole(node) => address.node == *node,
            Struck::Part(part) => address == part,
        }
    }
}

/// Something that happened, or shall happen.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// An external node sends a message.
    Inject {
        /// What it sends.
        message: Message,
    },
    /// From the start on, a node lies: it takes no steps, and sends and receives what an adversary wants, as far as its keys allow. Such events
    /// come first in a run. All corrupt nodes of a run have one adversary.
    Corrupt {
        /// The node.
        whom: Struck,
    },
    /// The adversary sends a message in the name of a corrupt node; or, on a channel of which MACs do not cover all columns, in the place of one of a
    /// correct node that is in flight.
    Forge {
        /// What is sent.
        message: Message,
        /// The physical node that it is sent to, which need not be the partition that it belongs to.
        at: Address,
    },
    /// A physical node takes a step with these messages. Without inputs in a trace: a start or a follow-up; in a schedule: nothing.
    Step {
        /// The node.
        at: Address,
        /// The messages that it takes, each in flight to it before.
        inputs: Vec<Message>,
        /// What the step sent; empty in a schedule.
        outputs: Vec<Message>,
    },
    /// A message that a state-only rule holds is sent again.
    Repeat {
        /// The node that sends it.
        at: Address,
        /// What it sends.
        message: Message,
    },
    /// A message in flight is lost, or an external node takes it, or a corrupt one.
    Take {
        /// The message.
        message: Message,
        /// Whether it was lost (an omission), rather than received by an external node.
        lost: bool,
    },
    /// A node stops for ever. What is in flight from it stays so, unless an event says that it is lost.
    Crash {
        /// The node.
        whom: Struck,
    },
    /// A node loses everything but what its disks have, and begins anew: each of its physical nodes has a start. Messages between the
    /// struck physical nodes vanish, timers among them, and so does what waits for their disks. What else is in flight from or to them stays
    /// in flight.
    Restart {
        /// The node.
        whom: Struck,
    },
    /// In schedules only: of what is in flight from a node on these channels, all but these messages is lost. So a lift says what the rewritten
    /// node, which is about to crash or to restart, has not sent yet and never will. In a trace each of these losses is an event.
    Forgo {
        /// The node.
        from: Node,
        /// The channels.
        channels: BTreeSet<Name>,
        /// What is not lost.
        but: Vec<Message>,
    },
    /// A message is in flight again, which its addressee took before it restarted.
    Redeliver {
        /// The message.
        message: Message,
    },
    /// The disk of a physical node has one more of the turns that changed durable tables. What was sent in that turn, and in later ones up to
    /// the next such turn, leaves only now. If no turn waits, nothing happens.
    Sync {
        /// The node.
        at: Address,
    },
    /// From now on messages between these logical nodes and all others wait.
    Cut {
        /// The nodes on one side.
        nodes: Vec<Node>,
    },
    /// The network is whole again.
    Heal,
}

/// Who is corrupt in a run with these events.
pub fn corrupt<'e>(events: impl IntoIterator<Item = &'e Event>) -> impl Iterator<Item = &'e Struck> {
    events.into_iter().map_while(|event| match event {
        Event::Corrupt { whom } => Some(whom),
        _ => None,
    })
}

/// Whether an event of such a run puts a message in the place of one that a correct node has sent: who is on the wire changes what the
/// MAC does not cover.
pub fn is_changed_on_wire<'e>(events: impl IntoIterator<Item = &'e Event>, event: &Event) -> bool {
    matches!(event, Event::Forge { message, .. } if corrupt(events).all(|whom| whom.node() != message.from))
}

/// What happened, in order. Starts are part of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    /// The events.
    pub events: Vec<Event>,
    /// Whether at the end nothing was left to happen but that timers fire: nothing else was in flight but to crashed nodes, and nothing waited
    /// for a disk.
    pub drained: bool,
    /// What `choose` chose by.
    pub choice_seed: u64,
    /// Where a disk matters: the positions of the steps with which those turns began that changed durable tables, in order. Each waited for
    /// its disk.
    pub writes: Vec<usize>,
}

/// What shall happen, in order. Starts of all nodes come first and are not part of it, nor are follow-ups: the replayer settles every node
/// after its start and after each scheduled step.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Schedule {
    /// The events; `outputs` of steps are empty.
    pub events: Vec<Event>,
    /// What `choose` chooses by. A rewrite chooses from the same values as its original, so a lift keeps it.
    pub choice_seed: u64,
}

/// How a run of a rewritten program is a run of the original: the construction in the proof of the rewrite, executed.
pub trait Lift {
    /// The schedule under which the original does what this run of the rewritten program did.
    fn lift(&self, run: &Trace) -> Schedule;

    /// The channels on which the original, under that schedule, may have sent more at the end of this run than the run did: what it sends
    /// at once, the rewritten program sends later, and where two equal messages of the original become one, the second is still in flight.
    /// On all other channels both send the same.
    fn inexact(&self) -> BTreeSet<Name> {
        BTreeSet::new()
    }

    /// The channels on which the original may be ahead as well, but where nothing is lost on the way: when nothing is left to happen, both
    /// have sent the same, each message as often.
    fn late(&self) -> BTreeSet<Name> {
        BTreeSet::new()
    }

    /// The channels whose messages the original may be given later, under that schedule, than they were delivered in this run, or not yet: a node
    /// of the rewritten program has them and does not look at them. Nobody can tell them from messages on their way. None of these channels goes
    /// to an external role, which knows what it has.
    fn moved(&self) -> BTreeSet<Name> {
        BTreeSet::new()
    }
}
