//! `menard sim --without`: what a program's protection against liars is good for.

mod support;

use support::Desk;

const PBFT: [&str; 4] = ["sim", "pbft_critical_path", "--plan", "scalable"];

/// Without what a plan has receivers verify of senders, some run is none of the original, or breaks a property. That a correct replica hands on a request
/// which nobody gave it only refinement sees.
#[test]
fn sender_verification_can_be_left_out_and_is_missed() {
    let desk = Desk::new();
    let words = [&PBFT[..], &["--requests", "3", "--runs", "100"]].concat();
    let verified = desk.json(&words);
    assert_eq!((verified.0, &verified.1["violations"]), (0, &0.into()));
    for channel in ["", ":proposal", ":request_to_proxy_leader", ":assigned_to_proxy_leader"] {
        let what = format!("sender-verification{channel}");
        let (status, json) = desk.json(&[&words[..], &["--without", &what]].concat());
        let found = json["found"].as_array().expect("a list");
        assert!(status == 1 && !found.is_empty(), "{what}: {json}");
        let by_refinement = found.iter().all(|found| found["check"] == "refinement");
        assert_eq!(by_refinement, channel == ":request_to_proxy_leader", "{what}: {json}");
    }
    // It is the plan's program that believes anybody, in runs that are seen again and walked through as well.
    let without = ["--without", "sender-verification:proposal"];
    let answer = desk.menard(&[&words[..], &without].concat());
    let command = answer.stdout.lines().last().expect("it says how to see it again");
    let again: Vec<&str> =
        command.strip_prefix("to see it again: menard ").expect("it is a command").split(' ').collect();
    assert_eq!(desk.menard(&again).status, 1, "{command}");
    let seed = again.iter().position(|word| *word == "--seed").expect("a seed is named") + 1;
    let walked = ["step", "pbft_critical_path", "--plan", "scalable", "--requests", "3", "--seed", again[seed]];
    let walked = desk.json(&[&walked[..], &without].concat()).1;
    assert!(walked["events"].as_array().is_some_and(|events| !events.is_empty()), "{walked}");
}

/// Message verification of the channels between replicas, with seeds that a campaign of 2,000 runs has found.
#[test]
fn message_verification_of_a_library_plan_is_missed() {
    let desk = Desk::new();
    for (channel, seed) in [("pre_prepare", "82"), ("commit", "173"), ("prepare", "1115")] {
        let words = [&PBFT[..], &["--seed", seed, "--runs", "1"]].concat();
        assert_eq!(desk.menard(&words).status, 0, "{channel} is verified");
        let what = format!("message-verification:{channel}");
        let answer = desk.menard(&[&words[..], &["--without", &what]].concat());
        assert_eq!((answer.status, answer.stderr.as_str()), (1, ""), "{what}: {}", answer.stdout);
    }
}

/// A node that believes itself alone needs no message verification: the user is told, unless sender verification is left out as well.
#[test]
fn message_verification_behind_from_me_is_said_to_be_redundant() {
    let desk = Desk::new();
    let words = [&PBFT[..], &["--runs", "2", "--without", "message-verification:proposal"]].concat();
    let note = "note: all rules read `proposal` `from me`";
    assert!(desk.menard(&words).stderr.starts_with(note));
    let both = [&words[..], &["--without", "sender-verification:proposal"]].concat();
    assert_eq!(desk.menard(&both).stderr, "");
    let answer = desk.menard(&["explain", "pbft_critical_path", "--plan", "scalable"]);
    let classes = answer.stdout.split_once("channels:\n").expect("it ends with the channels").1;
    let class = |name: &str| classes.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
    assert!(class("proposal ").ends_with("duplicated, with sender verification"), "{classes}");
    assert!(class("prepare ").ends_with("duplicated, with message verification"), "{classes}");
}

#[test]
fn what_is_not_there_cannot_be_left_out() {
    let desk = Desk::new();
    let voting = ["sim", "voting", "--plan", "scalable"];
    for (words, what, said, help) in [
        (&PBFT[..2], "message-verification", "no component of the program has partitions", "add --plan PLAN"),
        (&PBFT[..2], "message-verification:prepare", "no component of the program has partitions", "add --plan PLAN"),
        (&PBFT[..2], "sender-verification", "without a plan", "add --plan PLAN"),
        (&PBFT[..2], "sender-verification:proposal", "without a plan", "add --plan PLAN"),
        (&PBFT[..], "sender-verification:prepare", "`prepare` is no channel with sender verification", "proposal, "),
        (&PBFT[..], "message-verification:asked", "`asked` is no channel to partitions", "are pre_prepare, prepare, "),
        (&voting[..], "sender-verification", "machines of a node that may lie", "menard explain"),
        (&PBFT[..], "receiver-verification", "nothing is known of `receiver-verification`", "sender-verification["),
    ] {
        let answer = desk.menard(&[words, &["--runs", "1", "--without", what]].concat());
        assert_eq!(answer.status, 2, "{what}: {}", answer.stderr);
        assert!(answer.stderr.contains(said) && answer.stderr.contains(help), "{what}: {}", answer.stderr);
    }
}
