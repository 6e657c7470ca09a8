//! What a node with durable tables does besides stepping: it has the changes of each turn written, and holds what the turn and all later
//! ones sent until they are on the disk. Messages of the node to itself do not leave it, so they do not wait: a crash takes them and what
//! came of them together.

use std::collections::VecDeque;

use menard_engine::{Change, Node, Outputs, Sent};
use thiserror::Error;

use crate::disk::Disk;
use crate::log::RECORD_HEADER_BYTES;
use crate::log::changes::{Facts, push_change};
use crate::wire::read_fields;

/// A log is written anew when it is so many times as long as the facts that are in it.
const GROWTH: u64 = 4;
/// A shorter log is left as it is.
const SMALL_LOG_BYTES: u64 = 1 << 20;
/// A node with so many bytes of changes that are not synced takes no messages until they are.
const UNSYNCED_BYTES: usize = 32 << 20;
/// The same for the number of turns that wait.
const HELD_TURNS: usize = 100_000;

/// The facts of a log do not fit the program.
#[derive(Debug, Error)]
#[error("the facts in its log are none of this program's; restore the log from a copy, or give the node up")]
pub(crate) struct ForeignError;

/// Gives a node that has not started the facts of its log.
pub(crate) fn recover(
    node: &mut Node,
    facts: &Facts,
    columns: &[Box<[menard_value::Type]>],
) -> Result<(), ForeignError> {
    let tables: Vec<_> = node.plan().durable_tables().cloned().collect();
    let mut fact = Vec::new();
    for (table, encoded) in facts.iter() {
        let table = usize::from(table);
        let (name, columns) = tables.get(table).zip(columns.get(table)).ok_or(ForeignError)?;
        fact.clear();
        read_fields(encoded, columns, &mut fact).map_err(|_| ForeignError)?;
        node.recover(name, &fact).map_err(|_| ForeignError)?;
    }
    Ok(())
}

/// What a turn sent, and the turn that has to be synced before it leaves.
#[derive(Debug)]
struct Held {
    turn: u64,
    /// Bytes of changes that are synced then.
    bytes: usize,
    outputs: Outputs,
}

/// The durable part of a node.
#[derive(Debug)]
pub(crate) struct Durability {
    disk: Disk,
    /// The last turn that changed durable tables.
    last_turn: u64,
    /// The changes of the turn under way.
    changes: Vec<u8>,
    /// What it sent so far.
    open: Outputs,
    held: VecDeque<Held>,
    unsynced_bytes: usize,
    /// Buffers to be used again.
    spare: Vec<Outputs>,
    live_bytes: u64,
    log_bytes: u64,
}

impl Durability {
    /// Of a node with a log of so many bytes, in which the facts take so many.
    pub fn new(disk: Disk, log_bytes: u64, live_bytes: u64) -> Self {
        Durability {
            disk,
            last_turn: 0,
            changes: Vec::new(),
            open: Outputs::default(),
            held: VecDeque::new(),
            unsynced_bytes: 0,
            spare: Vec::new(),
            live_bytes,
            log_bytes,
        }
    }

    /// Takes the changes of a step.
    pub fn take_changes(&mut self, outputs: &Outputs) {
        for change in outputs.changes() {
            let bytes = push_change(&mut self.changes, change) as u64;
            self.live_bytes =
                if change.begins { self.live_bytes + bytes } else { self.live_bytes.saturating_sub(bytes) };
        }
    }

    /// Takes a message that leaves the node.
    pub fn hold(&mut self, sent: Sent<'_>) {
        self.open.push(sent.channel, sent.to, sent.part, sent.held, sent.args.iter().cloned());
    }

    /// Ends a turn: what it changed is on its way to the disk, and what it sent is held until all changes so far are there.
    pub fn end_turn(&mut self, node: &Node) {
        let bytes = self.changes.len();
        if bytes > 0 {
            self.last_turn += 1;
            self.unsynced_bytes += bytes;
            self.log_bytes += (RECORD_HEADER_BYTES + bytes) as u64;
            self.disk.write(self.last_turn, std::mem::take(&mut self.changes));
            if self.log_bytes > SMALL_LOG_BYTES && self.log_bytes > GROWTH * self.live_bytes {
                self.compact(node);
            }
        }
        // What changed something is held even if it sent nothing, so that what waits for the disk is known.
        if bytes > 0 || !self.open.is_empty() {
            let outputs = std::mem::replace(&mut self.open, self.spare.pop().unwrap_or_default());
            self.held.push_back(Held { turn: self.last_turn, bytes, outputs });
        }
    }

    fn compact(&mut self, node: &Node) {
        let mut snapshot = Vec::new();
        for (table, name) in (0..).zip(node.plan().durable_tables()) {
            for fact in node.facts(name) {
                push_change(&mut snapshot, Change { table, begins: true, fact: &fact });
            }
        }
        self.live_bytes = snapshot.len() as u64;
        self.log_bytes = self.live_bytes;
        self.disk.replace(self.last_turn, snapshot);
    }

    /// What may leave now: what the next turn sent, if the disk has it. Give the buffer back by [`Durability::reuse`].
    pub fn release(&mut self) -> Option<Outputs> {
        let synced = self.disk.synced_turn();
        let held = self.held.front().filter(|held| held.turn <= synced)?;
        self.unsynced_bytes -= held.bytes;
        self.held.pop_front().map(|held| held.outputs)
    }

    /// Takes a buffer back.
    pub fn reuse(&mut self, mut outputs: Outputs) {
        outputs.clear();
        if self.spare.len() < 16 {
            self.spare.push(outputs);
        }
    }

    /// Whether so much waits for the disk that no message should be taken.
    pub fn is_behind(&self) -> bool {
        self.unsynced_bytes > UNSYNCED_BYTES || self.held.len() > HELD_TURNS
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> u64 {
        self.disk.syncs()
    }

    /// Why the disk takes nothing more, if that is so.
    pub fn failure(&self) -> Option<&str> {
        self.disk.failure()
    }
}
