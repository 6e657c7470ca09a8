//! Every precondition is needed: with it skipped, the near miss is rewritten to something wrong. `cargo xtask mutants` shows the table.

mod common;

use std::fmt;

use common::cases::{Case, cases};
use common::{CASE_RUNS, apply_without, program, refine};
use menard_opt::PlanError;
use menard_opt::mutant::KilledBy;
use menard_opt::rules::REWRITES;

/// What became of a near miss that was rewritten without its precondition.
enum Fate {
    /// This seed shows a run that is none of the original.
    Refinement(u64),
    /// The checker refuses the result.
    Checker(String),
    /// No test can tell.
    Untested(String),
    /// Nothing was found, or something else than the case says.
    Survived(String),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Refinement(seed) => write!(f, "refinement, seed {seed}"),
            Fate::Checker(code) => write!(f, "checker, {code}"),
            Fate::Untested(_) => write!(f, "not tested"),
            Fate::Survived(_) => write!(f, "SURVIVES"),
        }
    }
}

#[test]
fn every_mutant_is_killed() {
    let fates: Vec<(Case, Fate)> = cases()
        .into_iter()
        .map(|case| {
            let fate = fate(&case);
            (case, fate)
        })
        .collect();
    let mut missing = Vec::new();
    let (mut all, mut killed) = (0, 0);
    for rewrite in REWRITES {
        println!("{}", rewrite.name());
        for (id, statement) in rewrite.preconditions() {
            println!("  {id}  it asks that {statement}");
            let own = || fates.iter().filter(|(case, _)| case.precondition == id);
            for (case, fate) in own() {
                let why = if let Fate::Untested(why) = fate { format!(" ({why})") } else { String::new() };
                println!("        {:<24} {}{why}", fate.to_string(), case.name);
            }
            // No world has a liar, so that nothing can show what the precondition on liars is for.
            if own().all(|(_, fate)| matches!(fate, Fate::Untested(_))) {
                continue;
            }
            let is_killed = own().any(|(_, fate)| matches!(fate, Fate::Refinement(_) | Fate::Checker(_)));
            (all, killed) = (all + 1, killed + usize::from(is_killed));
            if !is_killed {
                missing.push(id);
            }
        }
    }
    let mutants = fates.iter().filter(|(_, fate)| !matches!(fate, Fate::Untested(_))).count();
    println!(
        "score: {killed} of {all} preconditions have a mutant that is killed ({} %), {mutants} mutants in all, {} untested",
        100 * killed / all,
        fates.len() - mutants
    );
    let survivors: Vec<&str> = fates
        .iter()
        .filter_map(|(_, fate)| if let Fate::Survived(why) = fate { Some(why.as_str()) } else { None })
        .collect();
    assert!(survivors.is_empty(), "skipping these preconditions does no harm:\n{}", survivors.join("\n"));
    assert!(missing.is_empty(), "no mutant of these preconditions is killed: {missing:?}");
}

fn fate(case: &Case) -> Fate {
    let name = format!("{}, {}", case.precondition, case.name);
    if let KilledBy::Nothing(why) = &case.killed_by {
        return Fate::Untested(why.clone());
    }
    let original = program(&case.broken);
    let stage = match apply_without(&original, &case.line, Some(&case.precondition)) {
        Ok(stage) => stage,
        Err(PlanError::IllFormed { errors, .. }) => {
            let codes: Vec<&str> = errors.iter().map(|error| error.code.name()).collect();
            return match &case.killed_by {
                KilledBy::Checker(code) if codes.contains(&code.as_str()) => Fate::Checker(code.clone()),
                _ => Fate::Survived(format!("{name}: the checker says {codes:?}\n{errors}")),
            };
        }
        Err(error) => panic!("{name}: {}", error.render(false)),
    };
    let report = refine::check(&original, std::slice::from_ref(&stage), CASE_RUNS, 10);
    match report.violations.first() {
        Some(found) if case.killed_by == KilledBy::Refinement => Fate::Refinement(found.seed),
        _ => Fate::Survived(format!("{name}: {} runs\n{}", report.runs, stage.program.source.text)),
    }
}

/// What no test can show is said, and is not more than it has to be.
#[test]
fn only_liars_are_untested() {
    for case in cases() {
        if let KilledBy::Nothing(why) = &case.killed_by {
            assert!(case.broken.contains("fault byzantine"), "{}, {}: {why}", case.precondition, case.name);
        }
    }
}

/// The same programs, mended, do what their originals do: what kills a mutant is the broken precondition.
#[test]
fn mended_programs_refine() {
    for case in cases() {
        let original = program(&case.holds());
        let stage =
            apply_without(&original, &case.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        let report = refine::check(&original, std::slice::from_ref(&stage), CASE_RUNS, 10);
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
