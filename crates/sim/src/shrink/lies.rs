//! Runs in which corrupt nodes say what honest ones said, so that less has to happen to make the honest ones say it.

use menard_lang::run::{Event, Message};
use menard_value::Node;

use super::Shrinker;
use super::candidate::Candidate;

impl Shrinker<'_, '_> {
    /// Leaves out a step, and lets a corrupt node of the same role send what the step sent, where that is enough.
    pub(super) fn with_lies_instead(&mut self, mut best: Candidate) -> Candidate {
        let liars: Vec<Node> = best.events.iter().filter_map(corrupt).collect();
        for liar in liars {
            let mut position = best.events.len();
            while position > 0 {
                position = (position - 1).min(best.events.len() - 1);
                let Some(sent) = sent_at(&best, position) else { continue };
                let events = lied(&best.events, position, &sent, liar);
                best = events.and_then(|events| self.attempt(events, &best)).unwrap_or(best);
            }
        }
        best
    }
}

fn corrupt(event: &Event) -> Option<Node> {
    match event {
        Event::Corrupt { whom } => Some(whom.node()),
        _ => None,
    }
}

/// What a node sent in the step at this position of the schedule, and in its follow-ups.
fn sent_at(best: &Candidate, position: usize) -> Option<Vec<Message>> {
    let is_turn = |event: &&Event| matches!(event, Event::Step { inputs, .. } if !inputs.is_empty());
    best.events.get(position).filter(is_turn)?;
    let turn = best.events[..position].iter().filter(is_turn).count();
    let mut steps = best
        .run
        .trace
        .events
        .iter()
        .skip_while(|event| !is_turn(event))
        .filter(|event| matches!(event, Event::Step { .. }));
    let mut seen = 0;
    let mut sent = Vec::new();
    for event in steps.by_ref() {
        let Event::Step { inputs, outputs, .. } = event else { continue };
        seen += usize::from(!inputs.is_empty());
        if seen > turn + 1 {
            break;
        }
        if seen == turn + 1 {
            sent.extend(outputs.iter().cloned());
        }
    }
    Some(sent)
}

/// The events without that at `position`, in which a liar says what it `sent`; nothing if nobody listened, or if the liar is of another role.
fn lied(events: &[Event], position: usize, sent: &[Message], liar: Node) -> Option<Vec<Event>> {
    let mut lied = Vec::new();
    let mut lies = 0;
    for (at, event) in events.iter().enumerate().filter(|(at, _)| *at != position) {
        let mut event = event.clone();
        if let Event::Step { at: taker, inputs, .. } = &mut event
            && at > position
        {
            for input in inputs.iter_mut().filter(|input| sent.contains(input) && input.from.role == liar.role) {
                input.from = liar;
                lied.push(Event::Forge { message: input.clone(), at: taker.clone() });
                lies += 1;
            }
        }
        lied.push(event);
    }
    (lies > 0).then_some(lied)
}
