//! Many runs: properties and refinement checked in each, what goes wrong collected.
//!
//! A [`Runner`] makes runs with consecutive seeds. Reports of parts of a campaign make the report of the whole, so parts can be run elsewhere, at
//! the same time, or later: the report does not depend on that.

use std::collections::BTreeMap;

use menard_lang::ir::Name;
use menard_lang::run::Address;

use crate::adversary::Layer;
use crate::coverage::{Counting, Coverage};
use crate::descent::Descent;
use crate::guide::Reached;
use crate::observe::{PreparedObserver, Unmet, Violation};
use crate::prepared::Prepared;
use crate::random::mix;
use crate::refine::{Difference, Mismatch, Refiner, Stage, is_partly_corrupt};
use crate::replay::Obstacle;
use crate::simulate::{Simulator, Summary};

/// Findings that a report keeps; after that they are only counted.
const MAX_FOUND: usize = 10;

/// Something that went wrong in a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Where the run comes from that shows it again.
    pub descent: Descent,
    /// What went wrong.
    pub what: Wrong,
    /// How corrupt nodes lied in that run, if there were any.
    pub layer: Option<Layer>,
}

/// What can go wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Wrong {
    /// A property is violated.
    Property(Violation),
    /// What properties ask for in the end never comes.
    Unmet(Unmet),
    /// The follow-ups of this node do not end.
    Endless(Address),
    /// The original cannot do what the rewritten program did.
    Refinement(Box<Mismatch>),
}

/// What many runs did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CampaignReport {
    /// Runs.
    pub runs: u64,
    /// Runs in which something went wrong.
    pub wrong_runs: u64,
    /// The first few things that went wrong.
    pub violations: Vec<Found>,
    /// Runs at whose end nothing was left to happen but that timers fire.
    pub drained_runs: u64,
    /// Runs that came to rest: in these, what has to be there in the end was asked for.
    pub rested_runs: u64,
    /// Runs in which nothing went wrong before the limit of steps, and that did not come to rest until then.
    pub restless_runs: u64,
    /// Runs in which the search for an order of the operations of clients was given up.
    pub undecided_runs: u64,
    /// Runs that were not compared with the original's, since a node of the original does not settle in them.
    pub unsettled_runs: u64,
    /// Steps of physical nodes.
    pub steps: u64,
    /// Messages sent by nodes of the program.
    pub messages: u64,
    /// Messages sent by external nodes.
    pub requests: u64,
    /// Messages delivered to external nodes.
    pub replies: u64,
    /// Messages that corrupt nodes sent.
    pub forged: u64,
    /// The time that passed in runs whose timers fire when they say, in microseconds.
    pub simulated_us: u64,
    /// Runs with corrupt nodes, by how they lied.
    pub layers: BTreeMap<&'static str, u64>,
    /// Messages lost.
    pub lost: u64,
    /// Crashes and restarts.
    pub blows: u64,
    /// Messages by channel; a channel at 0 says that runs do not reach what it is for.
    pub channels: BTreeMap<Name, u64>,
    /// What the runs reached, as far as it was counted.
    pub coverage: Coverage,
    /// A hash over the hashes of all runs.
    pub hash: u64,
}

/// Runs the seed `first` and those after it. Calls `progress` with the number of runs done after each. `stages` are those of the plan
/// that made the program, from the last rewrite to the first; none for an original.
pub fn campaign(
    prepared: &Prepared,
    observer: Option<&PreparedObserver>,
    stages: &[Stage<'_>],
    runs: u64,
    first: impl Into<Descent>,
    progress: &mut dyn FnMut(u64),
) -> CampaignReport {
    Runner::new(prepared, observer, stages).run(first, runs, Until::Done, progress)
}

/// When the runs of a campaign end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// When all are done.
    Done,
    /// At the latest after the first in which something goes wrong.
    Wrong,
}

/// Makes runs of a program, one after another, in the same memory.
pub struct Runner<'a> {
    simulator: Simulator<'a>,
    refiner: Option<Refiner<'a>>,
    counting: Counting,
    /// The names of the channels.
    channels: Vec<Name>,
    /// Memory for what one run reached.
    sent: Vec<u64>,
    fired: Vec<Vec<u64>>,
}

