//! What a run reaches, as it goes: abstract enough that two runs reach the same now and then.
//!
//! A message that is delivered is told by its channel, by the small numbers in it, and by how many nodes have sent such a one by then; a fact that
//! properties derive by its relation and its small numbers. Nodes, signatures, digests and texts are left out. What properties speak of is
//! the *situation*: a set, whose hash grows with the run.

use std::collections::BTreeSet;

use menard_value::{Node, Value};

use crate::log::{Entry, PacketId};
use crate::observe::{Nearness, PreparedObserver};
use crate::prepared::Prepared;
use crate::random::mix;
use crate::world::World;

/// Numbers from the least to the most are told apart; others are all alike.
const LEAST: i64 = -1;
const MOST: i64 = 4;
/// So many senders are as good as more.
const MANY: u64 = 4;
/// Into the parts of parts of a value it is looked only so deep.
const DEPTH: u32 = 3;

/// A place of a run at which it has reached something that it had not reached before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Milestone {
    /// After so many happenings.
    pub place: u32,
    /// Of what properties speak.
    pub facts: Vec<u64>,
    /// What else was said or derived.
    pub features: Vec<u64>,
    /// That several nodes have said the same.
    pub echoes: Vec<u64>,
}

/// Notes what a run reaches.
#[derive(Debug)]
pub(crate) struct Scout {
    /// How properties speak of each channel of the program.
    channels: Vec<Option<Nearness>>,
    /// Who has said what.
    senders: BTreeSet<(u64, Node)>,
    seen: BTreeSet<u64>,
    /// Entries of the log that it has looked at.
    entries: usize,
    milestones: Vec<Milestone>,
}

impl Scout {
    pub fn new(prepared: &Prepared, observer: Option<&PreparedObserver>) -> Self {
        let nearness = |name| observer.and_then(|observer| observer.reads(name));
        Scout {
            channels: prepared.channels.iter().map(|channel| nearness(&channel.name)).collect(),
            senders: BTreeSet::new(),
            seen: BTreeSet::new(),
            entries: 0,
            milestones: Vec::new(),
        }
    }

    /// A run begins.
    pub fn begin(&mut self) {
        self.senders.clear();
        self.seen.clear();
        self.entries = 0;
        self.milestones.clear();
    }

    /// What the run has reached, in the order in which it did.
    pub fn milestones(&self) -> &[Milestone] {
        &self.milestones
    }

    /// Looks at what has happened since it looked last.
    pub fn look(&mut self, world: &World<'_>, place: u32) {
        let mut milestone = Milestone { place, facts: Vec::new(), features: Vec::new(), echoes: Vec::new() };
        let mut is_read = false;
        let entries = self.entries..world.log.entries.len();
        self.entries = entries.end;
        for entry in entries {
            match &world.log.entries[entry] {
                Entry::Step { inputs, .. } => {
                    for packet in world.log.inputs(inputs) {
                        is_read |= self.deliver(world, *packet, &mut milestone);
                    }
                }
                Entry::Take { packet, lost: false } => is_read |= self.deliver(world, *packet, &mut milestone),
                _ => {}
            }
        }
        if is_read {
            world.derived(&mut |is_direct, view, fact| {
                let nearness = if is_direct { Nearness::Direct } else { Nearness::Indirect };
                self.note(abstracted(fact, mix(!(view as u64))), Some(nearness), &mut milestone);
            });
        }
        if !milestone.facts.is_empty() || !milestone.features.is_empty() || !milestone.echoes.is_empty() {
            self.milestones.push(milestone);
        }
    }

    /// A message was delivered. Whether properties speak of it. What liars say tells nothing: they may say anything.
    fn deliver(&mut self, world: &World<'_>, packet: PacketId, milestone: &mut Milestone) -> bool {
        let content = world.log.content(packet);
        let nearness = self.channels[usize::from(content.channel)];
        if world.coalition.has(content.from) || world.log.packets[packet as usize].changed {
            return nearness.is_some();
        }
        let said = abstracted(content.args, mix(u64::from(content.channel)));
        if self.senders.insert((said, content.from)) && !self.note(said, nearness, milestone) {
            let nodes = (said, Node { role: 0, index: 0 })..=(said, Node { role: u16::MAX, index: u32::MAX });
            milestone.echoes.push(mix(said ^ (self.senders.range(nodes).count() as u64).min(MANY)));
        }
        nearness.is_some()
    }

    /// Notes something, if it is new in this run.
    fn note(&mut self, what: u64, nearness: Option<Nearness>, milestone: &mut Milestone) -> bool {
        let is_new = self.seen.insert(what);
        if is_new && nearness == Some(Nearness::Direct) {
            milestone.facts.push(what);
        } else if is_new {
            milestone.features.push(what);
        }
        is_new
    }
}

/// What is left of these values.
fn abstracted(values: &[Value], tag: u64) -> u64 {
    values.iter().fold(tag, |hash, value| mix(hash ^ small(value, DEPTH)))
}

fn small(value: &Value, depth: u32) -> u64 {
    if let Some(number) = value.as_int() {
        return if (LEAST..=MOST).contains(&number) { number.cast_unsigned() } else { u64::MAX >> 1 };
    }
    match value {
        Value::Bool(truth) => u64::from(*truth),
        _ if depth == 0 => 0,
        _ => value.parts().iter().fold(1, |hash, part| mix(hash ^ small(part, depth - 1))),
    }
}
