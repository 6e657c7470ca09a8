//! Simulations of a program: many runs, what must hold in each, and what is shown of a run in which it does not.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use menard_lang::Program;
use menard_lang::ir::{FaultKind, Name};
use menard_lang::run::Lift;
use menard_opt::Stage;
use menard_sim::{
    Brevity, CampaignReport, Config, Counting, Descent, Fork, Found, Groups, Guide, MAX_FIRINGS, Prepared,
    PreparedObserver, Refiner,
};
use menard_sim::{Run, Runner, Scope, Simulator, Until, Wrong};
use menard_sim::{campaign, explore, includes, shrink, shrink_unmet, simulate, space_time};
use serde_json::{Map, Value, json};

use crate::campaign::Campaign;
use crate::explored::Explored;
use crate::failure::{Failure, Result};
use crate::ledger::{BUILD, Begun, Ledger};
use crate::output::Output;
use crate::table::grouped;
use crate::text::counted;
use crate::workers::{self, Course};

/// How a campaign is run.
pub struct Study<'a> {
    /// Its runs.
    pub course: Course,
    /// What is counted in them.
    pub counting: Counting,
    /// Whether they are chosen by what earlier ones have reached.
    pub is_guided: bool,
    /// The file in which account is kept, and what decides what the runs give.
    pub ledger: Option<(&'a Path, Map<String, Value>)>,
}

/// A program made ready for simulation, with everything that it is checked against.
pub struct Laboratory {
    /// The original and what each line of the plan made of it; the last one is simulated.
    programs: Vec<Prepared>,
    /// For each line of the plan, how runs after it become schedules of the program before it.
    lifts: Vec<Arc<dyn Lift + Send + Sync>>,
    observer: Option<PreparedObserver>,
}

/// An exhaustive search gives up after so many states: each holds the states of all nodes.
const MAX_STATES: usize = 1_000_000;
/// Of guided runs so many are looked at to tell builds apart: so many rounds, in each of which so many are chosen.
const SAMPLE_ROUNDS: u64 = 4;
const SAMPLE_ROUND: u64 = 8;
/// The requests of an exhaustive search are always the same.
const EXPLORED_SEED: u64 = 0;

impl Laboratory {
    /// Prepares what the stages made of a program. `observer` is made of the properties, if they are to be checked; without
    /// `refinement` only the last program is looked at.
    pub fn new(
        base: &Program,
        stages: &[Stage],
        observer: Option<PreparedObserver>,
        refinement: bool,
        config: Config,
    ) -> Self {
        let all = std::iter::once(base).chain(stages.iter().map(|stage| &stage.program));
        let skipped = if refinement { 0 } else { stages.len() };
        Laboratory {
            programs: all.skip(skipped).map(|program| Prepared::new(program, config.clone())).collect(),
            lifts: stages.iter().skip(skipped).map(|stage| Arc::clone(&stage.lift)).collect(),
            observer,
        }
    }

    /// The program that is simulated.
    pub fn subject(&self) -> &Prepared {
        self.programs.last().expect("the original is always there")
    }

    /// Whether properties are checked.
    pub fn observes(&self) -> bool {
        self.observer.is_some()
    }

    /// Whether nothing can go wrong, since nothing is checked.
    pub fn checks_nothing(&self) -> bool {
        self.observer.is_none() && self.lifts.is_empty()
    }

    /// What the program declares and what is not simulated, in words.
    pub fn left_out(&self, exhaustive: bool) -> Vec<String> {
        let subject = self.subject();
        let unexplored = [(subject.may_restart(), FaultKind::Restart), (subject.may_lie(), FaultKind::Byzantine)];
        let unexplored = unexplored.into_iter().filter(|(is_declared, _)| exhaustive && *is_declared);
        let kinds = subject.faults_not_simulated();
        let kinds = kinds.into_iter().chain(unexplored.map(|(_, kind)| kind));
        let words: Vec<String> = kinds.map(|kind| format!("{kind:?}").to_lowercase()).collect();
        let mut notes = Vec::new();
        if !words.is_empty() {
            notes.push(format!("note: declared, but not simulated: {} faults", words.join(" and ")));
        }
        if exhaustive && subject.has_timers() {
            notes.push(format!("note: timers fire at any time, but only {MAX_FIRINGS} times at each node"));
        }
        if exhaustive && self.observer.as_ref().is_some_and(PreparedObserver::has_goals) {
            notes.push("note: what `eventually` asks for is not looked at in a small scope".to_owned());
        }
        let silent = subject.native_roles().map(|role| format!("`{role}`")).collect::<Vec<_>>();
        if !silent.is_empty() {
            let silent = silent.join(" and ");
            notes.push(format!(
                "note: nodes of {silent} are native, and do nothing here: a program that embeds the simulator has them"
            ));
        }
        notes
    }

