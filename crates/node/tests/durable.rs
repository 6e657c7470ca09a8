//! Durable tables: what was acknowledged is there after a restart, in order and whole; disks that fail stop their node.

mod common;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use common::{measure, short};
use menard_lang::compile_text;
use menard_lang::ir::Program;
use menard_node::{Config, Deployment, Report, RunError, TemporaryFolder};

/// A server that keeps the number of every command, and answers when it has it.
fn keeper() -> Program {
    compile_text(
        "protocol keeper
         role client external
         role server
         channel put(id: int, what: bytes) client -> server
         channel done(id: int) server -> client
         component server {
           durable table kept(c: node, id: int, what: bytes)
           kept(c, id, what) :+ put(id, what) from c
           done(id)@c :~ put(id, _) from c
         }",
    )
}

/// A server with one durable number, which grows with each command.
fn counter() -> Program {
    compile_text(
        "protocol counter
         role client external
         role server
         channel add(id: int) client -> server
         channel done(id: int) server -> client
         component server {
           durable table total(=> n: int) replace
           event added(k: int)
           added(count(c, id)) :- add(id) from c
           total(k) :+ added(k), !total(_)
           total(n + k) :+ added(k), total(n)
           done(id)@c :~ add(id) from c
         }",
    )
}

fn settings(data: &Path) -> Config {
    Config { clients: 64, warmup_s: 0.1, duration_s: 0.4, data: Some(data.to_owned()), ..short() }
}

fn run(program: &Program, data: &Path) -> Result<Report, RunError> {
    measure(program, &settings(data))
}

#[test]
fn many_turns_share_a_sync() {
    let data = TemporaryFolder::new().expect("a folder");
    let report = run(&keeper(), data.path()).expect("it runs");
    assert!(report.syncs > 0, "{report:#?}");
    assert_eq!(report.nodes[0].syncs, report.syncs);
    assert!(report.syncs_per_command < 1.0, "{} syncs for {} commands", report.syncs, report.commands);
    assert_eq!(report.unexpected_replies, 0);
}

#[test]
fn a_log_goes_on_where_it_was() {
    let data = TemporaryFolder::new().expect("a folder");
    let log = data.path().join("server/server.log");
    let mut bytes = 0;
    for incarnation in 1..4 {
        run(&keeper(), data.path()).expect("it runs");
        let length = std::fs::metadata(&log).expect("it is there").len();
        assert!(length > bytes, "{length} after {bytes}");
        bytes = length;
        let text = std::fs::read_to_string(data.path().join("server/incarnation")).expect("it is there");
        assert!(text.ends_with(&format!("incarnation = {incarnation}\n")), "{text}");
    }
}

#[test]
fn a_log_of_few_facts_stays_short() {
    let data = TemporaryFolder::new().expect("a folder");
    let report = measure(&counter(), &Config { duration_s: 2.0, ..settings(data.path()) }).expect("it runs");
    let bytes = std::fs::metadata(data.path().join("server/server.log")).expect("it is there").len();
    assert!(bytes < 2 << 20, "{bytes} bytes after {} syncs", report.syncs);
}

#[test]
fn without_a_data_directory_there_is_a_temporary_one() {
    let report = measure(&keeper(), &Config { data: None, ..settings(Path::new("")) }).expect("it runs");
    assert!(report.syncs > 0);
}

#[test]
fn a_program_without_durable_tables_syncs_nothing() {
    let data = TemporaryFolder::new().expect("a folder");
    let report = run(&common::voting(), data.path()).expect("it runs");
    assert_eq!((report.syncs, report.syncs_per_command), (0, 0.0));
}

fn refusal(program: &Program, data: &Path) -> String {
    match run(program, data) {
        Err(error @ RunError::Data { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_program_is_refused() {
    let data = TemporaryFolder::new().expect("a folder");
    run(&keeper(), data.path()).expect("it runs");
    let error = refusal(&counter(), data.path());
    assert!(error.starts_with("cannot start node server: "), "{error}");
    assert!(error.contains("it was written by another program"), "{error}");
}

#[test]
fn a_damaged_log_is_refused() {
    let data = TemporaryFolder::new().expect("a folder");
    run(&keeper(), data.path()).expect("it runs");
    let log = data.path().join("server/server.log");
    let mut content = std::fs::read(&log).expect("it is there");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&log, content).expect("the disk works");
    let error = refusal(&keeper(), data.path());
    assert!(error.contains("server.log: it is damaged at byte"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let error = refusal(&keeper(), Path::new("/proc/menard"));
    assert!(error.contains("cannot make the folder"), "{error}");
}

/// Every write to this device says that there is no room.
#[cfg(target_os = "linux")]
fn fill_disk_at(path: &Path) {
    std::os::unix::fs::symlink("/dev/full", path).expect("links can be made");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_at_the_start_is_an_error() {
    let data = TemporaryFolder::new().expect("a folder");
    run(&counter(), data.path()).expect("it runs");
    let log = data.path().join("server/server.log");
    std::fs::remove_file(&log).expect("it is there");
    fill_disk_at(&log.with_extension("log.new"));
    let error = refusal(&counter(), data.path());
    assert!(error.contains("server.log: cannot create it: No space left on device"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_becomes_full_stops_the_node() {
    let data = TemporaryFolder::new().expect("a folder");
    let deployment = Deployment::start(&counter(), &settings(data.path())).expect("it starts");
    // The file is opened for appending when there is something to append.
    let log = data.path().join("server/server.log");
    std::fs::remove_file(&log).expect("it is there");
    fill_disk_at(&log);
    let error = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect_err("nothing can be acknowledged");
    assert!(matches!(error, RunError::NodeFailed { .. }), "{error}");
    let (error, path) = (error.to_string(), log.display());
    assert!(error.starts_with(&format!("node server failed: cannot write {path}: No space left on device")), "{error}");
}
