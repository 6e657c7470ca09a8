//! Nodes that are faulty on purpose: honest ones go on, and clients believe no liar.

mod common;

use std::sync::atomic::AtomicBool;

use common::short;
use menard_lang::compile_text;
use menard_lang::ir::Program;
use menard_node::{Config, Report, RunError, run};

fn pbft() -> Program {
    compile_text(include_str!("../../../protocols/pbft_critical_path/pbft_critical_path.ded"))
}

fn scaled() -> Program {
    let plan = include_str!("../../../protocols/pbft_critical_path/scalable.plan");
    let source = menard_lang::source::Source::new("scalable.plan", plan);
    let plan = menard_lang::plan::parse(&source, &[]).expect("the plan is good");
    let stages = menard_opt::apply_plan(&pbft(), &plan).expect("the plan is applied");
    stages.last().expect("it has lines").program.clone()
}

fn with(program: &Program, faulty: &[&str]) -> Result<Report, RunError> {
    let faulty = faulty.iter().map(|text| text.parse().expect("it is well-formed")).collect();
    let config = Config { faulty, seed: 7, duration_s: 2.0, ..short() };
    run(program, &config, &mut |_| {}, &AtomicBool::new(false))
}

/// That clients made progress and were told nothing that contradicts itself, by whom at most one lied.
fn is_safe(report: &Report, liar: Option<&str>) {
    assert!(report.commands > 50, "{report:#?}");
    assert_eq!((report.contradictions, report.forged_replies), (0, 0), "{report:#?}");
    let others: Vec<&String> = report.outvoted.keys().filter(|node| Some(node.as_str()) != liar).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_silent_replica_stops_nobody() {
    let report = with(&pbft(), &["replica[3]=silent"]).expect("three of four are enough");
    is_safe(&report, None);
    let silent = report.nodes.iter().find(|node| node.node == "replica[3]").expect("it is there");
    assert_eq!((silent.faulty.as_deref(), silent.messages_out), (Some("silent"), 0));
    assert!(silent.messages_in > 0 && silent.lies["withheld"] > 0);
}

#[test]
fn a_replica_that_lies_is_not_believed() {
    let report = with(&pbft(), &["replica[3]=lies"]).expect("three of four are enough");
    is_safe(&report, Some("machine[3]"));
    let liar = report.nodes.iter().find(|node| node.node == "replica[3]").expect("it is there");
    for kind in ["withheld", "changed", "repeated", "late", "made_up"] {
        assert!(liar.lies[kind] > 0, "{kind}: {:?}", liar.lies);
    }
    let refused = report.refused();
    for reason in ["forged_sender", "malformed"] {
        assert!(refused.contains_key(reason), "{reason}: {refused:?}");
    }
}

#[test]
fn a_domain_that_lies_is_not_believed_and_neither_is_one_machine() {
    let program = scaled();
    is_safe(&with(&program, &["replica[2]=lies"]).expect("three of four are enough"), Some("machine[2]"));
    is_safe(&with(&program, &["committer[1]/0=lies"]).expect("three of four are enough"), Some("machine[1]"));
}

#[test]
fn a_silent_primary_is_named_when_nothing_goes_on() {
    let error = with(&pbft(), &["replica[0]=silent"]).expect_err("nobody takes its place").to_string();
    assert!(error.contains("replica[0] is silent on purpose"), "{error}");
    let error = with(&pbft(), &["replica[7]=lies"]).expect_err("it is not there");
    assert!(matches!(error, RunError::UnknownNode { .. }), "{error}");
}
