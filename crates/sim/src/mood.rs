//! What a run is like: how slow and how fair its network is, how greedily nodes take their messages. Drawn once per run, because runs that
//! are extreme in one way find more than runs that are average in every way.

use crate::random::{Random, mix};

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
    /// Draws a mood.
    pub fn draw(random: &mut Random) -> Self {
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
        }
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
