//! How a run leaves the one that it comes from: from one moment on other dice decide.
//!
//! What has happened has happened, and what was drawn for the whole run stays: who is corrupt and how they lie, which requests come, cuts, blows, how
//! clocks go. What is still open is drawn anew.

use std::cmp::Reverse;

use super::{Chance, Happening, Hiding, Pounces, Simulator};
use crate::random::{Random, mix};

/// Sets the streams of a fork apart from those of a run with its seed.
const STREAM: u64 = 0x666f_726b;
/// In so many of a hundred forks messages in flight travel anew.
const TRAVELS: u32 = 50;
/// In so many of these also what was hidden.
const SHOWS: u32 = 30;
/// What arrives later than in so many ticks is hidden.
const SOON: u64 = 300;
/// In so many the network and what nodes take at once are of another kind from there on.
const CHANGES: u32 = 30;
/// In so many other messages are hidden.
const HIDES: u32 = 50;

impl Simulator<'_> {
    /// Other dice decide from here on.
    pub(super) fn fork(&mut self, seed: u64, chance: &mut Chance) {
        let seed = mix(seed ^ STREAM);
        chance.random = Random::new(mix(seed ^ 1));
        chance.more = Random::new(mix(seed ^ 2));
        chance.fate = Random::new(mix(seed ^ 3));
        let mut random = Random::new(mix(seed ^ 4));
        if random.percent(CHANGES) {
            chance.mood = chance.mood.anew(&mut random, &mut chance.more);
        }
        if let Some(adversary) = &mut self.adversary {
            adversary.reseed(&mut self.world, seed);
            if random.percent(HIDES) {
                self.hiding = Hiding::draw(&self.world, seed);
            }
            self.pounces = Pounces::draw(&mut random, adversary.layer());
            for _ in 0..*random.pick(&[0, 2, 8]) {
                let time = self.now + random.below(chance.mood.window + 300);
                self.schedule(time, Happening::Plot);
            }
        }
        if random.percent(TRAVELS) {
            let is_shown = random.percent(SHOWS);
            self.travel_anew(is_shown, chance);
        }
    }

    /// Messages in flight arrive at other times; those that are hidden, too, or not.
    fn travel_anew(&mut self, is_shown: bool, chance: &mut Chance) {
        if is_shown {
            self.stalled_until.clear();
        }
        let last = if is_shown { u64::MAX } else { self.now.saturating_add(SOON) };
        let mut queue = std::mem::take(&mut self.queue).into_sorted_vec();
        queue.reverse();
        for Reverse((time, order, happening)) in queue {
            let time = match happening {
                Happening::Arrival(packet) if time <= last && !self.world.log.packets[packet as usize].timer => {
                    let packet = &self.world.log.packets[packet as usize];
                    self.now + chance.mood.delay(packet.origin, packet.destination, &mut chance.random)
                }
                _ => time,
            };
            self.queue.push(Reverse((time, order, happening)));
        }
    }
}