impl<'a> Runner<'a> {
    /// Runs of this program, checked against these properties and, if there are stages, against the original.
    pub fn new(prepared: &'a Prepared, observer: Option<&'a PreparedObserver>, stages: &[Stage<'a>]) -> Self {
        let channels: Vec<Name> = prepared.channels.iter().map(|channel| channel.name.clone()).collect();
        Runner {
            simulator: Simulator::new(prepared, observer),
            refiner: (!stages.is_empty()).then(|| Refiner::of(prepared, stages)),
            counting: Counting::Nothing,
            sent: vec![0; channels.len()],
            channels,
            fired: Vec::new(),
        }
    }

    /// The same, and this is counted.
    #[must_use]
    pub fn counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        if counting != Counting::Nothing {
            self.fired = self.simulator.count_firings();
        }
        if counting == Counting::RulesAndStates {
            self.simulator.sample_states();
        }
        self
    }

    /// The same, and what runs reach is noted.
    #[must_use]
    pub fn scouting(mut self, observer: Option<&'a PreparedObserver>) -> Self {
        self.simulator.send_scout(observer);
        self
    }

    /// Runs so many seeds from the first one on. Calls `progress` with the number of runs done after each.
    pub fn run(
        &mut self,
        first: impl Into<Descent>,
        runs: u64,
        until: Until,
        progress: &mut dyn FnMut(u64),
    ) -> CampaignReport {
        let (first, mut done) = (first.into(), 0);
        let mut after = |_: &Descent, _: &Simulator<'_>| {
            done += 1;
            progress(done);
        };
        self.run_all((0..runs).map(|run| first.later(run)), until, &mut after)
    }

    /// Makes these runs. Gives what they have reached, too, if that is noted.
    pub fn run_each(&mut self, descents: Vec<Descent>, until: Until) -> (CampaignReport, Vec<Reached>) {
        let mut reached = Vec::new();
        let mut after = |descent: &Descent, simulator: &Simulator<'_>| {
            reached.push(Reached { descent: descent.clone(), milestones: simulator.milestones().to_vec() });
        };
        let report = self.run_all(descents, until, &mut after);
        (report, reached)
    }

    fn run_all(
        &mut self,
        descents: impl IntoIterator<Item = Descent>,
        until: Until,
        after: &mut dyn FnMut(&Descent, &Simulator<'_>),
    ) -> CampaignReport {
        let mut report = CampaignReport::default();
        self.sent.fill(0);
        for descent in descents {
            self.run_one(&descent, &mut report);
            after(&descent, &self.simulator);
            if until == Until::Wrong && report.wrong_runs > 0 {
                break;
            }
        }
        report.channels = self.channels.iter().cloned().zip(self.sent.iter().copied()).collect();
        report.coverage.states = self.simulator.take_states();
        report
    }

    fn run_one(&mut self, descent: &Descent, report: &mut CampaignReport) {
        let summary = self.simulator.run(descent);
        let (was_cut_off, layer) = (report.add(descent, &summary), summary.layer);
        self.simulator.count_messages(&mut self.sent);
        let unmet = summary.unmet.map(Wrong::Unmet);
        let what = summary.violation.map(Wrong::Property).or(summary.endless.map(Wrong::Endless)).or(unmet);
        // Neither run nor original need go on where a node does not settle, so refinement is not claimed there.
        let what = match (what, &mut self.refiner) {
            (None, Some(refiner)) => match compare(&mut self.simulator, refiner, was_cut_off) {
                Compared::Refines => None,
                Compared::Unsettled => {
                    report.unsettled_runs += 1;
                    None
                }
                Compared::Differs(mismatch) => Some(Wrong::Refinement(mismatch)),
            },
            (what, _) => what,
        };
        if let Some(what) = what {
            report.wrong_runs += 1;
            if report.violations.len() < MAX_FOUND {
                report.violations.push(Found { descent: descent.clone(), what, layer });
            }
        }
        if self.counting != Counting::Nothing {
            self.fired.iter_mut().for_each(|rules| rules.fill(0));
            self.simulator.take_firings(&mut self.fired);
            report.coverage.add_run(&self.fired);
        }
    }
}

