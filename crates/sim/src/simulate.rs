//! Runs decided by chance: a queue of what is going to happen, in simulated time.
//!
//! Every message gets a time of arrival when it is sent. When it arrives, its receiver takes a step with it and with some of the other
//! messages on their way to the same node, early as they may be: any message may be delivered at any time, so every order and every
//! grouping of messages into steps is possible.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use menard_lang::run::{Address, Trace};

use crate::log::{Content, PacketId, narrow};
use crate::misfortune::{Blow, Misfortune};
use crate::mood::{Grouping, Mood};
use crate::observe::{PreparedObserver, Violation};
use crate::prepared::{OUTSIDE, Prepared};
use crate::random::Random;
use crate::workload::{Request, requests};
use crate::world::{Duty, RunStats, World};

/// A run.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// What happened.
    pub trace: Trace,
    /// The first violated property; the run ends where it is violated.
    pub violation: Option<Violation>,
    /// The node whose follow-ups did not end, if there was one; the run ends there.
    pub endless: Option<Address>,
    /// A hash of everything that happened, equal on every machine and in every build.
    pub hash: u64,
    /// What it did, in numbers.
    pub stats: RunStats,
}

/// Runs a program once; the seed decides everything that is left open.
pub fn simulate(prepared: &Prepared, observer: Option<&PreparedObserver>, seed: u64) -> Run {
    let mut simulator = Simulator::new(prepared, observer);
    let summary = simulator.run(seed);
    let Summary { violation, endless, hash, stats, .. } = summary;
    Run { trace: simulator.trace(), violation, endless, hash, stats }
}

/// A run without its trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// As in [`Run`].
    pub violation: Option<Violation>,
    /// As in [`Run`].
    pub endless: Option<Address>,
    /// As in [`Run`].
    pub hash: u64,
    /// As in [`Run`].
    pub stats: RunStats,
    /// As in [`Trace`].
    pub drained: bool,
}

/// Runs a program many times, one after another, in the same memory.
#[derive(Debug)]
pub struct Simulator<'a> {
    world: World<'a>,
    queue: BinaryHeap<Reverse<(u64, u32, Happening)>>,
    /// Counts what was put into the queue: what comes at the same time comes in this order.
    order: u32,
    now: u64,
    group: Vec<PacketId>,
    /// For each message, whether it is going to be lost.
    doomed: Vec<bool>,
    requests: Vec<Request>,
}

/// Something that is going to happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Request(u32),
    Arrival(PacketId),
    Repetition(PacketId),
    Blow(Blow),
}

