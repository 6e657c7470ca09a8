//! The lift: a run of coordinator and partitions as a run of the one node that they were.
//!
//! A batch takes effect when the coordinator says go: all partitions are frozen then, so what any of them took before came before it, and
//! what any of them takes later comes after. So this is when the original takes its messages, all in one step. What a partition received
//! while it was frozen, the original takes when the partition opens. All other messages are taken where they were.
//!
//! When the node stops, all is gone that waits for its turn: batches that have not taken effect, and what frozen partitions hold. The original takes it
//! last. What it sends then is lost with it, and if the node restarts, its disk does not have it. So it is with what the disks of coordinator and
//! partitions do not have. Nobody has heard of that: who is frozen has everything on disk that came before, so what a partition loses comes
//! after all batches that have taken effect; and nobody takes a batch before it is on the coordinator's disk.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message, Schedule, Struck, Trace};
use menard_value::{Node, Value};

use super::Coordination;
use crate::lifting::{Moment, in_order};

/// What is known of a partition at some moment of the run.
struct Partition {
    /// The number of the last batch that it took, and of the last that it was told of.
    released: i64,
    requested: i64,
    /// How many facts batches have, which of them have arrived, which batches take effect.
    sizes: BTreeMap<i64, i64>,
    arrived: BTreeMap<i64, BTreeSet<Message>>,
    decided: BTreeSet<i64>,
    /// What it received while it was frozen.
    held: Vec<Message>,
}

/// A lift under way.
struct Lifted<'a> {
    coordination: &'a Coordination,
    internal: BTreeSet<Name>,
    told: BTreeSet<&'a Name>,
    partitions: BTreeMap<Address, Partition>,
    /// The messages of batches that have not taken effect.
    batches: BTreeMap<(Node, i64), Vec<Message>>,
    events: Vec<Event>,
}

impl Coordination {
    /// The schedule of the original under which it does what the run did.
    pub fn lift(&self, run: &Trace) -> Schedule {
        let mut lifted = Lifted {
            coordination: self,
            internal: self.channels(),
            told: self.partition_kinds().map(|kind| &kind.channel).collect(),
            partitions: BTreeMap::new(),
            batches: BTreeMap::new(),
            events: Vec::new(),
        };
        in_order(
            run,
            &self.unsent,
            |at| self.is_part(at),
            |moment| match moment {
                Moment::Happens(event) => {
                    lifted.event(event);
                    lifted.sync_after(event);
                }
                // What a start writes, every start writes, so that it makes no difference whether it was forgotten.
                Moment::Deferred(Event::Step { inputs, .. }) if !inputs.is_empty() => {}
                Moment::Deferred(event) => lifted.sync_after(event),
                Moment::Forgotten(event) => lifted.event(event),
                Moment::Stops(event, lost) => {
                    lifted.stops(event);
                    let lost = lost.map(|lost| lifted.without_waiting(lost));
                    lifted.events.extend(lost);
                    lifted.event(event);
                }
            },
        );
        Schedule { events: lifted.events, choice_seed: run.choice_seed }
    }

    fn is_part(&self, at: &Address) -> bool {
        at.component == self.component || at.component == self.coordinator
    }
}

