//! Honest copies of corrupt nodes, which run in the head of their adversary: nothing of what they do happens in the world. What they would send to
//! each other, they get at once; their timers fire when the adversary says so.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Outputs};
use menard_value::{Node, Value};

use super::Timer;
use crate::host::Host;
use crate::log::Content;
use crate::prepared::Prepared;
use crate::world::{Duty, World};

/// Messages among puppets that are delivered at one go; protocols that talk for ever end there.
const MAX_DELIVERIES: u32 = 200;

/// Something that a puppet would send to an honest node.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub channel: u16,
    pub from: Node,
    pub to: Node,
    pub args: Vec<Value>,
}

impl Line {
    /// What it says, and to whom.
    pub fn content(&self) -> Content<'_> {
        Content { channel: self.channel, from: self.from, to: self.to, args: &self.args }
    }
}

/// Hosts of copies that nobody needs any more: the memory of the next ones, in the same run or another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spares(Rc<RefCell<Vec<(u32, Host)>>>);

/// So many are kept.
const MAX_SPARES: usize = 16;

impl Spares {
    /// A host for a place, with whatever was there before.
    fn take(&self, place: u32, prepared: &Prepared) -> Host {
        let mut spares = self.0.borrow_mut();
        match spares.iter().position(|(at, _)| *at == place) {
            Some(position) => spares.swap_remove(position).1,
            None => prepared.engines[place as usize].clone(),
        }
    }

    fn put(&self, hosts: &mut Vec<(u32, Host)>) {
        let mut spares = self.0.borrow_mut();
        hosts.truncate(MAX_SPARES.saturating_sub(spares.len()));
        spares.append(hosts);
    }
}

/// One honest copy of every corrupt place.
#[derive(Clone)]
pub(super) struct Troupe {
    /// Places and what runs there.
    hosts: Vec<(u32, Host)>,
    /// Where they go.
    spares: Spares,
    timers: Vec<(u32, Line)>,
    inputs: Inputs,
    outputs: Outputs,
}

impl Drop for Troupe {
    fn drop(&mut self) {
        self.spares.put(&mut self.hosts);
    }
}

impl Troupe {
    /// Copies for the corrupt places of a world, which have to [start](Self::start).
    pub fn new(world: &World<'_>) -> Self {
        let corrupt = world.duties.iter().zip(0..).filter(|(duty, _)| **duty == Duty::Corrupt);
        Troupe::of(corrupt.map(|(_, place)| place), &world.spares, world.prepared)
    }

    /// Copies for the same places, which have to [start](Self::start).
    pub fn others(&self, prepared: &Prepared) -> Self {
        Troupe::of(self.hosts.iter().map(|(place, _)| *place), &self.spares, prepared)
    }

    fn of(places: impl Iterator<Item = u32>, spares: &Spares, prepared: &Prepared) -> Self {
        Troupe {
            hosts: places.map(|place| (place, spares.take(place, prepared))).collect(),
            spares: spares.clone(),
            timers: Vec::new(),
            inputs: Inputs::default(),
            outputs: Outputs::default(),
        }
    }

    /// All copies forget everything and start. Gives what they would send.
    pub fn start(&mut self, prepared: &Prepared) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut inside = VecDeque::new();
        self.timers.clear();
        for position in 0..self.hosts.len() {
            let (place, host) = &mut self.hosts[position];
            host.renew(&prepared.engines[*place as usize]);
            self.inputs.clear();
            self.inputs.start = true;
            self.turn(position, prepared, &mut inside, &mut lines);
        }
        self.deliver(inside, prepared, &mut lines);
        lines
    }

    /// A copy receives a message. Gives what they would send.
    pub fn hear(&mut self, content: Content<'_>, place: u32, prepared: &Prepared) -> Vec<Line> {
        let Content { channel, from, to, args } = content;
        let line = Line { channel, from, to, args: args.to_vec() };
        let mut lines = Vec::new();
        self.deliver(VecDeque::from([(place, line)]), prepared, &mut lines);
        lines
    }

    /// How many timers are set.
    pub fn timers(&self) -> usize {
        self.timers.len()
    }

    /// What the timer at this position says.
    pub fn timer(&self, position: usize) -> (u16, Vec<Value>) {
        let (_, line) = &self.timers[position];
        (line.channel, line.args.clone())
    }

    /// Whether a timer is set that says this.
    pub fn has_set(&self, timer: Timer<'_>) -> bool {
        self.timers.iter().any(|(_, line)| line.channel == timer.channel && line.args == timer.args)
    }

    /// All timers fire that say this. Gives what the copies would send.
    pub fn tick(&mut self, timer: Timer<'_>, prepared: &Prepared) -> Vec<Line> {
        let is_it = |(_, line): &mut (u32, Line)| line.channel == timer.channel && line.args == timer.args;
        let due: VecDeque<(u32, Line)> = self.timers.extract_if(.., is_it).collect();
        let mut lines = Vec::new();
        self.deliver(due, prepared, &mut lines);
        lines
    }

    /// The timer at this position fires. Gives what the copies would send.
    pub fn fire(&mut self, position: usize, prepared: &Prepared) -> Vec<Line> {
        let timer = self.timers.swap_remove(position);
        let mut lines = Vec::new();
        self.deliver(VecDeque::from([timer]), prepared, &mut lines);
        lines
    }

    fn deliver(&mut self, mut inside: VecDeque<(u32, Line)>, prepared: &Prepared, lines: &mut Vec<Line>) {
        for _ in 0..MAX_DELIVERIES {
            let Some((place, line)) = inside.pop_front() else { return };
            let Some(position) = self.hosts.iter().position(|(at, _)| *at == place) else { continue };
            self.inputs.clear();
            self.inputs.push(line.channel, line.from, line.args);
            self.turn(position, prepared, &mut inside, lines);
        }
    }

    /// A turn of one copy with what is in `inputs`.
    fn turn(
        &mut self,
        position: usize,
        prepared: &Prepared,
        inside: &mut VecDeque<(u32, Line)>,
        lines: &mut Vec<Line>,
    ) {
        let from = prepared.addresses[self.hosts[position].0 as usize].node;
        for _ in 0..=MAX_FOLLOW_UPS {
            self.hosts[position].1.step(&self.inputs, &mut self.outputs);
            self.inputs.clear();
            for sent in self.outputs.iter() {
                let (channel, to, part) = (sent.channel, sent.to, sent.part);
                let line = Line { channel, from, to, args: sent.args.to_vec() };
                let destination = prepared.destination(channel, to, part);
                if prepared.channels[usize::from(channel)].delay.is_some() {
                    self.timers.push((destination, line));
                } else if self.hosts.iter().any(|(at, _)| *at == destination) {
                    inside.push_back((destination, line));
                } else {
                    lines.push(line);
                }
            }
            if !self.outputs.pending {
                return;
            }
        }
    }
}
