//! What a log keeps: torn writes at every byte, damage, disks that fail at every operation, snapshots.

use std::io;

use menard_engine::Change;
use menard_value::Value;
use proptest::prelude::*;

use super::changes::{Facts, push_change};
use super::medium::{LogFile, Medium};
use super::{Log, Owner, Problem};

/// A disk in memory: what is synced, and what was written since. It may fail at an operation, and then every later one is a mistake.
#[derive(Clone, Default, Debug)]
struct Memory {
    durable: Option<Vec<u8>>,
    unsynced: Vec<u8>,
    /// How many more writes and syncs succeed.
    succeeds: Option<usize>,
    failed: bool,
}

impl Memory {
    fn holding(content: &[u8]) -> Self {
        Memory { durable: Some(content.to_vec()), ..Memory::default() }
    }

    fn operate(&mut self) -> io::Result<()> {
        assert!(!self.failed, "nothing is tried after a failure");
        match &mut self.succeeds {
            Some(0) => {
                self.failed = true;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What a crash may leave: what is synced, and some of what is not.
    fn after_crash(&self, kept: usize) -> Memory {
        let mut content = self.durable.clone();
        if let Some(content) = &mut content {
            content.extend_from_slice(&self.unsynced[..kept.min(self.unsynced.len())]);
        }
        Memory { durable: content, ..Memory::default() }
    }
}

impl Medium for Memory {
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.durable.clone())
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.operate()?;
        let content = self.durable.as_mut().expect("only what is there is cut");
        content.truncate(usize::try_from(bytes).expect("tests are small"));
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A write that fails may have written something.
        let done = self.operate();
        self.unsynced.extend_from_slice(&bytes[..if done.is_ok() { bytes.len() } else { bytes.len() / 2 }]);
        done
    }

    fn sync(&mut self) -> io::Result<()> {
        self.operate()?;
        let unsynced = std::mem::take(&mut self.unsynced);
        self.durable.as_mut().expect("a log is created before it is appended to").extend(unsynced);
        Ok(())
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        self.operate()?;
        self.unsynced.clear();
        self.durable = Some(content.to_vec());
        Ok(())
    }
}

fn owner() -> Owner {
    Owner { fingerprint: [7; 32], place: "server[1]/2".to_owned() }
}

/// A turn that gives table 1 the fact `(number, "value of number")`, and, from the second turn on, takes the one before the last away.
fn turn(number: i64) -> Vec<u8> {
    let mut changes = Vec::new();
    let mut push = |begins, number: i64| {
        let fact = [Value::Int(number), Value::string(&format!("value of {number}"))];
        push_change(&mut changes, Change { table: 1, begins, fact: &fact });
    };
    push(true, number);
    if number >= 2 {
        push(false, number - 2);
    }
    changes
}

/// The facts after so many turns.
fn facts(turns: i64) -> Facts {
    let mut facts = Facts::default();
    (0..turns).for_each(|number| facts.apply(&turn(number)).expect("turns are changes"));
    facts
}

fn open(memory: Memory) -> Result<(Log<Memory>, Facts), Problem> {
    Log::open(memory, owner())
}

/// The bytes of a log of so many turns, a record each, and where each record ends; the first is where the header ends.
fn written(turns: i64) -> (Vec<u8>, Vec<usize>) {
    let (mut log, _) = open(Memory::default()).expect("memory works");
    let mut ends = vec![usize::try_from(log.bytes()).expect("small")];
    for number in 0..turns {
        log.append(&turn(number)).expect("memory works");
        ends.push(usize::try_from(log.bytes()).expect("small"));
    }
    let content = log.medium.durable.expect("it was synced");
    assert_eq!(content.len(), ends[ends.len() - 1]);
    (content, ends)
}

#[test]
fn a_log_gives_back_what_was_appended() {
    let (content, _) = written(5);
    let (mut log, found) = open(Memory::holding(&content)).expect("the log is good");
    assert_eq!((found, log.next_sequence), (facts(5), 5));
    log.append(&turn(5)).expect("memory works");
    let (_, found) = open(log.medium).expect("the log is good");
    assert_eq!(found, facts(6));
    assert_eq!(found.iter().count(), 2);
}

#[test]
fn a_write_torn_at_any_byte_is_dropped_and_the_log_goes_on() {
    let (content, ends) = written(4);
    for cut in ends[0]..=content.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count() as i64 - 1;
        for tail in [&[][..], &[0; 50][..], &[0xff; 3][..]] {
            let torn = [&content[..cut], tail].concat();
            let (mut log, found) = open(Memory::holding(&torn)).expect("a torn write is no damage");
            assert_eq!(found, facts(whole), "cut at {cut}");
            log.append(&turn(whole)).expect("memory works");
            let (_, found) = open(log.medium).expect("the log is good");
            assert_eq!(found, facts(whole + 1), "cut at {cut}");
        }
    }
}

