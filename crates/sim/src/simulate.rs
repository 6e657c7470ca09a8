//! Runs decided by chance: a queue of what is going to happen, in simulated time.
//!
//! Every message gets a time of arrival when it is sent. When it arrives, its receiver takes a step with it and with some of the other
//! messages on their way to the same node, early as they may be: any message may be delivered at any time, so every order and every
//! grouping of messages into steps is possible.

mod blows;
mod counting;
mod forking;
mod hiding;
mod pounces;
mod run;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use menard_lang::run::Trace;
use menard_value::Node;

use self::hiding::{AT_REST, Hiding};
use self::pounces::Pounces;
pub(crate) use self::run::steps;
pub use self::run::{Run, Summary};
use crate::adversary::Adversary;
use crate::calm::{Verdict, calm_down};
use crate::cuts::{self, Cut};
use crate::descent::Descent;
use crate::guide::{Milestone, Scout};
use crate::log::{Content, Entry, Packet, PacketId, narrow};
use crate::misfortune::Misfortune;
use crate::mood::{Clocks, Grouping, Mood};
use crate::observe::PreparedObserver;
use crate::prepared::{OUTSIDE, Prepared};
use crate::random::{Random, mix};
use crate::workload::{Request, requests};
use crate::world::{Duty, World};

/// Sets the second stream of chance apart from the first.
const MORE: u64 = 0x6d6f_7265;
/// Sets the third apart.
const FATE: u64 = 0x6c6f_7374;
/// Draws what `choose` chooses by.
const CHOICE: u64 = 0x6368_6f69_6365;

/// Runs a program once; the seed, or the descent, decides everything that is left open.
pub fn simulate(prepared: &Prepared, observer: Option<&PreparedObserver>, descent: impl Into<Descent>) -> Run {
    let mut simulator = Simulator::new(prepared, observer);
    let summary = simulator.run(descent);
    let Summary { violation, unmet, rounds, endless, hash, stats, .. } = summary;
    Run { trace: simulator.trace(), violation, unmet, rounds, endless, hash, stats }
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
    cuts: Vec<Cut>,
    /// The nodes on one side of the cut, if there is one now.
    side: Vec<Node>,
    /// Messages that wait until the network is whole again.
    stalled: Vec<PacketId>,
    /// For each place, how often its timers may still fire before they wait for calm.
    firings: Vec<u32>,
    /// Who writes what corrupt nodes send, if there are any.
    adversary: Option<Adversary>,
    pounces: Pounces,
    /// After how many of a hundred steps that tell others something a blow falls that lurks; 0 if none does.
    lurking: u32,
    hiding: Hiding,
    /// Messages that arrive no earlier than this, since somebody does not want them to.
    stalled_until: BTreeMap<PacketId, u64>,
    /// Notes what runs reach, if somebody wants to know.
    scout: Option<Scout>,
}

