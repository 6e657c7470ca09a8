//! The order in which the original does what a run did.
//!
//! What the disk of a part does not have when its node restarts, the original does last, just before the restart. And when a node stops, what
//! the run has not sent, or what waited for a disk, the original loses with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message, Trace};

/// What is to be said of an event of a run, in the order in which the original has it.
pub enum Moment<'a> {
    /// It happens where the run has it.
    Happens(&'a Event),
    /// The run has it here, and the disk of its part loses it: the original does it later.
    Deferred(&'a Event),
    /// Here the original does it: the next event is the restart.
    Forgotten(&'a Event),
    /// A node crashes or restarts, and loses before what this says.
    Stops(&'a Event, Option<Event>),
}

/// Goes through a run. `unsent` are channels on which a node that stops may have sent something in the original, and nothing in the run.
pub fn in_order<'a>(
    run: &'a Trace,
    unsent: &'a BTreeSet<Name>,
    is_part: impl Fn(&Address) -> bool,
    mut visit: impl FnMut(Moment<'a>),
) {
    let mut forgotten = Forgotten::of(run, is_part);
    let mut unsent = Unsent::new(run, unsent);
    for (position, event) in run.events.iter().enumerate() {
        for earlier in forgotten.until(position).into_iter().flatten() {
            unsent.before(&run.events[earlier], true);
            visit(Moment::Forgotten(&run.events[earlier]));
        }
        if forgotten.contains(position) {
            visit(Moment::Deferred(event));
            continue;
        }
        let lost = unsent.before(event, forgotten.is_held(position));
        visit(match event {
            Event::Crash { .. } | Event::Restart { .. } => Moment::Stops(event, lost),
            _ => Moment::Happens(event),
        });
    }
}

/// What a node has in flight, so that it can be said what it never sent when it crashes or restarts.
pub(super) struct Unsent<'a> {
    channels: &'a BTreeSet<Name>,
    /// Messages on these channels in flight, as often as they are; `None` if it is no matter.
    flying: Option<Vec<&'a Message>>,
}

impl<'a> Unsent<'a> {
    pub(super) fn new(run: &Trace, channels: &'a BTreeSet<Name>) -> Self {
        let is_blow = |event: &Event| matches!(event, Event::Crash { .. } | Event::Restart { .. });
        let matters = !channels.is_empty() && run.events.iter().any(is_blow);
        Unsent { channels, flying: matters.then(Vec::new) }
    }

    /// Follows the run by an event; gives what the original loses before it. What a step sends that `is_held` never leaves its node.
    pub(super) fn before(&mut self, event: &'a Event, is_held: bool) -> Option<Event> {
        match event {
            Event::Step { inputs, outputs, .. } => {
                self.takes(inputs);
                self.sends(outputs, is_held);
            }
            Event::Repeat { message, .. } | Event::Redeliver { message } => {
                self.sends(std::slice::from_ref(message), is_held);
            }
            Event::Take { message, .. } => self.takes(std::slice::from_ref(message)),
            Event::Crash { whom } | Event::Restart { whom } => {
                let flying = self.flying.as_mut()?;
                let from = whom.node();
                let but =
                    flying.iter().filter(|message| message.from == from).map(|message| (*message).clone()).collect();
                if let Event::Restart { .. } = event {
                    flying.retain(|message| message.from != from || message.to != from);
                }
                return Some(Event::Forgo { from, channels: self.channels.clone(), but });
            }
            Event::Inject { .. }
            | Event::Corrupt { .. }
            | Event::Forge { .. }
            | Event::Sync { .. }
            | Event::Forgo { .. }
            | Event::Cut { .. }
            | Event::Heal => {}
        }
        None
    }

    /// The original takes these messages.
    pub(super) fn takes(&mut self, inputs: &[Message]) {
        let Some(flying) = self.flying.as_mut() else { return };
        for message in inputs.iter().filter(|message| self.channels.contains(&message.channel)) {
            if let Some(position) = flying.iter().position(|other| *other == message) {
                flying.swap_remove(position);
            }
        }
    }

    /// The run sends these messages, and they leave their node unless they are held for ever.
    pub(super) fn sends(&mut self, outputs: &'a [Message], is_held: bool) {
        if let Some(flying) = self.flying.as_mut().filter(|_| !is_held) {
            flying.extend(outputs.iter().filter(|message| self.channels.contains(&message.channel)));
        }
    }
}

/// What parts of nodes did and then forgot, since a restart came before their disks had it.
#[derive(Default)]
pub(super) struct Forgotten {
    /// For each restart that made a part forget, by position, the events, in order.
    before: BTreeMap<usize, Vec<usize>>,
    /// All of them.
    events: BTreeSet<usize>,
    /// These, and what waited for the disk of a part when it crashed: nothing that was sent then has left the part.
    held: BTreeSet<usize>,
}

/// What happened at one part since it started.
#[derive(Default)]
struct Life {
    /// Its steps, with messages or without, and repetitions.
    events: Vec<usize>,
    /// The first steps of turns that wait for the disk.
    waiting: VecDeque<usize>,
}

impl Forgotten {
    pub(super) fn of(run: &Trace, is_part: impl Fn(&Address) -> bool) -> Forgotten {
        let mut forgotten = Forgotten::default();
        if run.writes.is_empty() {
            return forgotten;
        }
        let writes: BTreeSet<usize> = run.writes.iter().copied().collect();
        let mut lives: BTreeMap<&Address, Life> = BTreeMap::new();
        for (position, event) in run.events.iter().enumerate() {
            match event {
                Event::Step { at, .. } | Event::Repeat { at, .. } if is_part(at) => {
                    let life = lives.entry(at).or_default();
                    life.events.push(position);
                    life.waiting.extend(writes.contains(&position).then_some(position));
                }
                Event::Sync { at } => {
                    if let Some(life) = lives.get_mut(at) {
                        life.waiting.pop_front();
                    }
                }
                Event::Crash { whom } | Event::Restart { whom } => {
                    let struck = lives.iter_mut().filter(|(at, _)| whom.strikes(at));
                    let lost: Vec<usize> = struck.flat_map(|(_, life)| std::mem::take(life).forgotten()).collect();
                    forgotten.held.extend(&lost);
                    if let Event::Restart { .. } = event {
                        forgotten.add(position, lost);
                    }
                }
                _ => {}
            }
        }
        forgotten
    }

    fn add(&mut self, restart: usize, mut lost: Vec<usize>) {
        lost.sort_unstable();
        self.events.extend(&lost);
        self.before.insert(restart, lost);
    }

    pub(super) fn contains(&self, event: usize) -> bool {
        self.events.contains(&event)
    }

    pub(super) fn is_held(&self, event: usize) -> bool {
        self.held.contains(&event)
    }

    /// What comes just before the event at this position.
    pub(super) fn until(&mut self, restart: usize) -> Option<Vec<usize>> {
        self.before.remove(&restart)
    }
}

impl Life {
    /// What a restart makes the part forget: everything from the first turn on that waits for the disk.
    fn forgotten(self) -> Vec<usize> {
        match self.waiting.front() {
            Some(first) => self.events.into_iter().filter(|event| event >= first).collect(),
            None => Vec::new(),
        }
    }
}
