//! Protocols under plans: every run of the rewritten program is a run of the program before, line by line down to the original.

mod common;

use common::refine;
use menard_lang::{Program, Source, compile_text, plan};
use menard_opt::{Stage, apply_plan};

/// Runs of each plan.
const RUNS: u64 = 400;

struct Scaled {
    original: Program,
    stages: Vec<Stage>,
}

fn scale(protocol: &str, text: &str) -> Scaled {
    let original = compile_text(protocol);
    let plan = plan::parse(&Source::new("test.plan", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let stages = apply_plan(&original, &plan).unwrap_or_else(|error| panic!("{}", error.render(false)));
    Scaled { original, stages }
}

/// Checks many runs; all of the rewritten program's channels must have been used, or nothing was tested.
fn check(scaled: &Scaled) {
    let report = refine::check(&scaled.original, &scaled.stages, RUNS, 10);
    let last = &scaled.stages.last().expect("the plan has lines").program.source.text;
    assert!(report.violations.is_empty(), "{:?}\n{last}", report.violations.first());
    let silent: Vec<_> = report.channels.iter().filter(|(_, messages)| **messages == 0).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "nothing was ever sent on {silent:?}\n{last}");
    assert!(report.drained_runs > RUNS / 4, "only {} runs said all they had to say", report.drained_runs);
}

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

#[test]
fn voting_with_the_published_plan() {
    check(&scale(VOTING, include_str!("../../../protocols/voting/scalable.plan")));
}

#[test]
fn voting_with_a_responder() {
    let scaled = scale(VOTING, include_str!("protocols/responder.plan"));
    let rewrites: Vec<&str> = scaled.stages.iter().map(|stage| stage.rewrite).collect();
    assert_eq!(rewrites[..4], ["independent", "functional", "functional", "functional"]);
    check(&scaled);
}

const COMMIT_PATH: &str = include_str!("../../../protocols/two_phase_commit_path/two_phase_commit_path.ded");
const COMMIT_PATH_SCALABLE: &str = include_str!("../../../protocols/two_phase_commit_path/scalable.plan");

#[test]
fn two_phase_commit_has_the_published_numbers_of_nodes() {
    for (partitions, nodes) in [(1, 10), (3, 28), (5, 46)] {
        let text = COMMIT_PATH_SCALABLE.replace("int = 3", &format!("int = {partitions}"));
        let scaled = scale(COMMIT_PATH, &text);
        assert_eq!(scaled.stages.last().expect("the plan has lines").program.physical_nodes(), nodes);
    }
}

#[test]
fn two_phase_commit() {
    check(&scale(COMMIT_PATH, COMMIT_PATH_SCALABLE));
}

#[test]
fn agreement_among_replicas() {
    check(&scale(include_str!("protocols/agreement.ded"), include_str!("protocols/agreement.plan")));
}

#[test]
fn a_store_with_a_front() {
    check(&scale(include_str!("protocols/cache.ded"), include_str!("protocols/cache.plan")));
}

#[test]
fn workers_and_a_monitor() {
    check(&scale(include_str!("protocols/workers.ded"), include_str!("protocols/workers.plan")));
}
