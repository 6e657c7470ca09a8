//! The construction behind every rewrite here: what a new node does, the original node did.
//!
//! Where nodes restart and have disks, the parts of a node have one each, and each keeps a prefix of its own part's turns; the original's disk
//! keeps a prefix of all. What a part had done and its disk not taken, nobody but the part has heard of. So the original does it last:
//! just before the restart, and its disk has everything before that.
//!
//! What one part had told another one, which was to send something then, is gone when both crash or restart. The original had sent it at once; then the network
//! had not taken it over, and it is lost with the node.

mod handed_on;
mod replayed;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_lang::ir::{Channel, Name, Program};
use menard_lang::run::{Address, Event, Message, Schedule, Struck, Trace};

pub use handed_on::HandedOn;
pub use replayed::Replayed;

use crate::analysis::fault_model::forgets;

/// Sends every event of some component home to the component that it was made from, on its only partition, and forgets the messages
/// that exist only between the two.
#[derive(Clone, Debug)]
pub struct Lifting {
    component: Name,
    original: Name,
    internal: BTreeSet<Name>,
    late: BTreeSet<Name>,
    moved: BTreeSet<Name>,
    /// Whether a restart may make a node of the original forget what it did.
    forgets: bool,
    /// The channels on which a node that crashes or restarts may have sent something in the original, and nothing in the rewritten program.
    unsent: BTreeSet<Name>,
}

impl Lifting {
    /// For a component of the rewritten program that was made from one of the original, with the channels between the two, which the original
    /// does not have, and those on which the new component sends later than the original.
    pub fn new(
        program: &Program,
        component: &Name,
        original: &Name,
        internal: BTreeSet<Name>,
        late: BTreeSet<Name>,
    ) -> Lifting {
        let (mut moved, mut unsent) = (BTreeSet::new(), late.clone());
        let forgets = forgets(program, original);
        if forgets {
            let names = |is_one: fn(&Channel, &str) -> bool| {
                let channels = program.channels.iter().filter(move |channel| is_one(channel, original));
                channels.map(|channel| channel.name.clone())
            };
            moved.extend(names(|channel, component| channel.receiver == component));
            unsent.extend(names(|channel, component| channel.sender == component));
        }
        Lifting { component: component.clone(), original: original.clone(), internal, late, moved, forgets, unsent }
    }

    /// The channels on which the original may be given messages later: those of which a restart may make it forget that it was.
    pub fn moved(&self) -> BTreeSet<Name> {
        self.moved.clone()
    }

    /// The channels on which the new component sends later than the original.
    pub fn late(&self) -> BTreeSet<Name> {
        self.late.clone()
    }

    /// The schedule of the original under which it does what the run did.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        let mut forgotten = Forgotten::of(run, |at| self.is_part(at));
        let mut unsent = Unsent::new(run, &self.unsent);
        let mut events = Vec::new();
        for (position, event) in run.events.iter().enumerate() {
            for earlier in forgotten.until(position).into_iter().flatten() {
                events.extend(unsent.before(&run.events[earlier], true));
                events.extend(self.event(&run.events[earlier]));
            }
            let is_forgotten = forgotten.contains(position);
            if !is_forgotten {
                events.extend(unsent.before(event, forgotten.is_held(position)));
            }
            events.extend(self.event(event).filter(|_| !is_forgotten));
            // What a start writes, every start writes, so that it makes no difference whether it was forgotten.
            if let Event::Step { at, inputs, .. } = event
                && self.forgets
                && self.is_part(at)
                && (inputs.is_empty() || !is_forgotten)
            {
                events.push(Event::Sync { at: self.address(at) });
            }
        }
        Schedule { events, choice_seed: run.choice_seed }
    }

    fn is_part(&self, at: &Address) -> bool {
        at.component == self.component || at.component == self.original
    }

    /// What an event is in the original, if it is one there.
    pub fn event(&self, event: &Event) -> Option<Event> {
        match event {
            Event::Inject { message } => self.message(message).map(|message| Event::Inject { message }),
            Event::Step { at, inputs, .. } => {
                let kept: Vec<Message> = inputs.iter().filter_map(|message| self.message(message)).collect();
                // A step that only took internal messages is no step of the original, and starts and follow-ups, which take none,
                // are not said in schedules.
                (!kept.is_empty()).then(|| Event::Step { at: self.address(at), inputs: kept, outputs: Vec::new() })
            }
            Event::Repeat { at, message } => {
                self.message(message).map(|message| Event::Repeat { at: self.address(at), message })
            }
            Event::Take { message, lost } => self.message(message).map(|message| Event::Take { message, lost: *lost }),
            Event::Redeliver { message } => self.message(message).map(|message| Event::Redeliver { message }),
            // The disk of the original has every turn at once, but those that come just before a restart.
            Event::Sync { at } if self.is_part(at) => None,
            Event::Crash { whom } => Some(Event::Crash { whom: self.struck(whom) }),
            Event::Restart { whom } => Some(Event::Restart { whom: self.struck(whom) }),
            Event::Forgo { .. } | Event::Sync { .. } | Event::Cut { .. } | Event::Heal => Some(event.clone()),
        }
    }

    fn message(&self, message: &Message) -> Option<Message> {
        (!self.internal.contains(&message.channel)).then(|| message.clone())
    }

    fn struck(&self, whom: &Struck) -> Struck {
        match whom {
            Struck::Whole(node) => Struck::Whole(*node),
            Struck::Part(at) => Struck::Part(self.address(at)),
        }
    }

    fn address(&self, at: &Address) -> Address {
        if at.component == self.component {
            Address { node: at.node, component: self.original.clone(), part: 0 }
        } else {
            at.clone()
        }
    }
}

