//! A node that lies: what becomes of what its program would send, and what it makes up besides.
//!
//! It is the small scope of simulated adversaries, and their random facts, at a rate that leaves honest nodes their time: an honest message becomes
//! two at most, and what is made up is limited by the clock. Machines of one node that all lie are honest to each other, or none of them would
//! have anything to say that others look at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use menard_engine::Inputs;
use menard_value::{Node, Value, note_terms};

use super::lore::Lore;
use crate::layout::{Endpoint, Layout};
use crate::meter::Lie;
use crate::random::Random;
use crate::wire::MessageHeader;

/// So often something is made up.
const PACE: Duration = Duration::from_millis(10);
/// So many messages each time, at most.
const OUTBURST: usize = 4;
/// Messages that are kept for later.
const MAX_STASH: usize = 64;
/// One of so many messages is remembered.
const HEARS: usize = 16;
/// After so many turns it forgets what digests and signatures were made of, so that it does not grow.
const FORGETS: u32 = 2_000;
/// One of so many outbursts spoils a connection, which then has to be made anew.
const SPOILS: usize = 100;

/// Something that a liar sends.
#[derive(Debug)]
pub(crate) enum Utterance {
    /// A message to a place, or to an external node of this role.
    Message { to: Result<usize, u16>, header: MessageHeader, args: Vec<Value> },
    /// A frame with anything in it.
    Noise { place: usize, body: Vec<u8> },
    /// From now on the MACs of this connection are wrong.
    Spoilt { place: usize },
}

/// A message that the node's program sends.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    pub channel: u16,
    pub to: Node,
    /// The place, or `None` if it is external.
    pub place: Option<usize>,
    pub args: &'a [Value],
}

/// The head of a liar.
#[derive(Debug)]
pub(crate) struct Liar {
    layout: Arc<Layout>,
    place: usize,
    /// For each place whether it is a machine of the same node that is faulty, too.
    accomplices: Vec<bool>,
    /// The channels that this machine sends to others.
    channels: Vec<u16>,
    random: Random,
    /// How many of a hundred messages are sent as they are.
    honesty: usize,
    lore: Lore,
    stash: Vec<(u16, Node, Vec<Value>)>,
    turns: u32,
    next: Instant,
}

impl Liar {
    /// The liar at a place. `is_faulty`: which places are.
    pub fn new(layout: Arc<Layout>, place: usize, is_faulty: impl Fn(usize) -> bool, seed: u64, now: Instant) -> Self {
        let mut random = Random::new(seed ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (me, component) = (layout.places[place].node, layout.places[place].component);
        let is_mine = |route: &crate::layout::Route| route.sender == Endpoint::Component(component);
        let routes = (0..).zip(&layout.routes);
        let channels = routes.filter(|(_, route)| is_mine(route) && route.delay.is_none()).map(|(channel, _)| channel);
        Liar {
            accomplices: (0..layout.places.len()).map(|at| layout.places[at].node == me && is_faulty(at)).collect(),
            channels: channels.collect(),
            honesty: [50, 80, 95][random.below(3)],
            lore: Lore::new(me, layout.routes.len(), layout.nodes.iter().map(|(node, _)| *node)),
            layout,
            place,
            random,
            stash: Vec::new(),
            turns: 0,
            next: now,
        }
    }

    /// A turn begins with these messages, in the thread of the node.
    pub fn hear(&mut self, inputs: &Inputs) {
        if self.turns.is_multiple_of(FORGETS) {
            note_terms(true);
        }
        self.turns = self.turns.wrapping_add(1);
        for received in inputs.iter() {
            if self.random.below(HEARS) == 0 {
                self.lore.learn(received.channel, received.args);
            }
        }
    }

    /// What becomes of a message that the program sends, and what of that is a lie.
    pub fn utter(&mut self, words: &Words<'_>, out: &mut Vec<Utterance>) -> Option<Lie> {
        let is_among_us = words.place.is_some_and(|place| self.accomplices[place]);
        if is_among_us || self.random.below(100) < self.honesty {
            if self.random.below(HEARS) == 0 {
                self.lore.learn(words.channel, words.args);
                self.keep(words);
            }
            out.push(self.message(words.channel, words.to, words.place, words.args.to_vec()));
            return None;
        }
        const FATES: [Lie; 6] = [Lie::Withheld, Lie::Changed, Lie::Readdressed, Lie::Astray, Lie::Late, Lie::Repeated];
        let lie = match FATES[self.random.below(FATES.len())] {
            // Where there are no partitions, nothing goes astray.
            Lie::Astray if self.parts(words.place).len() < 2 => Lie::Changed,
            lie => lie,
        };
        match lie {
            Lie::Withheld => {}
            Lie::Late => self.keep(words),
            Lie::Changed => {
                let args = self.lore.changed(words.args, 1, &mut self.random);
                out.extend(self.posted(words.channel, words.to, args));
            }
            Lie::Readdressed => {
                let to = self.somebody(words.to);
                out.extend(self.posted(words.channel, to, words.args.to_vec()));
            }
            Lie::Astray => {
                let parts = self.parts(words.place);
                let place = parts[self.random.below(parts.len())];
                out.push(self.message(words.channel, words.to, Some(place), words.args.to_vec()));
            }
            _ => {
                let message = || self.message(words.channel, words.to, words.place, words.args.to_vec());
                out.extend([message(), message()]);
            }
        }
        Some(lie)
    }

    /// When it wants to make something up.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// Makes something up if it is time to; gives the lies.
    pub fn act(&mut self, now: Instant, out: &mut Vec<Utterance>) -> Vec<Lie> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now + PACE;
        let mut lies: Vec<Lie> = (0..OUTBURST / 2).filter_map(|_| self.make_up(out)).collect();
        for _ in 0..self.stash.len().min(OUTBURST / 2) {
            let (channel, to, args) = self.stash.swap_remove(self.random.below(self.stash.len()));
            out.extend(self.posted(channel, to, args));
            lies.push(Lie::Late);
        }
        lies
    }

