//! Records: the bytes of one direction of a connection in pieces, each with a MAC.
//!
//! A record is a frame: the bytes, then 16 bytes of keyed BLAKE3 over the number of the record and the bytes. Each direction of a connection has
//! a key of its own, so a record that is changed, left out, repeated, moved, or sent back verifies no more.

use std::fmt;

use zeroize::Zeroizing;

use crate::meter::DropReason;
use crate::wire::LENGTH_BYTES;

/// The most bytes in a record.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;
/// The longest body of a record's frame.
pub(super) const MAX_RECORD_BYTES: usize = MAX_PAYLOAD_BYTES + TAG_BYTES;

/// One direction of a connection: its key, and the number of the next record.
struct Direction {
    key: Zeroizing<[u8; 32]>,
    next: u64,
}

/// Without the key.
impl fmt::Debug for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direction").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Direction {
    /// The MAC of the next record.
    fn tag(&mut self, payload: &[u8]) -> [u8; TAG_BYTES] {
        let hash = blake3::Hasher::new_keyed(&self.key).update(&self.next.to_le_bytes()).update(payload).finalize();
        self.next = self.next.checked_add(1).expect("no connection has 2^64 records");
        let (tag, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        *tag
    }
}

/// Makes records.
#[derive(Debug)]
pub(super) struct Sealer(Direction);

/// Takes records.
#[derive(Debug)]
pub(super) struct Opener(Direction);

impl Sealer {
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Sealer(Direction { key, next: 0 })
    }

    /// Appends a record with the first of these bytes, and gives how many they are.
    pub fn seal(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let payload = &bytes[..bytes.len().min(MAX_PAYLOAD_BYTES)];
        let length = u32::try_from(payload.len() + TAG_BYTES).expect("a record is far smaller than 4 GiB");
        out.reserve(LENGTH_BYTES + payload.len() + TAG_BYTES);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(&self.0.tag(payload));
        payload.len()
    }
}

impl Opener {
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Opener(Direction { key, next: 0 })
    }

    /// The bytes in a record, from its frame's body.
    pub fn open<'a>(&mut self, body: &'a [u8]) -> Result<&'a [u8], DropReason> {
        let (payload, tag) = body.split_last_chunk::<TAG_BYTES>().ok_or(DropReason::Tampered)?;
        // A hash compares in constant time.
        let expected = padded(&self.0.tag(payload));
        if expected == padded(tag) { Ok(payload) } else { Err(DropReason::Tampered) }
    }
}

fn padded(tag: &[u8; TAG_BYTES]) -> blake3::Hash {
    let mut whole = [0; 32];
    whole[..TAG_BYTES].copy_from_slice(tag);
    blake3::Hash::from_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [5; 32];

    fn records() -> Vec<Vec<u8>> {
        let mut sealer = Sealer::new(KEY.into());
        let seal = |bytes: &&[u8]| {
            let mut out = Vec::new();
            assert_eq!(sealer.seal(bytes, &mut out), bytes.len());
            out.split_off(LENGTH_BYTES)
        };
        [&b"first"[..], b"second", b""].iter().map(seal).collect()
    }

    #[test]
    fn records_come_through_in_order() {
        let mut opener = Opener::new(KEY.into());
        let opened: Vec<Vec<u8>> =
            records().iter().map(|record| opener.open(record).expect("it is good").to_vec()).collect();
        assert_eq!(opened, [&b"first"[..], b"second", b""]);
    }

    #[test]
    fn no_other_record_verifies() {
        let records = records();
        let is_refused = |record: &[u8]| assert_eq!(Opener::new(KEY.into()).open(record), Err(DropReason::Tampered));
        is_refused(&records[1]);
        is_refused(b"short");
        is_refused(&records[0][1..]);
        for position in 0..records[0].len() {
            let mut changed = records[0].clone();
            changed[position] ^= 1;
            is_refused(&changed);
        }
        assert_eq!(Opener::new([6; 32].into()).open(&records[0]), Err(DropReason::Tampered));
        let mut opener = Opener::new(KEY.into());
        opener.open(&records[0]).expect("it is good");
        assert_eq!(opener.open(&records[0]), Err(DropReason::Tampered), "once is enough");
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = vec![7; MAX_PAYLOAD_BYTES + 1];
        let mut out = Vec::new();
        assert_eq!(Sealer::new(KEY.into()).seal(&long, &mut out), MAX_PAYLOAD_BYTES);
        assert_eq!(out.len(), LENGTH_BYTES + MAX_RECORD_BYTES);
    }
}