#[test]
fn damage_before_the_last_record_is_refused() {
    let (content, ends) = written(4);
    for position in 0..ends[3] {
        let mut damaged = content.clone();
        damaged[position] ^= 0x40;
        let problem = open(Memory::holding(&damaged)).expect_err("damage is not overlooked");
        if position < 8 {
            assert!(matches!(problem, Problem::Header), "{position}: {problem}");
        } else if position < ends[0] {
            assert!(matches!(problem, Problem::Header | Problem::Version { .. }), "{position}: {problem}");
        } else {
            let record = ends.iter().rfind(|end| **end <= position).expect("it is behind the header");
            assert!(matches!(problem, Problem::Damaged { offset } if offset == *record), "{position}: {problem}");
        }
    }
    // In the last record it cannot be told from a write that a crash cut off.
    for position in ends[3]..ends[4] {
        let mut damaged = content.clone();
        damaged[position] ^= 0x40;
        assert_eq!(open(Memory::holding(&damaged)).expect("a torn write is no damage").1, facts(3));
    }
}

#[test]
fn a_record_that_is_missing_is_damage() {
    let (content, ends) = written(4);
    for first in 0..3 {
        let missing = [&content[..ends[first]], &content[ends[first + 1]..]].concat();
        assert!(matches!(open(Memory::holding(&missing)), Err(Problem::Damaged { .. })), "{first}");
    }
}

#[test]
fn a_snapshot_takes_the_place_of_all_before_it() {
    let (content, _) = written(9);
    let (mut log, _) = open(Memory::holding(&content)).expect("the log is good");
    let mut snapshot = Vec::new();
    for number in [7, 8] {
        let fact = [Value::Int(number), Value::string(&format!("value of {number}"))];
        push_change(&mut snapshot, Change { table: 1, begins: true, fact: &fact });
    }
    log.replace(&snapshot).expect("memory works");
    assert!(log.bytes() < content.len() as u64 / 2);
    let bytes = usize::try_from(log.bytes()).expect("small");
    log.append(&turn(9)).expect("memory works");
    let content = log.medium.durable.clone().expect("it was synced");
    assert_eq!(open(log.medium).expect("the log is good").1, facts(10));
    // No crash cuts a snapshot off: it was whole before the file got its name.
    for cut in [bytes - 1, bytes - 30] {
        let problem = open(Memory::holding(&content[..cut])).expect_err("a snapshot is not lost silently");
        assert!(matches!(problem, Problem::Damaged { .. }), "{problem}");
    }
    assert_eq!(open(Memory::holding(&content[..bytes])).expect("the log is good").1, facts(9));
}

#[test]
fn an_empty_snapshot_is_a_log() {
    let (content, _) = written(3);
    let (mut log, _) = open(Memory::holding(&content)).expect("the log is good");
    log.replace(&[]).expect("memory works");
    let (log, found) = open(log.medium).expect("the log is good");
    assert_eq!((found, log.next_sequence), (Facts::default(), 3));
}

