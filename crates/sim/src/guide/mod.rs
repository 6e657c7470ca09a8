//! Hunts that are guided by what runs have reached: a run that has got into a situation that few have got into is gone on with from there, with other
//! dice, again and again. So what takes several unlikely things in sequence is found in about the sum of the runs that each of them takes, where
//! runs from the beginning take the product. (Importance splitting, as in the simulation of rare failures; with abstract
//! situations in the place of levels, after Ecoffet and others, "First return, then explore", 2021.)
//!
//! It knows nothing of protocols: situations are what [`scout`] makes of messages and properties.

mod scout;

use std::collections::BTreeMap;

pub(crate) use self::scout::{Milestone, Scout};
use crate::descent::Descent;
use crate::random::{Random, mix};

/// Sets the chance by which runs are chosen apart from others.
const STREAM: u64 = 0x67_7569_6465;
/// So many of a hundred runs are from the beginning.
const FRESH: u32 = 50;
/// So many situations are remembered: the first ones.
const MAX_SITUATIONS: usize = 1 << 14;
/// And so many places of each.
const MAX_PLACES: usize = 8;
/// A descent has so many forks at most.
const MAX_FORKS: usize = 24;
/// So many of a hundred forks are before the place that is gone on from, up to so many happenings.
const EARLIER: u32 = 30;
const MOST_EARLIER: u64 = 16;
/// Of so many situations the best one is taken.
const TOURNAMENT: usize = 8;
/// What a place is worth that was never tried, in a situation that nobody else was in.
const WORTH: u64 = 1 << 32;

/// Chooses runs by what earlier ones have reached.
#[derive(Clone, Debug)]
pub struct Guide {
    first_seed: u64,
    /// How many runs it has chosen since it began to learn.
    runs: u64,
    /// Positions of situations, by their hashes.
    known: BTreeMap<u64, usize>,
    situations: Vec<Situation>,
    /// Positions of pairs that properties speak of, of pairs of one of these and something else, and of all else.
    kinds: [Vec<usize>; 3],
}

/// What a run has reached.
#[derive(Clone, Debug)]
pub struct Reached {
    pub(crate) descent: Descent,
    pub(crate) milestones: Vec<Milestone>,
}

/// A situation, and places of runs that got into it.
#[derive(Clone, Debug, Default)]
struct Situation {
    /// In how many runs it was reached.
    reached: u64,
    /// How often a run was gone on with from there.
    tries: u64,
    places: Vec<Place>,
}

/// A place of a run that is worth going on from.
#[derive(Clone, Debug)]
struct Place {
    descent: Descent,
    place: u32,
    /// How rare all that was reached by then was together, when it was reached.
    rarity: u64,
}

impl Guide {
    /// After so many runs it forgets all and begins to learn anew: what it learns first decides where it looks later, and some look in the wrong
    /// place for ever. From there on it chooses what a new guide would, whose first seed is higher by so much.
    pub const RUNS: u64 = 1 << 14;

    /// A guide that knows nothing yet, whose runs from the beginning have seeds from this one on.
    pub fn new(first_seed: u64) -> Self {
        Guide { first_seed, runs: 0, known: BTreeMap::new(), situations: Vec::new(), kinds: Default::default() }
    }