/// How a run compares with the original's.
enum Compared {
    /// The original can do the same.
    Refines,
    /// A node of the original does not settle: nothing is claimed.
    Unsettled,
    /// The original cannot do the same.
    Differs(Box<Mismatch>),
}

/// What is wrong with the last run if the original is to do the same.
fn compare(simulator: &mut Simulator<'_>, refiner: &mut Refiner<'_>, was_cut_off: bool) -> Compared {
    let mut check =
        |simulator: &Simulator<'_>| refiner.check(&simulator.trace()).map(|stats| stats.at_rest).map_err(Compared::of);
    match check(simulator) {
        // The original is done. Then the rewritten program has to get there, too, once nothing stands in its way.
        Ok(true) if was_cut_off => {}
        Ok(_) => return Compared::Refines,
        Err(compared) => return compared,
    }
    let rests = simulator.come_to_rest();
    match check(simulator) {
        _ if simulator.is_over() => Compared::Refines,
        // Timers that set timers may go on for ever in both, and are nothing left to do in either.
        // So may an honest machine of a corrupt node with whoever answers it: the corrupt node of the original could say as much, and need not.
        Ok(true) if !rests && !simulator.is_drained() && !is_partly_corrupt(&simulator.trace()) => {
            Compared::Differs(refiner.restless())
        }
        Ok(_) => Compared::Refines,
        Err(compared) => compared,
    }
}

impl Compared {
    /// A node that does not settle has failed. It may do so in the original alone: what it takes there may have been lost in the rewritten
    /// program on the way between two parts.
    fn of(mismatch: Box<Mismatch>) -> Self {
        match mismatch.difference {
            Difference::Blocked(Obstacle::Endless) => Compared::Unsettled,
            _ => Compared::Differs(mismatch),
        }
    }
}

impl CampaignReport {
    /// Adds the report of the runs that come after these.
    pub fn merge(&mut self, later: CampaignReport) {
        self.runs += later.runs;
        self.wrong_runs += later.wrong_runs;
        self.violations.extend(later.violations);
        self.violations.truncate(MAX_FOUND);
        self.drained_runs += later.drained_runs;
        self.rested_runs += later.rested_runs;
        self.restless_runs += later.restless_runs;
        self.undecided_runs += later.undecided_runs;
        self.unsettled_runs += later.unsettled_runs;
        self.steps += later.steps;
        self.messages += later.messages;
        self.requests += later.requests;
        self.replies += later.replies;
        self.forged += later.forged;
        self.simulated_us += later.simulated_us;
        for (name, runs) in later.layers {
            *self.layers.entry(name).or_default() += runs;
        }
        self.lost += later.lost;
        self.blows += later.blows;
        for (name, count) in later.channels {
            *self.channels.entry(name).or_default() += count;
        }
        self.coverage.merge(&later.coverage);
        self.hash = self.hash.wrapping_add(later.hash);
    }

    /// Adds a run; whether the limit of steps ended it.
    fn add(&mut self, descent: &Descent, summary: &Summary) -> bool {
        let stats = summary.stats;
        self.runs += 1;
        self.drained_runs += u64::from(summary.drained);
        self.rested_runs += u64::from(summary.came_to_rest);
        let was_cut_off = !summary.came_to_rest && summary.violation.is_none() && summary.endless.is_none();
        self.restless_runs += u64::from(was_cut_off);
        self.undecided_runs += u64::from(summary.undecided);
        self.steps += u64::from(stats.steps);
        self.messages += u64::from(stats.messages);
        self.requests += u64::from(stats.requests);
        self.replies += u64::from(stats.replies);
        self.forged += u64::from(stats.forged);
        self.simulated_us += summary.simulated_us;
        if let Some(layer) = summary.layer {
            *self.layers.entry(layer.name()).or_default() += 1;
        }
        self.lost += u64::from(stats.lost);
        self.blows += u64::from(stats.crashes) + u64::from(stats.restarts);
        // A sum, so that parts of a campaign have hashes that make the hash of the whole.
        self.hash = self.hash.wrapping_add(mix(descent.digest() ^ summary.hash));
        was_cut_off
    }
}
