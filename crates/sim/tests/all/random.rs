//! Random programs in random worlds: what the engine does is what the definition of a step says, computed by the explanations.

use std::cell::Cell;

use menard_sim::explain::Chronicle;
use menard_sim::{Config, Prepared, simulate};
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};

use crate::explaining::compare;

#[path = "../../../engine/tests/common/generate/mod.rs"]
#[allow(dead_code, reason = "messages are made by the simulator")]
mod generate;

/// Longer runs are those of programs that never settle, or talk to themselves for ever.
const LONG: usize = 300;

#[test]
fn random_programs_have_chronicles() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
    let config = Cases { cases, failure_persistence: None, ..Cases::default() };
    let told = Cell::new(0);
    let result = TestRunner::new(config).run(&generate::rules(), |rules| {
        let Some(program) = generate::program(&rules) else { return Ok(()) };
        let prepared = Prepared::new(&program, Config { max_steps: 60, ..Config::default() });
        for seed in 0..3 {
            let trace = simulate(&prepared, None, seed).trace;
            if trace.events.len() > LONG {
                continue;
            }
            let chronicle = Chronicle::new(&program, &prepared, &trace)
                .map_err(|error| TestCaseError::fail(format!("seed {seed}: {error}\n{}", program.source.text)))?;
            compare(&program, &chronicle, &trace);
            told.set(told.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(told.get() >= cases, "{} runs of {cases} programs", told.get());
}
