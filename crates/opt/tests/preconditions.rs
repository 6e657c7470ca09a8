//! Every numbered precondition in a pair: it rewrites when all hold, and refuses when only that one is broken.

mod common;

use common::cases::{Case, cases, liars};
use common::{apply_without, program};
use menard_opt::PlanError;
use menard_opt::mutant::KilledBy;
use menard_opt::rules::REWRITES;

#[test]
fn it_rewrites_when_the_preconditions_hold() {
    for case in cases() {
        if let Err(error) = apply_without(&program(&case.holds()), &case.line, None) {
            panic!("{}, {}: refused though mended\n{}", case.precondition, case.name, error.render(false));
        }
    }
}

#[test]
fn it_refuses_when_one_is_broken() {
    let mut text = String::new();
    for case in cases() {
        let error = refusal(&case);
        let PlanError::Refused { refusals, .. } = &error else { panic!("{}: {}", case.name, error.render(false)) };
        let first = refusals.first().expect("a refused line has a refusal");
        assert_eq!(first.precondition, case.precondition, "{}\n{}", case.name, error.render(false));
        text += &format!("## {}: {}\n{}\n{}\n", case.precondition, case.name, case.line, error.render(false));
    }
    insta::assert_snapshot!(text);
}

fn refusal(case: &Case) -> PlanError {
    match apply_without(&program(&case.broken), &case.line, None) {
        Err(error) => error,
        Ok(stage) => panic!("{}, {}: allowed\n{}", case.precondition, case.name, stage.program.source.text),
    }
}

#[test]
fn only_the_broken_one_is_in_the_way() {
    for case in cases() {
        match apply_without(&program(&case.broken), &case.line, Some(&case.precondition)) {
            Ok(_) | Err(PlanError::IllFormed { .. }) => {}
            Err(error) => {
                panic!("{}, {}: more than that one is broken\n{}", case.precondition, case.name, error.render(false))
            }
        }
    }
}

/// What no test can show is said, and is not more than it has to be.
#[test]
fn only_what_liars_do_is_unseen() {
    for case in cases() {
        if let KilledBy::Nothing(why) = &case.killed_by {
            assert!(case.broken.contains("fault byzantine"), "{}, {}: {why}", case.precondition, case.name);
        }
    }
}

#[test]
fn every_precondition_has_a_case() {
    let (cases, liars) = (cases(), liars());
    for (id, _) in REWRITES.iter().flat_map(|rewrite| rewrite.preconditions()) {
        let is_added = liars.iter().any(|liar| liar.precondition == id);
        assert!(is_added || cases.iter().any(|case| case.precondition == id), "{id} has no near miss");
    }
}
