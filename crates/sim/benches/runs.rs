//! Simulated runs a second on one core: `cargo bench -p menard-sim`. Voting with 3 participants and 10 requests; medians of repetitions. Time
//! is that of the processor where the system tells it (Linux), so that other work on the machine does not count; otherwise of the wall clock.
#![allow(clippy::disallowed_methods, reason = "benchmarks read a clock")]

use std::fs;
use std::time::Instant;

use menard_lang::{Source, compile_text, plan, properties};
use menard_opt::apply_plan;
use menard_sim::{CampaignReport, Config, Groups, Prepared, PreparedObserver, Scope, Stage, campaign, explore};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const SCALABLE: &str = include_str!("../../../protocols/voting/scalable.plan");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");
const REPETITIONS: usize = 7;

/// Seconds that this thread has run on a processor, or since some moment in the past.
fn seconds(beginning: Instant) -> f64 {
    let on_cpu = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = on_cpu.and_then(|text| text.split(' ').next().and_then(|first| first.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| beginning.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn main() {
    let program = compile_text(VOTING);
    let prepared = Prepared::new(&program, Config::default());
    let source = Source::new("properties.ded", PROPERTIES);
    let observer = PreparedObserver::new(&properties::compile(&source, &program).expect("the properties compile"));
    measure("voting", 3_000, &|runs| campaign(&prepared, None, &[], runs, 1, &mut |_| {}));
    measure("voting, properties", 3_000, &|runs| campaign(&prepared, Some(&observer), &[], runs, 1, &mut |_| {}));

    exhaust(&prepared, &observer);

    let plan = plan::parse(&Source::new("scalable.plan", SCALABLE), &[]).expect("the plan is well formed");
    let applied = apply_plan(&program, &plan).expect("the plan fits");
    let programs: Vec<Prepared> =
        applied.iter().map(|stage| Prepared::new(&stage.program, Config::default())).collect();
    let (scaled, originals) = programs.split_last().expect("the plan has lines");
    let originals = std::iter::once(&prepared).chain(originals);
    let mut stages: Vec<Stage<'_>> =
        originals.zip(&applied).map(|(original, stage)| Stage { original, lift: &*stage.lift }).collect();
    stages.reverse();
    measure("scaled voting, properties", 2_000, &|runs| campaign(scaled, Some(&observer), &[], runs, 1, &mut |_| {}));
    measure("scaled voting, properties, refinement over 5 stages", 1_000, &|runs| {
        campaign(scaled, Some(&observer), &stages, runs, 1, &mut |_| {})
    });
}

/// Distinct states of voting with two requests, whatever can happen.
fn exhaust(prepared: &Prepared, observer: &PreparedObserver) {
    let scope = Scope { requests: prepared.sample_requests(2, 1), groups: Groups::All, max_states: 2_000_000 };
    let beginning = Instant::now();
    let start = seconds(beginning);
    let exploration = explore(prepared, Some(observer), &scope);
    let (states, took) = (exploration.distinct_states, seconds(beginning) - start);
    println!(
        "voting, two requests, exhaustively: {states} distinct states, {} transitions in {took:.1} s ({:.0} states/s), complete: {}",
        exploration.transitions,
        states as f64 / took,
        exploration.complete,
    );
}

fn measure(name: &str, runs: u64, campaign: &dyn Fn(u64) -> CampaignReport) {
    let mut rates: Vec<f64> = Vec::new();
    let mut report = campaign(runs / 10);
    let beginning = Instant::now();
    for _ in 0..REPETITIONS {
        let start = seconds(beginning);
        report = campaign(runs);
        rates.push(runs as f64 / (seconds(beginning) - start));
    }
    rates.sort_by(f64::total_cmp);
    let median = rates[REPETITIONS / 2];
    let best = rates[REPETITIONS - 1];
    println!(
        "{name}: {median:.0} runs/s (best {best:.0}), {:.1} messages and {:.1} steps a run, {} violations, hash {:016x}",
        report.messages as f64 / runs as f64,
        report.steps as f64 / runs as f64,
        report.wrong_runs,
        report.hash,
    );
}
