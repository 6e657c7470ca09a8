//! The log of one physical node: what its durable tables have, on disk, across crashes.
//!
//! A log is a file of records ([`format`]), of which each holds the changes that one or more consecutive turns made ([`changes`]) and is
//! synced before the next is written. So of a log that a crash cut off all records are whole but maybe the last one, and that one nobody
//! was told of: recovery drops it ([`recovery`]). Damage anywhere else is refused, since facts would be missing in the middle of a
//! node's history. When a log has grown to several times what its facts need, it is written anew as a snapshot that takes the old one's
//! name at once ([`medium`]), so disks stay bounded for programs whose tables are.

pub(crate) mod changes;
mod error;
mod format;
pub(crate) mod medium;
mod recovery;
#[cfg(test)]
mod tests;

use std::io;

use self::changes::Facts;
pub(crate) use self::error::{LogError, Problem};
pub(crate) use self::format::RECORD_HEADER_BYTES;
use self::format::{Header, LARGEST_BODY_BYTES};
use self::medium::Medium;
use self::recovery::recover;

/// Whose log it is. Facts of another program or node mean nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    /// The digest of the program's text.
    pub fingerprint: [u8; 32],
    /// The physical node's name.
    pub place: String,
}

/// An open log. After the first error it can only be dropped: nobody knows what of a write that failed is on the disk.
#[derive(Debug)]
pub(crate) struct Log<M> {
    medium: M,
    owner: Owner,
    seed: u64,
    next_sequence: u64,
    bytes: u64,
    failed: bool,
    buffer: Vec<u8>,
}

impl<M: Medium> Log<M> {
    /// Opens a log, or makes one if there is none; gives the facts that it has.
    pub fn open(mut medium: M, owner: Owner) -> Result<(Self, Facts), Problem> {
        let Some(content) = medium.read().map_err(Problem::io("read it"))? else {
            let mut log = Log { medium, owner, seed: 0, next_sequence: 0, bytes: 0, failed: false, buffer: Vec::new() };
            log.replace(&[]).map_err(Problem::io("create it"))?;
            return Ok((log, Facts::default()));
        };
        let recovered = recover(&content, &owner)?;
        if recovered.good_bytes < content.len() {
            medium.truncate(recovered.good_bytes as u64).map_err(Problem::io("cut off what a crash left of it"))?;
        }
        let log = Log {
            medium,
            owner,
            seed: recovered.seed,
            next_sequence: recovered.next_sequence,
            bytes: recovered.good_bytes as u64,
            failed: false,
            buffer: Vec::new(),
        };
        Ok((log, recovered.facts))
    }

    /// The length of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a record of the changes of some turns. They are on the disk when it returns.
    pub fn append(&mut self, changes: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.push_record(changes);
        self.commit(|medium, buffer| medium.append(buffer).and_then(|()| medium.sync()))?;
        self.bytes += self.buffer.len() as u64;
        Ok(())
    }

    /// Replaces all records by those of a snapshot: changes that say which facts there are. It is on the disk when it returns; until then,
    /// what was there before is.
    pub fn replace(&mut self, snapshot: &[u8]) -> io::Result<()> {
        let mut header = Header { first_sequence: self.next_sequence, snapshot_bytes: 0, owner: self.owner.clone() };
        let pieces = changes::split(snapshot, LARGEST_BODY_BYTES);
        let length = |piece: &&[u8]| (RECORD_HEADER_BYTES + piece.len()) as u64;
        header.snapshot_bytes = pieces.iter().map(length).sum();
        self.buffer.clear();
        self.seed = header.push(&mut self.buffer);
        pieces.into_iter().for_each(|piece| self.push_record(piece));
        self.commit(|medium, buffer| medium.replace(buffer))?;
        self.bytes = self.buffer.len() as u64;
        Ok(())
    }

    fn push_record(&mut self, body: &[u8]) {
        format::push_record(&mut self.buffer, self.seed, self.next_sequence, body);
        self.next_sequence += 1;
    }

    fn commit(&mut self, write: impl FnOnce(&mut M, &[u8]) -> io::Result<()>) -> io::Result<()> {
        assert!(!self.failed, "nothing is written after a write that failed");
        self.failed = true;
        write(&mut self.medium, &self.buffer)?;
        self.failed = false;
        Ok(())
    }
}
