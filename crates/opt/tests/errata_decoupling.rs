//! Where printed rules and preconditions of decoupling and partitioning are wrong or incomplete: in the literal form a rewritten program does what the
//! original does not, or is refused for nothing. Literal forms are mechanisms written by hand, or rewrites that leave out a precondition.

mod common;

use std::sync::Arc;

use common::cases::cases;
use common::{apply_all, apply_by, apply_without, program, refine};
use menard_opt::mutant::KilledBy;
use menard_opt::{PlanError, Stage};
use menard_sim::{Difference, Wrong};

/// What is found wrong of a rewritten program: the differences, each with the channel of the message that shows it.
fn differences(original: &str, stage: &Stage) -> Vec<(Difference, String)> {
    let report = refine::check(&program(original), std::slice::from_ref(stage), 400, 10);
    let found = report.violations.iter().filter_map(|found| match &found.what {
        Wrong::Refinement(mismatch) => Some(mismatch),
        _ => None,
    });
    let channel = |mismatch: &menard_sim::Mismatch| {
        mismatch.message.as_ref().map_or(String::new(), |message| message.channel.to_string())
    };
    found.map(|mismatch| (mismatch.difference.clone(), channel(mismatch))).collect()
}

/// Whether a message is sent, or comes, that the original does not send.
fn invents(differences: &[(Difference, String)], channel: &str) -> bool {
    let is_invented = |difference: &Difference| matches!(difference, Difference::Invented | Difference::Blocked(_));
    differences.iter().any(|(difference, found)| is_invented(difference) && found == channel)
}

/// Whether a message is not sent that the original sends.
fn lacks(differences: &[(Difference, String)], channel: &str) -> bool {
    differences.iter().any(|(difference, found)| *difference == Difference::Missing && found == channel)
}

const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel again(k: int)         server -> store
";
const STORE: &str = "component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v)  kept(k, 0) :- again(k) }";

/// A server with these rules, and stores that keep what it notes.
fn server(rules: &str) -> String {
    let roles = "protocol errata\nrole client external\nrole server\nrole store[2]";
    format!("{roles}\n{CHANNELS}\ncomponent server {{\n{rules}\n}}\n{STORE}")
}

/// What our rewrite makes of a line, which refines, and the same with a change of its text.
fn changed(original: &str, line: &str, (ours, literal): (&str, &str)) -> (Stage, Stage) {
    let stage = apply_all(&program(original), &[line]).remove(0);
    assert_eq!(differences(original, &stage), []);
    let text = stage.program.source.text.to_string();
    assert!(text.contains(ours), "`{ours}` is in\n{text}");
    let literal =
        Stage { program: program(&text.replace(ours, literal)), lift: Arc::clone(&stage.lift), ..stage.clone() };
    (stage, literal)
}

/// What is wrong if a line is applied although a precondition does not hold, which ours refuses by it.
fn without(original: &str, line: &str, precondition: &str) -> Vec<(Difference, String)> {
    let Err(PlanError::Refused { refusals, .. }) = apply_without(&program(original), line, None) else {
        panic!("{precondition} should not hold")
    };
    assert_eq!(refusals[0].precondition, precondition);
    let stage = apply_without(&program(original), line, Some(precondition));
    differences(original, &stage.unwrap_or_else(|error| panic!("{}", error.render(false))))
}

/// E1: in a template of forwarding the address is bound to the wrong variable, so that what one node forwards goes to the new parts of others.
#[test]
fn forwarding_to_another_node_tells_what_that_node_does_not_know() {
    let original = server("note(k, v)@s :~ put(k, v), store(s)").replace("role server", "role server[2]");
    let line = "decouple server { note } into noter using functional";
    let own = "put_to_noter(k, v)@me :~ put(k, v)";
    let (_, literal) = changed(&original, line, (own, "put_to_noter(k, v)@n :~ put(k, v), server(n)"));
    assert!(invents(&differences(&original, &literal), "note"));
}

