//! Every numbered precondition in a pair: it rewrites when all hold, and refuses when only that one is broken.

mod common;

use common::cases::{Case, cases};
use common::{apply_without, program};
use menard_opt::PlanError;
use menard_opt::rules::REWRITES;

#[test]
fn it_rewrites_when_the_preconditions_hold() {
    for case in cases() {
        if let Err(error) = apply_without(&program(&case.holds()), case.line, None) {
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
    match apply_without(&program(&case.broken), case.line, None) {
        Err(error) => error,
        Ok(stage) => panic!("{}, {}: allowed\n{}", case.precondition, case.name, stage.program.source.text),
    }
}

#[test]
fn only_the_broken_one_is_in_the_way() {
    for case in cases() {
        match apply_without(&program(&case.broken), case.line, Some(case.precondition)) {
            Ok(_) | Err(PlanError::IllFormed { .. }) => {}
            Err(error) => {
                panic!("{}, {}: more than that one is broken\n{}", case.precondition, case.name, error.render(false))
            }
        }
    }
}

#[test]
fn every_precondition_has_a_case() {
    let cases = cases();
    for (id, _) in REWRITES.iter().flat_map(|rewrite| rewrite.preconditions()) {
        assert!(cases.iter().any(|case| case.precondition == id), "{id} has no near miss");
    }
}

#[test]
fn byzantine_nodes_are_refused_everywhere() {
    for (precondition, role) in [
        ("D1.4", "server"),
        ("D2.6", "server"),
        ("D3.6", "server"),
        ("D4.4", "server"),
        ("D2b.3", "server"),
        ("D5a.5", "server"),
        ("D5b.5", "server"),
        ("P1.6", "store"),
        ("P2.6", "store"),
        ("D1.4", "store"),
    ] {
        let case = cases().into_iter().find(|case| case.precondition == precondition).expect("there is such a case");
        let text = case.broken.replace(case.mend.0, &format!("fault byzantine 1 of {role}"));
        let Err(PlanError::Refused { refusals, .. }) = apply_without(&program(&text), case.line, None) else {
            panic!("{precondition}: liars are not handled")
        };
        assert_eq!(refusals[0].precondition, precondition);
    }
}

#[test]
fn a_refusal_says_that_no_rules_would_help_where_nodes_lie() {
    for (precondition, on_faults) in [
        ("D1.1", "D1.4"),
        ("D2.1", "D2.6"),
        ("D3.2", "D3.6"),
        ("D4.1", "D4.4"),
        ("D2b.1", "D2b.3"),
        ("D5a.1", "D5a.5"),
        ("D5b.1", "D5b.5"),
        ("P1.1", "P1.6"),
        ("P2.1", "P2.6"),
    ] {
        let case = cases().into_iter().find(|case| case.precondition == precondition).expect("there is such a case");
        let hopeless = |text: &str| {
            let Err(PlanError::Refused { refusals, .. }) = apply_without(&program(text), case.line, None) else {
                panic!("{precondition} does not hold")
            };
            assert_eq!(refusals[0].precondition, precondition);
            refusals[0].hopeless.clone()
        };
        assert_eq!(hopeless(&case.broken), None);
        let lying = format!("{}\nfault byzantine 1 of server", case.broken);
        let expected =
            format!("whatever the rules are, {on_faults} does not hold either: a node of the program may lie");
        assert_eq!(hopeless(&lying), Some(expected));
    }
}
