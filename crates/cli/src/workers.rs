//! Campaigns and hunts on several threads: the only threads around the simulator, which has none itself.
//!
//! Seeds are dealt out in parts. A run is its seed, whoever makes it, and reports of parts are put together in the order of the seeds: so
//! the report does not depend on the number of threads, nor does where a campaign ends that ends early.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::{Builder, scope};

use menard_sim::{CampaignReport, Descent, Guide, Runner, Until};

use crate::failure::{Failure, Result};

/// A part has at most so many runs: few enough that progress is seen, and that little is lost with a campaign that is killed.
const MAX_PART: u64 = 32;
/// And each thread gets so many parts at least, if there are so many runs: some parts take longer than others.
const MIN_PARTS: u64 = 4;
/// Guided runs are chosen so many at a time.
pub const ROUND: u64 = 256;
/// And made so many at a time.
const GUIDED_PART: usize = 16;
/// What the main thread has on most systems.
const STACK_BYTES: usize = 8 << 20;

/// The runs of a campaign.
#[derive(Clone, Debug)]
pub struct Course {
    /// The first run; the others have the seeds after its.
    pub first: Descent,
    /// How many.
    pub runs: u64,
    /// Whether it ends at the first run in which something goes wrong.
    pub until: Until,
    /// On how many threads.
    pub jobs: usize,
}

