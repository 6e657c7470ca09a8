//! Messages on their way out of a step: addressed, routed, each once.

use menard_value::Value;

use crate::execute::Solution;
use crate::hash::Seed;
use crate::plan::{Plan, SendPlan};
use crate::store::RowTable;
use crate::{Counters, Outputs};

/// Knows the messages of the step that a rule might derive again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    /// Positions in the step's outputs.
    sent: RowTable,
    fields: Vec<Value>,
}

impl Outbox {
    /// Forgets the messages of the step.
    pub(crate) fn clear(&mut self) {
        self.sent.clear();
    }

    /// Sends what a rule derived: destination and fields.
    pub(crate) fn send(
        &mut self,
        plan: &Plan,
        (channel, held): (u16, bool),
        message: &Solution<'_>,
        outputs: &mut Outputs,
        seed: Seed,
        counters: &mut Counters,
    ) {
        let send = plan.sent[usize::from(channel)].as_ref().expect("a sending rule has a plan for its channel");
        let Some(to) = message.get(0).as_node().filter(|node| send.reaches(*node)) else {
            counters.misaddressed += 1;
            return;
        };
        if send.repeats && !self.is_first(channel, message, outputs, seed) {
            return;
        }
        let part = if plan.router.is_partitioned(channel) {
            self.fields.clear();
            self.fields.extend(message.tuple().skip(1).cloned());
            plan.router.part(channel, &self.fields)
        } else {
            0
        };
        counters.messages_out += 1;
        outputs.push(channel, to, part, held, message.tuple().skip(1).cloned());
    }

    fn is_first(&mut self, channel: u16, message: &Solution<'_>, outputs: &Outputs, seed: Seed) -> bool {
        let hash = message.tuple().fold(seed.start() ^ u64::from(channel), |state, value| seed.extend(state, value));
        let next = u32::try_from(outputs.len()).expect("a step sends fewer than 2^32 messages");
        let is_same = |other: u32| {
            let other = outputs.get(other as usize);
            other.channel == channel
                && message.get(0).as_node() == Some(other.to)
                && message.tuple().skip(1).eq(other.args)
        };
        self.sent.find_or_insert(hash, next, is_same).is_none()
    }
}

impl SendPlan {
    fn reaches(&self, node: menard_value::Node) -> bool {
        node.role == self.role && self.nodes.is_none_or(|nodes| node.index < nodes)
    }
}
