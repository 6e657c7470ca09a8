//! The hunt for a bug: runs with one seed after the other until something goes wrong, which is made small.

use menard_sim::{Brevity, Found, PreparedObserver, Run, Simulator, Wrong};

use crate::board::clock::Clock;
use crate::laboratory::Laboratory;

/// A bug has to be found in less than so many seconds, on one core.
pub const BAR_S: f64 = 60.0;

/// Hunts begin with seeds that are so far apart that none comes to those of another.
const APART: u64 = 1_000_000_000;

/// What a hunt gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Hunt {
    /// Runs, that with the finding included.
    pub runs: u64,
    /// Processor time of these runs, in seconds.
    pub seconds: f64,
    /// What was found, and the run made small.
    pub found: Option<(Found, Run)>,
}

impl Hunt {
    /// Hunt number `number`: runs with consecutive seeds until something goes wrong, or the time of [`BAR_S`] is over, or `max_runs` are done.
    pub fn run(laboratory: &Laboratory, observer: &PreparedObserver, number: u64, max_runs: u64) -> Self {
        let clock = Clock::start();
        let mut simulator = Simulator::new(laboratory.subject(), Some(observer));
        let first = Self::first_seed(number);
        for runs in 1..=max_runs.min(APART) {
            let seed = first + runs - 1;
            let summary = simulator.run(seed);
            let unmet = summary.unmet.map(Wrong::Unmet);
            let what = summary.violation.map(Wrong::Property).or(summary.endless.map(Wrong::Endless)).or(unmet);
            let seconds = clock.seconds();
            if let Some(what) = what {
                let found = Found { seed, what, layer: summary.layer };
                let small = laboratory.shrunk(&found, Brevity::Steps);
                return Hunt { runs, seconds, found: Some((found, small)) };
            }
            if seconds >= BAR_S {
                return Hunt { runs, seconds, found: None };
            }
        }
        Hunt { runs: max_runs, seconds: clock.seconds(), found: None }
    }

    /// The seed with which a hunt begins.
    pub fn first_seed(number: u64) -> u64 {
        number * APART
    }
}
