//! A world: physical nodes, messages in flight, and the handful of things that can happen. Who decides what happens next (chance, a
//! schedule, or a search) is somebody else's business.

mod disks;
mod faults;
mod lies;

use std::collections::BTreeSet;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Outputs};
use menard_lang::ir::FaultKind;
use menard_lang::run::Address;
use menard_value::{Node, Value};

use self::faults::Taken;
use crate::adversary::Spares;
use crate::coalition::Coalition;
use crate::coverage::SAMPLED_TURNS;
use crate::disk::Disk;
use crate::flights::Flights;
use crate::host::Host;
use crate::log::{Content, Entry, Log, Packet, PacketId, digest, narrow};
use crate::observe::{PreparedObserver, Violation, Watch};
use crate::prepared::{OUTSIDE, Prepared};
use crate::random::mix;
use crate::sketch::Sketch;

/// What a physical node has to do at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Duty {
    /// Nothing: it waits for messages.
    None,
    /// Its first step.
    Start,
    /// A follow-up: its last step left work.
    FollowUp,
    /// It has crashed.
    Dead,
    /// It is corrupt: it takes no steps, and its adversary receives what is sent to it.
    Corrupt,
}

/// A world in the middle of a run.
#[derive(Clone, Debug)]
pub(crate) struct World<'a> {
    pub prepared: &'a Prepared,
    pub log: Log,
    pub duties: Vec<Duty>,
    pub engines: Vec<Host>,
    pub flights: Flights,
    /// The corrupt nodes.
    pub coalition: Coalition,
    /// What is left of honest copies of such nodes.
    pub spares: Spares,
    /// Where nodes may restart: for each place, what it took.
    taken: Option<Vec<Taken>>,
    /// The disk of each place that has one which matters.
    disks: Vec<Option<Box<Disk>>>,
    /// Places that have a turn more that waits for the disk, as often as they have; whoever decides when disks are done takes it from here.
    pub writing: Vec<u32>,
    /// What nodes had sent that crashed or restarted, and what was lost with them.
    pub perished: Vec<PacketId>,
    watch: Option<Watch<'a>>,
    endless: Option<u32>,
    /// States of nodes that were seen, through all runs, if they are looked at.
    pub states: Option<Sketch>,
    /// Turns of the run, if states are looked at.
    turns: u32,
    pub stats: RunStats,
    inputs: Inputs,
    outputs: Outputs,
    scratch: Vec<u8>,
}

/// What one run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunStats {
    /// Steps of physical nodes, starts and follow-ups among them.
    pub steps: u32,
    /// Messages sent by nodes of the program, repetitions among them.
    pub messages: u32,
    /// Messages sent by external nodes.
    pub requests: u32,
    /// Messages delivered to external nodes.
    pub replies: u32,
    /// Messages that corrupt nodes sent.
    pub forged: u32,
    /// Messages lost, those that a restart made vanish among them.
    pub lost: u32,
    /// Logical nodes stopped for ever.
    pub crashes: u32,
    /// How often logical nodes lost their state.
    pub restarts: u32,
    /// Messages that arrived again after a restart.
    pub redelivered: u32,
    /// Timers that fired.
    pub timers: u32,
    /// Turns that disks took.
    pub syncs: u32,
}

impl<'a> World<'a> {
    /// A world in which nothing has happened.
    pub fn new(prepared: &'a Prepared, observer: Option<&'a PreparedObserver>) -> Self {
        let places = prepared.addresses.len();
        let names = || prepared.channels.iter().map(|channel| &channel.name);
        let mut world = World {
            prepared,
            log: Log::default(),
            duties: vec![Duty::Start; places],
            engines: prepared.engines.clone(),
            flights: Flights::new(places),
            coalition: Coalition::default(),
            spares: Spares::default(),
            taken: prepared.declares(FaultKind::Restart).then(|| vec![Taken::default(); places]),
            disks: (0..places).map(|at| prepared.writes[at].then(Box::default)).collect(),
            writing: Vec::new(),
            perished: Vec::new(),
            watch: observer.map(|observer| Watch::new(observer, names())),
            endless: None,
            states: None,
            turns: 0,
            stats: RunStats::default(),
            inputs: Inputs::default(),
            outputs: Outputs::default(),
            scratch: Vec::new(),
        };
        world.reset();
        world
    }