    /// The next runs: so many, but none beyond those after which it begins to learn anew. What they reach is to be [learned](Guide::learn) before more
    /// are chosen.
    pub fn choose(&mut self, most: u64) -> Vec<Descent> {
        if self.runs == Self::RUNS {
            *self = Guide::new(self.first_seed.wrapping_add(Self::RUNS));
        }
        let runs = most.min(Self::RUNS - self.runs);
        (0..runs).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> Descent {
        let number = self.runs;
        self.runs += 1;
        let mut random = Random::new(mix(self.first_seed ^ mix(number ^ STREAM)));
        let fresh = Descent::from(self.first_seed.wrapping_add(number));
        if random.percent(FRESH) {
            return fresh;
        }
        let Some(chosen) = self.situation(&mut random) else { return fresh };
        let chosen = &mut self.situations[chosen];
        chosen.tries += 1;
        let Place { descent, place, .. } = random.pick(&chosen.places);
        let earlier = if random.percent(EARLIER) { 1 + random.below(MOST_EARLIER) } else { 0 };
        let place = u64::from(*place).saturating_sub(earlier);
        descent.fork(u32::try_from(place).expect("no later than a place"), number)
    }

    /// Takes in what runs have reached that it has chosen.
    pub fn learn(&mut self, reached: &[Reached]) {
        reached.iter().for_each(|run| self.learn_from(&run.descent, &run.milestones));
    }

    fn learn_from(&mut self, descent: &Descent, milestones: &[Milestone]) {
        let (mut facts, mut features): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut rarity = 0;
        for milestone in milestones {
            let (old_facts, old_features) = (facts.len(), features.len());
            facts.extend(&milestone.facts);
            features.extend(&milestone.features);
            let mut reached: Vec<(usize, u64)> = Vec::new();
            for (number, fact) in facts.iter().enumerate().skip(old_facts) {
                reached.extend(facts[..=number].iter().map(|other| (0, fact.wrapping_add(*other))));
                reached.extend(features[..old_features].iter().map(|other| (1, fact.wrapping_add(*other))));
            }
            for feature in &features[old_features..] {
                reached.extend(facts.iter().map(|fact| (1, fact.wrapping_add(*feature))));
                reached.push((2, *feature));
            }
            reached.extend(milestone.echoes.iter().map(|echo| (2, *echo)));
            let positions: Vec<usize> =
                reached.into_iter().filter_map(|(kind, what)| self.position(kind, what)).collect();
            let is_own = milestone.place > descent.own();
            for position in &positions {
                self.situations[*position].reached += u64::from(is_own);
                rarity += WORTH / (1 + self.situations[*position].reached);
            }
            if is_own && descent.forks.len() < MAX_FORKS {
                for position in positions {
                    self.situations[position].add(
                        descent,
                        milestone.place,
                        rarity,
                        mix(self.runs ^ mix(position as u64)),
                    );
                }
            }
        }
    }

    /// The position of a situation, which is there from now on if there is room.
    fn position(&mut self, kind: usize, what: u64) -> Option<usize> {
        let (what, next) = (mix(what), self.situations.len());
        let known = self.known.get(&what).copied();
        if known.is_none() && next < MAX_SITUATIONS {
            self.known.insert(what, next);
            self.situations.push(Situation::default());
            self.kinds[kind].push(next);
            return Some(next);
        }
        known
    }

    /// One that is worth going on from.
    fn situation(&self, random: &mut Random) -> Option<usize> {
        let kind = &self.kinds[*random.pick(&[0, 0, 1, 1, 2])];
        if kind.is_empty() {
            return None;
        }
        let some = (0..TOURNAMENT).map(|_| *random.pick(kind));
        let known = some.filter(|position| !self.situations[*position].places.is_empty());
        known.max_by_key(|position| self.situations[*position].worth())
    }
}

impl Situation {
    /// Takes a place in, in the place of another one if there are many: of some by chance, of others if it is rarer.
    fn add(&mut self, descent: &Descent, place: u32, rarity: u64, chance: u64) {
        let place = || Place { descent: descent.clone(), place, rarity };
        if self.places.len() < MAX_PLACES {
            return self.places.push(place());
        }
        let (any, rare) = self.places.split_at_mut(MAX_PLACES / 2);
        let chosen = usize::try_from(chance % self.reached).unwrap_or(usize::MAX);
        if let Some(old) = any.get_mut(chosen) {
            *old = place();
        } else if let Some(old) = rare.iter_mut().min_by_key(|old| old.rarity).filter(|old| old.rarity < rarity) {
            *old = place();
        }
    }

    fn worth(&self) -> u64 {
        WORTH / (1 + self.tries + self.reached)
    }
}
