//! What a link keeps, loses and gives up, against a receiver that is played by hand.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream as StdStream};

use mio::{Events, Poll};

use super::*;
use crate::wire::{Caller, WirePlace, push_acknowledgement};

const HEADER: MessageHeader = MessageHeader { channel: 0, from: 0, to: 0 };

fn hello() -> Hello {
    let place = WirePlace { component: 0, index: 0, part: 0 };
    Hello { fingerprint: [1; 32], session: 2, incarnation: 3, target: place, caller: Caller::Peer(place) }
}

/// The answer of a receiver that has started seven times.
fn accepted(taken_bytes: u64) -> Welcome {
    Welcome::Accepted { incarnation: 7, taken_bytes }
}

/// A link and what it needs to run, and a listener that plays the receiver.
struct Pair {
    poll: Poll,
    link: Link,
    listener: TcpListener,
}

impl Pair {
    fn new(limit: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        Pair {
            poll: Poll::new().expect("a poll"),
            link: Link::new(address, Token(0), &hello(), None, limit, Excuses::default()),
            listener,
        }
    }

    fn push(&mut self, number: i64) -> usize {
        self.link.push(HEADER, &[Value::Int(number)]).expect("a short message")
    }

    /// Lets the link do what it can for a while.
    fn run(&mut self) -> Result<(), LinkError> {
        let mut events = Events::with_capacity(8);
        let mut scratch = [0; 4096];
        for _ in 0..4 {
            self.link.flush(self.poll.registry(), Instant::now())?;
            self.poll.poll(&mut events, Some(Duration::from_millis(15))).expect("polls work");
            if !events.is_empty() {
                self.link.ready(&mut scratch, self.poll.registry(), Instant::now())?;
            }
        }
        Ok(())
    }

    /// Accepts the link's connection, checks its hello, and answers.
    fn accept(&mut self, welcome: Welcome) -> StdStream {
        self.run().expect("connecting is no error");
        let (mut stream, _) = self.listener.accept().expect("the link connects");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("sockets have timeouts");
        let mut greeting = Vec::new();
        hello().push(&mut greeting);
        let mut received = vec![0; greeting.len()];
        self.run().expect("a hello is no error");
        stream.read_exact(&mut received).expect("the link says hello");
        assert_eq!(received, greeting);
        let mut answer = Vec::new();
        welcome.push(&mut answer);
        stream.write_all(&answer).expect("the link reads");
        stream
    }
}

/// Reads so many messages of one integer each.
fn read_numbers(stream: &mut StdStream, count: usize, bytes: usize) -> Vec<i64> {
    let mut received = vec![0; count * bytes];
    stream.read_exact(&mut received).expect("messages come");
    let numbers = received.chunks_exact(bytes).map(|message| message[bytes - 8..].try_into().expect("8 bytes"));
    numbers.map(i64::from_le_bytes).collect()
}

#[test]
fn nothing_is_lost_when_the_connection_breaks() {
    let mut pair = Pair::new(1 << 20);
    let bytes = (0..5).map(|number| pair.push(number)).max().expect("five messages");
    let mut first = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut first, 5, bytes), [0, 1, 2, 3, 4]);
    drop(first);
    pair.push(5);
    // The receiver took three of the five; the others were lost with the connection.
    let mut second = pair.accept(accepted(3 * bytes as u64));
    pair.run().expect("sending again is no error");
    assert_eq!(read_numbers(&mut second, 3, bytes), [3, 4, 5]);
}

#[test]
fn what_is_acknowledged_is_forgotten() {
    let mut pair = Pair::new(1 << 20);
    let bytes = pair.push(1) as u64;
    let mut stream = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    let mut acknowledgement = Vec::new();
    push_acknowledgement(&mut acknowledgement, bytes);
    stream.write_all(&acknowledgement).expect("the link reads");
    pair.run().expect("an acknowledgement is no error");
    assert_eq!((pair.link.log.bytes.len(), pair.link.log.cut), (0, bytes));
}

#[test]
fn a_link_is_behind_until_the_receiver_has_what_was_written() {
    let mut pair = Pair::new(MIN_QUEUE_LIMIT_BYTES);
    let bytes: usize = (0..).map(|number| pair.push(number)).take(BEHIND_BYTES / 20).sum();
    let mut stream = pair.accept(accepted(0));
    let reader = std::thread::spawn(move || {
        stream.read_exact(&mut vec![0; bytes]).expect("all of it comes");
        stream
    });
    while pair.link.log.written < bytes {
        pair.run().expect("sending is no error");
    }
    let mut stream = reader.join().expect("the receiver takes it");
    assert!(pair.link.is_behind());
    let mut acknowledgement = Vec::new();
    push_acknowledgement(&mut acknowledgement, bytes as u64);
    stream.write_all(&acknowledgement).expect("the link reads");
    pair.run().expect("an acknowledgement is no error");
    assert!(!pair.link.is_behind());
}

