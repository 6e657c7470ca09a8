//! Channels that are authenticated in part, under other rewrites and after them.

mod common;

use common::{apply_all, apply_without, program, refine};
use menard_lang::ir::Name;
use menard_lang::{Program, Source, plan};
use menard_opt::{PlanError, Stage, apply_plan, why_not};

/// A server notes what clients say, with a digest; stores keep it, and tell. MACs cover the digest.
const NOTES: &str = "
protocol notes
role client external
role server
role store[3]
fault byzantine 1 of store
channel put(k: int, v: int)              client -> server
channel note(k: int, v: int, d: digest)  server -> store authenticated(k, d)
channel seen(k: int, v: int)             store -> server
channel big(k: int, v: int)              store -> server
component server {
  note(k, v, hash(v))@s :~ put(k, v), store(s)
  got(k, v)             :- seen(k, v)
  known(k, v)           :- big(k, v)
}
component store {
  table kept(k: int, v: int)
  kept(k, v)   :- note(k, v, d), d == hash(v)
  seen(k, v)@s :~ note(k, v, d) from s, d == hash(v)
  big(k, v)@s  :~ new kept(k, v), v > 2, server(s)
}
";

/// Servers, of which one may lie, compute digests, and others send what was computed.
const DIGESTS: &str = "
protocol digests
role client external
role server[2]
role store
fault byzantine 1 of server
channel put(k: int, v: int)              client -> server
channel note(k: int, v: int, d: digest)  server -> store
component server {
  whole(k, v, hash(v)) :- put(k, v)
  note(k, v, d)@s      :~ whole(k, v, d), store(s)
}
component store {
  table kept(k: int, v: int, d: digest)
  kept(k, v, d) :- note(k, v, d)
}
";

fn covered(program: &Program, channel: &str) -> Vec<Name> {
    program.channel(channel).expect("the program has the channel").authenticated.clone()
}

/// The last program of these lines, each run of which is one of the original.
fn refined(text: &str, lines: &[&str]) -> Program {
    let original = program(text);
    let stages = apply_all(&original, lines);
    let report = refine::check(&original, &stages, 400, 10);
    let last = &stages.last().expect("there are lines").program;
    assert!(report.violations.is_empty(), "{lines:?}: {:?}\n{}", report.violations.first(), last.source.text);
    last.clone()
}

#[test]
fn rules_that_keep_their_checks_need_no_more() {
    for line in [
        "partition store by k into 2",
        "partition store by k % 5 into 2",
        "decouple store { big } into teller using functional",
        "decouple server { known } into knower using independent",
        "decouple server { got, known } into knower using state_machine",
    ] {
        assert_eq!(covered(&refined(NOTES, &[line]), "note"), ["k", "d"], "{line}");
    }
}

#[test]
fn what_is_handed_on_is_authenticated_as_a_whole() {
    for line in [
        "decouple store { seen } into teller using functional",
        "decouple store { kept, big } into keeper using monotonic",
        "decouple store { kept, big, seen } into keeper using state_machine",
        "decouple store { note } into keeper using prefix",
    ] {
        let rewritten = refined(NOTES, &[line]);
        let is_handed_on = rewritten.channels.iter().any(|channel| channel.name.starts_with("note_"));
        let expected: &[&str] = if is_handed_on { &[] } else { &["k", "d"] };
        assert_eq!(covered(&rewritten, "note"), expected, "{line}\n{}", rewritten.source.text);
    }
}

#[test]
fn a_channel_that_a_rewrite_made_gets_the_check() {
    let lines = ["decouple server { note } into sender using functional", "authenticate whole_to_sender by k, d"];
    let rewritten = refined(DIGESTS, &lines);
    assert_eq!(covered(&rewritten, "whole_to_sender"), ["k", "d"]);
    assert!(
        rewritten.source.text.contains("whole_to_sender(k, v, d) from me, store(s), d == hash(v)"),
        "{}",
        rewritten.source.text
    );
}