/// E2: that inputs of monotone rules are kept when they arrive does not make them last: the original may forget them.
#[test]
fn keeping_what_arrives_joins_what_the_original_never_had_together() {
    let original = server("note(k, v)@s :~ put(k, v), drop(k), store(s)");
    let line = "decouple server { note } into noter using state_machine";
    let told = apply_all(&program(&original), &[line]).remove(0);
    let text = server(
        "put_to_noter(k, v)@me :~ put(k, v)
         drop_to_noter(k)@me   :~ drop(k)",
    );
    let kept = "component noter of server {
           table put_kept(k: int, v: int)
           table drop_kept(k: int)
           put_kept(k, v) :- put_to_noter(k, v)
           drop_kept(k)   :- drop_to_noter(k)
           both(k, v)     :- put_kept(k, v), drop_kept(k)
           note(k, v)@s   :~ new both(k, v), store(s)
         }
         component store";
    let text = text
        .replace("note(k: int, v: int)  server", "note(k: int, v: int)  noter")
        .replace(
            "component server",
            "channel put_to_noter(k: int, v: int) server -> noter\nchannel drop_to_noter(k: int) server -> noter\ncomponent server",
        )
        .replace("component store", kept);
    let literal = Stage { program: program(&text), lift: Arc::clone(&told.lift), ..told };
    assert!(invents(&differences(&original, &literal), "note"));
    let ours = apply_by(&program(&original), &line.replace("state_machine", "monotonic"), "monotonic");
    assert!(matches!(ours, Err(PlanError::Refused { refusals, .. }) if refusals[0].precondition == "D3.4"));
}

/// C1: two rules on different nodes send what one node would have sent once. Here a channel has one sender, and nothing else can be written.
#[test]
fn a_channel_with_two_senders_would_tell_twice() {
    let found =
        |case: &common::cases::Case| case.precondition == "D1.3" && case.name == "a channel that both sides send on";
    let case = cases().into_iter().find(found).expect("there is such a near miss");
    assert_eq!(case.killed_by, KilledBy::Checker("E0605".to_owned()));
    let Err(PlanError::IllFormed { errors, .. }) = apply_without(&program(&case.broken), &case.line, Some("D1.3"))
    else {
        panic!("a channel has one sender")
    };
    assert_eq!(errors.iter().next().map(|error| error.code.name()), Some("E0605"));
}

/// A server that hands on what is put, to stores with these rules.
fn stores(rules: &str) -> String {
    format!(
        "protocol errata role client external role server role store[2]
         channel put(k: int, v: int)   client -> server
         channel note(k: int, v: int)  server -> store
         channel done(k: int, n: int)  store -> server
         component server {{
           table known(k: int, n: int)
           note(k, v)@s :~ put(k, v), store(s)
           known(k, n)  :- done(k, n)
         }}
         component store {{
           table kept(k: int, v: int)
           kept(k, v)   :- note(k, v)
           {rules}
         }}"
    )
}

/// C2: what is sent for as long as state holds is sent by every partition that has such state.
#[test]
fn every_partition_raises_the_alarm() {
    let original = stores("done(0, 0)@s :~ kept(_, 3), server(s)");
    assert!(invents(&without(&original, "partition store by k into 2", "P1.5"), "done"));
}

/// C3: a rule without anything that arrives holds on every partition, also for keys that are known elsewhere.
#[test]
fn every_partition_takes_the_keys_of_others_for_free() {
    let original = stores("slot(n) :- store(s), n = index_of(s)  done(n, 0)@s :~ slot(n), !kept(n, _), server(s)");
    assert!(invents(&without(&original, "partition store by k into 2", "P1.2"), "done"));
}

/// C5: what is forwarded comes from the node itself; who had sent it has to be a column.
#[test]
fn a_forwarded_message_forgets_its_sender() {
    let original = server("note(k, v)@s :~ put(k, v), store(s)\n told(k)@c :~ put(k, _) from c")
        .replace("channel again", "channel told(k: int) server -> client\nchannel again");
    let line = "decouple server { told } into teller using functional";
    let stage = apply_all(&program(&original), &[line]).remove(0);
    assert_eq!(differences(&original, &stage), []);
    let mut text = stage.program.source.text.to_string();
    for (ours, literal) in [
        ("put_to_teller(c: node, k: int)", "put_to_teller(k: int)"),
        ("put_to_teller(c, k)@me :~ put(k, _) from c", "put_to_teller(k)@me :~ put(k, _)"),
        ("put_to_teller(c, k)", "put_to_teller(k) from c"),
    ] {
        assert!(text.contains(ours), "`{ours}` is in\n{text}");
        text = text.replace(ours, literal);
    }
    let literal = Stage { program: program(&text), lift: Arc::clone(&stage.lift), ..stage };
    assert!(lacks(&differences(&original, &literal), "told"));
}