#[test]
fn a_receiver_that_claims_more_than_was_sent_is_left() {
    let mut pair = Pair::new(1 << 20);
    let bytes = pair.push(1) as u64;
    let _stream = pair.accept(accepted(bytes + 1));
    pair.run().expect("it is tried again");
    assert!(pair.link.retry_at().is_some() || !matches!(pair.link.connection, Connection::Open { .. }));
    assert_eq!(pair.link.log.bytes.len() as u64, bytes);
}

#[test]
fn the_next_incarnation_gets_what_was_not_acknowledged() {
    let mut pair = Pair::new(1 << 20);
    let bytes = (0..3).map(|number| pair.push(number)).max().expect("three messages");
    let mut first = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut first, 3, bytes), [0, 1, 2]);
    let mut acknowledgement = Vec::new();
    push_acknowledgement(&mut acknowledgement, bytes as u64);
    first.write_all(&acknowledgement).expect("the link reads");
    pair.run().expect("an acknowledgement is no error");
    drop(first);
    pair.run().expect("a closed connection is no error");
    pair.push(3);
    let mut second = pair.accept(Welcome::Accepted { incarnation: 8, taken_bytes: 0 });
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut second, 3, bytes), [1, 2, 3]);
    // What this one takes counts from its own beginning.
    acknowledgement.clear();
    push_acknowledgement(&mut acknowledgement, 3 * bytes as u64);
    second.write_all(&acknowledgement).expect("the link reads");
    pair.run().expect("an acknowledgement is no error");
    assert_eq!(pair.link.log.bytes.len(), 0);
    // An earlier incarnation is no more.
    drop(second);
    pair.run().expect("a closed connection is no error");
    pair.push(4);
    let _third = pair.accept(accepted(0));
    pair.run().expect("it is tried again");
    assert!(!matches!(pair.link.connection, Connection::Open { .. }), "{:?}", pair.link.connection);
}

#[test]
fn a_receiver_that_owes_an_acknowledgement_is_asked_and_left_if_it_does_not_answer() {
    let mut pair = Pair::new(1 << 20);
    let bytes = pair.push(1);
    let mut stream = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    pass(&mut pair, PING_AFTER - Duration::from_millis(500));
    assert_eq!(pair.link.log.bytes.len(), bytes);
    pass(&mut pair, PING_AFTER);
    assert_eq!(pair.link.log.bytes.len(), bytes + LENGTH_BYTES);
    let mut received = vec![0; bytes + LENGTH_BYTES];
    stream.read_exact(&mut received).expect("the link asks");
    assert_eq!(received[bytes..], [0; LENGTH_BYTES]);
    pass(&mut pair, PING_AFTER + PING_TIMEOUT / 2);
    assert!(matches!(pair.link.connection, Connection::Open { .. }), "{:?}", pair.link.connection);
    assert!(pair.link.retry_at().is_some_and(|at| at <= Instant::now() + PING_AFTER + PING_TIMEOUT));
    pass(&mut pair, PING_AFTER + PING_TIMEOUT);
    assert!(matches!(pair.link.connection, Connection::BackOff(_)), "{:?}", pair.link.connection);
    // Nothing is lost: it is the same incarnation that answers next.
    pass(&mut pair, PING_AFTER + PING_TIMEOUT + LONGEST_BACK_OFF);
    let mut second = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut second, 1, bytes), [1]);
}

/// Lets time pass for a link without anything happening.
fn pass(pair: &mut Pair, time: Duration) {
    let later = Instant::now() + time;
    pair.link.flush(pair.poll.registry(), later).expect("waiting is no error");
}

#[test]
fn a_receiver_that_does_not_answer_the_hello_is_left() {
    let mut pair = Pair::new(1 << 20);
    pair.push(1);
    pair.run().expect("connecting is no error");
    assert!(matches!(pair.link.connection, Connection::Greeting(_)), "{:?}", pair.link.connection);
    let deadline = pair.link.retry_at().expect("it does not wait for ever");
    assert!(deadline <= Instant::now() + GREETING_TIMEOUT);
    pass(&mut pair, GREETING_TIMEOUT);
    assert!(matches!(pair.link.connection, Connection::BackOff(_)), "{:?}", pair.link.connection);
}

