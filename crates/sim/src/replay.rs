//! Runs decided by a schedule.
//!
//! Strictly, a schedule that cannot be followed to the letter is an error: this is what refinement needs. Leniently, what cannot happen
//! does not: this is what shrinking needs, since a schedule with holes seldom makes sense to the letter.

use std::collections::BTreeSet;

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message, Schedule, Struck, Trace, corrupt};
use menard_value::Node;
use thiserror::Error;

use crate::calm::{Verdict, calm_down};
use crate::log::{Content, Entry, PacketId};
use crate::observe::{PreparedObserver, Violation};
use crate::prepared::{End, OUTSIDE, Prepared};
use crate::simulate::Run;
use crate::world::{Duty, World, fits};

/// Why an event of a schedule cannot happen.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Obstacle {
    /// The program has no such channel.
    #[error("the program has no channel {0}")]
    UnknownChannel(Name),
    /// The program has no such physical node.
    #[error("the program has no such node")]
    UnknownNode,
    /// The message's ends or fields are not what the channel's declaration says.
    #[error("the message does not fit its channel")]
    Misfit,
    /// A node of the program would send or receive outside of a step.
    #[error("only external nodes send and receive outside of steps")]
    NotExternal,
    /// The message is not in flight: never sent, or taken before.
    #[error("the message is not in flight")]
    NotInFlight,
    /// The message is in flight to another physical node.
    #[error("the message is in flight to another node")]
    Elsewhere(Address),
    /// The node has crashed.
    #[error("the node has crashed")]
    Crashed,
    /// Several messages of a channel that gives a step at most one.
    #[error("a step takes at most one message of this channel")]
    Serial,
    /// The message was not taken before a restart.
    #[error("no restart makes the message arrive again")]
    NotForgotten,
    /// The node does not hold the message that it should repeat.
    #[error("the node does not hold the message")]
    NotHeld,
    /// The adversary sends in the name of an honest node.
    #[error("the sender is not corrupt")]
    NotCorrupt,
    /// The adversary changes a message that is not in flight, or what its MAC covers.
    #[error("no message is in flight that differs only in what its MAC does not cover")]
    NotChanged,
    /// The adversary sends a signature that it can neither make nor has received.
    #[error("the adversary can neither make a signature in the message nor has it received it")]
    Unforgeable,
    /// The message is for another partition, and dropped.
    #[error("the message is for another partition")]
    Stray,
    /// A node is corrupt from the start on, or not at all.
    #[error("a run begins with who is corrupt")]
    TooLate,
    /// The node's follow-ups do not end.
    #[error("the node does not settle")]
    Endless,
}

/// A schedule that cannot be followed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("event {event} of the schedule cannot happen: {obstacle}")]
pub struct ReplayError {
    /// The position of the event in the schedule.
    pub event: usize,
    /// The message that it is about, if it is about one.
    pub message: Option<Message>,
    /// What is in the way.
    pub obstacle: Obstacle,
}

/// Follows schedules, one after another, in the same memory.
#[derive(Debug)]
pub struct Replayer<'a> {
    world: World<'a>,
    group: Vec<PacketId>,
    lenient: bool,
    /// Whether a lenient replay takes other messages for those that are not in flight.
    pub(crate) swaps: bool,
}

type Blocked = (Option<Message>, Obstacle);

impl<'a> Replayer<'a> {
    /// A replayer for this program, with properties to check if there are any.
    pub fn new(prepared: &'a Prepared, observer: Option<&'a PreparedObserver>) -> Self {
        Replayer { world: World::new(prepared, observer), group: Vec::new(), lenient: false, swaps: false }
    }

    /// Follows a schedule to the letter, up to the first violation.
    pub fn replay(&mut self, schedule: &Schedule) -> Result<Option<Violation>, ReplayError> {
        self.lenient = false;
        self.follow(schedule)
    }

    /// Follows a schedule as far as possible, up to the first violation; leaves out what cannot happen.
    pub fn replay_leniently(&mut self, schedule: &Schedule) -> Option<Violation> {
        self.lenient = true;
        self.follow(schedule).expect("a lenient replay leaves out what cannot happen")
    }

    /// The run of the last replay, which ended in `violation`.
    pub fn run(&self, violation: Option<Violation>) -> Run {
        let (endless, hash, stats) = (self.world.endless(), self.world.log.hash(self.world.prepared), self.world.stats);
        Run { trace: self.trace(), violation, unmet: None, rounds: Vec::new(), endless, hash, stats }
    }

    /// Lets the last replay, which was lenient and met no violation, come to rest as a simulated run does.
    pub(crate) fn come_to_rest(&mut self) -> Run {
        let (verdict, rounds) = calm_down(&mut self.world);
        let unmet = match verdict {
            Verdict::Unmet(unmet) => Some(unmet),
            Verdict::Open | Verdict::Met => None,
        };
        Run { unmet, rounds, ..self.run(self.world.violation()) }
    }

    /// What happened in the last replay.
    pub fn trace(&self) -> Trace {
        self.world.log.trace(self.world.prepared, self.world.is_drained())
    }

