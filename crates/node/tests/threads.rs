//! An idle deployment uses no CPU, and a stopped one leaves no thread. Alone in its file: it looks at the threads of the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "threads can be seen to sleep only over time")]

mod common;

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use common::{measure, short, voting};
use menard_node::{Config, Deployment, RunError};

/// For each thread of a deployment, how often it was put to sleep by its own wish: how often it woke up.
fn wake_ups() -> Vec<u64> {
    let tasks = fs::read_dir("/proc/self/task").expect("the system lists threads").flatten();
    let ours =
        tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with("menard ")));
    let wake_ups = ours.map(|task| {
        let status = fs::read_to_string(task.path().join("status")).expect("the system knows its threads");
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.expect("there is such a line").trim().parse().expect("it is a number")
    });
    wake_ups.collect()
}

#[test]
fn threads_sleep_when_idle_and_are_gone_when_stopped() {
    let deployment = Deployment::start(&voting(), &short()).expect("voting starts");
    // Starting takes a moment, longer where others use the machine; then half a second passes in which nobody wakes up.
    let idle = (0..20).any(|_| {
        let before = wake_ups();
        sleep(Duration::from_millis(500));
        before.len() == 4 && wake_ups() == before
    });
    assert!(idle, "nodes without work wake up");
    deployment.stop().expect("voting stops");
    assert_eq!(wake_ups(), [0_u64; 0]);

    drop(Deployment::start(&voting(), &short()).expect("voting starts"));
    assert_eq!(wake_ups(), [0_u64; 0]);

    measure(&voting(), &Config { duration_s: 0.2, ..short() }).expect("voting runs");
    assert_eq!(wake_ups(), [0_u64; 0]);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base_port = taken.local_addr().expect("a bound listener has an address").port() - 2;
    let error = measure(&voting(), &Config { base_port, ..short() }).expect_err("the port is taken");
    match &error {
        RunError::PortInUse { address, .. } => assert!((base_port..=base_port + 2).contains(&address.port())),
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("choose another `base_port`"), "{error}");
    assert_eq!(wake_ups(), [0_u64; 0]);
}
