//! The construction behind every rewrite here: what a new node does, the original node did.
//!
//! Where nodes restart and have disks, the parts of a node have one each, and each keeps a prefix of its own part's turns; the original's disk
//! keeps a prefix of all. What a part had done and its disk not taken, nobody but the part has heard of. So the original does it last:
//! just before the restart, and its disk has everything before that.
//!
//! What one part had told another one, which was to send something then, is gone when both crash or restart. The original had sent it at once; then the network
//! had not taken it over, and it is lost with the node.

mod handed_on;
mod order;
mod replayed;

use std::collections::BTreeSet;

use menard_lang::ir::{Channel, Name, Program};
use menard_lang::run::{Address, Event, Message, Schedule, Struck, Trace};

pub use handed_on::HandedOn;
pub use order::{Moment, in_order};
pub use replayed::Replayed;

use crate::analysis::fault_model::{forgets, stops};

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

    /// The same where the original does just before it crashes or restarts what the rewritten node had not come to: all that it sends then is lost
    /// with it.
    pub fn catching_up(
        program: &Program,
        component: &Name,
        original: &Name,
        internal: BTreeSet<Name>,
        mut late: BTreeSet<Name>,
    ) -> Lifting {
        let role = &program.component(original).expect("the component of a site is in its program").role;
        if stops(program, role) {
            let sent = program.channels.iter().filter(|channel| channel.sender == *original);
            late.extend(sent.map(|channel| channel.name.clone()));
        }
        Lifting::new(program, component, original, internal, late)
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
        let mut events = Vec::new();
        in_order(
            run,
            &self.unsent,
            |at| self.is_part(at),
            |moment| {
                let (event, is_forgotten) = match moment {
                    Moment::Happens(event) => (event, false),
                    Moment::Deferred(event) => {
                        events.extend(self.sync_after_start(event));
                        return;
                    }
                    Moment::Forgotten(event) => (event, true),
                    Moment::Stops(event, lost) => {
                        events.extend(lost);
                        (event, false)
                    }
                };
                events.extend(self.event(event));
                if let Event::Step { at, .. } = event
                    && !is_forgotten
                    && self.forgets
                    && self.is_part(at)
                {
                    events.push(Event::Sync { at: self.address(at) });
                }
            },
        );
        Schedule { events, choice_seed: run.choice_seed }
    }

    /// What a start writes, every start writes, so that it makes no difference whether it was forgotten.
    fn sync_after_start(&self, event: &Event) -> Option<Event> {
        match event {
            Event::Step { at, inputs, .. } if inputs.is_empty() => Some(Event::Sync { at: self.address(at) }),
            _ => None,
        }
    }

    fn is_part(&self, at: &Address) -> bool {
        at.component == self.component || at.component == self.original
    }

    /// What an event is in the original, if it is one there.
    pub fn event(&self, event: &Event) -> Option<Event> {
        match event {
            Event::Inject { message } => self.message(message).map(|message| Event::Inject { message }),
            Event::Corrupt { whom } => Some(Event::Corrupt { whom: self.struck(whom) }),
            Event::Forge { message, at } => {
                self.message(message).map(|message| Event::Forge { message, at: self.address(at) })
            }
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