    /// The world at the end of the last replay.
    pub(crate) fn world(&self) -> &World<'a> {
        &self.world
    }

    fn follow(&mut self, schedule: &Schedule) -> Result<Option<Violation>, ReplayError> {
        self.world.reset();
        self.world.set_choice_seed(schedule.choice_seed);
        for whom in corrupt(&schedule.events) {
            if self.world.runs(whom) {
                self.world.corrupt(whom.clone());
            }
        }
        self.world.start();
        for (position, event) in schedule.events.iter().enumerate() {
            if let Some(violation) = self.world.violation() {
                return Ok(Some(violation));
            }
            match self.happen(event) {
                Err((_, Obstacle::Endless)) if self.lenient => break,
                Err((message, obstacle)) if !self.lenient => {
                    return Err(ReplayError { event: position, message, obstacle });
                }
                Ok(()) | Err(_) => {}
            }
        }
        match self.world.endless() {
            Some(_) if !self.lenient => {
                Err(ReplayError { event: schedule.events.len(), message: None, obstacle: Obstacle::Endless })
            }
            _ => Ok(self.world.violation()),
        }
    }

    fn happen(&mut self, event: &Event) -> Result<(), Blocked> {
        if self.world.endless().is_some() {
            return Err((None, Obstacle::Endless));
        }
        match event {
            // Starts and follow-ups of a trace: the world takes them by itself.
            Event::Step { inputs, .. } if inputs.is_empty() => {}
            Event::Step { at, inputs, .. } => self.step(at, inputs)?,
            // The world knows them already.
            Event::Corrupt { whom } if self.world.coalition.has(whom.node()) => {}
            Event::Corrupt { .. } => return Err((None, Obstacle::TooLate)),
            Event::Forge { message, at } => {
                let content = self.content(message)?;
                let place = self.place_for(message, at)?;
                self.world.forge(content, place).map_err(|obstacle| (Some(message.clone()), obstacle))?;
            }
            Event::Inject { message } => {
                let content = self.content(message)?;
                self.check_ends(message, content)?;
                self.world.inject(content);
            }
            Event::Repeat { at, message } => {
                let place = self.living(at)?;
                let content = self.content(message)?;
                let held = self.world.find_held(place, content).and_then(|packet| self.world.repeat(packet));
                held.ok_or_else(|| (Some(message.clone()), Obstacle::NotHeld))?;
            }
            Event::Take { message, lost } => {
                let packet = match self.stray(message) {
                    Some(packet) if *lost => packet,
                    _ => self.in_flight(message)?,
                };
                if !lost && self.world.is_for_step(packet) {
                    return Err((Some(message.clone()), Obstacle::NotExternal));
                }
                self.world.take(packet, *lost);
            }
            Event::Crash { whom } => match self.running(whom) {
                Ok(whom) => self.world.crash(whom),
                // Several parts of one node may crash in a schedule: to the original, that is one crash.
                Err((_, Obstacle::Crashed)) if matches!(whom, Struck::Part(_)) => {}
                Err(blocked) => return Err(blocked),
            },
            Event::Restart { whom } => self.world.restart(self.running(whom)?),
            Event::Forgo { from, channels, but } => self.forgo(*from, channels, but)?,
            Event::Redeliver { message } => {
                let content = self.content(message)?;
                let again = self.world.find_redeliverable(content).and_then(|packet| self.world.redeliver(packet));
                again.ok_or_else(|| (Some(message.clone()), Obstacle::NotForgotten))?;
            }
            Event::Sync { at } => {
                let place = self.living(at)?;
                self.world.sync(place);
            }
            Event::Cut { nodes } => self.world.note(Entry::Cut { nodes: nodes.clone() }),
            Event::Heal => self.world.note(Entry::Heal),
        }
        Ok(())
    }

    fn step(&mut self, at: &Address, inputs: &[Message]) -> Result<(), Blocked> {
        let place = self.living(at)?;
        self.group.clear();
        for message in inputs {
            match self.at_place(place, message) {
                Ok(packet) => self.group.push(packet),
                Err(_) if self.lenient => {}
                Err(blocked) => return Err(blocked),
            }
        }
        if !self.group.is_empty() {
            self.world.turn(place, &self.group);
        }
        Ok(())
    }

    /// All that is in flight from a node on these channels is lost, but these messages.
    fn forgo(&mut self, from: Node, channels: &BTreeSet<Name>, but: &[Message]) -> Result<(), Blocked> {
        let channels: Vec<u16> = channels.iter().filter_map(|name| self.world.prepared.channel_of(name)).collect();
        let packets = &self.world.log.packets;
        let concerns = |id: &PacketId| {
            let packet = &packets[*id as usize];
            packet.from == from && channels.contains(&packet.channel)
        };
        let mut lost: Vec<PacketId> = self.world.flights.all().filter(concerns).collect();
        lost.sort_unstable();
        for message in but {
            let content = self.content(message)?;
            let kept = lost.iter().position(|id| self.world.log.content(*id) == content);
            lost.remove(kept.ok_or_else(|| (Some(message.clone()), Obstacle::NotInFlight))?);
        }
        self.world.forgo(lost);
        Ok(())
    }

    /// A message in flight to this place that the step has not taken yet.
    fn at_place(&mut self, place: u32, message: &Message) -> Result<PacketId, Blocked> {
        let content = self.content(message)?;
        let found = self.world.find(place, content, &self.group);
        let found = found.or_else(|| self.instead(place, content));
        match found {
            Some(packet) if self.world.is_stray(packet) => Err((Some(message.clone()), Obstacle::Stray)),
            Some(packet) if self.world.admits(&self.group, packet) => Ok(packet),
            Some(_) => Err((Some(message.clone()), Obstacle::Serial)),
            None => Err((Some(message.clone()), self.why_not_at(message))),
        }
    }

    /// What a lenient replay takes for a message that is not in flight: another one of the channel between the same nodes. Where an earlier
    /// event is left out, later messages often differ in a number only.
    fn instead(&self, place: u32, content: Content<'_>) -> Option<PacketId> {
        let Content { channel, from, to, .. } = content;
        let is_like = |id: &&PacketId| {
            let packet = &self.world.log.packets[**id as usize];
            (packet.channel, packet.from, packet.to) == (channel, from, to) && !self.group.contains(id)
        };
        let flying = self.world.flights.to(place).iter().filter(|_| self.lenient && self.swaps);
        flying.filter(is_like).min().copied()
    }

    fn why_not_at(&mut self, message: &Message) -> Obstacle {
        let Ok(packet) = self.in_flight(message) else { return Obstacle::NotInFlight };
        match self.world.log.packets[packet as usize].destination {
            OUTSIDE => Obstacle::UnknownNode,
            _ if self.group.contains(&packet) => Obstacle::NotInFlight,
            place => Obstacle::Elsewhere(self.world.prepared.addresses[place as usize].clone()),
        }
    }

    /// A message in flight that its receiver will drop. Of equal ones to several partitions, it is these that are lost.
    fn stray(&mut self, message: &Message) -> Option<PacketId> {
        let content = self.content(message).ok()?;
        let world = &mut self.world;
        if !world.coalition.has(content.from) && !world.can_be_changed(content.channel) {
            return None;
        }
        let mut places = world.prepared.destinations(content.channel, content.to);
        places.find_map(|place| world.find(place, content, &[]).filter(|id| world.is_stray(*id)))
    }

    /// A message in flight to whatever part of its addressee.
    fn in_flight(&mut self, message: &Message) -> Result<PacketId, Blocked> {
        let content = self.content(message)?;
        let mut places = self.world.prepared.destinations(content.channel, content.to);
        places
            .find_map(|place| self.world.find(place, content, &[]).or_else(|| self.instead(place, content)))
            .ok_or_else(|| (Some(message.clone()), Obstacle::NotInFlight))
    }

    /// A node of the program that has not crashed.
    fn running(&self, whom: &Struck) -> Result<Struck, Blocked> {
        match self.world.prepared.places(whom).next() {
            None => Err((None, Obstacle::UnknownNode)),
            Some(_) if !self.world.runs(whom) => Err((None, Obstacle::Crashed)),
            Some(_) => Ok(whom.clone()),
        }
    }

    fn living(&self, at: &Address) -> Result<u32, Blocked> {
        let place = self.world.prepared.place_of(at).ok_or((None, Obstacle::UnknownNode))?;
        match self.world.duties[place as usize] {
            Duty::Dead | Duty::Corrupt => Err((None, Obstacle::Crashed)),
            _ => Ok(place),
        }
    }

    /// The place that a forged message goes to.
    fn place_for(&self, message: &Message, at: &Address) -> Result<u32, Blocked> {
        let prepared = self.world.prepared;
        let channel = prepared.channel_of(&message.channel).map(|channel| &prepared.channels[usize::from(channel)]);
        match channel.map(|channel| channel.receiver) {
            Some(End::External(_)) => Ok(OUTSIDE),
            _ => prepared.place_of(at).ok_or_else(|| (Some(message.clone()), Obstacle::UnknownNode)),
        }
    }

    /// A message by numbers, if it is one of this program.
    fn content<'m>(&self, message: &'m Message) -> Result<Content<'m>, Blocked> {
        let prepared = self.world.prepared;
        let blocked = |obstacle| (Some(message.clone()), obstacle);
        let channel = prepared
            .channel_of(&message.channel)
            .ok_or_else(|| blocked(Obstacle::UnknownChannel(message.channel.clone())))?;
        let Message { from, to, args, .. } = message;
        let declared = &prepared.channels[usize::from(channel)];
        let known = |node: Node, end: End| node.role == prepared.role_at(end) && self.world.exists(node);
        if known(*from, declared.sender) && known(*to, declared.receiver) && fits(prepared, channel, args) {
            Ok(Content { channel, from: *from, to: *to, args })
        } else {
            Err(blocked(Obstacle::Misfit))
        }
    }

    fn check_ends(&self, message: &Message, content: Content<'_>) -> Result<(), Blocked> {
        match self.world.prepared.channels[usize::from(content.channel)].sender {
            End::External(_) => Ok(()),
            End::Component(_) => Err((Some(message.clone()), Obstacle::NotExternal)),
        }
    }
}
