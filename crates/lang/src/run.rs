//! What happens when a program runs: traces of what was, schedules of what shall be.
//!
//! A [`Trace`] records a run of the simulator. A [`Schedule`] tells the simulator what to do. A rewrite *lifts* a trace of the
//! rewritten program to the schedule under which the original does the same.
//!
//! Steps: every physical node's first step is its start, alone, before anything else happens. A step that leaves work to the next one
//! (facts deferred by `:+`, changes of tables) is followed *at once* by another step of the same node, a **follow-up**: no step of
//! another node comes between. (Otherwise decoupling would change what a protocol does: with rules on two nodes, a message caused by
//! the first step could come back before the second.) A follow-up may take messages that wait. In a trace and in a schedule it is the
//! next event: a step of a node that has work left *is* its follow-up, so a lift keeps steps without inputs where they are.

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

/// Something that happened, or shall happen.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// An external node sends a message.
    Inject {
        /// What it sends.
        message: Message,
    },
    /// A physical node takes a step with these messages. Empty for a start, and for a follow-up without messages.
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
    /// A message in flight is lost, or an external node takes it.
    Take {
        /// The message.
        message: Message,
        /// Whether it was lost (an omission), rather than received by an external node.
        lost: bool,
    },
    /// A physical node stops for ever.
    Crash {
        /// The node.
        at: Address,
    },
    /// A physical node loses its state and begins anew. What is in flight to it stays in flight. Its start follows at once, as an
    /// [`Event::Step`] without inputs; a replayer takes it whether or not the schedule has it.
    Restart {
        /// The node.
        at: Address,
    },
}

/// What happened, in order. Starts are part of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    /// The events.
    pub events: Vec<Event>,
    /// Whether at the end nothing was in flight and nothing had been lost: then outputs must be equal, not only included.
    pub drained: bool,
}

/// What shall happen, in order. Starts of all nodes come first, with their follow-ups, before any of these events; follow-ups without
/// messages are taken by the replayer wherever a step leaves work and the next event is not a step of that node. A step without inputs
/// of a node that has no work left does nothing, so a lift need not tell starts and follow-ups from each other.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Schedule {
    /// The events; `outputs` of steps are empty.
    pub events: Vec<Event>,
}
