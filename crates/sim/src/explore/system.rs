//! A program as a transition system: states by value, transitions by number of message. What a node does with given messages is computed
//! once and remembered, since most states differ in one node only.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Outputs};
use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Message};
use menard_value::{Node, Value};
use xxhash_rust::xxh3::xxh3_128;

use super::{Groups, Scope};
use crate::host::Host;
use crate::log::{Content, narrow};
use crate::observe::{PreparedObserver, Violation, Watch};
use crate::prepared::{End, OUTSIDE, Prepared};

/// Timers fire so often at each node.
pub(super) const MAX_FIRINGS: u8 = 2;

/// A message that occurs in the exploration, by its position in [`System::messages`].
pub(super) type MessageId = u32;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Packet {
    channel: u16,
    from: Node,
    to: Node,
    part: u32,
    args: Vec<Value>,
}

/// A settled node.
#[derive(Debug)]
struct Settled {
    engine: Host,
    fingerprint: u128,
    /// Messages that it may repeat.
    held: Vec<MessageId>,
}

/// What has been delivered, as far as properties can tell.
#[derive(Debug)]
struct Seen<'a> {
    watch: Watch<'a>,
    fingerprint: u128,
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct State<'a> {
    nodes: Vec<Rc<Settled>>,
    /// Messages in flight, sorted, as often as they are.
    flight: Vec<MessageId>,
    /// How many requests have been sent.
    sent: usize,
    /// For each place, how many of its timers have fired.
    fired: Vec<u8>,
    seen: Option<Rc<Seen<'a>>>,
}

/// What leads from one state to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// The next request is sent.
    Inject,
    /// A node takes these messages.
    Turn(u32, Vec<MessageId>),
    /// An external node receives a message.
    Take(MessageId),
    /// A node repeats a message.
    Repeat(u32, MessageId),
}

/// What remembered turns give: the node afterwards and what it sent.
type Turned = (Rc<Settled>, Vec<MessageId>);

/// The transition system of a program in a scope.
#[derive(Debug)]
pub(super) struct System<'a> {
    prepared: &'a Prepared,
    groups: Groups,
    /// Requests are sent one after another, as actions; otherwise all are in flight from the beginning.
    injects: bool,
    /// What external nodes receive is followed.
    takes: bool,
    requests: Vec<MessageId>,
    packets: Vec<Packet>,
    numbers: BTreeMap<Packet, MessageId>,
    turns: BTreeMap<(u32, u128, Vec<MessageId>), Turned>,
    /// The node that does not settle, if the exploration met one.
    pub endless: Option<Address>,
    inputs: Inputs,
    outputs: Outputs,
}

impl<'a> System<'a> {
    /// The system of this program. `injects` makes requests actions; messages to external nodes are followed if they are, or if there is an
    /// observer that could see them arrive.
    pub fn new(prepared: &'a Prepared, scope: &Scope, injects: bool, observed: bool) -> Self {
        let mut system = System {
            prepared,
            groups: scope.groups,
            injects,
            takes: injects || observed,
            requests: Vec::new(),
            packets: Vec::new(),
            numbers: BTreeMap::new(),
            turns: BTreeMap::new(),
            endless: None,
            inputs: Inputs::default(),
            outputs: Outputs::default(),
        };
        for message in &scope.requests {
            if let Some(channel) = prepared.channel_of(&message.channel) {
                let Message { from, to, args, .. } = message.clone();
                let request = system.number(Packet { channel, from, to, part: 0, args });
                system.requests.push(request);
            }
        }
        system
    }

