//! The lift of outputs that are held: what the second component does in a step, the original does where the first one is told of it.

use std::collections::{BTreeMap, VecDeque};

use menard_lang::ir::Name;
use menard_lang::run::{Event, Message, Schedule, Trace};
use menard_value::Node;

use super::Lifting;

/// One component makes batches, and another one of the same node is told them, each in a step of its own turn.
pub struct Replayed<'a> {
    /// The component that makes batches, what both were made from, and the channels between them.
    pub home: &'a Lifting,
    /// The channel with one message for each batch, sent when it is made; and that whose messages make it known.
    pub batches: Option<(&'a Name, &'a Name)>,
}

/// What a step took that the original has not taken yet, and whether it made a batch.
struct Waiting {
    taken: Vec<Message>,
    makes_batch: bool,
}

impl Replayed<'_> {
    /// The schedule of the original. Steps of one node keep their order. Those that make no batch come at once, or right after the batch that they
    /// have to wait for.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        let mut waiting: BTreeMap<Node, VecDeque<Waiting>> = BTreeMap::new();
        let mut events = Vec::new();
        for event in &run.events {
            let Event::Step { at, inputs, outputs } = event else {
                events.extend(self.home.event(event));
                continue;
            };
            let mut step = |taken: Vec<Message>| {
                events.extend(self.home.event(&Event::Step { at: at.clone(), inputs: taken, outputs: Vec::new() }));
            };
            let queue = waiting.entry(at.node).or_default();
            if at.component == self.home.component {
                let taken: Vec<Message> =
                    inputs.iter().filter(|message| !self.home.internal.contains(&message.channel)).cloned().collect();
                let makes_batch = outputs.iter().any(|message| self.is_made(message));
                match taken.is_empty() || queue.is_empty() && !makes_batch {
                    true => step(taken),
                    false => queue.push_back(Waiting { taken, makes_batch }),
                }
            } else if at.component == self.home.original && inputs.iter().any(|message| self.is_told(message)) {
                let told = queue.pop_front().map(|step| step.taken).unwrap_or_default();
                step(inputs.iter().cloned().chain(told).collect());
                while queue.front().is_some_and(|next| !next.makes_batch) {
                    step(queue.pop_front().map(|next| next.taken).unwrap_or_default());
                }
            } else {
                step(inputs.clone());
            }
        }
        Schedule { events, choice_seed: run.choice_seed }
    }

    fn is_made(&self, message: &Message) -> bool {
        self.batches.is_some_and(|(made, _)| message.channel == *made)
    }

    fn is_told(&self, message: &Message) -> bool {
        self.batches.is_some_and(|(_, told)| message.channel == *told)
    }
}
