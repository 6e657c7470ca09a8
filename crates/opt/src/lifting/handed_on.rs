//! The lift of a prefix: what the first component takes, the original takes when the second one takes what comes of it.

use std::collections::{BTreeMap, VecDeque};

use menard_lang::run::{Event, Message, Schedule, Trace};

use super::Lifting;

/// Inputs of which one component makes at most one message each, for another component of the same node.
pub struct HandedOn<'a> {
    /// The second component, what both were made from, and the channels between them.
    pub home: &'a Lifting,
    /// What is made of a message that the first component takes.
    pub made_of: &'a dyn Fn(&Message) -> Option<Message>,
}

impl HandedOn<'_> {
    /// The schedule of the original. Messages of which nothing is made are taken where they are.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        // For each message between the components, the inputs of the steps that sent it: one message for all inputs of a step that come to
        // the same. Equal messages of several steps are as good as each other.
        let mut inside: BTreeMap<Message, VecDeque<Vec<Message>>> = BTreeMap::new();
        let mut events = Vec::new();
        for event in &run.events {
            let Event::Step { at, inputs, .. } = event else {
                events.extend(self.home.event(event));
                continue;
            };
            let mut taken = Vec::new();
            if at.component == self.home.component {
                for message in inputs {
                    match inside.get_mut(message) {
                        Some(waiting) => taken.extend(waiting.pop_front().into_iter().flatten()),
                        None => taken.push(message.clone()),
                    }
                }
            } else if at.component == self.home.original {
                let mut kept: BTreeMap<Message, Vec<Message>> = BTreeMap::new();
                for message in inputs {
                    match (self.made_of)(message) {
                        Some(made) => kept.entry(made).or_default().push(message.clone()),
                        None => taken.push(message.clone()),
                    }
                }
                for (made, inputs) in kept {
                    inside.entry(made).or_default().push_back(inputs);
                }
            } else {
                taken.clone_from(inputs);
            }
            events.extend(self.home.event(&Event::Step { at: at.clone(), inputs: taken, outputs: Vec::new() }));
        }
        Schedule { events, choice_seed: run.choice_seed }
    }
}
