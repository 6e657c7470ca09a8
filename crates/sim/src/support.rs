//! What a message hangs on: the messages without which its sender would not have sent it.
//!
//! The derivation of a message goes through what its sender has stored, maybe long ago. Nothing of that is recorded while a run goes on. When somebody
//! asks, the sender's steps are taken again, by a node in nobody's world, with some of its messages left out: what it sends without them does not
//! hang on them. What remains at last is enough, and none of it can be spared. So the rules are asked themselves, and joins, thresholds and
//! choices count for what they do. Then the senders of these messages are asked in turn.
//!
//! Three things make the answer less than exact. Of several derivations one is found, that from the latest messages. Timers fire as they did, though
//! what set them be left out. And after so many trials what has not been tried is taken to be needed.

use std::collections::BTreeSet;
use std::ops::Range;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Outputs};

use crate::host::Host;
use crate::log::{Content, Entry, PacketId};
use crate::prepared::OUTSIDE;
use crate::world::World;

/// For one answer, nodes take their steps again no more often than this.
const MAX_TRIALS: u32 = 32;
/// Senders are asked in turn so many times.
const MAX_DEPTH: u32 = 2;

/// What a message hangs on, in the order in which it was sent.
#[derive(Clone, Default, Debug)]
pub(crate) struct Support {
    /// What its sender had received.
    pub direct: BTreeSet<PacketId>,
    /// This, and what the senders of it had received.
    pub all: BTreeSet<PacketId>,
}

impl Support {
    /// The support of a message that was sent in the run so far.
    pub fn of(world: &World<'_>, message: PacketId) -> Self {
        let mut trials = MAX_TRIALS;
        let direct = direct(world, message, &mut trials);
        let (mut all, mut layer) = (direct.clone(), direct.clone());
        for _ in 1..MAX_DEPTH {
            // The latest first: for the earliest there may be no trials left.
            let next = layer.iter().rev().flat_map(|packet| direct_if_affordable(world, *packet, &mut trials));
            layer = next.filter(|packet| !all.contains(packet)).collect();
            all.extend(&layer);
        }
        Support { direct, all }
    }

    /// The last message of it only: had it not come, nothing would have happened yet.
    pub fn last(&self) -> Self {
        let last: BTreeSet<PacketId> = self.direct.last().copied().into_iter().collect();
        Support { direct: last.clone(), all: last }
    }

    /// Messages that wait and say what one of these says, by the same sender: what others would learn the same from.
    pub fn copies(&self, world: &World<'_>) -> BTreeSet<PacketId> {
        let says = |packet: PacketId| {
            let Content { channel, from, args, .. } = world.log.content(packet);
            (channel, from, args)
        };
        let is_copy = |id: &PacketId| self.all.iter().any(|known| says(*known) == says(*id));
        world.flights.all().filter(is_copy).collect()
    }
}

fn direct_if_affordable(world: &World<'_>, message: PacketId, trials: &mut u32) -> BTreeSet<PacketId> {
    if *trials > 0 { direct(world, message, trials) } else { BTreeSet::new() }
}

/// What the sender of a message had received, as far as it is needed. Nothing if the sender is not a node of the program that runs rules.
fn direct(world: &World<'_>, message: PacketId, trials: &mut u32) -> BTreeSet<PacketId> {
    let Some(mut rehearsal) = Rehearsal::new(world, message) else { return BTreeSet::new() };
    let mut needed: Vec<PacketId> = rehearsal.messages().collect();
    if !rehearsal.sends(&needed, trials) {
        return BTreeSet::new();
    }
    let mut chunk = needed.len().div_ceil(2);
    while chunk > 0 && *trials > 0 {
        let mut start = 0;
        while start < needed.len() && *trials > 0 {
            let end = (start + chunk).min(needed.len());
            let rest: Vec<PacketId> = needed[..start].iter().chain(&needed[end..]).copied().collect();
            match rehearsal.sends(&rest, trials) {
                true => needed = rest,
                false => start = end,
            }
        }
        chunk /= 2;
    }
    needed.into_iter().collect()
}

/// The sender of a message, to whom what has happened happens again.
struct Rehearsal<'a, 'w> {
    world: &'a World<'w>,
    message: PacketId,
    host: Host,
    /// The messages that it took, step by step.
    steps: Vec<Range<u32>>,
    inputs: Inputs,
    outputs: Outputs,
}

impl<'a, 'w> Rehearsal<'a, 'w> {
    fn new(world: &'a World<'w>, message: PacketId) -> Option<Self> {
        let at = world.log.packets[message as usize].origin;
        if at == OUTSIDE {
            return None;
        }
        let mut steps = Vec::new();
        for entry in &world.log.entries {
            match entry {
                Entry::Step { at: other, inputs, outputs } if *other == at => {
                    if !inputs.is_empty() {
                        steps.push(inputs.clone());
                    }
                    if outputs.contains(&message) {
                        break;
                    }
                }
                // What a disk has kept for it is part of it; what it took before is not, unless it comes again.
                Entry::Restart { whom } if world.prepared.places(whom).any(|place| place == at) => {
                    if world.prepared.writes[at as usize] {
                        return None;
                    }
                    steps.clear();
                }
                _ => {}
            }
        }
        let host = world.prepared.engines[at as usize].clone();
        matches!(host, Host::Rules(_)).then_some(())?;
        let (inputs, outputs) = (Inputs::default(), Outputs::default());
        Some(Rehearsal { world, message, host, steps, inputs, outputs })
    }

