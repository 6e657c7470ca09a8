//! The hunt for a bug: runs, chosen by what earlier ones have reached, until something goes wrong, which is made small.

use menard_sim::{Brevity, CampaignReport, Counting, Found, Guide, Run, Until};

use crate::board::clock::Clock;
use crate::laboratory::Laboratory;

/// A bug has to be found in less than so many seconds, on one core.
pub const BAR_S: f64 = 60.0;

/// A finding made small may have so many steps of the protocol, where the literature does not need more.
pub const MAX_STEPS: usize = 12;

/// Hunts begin with seeds that are so far apart that none comes to those of another.
const APART: u64 = 1_000_000_000;

/// The clock is looked at after so many runs, and what they have reached is taken in.
const ROUND: u64 = 16;

/// What a hunt gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Hunt {
    /// Runs, that with the finding included.
    pub runs: u64,
    /// Processor time of these runs, in seconds.
    pub seconds: f64,
    /// What the runs did in which nothing went wrong.
    pub silent: CampaignReport,
    /// What was found, and the run made small.
    pub found: Option<(Found, Run)>,
}

impl Hunt {
    /// Hunt number `number`: guided runs until something goes wrong, or the time of [`BAR_S`] is over, or `max_runs` are done.
    pub fn run(laboratory: &Laboratory, number: u64, max_runs: u64) -> Self {
        let clock = Clock::start();
        let mut runner = laboratory.scout(Counting::Rules);
        let mut guide = Guide::new(Self::first_seed(number));
        let (mut runs, max_runs) = (0, max_runs.min(APART));
        let mut silent = CampaignReport::default();
        while runs < max_runs {
            let (report, reached) = runner.run_each(guide.choose(ROUND.min(max_runs - runs)), Until::Wrong);
            runs += report.runs;
            let seconds = clock.seconds();
            if let Some(found) = report.violations.first().cloned() {
                let small = laboratory.shrunk(&found, Brevity::Steps);
                return Hunt { runs, seconds, silent, found: Some((found, small)) };
            }
            silent.merge(report);
            if seconds >= BAR_S {
                break;
            }
            guide.learn(&reached);
        }
        Hunt { runs, seconds: clock.seconds(), silent, found: None }
    }

    /// The seed with which a hunt begins.
    pub fn first_seed(number: u64) -> u64 {
        number * APART
    }
}
