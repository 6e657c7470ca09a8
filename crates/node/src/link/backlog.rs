//! What a receiver has not acknowledged, in the order in which it was sent, and how far the connection has got with it.

use crate::wire::{MAX_FRAME_BYTES, split_frame};

/// Acknowledged bytes are cut off when they are so many, or all.
const TRIM_BYTES: usize = 256 << 10;

/// The bytes for one receiver, of one incarnation.
#[derive(Debug, Default)]
pub struct Backlog {
    /// What was not yet acknowledged, and maybe some bytes before. Append here.
    pub bytes: Vec<u8>,
    /// The number of bytes cut off the front since the receiver's incarnation is known.
    pub cut: u64,
    /// How many of `bytes` were acknowledged.
    acknowledged: usize,
    /// How many of `bytes` were written to the connection.
    pub written: usize,
}

impl Backlog {
    /// How many bytes the receiver has not acknowledged.
    pub fn kept_bytes(&self) -> usize {
        self.bytes.len() - self.acknowledged
    }

    /// How many bytes were written to the connection and not acknowledged.
    pub fn owed_bytes(&self) -> usize {
        self.written - self.acknowledged
    }

    /// What is still to be written to the connection.
    pub fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// A new connection begins: the receiver has so many bytes since its incarnation is known, whatever earlier connections lost; what follows is
    /// written anew. Gives whether more is acknowledged than was; `None` if it cannot have so many.
    pub fn resume(&mut self, taken_bytes: u64) -> Option<bool> {
        self.written = self.bytes.len();
        let is_more = self.acknowledge(taken_bytes)?;
        self.written = self.acknowledged;
        Some(is_more)
    }

    /// The receiver has so many bytes since its incarnation is known. Gives whether that is more than it had; `None` if it cannot be.
    pub fn acknowledge(&mut self, taken_bytes: u64) -> Option<bool> {
        let taken = usize::try_from(taken_bytes.checked_sub(self.cut)?).ok()?;
        if taken > self.written || taken < self.acknowledged {
            return None;
        }
        let is_more = taken > self.acknowledged;
        self.acknowledged = taken;
        if taken == self.bytes.len() || taken >= TRIM_BYTES {
            self.bytes.drain(..taken);
            self.cut += taken as u64;
            self.written -= taken;
            self.acknowledged = 0;
        }
        Some(is_more)
    }

    /// The receiver has started again: it counts from what was not acknowledged.
    pub fn begin_anew(&mut self) {
        self.bytes.drain(..self.acknowledged);
        (self.cut, self.acknowledged, self.written) = (0, 0, 0);
    }

    /// Loses everything that was not acknowledged, and gives how many messages that were.
    pub fn lose(&mut self) -> u64 {
        let mut rest = &self.bytes[self.acknowledged..];
        let mut lost = 0;
        while let Ok(Some((body, after))) = split_frame(rest, MAX_FRAME_BYTES) {
            lost += u64::from(!body.is_empty());
            rest = after;
        }
        *self = Backlog::default();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_only_grow_and_only_to_what_was_written() {
        let mut backlog = Backlog { bytes: vec![7; 10], ..Backlog::default() };
        assert_eq!(backlog.acknowledge(1), None, "nothing was written");
        backlog.written = 6;
        assert_eq!([backlog.acknowledge(4), backlog.acknowledge(4)], [Some(true), Some(false)]);
        assert_eq!([backlog.acknowledge(3), backlog.acknowledge(7)], [None, None]);
        assert_eq!((backlog.kept_bytes(), backlog.owed_bytes(), backlog.unwritten().len()), (6, 2, 4));
    }

    #[test]
    fn the_front_is_cut_off_in_large_pieces_and_counted() {
        let bytes = vec![7; 2 * TRIM_BYTES];
        let mut backlog = Backlog { written: bytes.len(), bytes, ..Backlog::default() };
        let taken = TRIM_BYTES as u64;
        backlog.acknowledge(taken - 1);
        assert_eq!((backlog.bytes.len(), backlog.cut), (2 * TRIM_BYTES, 0));
        backlog.acknowledge(taken);
        assert_eq!((backlog.bytes.len(), backlog.cut), (TRIM_BYTES, taken));
        // What was lost with a connection is written again from where the receiver is.
        assert_eq!(backlog.resume(taken + 5), Some(true));
        assert_eq!(backlog.unwritten().len(), TRIM_BYTES - 5);
    }
}
