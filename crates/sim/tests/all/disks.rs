//! Durable tables: what was said to others survives a restart, and nothing is said before it would.

use std::collections::BTreeMap;

use menard_lang::run::{Address, Event, Message};
use menard_sim::explain::Chronicle;
use menard_sim::{Brevity, Config, Replayer, campaign, schedule_of, shrink, simulate, space_time};

use crate::programs::{observe, prepare};

/// Numbers what it is told to count, each with a number of its own.
const COUNTER: &str = "protocol counter
    role client external
    role server
    fault restart 1 of server
    channel add(id: int)           client -> server serial
    channel done(id: int, n: int)  server -> client
    component server {
      durable table value(=> n: int) max
      value(0)          :+ start(), !value(_)
      value(n + 1)      :+ add(_), value(n)
      done(id, n + 1)@c :~ add(id) from c, value(n)
    }";

const NO_NUMBER_TWICE: &str = "properties of counter
    violation(\"a number twice\", n) :- done(a, n) to c, done(b, n) to d, a != b
    violation(\"a number twice\", n) :- done(a, n) to c, done(b, n) to d, c != d";

#[test]
fn what_is_acknowledged_survives_restarts() {
    let (program, prepared) = prepare(COUNTER, Config::default());
    let observer = observe(&program, NO_NUMBER_TWICE);
    let report = campaign(&prepared, Some(&observer), &[], 3_000, 0, &mut |_| {});
    assert_eq!(report.violations, []);
    assert!(report.blows > 2_000 && report.replies > 10_000, "{report:?}");
}

#[test]
fn a_table_that_is_not_durable_is_found_out() {
    let forgetful = COUNTER.replace("durable table", "table");
    let (program, prepared) = prepare(&forgetful, Config::default());
    let observer = observe(&program, NO_NUMBER_TWICE);
    let report = campaign(&prepared, Some(&observer), &[], 500, 0, &mut |_| {});
    assert!(report.wrong_runs > 50, "{} runs", report.wrong_runs);
    let found = &report.violations[0];
    let run = simulate(&prepared, Some(&observer), &found.descent);
    let small = shrink(&prepared, Some(&observer), &run.trace, Brevity::Messages, &mut |run| run.violation.is_some());
    insta::assert_snapshot!(space_time(prepared.names(), &small.trace, small.violation.as_ref()), @r#"
        ┌ client[0]
        │  ┌ client[1]
        │  │  ┌ server
     1  │  ●  │  client[1] sends m1 ▸ add(6) to server
     2  │  ├─▶●  server takes m1 add(6) from client[1]
        │  │  │      m2 ▸ done(6, 1) to client[1]
     3  ●  │  │  client[0] sends m3 ▸ add(3) to server
     4  │  ●  │  client[1] sends m4 ▸ add(5) to server
     5  │  ●  │  client[1] sends m5 ▸ add(1) to server
     6  │  ●  │  client[1] sends m6 ▸ add(2) to server
     7  │  ●  │  client[1] sends m7 ▸ add(4) to server
     8  │  ├─▶●  server takes m5 add(1) from client[1]
        │  │  │      m8 ▸ done(1, 2) to client[1]
     9  ●  │  │  client[0] sends m9 ▸ add(4) to server
    10  ●  │  │  client[0] sends m10 ▸ add(1) to server
    11  ├──┼─▶●  server takes m3 add(3) from client[0]
        │  │  │      m11 ▸ done(3, 3) to client[0]
    12  ├──┼─▶●  server takes m10 add(1) from client[0]
        │  │  │      m12 ▸ done(1, 4) to client[0]
    13  │  ├─▶●  server takes m7 add(4) from client[1]
        │  │  │      m13 ▸ done(4, 5) to client[1]
    14  │  │  ↻  server restarts
    15  │  │  │  again: m14 ▸ add(4) to server from client[1]
    16  │  │  │  again: m15 ▸ add(1) to server from client[0]
    17  │  ●◀─┤  client[1] takes m13 done(4, 5) from server
    18  │  ├─▶●  server takes m14 add(4) from client[1]
        │  │  │      m16 ▸ done(4, 1) to client[1]
    19  ├──┼─▶●  server takes m15 add(1) from client[0]
        │  │  │      m17 ▸ done(1, 2) to client[0]
    20  │  ├─▶●  server takes m4 add(5) from client[1]
        │  │  │      m18 ▸ done(5, 3) to client[1]
    21  ├──┼─▶●  server takes m9 add(4) from client[0]
        │  │  │      m19 ▸ done(4, 4) to client[0]
    22  │  ├─▶●  server takes m6 add(2) from client[1]
        │  │  │      m20 ▸ done(2, 5) to client[1]
    23  │  ●◀─┤  client[1] takes m20 done(2, 5) from server
     ✗  violation("a number twice", 5)
    "#);
}

/// Follows the turns of the server in a trace: what a turn sends leaves when the disk has the turn, and a restart takes what waits.
#[test]
fn nothing_is_said_before_the_disk_has_it() {
    let (_, prepared) = prepare(COUNTER, Config::default());
    let (mut late, mut gone) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        // Turns that wait for the disk, with what they send; the first one puts a number into the empty table.
        let mut turns: Vec<Vec<&Message>> = vec![Vec::new()];
        let mut empty = true;
        let mut said: Vec<&Message> = Vec::new();
        for event in &run.trace.events {
            match event {
                Event::Step { inputs, .. } if inputs.is_empty() => {}
                Event::Step { outputs, .. } => turns.push(outputs.iter().collect()),
                Event::Sync { .. } => {
                    said.extend(turns.remove(0));
                    empty = false;
                }
                Event::Restart { .. } => {
                    gone += turns.len();
                    turns = vec![Vec::new(); usize::from(empty)];
                }
                Event::Take { message, .. } if message.channel == "done" => {
                    assert!(said.contains(&message), "seed {seed}: {message:?}");
                }
                _ => {}
            }
            late += usize::from(turns.len() > 1);
        }
    }
    assert!(late > 500 && gone > 100, "{late} {gone}");
}

#[test]
fn a_restarted_node_has_what_its_disk_has() {
    let (program, prepared) = prepare(COUNTER, Config::default());
    let mut kept: BTreeMap<bool, u32> = BTreeMap::new();
    for seed in 0..200 {
        let run = simulate(&prepared, None, seed);
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).expect("a run with a disk can be repeated");
        assert_eq!(replayer.trace(), run.trace);
        let chronicle =
            Chronicle::new(&program, &prepared, &run.trace).expect("the engine does what the semantics say");
        let server = &prepared.addresses()[0];
        for (position, event) in run.trace.events.iter().enumerate() {
            let Event::Restart { .. } = event else { continue };
            let before = value(&chronicle, server, position - 1);
            let after = value(&chronicle, server, (position + 2).min(chronicle.len() - 1));
            assert!(after <= before, "seed {seed}");
            *kept.entry(after == before).or_default() += 1;
        }
    }
    assert!(kept[&true] > 30 && kept[&false] > 10, "{kept:?}");
}

fn value(chronicle: &Chronicle<'_>, at: &Address, event: usize) -> i64 {
    let tables = chronicle.tables(at, event);
    let row = tables.get("value").and_then(|rows| rows.first().cloned());
    row.and_then(|row| row[0].as_int()).unwrap_or(0)
}
