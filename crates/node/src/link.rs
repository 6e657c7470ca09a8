//! The outgoing connection to another node. It loses nothing and keeps the order, across reconnects too.
//!
//! Messages are appended to a log, and stay there until the receiver has acknowledged them. A connection begins with a hello; the answer
//! says how many bytes of the log the receiver has, and sending goes on from there. The log has a limit: a node whose receiver does not
//! take what it is sent fails, rather than losing messages or growing without bound.
//!
//! A receiver that has started again knows nothing of what an earlier incarnation took, and gets everything that was not acknowledged,
//! some of it for the second time. What was acknowledged may be lost.
//!
//! A receiver that may crash can be away for long. When the log is at its limit then, all of it is lost, and so is the receiver's incarnation
//! for this node: messages are sent to a later one only.
//!
//! A receiver that may lie is never a reason to fail: neither its refusal, nor that it takes nothing. At the limit it is given up in the same way.
//!
//! A receiver that owes an acknowledgement for some time is asked for it, and left for a new connection if it does not answer: so a
//! connection of which only one end is left is found out, even if nothing is sent on it.

mod backlog;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use menard_value::Value;
use mio::net::TcpStream;
use mio::{Registry, Token};
use thiserror::Error;

use self::backlog::Backlog;
use crate::callers::ACKNOWLEDGE_BYTES;
use crate::config::MIN_QUEUE_LIMIT_BYTES;
use crate::destination::Destination;
use crate::meter::DropReason;
use crate::secure::{Guard, Transport};
use crate::stream::{Filled, drain, fill};
use crate::wire::{
    Hello, LENGTH_BYTES, MAX_FRAME_BYTES, MAX_GREETING_BYTES, MessageHeader, OversizedError, Refusal, Welcome,
    push_frame, push_message, push_ping, read_acknowledgement,
};

const FIRST_BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);
/// A receiver has so long to accept a connection and to answer the hello.
pub(crate) const GREETING_TIMEOUT: Duration = Duration::from_secs(2);
/// A receiver has so long to take or acknowledge something when it ought to; then the connection is given up for another.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(10);
/// A receiver that has not acknowledged everything for so long is asked to.
const PING_AFTER: Duration = Duration::from_secs(1);
/// A receiver has so long to answer that.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// With so many bytes written a receiver that lives has acknowledged some: it does so after whole frames.
const OWED_BYTES: usize = ACKNOWLEDGE_BYTES as usize + LENGTH_BYTES + MAX_FRAME_BYTES;
/// A link with more bytes that were not acknowledged is behind. A receiver acknowledges far smaller amounts.
const BEHIND_BYTES: usize = 1 << 20;
const _: () = assert!(BEHIND_BYTES >= 4 * ACKNOWLEDGE_BYTES as usize && BEHIND_BYTES <= MIN_QUEUE_LIMIT_BYTES / 4);

/// What a receiver says at once is read in so many pieces at most: acknowledgements are few, and whoever floods a node with them is left.
const MAX_READS: usize = 64;
/// A link that has been behind for so long is slow.
const SLOW_AFTER: Duration = Duration::from_secs(1);

/// Why a link can never work.
#[derive(Debug, Error)]
pub(crate) enum LinkError {
    #[error("refused a connection: {0}")]
    Refused(#[from] Refusal),
    #[error("does not take its messages: {bytes} bytes wait, over the limit of {limit} (`queue_limit_bytes`)")]
    Overflow { bytes: usize, limit: usize },
}

/// Where the connection stands.
#[derive(Debug)]
enum Connection {
    /// There is none; it is made when there is something to send.
    Idle,
    /// The last one failed; the next is tried at this time.
    BackOff(Instant),
    /// The system is connecting.
    Connecting(TcpStream),
    /// The hello is sent.
    Greeting(TcpStream),
    /// The receiver has accepted. `blocked`: the socket took no more; it will say when it does.
    Open { stream: TcpStream, blocked: bool },
}

/// What a receiver may do by the program's faults, so that this node must not fail if it does.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Excuses {
    /// It may crash or start again.
    pub may_crash: bool,
    /// It may do anything.
    pub may_lie: bool,
}

/// The outgoing connection to one node.
#[derive(Debug)]
pub(crate) struct Link {
    destination: Destination,
    /// What it says first: the hello, or the first frame of a handshake.
    opening: Vec<u8>,
    limit: usize,
    /// What the program's faults say of the receiver.
    excuses: Excuses,
    /// Since when it has been behind.
    behind_since: Option<Instant>,
    /// The incarnation that lost messages because it was away for too long.
    given_up: Option<u64>,
    /// How many messages were lost so.
    lost: u64,
    connection: Connection,
    transport: Transport,
    back_off: Duration,
    /// Since when the receiver has been waited for, if it has to do something.
    waits_since: Option<Instant>,
    /// Since when the receiver has not acknowledged anything although it could.
    owes_since: Option<Instant>,
    /// When it was asked to.
    asked_at: Option<Instant>,
    /// The receiver's incarnation, as it said last.
    incarnation: Option<u64>,
    /// What was not yet acknowledged.
    log: Backlog,
}

