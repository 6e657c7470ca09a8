//! The load generator: logical clients, each with one command under way, over one connection to each place that they deal with.
//!
//! A command goes to the first logical node of the role that takes commands; if no answer comes in time it goes to all of them, again and
//! again. Numbers are unique over all clients and grow; what a command holds is made from its number, so that it is the same when it is
//! sent again. Latency counts from the first sending.

use std::sync::Arc;
use std::time::{Duration, Instant};

use menard_value::Value;
use mio::{Events, Poll, Token};
use thiserror::Error;

use crate::clients::{Clients, Measured, Second};
use crate::control::{Phase, Signal, WAKER};
use crate::layout::Layout;
use crate::random::Random;
use crate::session::Session;
use crate::wire::{MessageHeader, Refusal, push_message, read_fields, read_header};
use crate::workload::Workload;

/// How long connections may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last answers are waited for after the measurement.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(300);
/// The longest sleep, so that no phase is overslept.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);
/// The most bytes that are read from one connection before the others have their turn.
const READ_BYTES: usize = 64 << 10;
const FIRST_SESSION: usize = 1;

/// What a load generator is started with.
pub(crate) struct LoadParts {
    pub layout: Arc<Layout>,
    pub workload: Workload,
    pub clients: u32,
    pub resend_after: Duration,
    pub payload_bytes: usize,
    pub seed: u64,
    pub signal: Signal,
    pub poll: Poll,
    /// One connection for each of the workload's places, in their order, with tokens from [`session_token`].
    pub sessions: Vec<Session>,
}

/// What a load generator has to say.
#[derive(Debug)]
pub(crate) enum LoadNotice {
    /// All connections are made; load begins.
    Ready,
    /// The measurement begins.
    Measuring,
    /// A second of load is over.
    Second(Second),
    /// The measurement is over.
    Measured(Box<Measured>),
    /// All answers have come, or none came any more.
    Drained {
        /// Commands without an answer.
        unanswered: u64,
    },
}

/// Why clients cannot go on.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("node {node} refused a connection: {refusal}")]
    Refused { node: String, refusal: Refusal },
    #[error("node {node} did not take a connection within {} s", CONNECT_TIMEOUT.as_secs())]
    Unreachable { node: String },
    #[error("waiting for connections failed: {0}")]
    Poll(#[from] std::io::Error),
}

/// The load generator.
pub(crate) struct Load {
    poll: Poll,
    signal: Signal,
    phase: Phase,
    sessions: Vec<Session>,
    names: Vec<String>,
    clients: Clients,
    commands: Commands,
}

/// How commands are made and answers read.
struct Commands {
    layout: Arc<Layout>,
    workload: Workload,
    seed: u64,
    payload: Vec<u8>,
    args: Vec<Value>,
}

/// The token of the session with the place at this position in the workload's list.
pub(crate) fn session_token(position: usize) -> Token {
    Token(FIRST_SESSION + position)
}

impl Load {
    /// A load generator that has not connected yet.
    pub fn new(parts: LoadParts) -> Self {
        let names = parts.workload.places.iter().map(|place| parts.layout.places[*place].name.clone());
        Load {
            poll: parts.poll,
            signal: parts.signal,
            phase: Phase::WarmUp,
            sessions: parts.sessions,
            names: names.collect(),
            clients: Clients::new(parts.clients, parts.resend_after, Instant::now()),
            commands: Commands {
                layout: parts.layout,
                workload: parts.workload,
                seed: parts.seed,
                payload: vec![0; parts.payload_bytes],
                args: Vec::new(),
            },
        }
    }

    /// Connects, then loads until the signal says stop.
    pub fn run(mut self, mut notify: impl FnMut(LoadNotice)) -> Result<(), LoadError> {
        let mut events = Events::with_capacity(64);
        let mut scratch = vec![0; READ_BYTES];
        let mut more = false;
        let deadline = Instant::now() + CONNECT_TIMEOUT;
        while let Some(closed) = self.sessions.iter().position(|session| !session.is_open()) {
            if Instant::now() > deadline {
                let node = self.names[closed].clone();
                return Err(match self.sessions[closed].refused() {
                    Some(refusal) => LoadError::Refused { node, refusal },
                    None => LoadError::Unreachable { node },
                });
            }
            more = self.round(&mut events, &mut scratch, more)?;
            if self.signal.phase() == Phase::Stop {
                return Ok(());
            }
        }
        notify(LoadNotice::Ready);
        let now = Instant::now();
        for client in 0..self.clients.count() {
            self.begin(client, now);
        }
        let mut drained = false;
        let mut drain_until = None;
        loop {
            more = self.round(&mut events, &mut scratch, more)?;
            let now = Instant::now();
            match self.follow_signal(now, &mut notify) {
                Phase::Stop => return Ok(()),
                Phase::Drain => {
                    let until = *drain_until.get_or_insert(now + DRAIN_TIMEOUT);
                    if !drained && (self.clients.outstanding() == 0 || now >= until) {
                        drained = true;
                        notify(LoadNotice::Drained { unanswered: self.clients.outstanding() as u64 });
                    }
                }
                Phase::WarmUp | Phase::Measure => {
                    if let Some(second) = self.clients.second(now) {
                        notify(LoadNotice::Second(second));
                    }
                }
            }
            while let Some((client, number)) = self.clients.overdue(now) {
                self.send(client, number, true);
            }
        }
    }

