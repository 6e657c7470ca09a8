//! A client's connection to a place: says hello for a range of logical nodes, sends commands, receives answers.
//!
//! Unlike a [link](crate::link) it may lose messages when it breaks: clients send again anyway.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Registry, Token};

use crate::destination::Destination;
use crate::link::{GREETING_TIMEOUT, say};
use crate::meter::DropReason;
use crate::secure::{Guard, Transport};
use crate::stream::{Filled, WriteBuffer, fill};
use crate::wire::{Hello, MAX_FRAME_BYTES, Refusal, Welcome};

/// A session with so many bytes to write takes no more.
pub(crate) const FULL_BYTES: usize = 1 << 20;
const BACK_OFF: Duration = Duration::from_millis(50);

#[derive(Debug)]
enum Connection {
    BackOff(Instant),
    Connecting(TcpStream),
    Greeting(TcpStream),
    Open(TcpStream),
}

/// A client's connection to a place.
#[derive(Debug)]
pub(crate) struct Session {
    destination: Destination,
    /// What it says first: the hello, or the first frame of a handshake.
    opening: Vec<u8>,
    connection: Connection,
    transport: Transport,
    out: WriteBuffer,
    readable: bool,
    blocked: bool,
    /// Why the other side did not accept it, if it said so last; it is tried again.
    refused: Option<Refusal>,
    /// When it began to connect last.
    since: Instant,
    /// It has been open before.
    was_open: bool,
    /// It is open again, and nobody has asked yet.
    is_reopened: bool,
}

impl Session {
    /// A session that has not connected yet; [`Session::flush`] does it. `guard`: the keys of these clients, if they have any.
    pub fn new(address: SocketAddr, token: Token, hello: &Hello, guard: Option<Guard>, now: Instant) -> Self {
        Session {
            destination: Destination::new(address, token, hello, guard),
            opening: Vec::new(),
            connection: Connection::BackOff(now),
            transport: Transport::plain(),
            out: WriteBuffer::default(),
            readable: false,
            blocked: false,
            refused: None,
            since: now,
            was_open: false,
            is_reopened: false,
        }
    }

    /// Whether it was opened again since this was asked last: what was under way is lost.
    pub fn take_reopened(&mut self) -> bool {
        std::mem::take(&mut self.is_reopened)
    }

    /// Why the other side did not accept it when it was last tried.
    pub fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    /// Whether the other side has accepted it.
    pub fn is_open(&self) -> bool {
        matches!(self.connection, Connection::Open(_))
    }

    /// Whether it is open and so much waits to be written that nothing should be added.
    pub fn is_full(&self) -> bool {
        self.is_open() && self.out.len() >= FULL_BYTES
    }

    /// Where to append messages; `None` as long as it is not open.
    pub fn out(&mut self) -> Option<&mut Vec<u8>> {
        self.is_open().then_some(&mut self.out.bytes)
    }

    /// When it wants to be flushed without an event.
    pub fn retry_at(&self) -> Option<Instant> {
        match self.connection {
            Connection::BackOff(until) => Some(until),
            Connection::Connecting(_) | Connection::Greeting(_) => Some(self.since + GREETING_TIMEOUT),
            Connection::Open(_) => None,
        }
    }

    /// Connects if it is time to, and writes what the connection takes.
    pub fn flush(&mut self, registry: &Registry, now: Instant) {
        match &mut self.connection {
            Connection::BackOff(until) if *until <= now => self.connect(registry, now),
            Connection::Connecting(_) | Connection::Greeting(_) if self.since + GREETING_TIMEOUT <= now => {
                self.fail(now)
            }
            Connection::Greeting(stream) | Connection::Open(stream)
                if !self.blocked && (self.out.len() > 0 || self.transport.has_pending()) =>
            {
                match self.out.flush(&mut self.transport, stream) {
                    Ok(()) => self.blocked = self.out.len() > 0 || self.transport.has_pending(),
                    Err(_) => self.fail(now),
                }
            }
            _ => {}
        }
    }

    /// Notes an event of the connection.
    pub fn ready(&mut self, event: &Event, now: Instant) {
        self.readable = true;
        self.blocked &= !event.is_writable();
        if matches!(self.connection, Connection::Connecting(_)) {
            self.greet(now);
        }
    }

