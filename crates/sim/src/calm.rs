//! What happens after everything else: faults are over, the network is whole, all that is in flight arrives, and timers fire in rounds.
//!
//! Nothing here is left to chance. Messages arrive one by one in the order in which they were sent; disks take turns at once. A clock goes on
//! only when nothing else can happen, to the time at which the next timers are due, which fire together: that is a round. As long as something
//! is owed that `eventually` speaks of, external nodes send in every round again what they have sent before: clients retry.
//!
//! What is still owed when the same state comes again, or after many rounds, will never be there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_value::{Node, Value};

use crate::log::{Content, Entry, PacketId, narrow};
use crate::observe::Unmet;
use crate::prepared::OUTSIDE;
use crate::world::{Duty, World};

/// Rounds for each node with a timer before anybody looks for what is owed: what comes up only now may still be done.
const WARM_ROUNDS: u32 = 4;
/// Rounds for each node with a timer after which what is owed will never be there.
const MAX_ROUNDS: u32 = 100;
/// Steps after which nobody knows.
const MAX_STEPS: u32 = 10_000;
/// The same where more nodes fail than the program declares: then it is to be seen that something never comes, however long others try.
const MAX_STEPS_OVERWHELMED: u32 = 200_000;

/// How it ended.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Verdict {
    /// It ended before that was known: a violation, a node that does not settle, or too many steps.
    Open,
    /// Nothing is owed; or nothing was asked for.
    Met,
    /// This is owed, and will never be there.
    Unmet(Unmet),
}

/// A goal and the variables of its body for which it is not there.
type Owed = BTreeSet<(usize, Vec<Value>)>;

/// Lets a world come to rest. Gives the positions in the log at which each round began, too: before the first of them, the world was not at rest.
pub(crate) fn calm_down(world: &mut World<'_>) -> (Verdict, Vec<usize>) {
    let mut rounds = vec![world.log.entries.len()];
    let verdict = Calm::new(world).run(&mut rounds);
    (verdict, rounds)
}

struct Calm<'w, 'a> {
    world: &'w mut World<'a>,
    /// Messages that arrive next, in this order.
    queue: VecDeque<PacketId>,
    /// Timers by when they are due, in microseconds; then by place, then by message.
    due: BTreeMap<(u64, u32, u64), Vec<PacketId>>,
    clock: u64,
    /// What external nodes send again.
    requests: Vec<PacketId>,
    last_step: u32,
}

impl<'w, 'a> Calm<'w, 'a> {
    fn new(world: &'w mut World<'a>) -> Self {
        let sent = |entry: &Entry| match entry {
            Entry::Inject { packet } => Some(*packet),
            _ => None,
        };
        let requests = world.log.entries.iter().filter_map(sent).collect();
        let most = if world.prepared.is_overwhelmed { MAX_STEPS_OVERWHELMED } else { MAX_STEPS };
        let last_step = world.stats.steps + most;
        let mut flying: Vec<PacketId> = world.flights.all().collect();
        flying.sort_unstable();
        let mut calm = Calm { world, queue: VecDeque::new(), due: BTreeMap::new(), clock: 0, requests, last_step };
        flying.into_iter().for_each(|packet| calm.expect(packet));
        for at in 0..narrow(calm.world.engines.len()) {
            calm.write(at);
        }
        calm
    }

    fn run(mut self, rounds: &mut Vec<usize>) -> Verdict {
        let clocks: BTreeSet<u32> = self.due.keys().map(|(_, place, _)| *place).collect();
        let clocks = narrow(clocks.len()).max(1);
        let mut owed_before: Option<Owed> = None;
        let mut states: BTreeSet<(Vec<u128>, Owed)> = BTreeSet::new();
        for round in 0.. {
            if !self.deliver() {
                return Verdict::Open;
            }
            let owed = self.owed();
            let nothing_left = self.due.is_empty() && (owed.is_empty() || self.requests.is_empty());
            let is_over = nothing_left || !owed.is_empty() && !states.insert((self.state(), owed.clone()));
            if is_over || round >= WARM_ROUNDS * clocks {
                let still: Owed = match &owed_before {
                    Some(before) if !is_over => owed.intersection(before).cloned().collect(),
                    Some(_) | None => owed.clone(),
                };
                if still.is_empty() {
                    return Verdict::Met;
                }
                if is_over || round >= MAX_ROUNDS * clocks {
                    return Verdict::Unmet(Unmet::of(still));
                }
                owed_before = Some(still);
            }
            rounds.push(self.world.log.entries.len());
            self.fire();
            if !owed.is_empty() {
                self.retry();
            }
        }
        Verdict::Open
    }