impl<'a> Simulator<'a> {
    /// A simulator of this program, with properties to check if there are any.
    pub fn new(prepared: &'a Prepared, observer: Option<&'a PreparedObserver>) -> Self {
        Simulator {
            world: World::new(prepared, observer),
            queue: BinaryHeap::new(),
            order: 0,
            now: 0,
            group: Vec::new(),
            doomed: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// One run. It ends when nothing can happen any more, at the first violation, at a node that does not settle, or at the limit of
    /// steps.
    pub fn run(&mut self, seed: u64) -> Summary {
        let mut random = Random::new(seed);
        let mood = Mood::draw(&mut random);
        let misfortune = Misfortune::draw(self.world.prepared, mood.window, &mut random);
        self.reset();
        let mut chance = Chance { random, mood, misfortune };
        self.schedule_requests(&mut chance);
        let limit = self.world.prepared.config.max_steps;
        self.world.start();
        self.schedule_sent(0, &mut chance);
        let mut violation = self.world.violation();
        while violation.is_none() && self.world.endless().is_none() && self.world.stats.steps < limit {
            let Some(Reverse((time, _, happening))) = self.queue.pop() else { break };
            self.now = time;
            let events = self.world.log.entries.len();
            self.happen(happening, &mut chance);
            if self.world.log.entries.len() > events {
                violation = self.world.violation();
            }
        }
        Summary {
            violation,
            endless: self.world.endless(),
            hash: self.world.log.hash(),
            stats: self.world.stats,
            drained: self.is_drained(),
        }
    }

    /// What happened in the last run.
    pub fn trace(&self) -> Trace {
        self.world.log.trace(self.world.prepared, self.is_drained())
    }

    /// Adds to each channel's count how many messages the last run sent on it.
    pub(crate) fn count_messages(&self, counts: &mut [u64]) {
        for packet in &self.world.log.packets {
            counts[usize::from(packet.channel)] += 1;
        }
    }

    fn is_drained(&self) -> bool {
        self.world.is_drained()
    }

    fn reset(&mut self) {
        self.world.reset();
        self.queue.clear();
        self.order = 0;
        self.now = 0;
        self.doomed.clear();
    }

    fn schedule(&mut self, time: u64, happening: Happening) {
        self.queue.push(Reverse((time, self.order, happening)));
        self.order += 1;
    }

    fn schedule_requests(&mut self, chance: &mut Chance) {
        let count = self.world.prepared.config.requests;
        self.requests = requests(self.world.prepared, count, &mut chance.random);
        for request in 0..narrow(self.requests.len()) {
            let time = chance.random.below(chance.mood.window);
            self.schedule(time, Happening::Request(request));
        }
        for position in 0..chance.misfortune.blows.len() {
            let (time, blow) = chance.misfortune.blows[position];
            self.schedule(time, Happening::Blow(blow));
        }
    }

    /// Decides when the messages from `first` on arrive, whether they are lost, whether they are repeated.
    fn schedule_sent(&mut self, first: PacketId, chance: &mut Chance) {
        for id in first..narrow(self.world.log.packets.len()) {
            let packet = &self.world.log.packets[id as usize];
            let (from, to, held) = (packet.from, packet.to, packet.held);
            let delay = chance.mood.delay(packet.origin, packet.destination, &mut chance.random);
            self.doomed.push(chance.misfortune.loses(from, to, &mut chance.random));
            self.schedule(self.now + delay, Happening::Arrival(id));
            if held && chance.random.percent(chance.mood.repeat_percent) {
                let wait = 1 + chance.random.below(chance.mood.window + 50);
                self.schedule(self.now + wait, Happening::Repetition(id));
            }
        }
    }

    fn happen(&mut self, happening: Happening, chance: &mut Chance) {
        let first = narrow(self.world.log.packets.len());
        match happening {
            Happening::Request(request) => {
                let Request { channel, from, to, ref args } = self.requests[request as usize];
                self.world.inject(Content { channel, from, to, args });
            }
            Happening::Arrival(packet) => self.arrive(packet, chance),
            Happening::Repetition(packet) => {
                self.world.repeat(packet);
            }
            Happening::Blow(blow) => self.strike(blow),
        }
        self.schedule_sent(first, chance);
    }

    fn strike(&mut self, blow: Blow) {
        let (Blow::Crash(at) | Blow::Restart(at)) = blow;
        if self.world.duties[at as usize] == Duty::Dead {
            return;
        }
        match blow {
            Blow::Crash(_) => self.world.crash(at),
            Blow::Restart(_) => self.world.restart(at),
        }
    }

    /// A message arrives, if it has not been taken before its time.
    fn arrive(&mut self, packet: PacketId, chance: &mut Chance) {
        let at = self.world.log.packets[packet as usize].destination;
        let doomed = self.doomed[packet as usize];
        if !self.world.is_waiting(packet) {
            return;
        }
        if doomed || at == OUTSIDE {
            self.world.take(packet, doomed);
            return;
        }
        if self.world.duties[at as usize] == Duty::Dead {
            return;
        }
        let grouping = chance.mood.grouping(&mut chance.random);
        self.gather(at, packet, grouping, chance);
        self.world.turn(at, &self.group);
    }

    /// Chooses the messages that a step takes: `first`, and others as the grouping says.
    fn gather(&mut self, at: u32, first: PacketId, grouping: Grouping, chance: &mut Chance) {
        self.group.clear();
        self.group.push(first);
        let percent = match grouping {
            Grouping::One | Grouping::Mixed => return,
            Grouping::Some(percent) => percent,
            Grouping::All => 100,
        };
        for id in self.world.waiting(at) {
            let doomed = self.doomed[*id as usize];
            if !doomed && *id != first && chance.random.percent(percent) {
                self.group.push(*id);
            }
        }
    }
}

/// Where a run's decisions come from.
struct Chance {
    random: Random,
    mood: Mood,
    misfortune: Misfortune,
}
