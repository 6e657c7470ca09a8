//! What can be observed of a run: what external nodes sent, and what was delivered to whom, turn by turn. Deliveries on channels that a lift
//! moves are kept apart, each with its place among the others.

use menard_lang::run::{Event, Message, Trace};

use crate::log::{Content, Entry, PacketId, digest};
use crate::prepared::Prepared;
use crate::world::World;

/// Stands at the end of every turn in a history; no message has this digest but with a chance of one in 2^64.
const END_OF_TURN: u64 = 0;

/// A history, as digests of messages.
#[derive(Default)]
pub(super) struct History {
    /// Messages sent by external nodes and messages delivered where they may not be moved, in order; those that a turn takes are sorted.
    fixed: Vec<u64>,
    /// Messages delivered on channels that the lift moves.
    moved: Vec<Delivery>,
}

/// A delivery that may be moved. Deliveries between the same two of those that may not be have the same place, since there is nobody who
/// could tell in which order they come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Delivery {
    digest: u64,
    place: usize,
}

/// What a run of the rewritten program did on channels that the original has, as digests of messages.
#[derive(Default)]
pub(super) struct Account {
    /// Messages sent, by whomever.
    pub sent: Vec<u64>,
    /// What can be observed.
    pub history: History,
}

impl Account {
    /// Of a run. `moved` are the channels that the lift moves, by their numbers in the original.
    pub fn of(rewritten: &Trace, original: &Prepared, moved: &[u16]) -> Self {
        let mut account = Account::default();
        let mut scratch = Vec::new();
        let mut note = |message: &Message| {
            let channel = original.channel_of(&message.channel)?;
            let content = Content { channel, from: message.from, to: message.to, args: &message.args };
            Some((digest(content, &mut scratch), moved.contains(&channel)))
        };
        for event in &rewritten.events {
            match event {
                Event::Inject { message } | Event::Forge { message, .. } => {
                    let sent = note(message).map(|(digest, _)| digest);
                    account.sent.extend(sent);
                    account.history.fixed.extend(sent);
                }
                Event::Take { message, lost: false } => {
                    account.history.fixed.extend(note(message).map(|(digest, _)| digest));
                }
                Event::Step { inputs, outputs, .. } => {
                    account.sent.extend(outputs.iter().filter_map(&mut note).map(|(digest, _)| digest));
                    account.history.end_turn(inputs.iter().filter_map(&mut note));
                }
                Event::Repeat { message, .. } | Event::Redeliver { message } => {
                    account.sent.extend(note(message).map(|(digest, _)| digest));
                }
                _ => {}
            }
        }
        account
    }
}

impl History {
    /// Of a run of the original.
    pub fn of(original: &World<'_>, moved: &[u16]) -> Self {
        let log = &original.log;
        let packet = |packet: &PacketId| &log.packets[*packet as usize];
        let mut history = History::default();
        for entry in &log.entries {
            match entry {
                Entry::Inject { packet: taken }
                | Entry::Forge { packet: taken }
                | Entry::Take { packet: taken, lost: false } => {
                    history.fixed.push(packet(taken).digest);
                }
                Entry::Step { inputs, .. } => {
                    let taken = log.inputs(inputs).iter().map(packet);
                    history.end_turn(taken.map(|packet| (packet.digest, moved.contains(&packet.channel))));
                }
                _ => {}
            }
        }
        history
    }

    /// Adds a turn: what it takes, each with whether it may be moved.
    fn end_turn(&mut self, taken: impl Iterator<Item = (u64, bool)>) {
        let (start, first_moved) = (self.fixed.len(), self.moved.len());
        for (digest, moves) in taken {
            match moves {
                true => self.moved.push(Delivery { digest, place: start }),
                false => self.fixed.push(digest),
            }
        }
        if self.fixed.len() > start {
            self.fixed[start..].sort_unstable();
            self.fixed.push(END_OF_TURN);
            self.moved[first_moved..].iter_mut().for_each(|delivery| delivery.place = start + 1);
        }
    }

    /// How the original's history differs from this one of a rewritten program: at which message of this one, if it is known. What may be
    /// moved may come later in the original, or not yet, unless `all_come`.
    pub fn difference(mut self, mut original: History, all_come: bool) -> Result<(), Option<u64>> {
        if let Some(position) = first_difference(&self.fixed, &original.fixed) {
            return Err(self.fixed.get(position).copied());
        }
        self.moved.sort_unstable();
        original.moved.sort_unstable();
        let mut held_back = None;
        let mut ours = self.moved.into_iter().peekable();
        for theirs in original.moved {
            while let Some(own) = ours.next_if(|own| own.digest < theirs.digest) {
                held_back = held_back.or(Some(own.digest));
            }
            // The first of equal ones comes no earlier than the first, the second no earlier than the second, and so on.
            if ours.next_if(|own| own.digest == theirs.digest && own.place <= theirs.place).is_none() {
                return Err(Some(theirs.digest));
            }
        }
        match held_back.or(ours.next().map(|own| own.digest)) {
            Some(digest) if all_come => Err(Some(digest)),
            _ => Ok(()),
        }
    }
}

fn first_difference(left: &[u64], right: &[u64]) -> Option<usize> {
    let common = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    (common < left.len().max(right.len())).then_some(common)
}
