//! From the bytes of a log to the facts that it has.
//!
//! Records are read in order until one is not whole. If that one belongs to the snapshot, or a whole record with a later number follows
//! anywhere, then it was synced once and is damaged: an error. Otherwise it is the write that a crash cut off, and it goes.

use super::changes::Facts;
use super::format::{Header, RECORD_HEADER_BYTES, read_record};
use super::{Owner, Problem};

/// What a log has.
#[derive(Debug)]
pub(super) struct Recovered {
    pub facts: Facts,
    /// The length of the log up to the end of the last whole record.
    pub good_bytes: usize,
    pub next_sequence: u64,
    /// The seed of the records' checksums.
    pub seed: u64,
}

/// Reads a log.
pub(super) fn recover(content: &[u8], owner: &Owner) -> Result<Recovered, Problem> {
    let (header, header_bytes, seed) = Header::read(content)?;
    header.belongs_to(owner)?;
    let mut facts = Facts::default();
    let mut offset = header_bytes;
    let mut next_sequence = header.first_sequence;
    while let Some((_, body)) = read_record(&content[offset..], seed, |sequence| sequence == next_sequence) {
        facts.apply(body).ok_or(Problem::Foreign { offset })?;
        offset += RECORD_HEADER_BYTES + body.len();
        next_sequence += 1;
    }
    let in_snapshot = ((offset - header_bytes) as u64) < header.snapshot_bytes;
    if in_snapshot || is_followed(&content[offset..], seed, next_sequence) {
        return Err(Problem::Damaged { offset });
    }
    Ok(Recovered { facts, good_bytes: offset, next_sequence, seed })
}

/// Whether a whole record later than the one expected begins anywhere in these bytes.
fn is_followed(bytes: &[u8], seed: u64, expected: u64) -> bool {
    // A record takes so many bytes at least, so greater numbers are none; few bytes look like the others, and need no checksum.
    let greatest = expected.saturating_add((bytes.len() / RECORD_HEADER_BYTES) as u64);
    (0..bytes.len()).any(|start| {
        let later = |sequence: u64| expected < sequence && sequence <= greatest;
        read_record(&bytes[start..], seed, later).is_some()
    })
}