#[test]
fn a_receiver_that_takes_nothing_is_left_and_one_that_owes_nothing_is_not() {
    let mut pair = Pair::new(64 << 20);
    pair.push(1);
    let _stream = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    pass(&mut pair, 10 * PROGRESS_TIMEOUT);
    assert!(matches!(pair.link.connection, Connection::Open { .. }), "{:?}", pair.link.connection);
    // The system's buffers do not take so much.
    while pair.link.log.bytes.len() < 32 << 20 {
        pair.push(2);
    }
    pair.run().expect("sending is no error");
    pass(&mut pair, PROGRESS_TIMEOUT / 2);
    assert!(matches!(pair.link.connection, Connection::Open { .. }), "{:?}", pair.link.connection);
    pass(&mut pair, PROGRESS_TIMEOUT);
    assert!(matches!(pair.link.connection, Connection::BackOff(_)), "{:?}", pair.link.connection);
}

#[test]
fn a_refusal_is_an_error_with_its_reason() {
    let mut pair = Pair::new(1 << 20);
    pair.push(1);
    let _stream = pair.accept(Welcome::Refused(Refusal::Program));
    let error = pair.run().expect_err("a refusal is final");
    assert_eq!(error.to_string(), "refused a connection: it runs another program");
}

#[test]
fn a_queue_for_a_node_that_crashed_is_lost_and_goes_to_a_later_incarnation_only() {
    let mut pair = Pair::new(100);
    pair.link.excuses.may_crash = true;
    let bytes = pair.push(0);
    let mut first = pair.accept(accepted(0));
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut first, 1, bytes), [0]);
    drop(first);
    pair.run().expect("a closed connection is no error");
    assert_eq!((1..6).map(|number| pair.push(number)).sum::<usize>(), 5 * bytes);
    pair.link.flush(pair.poll.registry(), Instant::now()).expect("a node that crashed takes nobody with it");
    assert_eq!((pair.link.log.bytes.len(), pair.link.lost()), (0, 6));
    pair.push(6);
    let _same = pair.accept(accepted(0));
    pair.run().expect("it is tried again");
    assert!(!matches!(pair.link.connection, Connection::Open { .. }), "{:?}", pair.link.connection);
    let mut next = pair.accept(Welcome::Accepted { incarnation: 8, taken_bytes: 0 });
    pair.run().expect("sending is no error");
    assert_eq!(read_numbers(&mut next, 1, bytes), [6]);
}

#[test]
fn a_queue_over_its_limit_is_an_error_not_a_loss() {
    let mut pair = Pair::new(100);
    let pushed: usize = (0..5).map(|number| pair.push(number)).sum();
    assert_eq!(pushed, 110);
    let error = pair.link.flush(pair.poll.registry(), Instant::now()).expect_err("110 bytes are over 100");
    assert!(error.to_string().contains("over the limit of 100"), "{error}");
}

#[test]
fn a_receiver_that_may_lie_is_no_reason_to_fail() {
    let mut pair = Pair::new(1_000);
    pair.link.excuses.may_lie = true;
    pair.push(0);
    drop(pair.accept(Welcome::Refused(Refusal::Program)));
    pair.run().expect("it may refuse whom it likes");
    // It takes connections and nothing else.
    std::thread::sleep(Duration::from_millis(50));
    let mut stream = pair.accept(accepted(0));
    for number in 0..100 {
        pair.push(number);
    }
    pair.run().expect("it may take nothing");
    assert!(pair.link.lost() >= 100 && pair.link.log.bytes.is_empty(), "{}", pair.link.lost());
    // What is sent to it from now on has a gap in front, so the same incarnation gets none of it.
    let ended = stream.read_to_end(&mut Vec::new());
    let is_timeout = ended.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    assert!(!is_timeout, "the link has closed the connection");
    for number in 0..50 {
        pair.push(number);
    }
    pair.run().expect("it may take nothing");
    assert!(pair.link.log.kept_bytes() <= 1_000, "it does not grow");
}

#[test]
fn a_receiver_that_floods_is_left() {
    let mut acknowledgement = Vec::new();
    push_acknowledgement(&mut acknowledgement, 0);
    let mut scratch = [0; 4 * 12];
    assert_eq!(scratch.len() % acknowledgement.len(), 0);
    for (reads, is_left) in [(MAX_READS / 2, false), (MAX_READS + 1, true)] {
        let mut pair = Pair::new(1 << 20);
        pair.push(1);
        let mut stream = pair.accept(accepted(0));
        pair.run().expect("sending is no error");
        let flood = acknowledgement.repeat(reads * scratch.len() / acknowledgement.len());
        stream.write_all(&flood).expect("the link reads");
        let Connection::Open { stream: incoming, .. } = &pair.link.connection else { panic!("the link is open") };
        while !incoming.peek(&mut vec![0; flood.len()]).is_ok_and(|count| count == flood.len()) {
            std::thread::yield_now();
        }
        pair.link.ready(&mut scratch, pair.poll.registry(), Instant::now()).expect("a flood is no error");
        assert_eq!(matches!(pair.link.connection, Connection::BackOff(_)), is_left, "{reads} reads");
    }
}
