//! The beginning of a step: what the step before left, and the messages.

use super::State;
use crate::Inputs;
use crate::plan::Plan;
use crate::tuples::Row;

impl State {
    /// Lets what the step before left take effect.
    pub(super) fn begin(&mut self, plan: &Plan) {
        if !self.started {
            self.agenda.begin(&plan.tasks);
            self.recovered(plan);
        }
        for position in 0..self.dirty.len() {
            let store = self.dirty[position];
            let next = &mut self.next[store];
            next.apply(&mut self.stores[store], plan.stores[store].durable);
            self.counters.rows_touched += (next.doomed.len() + next.plus.len()) as u64;
            next.plus.clear();
            if plan.stores[store].deleted_by.is_some() {
                next.standing.append(&mut next.doomed);
            }
            next.doomed.clear();
            self.wake_if_touched(plan, store);
        }
    }

    /// Takes the messages. Those that only drive rules stay where they are.
    pub(super) fn take(&mut self, plan: &Plan, inputs: &Inputs) {
        if inputs.start {
            self.wake(plan, plan.start);
            self.stores[plan.start].insert(&[]);
        }
        for (message, channel) in (0..).zip(inputs.channels()) {
            self.counters.messages_in += 1;
            let Some(store) = plan.received[usize::from(channel)] else { continue };
            if !plan.stores[store].passes {
                self.stores[store].insert(&Row::of(inputs.row(message)));
                self.wake(plan, store);
                continue;
            }
            let arrived = &mut self.arrived[store];
            if plan.stores[store].distinct && !arrived.is_first(message, inputs, self.seed) {
                continue;
            }
            arrived.messages.push(message);
            self.wake(plan, store);
        }
    }
}

impl super::Arrived {
    /// Whether no message before it in the step is the same.
    fn is_first(&mut self, message: u32, inputs: &Inputs, seed: crate::hash::Seed) -> bool {
        // Most steps take few messages of a channel: only the second one needs a table.
        if let [first] = self.messages[..]
            && self.seen.is_empty()
        {
            self.seen.find_or_insert(seed.tuple(inputs.row(first)), first, |_| false);
        }
        if self.messages.is_empty() {
            return true;
        }
        let row = inputs.row(message);
        self.seen.find_or_insert(seed.tuple(row), message, |other| inputs.row(other) == row).is_none()
    }
}

#[cfg(test)]
mod tests {
    use menard_value::{Node, Value};

    use crate::Inputs;
    use crate::hash::Seed;
    use crate::state::Arrived;

    #[test]
    fn a_message_that_comes_often_is_remembered_once() {
        let mut inputs = Inputs::default();
        for message in 0..100_000 {
            inputs.push(0, Node { role: 0, index: 0 }, [Value::Int(message / 99_999)]);
        }
        let (mut arrived, seed) = (Arrived::default(), Seed::new(1));
        for message in 0..100_000 {
            if arrived.is_first(message, &inputs, seed) {
                arrived.messages.push(message);
            }
        }
        assert_eq!(arrived.messages, [0, 99_999]);
        assert_eq!(arrived.seen.capacity(), 8, "two messages need no more room");
    }
}