    /// What is owed now; nothing if it cannot be asked for. Where more nodes fail than the program declares, it can be asked for even if nobody is
    /// left of a role: that is to be seen.
    fn owed(&self) -> Owed {
        let dead = |(address, duty): (&menard_lang::run::Address, &Duty)| {
            matches!(duty, Duty::Dead | Duty::Corrupt).then_some(address.node)
        };
        let dead: BTreeSet<Node> =
            self.world.prepared.addresses.iter().zip(&self.world.duties).filter_map(dead).collect();
        let roles = (0..).zip(&self.world.prepared.roles).map(|(number, role)| (number, role.nodes));
        let is_gone = |(role, nodes): &(u16, u32)| {
            *nodes > 0 && (0..*nodes).all(|index| dead.contains(&Node { role: *role, index }))
        };
        let gone: Vec<u16> = roles.filter(is_gone).map(|(role, _)| role).collect();
        if !gone.is_empty() && !self.world.prepared.is_overwhelmed {
            return Owed::new();
        }
        let is_dead = |node: Node| dead.contains(&node) && !gone.contains(&node.role);
        let mut owed = self.world.unmet();
        owed.retain(|(_, fact)| !fact.iter().any(|value| names_any(value, &is_dead)));
        owed
    }

    /// What decides everything that follows.
    fn state(&self) -> Vec<u128> {
        let mut state: Vec<u128> = self.world.engines.iter().map(|engine| engine.fingerprint()).collect();
        for (due, place, digest) in self.due.keys() {
            state.extend([u128::from(due - self.clock), u128::from(*place), u128::from(*digest)]);
        }
        state
    }

    /// A message is in flight from now on.
    fn expect(&mut self, id: PacketId) {
        let packet = &self.world.log.packets[id as usize];
        if packet.timer {
            let delay = self.world.prepared.channels[usize::from(packet.channel)].delay.unwrap_or(0);
            let due = (self.clock.saturating_add(delay), packet.destination, packet.digest);
            self.due.entry(due).or_default().push(id);
        } else {
            self.queue.push_back(id);
        }
    }

    /// Everything arrives that is in flight but timers; whether the run goes on.
    fn deliver(&mut self) -> bool {
        while self.goes_on() {
            let Some(id) = self.queue.pop_front() else { return true };
            self.arrive(id);
        }
        false
    }

    fn goes_on(&self) -> bool {
        let world = &self.world;
        world.stats.steps < self.last_step && world.endless().is_none() && world.violation().is_none()
    }

    fn arrive(&mut self, id: PacketId) {
        let at = self.world.log.packets[id as usize].destination;
        if at == OUTSIDE || !self.world.is_for_step(id) {
            self.world.take(id, false);
        } else if self.world.is_stray(id) {
            self.world.take(id, true);
        } else if self.world.duties[at as usize] != Duty::Dead {
            let first = self.world.turn(at, &[id]);
            for sent in first..narrow(self.world.log.packets.len()) {
                if self.world.is_waiting(sent) {
                    self.expect(sent);
                }
            }
            self.write(at);
        }
    }

    /// The disk of a node has all turns.
    fn write(&mut self, at: u32) {
        while let Some(left) = self.world.sync(at) {
            left.into_iter().for_each(|packet| self.expect(packet));
        }
    }

    /// The clock goes on to when timers are due, and they fire.
    fn fire(&mut self) {
        let Some(((time, ..), _)) = self.due.first_key_value() else { return };
        self.clock = *time;
        while let Some(timers) = self.due.first_entry().filter(|timers| timers.key().0 == self.clock) {
            self.queue.extend(timers.remove());
        }
    }

    /// External nodes send again what they have sent.
    fn retry(&mut self) {
        for position in 0..self.requests.len() {
            let request = self.requests[position];
            let Content { channel, from, to, .. } = self.world.log.content(request);
            let args = self.world.log.args(request).to_vec();
            let again = self.world.inject(Content { channel, from, to, args: &args });
            self.queue.push_back(again);
        }
    }
}

/// Whether a value is such a node, or has one within.
fn names_any(value: &Value, is_one: &dyn Fn(Node) -> bool) -> bool {
    value.as_node().is_some_and(is_one) || value.parts().iter().any(|part| names_any(part, is_one))
}