    fn make_up(&mut self, out: &mut Vec<Utterance>) -> Option<Lie> {
        if self.channels.is_empty() {
            return None;
        }
        let channel = self.channels[self.random.below(self.channels.len())];
        let route = &self.layout.routes[usize::from(channel)];
        let Endpoint::Component(component) = route.receiver else { return None };
        let places = self.layout.places_of(component);
        let place = places.start + self.random.below(places.len());
        if self.accomplices[place] || place == self.place {
            return None;
        }
        if self.random.below(SPOILS) == 0 {
            out.push(Utterance::Spoilt { place });
            return Some(Lie::Spoilt);
        }
        let to = self.layout.places[place].node;
        let args = self.lore.message(channel, &route.columns, &mut self.random)?;
        let header = MessageHeader { channel, from: self.layout.places[self.place].node.index, to: to.index };
        let (lie, header) = match self.random.below(8) {
            0 => (Lie::ForgedSender, MessageHeader { from: header.from.wrapping_add(1), ..header }),
            1 => {
                let other = u16::try_from(self.random.below(self.layout.routes.len() + 1)).ok()?;
                (Lie::WrongChannel, MessageHeader { channel: other, ..header })
            }
            2 => {
                let mut body = vec![0; self.random.below(200)];
                self.random.fill(&mut body);
                out.push(Utterance::Noise { place, body });
                return Some(Lie::Noise);
            }
            3 => (Lie::Astray, header),
            _ => {
                out.extend(self.posted(channel, to, args));
                return Some(Lie::MadeUp);
            }
        };
        out.push(Utterance::Message { to: Ok(place), header, args });
        Some(lie)
    }

    fn keep(&mut self, words: &Words<'_>) {
        let kept = (words.channel, words.to, words.args.to_vec());
        if self.stash.len() < MAX_STASH {
            self.stash.push(kept);
        } else {
            let position = self.random.below(MAX_STASH);
            self.stash[position] = kept;
        }
    }

    /// Another node of the same role, or an external one with another number.
    fn somebody(&mut self, node: Node) -> Node {
        let same_role: Vec<Node> =
            self.layout.nodes.iter().map(|(node, _)| *node).filter(|other| other.role == node.role).collect();
        match same_role.is_empty() {
            true => Node { index: node.index ^ 1, ..node },
            false => same_role[self.random.below(same_role.len())],
        }
    }

    /// The machines of a node that have the component at a place, without this one.
    fn parts(&self, place: Option<usize>) -> Vec<usize> {
        let Some(place) = place else { return Vec::new() };
        let meant = &self.layout.places[place];
        let same = |at: &usize| self.layout.places[*at].node == meant.node && *at != self.place;
        self.layout.places_of(meant.component).filter(same).collect()
    }

    /// A message to where it belongs; nothing if that is here.
    fn posted(&self, channel: u16, to: Node, args: Vec<Value>) -> Option<Utterance> {
        let place = match self.layout.routes[usize::from(channel)].receiver {
            Endpoint::External(_) => None,
            Endpoint::Component(component) => {
                let part = self.layout.router.part(channel, &args);
                Some(self.layout.place(component, to.index, part)?)
            }
        };
        (place != Some(self.place)).then(|| self.message(channel, to, place, args))
    }

    fn message(&self, channel: u16, to: Node, place: Option<usize>, args: Vec<Value>) -> Utterance {
        let header = MessageHeader { channel, from: self.layout.places[self.place].node.index, to: to.index };
        Utterance::Message { to: place.ok_or(to.role), header, args }
    }
}