    /// What of a descent decides nothing, in words: a place at the very end of the run. A run that ends before such a place is another one than is named.
    pub fn beyond(&self, descent: &Descent) -> Result<Option<String>> {
        let Some(Fork { place, seed }) = descent.forks.last() else { return Ok(None) };
        let ends = Simulator::new(self.subject(), self.observer.as_ref()).run(descent).happenings;
        match place.cmp(&ends) {
            Ordering::Less => Ok(None),
            Ordering::Equal => Ok(Some(format!(
                "note: the run {descent} ends at place {ends}, so nothing is left for seed {seed} to decide from there on"
            ))),
            Ordering::Greater => {
                let message = format!("there is no run {descent} here: before place {place} it ends, at place {ends}");
                let help = "give all options with which this run was found, such as --plan, --set, --requests and --fault, and take the same build of menard";
                Err(Failure::environment(message, help))
            }
        }
    }

    /// What is checked in each run, in words.
    pub fn checks(&self) -> String {
        let is_observed = |what: fn(&PreparedObserver) -> bool| self.observer.as_ref().is_some_and(what);
        let refinement = |lifts| format!("refinement, through {}", counted(lifts, "rewrite", "rewrites"));
        let checks = [
            is_observed(PreparedObserver::has_rules).then(|| "properties".to_owned()),
            is_observed(PreparedObserver::has_operations).then(|| "linearizability".to_owned()),
            (!self.lifts.is_empty()).then(|| refinement(self.lifts.len())),
        ];
        let checks: Vec<String> = checks.into_iter().flatten().collect();
        if checks.is_empty() { "nothing".to_owned() } else { checks.join("; ") }
    }

    /// What a campaign could not check, in words.
    pub fn unchecked(&self, campaign: &Campaign) -> Vec<String> {
        let notes = [self.unnoticed(campaign), self.not_asked(campaign), undecided(campaign), unsettled(campaign)];
        notes.into_iter().flatten().collect()
    }

    /// What properties ask for in the end shows in runs that come to rest only.
    fn not_asked(&self, campaign: &Campaign) -> Option<String> {
        let asked = self.observer.as_ref().is_some_and(PreparedObserver::has_goals);
        let (runs, restless) = (campaign.report.runs, campaign.report.restless_runs);
        let text = || {
            let (runs, restless) = (grouped(runs), grouped(restless));
            format!(
                "note: {restless} of {runs} runs took too many steps to come to rest: what `eventually` asks for was not looked for in them"
            )
        };
        (asked && restless > 0).then(text)
    }

    /// Where messages are late, those that never come show in drained runs only.
    fn unnoticed(&self, campaign: &Campaign) -> Option<String> {
        let late = self.late();
        let drained = campaign.report.drained_runs;
        (drained == 0 && !late.is_empty()).then(|| {
            let names: Vec<String> = late.iter().map(|name| format!("`{name}`")).collect();
            let runs = campaign.report.runs;
            format!("note: drained runs: 0 of {runs}, so messages on {} that never come go unnoticed", names.join(", "))
        })
    }

    /// The channels on which a rewrite lets messages be sent later.
    fn late(&self) -> BTreeSet<Name> {
        self.lifts.iter().flat_map(|lift| lift.inexact().into_iter().chain(lift.late())).collect()
    }