/// Goes on with a campaign of which `report` tells what was done before. Calls `after` with what is done by then again and again, also at the end.
pub fn run<'a>(
    course: &Course,
    mut report: CampaignReport,
    runner: &(dyn Fn() -> Runner<'a> + Sync),
    after: &mut dyn FnMut(&CampaignReport) -> Result<()>,
) -> Result<CampaignReport> {
    let parts = Parts::new(course, report.runs);
    let ends = |report: &CampaignReport| course.until == Until::Wrong && report.wrong_runs > 0;
    if ends(&report) {
        return Ok(report);
    }
    let work = |runner: &mut Runner<'a>, part: u64| {
        let (first, runs) = parts.part(part);
        runner.run(course.first.later(first), runs, course.until, &mut |_| {})
    };
    in_order(course.jobs, parts.count(), runner, &work, &mut |of_part| {
        report.merge(of_part);
        after(&report)?;
        Ok(if ends(&report) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(report)
}

/// Goes on with a campaign of runs that are chosen by what earlier ones have reached: it is taken in after each round, in the order in which runs were
/// chosen, so that the report does not depend on the number of threads. It does not depend on interruptions either: of what was done before,
/// the runs [that are made again](made_again) are chosen and learned from as they were, and not counted.
pub fn run_guided<'a>(
    course: &Course,
    mut report: CampaignReport,
    runner: &(dyn Fn() -> Runner<'a> + Sync),
    after: &mut dyn FnMut(&CampaignReport) -> Result<()>,
) -> Result<CampaignReport> {
    let mut made = report.runs - made_again(course, report.runs);
    let mut guide = Guide::new(course.first.seed.wrapping_add(made));
    let ends = |report: &CampaignReport| course.until == Until::Wrong && report.wrong_runs > 0;
    while report.runs < course.runs && !ends(&report) {
        let descents = guide.choose(ROUND);
        let split = |at: u64| usize::try_from(at).map_or(descents.len(), |at| at.min(descents.len()));
        let (again, wanted) = (split(report.runs - made), split(course.runs - made));
        let parts =
            |of: std::ops::Range<usize>, is_new: bool| descents[of].chunks(GUIDED_PART).map(move |part| (is_new, part));
        let parts: Vec<(bool, &[Descent])> = parts(0..again, false).chain(parts(again..wanted, true)).collect();
        let work = |runner: &mut Runner<'a>, part: u64| {
            let (is_new, part) = parts[usize::try_from(part).expect("parts are counted by usize")];
            (is_new, runner.run_each(part.to_vec(), course.until))
        };
        in_order(course.jobs, parts.len() as u64, runner, &work, &mut |(is_new, (of_part, reached))| {
            guide.learn(&reached);
            if is_new {
                report.merge(of_part);
                after(&report)?;
            }
            Ok(if ends(&report) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        made += descents.len() as u64;
    }
    Ok(report)
}

/// How many of so many guided runs that are done have to be made again before a campaign can go on: those since the guide began to learn anew. What it has
/// learned from them is written down nowhere.
pub fn made_again(course: &Course, done: u64) -> u64 {
    if done < course.runs { done % Guide::RUNS } else { 0 }
}

/// Does pieces of work, numbered from 0, on so many threads, each with a worker of its own. Calls `after` with what they give, in the order of their
/// numbers, until it breaks: so what it sees does not depend on the number of threads.
pub fn in_order<W, T: Send>(
    jobs: usize,
    pieces: u64,
    worker: &(dyn Fn() -> W + Sync),
    work: &(dyn Fn(&mut W, u64) -> T + Sync),
    after: &mut dyn FnMut(T) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let next = || match is_over.load(Ordering::Relaxed) {
        true => None,
        false => Some(next.fetch_add(1, Ordering::Relaxed)).filter(|piece| *piece < pieces),
    };
    scope(|threads| {
        let (sender, done) = channel();
        for _ in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            let until_none_is_left = move || {
                let mut worker = worker();
                while let Some(piece) = next() {
                    if sender.send((piece, work(&mut worker, piece))).is_err() {
                        return;
                    }
                }
            };
            let spawned = Builder::new().stack_size(STACK_BYTES).spawn_scoped(threads, until_none_is_left);
            spawned.map_err(|error| Failure::environment(format!("no thread: {error}"), "take fewer --jobs"))?;
        }
        drop(sender);
        let (mut waiting, mut first) = (BTreeMap::new(), 0);
        for (piece, given) in done {
            waiting.insert(piece, given);
            while let Some(given) = waiting.remove(&first) {
                first += 1;
                let goes_on = after(given);
                if !matches!(goes_on, Ok(ControlFlow::Continue(()))) {
                    is_over.store(true, Ordering::Relaxed);
                    return goes_on.map(|_| ());
                }
            }
        }
        Ok(())
    })
}

/// The runs of a campaign in parts.
struct Parts {
    /// The first run, counted from 0.
    first: u64,
    end: u64,
    size: u64,
}

impl Parts {
    fn new(course: &Course, first: u64) -> Self {
        let runs = course.runs.saturating_sub(first);
        let size = (runs / (course.jobs as u64 * MIN_PARTS)).clamp(1, MAX_PART);
        Parts { first, end: course.runs.max(first), size }
    }

    fn count(&self) -> u64 {
        (self.end - self.first).div_ceil(self.size)
    }

    /// The first run of a part, and how many it has.
    fn part(&self, part: u64) -> (u64, u64) {
        let first = self.first + part * self.size;
        (first, self.size.min(self.end - first))
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::{Source, compile, properties};
    use menard_sim::{Config, Counting, Prepared, PreparedObserver};

    use super::*;

    /// Voting that replies one vote too early.
    fn hasty() -> (Prepared, PreparedObserver) {
        let text = include_str!("../../../protocols/voting/voting.ded");
        let hasty = text.replace(":~ new votes(c, id, participants)", ":~ new votes(c, id, participants - 1)");
        let program = compile(&Source::new("voting.ded", hasty), &[]).expect("it compiles").program;
        let told = include_str!("../../../protocols/voting/properties.ded");
        let observer = properties::compile(&Source::new("properties.ded", told), &program).expect("they compile");
        (Prepared::new(&program, Config::default()), PreparedObserver::new(&observer))
    }

    fn campaign(jobs: usize, until: Until, begun: u64) -> CampaignReport {
        let (prepared, observer) = hasty();
        let runner = || Runner::new(&prepared, Some(&observer), &[]).counting(Counting::RulesAndStates);
        let course = Course { first: Descent::from(100), runs: 150, until, jobs };
        let begun = runner().run(100, begun, Until::Done, &mut |_| {});
        run(&course, begun, &runner, &mut |_| Ok(())).expect("threads can be had")
    }

    #[test]
    fn reports_do_not_depend_on_threads_and_interruptions() {
        let all = campaign(1, Until::Done, 0);
        assert!(all.runs == 150 && all.wrong_runs > 10 && all.coverage.rules.len() == 2, "{all:?}");
        assert_eq!(all, campaign(3, Until::Done, 0));
        assert_eq!(all, campaign(2, Until::Done, 61));
        let first = campaign(1, Until::Wrong, 0);
        assert_eq!((first.wrong_runs, first.violations.as_slice()), (1, &all.violations[..1]));
        assert_eq!(first.runs, first.violations[0].descent.seed - 99);
        assert_eq!(first, campaign(3, Until::Wrong, 0));
    }

    /// Guided runs until there are so many, after what was done before. Gives all reports on the way, too.
    fn guided(jobs: usize, until: Until, begun: CampaignReport, runs: u64) -> (CampaignReport, Vec<CampaignReport>) {
        let (prepared, observer) = hasty();
        let runner = || {
            let runner = Runner::new(&prepared, Some(&observer), &[]).counting(Counting::RulesAndStates);
            runner.scouting(Some(&observer))
        };
        let course = Course { first: Descent::from(100), runs, until, jobs };
        let mut on_the_way = Vec::new();
        let mut after = |report: &CampaignReport| {
            on_the_way.push(report.clone());
            Ok(())
        };
        let report = run_guided(&course, begun, &runner, &mut after).expect("threads can be had");
        (report, on_the_way)
    }

    #[test]
    fn guided_reports_do_not_depend_on_threads() {
        let guided = |jobs, until| guided(jobs, until, CampaignReport::default(), 600).0;
        let all = guided(1, Until::Done);
        assert!(all.runs == 600 && all.wrong_runs > 10, "{all:?}");
        assert_eq!(all, guided(3, Until::Done));
        let first = guided(1, Until::Wrong);
        assert_eq!((first.wrong_runs, first.violations.as_slice()), (1, &all.violations[..1]));
        assert_eq!(first, guided(3, Until::Wrong));
    }

    #[test]
    fn guided_reports_do_not_depend_on_interruptions() {
        let (all, on_the_way) = guided(1, Until::Done, CampaignReport::default(), 1_000);
        assert!(on_the_way.len() > 60 && on_the_way.is_sorted_by_key(|report| report.runs));
        // Within a round and between two, where a report is written that is not the last one, and where a campaign was done that had fewer runs.
        for (report, jobs) in [(&on_the_way[0], 1), (&on_the_way[15], 2), (&on_the_way[40], 3), (&all, 1)] {
            assert_eq!(all, guided(jobs, Until::Done, report.clone(), 1_000).0, "from {} runs on", report.runs);
        }
        let (some, _) = guided(2, Until::Done, CampaignReport::default(), 337);
        assert_eq!(all, guided(1, Until::Done, some, 1_000).0);
    }

    #[test]
    fn runs_are_made_again_from_where_the_guide_began_to_learn_anew() {
        let course = |runs| Course { first: Descent::from(0), runs, until: Until::Done, jobs: 1 };
        let (all, on_the_way) = guided(2, Until::Done, CampaignReport::default(), Guide::RUNS + 700);
        assert_eq!(made_again(&course(all.runs), all.runs), 0);
        assert_eq!(made_again(&course(all.runs + 1), all.runs), 700);
        let anew = on_the_way.iter().filter(|report| report.runs >= Guide::RUNS);
        for report in anew.step_by(13) {
            assert_eq!(made_again(&course(all.runs), report.runs), report.runs - Guide::RUNS);
            let (again, more) = guided(2, Until::Done, report.clone(), all.runs);
            assert!(again == all && more.len() as u64 <= 44, "from {} runs on", report.runs);
        }
    }

    #[test]
    fn what_goes_wrong_with_a_report_ends_the_campaign() {
        let (prepared, observer) = hasty();
        let runner = || Runner::new(&prepared, Some(&observer), &[]);
        let course = Course { first: Descent::from(0), runs: 1_000_000_000, until: Until::Done, jobs: 2 };
        let mut full = |_: &CampaignReport| Err(Failure::environment("the disk is full", "make room"));
        assert!(run(&course, CampaignReport::default(), &runner, &mut full).is_err());
    }
}
