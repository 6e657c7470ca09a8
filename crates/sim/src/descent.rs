//! What tells one run from another: a seed, and the places at which it went on with other dice than the run that it comes from.
//!
//! Written `SEED`, or `SEED~PLACE:SEED~PLACE:SEED`: the run with the first seed up to a place, from there on decided by the second one,
//! and so on. Places are numbers of happenings: before happening 40 is after 40 things have happened, counted from 0.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::random::mix;

/// Where a run comes from; it decides everything that the program leaves open.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Descent {
    /// What decides the beginning.
    pub seed: u64,
    /// Where something else decides how it goes on; places grow.
    pub forks: Vec<Fork>,
}

/// A place at which a run leaves the one that it comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fork {
    /// After so many happenings.
    pub place: u32,
    /// What decides from there on.
    pub seed: u64,
}

/// Why a text says of no run where it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("expected a SEED, or SEED~PLACE:SEED~PLACE:SEED with growing places")]
pub struct NoDescent;

impl From<u64> for Descent {
    fn from(seed: u64) -> Self {
        Descent { seed, forks: Vec::new() }
    }
}

impl From<&Descent> for Descent {
    fn from(descent: &Descent) -> Self {
        descent.clone()
    }
}

impl Descent {
    /// The run with a seed that is higher by so much, and the same forks.
    pub fn later(&self, by: u64) -> Self {
        Descent { seed: self.seed.wrapping_add(by), forks: self.forks.clone() }
    }

    /// The run that is this one up to a place, and goes on with another seed.
    pub(crate) fn fork(&self, place: u32, seed: u64) -> Self {
        let kept = self.forks.iter().copied().filter(|fork| fork.place < place);
        Descent { seed: self.seed, forks: kept.chain([Fork { place, seed }]).collect() }
    }

    /// A hash of it.
    pub(crate) fn digest(&self) -> u64 {
        self.forks.iter().fold(mix(self.seed), |hash, fork| mix(mix(hash ^ u64::from(fork.place)) ^ fork.seed))
    }

    /// The place from which on it is none of the runs that it comes from.
    pub(crate) fn own(&self) -> u32 {
        self.forks.last().map_or(0, |fork| fork.place)
    }
}

impl fmt::Display for Descent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        self.forks.iter().try_for_each(|Fork { place, seed }| write!(f, "~{place}:{seed}"))
    }
}

impl FromStr for Descent {
    type Err = NoDescent;

    fn from_str(text: &str) -> Result<Self, NoDescent> {
        let mut parts = text.split('~');
        let seed = parts.next().and_then(|seed| seed.parse().ok()).ok_or(NoDescent)?;
        let fork = |part: &str| {
            let (place, seed) = part.split_once(':')?;
            Some(Fork { place: place.parse().ok()?, seed: seed.parse().ok()? })
        };
        let forks: Vec<Fork> = parts.map(fork).collect::<Option<_>>().ok_or(NoDescent)?;
        match forks.is_sorted_by(|one, next| one.place < next.place) {
            true => Ok(Descent { seed, forks }),
            false => Err(NoDescent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descents_are_read_as_they_are_written() {
        for text in ["7", "7~0:1", "18446744073709551615~3:9~40:0"] {
            assert_eq!(text.parse::<Descent>().map(|descent| descent.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "x", "-1", "7~", "7~3", "7~3:", "7~:3", "7~3:1~3:2", "7~4:1~3:2", "7~3:1:2"] {
            assert_eq!(text.parse::<Descent>(), Err(NoDescent), "{text}");
        }
    }

    #[test]
    fn a_fork_forgets_what_comes_later() {
        let descent: Descent = "7~3:1~9:2".parse().expect("it is one");
        assert_eq!(descent.fork(9, 5).to_string(), "7~3:1~9:5");
        assert_eq!(descent.fork(4, 5).to_string(), "7~3:1~4:5");
        assert_eq!((descent.own(), Descent::from(7).own()), (9, 0));
    }
}