#[test]
fn logs_of_others_are_refused() {
    let (content, _) = written(2);
    let open = |owner| Log::open(Memory::holding(&content), owner).expect_err("it is another's");
    let program = open(Owner { fingerprint: [8; 32], ..owner() });
    assert!(matches!(program, Problem::Program), "{program}");
    let place = open(Owner { place: "server[0]".to_owned(), ..owner() });
    assert_eq!(place.to_string(), "it belongs to node server[1]/2; choose the data directory of this node");
}

#[test]
fn what_is_no_log_is_refused() {
    for content in [&b""[..], b"MNRD", &[0; 300], b"#!/bin/sh\necho this is no log at all, but it has a few bytes\n"] {
        let problem = open(Memory::holding(content)).expect_err("it is no log");
        assert!(matches!(problem, Problem::Header), "{problem}");
    }
}

#[test]
#[should_panic(expected = "nothing is written after a write that failed")]
fn after_a_failed_sync_nothing_is_tried_again() {
    let (mut log, _) = open(Memory::default()).expect("memory works");
    log.medium.succeeds = Some(1);
    log.append(&turn(0)).expect_err("the sync fails");
    let _ = log.append(&turn(0));
}

#[test]
fn files_are_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.log");
    let open = || Log::open(LogFile::new(path.clone()), owner());
    let (mut log, found) = open().expect("a log is made");
    assert_eq!(found, Facts::default());
    log.append(&turn(0)).expect("the disk works");
    log.append(&[turn(1), turn(2)].concat()).expect("the disk works");
    drop(log);
    let (mut log, found) = open().expect("the log is good");
    assert_eq!(found, facts(3));
    log.replace(&turn(7)).expect("the disk works");
    log.append(&turn(8)).expect("the disk works");
    assert_eq!(std::fs::metadata(&path).expect("it is there").len(), log.bytes());
    drop(log);
    let content = std::fs::read(&path).expect("it is there");
    std::fs::write(&path, &content[..content.len() - 1]).expect("the disk works");
    let (log, found) = open().expect("the log is good");
    assert_eq!(found.iter().count(), 1);
    assert_eq!(std::fs::metadata(&path).expect("it is there").len(), log.bytes());
    let names = std::fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(names, 1, "nothing else is left");
}

/// What a test does to a log.
#[derive(Clone, Debug)]
enum Action {
    Append(usize),
    Snapshot,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec(prop_oneof![4 => (1_usize..4).prop_map(Action::Append), 1 => Just(Action::Snapshot)], 1..12)
}

/// The changes that make a snapshot.
fn snapshot(facts: &Facts) -> Vec<u8> {
    let mut changes = Vec::new();
    for (table, fact) in facts.iter() {
        changes.push(1);
        changes.extend_from_slice(&table.to_le_bytes());
        changes.extend_from_slice(&u32::try_from(fact.len()).expect("short").to_le_bytes());
        changes.extend_from_slice(fact);
    }
    changes
}

proptest! {
    /// Whenever a disk fails and whatever a crash leaves of what was not synced: a prefix of the turns is there, and all that were synced.
    #[test]
    fn a_prefix_survives_and_all_that_was_synced(actions in actions(), succeeds in 0_usize..20, kept in 0_usize..200) {
        let (mut log, _) = open(Memory::default()).expect("memory works");
        log.medium.succeeds = Some(succeeds);
        let (mut done, mut synced) = (0, 0);
        for action in actions {
            let result = match action {
                Action::Append(turns) => {
                    let first = done;
                    done += turns as i64;
                    let changes: Vec<u8> = (first..done).flat_map(turn).collect();
                    log.append(&changes)
                }
                Action::Snapshot if done == 0 => Ok(()),
                Action::Snapshot => log.replace(&snapshot(&facts(done))),
            };
            if result.is_err() {
                break;
            }
            synced = done;
        }
        let (_, found) = open(log.medium.after_crash(kept)).expect("a crash is no damage");
        prop_assert!((synced..=done).any(|turns| found == facts(turns)), "{synced}..={done}: {found:?}");
    }
}
