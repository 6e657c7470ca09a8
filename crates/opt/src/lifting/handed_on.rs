//! The lift of a prefix: what the first component takes, the original takes when the second one takes what comes of it.
//!
//! What is on its way between the two when the node crashes or restarts, the original takes just before that: nobody hears of it, and no disk has it. The second
//! component has all the state, so its disk is that of the original; the first one may have constants, which every start writes anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_lang::run::{Address, Event, Message, Schedule, Trace};
use menard_value::Node;

use super::Lifting;
use super::order::{Forgotten, Unsent};

/// Inputs of which one component makes at most one message each, for another component of the same node.
pub struct HandedOn<'a> {
    /// The second component, what both were made from, and the channels between them.
    pub home: &'a Lifting,
    /// What is made of a message that the first component takes.
    pub made_of: &'a dyn Fn(&Message) -> Option<Message>,
}

/// For each message between the components, the inputs of the steps that sent it: one message for all inputs of a step that come to
/// the same. Equal messages of several steps are as good as each other.
type Inside = BTreeMap<Message, VecDeque<Vec<Message>>>;

impl HandedOn<'_> {
    /// The schedule of the original. Messages of which nothing is made are taken where they are.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        let forgotten = Forgotten::of(run, |at| self.home.is_part(at));
        let mut unsent = Unsent::new(run, &self.home.unsent);
        let mut inside = Inside::new();
        let mut started: BTreeSet<Node> = BTreeSet::new();
        let mut events = Vec::new();
        for (position, event) in run.events.iter().enumerate() {
            if let Event::Crash { whom } | Event::Restart { whom } = event {
                events.extend(self.catch_up(&mut inside, &mut unsent, whom.node()));
                started.remove(&whom.node());
            }
            match event {
                Event::Step { at, inputs, outputs } => {
                    let inputs = self.taken(&mut inside, at, inputs);
                    unsent.takes(&inputs);
                    unsent.sends(outputs, forgotten.is_held(position));
                    events.extend(self.home.event(&Event::Step { at: at.clone(), inputs, outputs: Vec::new() }));
                    // A start that wrote nothing behind the prefix may have written constants, which need not wait.
                    let is_start = at.component == self.home.component && started.insert(at.node);
                    if is_start && self.home.forgets && !run.writes.contains(&position) {
                        events.push(Event::Sync { at: self.home.address(at) });
                    }
                }
                Event::Sync { at } if at.component == self.home.component => {
                    events.push(Event::Sync { at: self.home.address(at) });
                }
                _ => {
                    events.extend(unsent.before(event, forgotten.is_held(position)));
                    events.extend(self.home.event(event));
                }
            }
        }
        Schedule { events, choice_seed: run.choice_seed }
    }

    /// What the original takes in the step of a part that takes these messages.
    fn taken(&self, inside: &mut Inside, at: &Address, inputs: &[Message]) -> Vec<Message> {
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
            taken.extend_from_slice(inputs);
        }
        taken
    }

    /// The steps of a node that is about to crash or to restart, for what the second component will never take.
    fn catch_up(&self, inside: &mut Inside, unsent: &mut Unsent<'_>, node: Node) -> Vec<Event> {
        let at = Address { node, component: self.home.original.clone(), part: 0 };
        let lost = inside.iter_mut().filter(|(made, _)| made.to == node).flat_map(|(_, waiting)| waiting.drain(..));
        let step = |inputs: Vec<Message>| {
            unsent.takes(&inputs);
            Event::Step { at: at.clone(), inputs, outputs: Vec::new() }
        };
        lost.map(step).collect()
    }
}
