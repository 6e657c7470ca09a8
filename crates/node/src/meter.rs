//! What a node counts: messages, bytes, steps, CPU time, and everything that it dropped with the reason.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Why something was dropped. Nothing is dropped without being counted under one of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DropReason {
    /// A frame that is no message, or whose fields are not the channel's.
    Malformed,
    /// A message of a channel that the program does not have.
    UnknownChannel,
    /// A message of a channel that the caller's component or role does not send, or of a timer.
    WrongSender,
    /// A message in the name of another logical node than the caller's.
    ForgedSender,
    /// A message for another logical node or component.
    WrongNode,
    /// A message whose key belongs to another partition.
    WrongPart,
    /// A connection with a frame over the limit; it was closed.
    Oversized,
    /// A connection that did not begin with a hello in time; it was closed.
    NoHello,
    /// A connection refused: another program, deployment, node, or an unknown caller.
    WrongPeer,
    /// A connection whose handshake failed: no certificate, or one of another node; it was closed.
    Unauthenticated,
    /// A record that is not the next one that the other end has sent; its connection was closed.
    Tampered,
    /// A connection over the limit of connections.
    TooManyConnections,
    /// A message to an external node that has no connection.
    NoClient,
    /// A message to an external node that does not read; its connection was closed.
    SlowClient,
    /// A message that a rule sent and that is too long for a frame.
    TooLong,
    /// A connection of a node that asks for acknowledgements and does not read them; it was closed.
    DeafPeer,
    /// A connection of a node that connects too often; it was refused.
    TooOften,
}

impl DropReason {
    const ALL: [DropReason; 17] = [
        DropReason::Malformed,
        DropReason::UnknownChannel,
        DropReason::WrongSender,
        DropReason::ForgedSender,
        DropReason::WrongNode,
        DropReason::WrongPart,
        DropReason::Oversized,
        DropReason::NoHello,
        DropReason::WrongPeer,
        DropReason::Unauthenticated,
        DropReason::Tampered,
        DropReason::TooManyConnections,
        DropReason::NoClient,
        DropReason::SlowClient,
        DropReason::TooLong,
        DropReason::DeafPeer,
        DropReason::TooOften,
    ];

    /// The name in reports.
    fn name(self) -> &'static str {
        match self {
            DropReason::Malformed => "malformed",
            DropReason::UnknownChannel => "unknown_channel",
            DropReason::WrongSender => "wrong_sender",
            DropReason::ForgedSender => "forged_sender",
            DropReason::WrongNode => "wrong_node",
            DropReason::WrongPart => "wrong_part",
            DropReason::Oversized => "oversized",
            DropReason::NoHello => "no_hello",
            DropReason::WrongPeer => "wrong_peer",
            DropReason::Unauthenticated => "unauthenticated",
            DropReason::Tampered => "tampered",
            DropReason::TooManyConnections => "too_many_connections",
            DropReason::NoClient => "no_client",
            DropReason::SlowClient => "slow_client",
            DropReason::TooLong => "too_long",
            DropReason::DeafPeer => "deaf_peer",
            DropReason::TooOften => "too_often",
        }
    }
}

/// A lie of a node that is faulty on purpose. Those from `ForgedSender` on are no messages that anybody takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lie {
    /// A message that was not sent; all that a silent node does.
    Withheld,
    /// A message with other values.
    Changed,
    /// A message to another node.
    Readdressed,
    /// A message to another partition than its own.
    Astray,
    /// A message that was sent later than it ought to be.
    Late,
    /// A message that was sent twice.
    Repeated,
    /// A message that nobody asked for.
    MadeUp,
    /// A message in the name of another node.
    ForgedSender,
    /// A message on a channel that may be another component's.
    WrongChannel,
    /// Random bytes instead of a message.
    Noise,
    /// A connection whose MACs were wrong from some moment on.
    Spoilt,
}

impl Lie {
    const ALL: [(Lie, &'static str); 11] = [
        (Lie::Withheld, "withheld"),
        (Lie::Changed, "changed"),
        (Lie::Readdressed, "readdressed"),
        (Lie::Astray, "astray"),
        (Lie::Late, "late"),
        (Lie::Repeated, "repeated"),
        (Lie::MadeUp, "made_up"),
        (Lie::ForgedSender, "forged_sender"),
        (Lie::WrongChannel, "wrong_channel"),
        (Lie::Noise, "noise"),
        (Lie::Spoilt, "spoilt"),
    ];
}

/// Counters of one node since its start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Meter {
    pub messages_in: u64,
    pub messages_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub steps: u64,
    /// Syncs of the node's log.
    pub syncs: u64,
    /// Timers that fired.
    pub timers: u64,
    /// Messages to nodes that crashed and were away for too long.
    pub crashed: u64,
    /// Messages that the engine found addressed to nodes that do not exist.
    pub misaddressed: u64,
    dropped: [u64; DropReason::ALL.len()],
    lies: [u64; Lie::ALL.len()],
}

impl Meter {
    /// Counts something dropped.
    pub fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    /// Counts a lie.
    pub fn lie(&mut self, lie: Lie) {
        self.lies[lie as usize] += 1;
    }

    /// Lies by kind; kinds that never occurred are left out.
    pub fn lies(&self) -> BTreeMap<String, u64> {
        let counts = Lie::ALL.into_iter().map(|(lie, name)| (name.to_owned(), self.lies[lie as usize]));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// What was dropped, by reason; reasons that never occurred are left out.
    pub fn dropped(&self) -> BTreeMap<String, u64> {
        let named = DropReason::ALL.into_iter().map(|reason| (reason.name(), self.dropped[reason as usize]));
        let all = named.chain([("crashed", self.crashed), ("misaddressed", self.misaddressed)]);
        all.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
    }
}

/// A node's counters at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub at: Instant,
    /// CPU time of the node's thread since it began.
    pub cpu: Duration,
    pub meter: Meter,
}

impl Snapshot {
    /// Of the calling thread, now.
    pub fn take(meter: &Meter) -> Self {
        Snapshot { at: Instant::now(), cpu: thread_cpu_time(), meter: meter.clone() }
    }
}

/// The CPU time, user and system, of the calling thread.
fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is never negative");
    let nanoseconds = u32::try_from(time.tv_nsec).expect("a fraction of a second fits");
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_at_their_own_position() {
        for (position, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, position);
        }
        for (position, (lie, _)) in Lie::ALL.into_iter().enumerate() {
            assert_eq!(lie as usize, position);
        }
    }

    #[test]
    fn only_what_occurred_is_reported() {
        let mut meter = Meter::default();
        meter.drop(DropReason::WrongPart);
        meter.drop(DropReason::WrongPart);
        assert_eq!(meter.dropped(), BTreeMap::from([("wrong_part".to_owned(), 2)]));
    }
}