impl Lifted<'_> {
    fn event(&mut self, event: &Event) {
        let lifted = match event {
            Event::Step { at, inputs, outputs } if at.component == self.coordination.coordinator => {
                return self.coordinator_steps(at, inputs, outputs);
            }
            Event::Step { at, inputs, .. } if at.component == self.coordination.component => {
                return self.partition_steps(at, inputs);
            }
            Event::Step { at, inputs, .. } => return self.step(at, inputs.clone()),
            Event::Take { message, .. }
            | Event::Redeliver { message }
            | Event::Inject { message }
            | Event::Forge { message, .. }
                if self.is_internal(message) =>
            {
                return;
            }
            Event::Repeat { at, message } => Event::Repeat { at: self.address(at), message: message.clone() },
            // The disk of the original has every turn at once, but those that come just before a restart.
            Event::Sync { at } if self.coordination.is_part(at) => return,
            Event::Crash { whom } => Event::Crash { whom: self.struck(whom) },
            Event::Corrupt { whom } => Event::Corrupt { whom: self.struck(whom) },
            Event::Forge { message, at } => Event::Forge { message: message.clone(), at: self.address(at) },
            Event::Restart { whom } => Event::Restart { whom: self.struck(whom) },
            _ => event.clone(),
        };
        self.events.push(lifted);
    }

    fn sync_after(&mut self, event: &Event) {
        if let Event::Step { at, .. } = event
            && self.coordination.forgets
            && self.coordination.is_part(at)
        {
            self.events.push(Event::Sync { at: self.address(at) });
        }
    }

    /// A node stops: last it takes what has been waiting for its turn.
    fn stops(&mut self, event: &Event) {
        let (Event::Crash { whom } | Event::Restart { whom }) = event else { return };
        let node = whom.node();
        let at = Address { node, component: self.coordination.component.clone(), part: 0 };
        let undecided: Vec<(Node, i64)> = self.batches.keys().filter(|(of, _)| *of == node).copied().collect();
        for batch in undecided {
            let taken = self.batches.remove(&batch).unwrap_or_default();
            self.step(&at, taken);
        }
        let parts: Vec<Address> = self.partitions.keys().filter(|at| at.node == node).cloned().collect();
        for part in parts {
            let held = self.partitions.remove(&part).map(|partition| partition.held).unwrap_or_default();
            self.step(&at, held);
        }
    }

    /// What a node loses, but what others have got from it that the original has not taken yet.
    fn without_waiting(&self, lost: Event) -> Event {
        let Event::Forgo { from, channels, mut but } = lost else { return lost };
        let held = self.partitions.values().flat_map(|partition| &partition.held);
        let waiting = self.batches.values().flatten().chain(held);
        let sent = waiting.filter(|message| message.from == from && channels.contains(&message.channel));
        but.extend(sent.cloned());
        Event::Forgo { from, channels, but }
    }

    /// What is replicated waits until its batch takes effect. What made no batch changes nothing, and is taken at once.
    fn coordinator_steps(&mut self, at: &Address, inputs: &[Message], outputs: &[Message]) {
        let names = &self.coordination.names;
        let mine: Vec<Message> = inputs.iter().filter(|message| !self.is_internal(message)).cloned().collect();
        let number = |channel: &Name| {
            outputs.iter().find(|message| message.channel == *channel).and_then(|message| integer(message, 1))
        };
        if let Some(batch) = number(&names.go) {
            let taken = self.batches.remove(&(at.node, batch)).unwrap_or_default();
            self.step(at, taken);
        }
        match number(&names.size) {
            Some(batch) => {
                self.batches.insert((at.node, batch), mine);
            }
            None => self.step(at, mine),
        }
    }

    fn partition_steps(&mut self, at: &Address, inputs: &[Message]) {
        let (internal, mine): (Vec<&Message>, Vec<&Message>) =
            inputs.iter().partition(|message| self.is_internal(message));
        let mut partition = self.partitions.remove(at).unwrap_or_else(|| Partition::new(self.coordination));
        for message in internal {
            partition.hear(self.coordination, &self.told, message);
        }
        let mine = mine.into_iter().cloned();
        if partition.is_open() {
            self.step(at, mine.collect());
        } else {
            partition.held.extend(mine);
        }
        if partition.takes_batches() && partition.is_open() {
            let held = std::mem::take(&mut partition.held);
            self.step(at, held);
        }
        self.partitions.insert(at.clone(), partition);
    }

    /// A step of the original, if there is anything to take.
    fn step(&mut self, at: &Address, inputs: Vec<Message>) {
        if !inputs.is_empty() {
            self.events.push(Event::Step { at: self.address(at), inputs, outputs: Vec::new() });
        }
    }

    fn is_internal(&self, message: &Message) -> bool {
        self.internal.contains(&message.channel)
    }

    fn struck(&self, whom: &Struck) -> Struck {
        match whom {
            Struck::Whole(node) => Struck::Whole(*node),
            Struck::Part(at) => Struck::Part(self.address(at)),
        }
    }

    fn address(&self, at: &Address) -> Address {
        match self.coordination.is_part(at) {
            true => Address { node: at.node, component: self.coordination.component.clone(), part: 0 },
            false => at.clone(),
        }
    }
}

impl Partition {
    /// As it starts. If there is something to restore, that is batch 0.
    fn new(coordination: &Coordination) -> Partition {
        let restores = coordination.restoring.is_some();
        Partition {
            released: if restores { -1 } else { 0 },
            requested: 0,
            sizes: BTreeMap::new(),
            arrived: BTreeMap::new(),
            decided: BTreeSet::from([0]),
            held: Vec::new(),
        }
    }

    /// What the coordinator says.
    fn hear(&mut self, coordination: &Coordination, told: &BTreeSet<&Name>, message: &Message) {
        let names = &coordination.names;
        let Some(batch) = integer(message, 1) else { return };
        if message.channel == names.size {
            self.requested = self.requested.max(batch);
            self.sizes.insert(batch, integer(message, 2).unwrap_or_default());
        } else if message.channel == names.go {
            self.decided.insert(batch);
        } else if told.contains(&message.channel) {
            self.arrived.entry(batch).or_default().insert(message.clone());
        }
    }

    fn is_open(&self) -> bool {
        self.released == self.requested
    }

    /// Takes the batches that are next; whether there are some.
    fn takes_batches(&mut self) -> bool {
        let before = self.released;
        loop {
            let next = self.released + 1;
            let arrived = self.arrived.get(&next).map_or(0, |facts| i64::try_from(facts.len()).unwrap_or(i64::MAX));
            if !self.decided.contains(&next) || self.sizes.get(&next) != Some(&arrived) {
                return self.released > before;
            }
            self.released = next;
        }
    }
}

/// The integer in a column of a message.
fn integer(message: &Message, column: usize) -> Option<i64> {
    match message.args.get(column) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}