    /// Goes on to the phase that the signal gives.
    fn follow_signal(&mut self, now: Instant, notify: &mut impl FnMut(LoadNotice)) -> Phase {
        let phase = self.signal.phase();
        if phase != self.phase {
            match phase {
                Phase::Measure => {
                    self.clients.measure(now);
                    notify(LoadNotice::Measuring);
                }
                Phase::Drain => notify(LoadNotice::Measured(Box::new(self.clients.measured(now)))),
                Phase::WarmUp | Phase::Stop => {}
            }
            self.phase = phase;
        }
        phase
    }

    /// Writes, waits, reads. Gives whether there is more to read.
    fn round(&mut self, events: &mut Events, scratch: &mut [u8], more: bool) -> Result<bool, LoadError> {
        let now = Instant::now();
        for session in &mut self.sessions {
            session.flush(self.poll.registry(), now);
        }
        let timeout = if more { Duration::ZERO } else { self.sleep(now) };
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(more),
            polled => polled?,
        }
        let now = Instant::now();
        for event in &*events {
            if event.token() != WAKER {
                self.sessions[event.token().0 - FIRST_SESSION].ready(event, now);
            }
        }
        let mut more = false;
        let mut done = Vec::new();
        for (session, name) in self.sessions.iter_mut().zip(&self.names) {
            let read = session.read(scratch, now, |body| match self.commands.read_answer(body) {
                Some((client, number)) if self.clients.answer(client, number, now) => done.push(client),
                Some(_) => {}
                None => self.clients.counts.unexpected += 1,
            });
            more |= read.map_err(|refusal| LoadError::Refused { node: name.clone(), refusal })?;
        }
        if self.phase < Phase::Drain {
            for client in done {
                self.begin(client, now);
            }
        }
        Ok(more)
    }

    fn begin(&mut self, client: u32, now: Instant) {
        let number = self.clients.begin(client, now);
        self.send(client, number, false);
    }

    /// Sends a command to the first node of the front, or to all. What has no connection now gets it when it is sent again.
    fn send(&mut self, client: u32, number: i64, to_all: bool) {
        self.commands.make(number);
        let front = if to_all { self.commands.workload.front.len() } else { 1 };
        for position in 0..front {
            let place = self.commands.workload.front[position];
            let to = self.commands.layout.places[place].node.index;
            let header = MessageHeader { channel: self.commands.workload.request, from: client, to };
            let Some(out) = self.sessions[position].out() else { continue };
            let bytes = push_message(out, header, &self.commands.args).expect("commands are far below a frame's limit");
            self.clients.counts.messages_out += 1;
            self.clients.counts.bytes_out += bytes as u64;
        }
    }

    /// How long nothing is to be done unless something comes.
    fn sleep(&self, now: Instant) -> Duration {
        let retries = self.sessions.iter().filter_map(Session::retry_at);
        let next = retries.fold(self.clients.next_deadline(), Instant::min);
        (next.saturating_duration_since(now) + Duration::from_millis(1)).min(LONGEST_SLEEP)
    }
}

impl Commands {
    /// Makes the fields of a command.
    fn make(&mut self, number: i64) {
        let mut random = Random::new(self.seed ^ number.cast_unsigned());
        let payload = &mut self.payload;
        let made = || {
            random.fill(payload);
            Value::bytes(payload)
        };
        self.workload.command(number, made, &mut self.args);
    }

    /// The client that an answer is for and the command that it answers; `None` if it is no answer.
    fn read_answer(&mut self, body: &[u8]) -> Option<(u32, i64)> {
        let (header, fields) = read_header(body)?;
        if header.channel != self.workload.reply {
            return None;
        }
        self.args.clear();
        read_fields(fields, &self.layout.routes[usize::from(header.channel)].columns, &mut self.args).ok()?;
        Some((header.to, self.args[self.workload.reply_number].as_int()?))
    }
}
