//! A run as if nobody had changed anything on the wire. MACs do not cover all columns of some channels; their receivers check the others, so that what was
//! changed has no effect. If it has one, the run without it is none, and its original cannot follow.

use std::borrow::Cow;

use menard_lang::run::{Event, Message, Trace, is_changed_on_wire};

/// The run without the messages that were changed on the wire.
pub(crate) fn unchanged(run: &Trace) -> Cow<'_, Trace> {
    if !run.events.iter().any(|event| is_changed_on_wire(&run.events, event)) {
        return Cow::Borrowed(run);
    }
    // Of equal messages it makes no difference which was the changed one.
    let mut changed: Vec<&Message> = Vec::new();
    let mut sent = Trace { events: Vec::new(), writes: Vec::new(), ..run.clone() };
    for (position, event) in run.events.iter().enumerate() {
        if run.writes.contains(&position) {
            sent.writes.push(sent.events.len());
        }
        match event {
            Event::Forge { message, .. } if is_changed_on_wire(&run.events, event) => changed.push(message),
            Event::Take { message, .. } if take(&mut changed, message) => {}
            Event::Step { at, inputs, outputs } => {
                let mut inputs = inputs.clone();
                inputs.retain(|message| !take(&mut changed, message));
                sent.events.push(Event::Step { at: at.clone(), inputs, outputs: outputs.clone() });
            }
            _ => sent.events.push(event.clone()),
        }
    }
    Cow::Owned(sent)
}

/// Takes a message out of a list; whether it was there.
fn take(list: &mut Vec<&Message>, message: &Message) -> bool {
    let found = list.iter().position(|other| *other == message);
    found.map(|position| list.swap_remove(position)).is_some()
}
