//! How long commands are: one length, or several by turns.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most lengths that take turns.
const MAX_LENGTHS: usize = 64;

/// Lengths in bytes, by turns: at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lengths(Vec<u32>);

impl Lengths {
    /// The longest.
    pub fn longest(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// That of a turn.
    pub(crate) fn of_turn(&self, turn: usize) -> u32 {
        self.0[turn % self.0.len()]
    }
}

impl From<u32> for Lengths {
    fn from(length: u32) -> Self {
        Lengths(vec![length])
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [one] => write!(f, "{one}"),
            several => write!(f, "{several:?}"),
        }
    }
}

impl Serialize for Lengths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Lengths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Lengths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lengths")
    }

    fn visit_i64<E: Error>(self, length: i64) -> Result<Lengths, E> {
        let length = u32::try_from(length);
        length.map(Lengths::from).map_err(|_| E::custom("a length is neither negative nor over 4294967295"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut lengths: A) -> Result<Lengths, A::Error> {
        let mut all = Vec::new();
        while let Some(length) = lengths.next_element()? {
            all.push(length);
        }
        match all.len() {
            1..=MAX_LENGTHS => Ok(Lengths(all)),
            count => {
                Err(A::Error::custom(format_args!("{count} lengths, and there have to be from 1 to {MAX_LENGTHS}")))
            }
        }
    }
}
