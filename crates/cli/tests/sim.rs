//! `menard sim`: runs, violations, replays, exhaustive search.

mod support;

use support::{Desk, ECHO};

/// Voting that replies one vote too early.
fn hasty() -> Desk {
    let voting = include_str!("../../../protocols/voting/voting.ded");
    let hasty = voting.replace(":~ new votes(c, id, participants)", ":~ new votes(c, id, participants - 1)");
    assert_ne!(voting, hasty);
    Desk::with(&[("voting.ded", &hasty), ("properties.ded", include_str!("../../../protocols/voting/properties.ded"))])
}

#[test]
fn a_right_protocol_has_no_violation() {
    let desk = Desk::new();
    for plan in [&[][..], &["--plan", "scalable"]] {
        let words = [&["sim", "voting", "--runs", "200", "--seed", "7"][..], plan].concat();
        let (status, json) = desk.json(&words);
        assert_eq!((status, &json["runs"], &json["violations"]), (0, &200.into(), &0.into()));
        assert_eq!(json["seed"], 7);
        assert!(json["replies"].as_u64().is_some_and(|replies| replies > 0), "{json}");
        let again = desk.json(&words).1;
        assert_eq!(json["hash"], again["hash"]);
    }
}

#[test]
fn a_violation_is_shown_and_can_be_seen_again() {
    let desk = hasty();
    let answer = desk.menard(&["sim", "voting.ded", "--runs", "100"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (1, ""));
    assert!(answer.stdout.contains("violation(\"reply without a vote\""), "{}", answer.stdout);
    let command = answer.stdout.lines().last().expect("it says how to see it again");
    let words: Vec<&str> =
        command.strip_prefix("to see it again: menard ").expect("it is a command").split(' ').collect();
    let again = desk.menard(&words);
    assert_eq!(again.status, 1);
    let trace = |text: &str| {
        text.lines().skip_while(|line| !line.starts_with("the run with seed")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(trace(&answer.stdout), trace(&again.stdout));
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["violations"], &json["found"][0]["check"]), (1, &1.into(), &"properties".into()));
}

/// More clients than by default, here and in the command that shows the run again.
#[test]
fn there_can_be_more_clients() {
    let desk = hasty();
    let answer =
        desk.menard(&["sim", "voting.ded", "--clients", "9", "--requests", "20", "--runs", "100", "--trace", "run"]);
    assert!(answer.stdout.contains("--requests 20 --clients 9 "), "{}", answer.stdout);
    let senders = |count: &str| {
        let words = ["step", "voting", "--clients", count, "--requests", "40", "--seed", "3", "--at", "1"];
        let answer = Desk::new().menard(&words);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        answer.stdout
    };
    assert_ne!(senders("2"), senders("9"));
}

#[test]
fn what_never_comes_is_named_below_a_few_rounds() {
    let deaf = "protocol deaf\n\nrole client external\nrole server\n\nchannel ask(id: int)     client -> server\n\
                channel answer(id: int)  server -> client\n\ncomponent server {\n  table asked(=> n: int) max\n\n  \
                timer tick() every 1 s\n\n  asked(0)      :+ start()\n  asked(n + 1)  :+ asked(n), tick()\n  \
                answer(id)@c  :~ ask(id) from c, asked(n), n < 0\n}\n";
    let answered = "properties of deaf\n\neventually answer(id) to c :- ask(id) from c\n";
    let desk = Desk::with(&[("deaf.ded", deaf), ("properties.ded", answered)]);
    let answer = desk.menard(&["sim", "deaf.ded", "--runs", "5"]);
    assert_eq!(answer.status, 1);
    let tail: Vec<&str> = answer.stdout.lines().rev().skip(2).take(2).collect();
    assert!(tail[0].starts_with("   ✗  never comes: eventually answer(id) to c"), "{}", answer.stdout);
    assert!(tail[1].starts_with("   ⋮  ") && tail[1].ends_with(" more rounds"), "{}", answer.stdout);
    assert!(answer.stdout.lines().count() < 40, "{}", answer.stdout);
}

#[test]
fn small_scopes_are_searched_through() {
    let (status, json) = Desk::new().json(&["sim", "voting", "--plan", "scalable", "--exhaustive", "--requests", "1"]);
    assert_eq!((status, &json["complete"], &json["refinement"]["included"]), (0, &true.into(), &true.into()));
    assert!(json["distinct_states"].as_u64().is_some_and(|states| states > 10), "{json}");
    let answer = hasty().menard(&["sim", "voting.ded", "--exhaustive", "--requests", "1"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stdout.contains("a shortest run to a violation"), "{}", answer.stdout);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let desk = Desk::with(&[("echo.ded", ECHO)]);
    let answer = desk.menard(&["sim", "echo.ded", "--check", "refinement"]);
    assert_eq!((answer.status, answer.stderr.contains("add --plan")), (2, true), "{}", answer.stderr);
    let answer = desk.menard(&["sim", "echo.ded", "--check", "properties"]);
    assert_eq!((answer.status, answer.stderr.contains("properties.ded")), (2, true), "{}", answer.stderr);
    let answer = desk.menard(&["sim", "echo.ded", "--runs", "10"]);
    assert_eq!(
        (answer.status, answer.stderr.starts_with("note: there are no properties")),
        (0, true),
        "{}",
        answer.stderr
    );
}
