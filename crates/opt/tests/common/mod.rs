//! What tests of rewrites share: programs that differ in one precondition, and checks of refinement.
#![allow(dead_code, reason = "every test uses its own part")]

pub mod cases;
pub mod cells;
pub mod library;
pub mod refine;

use menard_lang::plan::{Line, parse_line};
use menard_lang::{Program, compile_text};
pub use menard_opt::mutant::apply_without;
use menard_opt::rules::Denied;
use menard_opt::{PlanError, Proof, Stage};

/// Runs of each program with liars, and of each of its mutants.
pub const CASE_RUNS: u64 = 400;
/// Runs of each program of the table of constructs.
pub const CELL_RUNS: u64 = 300;

/// The line of a plan; one component only.
pub fn line(text: &str) -> Line {
    parse_line(text).expect("lines of tests are well-formed").remove(0)
}

/// What one rewrite makes of a line, whatever others would make of it.
pub fn apply_by(program: &Program, text: &str, rewrite: &str) -> Result<Vec<Proof>, PlanError> {
    let line = line(text);
    let rewrite = menard_opt::rules::find(rewrite).expect("there is such a rewrite");
    match rewrite.attempt(program, &line.kind, None).expect("such lines mean the rewrite") {
        Ok(applied) => Ok(applied.proofs),
        Err(Denied::Refusal(refusal)) => {
            Err(PlanError::Refused { line: line.kind.to_string(), refusals: vec![*refusal] })
        }
        Err(Denied::Misfit(misfit)) => panic!("`{text}` does not fit: {}", misfit.message),
    }
}

/// Applies lines one after another, all of which must be allowed.
pub fn apply_all(program: &Program, lines: &[&str]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for text in lines {
        let current = stages.last().map_or(program, |stage| &stage.program);
        let stage = apply_without(current, text, None);
        stages.push(stage.unwrap_or_else(|error| panic!("`{text}` should be allowed:\n{}", error.render(false))));
    }
    stages
}

/// The program of a test.
pub fn program(text: &str) -> Program {
    compile_text(text)
}