    /// Reads once and calls `on_message` with the body of every message. Gives whether there is more to read.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        now: Instant,
        mut on_message: impl FnMut(&[u8]),
    ) -> Result<bool, Refusal> {
        let (Connection::Greeting(stream) | Connection::Open(stream)) = &mut self.connection else {
            return Ok(false);
        };
        if !self.readable {
            return Ok(false);
        }
        let (Filled::Full(count) | Filled::Drained(count)) = fill(stream, scratch) else {
            self.fail(now);
            return Ok(false);
        };
        let mut welcomed = self.is_open();
        let mut refused = None;
        let fed = self.transport.feed(&scratch[..count], |body, _| {
            if welcomed {
                on_message(body);
                return Ok(MAX_FRAME_BYTES);
            }
            match Welcome::read(body).ok_or(DropReason::Malformed)? {
                Welcome::Accepted { .. } => welcomed = true,
                Welcome::Refused(refusal) => {
                    refused = Some(refusal);
                    return Err(DropReason::WrongPeer);
                }
            }
            Ok(MAX_FRAME_BYTES)
        });
        self.refused = refused;
        if let Some(refusal) = refused.filter(|refusal| !refusal.may_pass()) {
            return Err(refusal);
        }
        if fed.is_err() {
            self.fail(now);
            return Ok(false);
        }
        if welcomed {
            self.open();
        }
        // Until nothing is left, so that the end of the connection is seen, too.
        self.readable = count > 0;
        Ok(self.readable)
    }

    fn connect(&mut self, registry: &Registry, now: Instant) {
        self.since = now;
        self.out = WriteBuffer::default();
        self.blocked = false;
        match self.destination.connect(registry) {
            Ok((stream, transport, opening)) => {
                (self.transport, self.opening) = (transport, opening);
                self.connection = Connection::Connecting(stream);
            }
            Err(_) => self.fail(now),
        }
    }

    fn greet(&mut self, now: Instant) {
        let Connection::Connecting(stream) = &mut self.connection else { return };
        match say(stream, &self.opening) {
            Ok(true) => self.advance(Connection::Greeting),
            Ok(false) => {}
            Err(_) => self.fail(now),
        }
    }

    fn open(&mut self) {
        if matches!(self.connection, Connection::Greeting(_)) {
            self.advance(Connection::Open);
            self.is_reopened = std::mem::replace(&mut self.was_open, true);
        }
    }

    /// Goes to the next state with the same stream.
    fn advance(&mut self, next: fn(TcpStream) -> Connection) {
        let connection = std::mem::replace(&mut self.connection, Connection::BackOff(Instant::now()));
        if let Connection::Connecting(stream) | Connection::Greeting(stream) | Connection::Open(stream) = connection {
            self.connection = next(stream);
        }
    }

    /// Gives the connection up, and tries another one later.
    pub fn fail(&mut self, now: Instant) {
        self.connection = Connection::BackOff(now + BACK_OFF);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use mio::{Events, Poll};

    use super::*;
    use crate::wire::{Caller, WirePlace};

    #[test]
    fn a_node_that_does_not_answer_the_hello_is_tried_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let target = WirePlace { component: 0, index: 0, part: 0 };
        let caller = Caller::Client { role: 0, first: 0, count: 1 };
        let hello = Hello { fingerprint: [1; 32], session: 0, incarnation: 0, target, caller };
        let mut poll = Poll::new().expect("a poll");
        let mut events = Events::with_capacity(8);
        let mut session = Session::new(address, Token(0), &hello, None, Instant::now());
        while !matches!(session.connection, Connection::Greeting(_)) {
            session.flush(poll.registry(), Instant::now());
            poll.poll(&mut events, Some(Duration::from_millis(15))).expect("polls work");
            events.iter().for_each(|event| session.ready(event, Instant::now()));
        }
        let deadline = session.retry_at().expect("it does not wait for ever");
        session.flush(poll.registry(), deadline);
        assert!(matches!(session.connection, Connection::BackOff(_)), "{:?}", session.connection);
    }
}
