//! Who is let in: what a caller's first frame has to say, and how often one may call.

use std::time::{Duration, Instant};

use crate::inbox::{Identity, Inbox};
use crate::meter::DropReason;
use crate::secure::Guard;
use crate::wire::{Caller, Hello, Refusal};

/// A machine that may lie may connect so often at once. Those that do not lie connect again when a connection ends, and wait longer each time that one ends
/// soon; who may crash and start again may do so any number of times.
pub const CONNECTS_AT_ONCE: u32 = 32;
/// In the long run it may connect once in this time.
pub const CONNECT_EVERY: Duration = Duration::from_millis(250);

/// What is known of another node, over all its connections.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    pub slot: Option<usize>,
    /// The latest incarnation that said hello; what follows is about it.
    pub incarnation: u64,
    pub taken_bytes: u64,
    pub acknowledged_bytes: u64,
    /// Whether it may lie, so that it is not let in as often as it likes.
    may_lie: bool,
    /// When all its connections so far would be made if it had connected no more often than it may in the long run.
    even: Option<Instant>,
}

impl Peer {
    /// One that has not connected yet.
    pub fn new(may_lie: bool) -> Self {
        Peer { may_lie, ..Peer::default() }
    }

    /// Takes a connection of an incarnation in. A later one than the last has sent nothing yet; an earlier one is no more.
    fn admit(&mut self, incarnation: u64, now: Instant) -> Result<(), Refusal> {
        if incarnation < self.incarnation {
            return Err(Refusal::Superseded);
        }
        let even = self.even.map_or(now, |even| even.max(now));
        if self.may_lie && even + CONNECT_EVERY > now + CONNECT_EVERY * CONNECTS_AT_ONCE {
            return Err(Refusal::TooOften);
        }
        self.even = Some(even + CONNECT_EVERY);
        if incarnation > self.incarnation {
            (self.incarnation, self.taken_bytes, self.acknowledged_bytes) = (incarnation, 0, 0);
        }
        Ok(())
    }
}

/// The connection over which some logical clients are reached.
#[derive(Clone, Copy, Debug)]
pub struct ClientRange {
    pub role: u16,
    pub first: u32,
    pub count: u32,
    pub slot: usize,
}

impl ClientRange {
    /// Whether some client belongs to both.
    pub fn overlaps(&self, other: &ClientRange) -> bool {
        let end = |range: &ClientRange| u64::from(range.first) + u64::from(range.count);
        self.role == other.role && end(self) > u64::from(other.first) && end(other) > u64::from(self.first)
    }
}

/// What a first frame is judged by.
pub struct Gate<'a> {
    pub inbox: &'a Inbox,
    /// Of this node.
    pub incarnation: u64,
    /// The keys of this node, if nodes have keys.
    pub guard: Option<&'a Guard>,
    /// Those that are connected.
    pub clients: &'a [ClientRange],
    /// Whether another client can be taken in.
    pub has_room: bool,
}

impl Gate<'_> {
    /// Judges the first frame of a connection, whose other end has proved to be `peer` if it has proved anything. Otherwise gives what is answered, if
    /// anything is, and what is counted.
    pub fn admit(
        &self,
        peer: Option<Caller>,
        body: &[u8],
        peers: &mut [Peer],
        now: Instant,
    ) -> Result<Identity, (Option<Refusal>, DropReason)> {
        let hello = Hello::read(body).ok_or((None, DropReason::Malformed))?;
        if self.guard.is_some_and(|guard| !guard.admits(hello.caller, peer)) {
            return Err((Some(Refusal::Unauthenticated), DropReason::Unauthenticated));
        }
        let admitted = self.inbox.admit(&hello, self.incarnation).and_then(|caller| match caller {
            Identity::Client { role, first, count } => {
                self.place_client(&ClientRange { role, first, count, slot: 0 }).map(|()| caller)
            }
            Identity::Peer { place, .. } => peers[place].admit(hello.incarnation, now).map(|()| caller),
        });
        admitted.map_err(|refusal| {
            let reason = match refusal {
                Refusal::Full => DropReason::TooManyConnections,
                Refusal::TooOften => DropReason::TooOften,
                _ => DropReason::WrongPeer,
            };
            (Some(refusal), reason)
        })
    }

    /// Whether a client finds a place among others. Its own earlier connection makes room for it, those of others do not: one hello that
    /// claims everybody would cut everybody off.
    fn place_client(&self, range: &ClientRange) -> Result<(), Refusal> {
        match self.clients.iter().find(|other| other.overlaps(range)) {
            Some(other) if (other.first, other.count) == (range.first, range.count) => Ok(()),
            Some(_) => Err(Refusal::Taken),
            None if self.has_room => Ok(()),
            None => Err(Refusal::Full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_connects_too_often_has_to_wait() {
        let (mut peer, start) = (Peer::new(true), Instant::now());
        let mut connect = |incarnation, ms| peer.admit(incarnation, start + Duration::from_millis(ms));
        for _ in 0..CONNECTS_AT_ONCE {
            assert_eq!(connect(1, 0), Ok(()));
        }
        // A new start makes no difference, and neither do attempts that are refused.
        assert_eq!([connect(1, 0), connect(2, 0), connect(2, 249)], [Err(Refusal::TooOften); 3]);
        assert_eq!([connect(2, 250), connect(2, 250)], [Ok(()), Err(Refusal::TooOften)]);
        assert_eq!(connect(1, 60_000), Err(Refusal::Superseded));
        for _ in 0..CONNECTS_AT_ONCE {
            assert_eq!(connect(2, 60_000), Ok(()), "after a while it is as before");
        }
        assert_eq!(connect(2, 60_000), Err(Refusal::TooOften));
    }

    #[test]
    fn who_does_not_lie_connects_as_often_as_it_starts() {
        let (mut peer, start) = (Peer::default(), Instant::now());
        assert!((0..1_000).all(|incarnation| peer.admit(incarnation, start).is_ok()));
    }

    #[test]
    fn a_link_that_fails_all_the_time_is_not_refused() {
        let (mut peer, start) = (Peer::new(true), Instant::now());
        let mut at = start;
        for back_off_ms in [10, 20, 40, 80, 160, 320, 640].into_iter().chain([1_000; 100]) {
            assert_eq!(peer.admit(1, at), Ok(()));
            at += Duration::from_millis(back_off_ms);
        }
    }
}
