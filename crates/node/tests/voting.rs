//! Voting, for real: every command is answered, nothing is dropped, and a run ends when it is told to.

#![allow(clippy::disallowed_methods, reason = "how long a run takes to stop is what is tested")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{measure, short, voting};
use menard_lang::compile_text;
use menard_node::{Config, Progress, RunError, run};

#[test]
fn every_command_is_answered_and_nothing_is_dropped() {
    let report = measure(&voting(), &short()).expect("voting runs");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.unexpected_replies, report.duplicate_replies, report.unanswered), (0, 0, 0));
    assert!(report.dropped().is_empty(), "{:?}", report.dropped());
    let names: Vec<&str> = report.nodes.iter().map(|node| node.node.as_str()).collect();
    assert_eq!(names, ["leader", "participant[0]", "participant[1]", "participant[2]"]);
    // A request, three ballots, three votes, a reply.
    assert!((report.messages_per_command - 8.0).abs() < 0.4, "{}", report.messages_per_command);
    assert_eq!(report.busiest.node, "leader");
    assert!((report.bound_per_s * report.busiest.cpu_us_per_command - 1e6).abs() < 1.0);
}

#[test]
fn the_longest_commands_fill_no_queue() {
    let config = Config { clients: 200, payload_bytes: 65_536.into(), queue_limit_bytes: 8 << 20, ..short() };
    let report = measure(&voting(), &config).expect("voting runs");
    assert!(report.commands > 100, "{report:#?}");
}

#[test]
fn a_run_stops_within_a_second_of_being_told() {
    let stop = AtomicBool::new(false);
    let mut told = None;
    let config = Config { duration_s: 600.0, ..short() };
    let mut on_progress = |progress| {
        if progress == Progress::Measuring {
            stop.store(true, Ordering::Relaxed);
            told = Some(Instant::now());
        }
    };
    let ended = run(&voting(), &config, &mut on_progress, &stop);
    let told = told.expect("the measurement began");
    assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    match ended {
        Ok(report) => assert!(report.stopped_early),
        Err(error) => assert!(matches!(error, RunError::Stopped), "{error}"),
    }
}

#[test]
fn a_run_that_is_stopped_at_once_says_so() {
    let error = run(&voting(), &short(), &mut |_| {}, &AtomicBool::new(true)).expect_err("nothing was measured");
    assert!(matches!(error, RunError::Stopped), "{error}");
}

#[test]
fn progress_tells_all_stages_in_order() {
    let mut stages = Vec::new();
    let config = Config { duration_s: 1.5, ..short() };
    let mut on_progress = |progress: Progress| match progress {
        Progress::Started(nodes) => stages.push(format!("started {}", nodes.len())),
        Progress::Second(second) => assert!(second.throughput_per_s > 0.0),
        other => stages.push(format!("{other:?}")),
    };
    run(&voting(), &config, &mut on_progress, &AtomicBool::new(false)).expect("voting runs");
    assert_eq!(stages, ["started 4", "WarmingUp", "Measuring", "Stopping"]);
}

#[test]
fn commands_may_be_answered_in_several_ways() {
    let text = "protocol parity
        role client external
        role server
        channel ask(id: int, what: bytes) client -> server
        channel even(id: int) server -> client
        channel odd(what: int, id: int) server -> client
        component server {
          even(id)@c :~ ask(id, _) from c, id % 2 == 0
          odd(7, id)@c :~ ask(id, _) from c, id % 2 == 1
        }";
    let report = measure(&compile_text(text), &short()).expect("it runs");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.unexpected_replies, report.duplicate_replies, report.unanswered), (0, 0, 0));
}
