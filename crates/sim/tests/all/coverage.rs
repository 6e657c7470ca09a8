//! What campaigns count, and what fails in them when that is said.

use menard_lang::ir::FaultKind;
use menard_lang::run::Event;
use menard_sim::{CampaignReport, Config, Counting, Faulty, Prepared, Runner, Until, simulate};

use crate::programs::{VOTING, fair, observe, prepare};

fn counted(prepared: &Prepared, counting: Counting) -> CampaignReport {
    Runner::new(prepared, None, &[]).counting(counting).run(0, 40, Until::Done, &mut |_| {})
}

fn crash(nodes: u32) -> Config {
    let faulty = Faulty { kind: FaultKind::Crash, nodes, role: "participant".into() };
    Config { faulty: Some(vec![faulty]), requests: 4, ..Config::default() }
}

#[test]
fn rules_are_counted_by_runs_and_times() {
    let idle = "component participant {\n  event odd(n: int)\n  odd(n) :- ballot(_, n, _), n < 0\n";
    let (_, prepared) = prepare(&VOTING.replace("component participant {", idle), fair());
    let report = counted(&prepared, Counting::RulesAndStates);
    let rules = &report.coverage.rules;
    assert_eq!(rules.iter().map(Vec::len).collect::<Vec<_>>(), [5, 2]);
    assert!(rules[0].iter().all(|rule| rule.runs > 0 && rule.runs <= 40 && rule.times >= rule.runs), "{rules:?}");
    assert_eq!((rules[1][0].runs, rules[1][0].times), (0, 0), "no identifier is negative");
    // Each ballot that a participant takes makes it vote, and each participant takes each request's.
    assert!(rules[1][1].times >= 3 * report.requests / 2, "{rules:?}");
    assert!(report.coverage.states.as_ref().is_some_and(|states| states.estimate() > 10));
    let plain = counted(&prepared, Counting::Nothing);
    assert!(plain.coverage.rules.is_empty() && plain.coverage.states.is_none());
    assert_eq!(plain.hash, report.hash);
}

#[test]
fn as_many_nodes_fail_in_every_run_as_is_said() {
    for nodes in 0..=3 {
        let (_, prepared) = prepare(VOTING, crash(nodes));
        for seed in 0..20 {
            let trace = simulate(&prepared, None, seed).trace;
            let crashes = trace.events.iter().filter(|event| matches!(event, Event::Crash { .. })).count();
            assert_eq!(crashes, nodes as usize, "seed {seed}");
        }
    }
}

#[test]
fn where_more_crash_than_is_declared_what_is_owed_is_asked_for() {
    for nodes in [1, 3] {
        let (program, prepared) = prepare(VOTING, crash(nodes));
        let observer = observe(&program, "properties of voting\neventually reply(id) to c :- request(id, _) from c");
        let report = Runner::new(&prepared, Some(&observer), &[]).run(0, 50, Until::Done, &mut |_| {});
        assert!(report.wrong_runs > 10, "{nodes}: {report:?}");
    }
    // As many as are declared may leave a protocol without an answer, if nobody is left of a role.
    let (program, prepared) = prepare(&VOTING.replace("fault omission 1", "fault crash 3"), crash(3));
    let observer = observe(&program, "properties of voting\neventually reply(id) to c :- request(id, _) from c");
    let report = Runner::new(&prepared, Some(&observer), &[]).run(0, 50, Until::Done, &mut |_| {});
    assert_eq!(report.wrong_runs, 0);
}