    /// Simulates runs with consecutive seeds, or goes on with those of a ledger.
    pub fn campaign(&self, study: &Study<'_>, name: &str, output: Output) -> Result<Campaign> {
        let start = Instant::now();
        let (mut ledger, begun) = self.open_ledger(study)?;
        let before_s = begun.as_ref().map_or(0.0, |begun| begun.seconds);
        let seconds = || before_s + start.elapsed().as_secs_f64();
        let begun = begun.map(|begun| self.recalled(begun, study)).transpose()?.unwrap_or_default();
        let again = if study.is_guided { workers::made_again(&study.course, begun.runs) } else { 0 };
        if again > 0 {
            let again = grouped(again);
            output.complain(format!(
                "note: {again} runs are made again first: what they have reached guides the next ones"
            ));
        }
        let bar = output.progress(study.course.runs, &format!("simulating {name}"));
        let mut after = |report: &CampaignReport| {
            bar.set_position(report.runs);
            ledger.as_mut().map_or(Ok(()), |ledger| ledger.keep(report, seconds()))
        };
        let report = match study.is_guided {
            true => workers::run_guided(&study.course, begun, &|| self.scout(study.counting), &mut after),
            false => workers::run(&study.course, begun, &|| self.runner(study.counting), &mut after),
        };
        bar.finish_and_clear();
        let campaign = Campaign { report: report?, seconds: seconds() };
        if let Some(ledger) = &mut ledger {
            ledger.save(&campaign.report, campaign.seconds)?;
        }
        Ok(campaign)
    }