/// C6: a channel from a component to its own role is an output of the one rule and an input of the other. Read to the letter both would share it; but it is a
/// message already, and costs no other one if they part.
#[test]
fn a_channel_to_oneself_is_no_obstacle() {
    let original = "protocol errata role client external role server[2] role store
         channel put(k: int)   client -> server
         channel vote(k: int)  server -> server
         channel note(k: int)  server -> store
         component server {
           table votes(k: int, s: node)
           vote(k)@s            :~ put(k), server(s)
           votes(k, s)          :- vote(k) from s
           counted(k, count(s)) :- votes(k, s)
           note(k)@s            :~ new counted(k, 2), store(s)
         }
         component store { table kept(k: int) kept(k) :- note(k) }";
    let line = "decouple server { votes, counted, note } into counter using independent";
    let stage = apply_all(&program(original), &[line]).remove(0);
    assert!(stage.program.source.text.contains("vote(k: int)  server -> counter"), "{}", stage.program.source.text);
    assert_eq!(differences(original, &stage), []);
}

/// What is put is kept as long as it is above what was dropped.
const WINDOW: &str = "table low(=> k: int) max
     low(k)       :- drop(k)
     window table kept(k: int, v: int) above low
     kept(k, v)   :- put(k, v)
     ";
const BOTH: &str = "decouple server { both, note } into noter using monotonic";

/// C7, as proposed: a window counts as lasting if its floor is read by windows alone. What it is joined with comes to the new node when the original has
/// let the window's facts go.
#[test]
fn a_window_does_not_last_as_long_as_what_it_is_joined_with() {
    let rules = "table mark(k: int)
     mark(k)      :- drop(k)
     both(k, v)   :- kept(k, v), mark(v)
     note(k, v)@s :~ new both(k, v), store(s)";
    assert!(invents(&without(&server(&format!("{WINDOW}{rules}")), BOTH, "D3.7"), "note"));
}

const TWO: &str = "both(k, v)   :- kept(k, v), kept(k, w), v < w
     note(k, v)@s :~ new both(k, v), store(s)";

/// C7: what is gone must not be forgotten before it has arrived.
#[test]
fn forgetting_before_all_has_arrived_loses_conclusions() {
    let original = server(&format!("{WINDOW}{TWO}"));
    let counted = "kept_gone(k, facts), kept_arrived(k, facts)";
    let (_, literal) = changed(&original, BOTH, (counted, "kept_gone(k, _)"));
    assert!(lacks(&differences(&original, &literal), "note"));
}

/// A deletion that somebody has declared harmless is none if the key comes again: facts of two lives never were there together.
#[test]
fn lives_that_are_not_told_apart_are_joined() {
    let passes = "table kept(k: int, v: int)
     kept(k, v)   :- put(k, v)
     delete kept(k, _) :+ drop(k)
     ";
    let original = server(&format!("{passes}{TWO}"));
    let numbers = "kept_deletions(life + 1)                 :+ kept_goes(_), kept_deletions(life)";
    let (_, literal) = changed(&original, BOTH, (numbers, ""));
    assert!(invents(&differences(&original, &literal), "note"));
}

/// C8: `new` tells what one step brings about: of what may come again, or together with something else, it is a negation of the step before.
#[test]
fn new_is_no_monotone_condition() {
    let keeps = "table kept(k: int, v: int) kept(k, v) :- put(k, v) table mark(k: int) mark(k) :- drop(k)";
    let original = server(&format!("{keeps} note(k, v)@s :~ new kept(k, v), mark(k), store(s)"));
    let found = without(&original, "decouple server { note } into noter using monotonic", "D3.4");
    assert!(invents(&found, "note") || lacks(&found, "note"));
    // Of what lasts, and alone, it only says that one message is enough.
    let alone = original.replace("mark(k), store(s)", "store(s)");
    let stage = apply_all(&program(&alone), &["decouple server { note } into noter using monotonic"]).remove(0);
    assert_eq!(differences(&alone, &stage), []);
}