impl Link {
    /// A link that has not connected yet. `guard`: the keys of this node, if nodes have keys.
    pub fn new(
        address: SocketAddr,
        token: Token,
        hello: &Hello,
        guard: Option<Guard>,
        limit: usize,
        excuses: Excuses,
    ) -> Self {
        Link {
            destination: Destination::new(address, token, hello, guard),
            opening: Vec::new(),
            limit,
            excuses,
            behind_since: None,
            given_up: None,
            lost: 0,
            connection: Connection::Idle,
            transport: Transport::plain(),
            back_off: FIRST_BACK_OFF,
            waits_since: None,
            owes_since: None,
            asked_at: None,
            incarnation: None,
            log: Backlog::default(),
        }
    }

    /// Appends a message and gives its number of bytes; [`Link::flush`] sends it.
    pub fn push(&mut self, header: MessageHeader, args: &[Value]) -> Result<usize, OversizedError> {
        push_message(&mut self.log.bytes, header, args)
    }

    /// Appends a frame with anything in it.
    pub fn push_noise(&mut self, body: &[u8]) {
        push_frame(&mut self.log.bytes, |out| out.extend_from_slice(body));
    }

    /// Makes the other end close the connection: from now on the MACs are wrong.
    pub fn spoil(&mut self) {
        self.transport.spoil();
    }

    /// Whether so much was not acknowledged that no more should be caused. What the system's buffers hold counts, as it does for the limit.
    pub fn is_behind(&self) -> bool {
        self.log.kept_bytes() > BEHIND_BYTES
    }

    /// Whether it has been behind for long.
    pub fn is_slow(&self, now: Instant) -> bool {
        self.behind_since.is_some_and(|since| since + SLOW_AFTER <= now)
    }

    /// When it wants to be flushed again without an event of its connection.
    pub fn retry_at(&self) -> Option<Instant> {
        match self.connection {
            Connection::BackOff(until) => Some(until),
            _ => {
                let waits = self.waits_since.map(|since| since + self.patience());
                let owes = match self.asked_at {
                    Some(asked) => Some(asked + PING_TIMEOUT),
                    None => self.owes_since.map(|since| since + PING_AFTER),
                };
                waits.into_iter().chain(owes).min()
            }
        }
    }

    /// How long the receiver is waited for as the connection stands now.
    fn patience(&self) -> Duration {
        if matches!(self.connection, Connection::Open { .. }) { PROGRESS_TIMEOUT } else { GREETING_TIMEOUT }
    }

    /// Gives a connection up if the receiver has not done for long what it has to: a process that hangs keeps its connections open.
    fn watch(&mut self, now: Instant) {
        let waits = match self.connection {
            Connection::Idle | Connection::BackOff(_) => false,
            Connection::Connecting(_) | Connection::Greeting(_) => true,
            Connection::Open { blocked, .. } => blocked || self.log.owed_bytes() >= OWED_BYTES,
        };
        self.waits_since = waits.then(|| self.waits_since.unwrap_or(now));
        let is_late = self.waits_since.is_some_and(|since| since + self.patience() <= now);
        if is_late || self.asked_at.is_some_and(|asked| asked + PING_TIMEOUT <= now) {
            self.fail(now);
        }
    }

    /// Asks a receiver for an acknowledgement that it has owed for long.
    fn ask(&mut self, now: Instant) {
        let owes = matches!(self.connection, Connection::Open { .. }) && self.log.kept_bytes() > 0;
        self.owes_since = owes.then(|| self.owes_since.unwrap_or(now));
        if self.asked_at.is_none() && self.owes_since.is_some_and(|since| since + PING_AFTER <= now) {
            self.asked_at = Some(now);
            push_ping(&mut self.log.bytes);
        }
    }

    /// Connects if need be, and writes what the connection takes.
    pub fn flush(&mut self, registry: &Registry, now: Instant) -> Result<(), LinkError> {
        let mut kept = self.log.kept_bytes();
        if kept > self.limit {
            let is_away = !matches!(self.connection, Connection::Open { .. });
            let has_crashed = self.excuses.may_crash && is_away && self.incarnation.is_some();
            if !has_crashed && !self.excuses.may_lie {
                return Err(LinkError::Overflow { bytes: kept, limit: self.limit });
            }
            self.give_up(now);
            kept = 0;
        }
        self.behind_since = self.is_behind().then(|| self.behind_since.unwrap_or(now));
        self.ask(now);
        match &mut self.connection {
            Connection::Idle if kept > 0 => self.connect(registry, now),
            Connection::BackOff(until) if *until <= now => self.connect(registry, now),
            Connection::Open { stream, blocked: blocked @ false } => {
                match self.transport.write(stream, self.log.unwritten()) {
                    Ok(count) => {
                        self.log.written += count;
                        if count > 0 {
                            self.waits_since = None;
                        }
                        *blocked = !self.log.unwritten().is_empty() || self.transport.has_pending();
                    }
                    Err(_) => self.fail(now),
                }
            }
            Connection::Greeting(stream) => {
                let is_broken = self.transport.has_pending() && self.transport.write(stream, &[]).is_err();
                if is_broken {
                    self.fail(now);
                }
            }
            _ => {}
        }
        self.watch(now);
        Ok(())
    }