/// Something that is going to happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Request(u32),
    Arrival(PacketId),
    Repetition(PacketId),
    Sync(u32),
    Blow(u32),
    Cut(u32),
    Heal,
    Plot,
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
            cuts: Vec::new(),
            side: Vec::new(),
            stalled: Vec::new(),
            firings: Vec::new(),
            adversary: None,
            pounces: Pounces::default(),
            lurking: 0,
            hiding: Hiding::default(),
            stalled_until: BTreeMap::new(),
            scout: None,
        }
    }

    /// One run. When nothing is left to happen but timers, it [comes to rest](crate::calm). It ends there; or at the first violation, at a
    /// node that does not settle, or at the limit of steps.
    pub fn run(&mut self, descent: impl Into<Descent>) -> Summary {
        let Descent { seed, forks } = descent.into();
        let mut random = Random::new(seed);
        let mut more = Random::new(mix(seed ^ MORE));
        let mood = Mood::draw(&mut random, &mut more);
        let mut fate = Random::new(mix(seed ^ FATE));
        let misfortune = Misfortune::draw(self.world.prepared, mood.window, &mut random, &mut fate);
        self.reset();
        if self.world.prepared.chooses {
            // 0 chooses the least, which real nodes do too.
            self.world.set_choice_seed(if more.percent(20) { 0 } else { mix(seed ^ CHOICE) });
        }
        self.firings.resize(self.world.prepared.addresses.len(), 0);
        self.firings.fill(mood.firings);
        let mut chance = Chance { random, more, fate, mood, misfortune };
        self.cuts = cuts::draw(self.world.prepared, chance.mood.window, seed);
        self.schedule_requests(&mut chance);
        let limit = self.world.prepared.config.max_steps;
        self.begin(seed, &mut chance);
        let mut violation = self.world.violation();
        let mut forks = forks.into_iter().peekable();
        let mut place = 0;
        while violation.is_none() && self.world.endless().is_none() && self.world.stats.steps < limit {
            while let Some(fork) = forks.next_if(|fork| fork.place <= place) {
                self.fork(fork.seed, &mut chance);
            }
            let Some(Reverse((time, _, happening))) = self.queue.pop() else { break };
            place += 1;
            self.now = time;
            let events = self.world.log.entries.len();
            self.happen(happening, &mut chance);
            if self.world.log.entries.len() > events {
                violation = self.world.violation();
                if let Some(scout) = &mut self.scout {
                    scout.look(&self.world, place);
                }
            }
        }
        let goes_on = violation.is_none() && self.world.endless().is_none() && self.queue.is_empty();
        let (verdict, rounds) = if goes_on { calm_down(&mut self.world) } else { (Verdict::Open, Vec::new()) };
        if verdict == Verdict::Open {
            violation = self.world.violation();
        }
        Summary {
            violation,
            came_to_rest: verdict != Verdict::Open,
            unmet: match verdict {
                Verdict::Unmet(unmet) => Some(unmet),
                Verdict::Open | Verdict::Met => None,
            },
            rounds,
            endless: self.world.endless(),
            layer: self.adversary.as_ref().map(Adversary::layer),
            undecided: self.world.is_undecided(),
            hash: self.world.log.hash(self.world.prepared),
            stats: self.world.stats,
            drained: self.is_drained(),
            happenings: place,
            simulated_us: if self.world.prepared.has_timers() { chance.mood.micros(self.now) } else { 0 },
        }
    }

    /// Lets the last run, which was cut off at the limit of steps, go on until it comes to rest; whether it does.
    pub(crate) fn come_to_rest(&mut self) -> bool {
        calm_down(&mut self.world).0 != Verdict::Open
    }

    /// Whether the last run has met a violation or a node that does not settle.
    pub(crate) fn is_over(&self) -> bool {
        self.world.violation().is_some() || self.world.endless().is_some()
    }

    /// What happened in the last run.
    pub fn trace(&self) -> Trace {
        self.world.log.trace(self.world.prepared, self.is_drained())
    }

    /// Notes from now on what runs reach.
    pub(crate) fn send_scout(&mut self, observer: Option<&PreparedObserver>) {
        self.scout = Some(Scout::new(self.world.prepared, observer));
    }

    /// What the last run has reached, if it was noted.
    pub(crate) fn milestones(&self) -> &[Milestone] {
        self.scout.as_ref().map(Scout::milestones).unwrap_or_default()
    }

    /// Whether nothing is left to happen in the last run but that timers fire.
    pub(crate) fn is_drained(&self) -> bool {
        self.world.is_drained()
    }

    fn reset(&mut self) {
        self.world.reset();
        self.queue.clear();
        self.order = 0;
        self.now = 0;
        self.doomed.clear();
        self.side.clear();
        self.stalled.clear();
        self.stalled_until.clear();
        if let Some(scout) = &mut self.scout {
            scout.begin();
        }
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
        for cut in 0..self.cuts.len() {
            let Cut { start, end, .. } = self.cuts[cut];
            self.schedule(start, Happening::Cut(narrow(cut)));
            self.schedule(end, Happening::Heal);
        }
        for position in 0..chance.misfortune.blows.len() {
            let time = chance.misfortune.blows[position].0;
            self.schedule(time, Happening::Blow(narrow(position)));
        }
    }

    /// Corrupts nodes, and starts all others.
    fn begin(&mut self, seed: u64, chance: &mut Chance) {
        for whom in &chance.misfortune.corrupt {
            self.world.corrupt(whom.clone());
        }
        // The last one goes first: with it goes what it has noted.
        self.adversary = None;
        self.adversary = (!self.world.coalition.is_empty()).then(|| Adversary::draw(&self.world, seed));
        self.world.start();
        let layer = self.adversary.as_ref().map(Adversary::layer);
        self.pounces = layer.map(|layer| Pounces::draw(&mut chance.more, layer)).unwrap_or_default();
        self.lurking = 0;
        if layer.is_some() && chance.more.percent(50) {
            self.lurk(chance);
        }
        self.hiding = if self.adversary.is_some() { Hiding::draw(&self.world, seed) } else { Hiding::default() };
        if let Some(adversary) = &mut self.adversary {
            adversary.start(&mut self.world);
            for _ in 0..*chance.more.pick(&[2, 8, 24]) {
                let time = chance.more.below(chance.mood.window + 300);
                self.schedule(time, Happening::Plot);
            }
        }
        self.schedule_sent(0, chance);
    }

    /// A message is lost, or dropped since it is for another partition; or an external or a corrupt node receives it.
    fn take(&mut self, packet: PacketId, doomed: bool) {
        let is_lost = doomed || self.world.is_for_step(packet);
        self.world.take(packet, is_lost);
        let Packet { to, destination, .. } = self.world.log.packets[packet as usize];
        let is_heard = destination != OUTSIDE || self.world.coalition.has(to);
        if let Some(adversary) = &mut self.adversary
            && is_heard
            && !is_lost
        {
            adversary.hear(&mut self.world, packet);
        }
    }

    /// Decides when the messages from `first` on arrive, whether they are lost, whether they are repeated; and when disks are done.
    fn schedule_sent(&mut self, first: PacketId, chance: &mut Chance) {
        self.doomed.resize(self.world.log.packets.len(), false);
        for id in first..narrow(self.world.log.packets.len()) {
            if self.world.is_waiting(id) {
                self.schedule_message(id, chance);
            }
        }
        while let Some(at) = self.world.writing.pop() {
            let wait = 1 + chance.more.below(chance.mood.sync);
            self.schedule(self.now + wait, Happening::Sync(at));
        }
    }

    /// Decides what becomes of a message that is in flight from now on.
    fn schedule_message(&mut self, id: PacketId, chance: &mut Chance) {
        let packet = &self.world.log.packets[id as usize];
        if packet.timer {
            return self.schedule_timer(id, chance);
        }
        let (from, to, held) = (packet.from, packet.to, packet.held);
        let delay = chance.mood.delay(packet.origin, packet.destination, &mut chance.random);
        self.doomed[id as usize] = chance.misfortune.loses(from, to, &mut chance.random);
        self.schedule(self.now + delay, Happening::Arrival(id));
        self.hide(id);
        if held && chance.random.percent(chance.mood.repeat_percent) {
            let wait = 1 + chance.random.below(chance.mood.window + 50);
            self.schedule(self.now + wait, Happening::Repetition(id));
        }
    }

    /// Makes a message between honest nodes late, if such messages are hidden in the run.
    fn hide(&mut self, id: PacketId) {
        let packet = &self.world.log.packets[id as usize];
        if packet.from == packet.to || !self.world.is_for_step(id) || self.world.coalition.has(packet.from) {
            return;
        }
        let late = self.hiding.delay(self.world.log.content(id));
        if late > 0 {
            self.stalled_until.insert(id, self.now.saturating_add(late));
        }
    }

    /// Decides when a timer fires.
    fn schedule_timer(&mut self, id: PacketId, chance: &mut Chance) {
        let packet = &self.world.log.packets[id as usize];
        let channel = &self.world.prepared.channels[usize::from(packet.channel)];
        let micros = channel.delay.expect("only channels with a delay have timers");
        let firings = &mut self.firings[packet.destination as usize];
        if *firings == 0 {
            return;
        }
        *firings -= 1;
        let delay = chance.mood.timer(packet.to, micros, &mut chance.more);
        self.schedule(self.now + delay, Happening::Arrival(id));
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
            Happening::Sync(at) => {
                for packet in self.world.sync(at).unwrap_or_default() {
                    self.schedule_message(packet, chance);
                }
            }
            Happening::Cut(cut) => {
                self.side.clone_from(&self.cuts[cut as usize].side);
                self.world.note(Entry::Cut { nodes: self.side.clone() });
            }
            Happening::Heal => self.heal(),
            Happening::Plot => {
                if let Some(adversary) = &mut self.adversary {
                    adversary.act(&mut self.world);
                }
            }
            Happening::Blow(blow) => self.strike(blow, chance),
        }
        self.schedule_sent(first, chance);
    }

    /// Whether a message cannot reach its destination now.
    fn is_cut(&self, packet: PacketId) -> bool {
        if self.side.is_empty() {
            return false;
        }
        let packet = &self.world.log.packets[packet as usize];
        self.side.contains(&packet.from) != self.side.contains(&packet.to)
    }

    /// The network is whole again.
    fn heal(&mut self) {
        if self.side.is_empty() {
            return;
        }
        self.side.clear();
        self.world.note(Entry::Heal);
        for packet in std::mem::take(&mut self.stalled) {
            self.schedule(self.now + 1, Happening::Arrival(packet));
        }
    }

    /// A message arrives, if it has not been taken before its time.
    fn arrive(&mut self, packet: PacketId, chance: &mut Chance) {
        let at = self.world.log.packets[packet as usize].destination;
        let doomed = self.doomed[packet as usize];
        if !self.world.is_waiting(packet) {
            return;
        }
        if self.is_cut(packet) {
            self.stalled.push(packet);
            return;
        }
        match self.stalled_until.get(&packet).copied() {
            Some(AT_REST) => return,
            Some(until) => {
                self.stalled_until.remove(&packet);
                return self.schedule(until, Happening::Arrival(packet));
            }
            None => {}
        }
        if doomed || !self.world.is_for_step(packet) || self.world.is_stray(packet) {
            self.take(packet, doomed);
            return;
        }
        if self.world.duties[at as usize] == Duty::Dead {
            return;
        }
        let grouping = chance.mood.grouping(&mut chance.random);
        self.gather(at, packet, grouping, chance);
        let first = self.world.turn(at, &self.group);
        self.pounce(at, first, chance);
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
        let timers = matches!(chance.mood.clocks, Clocks::Any(_));
        for id in self.world.flights.to(at) {
            let doomed = self.doomed[*id as usize];
            let early = self.world.log.packets[*id as usize].timer && !timers;
            if !doomed
                && !early
                && *id != first
                && !self.is_cut(*id)
                && !self.world.is_stray(*id)
                && !self.stalled_until.contains_key(id)
                && chance.random.percent(percent)
                && self.world.admits(&self.group, *id)
            {
                self.group.push(*id);
            }
        }
    }
}

/// Where a run's decisions come from.
struct Chance {
    random: Random,
    /// For what was added later, so that seeds of programs without it mean what they meant.
    more: Random,
    /// For what dies with a node that crashes.
    fate: Random,
    mood: Mood,
    misfortune: Misfortune,
}