    /// What it took, but for timers.
    fn messages(&self) -> impl Iterator<Item = PacketId> {
        let log = &self.world.log;
        let taken = self.steps.iter().flat_map(|step| log.inputs(step).iter().copied());
        taken.filter(|packet| !log.packets[*packet as usize].timer)
    }

    /// Whether it sends the message if it gets only these, and its timers.
    fn sends(&mut self, only: &[PacketId], trials: &mut u32) -> bool {
        *trials = trials.saturating_sub(1);
        self.host.reset();
        self.host.set_choice_seed(self.world.log.choice_seed);
        self.inputs.clear();
        self.inputs.start = true;
        if self.turn() {
            return true;
        }
        let log = &self.world.log;
        for step in 0..self.steps.len() {
            for packet in log.inputs(&self.steps[step]) {
                if log.packets[*packet as usize].timer || only.contains(packet) {
                    let Content { channel, from, args, .. } = log.content(*packet);
                    self.inputs.push(channel, from, args.iter().cloned());
                }
            }
            if !self.inputs.is_empty() && self.turn() {
                return true;
            }
        }
        false
    }

    /// A turn with what is in `inputs`; whether it sends the message.
    fn turn(&mut self) -> bool {
        let Content { channel, to, args, .. } = self.world.log.content(self.message);
        for _ in 0..=MAX_FOLLOW_UPS {
            self.host.step(&self.inputs, &mut self.outputs);
            self.inputs.clear();
            if self.outputs.iter().any(|sent| sent.channel == channel && sent.to == to && sent.args == args) {
                return true;
            }
            if !self.outputs.pending {
                break;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_value::{Node, Value};

    use super::*;
    use crate::Config;
    use crate::prepared::Prepared;

    const VOTES: &str = "protocol votes
        role client[1] external
        role member[4]
        role watcher[2]
        channel put(n: int)  client -> member
        channel vote(n: int) member -> watcher
        channel done(n: int) watcher -> client
        component member { vote(n)@w :~ put(n), watcher(w) }
        component watcher {
          table votes(n: int, m: node)
          votes(n, m)          :- vote(n) from m
          counted(n, count(m)) :- votes(n, m)
          done(n)@c            :~ new counted(n, 2), client(c)
        }";
    /// The place of the first watcher.
    const WATCHER: u32 = 4;

    /// Members vote for these numbers, one after another, and the first watcher takes their votes one by one.
    fn voted<'p>(prepared: &'p Prepared, numbers: &[i64]) -> (World<'p>, Vec<PacketId>) {
        let mut world = World::new(prepared, None);
        world.start();
        let mut packets = Vec::new();
        for (index, number) in (0..).zip(numbers) {
            let (from, to) = (Node { role: 0, index: 0 }, Node { role: 1, index });
            let put = world.inject(Content { channel: 0, from, to, args: &[Value::Int(*number)] });
            let vote = world.turn(index, &[put]);
            world.turn(WATCHER, &[vote]);
            packets.extend([put, vote]);
        }
        (world, packets)
    }

    #[test]
    fn a_threshold_hangs_on_the_votes_for_it_and_these_on_what_was_asked_for() {
        let prepared = Prepared::new(&compile_text(VOTES), Config::default());
        let (world, packets) = voted(&prepared, &[7, 8, 9, 7]);
        let done = last_sent(&world);
        let support = Support::of(&world, done);
        let [put, vote, .., last_put, last_vote] = packets[..] else { panic!("four have voted") };
        assert_eq!(support.direct, BTreeSet::from([vote, last_vote]));
        assert_eq!(support.all, BTreeSet::from([put, vote, last_put, last_vote]));
        assert_eq!(support.last().all, BTreeSet::from([last_vote]));
        let copies = support.copies(&world);
        assert_eq!(copies, BTreeSet::from([vote + 1, last_vote + 1]), "the other watcher would learn it from these");
    }

    #[test]
    fn of_several_derivations_the_latest_is_told() {
        let prepared = Prepared::new(
            &compile_text(&VOTES.replace("new counted(n, 2)", "vote(n), counted(n, 2)")),
            Config::default(),
        );
        let (world, packets) = voted(&prepared, &[7, 8, 7]);
        let support = Support::of(&world, last_sent(&world));
        assert_eq!(support.direct, BTreeSet::from([packets[1], packets[5]]));
    }

    #[test]
    fn what_comes_from_outside_hangs_on_nothing_that_is_known() {
        let prepared = Prepared::new(&compile_text(VOTES), Config::default());
        let (world, packets) = voted(&prepared, &[7]);
        assert_eq!(Support::of(&world, packets[0]).all, BTreeSet::new());
    }

    /// The message that was sent last.
    fn last_sent(world: &World<'_>) -> PacketId {
        crate::log::narrow(world.log.packets.len() - 1)
    }
}
