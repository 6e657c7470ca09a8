//! The armed timers of a node: messages to the node itself that are sent some time after a rule armed them. A restart forgets them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use menard_engine::Sent;
use menard_value::{Node, Value};

/// The most timers that a node may have armed: a program with more arms them faster than they fire.
pub(crate) const MAX_TIMERS: usize = 1 << 20;

/// One armed timer. Those with the same time fire in the order in which they were armed.
#[derive(Debug)]
struct Armed {
    at: Instant,
    number: u64,
    channel: u16,
    to: Node,
    part: u32,
    args: Box<[Value]>,
}

impl Armed {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl PartialEq for Armed {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Armed {}

impl PartialOrd for Armed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Armed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// The armed timers of a node.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    armed: BinaryHeap<Reverse<Armed>>,
    number: u64,
}

impl Timers {
    /// Arms one: the message is due after the delay. False if there are too many.
    pub fn arm(&mut self, sent: Sent<'_>, delay: Duration, now: Instant) -> bool {
        if self.armed.len() >= MAX_TIMERS {
            return false;
        }
        // A time that the clock does not reach never comes.
        let Some(at) = now.checked_add(delay) else { return true };
        self.number += 1;
        let Sent { channel, to, part, args, .. } = sent;
        self.armed.push(Reverse(Armed { at, number: self.number, channel, to, part, args: args.into() }));
        true
    }

    /// Fires one that is due.
    pub fn fire(&mut self, now: Instant, send: impl FnOnce(Sent<'_>)) -> bool {
        if self.next().is_none_or(|at| at > now) {
            return false;
        }
        let Reverse(Armed { channel, to, part, args, .. }) = self.armed.pop().expect("one is due");
        send(Sent { channel, to, part, held: false, args: &args });
        // Memory of a time with many timers is given back.
        if self.armed.len() < self.armed.capacity() / 4 {
            self.armed.shrink_to(self.armed.len() * 2);
        }
        true
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.armed.peek().map(|Reverse(armed)| armed.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Node = Node { role: 0, index: 0 };

    fn arm(timers: &mut Timers, number: i64, delay_ms: u64, now: Instant) -> bool {
        let args = [Value::Int(number)];
        let sent = Sent { channel: 3, to: ME, part: 1, held: false, args: &args };
        timers.arm(sent, Duration::from_millis(delay_ms), now)
    }

    /// The numbers of the timers that fire.
    fn fired(timers: &mut Timers, now: Instant) -> Vec<i64> {
        let mut numbers = Vec::new();
        while timers.fire(now, |sent| {
            assert_eq!((sent.channel, sent.to, sent.part), (3, ME, 1));
            numbers.push(sent.args[0].as_int().expect("an integer"));
        }) {}
        numbers
    }

    #[test]
    fn timers_fire_once_in_the_order_of_their_times_and_never_early() {
        let start = Instant::now();
        let mut timers = Timers::default();
        for (number, delay_ms) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            assert!(arm(&mut timers, number, delay_ms, start));
        }
        let after = |ms| start + Duration::from_millis(ms);
        assert_eq!(timers.next(), Some(after(10)));
        assert!(fired(&mut timers, after(10) - Duration::from_nanos(1)).is_empty());
        assert_eq!(fired(&mut timers, after(10)), [2, 4]);
        assert!(fired(&mut timers, after(10)).is_empty());
        assert_eq!(fired(&mut timers, after(500)), [3, 1]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn timers_are_bounded_and_give_their_memory_back() {
        let start = Instant::now();
        let mut timers = Timers::default();
        assert!((0..MAX_TIMERS).all(|_| arm(&mut timers, 1, 1, start)));
        assert!(!arm(&mut timers, 1, 1, start));
        assert_eq!(fired(&mut timers, start + Duration::from_millis(1)).len(), MAX_TIMERS);
        assert!(timers.armed.capacity() < 64, "{}", timers.armed.capacity());
        assert!(arm(&mut timers, 1, 1, start));
    }

    #[test]
    fn a_delay_longer_than_time_itself_never_ends() {
        let mut timers = Timers::default();
        let args = [];
        let sent = Sent { channel: 0, to: ME, part: 0, held: false, args: &args };
        assert!(timers.arm(sent, Duration::MAX, Instant::now()));
        assert_eq!(timers.next(), None);
    }
}
