//! What a run is like: how slow and how fair its network is, how greedily nodes take their messages. Drawn once per run, because runs that
//! are extreme in one way find more than runs that are average in every way.

use menard_value::Node;

use crate::random::{Random, mix};

/// A timer that takes longer fires after everything else anyway.
const MAX_TICKS: u64 = 1 << 40;

/// The character of one run.
#[derive(Clone, Debug)]
pub(crate) struct Mood {
    /// Messages travel for up to so many ticks; 1 means in the order in which they were sent.
    spread: u64,
    /// How many of a hundred messages starve.
    starve_percent: u32,
    /// How much longer those travel, in ticks.
    starve_ticks: u64,
    /// One of so many links is slow; 0 means none.
    slow_links: u64,
    /// How much longer messages on a slow link travel, in ticks.
    slow_ticks: u64,
    /// Decides which links are slow.
    salt: u64,
    /// How nodes group messages into steps.
    pub grouping: Grouping,
    /// How many of a hundred messages that may be repeated are.
    pub repeat_percent: u32,
    /// External nodes send within so many ticks.
    pub window: u64,
    /// A disk takes a turn within so many ticks.
    pub sync: u64,
    /// How the clocks of nodes go.
    pub clocks: Clocks,
    /// How often timers of one physical node fire before they wait until nothing else is left to happen.
    pub firings: u32,
}

/// How the clocks of nodes go. A timer may fire at any time at all, but that is not all that should be tried: what a protocol does where
/// timers are long, compared with the network, is seen only where they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clocks {
    /// Timers fire within so many ticks, whatever they say.
    Any(u64),
    /// A second has so many ticks, and the clocks of nodes differ by up to so many times.
    Paced(u64, u64),
}

/// How a node chooses what to take beside the message that has arrived, out of all that are on their way to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Grouping {
    /// Nothing.
    One,
    /// Each with a chance of so many in a hundred.
    Some(u32),
    /// Everything.
    All,
    /// One of these, each time anew.
    Mixed,
}

impl Mood {
    /// Draws a mood. What was added later is drawn from `more`, so that seeds of programs without it mean what they meant.
    pub fn draw(random: &mut Random, more: &mut Random) -> Self {
        let paces = [20, 200, 2_000, 20_000].map(|pace| Clocks::Paced(pace, *more.pick(&[1, 1, 4, 20])));
        let paces = [Clocks::Any(1), Clocks::Any(100), Clocks::Any(2_000)].into_iter().chain(paces).collect::<Vec<_>>();
        let groupings = [Grouping::One, Grouping::Some(30), Grouping::All, Grouping::Mixed, Grouping::Mixed];
        Mood {
            spread: *random.pick(&[1, 4, 16, 64, 64, 256]),
            starve_percent: *random.pick(&[0, 0, 2, 10]),
            starve_ticks: *random.pick(&[50, 500, 5_000]),
            slow_links: *random.pick(&[0, 0, 3, 8]),
            slow_ticks: *random.pick(&[20, 200, 2_000]),
            salt: random.bits(),
            grouping: *random.pick(&groupings),
            repeat_percent: *random.pick(&[0, 20, 60]),
            window: *random.pick(&[1, 50, 500, 2_000]),
            sync: *more.pick(&[1, 16, 200, 2_000]),
            clocks: *more.pick(&paces),
            firings: *more.pick(&[0, 2, 8, 32]),
        }
    }

    /// Another mood, in which clocks go on as they went.
    pub fn anew(&self, random: &mut Random, more: &mut Random) -> Self {
        Mood { clocks: self.clocks, firings: self.firings, salt: self.salt, ..Mood::draw(random, more) }
    }

    /// How long a message from one place to another travels, in ticks.
    pub fn delay(&self, from: u32, to: u32, random: &mut Random) -> u64 {
        let mut delay = 1 + if self.spread > 1 { random.below(self.spread) } else { 0 };
        if self.starve_percent > 0 && random.percent(self.starve_percent) {
            delay += random.below(self.starve_ticks);
        }
        if self.slow_links > 0 && self.link(from, to).is_multiple_of(self.slow_links) {
            delay += self.slow_ticks;
        }
        delay
    }

    /// How long a timer of a node takes that says so many microseconds, in ticks.
    pub fn timer(&self, node: Node, micros: u64, random: &mut Random) -> u64 {
        match self.clocks {
            Clocks::Any(limit) => 1 + random.below(limit),
            Clocks::Paced(pace, skew) => {
                let slow = 1 + mix(self.salt ^ (u64::from(node.role) << 32) ^ u64::from(node.index)) % skew;
                let ticks = (micros.saturating_mul(pace) / 1_000_000).saturating_mul(slow).min(MAX_TICKS);
                1 + ticks + random.below(ticks / 8 + 1)
            }
        }
    }

    /// So many ticks in microseconds of what timers say, if the clocks go by that; 0 otherwise.
    pub fn micros(&self, ticks: u64) -> u64 {
        match self.clocks {
            Clocks::Any(_) => 0,
            Clocks::Paced(pace, _) => ticks.saturating_mul(1_000_000) / pace,
        }
    }

    fn link(&self, from: u32, to: u32) -> u64 {
        mix(self.salt ^ (u64::from(from) << 32) ^ u64::from(to))
    }

    /// The grouping of one step.
    pub fn grouping(&self, random: &mut Random) -> Grouping {
        match self.grouping {
            Grouping::Mixed => *random.pick(&[Grouping::One, Grouping::Some(30), Grouping::Some(70), Grouping::All]),
            fixed => fixed,
        }
    }
}
