//! Messages on their way out of a step: addressed, routed, each once.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use menard_value::Value;

use crate::hash::Seed;
use crate::plan::{Plan, SendPlan};
use crate::tuples::Tuples;
use crate::{Counters, Outputs};

/// Knows the messages of the step that a rule might derive again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    /// Positions in the step's outputs.
    sent: HashTable<usize>,
}

impl Outbox {
    /// Forgets the messages of the step.
    pub(crate) fn clear(&mut self) {
        if !self.sent.is_empty() {
            self.sent.clear();
        }
    }

    /// Sends what a rule derived: destinations and fields.
    pub(crate) fn send(
        &mut self,
        plan: &Plan,
        (channel, held): (u16, bool),
        messages: &mut Tuples,
        outputs: &mut Outputs,
        seed: Seed,
        counters: &mut Counters,
    ) {
        let send = plan.sent[usize::from(channel)].as_ref().expect("a sending rule has a plan for its channel");
        for position in 0..messages.len() {
            let tuple = messages.get_mut(position);
            let Some(to) = tuple[0].as_node().filter(|node| send.reaches(*node)) else {
                counters.misaddressed += 1;
                continue;
            };
            let part = plan.router.part(channel, &tuple[1..]);
            if send.repeats && !self.is_first(channel, tuple, outputs, seed) {
                continue;
            }
            counters.messages_out += 1;
            outputs.push(channel, to, part, held, tuple[1..].iter_mut().map(take));
        }
    }

    fn is_first(&mut self, channel: u16, tuple: &[Value], outputs: &Outputs, seed: Seed) -> bool {
        let hash_of = |channel: u16, to: &Value, args: &[Value]| {
            let state = seed.extend(seed.start() ^ u64::from(channel), to);
            args.iter().fold(state, |state, value| seed.extend(state, value))
        };
        let is_same = |&other: &usize| {
            let other = outputs.get(other);
            other.channel == channel && Some(other.to) == tuple[0].as_node() && *other.args == tuple[1..]
        };
        let rehash = |&other: &usize| {
            let other = outputs.get(other);
            hash_of(other.channel, &Value::Node(other.to), other.args)
        };
        match self.sent.entry(hash_of(channel, &tuple[0], &tuple[1..]), is_same, rehash) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(outputs.len());
                true
            }
        }
    }
}

impl SendPlan {
    fn reaches(&self, node: menard_value::Node) -> bool {
        node.role == self.role && self.nodes.is_none_or(|nodes| node.index < nodes)
    }
}

fn take(value: &mut Value) -> Value {
    std::mem::replace(value, Value::Bool(false))
}
