//! The bytes of a log: a header, then records. All integers are little endian.
//!
//! ```text
//! header   magic (8) version (4) fingerprint (32) first sequence number (8) bytes of the snapshot (8)
//!          length of the name (2) name checksum (8)
//! record   length of the body (4) sequence number (8) checksum (8) body
//! ```
//!
//! Checksums are XXH3 with 64 bits, of the header over all that is before it, of a record over length, sequence number and body, with the
//! header's as the seed: records of an earlier file at the same place of the disk are none of this one. Sequence numbers go on over snapshots.
//! The snapshot is the records right after the header that were synced before the file got its name.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Owner, Problem};

const MAGIC: [u8; 8] = *b"MNRDLOG\n";
const VERSION: u32 = 1;
/// What a record has besides its body.
pub(crate) const RECORD_HEADER_BYTES: usize = 4 + 8 + 8;
/// Snapshots are cut into records of about this length.
pub(super) const LARGEST_BODY_BYTES: usize = 16 << 20;

/// The beginning of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub first_sequence: u64,
    pub snapshot_bytes: u64,
    pub owner: Owner,
}

impl Header {
    /// Appends it, and gives the seed of the records' checksums.
    pub fn push(&self, out: &mut Vec<u8>) -> u64 {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.owner.fingerprint);
        out.extend_from_slice(&self.first_sequence.to_le_bytes());
        out.extend_from_slice(&self.snapshot_bytes.to_le_bytes());
        let length = u16::try_from(self.owner.place.len()).expect("a name is short");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.owner.place.as_bytes());
        let checksum = xxh3_64(&out[start..]);
        out.extend_from_slice(&checksum.to_le_bytes());
        checksum
    }

    /// Reads it off the front of a log; gives its length and the seed of the records' checksums, too.
    pub fn read(content: &[u8]) -> Result<(Header, usize, u64), Problem> {
        let mut reader = Reader { content, position: 0 };
        if reader.array::<8>() != Some(MAGIC) {
            return Err(Problem::Header);
        }
        match reader.array().map(u32::from_le_bytes) {
            Some(VERSION) => {}
            Some(found) => return Err(Problem::Version { found, known: VERSION }),
            None => return Err(Problem::Header),
        }
        reader.rest_of_header().ok_or(Problem::Header)
    }

    /// Checks that the log is whose it should be.
    pub fn belongs_to(&self, owner: &Owner) -> Result<(), Problem> {
        if self.owner.fingerprint != owner.fingerprint {
            Err(Problem::Program)
        } else if self.owner.place != owner.place {
            Err(Problem::Place { found: self.owner.place.clone() })
        } else {
            Ok(())
        }
    }
}

struct Reader<'a> {
    content: &'a [u8],
    position: usize,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = *self.content.get(self.position..)?.first_chunk::<N>()?;
        self.position += N;
        Some(array)
    }

    fn rest_of_header(mut self) -> Option<(Header, usize, u64)> {
        let fingerprint = self.array()?;
        let first_sequence = u64::from_le_bytes(self.array()?);
        let snapshot_bytes = u64::from_le_bytes(self.array()?);
        let length = usize::from(u16::from_le_bytes(self.array()?));
        let name = self.content.get(self.position..)?.get(..length)?;
        self.position += length;
        let expected = xxh3_64(&self.content[..self.position]);
        let checksum = u64::from_le_bytes(self.array()?);
        let place = String::from_utf8(name.to_vec()).ok().filter(|_| checksum == expected)?;
        let header = Header { first_sequence, snapshot_bytes, owner: Owner { fingerprint, place } };
        Some((header, self.position, checksum))
    }
}

/// Appends a record. It has a body: zeros, which some systems leave at the end of a file in a crash, are no record.
pub(super) fn push_record(out: &mut Vec<u8>, seed: u64, sequence: u64, body: &[u8]) {
    assert!(!body.is_empty(), "a record says something");
    let length = u32::try_from(body.len()).expect("a record is smaller than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&checksum(seed, length, sequence, body).to_le_bytes());
    out.extend_from_slice(body);
}

/// The first record of some bytes, if they begin with a whole one with a sequence number that is acceptable: the number, and the body.
pub(super) fn read_record(bytes: &[u8], seed: u64, accept: impl FnOnce(u64) -> bool) -> Option<(u64, &[u8])> {
    let mut reader = Reader { content: bytes, position: 0 };
    let length = u32::from_le_bytes(reader.array()?);
    let sequence = u64::from_le_bytes(reader.array()?);
    let expected = u64::from_le_bytes(reader.array()?);
    let body = bytes[reader.position..].get(..length as usize)?;
    let good = length > 0 && accept(sequence) && checksum(seed, length, sequence, body) == expected;
    good.then_some((sequence, body))
}

fn checksum(seed: u64, length: u32, sequence: u64, body: &[u8]) -> u64 {
    let mut hasher = Xxh3::with_seed(seed);
    hasher.update(&length.to_le_bytes());
    hasher.update(&sequence.to_le_bytes());
    hasher.update(body);
    hasher.digest()
}
