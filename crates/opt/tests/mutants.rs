//! Every precondition is needed: with it skipped, the near miss is rewritten to something wrong.

mod common;

use common::cases::{Case, Killed, cases};
use common::{apply_without, program, refine};
use menard_opt::PlanError;

/// Seeds after which a mutant counts as a survivor.
const RUNS: u64 = 400;

#[test]
fn every_mutant_is_killed() {
    let survivors: Vec<String> = cases().iter().filter_map(survivor).collect();
    assert!(survivors.is_empty(), "skipping these preconditions does no harm:\n{}", survivors.join("\n"));
}

fn survivor(case: &Case) -> Option<String> {
    let name = format!("{}, {}", case.precondition, case.name);
    if matches!(case.killed, Killed::Untested(_)) {
        return None;
    }
    let original = program(&case.broken);
    let stage = match apply_without(&original, case.line, Some(case.precondition)) {
        Ok(stage) => stage,
        Err(PlanError::IllFormed { errors, .. }) => {
            let codes: Vec<&str> = errors.iter().map(|error| error.code.name()).collect();
            let killed = matches!(case.killed, Killed::Checker(code) if codes.contains(&code));
            return (!killed).then(|| format!("{name}: the checker says {codes:?}\n{errors}"));
        }
        Err(error) => panic!("{name}: {}", error.render(false)),
    };
    let report = refine::check(&original, std::slice::from_ref(&stage), RUNS, 10);
    let killed = case.killed == Killed::Refinement && !report.violations.is_empty();
    (!killed).then(|| format!("{name}: {} runs\n{}", report.runs, stage.program.source.text))
}

/// What no test can show is said, and is not more than it has to be.
#[test]
fn only_liars_are_untested() {
    for case in cases() {
        if let Killed::Untested(why) = case.killed {
            assert!(case.broken.contains("fault byzantine"), "{}, {}: {why}", case.precondition, case.name);
        }
    }
}

/// The same programs, mended, do what their originals do: what kills a mutant is the broken precondition.
#[test]
fn mended_programs_refine() {
    for case in cases() {
        let original = program(&case.holds());
        let stage = apply_without(&original, case.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        let report = refine::check(&original, std::slice::from_ref(&stage), RUNS, 10);
        assert!(
            report.violations.is_empty(),
            "{}, {}: {:?}\n{}",
            case.precondition,
            case.name,
            report.violations.first(),
            stage.program.source.text
        );
    }
}