    /// The state in which all nodes have started.
    pub fn initial(&mut self, observer: Option<&'a PreparedObserver>) -> State<'a> {
        let mut state = State {
            nodes: Vec::new(),
            flight: Vec::new(),
            sent: 0,
            fired: vec![0; self.prepared.addresses.len()],
            seen: None,
        };
        if !self.injects {
            state.flight.clone_from(&self.requests);
            state.sent = self.requests.len();
        }
        for at in 0..narrow(self.prepared.addresses.len()) {
            self.inputs.clear();
            self.inputs.start = true;
            let engine = self.prepared.engines[at as usize].clone();
            let (node, sent) = self.settle(at, engine, Vec::new());
            state.nodes.push(node);
            self.launch(&mut state, &sent);
        }
        let names = self.prepared.channels.iter().map(|channel| &channel.name);
        state.seen = observer.map(|observer| {
            let mut watch = Watch::new(observer, names);
            watch.reset();
            Rc::new(Seen { fingerprint: watch.fingerprint(), watch })
        });
        state.flight.sort_unstable();
        state
    }

    /// Everything that can happen in a state.
    pub fn actions(&self, state: &State<'a>) -> Vec<Action> {
        let mut actions = Vec::new();
        if state.sent < self.requests.len() {
            actions.push(Action::Inject);
        }
        let mut waiting: BTreeMap<u32, Vec<MessageId>> = BTreeMap::new();
        for id in state.flight.iter().filter(|id| self.may_fire(state, **id)) {
            waiting.entry(self.destination(*id)).or_default().push(*id);
        }
        for (place, ids) in waiting {
            match (place, self.groups) {
                (OUTSIDE, _) => actions.extend(distinct(&ids).into_iter().map(Action::Take)),
                (_, Groups::Singles) => {
                    actions.extend(distinct(&ids).into_iter().map(|id| Action::Turn(place, vec![id])));
                }
                (_, Groups::All) => {
                    let selections = selections(&ids).into_iter().filter(|ids| self.may_come_together(state, ids));
                    actions.extend(selections.map(|ids| Action::Turn(place, ids)));
                }
            }
        }
        for (at, node) in state.nodes.iter().enumerate() {
            let landed = node.held.iter().filter(|id| state.flight.binary_search(id).is_err());
            actions.extend(landed.map(|id| Action::Repeat(narrow(at), *id)));
        }
        actions
    }

    /// Whether a message may arrive: timers only so often at each node, or there were no end.
    fn may_fire(&self, state: &State<'a>, id: MessageId) -> bool {
        !self.is_timer(id) || state.fired[self.destination(id) as usize] < MAX_FIRINGS
    }

    fn is_timer(&self, id: MessageId) -> bool {
        self.prepared.channels[usize::from(self.packets[id as usize].channel)].delay.is_some()
    }

    /// Whether a step may take these messages: at most one of each serial channel, and not too many timers.
    fn may_come_together(&self, state: &State<'a>, ids: &[MessageId]) -> bool {
        let timers = narrow(ids.iter().filter(|id| self.is_timer(**id)).count());
        let fired = ids.first().map_or(0, |id| state.fired.get(self.destination(*id) as usize).copied().unwrap_or(0));
        if u32::from(fired) + timers > u32::from(MAX_FIRINGS) {
            return false;
        }
        let channel = |id: &MessageId| self.packets[*id as usize].channel;
        let mut serial: Vec<u16> =
            ids.iter().map(channel).filter(|channel| self.prepared.channels[usize::from(*channel)].serial).collect();
        let count = serial.len();
        serial.sort_unstable();
        serial.dedup();
        serial.len() == count
    }

    /// The state after an action that is possible in `state`.
    pub fn after(&mut self, state: &State<'a>, action: &Action) -> State<'a> {
        let mut next = state.clone();
        match action {
            Action::Inject => {
                self.launch(&mut next, &[self.requests[state.sent]]);
                next.sent += 1;
            }
            Action::Turn(at, ids) => {
                self.land(&mut next, ids);
                let timers = ids.iter().filter(|id| self.is_timer(**id)).count();
                next.fired[*at as usize] += u8::try_from(timers).expect("only few timers fire");
                let (node, sent) = self.turn(*at, &state.nodes[*at as usize], ids);
                next.nodes[*at as usize] = node;
                self.launch(&mut next, &sent);
            }
            Action::Take(id) => self.land(&mut next, &[*id]),
            Action::Repeat(_, id) => self.launch(&mut next, &[*id]),
        }
        next.flight.sort_unstable();
        next
    }

    /// Takes messages out of flight and shows them to the observer.
    fn land(&self, state: &mut State<'a>, ids: &[MessageId]) {
        for id in ids {
            let position = state.flight.binary_search(id).expect("only messages in flight are taken");
            state.flight.remove(position);
        }
        if let Some(seen) = &mut state.seen {
            let mut watch = seen.watch.clone();
            watch.see(ids.iter().map(|id| self.content(*id)));
            *seen = Rc::new(Seen { fingerprint: watch.fingerprint(), watch });
        }
    }

    /// Puts messages in flight. What nobody follows is left out.
    fn launch(&self, state: &mut State<'a>, ids: &[MessageId]) {
        let followed = |id: &&MessageId| self.takes || self.destination(**id) != OUTSIDE;
        state.flight.extend(ids.iter().filter(followed));
    }

    fn turn(&mut self, at: u32, node: &Rc<Settled>, ids: &[MessageId]) -> Turned {
        let key = (at, node.fingerprint, ids.to_vec());
        if let Some(known) = self.turns.get(&key) {
            return known.clone();
        }
        self.inputs.clear();
        for id in ids {
            let packet = &self.packets[*id as usize];
            self.inputs.push(packet.channel, packet.from, packet.args.iter().cloned());
        }
        let turned = self.settle(at, node.engine.clone(), node.held.clone());
        self.turns.insert(key, turned.clone());
        turned
    }

    /// Lets a node take the prepared inputs and settle.
    fn settle(&mut self, at: u32, mut engine: Host, mut held: Vec<MessageId>) -> Turned {
        let from = self.prepared.addresses[at as usize].node;
        let mut sent = Vec::new();
        for follow_ups in 0.. {
            if follow_ups > MAX_FOLLOW_UPS {
                self.endless = Some(self.prepared.addresses[at as usize].clone());
                break;
            }
            engine.step(&self.inputs, &mut self.outputs);
            self.inputs.clear();
            let outputs = std::mem::take(&mut self.outputs);
            for message in outputs.iter() {
                let (channel, to, part) = (message.channel, message.to, message.part);
                let id = self.number(Packet { channel, from, to, part, args: message.args.to_vec() });
                sent.push(id);
                if message.held && self.prepared.channels[usize::from(channel)].delay.is_none() {
                    held.push(id);
                }
            }
            self.outputs = outputs;
            if !self.outputs.pending {
                break;
            }
        }
        let holds = |id: &MessageId| {
            let packet = &self.packets[*id as usize];
            engine.holds(packet.channel, packet.to, &packet.args)
        };
        held.sort_unstable();
        held.dedup();
        held.retain(holds);
        sent.sort_unstable();
        (Rc::new(Settled { fingerprint: engine.fingerprint(), engine, held }), sent)
    }

    /// Whether all requests have been sent, and nothing is in flight but timers and messages on these channels.
    pub fn is_done(&self, state: &State<'a>, late: &BTreeSet<Name>) -> bool {
        let is_late = |id: &MessageId| {
            let channel = self.packets[*id as usize].channel;
            let channel = &self.prepared.channels[usize::from(channel)];
            channel.delay.is_some() || late.contains(&channel.name)
        };
        state.sent == self.requests.len() && state.flight.iter().all(is_late)
    }

    /// A number that two states share only if they are equal.
    pub fn key(&self, state: &State<'a>) -> u128 {
        let mut bytes = Vec::with_capacity(16 * state.nodes.len() + 4 * state.flight.len() + 32);
        state.nodes.iter().for_each(|node| bytes.extend_from_slice(&node.fingerprint.to_le_bytes()));
        bytes.extend_from_slice(&(state.sent as u64).to_le_bytes());
        bytes.extend_from_slice(&state.fired);
        bytes.extend_from_slice(&state.seen.as_ref().map_or(0, |seen| seen.fingerprint).to_le_bytes());
        state.flight.iter().for_each(|id| bytes.extend_from_slice(&id.to_le_bytes()));
        xxh3_128(&bytes)
    }

    /// The property that is violated in a state.
    pub fn violation(&self, state: &State<'a>) -> Option<Violation> {
        state.seen.as_ref().and_then(|seen| seen.watch.violation())
    }

    /// An action as an event of a schedule; `sent` is the number of requests sent before.
    pub fn event(&self, action: &Action, sent: usize) -> Event {
        let address = |at: &u32| self.prepared.addresses[*at as usize].clone();
        match action {
            Action::Inject => Event::Inject { message: self.message(self.requests[sent]) },
            Action::Turn(at, ids) => Event::Step {
                at: address(at),
                inputs: ids.iter().map(|id| self.message(*id)).collect(),
                outputs: Vec::new(),
            },
            Action::Take(id) => Event::Take { message: self.message(*id), lost: false },
            Action::Repeat(at, id) => Event::Repeat { at: address(at), message: self.message(*id) },
        }
    }

    /// The requests that are in flight from the beginning, as events of a schedule.
    pub fn preamble(&self) -> Vec<Event> {
        let early: &[MessageId] = if self.injects { &[] } else { &self.requests };
        early.iter().map(|id| Event::Inject { message: self.message(*id) }).collect()
    }

    /// What a node outside notices of an action: a request that it sends (true) or a message that it receives (false).
    pub fn visible(&self, action: &Action, sent: usize) -> Option<(bool, Message)> {
        match action {
            Action::Inject => Some((true, self.message(self.requests[sent]))),
            Action::Take(id) => Some((false, self.message(*id))),
            Action::Turn(..) | Action::Repeat(..) => None,
        }
    }

    fn number(&mut self, packet: Packet) -> MessageId {
        if let Some(number) = self.numbers.get(&packet) {
            return *number;
        }
        let number = narrow(self.packets.len());
        self.packets.push(packet.clone());
        self.numbers.insert(packet, number);
        number
    }

    fn destination(&self, id: MessageId) -> u32 {
        let packet = &self.packets[id as usize];
        match self.prepared.channels[usize::from(packet.channel)].receiver {
            End::External(_) => OUTSIDE,
            End::Component(_) => self.prepared.destination(packet.channel, packet.to, packet.part),
        }
    }

    fn content(&self, id: MessageId) -> Content<'_> {
        let Packet { channel, from, to, args, .. } = &self.packets[id as usize];
        Content { channel: *channel, from: *from, to: *to, args }
    }

    fn message(&self, id: MessageId) -> Message {
        let Packet { channel, from, to, args, .. } = self.packets[id as usize].clone();
        Message { channel: self.prepared.channels[usize::from(channel)].name.clone(), from, to, args }
    }
}

impl State<'_> {
    /// How many requests have been sent.
    pub fn sent(&self) -> usize {
        self.sent
    }
}

/// The distinct elements of a sorted list.
fn distinct(ids: &[MessageId]) -> Vec<MessageId> {
    let mut distinct = ids.to_vec();
    distinct.dedup();
    distinct
}

/// All distinct non-empty selections of a sorted list in which elements may repeat.
fn selections(ids: &[MessageId]) -> Vec<Vec<MessageId>> {
    let mut selections: Vec<Vec<MessageId>> = vec![Vec::new()];
    for id in distinct(ids) {
        let copies = ids.iter().filter(|other| **other == id).count();
        let known = selections.len();
        for count in 1..=copies {
            for position in 0..known {
                let mut longer = selections[position].clone();
                longer.extend(std::iter::repeat_n(id, count));
                selections.push(longer);
            }
        }
    }
    selections.remove(0);
    selections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_all_sub_multisets_once() {
        assert_eq!(selections(&[1]), [vec![1]]);
        assert_eq!(selections(&[1, 2]), [vec![1], vec![2], vec![1, 2]]);
        let with_copies = selections(&[1, 1, 2]);
        assert_eq!(with_copies, [vec![1], vec![1, 1], vec![2], vec![1, 2], vec![1, 1, 2]]);
    }
}