    /// Makes runs, one after another, and counts this in them.
    pub fn runner(&self, counting: Counting) -> Runner<'_> {
        Runner::new(self.subject(), self.observer.as_ref(), &self.stages()).counting(counting)
    }

    /// Makes runs, and notes what they reach.
    pub fn scout(&self, counting: Counting) -> Runner<'_> {
        self.runner(counting).scouting(self.observer.as_ref())
    }

    /// The ledger of a study, if it has one, and what was done before.
    fn open_ledger(&self, study: &Study<'_>) -> Result<(Option<Ledger>, Option<Begun>)> {
        let Some((path, about)) = &study.ledger else { return Ok((None, None)) };
        let mut about = about.clone();
        about.insert(BUILD.to_owned(), json!(self.build(study)));
        let (ledger, begun) = Ledger::open(path, about)?;
        let done = begun.as_ref().map_or(0, |begun| begun.report.runs);
        if done > study.course.runs {
            let message = format!("{} has {} runs already", path.display(), grouped(done));
            return Err(Failure::environment(message, format!("ask for --runs {done} or more, or name another file")));
        }
        Ok((Some(ledger), begun))
    }

    /// Tells builds apart. Whatever else differs between two of them, what they make of a seed must not, nor how they choose guided runs.
    fn build(&self, study: &Study<'_>) -> String {
        let first = &study.course.first;
        if !study.is_guided {
            return format!("{:016x}", simulate(self.subject(), None, first).hash);
        }
        let (mut guide, mut runner, mut report) =
            (Guide::new(first.seed), self.scout(Counting::Nothing), CampaignReport::default());
        for _ in 0..SAMPLE_ROUNDS {
            let (of_round, reached) = runner.run_each(guide.choose(SAMPLE_ROUND), Until::Done);
            report.merge(of_round);
            guide.learn(&reached);
        }
        format!("{:016x}, {} of {}", report.hash, workers::ROUND, Guide::RUNS)
    }

    /// What was done before, with what went wrong, which the runs show again.
    fn recalled(&self, begun: Begun, study: &Study<'_>) -> Result<CampaignReport> {
        let mut report = begun.report;
        for descent in begun.wrong {
            let again = self.runner(study.counting).run(&descent, 1, Until::Done, &mut |_| {});
            let found = again.violations.into_iter().next().ok_or_else(|| {
                let message = format!("by the ledger something is wrong with seed {descent}, but nothing is");
                Failure::environment(message, "the ledger was written by another build: name another file")
            })?;
            report.violations.push(found);
        }
        Ok(report)
    }

    /// Visits everything that can happen in a small scope.
    pub fn explore(&self, name: &str, output: Output) -> Explored {
        let requests = self.subject().sample_requests(self.subject().config().requests, EXPLORED_SEED);
        let scope = Scope { requests, groups: Groups::All, max_states: MAX_STATES };
        let bar = output.spinner(&format!("exploring {name}"));
        let exploration = explore(self.subject(), self.observer.as_ref(), &scope);
        let refiner = Refiner::of(self.subject(), &self.stages());
        let original = self.programs.first().filter(|_| !self.lifts.is_empty());
        let inclusion = original.map(|original| includes(original, self.subject(), refiner.copied(), &scope));
        bar.finish_and_clear();
        Explored::new(name, self.subject().names(), &scope, &exploration, inclusion.as_ref())
    }

    /// The rewrites, last first, as the checker of refinement wants them.
    fn stages(&self) -> Vec<menard_sim::Stage<'_>> {
        let pairs = self.programs.iter().zip(&self.lifts).rev();
        pairs.map(|(original, lift)| menard_sim::Stage { original, lift: lift.as_ref() }).collect()
    }

    /// A run in which something went wrong, made small, as a person can follow it.
    pub fn show(&self, found: &Found) -> String {
        self.draw(found, &self.shrunk(found, Brevity::Messages))
    }

    /// A run in which something went wrong, made small before, as a person can follow it.
    pub fn draw(&self, found: &Found, run: &Run) -> String {
        let (trace, hidden) = run.shown();
        let mut text = space_time(self.subject().names(), &trace, run.violation.as_ref());
        if hidden > 0 {
            text.push_str(&format!("   ⋮  {hidden} more rounds\n"));
        }
        match &found.what {
            Wrong::Property(_) => {}
            Wrong::Unmet(_) => {
                let told = self.never(run);
                text.push_str(&told.map(|told| format!("   ✗  {told}\n")).unwrap_or_default());
            }
            Wrong::Endless(_) => {
                let node = run.endless.as_ref().map(|node| self.subject().names().address(node)).unwrap_or_default();
                text.push_str(&format!("\n{node} never settles: its follow-up steps do not end\n"));
            }
            Wrong::Refinement(_) => {
                let mismatch = Refiner::of(self.subject(), &self.stages()).check(&run.trace).err();
                text.push_str(&mismatch.map(|mismatch| format!("\n{mismatch}\n")).unwrap_or_default());
            }
        }
        text
    }

    /// What properties ask for and what never comes in a run, in words.
    pub fn never(&self, run: &Run) -> Option<String> {
        let (observer, unmet) = (self.observer.as_ref()?, run.unmet.as_ref()?);
        Some(observer.tell(unmet, self.subject().names()))
    }

    /// The run with this seed as it is shown: made small if something is wrong in it.
    pub fn run(&self, descent: &Descent) -> Run {
        let report = campaign(self.subject(), self.observer.as_ref(), &self.stages(), 1, descent, &mut |_| {});
        match report.violations.first() {
            Some(found) => self.shrunk(found, Brevity::Messages),
            None => simulate(self.subject(), self.observer.as_ref(), descent),
        }
    }

    /// A run in which something went wrong, made small.
    pub fn shrunk(&self, found: &Found, brevity: Brevity) -> Run {
        let (subject, observer) = (self.subject(), self.observer.as_ref());
        let run = simulate(subject, observer, &found.descent);
        match &found.what {
            Wrong::Property(violation) => {
                let rule = violation.rule;
                let mut keeps = |run: &Run| run.violation.as_ref().is_some_and(|violation| violation.rule == rule);
                shrink(subject, observer, &run.trace, brevity, &mut keeps)
            }
            Wrong::Unmet(unmet) => match observer {
                Some(observer) => shrink_unmet(subject, observer, &run, brevity, unmet.goal),
                None => run,
            },
            Wrong::Endless(_) => shrink(subject, observer, &run.trace, brevity, &mut |run| run.endless.is_some()),
            Wrong::Refinement(_) => {
                let mut refiner = Refiner::of(self.subject(), &self.stages());
                shrink(subject, observer, &run.trace, brevity, &mut |run| refiner.check(&run.trace).is_err())
            }
        }
    }
}

/// Histories of clients in which there are too many orders.
fn undecided(campaign: &Campaign) -> Option<String> {
    let (runs, undecided) = (grouped(campaign.report.runs), campaign.report.undecided_runs);
    let text = || {
        let undecided = grouped(undecided);
        format!(
            "note: {undecided} of {runs} runs have too many operations at once to know whether they are linearizable"
        )
    };
    (undecided > 0).then(text)
}

/// Runs that were not compared with the original's.
fn unsettled(campaign: &Campaign) -> Option<String> {
    let (runs, unsettled) = (campaign.report.runs, campaign.report.unsettled_runs);
    let text = || {
        let (runs, unsettled) = (grouped(runs), grouped(unsettled));
        format!("note: in {unsettled} of {runs} runs a node of the original does not settle: refinement is not claimed")
    };
    (unsettled > 0).then(text)
}
