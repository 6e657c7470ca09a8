//! Small scopes, exhaustively: every order and grouping of messages of the mended near misses lifts to a run of the original.

mod common;

use common::cases::cases;
use common::{apply_without, program};
use menard_sim::{Config, Groups, Prepared, Refiner, Scope, Stage, explore_lifts, includes};

#[test]
fn all_runs_of_small_scopes_lift() {
    let mut complete = 0;
    // Nothing fails in an exploration, and it has no disks, which are behind where something may.
    for case in cases().into_iter().filter(|case| !case.broken.contains("durable")) {
        let original = program(&case.holds());
        let stage =
            apply_without(&original, &case.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        let config = Config { clients: 1, ..Config::default() };
        let before = Prepared::new(&original, config.clone());
        let after = Prepared::new(&stage.program, config);
        let stages = [Stage { original: &before, lift: &*stage.lift }];
        for seed in 1..4 {
            let scope = Scope { requests: before.sample_requests(2, seed), groups: Groups::All, max_states: 3_000 };
            let exploration = explore_lifts(&after, &stages, &scope);
            complete += u32::from(exploration.complete);
            if let Some((trace, mismatch)) = exploration.mismatch {
                panic!("{}, {}: {mismatch}\n{trace:?}", case.precondition, case.name);
            }
        }
    }
    assert!(complete > 30, "only {complete} scopes were small enough");
}

/// Lifts that move deliveries say that a history is one of the original where not all deliveries are. A search for that history agrees.
#[test]
fn histories_of_small_scopes_are_histories_of_the_original_where_deliveries_are_moved() {
    let mut complete = 0;
    for case in cases() {
        let original = program(&case.holds());
        let stage =
            apply_without(&original, &case.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        if stage.lift.moved().is_empty() {
            continue;
        }
        let config = Config { clients: 1, ..Config::default() };
        let before = Prepared::new(&original, config.clone());
        let after = Prepared::new(&stage.program, config);
        let refiner = Refiner::new(&[Stage { original: &before, lift: &*stage.lift }]);
        for seed in 1..3 {
            let scope = Scope { requests: before.sample_requests(2, seed), groups: Groups::All, max_states: 5_000 };
            let inclusion = includes(&before, &after, refiner.copied(), &scope);
            complete += u32::from(inclusion.complete);
            let differs = inclusion.counterexample.or(inclusion.unfinished);
            assert!(differs.is_none(), "{}, {}: {differs:?}", case.precondition, case.name);
        }
    }
    assert!(complete > 12, "only {complete} scopes were small enough");
}
