//! A run in which one physical node of a logical node is corrupt, as one in which they all are: to the original, the node is one. What its honest
//! machines send to others, its adversary sends; what they receive, it receives; what they say to each other is nobody's business.

use std::borrow::Cow;

use menard_lang::run::{Address, Event, Message, Struck, Trace};
use menard_value::Node;

use crate::prepared::{End, Prepared};

/// The run of the program `prepared` with whole nodes corrupt.
pub(crate) fn wholly_corrupt<'t>(run: &'t Trace, prepared: &Prepared) -> Cow<'t, Trace> {
    let corrupted = run.events.iter().filter_map(|event| match event {
        Event::Corrupt { whom } => Some(whom),
        _ => None,
    });
    let parted = corrupted.clone().filter(|whom| matches!(whom, Struck::Part(_)));
    let parted: Vec<Node> = parted.map(Struck::node).collect();
    if parted.is_empty() {
        return Cow::Borrowed(run);
    }
    let demon = Demon { parted, corrupt: corrupted.map(Struck::node).collect(), prepared };
    let mut whole = Trace { events: Vec::new(), writes: Vec::new(), ..run.clone() };
    for (position, event) in run.events.iter().enumerate() {
        // What a corrupt node's disk has is nobody's business either, and what takes the place of its steps writes nothing.
        let is_honest = matches!(event, Event::Step { at, .. } if !demon.has(at.node));
        if is_honest && run.writes.contains(&position) {
            whole.writes.push(whole.events.len());
        }
        demon.event(event, &mut whole.events);
    }
    Cow::Owned(whole)
}

/// Whether of some node only some machines are corrupt. Its others go on where the whole node of the original, which is corrupt, says nothing more.
pub(crate) fn is_partly_corrupt(run: &Trace) -> bool {
    run.events.iter().any(|event| matches!(event, Event::Corrupt { whom: Struck::Part(_) }))
}

struct Demon<'p> {
    /// The nodes of which only some machines are corrupt in the run.
    parted: Vec<Node>,
    /// These and all other corrupt nodes: to the original, one adversary, which tells itself nothing.
    corrupt: Vec<Node>,
    prepared: &'p Prepared,
}

impl Demon<'_> {
    fn event(&self, event: &Event, events: &mut Vec<Event>) {
        match event {
            Event::Corrupt { whom } => events.push(Event::Corrupt { whom: Struck::Whole(whom.node()) }),
            Event::Step { at, inputs, outputs } if self.has(at.node) => {
                let heard = inputs.iter().filter(|message| !self.is_inside(message));
                events.extend(heard.map(|message| Event::Take { message: message.clone(), lost: false }));
                events.extend(outputs.iter().filter_map(|message| self.forged(message)));
            }
            Event::Repeat { at, message } if self.has(at.node) => events.extend(self.forged(message)),
            Event::Sync { at } if self.has(at.node) => {}
            Event::Take { message, .. } | Event::Forge { message, .. } if self.is_inside(message) => {}
            _ => events.push(event.clone()),
        }
    }

    fn has(&self, node: Node) -> bool {
        self.parted.contains(&node)
    }

    /// Whether a message stays among the machines of corrupt nodes.
    fn is_inside(&self, message: &Message) -> bool {
        self.corrupt.contains(&message.from) && self.corrupt.contains(&message.to)
    }

    fn forged(&self, message: &Message) -> Option<Event> {
        if self.is_inside(message) {
            return None;
        }
        let channel = self.prepared.channel_of(&message.channel)?;
        let at = match self.prepared.channels[usize::from(channel)].receiver {
            End::External(_) => self.prepared.names.home(message.to),
            End::Component(component) => {
                let part = self.prepared.router.part(channel, &message.args);
                Address { node: message.to, component: self.prepared.components[component].name.clone(), part }
            }
        };
        Some(Event::Forge { message: message.clone(), at })
    }
}
