//! Changes of durable tables as the body of a record has them, and the facts that are left of them.
//!
//! A change is one byte, whether the fact begins (1) or ends (0); the table's number among the durable ones (2); the length of the
//! fact (4); and its values in their canonical encoding. Equal facts have equal bytes, so what is left of a log is found without decoding.

use std::collections::BTreeSet;

use menard_engine::Change;
use menard_value::encode;

/// What a change has besides the fact.
const CHANGE_HEADER_BYTES: usize = 1 + 2 + 4;

/// Appends a change and gives how many bytes it takes.
pub(crate) fn push_change(out: &mut Vec<u8>, change: Change<'_>) -> usize {
    let start = out.len();
    out.push(u8::from(change.begins));
    out.extend_from_slice(&change.table.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    change.fact.iter().for_each(|value| encode(value, out));
    let length = u32::try_from(out.len() - start - CHANGE_HEADER_BYTES).expect("a fact is smaller than 4 GiB");
    out[start + 3..start + CHANGE_HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    out.len() - start
}

/// A change as it is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct RawChange<'a> {
    begins: bool,
    table: u16,
    fact: &'a [u8],
}

/// Reads a change off the front.
fn read_change<'a>(bytes: &mut &'a [u8]) -> Option<RawChange<'a>> {
    let (head, rest) = bytes.split_first_chunk::<CHANGE_HEADER_BYTES>()?;
    let [begins, low, high, length @ ..] = *head;
    let (fact, rest) = rest.split_at_checked(u32::from_le_bytes(length) as usize)?;
    *bytes = rest;
    let begins = match begins {
        0 => false,
        1 => true,
        _ => return None,
    };
    Some(RawChange { begins, table: u16::from_le_bytes([low, high]), fact })
}

/// Cuts changes into pieces of at most about `limit` bytes, each of whole changes.
pub(super) fn split(changes: &[u8], limit: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let (mut start, mut rest) = (0, changes);
    while !rest.is_empty() {
        read_change(&mut rest).expect("these changes were written here");
        let end = changes.len() - rest.len();
        if end - start >= limit || rest.is_empty() {
            pieces.push(&changes[start..end]);
            start = end;
        }
    }
    pieces
}

/// The facts that durable tables have, encoded.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Facts {
    facts: BTreeSet<(u16, Box<[u8]>)>,
}

impl Facts {
    /// Takes the changes of a record over; `None` if they are none.
    pub fn apply(&mut self, mut changes: &[u8]) -> Option<()> {
        while !changes.is_empty() {
            let RawChange { begins, table, fact } = read_change(&mut changes)?;
            let fact = (table, fact.into());
            if begins {
                self.facts.insert(fact);
            } else {
                self.facts.remove(&fact);
            }
        }
        Some(())
    }

    /// Each fact with its table's number.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        self.facts.iter().map(|(table, fact)| (*table, &**fact))
    }

    /// How many bytes they take as changes.
    pub fn bytes(&self) -> u64 {
        self.facts.iter().map(|(_, fact)| (CHANGE_HEADER_BYTES + fact.len()) as u64).sum()
    }
}
