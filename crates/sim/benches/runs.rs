//! Simulated runs a second on one core: `cargo bench -p menard-sim`. Voting with 3 participants and 10 requests; medians of repetitions. Time
//! is that of the processor where the system tells it (Linux), so that other work on the machine does not count; otherwise of the wall clock.
#![allow(clippy::disallowed_methods, reason = "benchmarks read a clock")]

use std::fs;
use std::time::Instant;

use menard_lang::run::{Lift, Schedule, Trace};
use menard_lang::{Source, compile_text, properties};
use menard_sim::{CampaignReport, Config, Prepared, PreparedObserver, Stage, campaign, schedule_of};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");
const REPETITIONS: usize = 7;

struct Identity;

impl Lift for Identity {
    fn lift(&self, run: &Trace) -> Schedule {
        schedule_of(run)
    }
}

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
    let stages = [Stage { original: &prepared, lift: &Identity }; 5];
    measure("runs", 3_000, &|runs| campaign(&prepared, None, &[], runs, 1, &mut |_| {}));
    measure("runs, properties", 3_000, &|runs| campaign(&prepared, Some(&observer), &[], runs, 1, &mut |_| {}));
    measure("runs, properties, 5 stages of refinement", 1_000, &|runs| {
        campaign(&prepared, Some(&observer), &stages, runs, 1, &mut |_| {})
    });
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
