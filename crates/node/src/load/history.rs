//! The first messages between clients and nodes, for those who look at a run afterwards.

use std::collections::BTreeMap;

use menard_value::Node;

use crate::report::Exchange;

/// So many bytes are kept at most, as they were on the wire.
const MAX_BYTES: usize = 64 << 20;

/// What was sent and received. Of what one node says no more than half is kept of all that there is room for: whoever floods clients leaves room for others.
pub struct History {
    exchanges: Vec<Exchange>,
    messages: usize,
    bytes: usize,
    /// Of each node that has said something: messages and bytes.
    shares: BTreeMap<Node, (usize, usize)>,
}

impl History {
    /// Nothing yet, and room for so many messages.
    pub fn new(messages: usize) -> Self {
        History { exchanges: Vec::new(), messages, bytes: MAX_BYTES, shares: BTreeMap::new() }
    }

    /// Takes a message of so many bytes in, if there is room.
    pub fn note(&mut self, exchange: Exchange, bytes: usize) {
        let is_full = self.exchanges.len() >= self.messages || bytes > self.bytes;
        if is_full {
            // Nothing later either: what is kept is a beginning.
            self.messages = self.exchanges.len();
            return;
        }
        let (messages, said) = self.shares.entry(exchange.from).or_default();
        if *messages > self.messages / 2 || *said + bytes > MAX_BYTES / 2 {
            return;
        }
        (*messages, *said) = (*messages + 1, *said + bytes);
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
        let mut history = History::new(10);
        (0..100).for_each(|_| history.note(exchange(3), 1));
        (0..100).for_each(|_| history.note(exchange(2), 1));
        let kept = history.exchanges();
        assert_eq!((kept.len(), kept[9].from.index), (10, 2));
    }

    #[test]
    fn bytes_are_bounded_too_and_what_is_kept_is_a_beginning() {
        let mut history = History::new(1_000);
        for index in 0..100 {
            history.note(exchange(index), 1 << 20);
        }
        history.note(exchange(200), 0);
        assert_eq!(history.exchanges().len(), 64);
    }
}
