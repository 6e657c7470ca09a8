//! The lift of outputs that are held: what the second component does in a step, the original does where the first one is told of it.
//!
//! What the first one was not told when the node crashes or restarts, the original does just before that, as it does what no disk has: what it sends
//! then is lost with the node.

use std::collections::{BTreeMap, VecDeque};

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message, Schedule, Trace};
use menard_value::Node;

use super::Lifting;
use super::order::{Forgotten, Unsent};

/// One component makes batches, and another one of the same node is told them, each in a step of its own turn.
pub struct Replayed<'a> {
    /// The component that makes batches, what both were made from, and the channels between them.
    pub home: &'a Lifting,
    /// The channel with one message for each batch, sent when it is made; and that whose messages make it known.
    pub batches: Option<(&'a Name, &'a Name)>,
    /// Whether it is the component that makes batches that has a disk; only one of the two may.
    pub first_writes: bool,
}

/// A step of the component that makes batches, which the original has not done yet.
struct Waiting {
    taken: Vec<Message>,
    makes_batch: bool,
    /// Whether a disk has it.
    is_kept: bool,
}

impl Replayed<'_> {
    /// The schedule of the original. Steps of one node keep their order. Those that make no batch come at once, or right after the batch that they
    /// have to wait for.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        let mut forgotten = Forgotten::of(run, |at| self.home.is_part(at));
        let unsent = Unsent::new(run, &self.home.unsent);
        let mut original = Original { replayed: self, waiting: BTreeMap::new(), unsent, events: Vec::new() };
        for (position, event) in run.events.iter().enumerate() {
            for earlier in forgotten.until(position).into_iter().flatten() {
                original.follow(&run.events[earlier], false, true);
            }
            if let Event::Crash { whom } | Event::Restart { whom } = event {
                original.catch_up(whom.node());
            }
            if forgotten.contains(position) {
                original.events.extend(self.home.sync_after_start(event));
            } else {
                original.follow(event, true, forgotten.is_held(position));
            }
        }
        Schedule { events: original.events, choice_seed: run.choice_seed }
    }

    fn is_made(&self, message: &Message) -> bool {
        self.batches.is_some_and(|(made, _)| message.channel == *made)
    }

    fn is_told(&self, message: &Message) -> bool {
        self.batches.is_some_and(|(_, told)| message.channel == *told)
    }
}

/// The run of the original, as far as it goes.
struct Original<'a> {
    replayed: &'a Replayed<'a>,
    waiting: BTreeMap<Node, VecDeque<Waiting>>,
    unsent: Unsent<'a>,
    events: Vec<Event>,
}

impl<'a> Original<'a> {
    /// Does what the run did, or notes that it has to be done; `is_kept` says that no restart makes a part forget it, and `is_held` that what it sent
    /// never left.
    fn follow(&mut self, event: &'a Event, is_kept: bool, is_held: bool) {
        let home = self.replayed.home;
        let Event::Step { at, inputs, outputs } = event else {
            self.events.extend(self.unsent.before(event, is_held));
            self.events.extend(home.event(event));
            return;
        };
        self.unsent.sends(outputs, is_held);
        let queue = self.waiting.entry(at.node).or_default();
        if at.component == home.component {
            let taken: Vec<Message> =
                inputs.iter().filter(|message| !home.internal.contains(&message.channel)).cloned().collect();
            let makes_batch = outputs.iter().any(|message| self.replayed.is_made(message));
            match taken.is_empty() || queue.is_empty() && !makes_batch && is_kept {
                true => self.step(at, taken, is_kept),
                false => queue.push_back(Waiting { taken, makes_batch, is_kept }),
            }
        } else if at.component == home.original && inputs.iter().any(|message| self.replayed.is_told(message)) {
            let told = queue.pop_front().map(|step| step.taken).unwrap_or_default();
            self.step(at, inputs.iter().cloned().chain(told).collect(), is_kept);
            while let Some(next) = self.next_of(at.node, |next| !next.makes_batch) {
                self.step(at, next.taken, is_kept);
            }
        } else {
            self.step(at, inputs.clone(), is_kept);
        }
    }

    /// Does all that waits at a node, which is about to crash or to restart. The disk has what it has of it.
    fn catch_up(&mut self, node: Node) {
        let home = self.replayed.home;
        let at = Address { node, component: home.original.clone(), part: 0 };
        while let Some(next) = self.next_of(node, |_| true) {
            self.step(&at, next.taken, next.is_kept && self.replayed.first_writes);
        }
    }

    fn next_of(&mut self, node: Node, is_wanted: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let queue = self.waiting.get_mut(&node)?;
        queue.front().is_some_and(is_wanted).then(|| queue.pop_front()).flatten()
    }

    /// A step, which is then on the disk, if there is any and it has it.
    fn step(&mut self, at: &Address, inputs: Vec<Message>, is_kept: bool) {
        let home = self.replayed.home;
        self.unsent.takes(&inputs);
        self.events.extend(home.event(&Event::Step { at: at.clone(), inputs, outputs: Vec::new() }));
        if home.forgets && home.is_part(at) && is_kept {
            self.events.push(Event::Sync { at: home.address(at) });
        }
    }
}