    /// Before the start: what `choose` chooses by on all nodes.
    pub fn set_choice_seed(&mut self, seed: u64) {
        if seed != self.log.choice_seed {
            self.log.choice_seed = seed;
            self.engines.iter_mut().for_each(|engine| engine.set_choice_seed(seed));
        }
    }

    /// Back to where nothing has happened, but for the choice seed; keeps the memory.
    pub fn reset(&mut self) {
        self.log.clear();
        self.duties.fill(Duty::Start);
        for (engine, fresh) in self.engines.iter_mut().zip(&self.prepared.engines) {
            engine.renew(fresh);
        }
        self.flights.clear();
        self.coalition.clear();
        if let Some(taken) = &mut self.taken {
            taken.fill(Taken::default());
        }
        self.disks.iter_mut().flatten().for_each(|disk| disk.clear());
        self.writing.clear();
        self.perished.clear();
        self.endless = None;
        self.turns = 0;
        self.stats = RunStats::default();
        if let Some(watch) = &mut self.watch {
            watch.reset();
        }
    }

    /// Starts every node that is not corrupt, in the order of places, and lets each settle.
    pub fn start(&mut self) {
        for at in 0..narrow(self.engines.len()) {
            if self.duties[at as usize] == Duty::Start {
                self.turn(at, &[]);
            }
        }
    }

    /// A turn: a node takes a step with these messages, which wait for it, or starts, and then follow-ups until it is settled. The
    /// messages sent are those from the returned one on.
    pub fn turn(&mut self, at: u32, inputs: &[PacketId]) -> PacketId {
        let (first, entry) = (narrow(self.log.packets.len()), self.log.entries.len());
        self.step(at, inputs);
        let mut follow_ups = 0;
        while self.duties[at as usize] == Duty::FollowUp {
            if follow_ups == MAX_FOLLOW_UPS {
                self.endless = Some(at);
                break;
            }
            self.step(at, &[]);
            follow_ups += 1;
        }
        if self.disks[at as usize].is_some() {
            self.end_turn(at, entry, first);
        }
        self.observe(inputs);
        self.sample(at);
        first
    }

    /// Looks at the state of a node after one turn in so many.
    fn sample(&mut self, at: u32) {
        let Some(states) = &mut self.states else { return };
        if self.turns.is_multiple_of(SAMPLED_TURNS) {
            let component = self.prepared.components.partition_point(|component| component.first <= at);
            let fingerprint = self.engines[at as usize].fingerprint();
            // Half of a digest is enough for a sketch.
            states.add(mix(component as u64 ^ fingerprint as u64));
        }
        self.turns += 1;
    }

    /// An external node sends a message.
    pub fn inject(&mut self, content: Content<'_>) -> PacketId {
        let destination = self.prepared.destination(content.channel, content.to, 0);
        let packet = narrow(self.log.packets.len());
        self.log.add(content, 0, destination);
        self.log.entries.push(Entry::Inject { packet });
        self.stats.requests += 1;
        self.send(packet..packet + 1);
        packet
    }

    fn step(&mut self, at: u32, inputs: &[PacketId]) {
        let duty = &mut self.duties[at as usize];
        assert!(!matches!(duty, Duty::Dead | Duty::Corrupt), "a crashed or corrupt node takes no steps");
        self.inputs.clear();
        self.inputs.start = *duty == Duty::Start;
        assert!(inputs.is_empty() || *duty == Duty::None, "only a settled node takes messages");
        for packet in inputs {
            assert_eq!(self.log.packets[*packet as usize].destination, at, "a node takes what is sent to it");
            self.remove(*packet);
            let Content { channel, from, args, .. } = self.log.content(*packet);
            self.inputs.push(channel, from, args.iter().cloned());
            self.stats.timers += u32::from(self.log.packets[*packet as usize].timer);
        }
        if let Some(taken) = &mut self.taken {
            let packets = &self.log.packets;
            // What was changed on the wire nobody has sent, nor sends again.
            let from_others = |id: &&PacketId| {
                let Packet { from, to, changed, .. } = packets[**id as usize];
                from != to && !changed
            };
            taken[at as usize].now.extend(inputs.iter().filter(from_others));
        }
        self.engines[at as usize].step(&self.inputs, &mut self.outputs);
        self.duties[at as usize] = if self.outputs.pending { Duty::FollowUp } else { Duty::None };
        self.stats.steps += 1;
        if let Host::Native(_) = &self.engines[at as usize] {
            self.check_native(at);
        }
        let first = self.collect(at);
        self.log.add_step(at, inputs, first);
        match &mut self.disks[at as usize] {
            Some(disk) => disk.add(&self.outputs),
            None => self.send(first..narrow(self.log.packets.len())),
        }
    }

