//! The first messages between clients and nodes, for those who look at a run afterwards.

use std::collections::BTreeMap;

use menard_value::Node;

use crate::report::Exchange;

/// So many bytes are kept at most, as they were on the wire.
const MAX_BYTES: usize = 64 << 20;

/// What was sent and received. Of what one node that may lie says no more than half is kept of all that there is room for, and nothing from there on:
/// whoever floods clients leaves room for others.
pub struct History {
    exchanges: Vec<Exchange>,
    messages: usize,
    bytes: usize,
    /// For each role how many of its nodes may lie.
    liars: Vec<u32>,
    /// Of each node that may lie and has said something: messages and bytes, with the first that was not kept.
    shares: BTreeMap<Node, (usize, usize)>,
}

impl History {
    /// Nothing yet, and room for so many messages. `liars`: for each role how many of its nodes may lie.
    pub fn new(messages: usize, liars: Vec<u32>) -> Self {
        History { exchanges: Vec::new(), messages, bytes: MAX_BYTES, liars, shares: BTreeMap::new() }
    }

    /// Takes a message of so many bytes in, if there is room.
    pub fn note(&mut self, exchange: Exchange, bytes: usize) {
        let is_full = self.exchanges.len() >= self.messages || bytes > self.bytes;
        if is_full {
            // Nothing later either: what is kept is a beginning.
            self.messages = self.exchanges.len();
            return;
        }
        if self.liars[usize::from(exchange.from.role)] > 0 {
            let (messages, said) = self.shares.entry(exchange.from).or_default();
            // What is not kept counts, too: a shorter message later must not leave a gap.
            (*messages, *said) = (*messages + 1, *said + bytes);
            if *messages > self.messages / 2 + 1 || *said > MAX_BYTES / 2 {
                return;
            }
        }
        self.bytes -= bytes;
        self.exchanges.push(exchange);
    }

    /// What was kept.
    pub fn exchanges(self) -> Vec<Exchange> {
        self.exchanges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(index: u32) -> Exchange {
        let from = Node { role: 1, index };
        Exchange { channel: 0, from, to: Node { role: 0, index: 0 }, args: Box::default(), is_believed: false }
    }

    #[test]
    fn who_floods_leaves_room_for_others() {
        let mut history = History::new(10, vec![0, 1]);
        (0..100).for_each(|_| history.note(exchange(3), 1));
        (0..100).for_each(|_| history.note(exchange(2), 1));
        let kept = history.exchanges();
        assert_eq!((kept.len(), kept[9].from.index), (10, 2));
    }

    #[test]
    fn of_who_says_too_much_nothing_is_kept_later() {
        let mut history = History::new(10, vec![0, 1]);
        for bytes in [MAX_BYTES / 2, 1, 0] {
            history.note(exchange(3), bytes);
        }
        assert_eq!(history.exchanges().len(), 1);
    }

    #[test]
    fn who_may_not_lie_has_all_the_room() {
        let mut history = History::new(10, vec![0, 0]);
        (0..100).for_each(|_| history.note(exchange(3), 1));
        assert_eq!(history.exchanges().len(), 10);
    }

    #[test]
    fn bytes_are_bounded_too_and_what_is_kept_is_a_beginning() {
        let mut history = History::new(1_000, vec![0, 1]);
        for index in 0..100 {
            history.note(exchange(index), 1 << 20);
        }
        history.note(exchange(200), 0);
        assert_eq!(history.exchanges().len(), 64);
    }
}
