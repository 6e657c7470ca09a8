//! `menard step`: events, reasons, traces, the prompt, bad questions.

mod support;

use std::io::Write;
use std::process::Stdio;

use support::{Answer, Desk};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const VOTING_PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");

/// Voting that replies one vote too early, with the trace of a run in which it does.
fn hasty() -> Desk {
    let hasty = VOTING.replace("new votes(c, id, participants)", "new votes(c, id, participants - 1)");
    let (safety, _) = VOTING_PROPERTIES.split_once("eventually").expect("something is to happen in the end");
    let desk = Desk::with(&[("voting.ded", &hasty), ("properties.ded", safety)]);
    let answer = desk.menard(&["sim", "voting.ded", "--runs", "5", "--trace", "run.json"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (1, ""));
    desk
}

/// `menard step` on that trace.
fn step(desk: &Desk, words: &[&str]) -> Answer {
    desk.menard(&[&["step", "voting.ded", "--trace", "run.json"][..], words].concat())
}

/// A session with these commands on standard input.
fn session(desk: &Desk, commands: &str) -> Answer {
    let mut command = desk.command(&["step", "voting.ded", "--trace", "run.json"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(commands.as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    Answer {
        status: output.status.code().expect("no signal ended it"),
        stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

#[test]
fn an_event_with_everything_about_it() {
    let answer = step(&hasty(), &["--at", "6"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("event", answer.stdout);
}

#[test]
fn tables_of_nodes() {
    let desk = hasty();
    let tables = |at, node| step(&desk, &["--at", at, "--node", node]).stdout;
    insta::assert_snapshot!(
        "tables",
        [tables("5", "leader"), tables("6.1", "leader"), tables("6", "participant[1]")].concat()
    );
}

#[test]
fn why_it_replied() {
    let answer = step(&hasty(), &["--at", "6", "--why", "reply(7)"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("why_it_replied", answer.stdout);
}

#[test]
fn why_something_does_not_hold() {
    let desk = hasty();
    let why = |at, fact| step(&desk, &["--at", at, "--why", fact]).stdout;
    let facts = [
        ("5", "reply(7)"),
        ("6", "votes(client[0], 7, 3)"),
        ("6.1", "voted(client[0], 7, participant[2])"),
        ("6", "vote(_, _) from participant[0]"),
    ];
    insta::assert_snapshot!("why_not", facts.map(|(at, fact)| why(at, fact)).join("\n"));
}

#[test]
fn reasons_end_where_they_shall() {
    let answer = step(&hasty(), &["--at", "6", "--why", "reply(_)", "--depth", "2"]);
    insta::assert_snapshot!("why_two_rules_deep", answer.stdout);
}

#[test]
fn a_session() {
    let commands = "next\ngoto 6\ntables participant[0]\nnetwork\nfind votes(_, _, _)\nfind reply(_)\nback\nevents\nquit\nnonsense\n";
    let answer = session(&hasty(), commands);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("session", answer.stdout);
}

#[test]
fn a_session_ends_at_a_command_that_cannot_be_done() {
    let desk = hasty();
    for (commands, expected) in
        [("jump\n", "no command `jump`"), ("goto 99\n", "no event `99`"), ("why x\n", "of the form")]
    {
        let answer = session(&desk, &format!("{commands}events\n"));
        assert_eq!(answer.status, 2, "{commands}");
        assert!(answer.stderr.contains(expected), "{commands}: {}", answer.stderr);
        assert!(!answer.stdout.contains("gets a message"), "{commands}: {}", answer.stdout);
    }
}

#[test]
fn a_seed_is_walked_as_its_trace_is() {
    let desk = hasty();
    let by_seed = desk.menard(&["step", "voting.ded", "--seed", "1", "--at", "6"]);
    assert_eq!((by_seed.status, by_seed.stdout), (0, step(&desk, &["--at", "6"]).stdout));
}

#[test]
fn rewritten_programs_can_be_walked() {
    let desk = Desk::new();
    let words = ["sim", "voting", "--plan", "scalable", "--runs", "1", "--seed", "3", "--trace", "run.json"];
    assert_eq!(desk.menard(&words).status, 0);
    let words = ["step", "voting", "--plan", "scalable", "--trace", "run.json"];
    let (status, json) = desk.json(&words);
    let events = json["events"].as_array().expect("there are events");
    assert_eq!((status, desk.json(&["step", "voting", "--plan", "scalable", "--seed", "3"]).1), (0, json.clone()));
    let replies = |event: &&serde_json::Value| event["sends"].to_string().contains("reply(");
    let event = events.iter().find(replies).expect("somebody replies");
    let at = event["event"].as_str().expect("it has a number");
    assert!(event["node"].as_str().is_some_and(|node| node.starts_with("collector.")), "{event}");
    let (status, json) = desk.json(&[&words[..], &["--at", at, "--why", "reply(_)"]].concat());
    assert_eq!((status, &json["holds"]), (0, &true.into()));
    let text = json.to_string();
    assert!(text.contains("sent from outside") && text.contains("after line 5 of scalable"), "{text}");
    // Without the plan it is another program.
    let answer = desk.menard(&["step", "voting", "--trace", "run.json", "--at", "1"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    assert!(answer.stderr.contains("is no run of this program"), "{}", answer.stderr);
}

#[test]
fn bad_questions_say_what_to_do() {
    let desk = hasty();
    let cases = [
        (&["--at", "99"][..], "there is no event `99`"),
        (&["--at", "6", "--node", "leadr"], "did you mean `leader`?"),
        (&["--at", "6", "--why", "reply"], "is not of the form"),
        (&["--at", "6", "--why", "reply(7"], "is not of the form"),
        (&["--at", "6", "--why", "repyl(7)"], "has no relation `repyl`"),
        (&["--at", "6", "--why", "votes(7)"], "has the columns (c: node, id: int"),
        (&["--at", "6", "--why", "votes(1, 2, 3)"], "has the columns (c: node, id: int"),
        (&["--at", "6", "--why", "voted(client[0], 7, participant[9])"], "there is no node `participant[9]`"),
        (&["--at", "7", "--why", "votes(_, _, _)"], "is no step of a node"),
    ];
    for (words, expected) in cases {
        let answer = step(&desk, words);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{words:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(expected) && answer.stderr.contains("help: "), "{words:?}: {}", answer.stderr);
    }
}

#[test]
fn bad_traces_are_refused() {
    let desk = hasty();
    let good = desk.read("run.json");
    let cases = [
        ("nonsense".to_owned(), 2, "is no trace"),
        (good.replace("\"drained\"", "\"dry\""), 2, "is no trace"),
        (good.replace("\"inject\"", "\"send\""), 2, "is no trace"),
        (good.replace("reply(7)", "reply 7"), 2, "is no trace: entry"),
        (good.replace("vote(", "veto("), 1, "is no message of the program"),
        (good.replace("reply(7)", "reply(true)"), 1, "is no message of the program"),
        (good.replace("\"leader\"", "\"ladder\""), 1, "there is no node `ladder`"),
        (good.replace("reply(7)", "reply(8)"), 1, "cannot happen: the message is not in flight"),
        (
            good.replace("\"sends\":[\"vote(client[0], 7) from participant[2] to leader\"]", "\"sends\":[]"),
            1,
            "event 4",
        ),
        (good.replacen("{\"event\":\"step\",\"at\":\"leader\",\"takes\":[],\"sends\":[]},\n", "", 1), 1, "event"),
    ];
    for (text, status, expected) in cases {
        assert_ne!(text, good, "{expected}");
        desk.write("run.json", text.as_bytes());
        let answer = step(&desk, &["--at", "1"]);
        assert_eq!((answer.status, answer.stdout.as_str()), (status, ""), "{text}: {}", answer.stderr);
        assert!(answer.stderr.contains(expected) && answer.stderr.contains("help: "), "{expected}: {}", answer.stderr);
    }
    let answer = desk.menard(&["step", "voting.ded", "--trace", "nowhere.json"]);
    assert_eq!((answer.status, answer.stderr.contains("check the path")), (2, true), "{}", answer.stderr);
}

#[test]
fn a_trace_needs_a_run_that_is_shown() {
    let desk = Desk::new();
    let answer = desk.menard(&["sim", "voting", "--runs", "3", "--trace", "run.json"]);
    assert_eq!((answer.status, desk.path().join("run.json").exists()), (0, false));
    assert!(answer.stderr.contains("add --runs 1"), "{}", answer.stderr);
    let answer = desk.menard(&["sim", "voting", "--runs", "1", "--trace", "no/such/folder.json"]);
    assert_eq!((answer.status, answer.stderr.contains("check the path")), (2, true), "{}", answer.stderr);
}