    /// What a native node sends has to be what its channels carry: nobody else checks that.
    fn check_native(&self, at: u32) {
        for sent in self.outputs.iter() {
            let fits = fits(self.prepared, sent.channel, sent.args) && self.exists(sent.to);
            let name = &self.prepared.channels[usize::from(sent.channel)].name;
            assert!(fits, "the native node {:?} sends no message of `{name}`", self.prepared.addresses[at as usize]);
        }
    }

    /// Writes what a step sent into the log.
    fn collect(&mut self, at: u32) -> PacketId {
        let first = self.log.packets.len();
        let from = self.prepared.addresses[at as usize].node;
        for sent in self.outputs.iter() {
            let content = Content { channel: sent.channel, from, to: sent.to, args: sent.args };
            let destination = self.prepared.destination(sent.channel, sent.to, sent.part);
            let packet = self.log.add(content, sent.part, destination);
            packet.origin = at;
            packet.held = sent.held;
            packet.timer = self.prepared.channels[usize::from(sent.channel)].delay.is_some();
        }
        self.log.sort_from(first);
        self.stats.messages += narrow(self.outputs.len());
        narrow(first)
    }

    /// A node sends again a message that it holds. `packet` is such a message, sent before by the same node; gives the new one, or
    /// `None` if the node no longer holds it.
    pub fn repeat(&mut self, packet: PacketId) -> Option<PacketId> {
        let original = self.log.packets[packet as usize].clone();
        let args = self.log.args(packet).to_vec();
        let at = original.origin;
        let alive = at != OUTSIDE && !original.timer && !matches!(self.duties[at as usize], Duty::Dead | Duty::Corrupt);
        if !alive || !self.engines[at as usize].holds(original.channel, original.to, &args) {
            return None;
        }
        let content = Content { channel: original.channel, from: original.from, to: original.to, args: &args };
        let packet = narrow(self.log.packets.len());
        let added = self.log.add(content, original.part, original.destination);
        added.origin = at;
        added.held = true;
        self.log.entries.push(Entry::Repeat { at, packet });
        self.stats.messages += 1;
        self.leave(at, packet..packet + 1);
        Some(packet)
    }

    /// A message is lost, or an external or corrupt node receives it.
    pub fn take(&mut self, packet: PacketId, lost: bool) {
        assert!(lost || !self.is_for_step(packet), "a node of the program receives in a step");
        self.remove(packet);
        self.log.entries.push(Entry::Take { packet, lost });
        if lost {
            self.stats.lost += 1;
            return;
        }
        let Packet { to, destination, .. } = self.log.packets[packet as usize];
        if destination != OUTSIDE || self.coalition.has(to) {
            self.coalition.hear(self.log.args(packet));
        }
        self.stats.replies += u32::from(destination == OUTSIDE);
        self.observe(&[packet]);
    }

    /// Whether it is a step of a node that receives a message, rather than an external node or an adversary.
    pub fn is_for_step(&self, packet: PacketId) -> bool {
        let place = self.log.packets[packet as usize].destination;
        place != OUTSIDE && self.duties[place as usize] != Duty::Corrupt
    }

    /// The network is cut, or whole again. Whoever decides what happens obeys; a world delivers what it is told to.
    pub fn note(&mut self, entry: Entry) {
        self.log.entries.push(entry);
    }

    /// Shows messages that were delivered at the same time to the observer. What was changed on the wire no node has sent.
    fn observe(&mut self, delivered: &[PacketId]) {
        if let Some(watch) = &mut self.watch {
            let sent = delivered.iter().filter(|packet| !self.log.packets[**packet as usize].changed);
            watch.see(sent.map(|packet| self.log.content(*packet)));
        }
    }

    /// Puts messages in flight.
    fn send(&mut self, packets: std::ops::Range<PacketId>) {
        for id in packets {
            self.flights.launch(&mut self.log.packets, id);
        }
    }

    /// Takes a message out of flight.
    fn remove(&mut self, id: PacketId) {
        self.flights.land(&mut self.log.packets, id);
    }

