//! Where printed rules of asymmetric decoupling are wrong: held outputs that are never let go, and outputs that are held as one.

mod common;

use common::{apply_all, program, refine};
use menard_opt::Stage;

/// Stores answer what the server asks. It notes every answer; only of some are the others told.
const ORIGINAL: &str = "
protocol errata
role client external
role server
role store[2]
channel put(k: int)           client -> server
channel ask(k: int)           server -> store
channel got(k: int)           store -> server
channel note(k: int)          server -> store
channel done(k: int, n: int)  server -> store
component server {
  table had(k: int)
  table last(=> n: int) max
  ask(k)@s     :~ put(k), store(s)
  last(0)      :- start()
  last(n + 1)  :+ last(n), put(_)
  done(k, n)@s :~ first(k), last(n), store(s)
  had(k)       :- got(k)
  first(k)     :- new had(k), k > 1
  note(k)@s    :~ got(k), store(s)
}
component store {
  got(k)@s    :~ ask(k) from s
  kept(k)     :- note(k)
  kept(k)     :- done(k, _)
  known(k)    :- kept(k)
}
";

const LINE: &str = "decouple server { had, first, note } into counter using asymmetric";

/// How many of many runs are wrong if these lines of the rewritten program are others.
fn wrong_runs(original: &str, changes: &[(&str, &str)]) -> u64 {
    let original = program(original);
    let ours = apply_all(&original, &[LINE]).remove(0);
    let mut text = ours.program.source.text.to_string();
    for (from, to) in changes {
        let line = text.lines().find(|line| line.trim_start().starts_with(from));
        let line = line.unwrap_or_else(|| panic!("there is no line `{from}`\n{text}")).to_owned();
        text = text.replace(&line, to);
    }
    let report = refine::check(&original, &[Stage { program: program(&text), ..ours }], 300, 10);
    assert!(report.drained_runs > 100);
    report.wrong_runs
}

#[test]
fn outputs_held_by_step_refine() {
    assert_eq!(wrong_runs(ORIGINAL, &[]), 0);
}

/// E5: what is sent before there is any batch waits for an acknowledgement, and none ever comes.
#[test]
fn an_output_held_before_any_batch_is_never_let_go() {
    let seldom = ORIGINAL.replace("k > 1", "k > 5");
    assert_eq!(wrong_runs(&seldom, &[]), 0);
    assert!(wrong_runs(&seldom, &[("acknowledged(0)", "")]) > 10);
}

/// E5, in a form that mends it: outputs are held by the batch that they wait for. What two steps send after one batch is then one message.
#[test]
fn outputs_held_by_batch_are_lost() {
    let by_batch = [
        ("window table note_held", "  table note_held(batch: int, k: int, receiver: node)"),
        (
            "note_held(step + 1",
            "  note_held(b, k, r) :- note_due(k, r), server_batches(b), !first(_)
           note_held(b + 1, k, r) :- note_due(k, r), server_batches(b), first(_)
           let_go(b, k, r) :- note_held(b, k, r), acknowledged(a), b <= a
           delete note_held(b, k, r) :+ new let_go(b, k, r)",
        ),
        ("note(k)@receiver", "  note(k)@r :~ new let_go(_, k, r)"),
    ];
    assert!(wrong_runs(ORIGINAL, &by_batch) > 0);
}

/// E5: the barrier is grouped over all that is held. What does not wait lets go what does: it arrives before its cause.
#[test]
fn an_output_that_is_let_go_with_others_comes_too_early() {
    let together = [(
        "free(step + 1)",
        "  free(step + 1) :- passed(step), barrier(step + 1, _), least(b), acknowledged(a), b <= a
           least(min(b)) :- barrier(_, b)",
    )];
    assert!(wrong_runs(ORIGINAL, &together) > 0);
}
