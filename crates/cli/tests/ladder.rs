//! `menard ladder`: as many faults as are declared do no harm, and one more does.

mod support;

use support::Desk;

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");

#[test]
fn what_is_declared_holds_and_no_more() {
    let (status, json) = Desk::new().json(&["ladder", "voting", "two_phase_commit", "--runs", "60", "--jobs", "2"]);
    assert_eq!((status, &json["broken"]), (0, &0.into()), "{json}");
    let programs = json["programs"].as_array().expect("there are programs");
    let names: Vec<_> = programs.iter().map(|program| (&program["protocol"], &program["plan"])).collect();
    assert_eq!(names.len(), 4, "each protocol with its plan: {names:?}");
    for program in programs {
        let rungs = program["rungs"].as_array().expect("there are rungs");
        assert!(rungs.iter().any(|rung| rung["expected"] == "a stall"), "{program}");
        for rung in rungs {
            assert_eq!((&rung["found"], &rung["holds"]), (&rung["expected"], &true.into()), "{program}");
            assert_eq!(rung["runs"] == 60, rung["expected"] == "nothing", "{rung}");
        }
    }
}

/// Voting needs every participant, so it declares too much here.
#[test]
fn a_broken_rung_is_told() {
    let bold = VOTING.replace("fault omission 1 of participant", "fault crash 1 of participant");
    let desk = Desk::with(&[("voting.ded", &bold), ("properties.ded", PROPERTIES)]);
    let answer = desk.menard(&["ladder", "voting.ded", "--runs", "60"]);
    assert_eq!(answer.status, 1, "{}", answer.stdout);
    let row = answer.stdout.lines().find(|line| line.starts_with("crash 1 of participant")).expect("it is a rung");
    assert!(row.contains("nothing") && row.contains("a stall") && row.ends_with("BROKEN"), "{}", answer.stdout);
    let again = answer.stdout.lines().find_map(|line| line.strip_prefix("to see it: menard "));
    let words = ["sim", "voting.ded", "--fault", "crash 1 of participant", "--seed"];
    assert!(again.is_some_and(|again| again.replace('\'', "").starts_with(&words.join(" "))), "{}", answer.stdout);
}

/// No request has a negative number.
#[test]
fn what_does_not_happen_without_faults_is_told() {
    let vain = VOTING.replace(
        "\ncomponent leader {\n",
        "\ncomponent leader {\n  event never(id: int)\n  never(id) :- request(id, _), id < 0\n",
    );
    assert_ne!(vain, VOTING);
    let desk = Desk::with(&[("voting.ded", &vain), ("properties.ded", PROPERTIES)]);
    let words = ["ladder", "voting.ded", "--runs", "20"];
    let answer = desk.menard(&words);
    let told = "with no faults, 1 of 7 rules never fired: `never` of leader (voting.ded:";
    assert!(answer.stdout.contains(told), "{}", answer.stdout);
    let (_, json) = desk.json(&words);
    let rungs = json["programs"][0]["rungs"].as_array().expect("there are rungs");
    let silent: Vec<_> = rungs.iter().map(|rung| rung["rules_never_fired"][0]["component"].as_str()).collect();
    assert_eq!((silent[0], silent.iter().flatten().count()), (Some("leader"), 1), "{json}");
    let answer = Desk::new().menard(&["ladder", "voting", "--plan", "scalable", "--runs", "20"]);
    assert!(!answer.stdout.contains("never fired"), "{}", answer.stdout);
}

#[test]
fn a_protocol_without_faults_has_no_ladder() {
    let kind = VOTING.replace("fault omission 1 of participant\n", "");
    let answer = Desk::with(&[("voting.ded", &kind)]).menard(&["ladder", "voting.ded"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, "voting.ded: declares no faults, so there is no ladder\n"));
}