    /// Whether a message is in flight.
    pub fn is_waiting(&self, packet: PacketId) -> bool {
        self.log.packets[packet as usize].waiting.is_some()
    }

    /// A message in flight to `place` with this content that is not one of `taken`.
    pub fn find(&mut self, place: u32, content: Content<'_>, taken: &[PacketId]) -> Option<PacketId> {
        let digest = digest(content, &mut self.scratch);
        self.flights.to(place).iter().copied().find(|id| self.is(*id, digest, content) && !taken.contains(id))
    }

    /// A message that the node at `origin` sent and may repeat, with this content.
    pub fn find_held(&mut self, origin: u32, content: Content<'_>) -> Option<PacketId> {
        let digest = digest(content, &mut self.scratch);
        let held = |id: &PacketId| {
            let packet = &self.log.packets[*id as usize];
            packet.held && packet.origin == origin && self.is(*id, digest, content)
        };
        (0..narrow(self.log.packets.len())).find(held)
    }

    /// Whether a step that takes these messages may take one more.
    pub fn admits(&self, group: &[PacketId], packet: PacketId) -> bool {
        let channel = |id: &PacketId| self.log.packets[*id as usize].channel;
        let serial = self.prepared.channels[usize::from(channel(&packet))].serial;
        !serial || group.iter().all(|other| channel(other) != channel(&packet))
    }

    fn is(&self, id: PacketId, digest: u64, content: Content<'_>) -> bool {
        let packet = &self.log.packets[id as usize];
        packet.digest == digest
            && (packet.channel, packet.from, packet.to) == (content.channel, content.from, content.to)
            && self.log.args(id) == content.args
    }

    /// Whether nothing is left to happen but that timers fire: nothing else is in flight but to crashed nodes, nothing is left to do, and no disk
    /// is behind.
    pub fn is_drained(&self) -> bool {
        self.is_drained_but_for(&[])
    }

    /// The same, but messages on these channels may be in flight.
    pub fn is_drained_but_for(&self, channels: &[u16]) -> bool {
        let may_stay = |id: PacketId| {
            let packet = &self.log.packets[id as usize];
            packet.timer || channels.contains(&packet.channel) || self.is_dead(packet.destination)
        };
        self.is_idle() && (self.flights.messages() == 0 || self.flights.all().all(may_stay))
    }

    fn is_dead(&self, place: u32) -> bool {
        matches!(self.duties.get(place as usize), Some(Duty::Dead | Duty::Corrupt))
    }

    fn is_idle(&self) -> bool {
        let written = self.disks.iter().flatten().all(|disk| disk.behind() == 0);
        written && self.duties.iter().all(|duty| matches!(duty, Duty::None | Duty::Dead | Duty::Corrupt))
    }

    /// The violation that holds now.
    pub fn violation(&self) -> Option<Violation> {
        self.watch.as_ref().and_then(Watch::violation)
    }

    /// Whether it is not known if the operations of clients so far have an order.
    pub fn is_undecided(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_undecided)
    }

    /// What is owed now: goals of the properties, with the variables of their bodies.
    pub fn unmet(&self) -> BTreeSet<(usize, Vec<Value>)> {
        self.watch.as_ref().map(Watch::unmet).unwrap_or_default()
    }

    /// Visits what properties derive now: whether a rule that says something reads it itself, the number of the view, the fact.
    pub fn derived(&self, visit: &mut dyn FnMut(bool, usize, &[Value])) {
        if let Some(watch) = &self.watch {
            watch.derived(visit);
        }
    }

    /// The node whose follow-ups do not end, which ends the run.
    pub fn endless(&self) -> Option<Address> {
        self.endless.map(|at| self.prepared.addresses[at as usize].clone())
    }

    /// Whether this value is a node that exists in this world.
    pub fn exists(&self, node: Node) -> bool {
        self.prepared.roles.get(usize::from(node.role)).is_some_and(|role| node.index < role.nodes)
    }
}

/// Whether the values are of the types of a channel's columns.
pub(crate) fn fits(prepared: &Prepared, channel: u16, args: &[Value]) -> bool {
    let columns = &prepared.channels[usize::from(channel)].columns;
    columns.len() == args.len() && columns.iter().zip(args).all(|((_, ty), value)| ty.admits(value))
}