#[test]
fn what_liars_send_is_checked_already_or_not_at_all() {
    let line = "authenticate note by k, d";
    let Err(PlanError::Refused { refusals, .. }) = apply_without(&program(DIGESTS), line, None) else {
        panic!("a liar may send any digest")
    };
    assert_eq!(refusals[0].precondition, "A1.4");
    let checked = DIGESTS.replace(":- note(k, v, d)", ":- note(k, v, d), d == hash(v)");
    assert_eq!(covered(&refined(&checked, &[line]), "note"), ["k", "d"]);
}

#[test]
fn fewer_and_fewer_columns_are_covered() {
    let text = NOTES.replace(" authenticated(k, d)", "").replace("note(k, v, hash(v))", "note(hash(v) , v, hash(v))");
    let text = text.replace("note(k: int,", "note(k: digest,").replace("kept(k: int,", "kept(k: digest,");
    let text = text.replace("seen(k: int,", "seen(k: digest,").replace("big(k: int,", "big(k: digest,");
    let lines = ["authenticate note by k, d", "authenticate note by d"];
    let rewritten = refined(&text, &lines);
    assert_eq!(covered(&rewritten, "note"), ["d"]);
    let error = apply_without(&rewritten, "authenticate note by k, d", None).err().map(|error| error.render(false));
    assert!(error.is_some_and(|error| error.contains("do not cover `k`")));
}

/// What a plan of these lines makes of a program.
fn planned(text: &str, lines: &str) -> (Program, Vec<Stage>) {
    let original = program(text);
    let plan = plan::parse(&Source::new("test.plan", format!("plan test for digests\n{lines}\n")), &[]);
    let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
    let stages = apply_plan(&original, &plan).unwrap_or_else(|error| panic!("{}", error.render(false)));
    (original, stages)
}

#[test]
fn liars_imply_that_less_is_covered_where_receivers_check_already() {
    let long = DIGESTS.replace("v: int", "v: bytes");
    let checked = long.replace(":- note(k, v, d)", ":- note(k, v, d), d == hash(v)");
    let line = "partition store by k into 2";
    let (original, stages) = planned(&checked, line);
    let lines: Vec<(&str, bool)> = stages.iter().map(|stage| (stage.line.as_str(), stage.implied)).collect();
    assert_eq!(lines, [(line, false), ("authenticate note by k, d", true)]);
    let report = refine::check(&original, &stages, 400, 10);
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    // Nobody checks, nobody lies, nothing is long, the channel is as it was, or the plan says it itself.
    for (text, lines) in [
        (long.clone(), line),
        (checked.replace("fault byzantine 1 of server", ""), line),
        (DIGESTS.replace(":- note(k, v, d)", ":- note(k, v, d), d == hash(v)"), line),
        (checked.clone(), "decouple server { note } into sender using functional"),
        (checked.clone(), "authenticate note by k, d\npartition store by k into 2"),
        (checked.clone(), ""),
    ] {
        let (_, stages) = planned(&text, lines);
        assert!(!stages.iter().any(|stage| stage.implied), "{lines}\n{text}");
    }
}

#[test]
fn what_is_implied_is_no_line_of_the_plan() {
    let text = DIGESTS.replace("v: int", "v: bytes").replace(":- note(k, v, d)", ":- note(k, v, d), d == hash(v)");
    let plan = plan::parse(&Source::new("test.plan", "plan test for digests\npartition store by k into 2\n"), &[]);
    let plan = plan.expect("the plan is well-formed");
    // One may still ask for it, or for something else.
    for line in ["authenticate note by k, d", "authenticate note by k, v"] {
        let stages = why_not(&program(&text), &plan, line).unwrap_or_else(|error| panic!("{}", error.render(false)));
        assert_eq!(stages.len(), 1, "{line}");
    }
}
