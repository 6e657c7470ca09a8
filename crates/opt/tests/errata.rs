//! Where printed rules of the literature are wrong: written out as they are printed, they do what the original does not. Ours do not.
//!
//! The mechanism of state-machine decoupling, in the technical report's form: batches have the number of the step, and name the one before.

mod common;

use std::sync::Arc;

use common::{apply_all, program, refine};
use menard_lang::run::{Address, Event, Struck};
use menard_opt::Stage;
use menard_sim::{Config, Prepared, Replayer, schedule_of, simulate};

/// The server notes what it is told; `note` asks for what was absent before, so that two batches must neither be mixed nor lost.
const ORIGINAL: &str = "
protocol errata
role client external
role server
role store[2]
channel put(k: int)           client -> server
channel drop(k: int)          client -> server
channel note(k: int, n: int)  server -> store
channel again(k: int)         server -> store
component server {
  table count_of(=> n: int) max
  count_of(0)     :- start()
  count_of(n + 1) :+ count_of(n), put(_)
  note(k, n)@s    :~ put(k), count_of(n), store(s)
  again(k)@s      :~ drop(k), store(s)
}
component store {
  table kept(k: int, n: int)
  kept(k, n) :- note(k, n)
  kept(k, 0) :- again(k)
}
";

const LINE: &str = "decouple server { count_of, note } into noter using state_machine";

/// What stays, and what moves, of a mechanism in the report's form. The clock of the steps counts all of them that take a message.
fn literal(last: &str, released: &str) -> String {
    let (head, body) = ORIGINAL.split_once("component server {").expect("there is a server");
    let (_, store) = body.split_once("component store {").expect("there are stores");
    let head = head.replace("channel note(k: int, n: int)  server", "channel note(k: int, n: int)  noter");
    format!(
        "{head}
channel put_to_noter(batch: int, k: int)                       server -> noter
channel batch_to_noter(batch: int, facts: int, previous: int)  server -> noter
component server {{
  again(k)@s :~ drop(k), store(s)
  table now(=> t: int) max
  now(1)     :- start()
  any()      :- put(_)
  any()      :- drop(_)
  now(t + 1) :+ now(t), any()
  size(count(k))          :- put(k)
  put_to_noter(t, k)@me   :~ put(k), now(t)
  batch_to_noter(t, n, p)@me :~ size(n), now(t), last_batch(p)
  table last_batch(t: int)
  last_batch(0)           :- start()
  {last}
}}
component noter of server {{
  table waiting(t: int, k: int)
  table batch(t: int, n: int, p: int)
  table done(t: int)
  done(0)         :- start()
  waiting(t, k)   :- put_to_noter(t, k)
  batch(t, n, p)  :- batch_to_noter(t, n, p)
  have(t, count(k)) :- waiting(t, k)
  {released}
  table count_of(=> n: int) max
  count_of(0)     :- start()
  count_of(n + 1) :+ count_of(n), put_released(_)
  note(k, n)@s    :~ put_released(k), count_of(n), store(s)
}}
component store {{{store}"
    )
}

/// The register of the last batch, as it should be.
const LAST: &str = "last_batch(t) :+ size(_), now(t)
  delete last_batch(p) :+ size(_), last_batch(p)";

/// The release of batches, as it should be.
const RELEASED: &str = "ready(t)        :- batch(t, n, p), have(t, n), done(p)
  put_released(k) :- new ready(t), waiting(t, k)
  done(t)         :+ new ready(t)
  delete done(p)         :+ new ready(t), batch(t, _, p)
  delete waiting(t, _)   :+ new ready(t)
  delete batch(t, _, _)  :+ new ready(t)";

/// Whether a program in the report's form does what the original does, if lifted as ours is.
fn violations(last: &str, released: &str) -> usize {
    let original = program(ORIGINAL);
    let ours = apply_all(&original, &[LINE]).remove(0);
    let stage = Stage { program: program(&literal(last, released)), lift: Arc::clone(&ours.lift), ..ours };
    let report = refine::check(&original, &[stage], 400, 10);
    report.violations.len()
}

#[test]
fn ours_refines() {
    let original = program(ORIGINAL);
    let report = refine::check(&original, &apply_all(&original, &[LINE]), 400, 10);
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    assert!(report.drained_runs > 300 && report.channels["note"] > 300);
}

/// The report's form with its errors mended is right as well, so it is the errors that the next tests show.
#[test]
fn the_reports_form_mended_refines() {
    assert_eq!(violations(LAST, RELEASED), 0);
}

/// E3: the register of the batch before takes the present time in steps without a batch, so batches name one that does not exist.
#[test]
fn a_register_that_moves_on_without_a_batch_loses_batches() {
    let last = "last_batch(t) :+ now(t), any(), !size(_)
  last_batch(t) :+ size(_), now(t)
  delete last_batch(p) :+ any(), last_batch(p)";
    assert!(violations(last, RELEASED) > 0);
}

/// E4: what is released stays and is released again in the next step.
#[test]
fn a_batch_that_stays_is_released_again() {
    let released = "ready(t)        :- batch(t, n, p), have(t, n), done(p)
  put_released(k) :- told(), ready(t), waiting(t, k)
  told()          :- put_to_noter(_, _)
  told()          :- batch_to_noter(_, _, _)
  done(t)         :+ told(), ready(t)";
    assert!(violations(LAST, released) > 0);
}

/// F1: two answers, each from a memory of its own. Halves that restart as one do what the original does; one that restarts alone does not.
#[test]
fn halves_that_restart_alone_are_no_node_that_restarts() {
    const MEMORIES: &str = "
protocol memories
role client external
role front
role server
fault restart 1 of server
channel ask_a(x: int)       client -> front
channel ask_b(x: int)       client -> front
channel a(c: node, x: int)  front -> server
channel b(c: node, x: int)  front -> server
channel new_a(x: int)       server -> client
channel new_b(x: int)       server -> client
component front {
  a(c, x)@s :~ ask_a(x) from c, server(s)
  b(c, x)@s :~ ask_b(x) from c, server(s)
}
component server {
  table seen_a(x: int)
  table seen_b(x: int)
  seen_a(x)  :+ a(_, x)
  new_a(x)@c :~ a(c, x), !seen_a(x)
  seen_b(x)  :+ b(_, x)
  new_b(x)@c :~ b(c, x), !seen_b(x)
}";
    let original = program(MEMORIES);
    let stages = apply_all(&original, &["decouple server { new_b } into other using independent"]);
    let report = refine::check(&original, &stages, 300, 12);
    assert!(report.violations.is_empty() && report.blows > 50, "{report:?}");

    let config = Config { requests: 12, ..Config::default() };
    let (before, after) = (Prepared::new(&original, config.clone()), Prepared::new(&stages[0].program, config));
    let checked = [menard_sim::Stage { original: &before, lift: &*stages[0].lift }];
    let mut replayer = Replayer::new(&after, None);
    let differs = |seed: &u64| {
        let mut schedule = schedule_of(&simulate(&after, None, *seed).trace);
        for event in &mut schedule.events {
            if let Event::Restart { whom } = event {
                *whom = Struck::Part(Address { node: whom.node(), component: "other".into(), part: 0 });
            }
        }
        replayer.replay_leniently(&schedule);
        menard_sim::refine(&checked, &replayer.trace()).is_err()
    };
    let wrong_runs = (0..300).filter(differs).count();
    assert!(wrong_runs > 10, "{wrong_runs} runs in which one half restarts");
}