/// What a node has in flight, so that it can be said what it never sent when it crashes or restarts.
struct Unsent<'a> {
    channels: &'a BTreeSet<Name>,
    /// Messages on these channels in flight, as often as they are; `None` if it is no matter.
    flying: Option<Vec<&'a Message>>,
}

impl<'a> Unsent<'a> {
    fn new(run: &Trace, channels: &'a BTreeSet<Name>) -> Self {
        let is_blow = |event: &Event| matches!(event, Event::Crash { .. } | Event::Restart { .. });
        let matters = !channels.is_empty() && run.events.iter().any(is_blow);
        Unsent { channels, flying: matters.then(Vec::new) }
    }

    /// Follows the run by an event; gives what the original loses before it. What a step sends that `is_held` never leaves its node.
    fn before(&mut self, event: &'a Event, is_held: bool) -> Option<Event> {
        let flying = self.flying.as_mut()?;
        let counts = |message: &&Message| self.channels.contains(&message.channel);
        let leaves = |message: &&Message| counts(message) && !is_held;
        let mut land = |message: &Message| {
            if let Some(position) = flying.iter().position(|other| *other == message) {
                flying.swap_remove(position);
            }
        };
        match event {
            Event::Step { inputs, outputs, .. } => {
                inputs.iter().filter(counts).for_each(&mut land);
                flying.extend(outputs.iter().filter(leaves));
            }
            Event::Repeat { message, .. } | Event::Redeliver { message } => flying.extend(Some(message).filter(leaves)),
            Event::Take { message, .. } => land(message),
            Event::Crash { whom } | Event::Restart { whom } => {
                let from = whom.node();
                let but =
                    flying.iter().filter(|message| message.from == from).map(|message| (*message).clone()).collect();
                if let Event::Restart { .. } = event {
                    flying.retain(|message| message.from != from || message.to != from);
                }
                return Some(Event::Forgo { from, channels: self.channels.clone(), but });
            }
            Event::Inject { .. } | Event::Sync { .. } | Event::Forgo { .. } | Event::Cut { .. } | Event::Heal => {}
        }
        None
    }
}

/// What parts of nodes did and then forgot, since a restart came before their disks had it.
#[derive(Default)]
struct Forgotten {
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
    fn of(run: &Trace, is_part: impl Fn(&Address) -> bool) -> Forgotten {
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

    fn contains(&self, event: usize) -> bool {
        self.events.contains(&event)
    }

    fn is_held(&self, event: usize) -> bool {
        self.held.contains(&event)
    }

    /// What comes just before the event at this position.
    fn until(&mut self, restart: usize) -> Option<Vec<usize>> {
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