    /// Goes on after an event of its connection.
    pub fn ready(&mut self, scratch: &mut [u8], registry: &Registry, now: Instant) -> Result<(), LinkError> {
        if let Connection::Open { blocked, .. } = &mut self.connection {
            *blocked = false;
        }
        if matches!(self.connection, Connection::Connecting(_)) {
            self.greet(now);
        }
        self.read(scratch, now)?;
        self.flush(registry, now)
    }

    fn connect(&mut self, registry: &Registry, now: Instant) {
        match self.destination.connect(registry) {
            Ok((stream, transport, opening)) => {
                (self.transport, self.opening) = (transport, opening);
                self.connection = Connection::Connecting(stream);
            }
            Err(_) => self.fail(now),
        }
    }

    /// Sends the hello, once the system has connected.
    fn greet(&mut self, now: Instant) {
        let Connection::Connecting(mut stream) = std::mem::replace(&mut self.connection, Connection::Idle) else {
            return;
        };
        match say(&mut stream, &self.opening) {
            Ok(true) => self.connection = Connection::Greeting(stream),
            Ok(false) => self.connection = Connection::Connecting(stream),
            Err(_) => self.fail(now),
        }
    }

    /// Reads the welcome and acknowledgements.
    fn read(&mut self, scratch: &mut [u8], now: Instant) -> Result<(), LinkError> {
        for _ in 0..MAX_READS {
            let (Connection::Greeting(stream) | Connection::Open { stream, .. }) = &mut self.connection else {
                return Ok(());
            };
            let filled = fill(stream, scratch);
            let (Filled::Full(count) | Filled::Drained(count)) = filled else {
                self.fail(now);
                return Ok(());
            };
            let mut transport = std::mem::replace(&mut self.transport, Transport::plain());
            let mut refused = None;
            let fed = transport.feed(&scratch[..count], |body, _| {
                let understood = match &self.connection {
                    Connection::Greeting(_) => self.welcome(body, &mut refused),
                    _ => read_acknowledgement(body)
                        .and_then(|taken| self.log.acknowledge(taken))
                        .map(|is_more| self.take_note(is_more)),
                };
                understood.map(|()| MAX_GREETING_BYTES).ok_or(DropReason::Malformed)
            });
            self.transport = transport;
            if let Some(refusal) = refused.filter(|refusal: &Refusal| !refusal.may_pass() && !self.excuses.may_lie) {
                return Err(refusal.into());
            }
            if fed.is_err() {
                self.fail(now);
                return Ok(());
            }
            if filled == Filled::Drained(0) {
                return Ok(());
            }
        }
        self.fail(now);
        Ok(())
    }

    fn welcome(&mut self, body: &[u8], refused: &mut Option<Refusal>) -> Option<()> {
        match Welcome::read(body)? {
            Welcome::Accepted { incarnation, taken_bytes } => {
                if self.given_up.is_some_and(|given_up| incarnation <= given_up) {
                    return None;
                }
                match self.incarnation.replace(incarnation) {
                    Some(earlier) if earlier < incarnation => self.log.begin_anew(),
                    Some(earlier) if earlier > incarnation => return None,
                    _ => {}
                }
                let is_more = self.log.resume(taken_bytes)?;
                self.take_note(is_more);
                self.waits_since = None;
                if let Connection::Greeting(stream) = std::mem::replace(&mut self.connection, Connection::Idle) {
                    self.connection = Connection::Open { stream, blocked: false };
                }
                Some(())
            }
            Welcome::Refused(refusal) => {
                *refused = Some(refusal);
                None
            }
        }
    }

    /// Loses everything that the receiver has not acknowledged. The incarnation that is known gets nothing any more.
    fn give_up(&mut self, now: Instant) {
        self.given_up = self.incarnation;
        if !matches!(self.connection, Connection::BackOff(_)) {
            self.fail(now);
        }
        self.lost += self.log.lose();
    }

    /// How many messages were lost because the receiver was away for too long.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The receiver has acknowledged something, perhaps more than before.
    fn take_note(&mut self, is_more: bool) {
        if is_more {
            // Not before: who takes connections and nothing else would be called all the time.
            self.back_off = FIRST_BACK_OFF;
            (self.waits_since, self.owes_since, self.asked_at) = (None, None, None);
        }
    }

    fn fail(&mut self, now: Instant) {
        (self.waits_since, self.owes_since, self.asked_at) = (None, None, None);
        self.connection = Connection::BackOff(now + self.back_off);
        self.back_off = (self.back_off * 2).min(LONGEST_BACK_OFF);
    }
}

/// Sends a hello on a connection that the system has made; false if it is still connecting.
pub(crate) fn say(stream: &mut TcpStream, hello: &[u8]) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
        Err(error) => return Err(error),
    }
    stream.set_nodelay(true)?;
    // A new socket's buffer takes a hello whole; if it does not, something is wrong and the caller tries anew.
    match drain(stream, hello)? {
        count if count == hello.len() => Ok(true),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

#[cfg(test)]
mod tests;
