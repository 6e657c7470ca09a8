//! The versions of a store that exist during a step, and how rows say in which they are.

/// Which facts a reader sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// Those of this step.
    New,
    /// Those of the step before.
    Old,
    /// Those of this step that did not hold in the step before.
    Added,
    /// Those of the step before that do not hold in this one.
    Removed,
}

/// The row holds in the step before.
pub(super) const OLD: u8 = 1;
/// The row holds in this step.
pub(super) const NEW: u8 = 2;
/// The row is in the list of touched rows.
pub(super) const TOUCHED: u8 = 4;
/// The row leaves the store at the beginning of the next step.
pub(super) const DOOMED: u8 = 8;
/// The row can be found by the hash of all its values.
pub(super) const HASHED: u8 = 16;
/// Of a durable table: the row was said to have come, and not to have gone since.
pub(super) const RECORDED: u8 = 32;

impl Version {
    #[inline]
    pub(super) fn sees(self, flags: u8) -> bool {
        match self {
            Version::New => flags & NEW != 0,
            Version::Old => flags & OLD != 0,
            Version::Added => flags & (OLD | NEW) == NEW,
            Version::Removed => flags & (OLD | NEW) == OLD,
        }
    }
}
