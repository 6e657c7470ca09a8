//! Refinement over many seeds.

use menard_lang::Program;
use menard_opt::Stage;
use menard_sim::{CampaignReport, Config, Prepared, campaign};

/// Runs the last program of the stages and checks every run against all programs before it.
pub fn check(original: &Program, stages: &[Stage], runs: u64, requests: u32) -> CampaignReport {
    check_with(original, stages, runs, Config { requests, ..Config::default() })
}

/// The same with other limits.
pub fn check_with(original: &Program, stages: &[Stage], runs: u64, config: Config) -> CampaignReport {
    let programs = std::iter::once(original).chain(stages.iter().map(|stage| &stage.program));
    let prepared: Vec<Prepared> = programs.map(|program| Prepared::new(program, config.clone())).collect();
    let lifts: Vec<menard_sim::Stage<'_>> = stages
        .iter()
        .zip(&prepared)
        .map(|(stage, original)| menard_sim::Stage { original, lift: &*stage.lift })
        .rev()
        .collect();
    let last = prepared.last().expect("there is the original at least");
    campaign(last, None, &lifts, runs, 1, &mut |_| {})
}
