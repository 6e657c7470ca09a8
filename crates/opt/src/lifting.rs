//! The construction behind every rewrite here: what a new node does, the original node did.

mod handed_on;

use std::collections::BTreeSet;

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message, Schedule, Struck, Trace};

pub use handed_on::HandedOn;

/// Sends every event of some component home to the component that it was made from, on its only partition, and forgets the messages
/// that exist only between the two.
#[derive(Clone, Debug)]
pub struct Lifting {
    /// The component of the rewritten program.
    pub component: Name,
    /// The component of the original.
    pub original: Name,
    /// Channels that the original does not have.
    pub internal: BTreeSet<Name>,
}

impl Lifting {
    /// The schedule of the original under which it does what the run did.
    pub fn schedule(&self, run: &Trace) -> Schedule {
        let events = run.events.iter().filter_map(|event| self.event(event)).collect();
        Schedule { events, choice_seed: run.choice_seed }
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
            Event::Sync { at } => Some(Event::Sync { at: self.address(at) }),
            Event::Crash { whom } => Some(Event::Crash { whom: self.struck(whom) }),
            Event::Restart { whom } => Some(Event::Restart { whom: self.struck(whom) }),
            Event::Cut { .. } | Event::Heal => Some(event.clone()),
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
