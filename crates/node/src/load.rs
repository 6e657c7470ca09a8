//! The load generator: logical clients, each with one command under way, over one connection to each place that they deal with.
//!
//! Where nodes may lie, a client believes an answer when enough nodes have given the same ([`crate::reply_quorum`]).
//!
//! A command goes to the first logical node of the role that takes commands; if no answer comes in time it goes to all of them, again and
//! again. A node that is back after its connection broke gets all that is under way at once. Numbers are unique over all clients and grow; what a command holds is made from its number, so that it is the same when it is
//! sent again. Latency counts from the first sending.

mod commands;
mod history;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use menard_value::{Keyring, Node};
use mio::{Events, Poll, Token};
use thiserror::Error;

use self::commands::{Commands, Heard};
use self::history::History;
use crate::clients::{Clients, Measured, Second, Stall, Testimony};
use crate::control::{Phase, Signal, WAKER};
use crate::layout::Layout;
use crate::lengths::Lengths;
use crate::meter::DropReason;
use crate::report::Exchange;
use crate::session::Session;
use crate::wire::{MessageHeader, Refusal, push_message};
use crate::workload::Workload;

/// How long connections may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last answers are waited for after the measurement.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(300);
/// Where several nodes may answer, others are heard for so long after the measurement, even if nobody waits: they may contradict what was believed.
const SETTLE_TIME: Duration = Duration::from_millis(100);
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
    /// See [`crate::Config::payload_bytes`].
    pub payload_bytes: Lengths,
    /// See [`crate::Config::keys`].
    pub keys: u32,
    /// See [`crate::Config::history`].
    pub history: usize,
    /// For each role how many of its nodes may lie.
    pub liars: Vec<u32>,
    /// The number of the first command.
    pub first_number: i64,
    pub seed: u64,
    pub signal: Signal,
    pub poll: Poll,
    /// The keys of clients.
    pub keyring: Arc<Keyring>,
    /// One connection for each of the workload's places, in their order, with tokens from [`session_token`].
    pub sessions: Vec<Session>,
}

/// What a load generator has to say.
#[derive(Debug)]
pub(crate) enum LoadNotice {
    /// All connections are made; load begins.
    Ready,
    /// The measurement begins. If no command has been answered so far that nodes have said anything to, why not.
    Measuring(Option<Stall>),
    /// A second of load is over.
    Second(Second),
    /// The measurement is over.
    Measured(Box<Measured>),
    /// All answers have come, or none came any more.
    Drained {
        /// Commands without an answer.
        unanswered: u64,
        /// What clients were told since the beginning.
        told: Box<Testimony>,
        /// The first messages between clients and nodes.
        history: Vec<Exchange>,
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
    keyring: Arc<Keyring>,
    phase: Phase,
    /// All connections were made.
    loading: bool,
    sessions: Vec<Session>,
    names: Vec<String>,
    clients: Clients,
    history: History,
    /// A client sends its command again after this time.
    resend_after: Duration,
    /// For each role how many of its nodes may lie.
    liars: Vec<u32>,
    /// Clients without a command, who begin the next as soon as the connection takes it.
    idle: VecDeque<u32>,
    commands: Commands,
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
            keyring: parts.keyring,
            phase: Phase::WarmUp,
            loading: false,
            sessions: parts.sessions,
            names: names.collect(),
            history: History::new(parts.history, parts.liars.clone()),
            resend_after: parts.resend_after,
            liars: parts.liars,
            clients: Clients::new(parts.clients, parts.first_number, parts.resend_after, Instant::now()),
            idle: (0..parts.clients).collect(),
            commands: Commands {
                layout: parts.layout,
                workload: parts.workload,
                seed: parts.seed,
                keys: parts.keys,
                payload: vec![0; parts.payload_bytes.longest() as usize],
                payload_bytes: parts.payload_bytes,
                args: Vec::new(),
                content: Vec::new(),
            },
        }
    }

    /// Connects, then loads until the signal says stop.
    pub fn run(mut self, mut notify: impl FnMut(LoadNotice)) -> Result<(), LoadError> {
        self.keyring.clone().install();
        let mut events = Events::with_capacity(64);
        let mut scratch = vec![0; READ_BYTES];
        let mut more = false;
        let deadline = Instant::now() + CONNECT_TIMEOUT;
        while let Some(closed) = self.sessions.iter().position(|session| !session.is_open()) {
            if Instant::now() > deadline {
                if self.can_spare_closed() {
                    break;
                }
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
        self.loading = true;
        self.begin_commands(Instant::now());
        let mut drained = false;
        let mut drain_since = None;
        loop {
            more = self.round(&mut events, &mut scratch, more)?;
            let now = Instant::now();
            match self.follow_signal(now, &mut notify) {
                Phase::Stop => return Ok(()),
                Phase::Drain => {
                    let since = *drain_since.get_or_insert(now);
                    let is_over = now >= since + DRAIN_TIMEOUT;
                    let is_quiet = self.clients.outstanding() == 0 && now >= since + self.settle_time();
                    if !drained && (is_over || is_quiet) {
                        drained = true;
                        notify(self.drained(now));
                    }
                }
                Phase::WarmUp | Phase::Measure => {
                    if let Some(second) = self.clients.second(now) {
                        notify(LoadNotice::Second(second));
                    }
                }
            }
            self.resend_commands(now);
        }
    }

    /// Goes on to the phase that the signal gives.
    fn follow_signal(&mut self, now: Instant, notify: &mut impl FnMut(LoadNotice)) -> Phase {
        let phase = self.signal.phase();
        if phase != self.phase {
            match phase {
                Phase::Measure => {
                    let has_answers = self.clients.counts.commands > 0;
                    let stall = if has_answers { None } else { self.clients.stall(self.resend_after, now) };
                    let stall = stall.map(|stall| self.judge(stall));
                    self.clients.measure(now);
                    notify(LoadNotice::Measuring(stall));
                }
                Phase::Drain => notify(LoadNotice::Measured(Box::new(self.clients.measured(now)))),
                Phase::WarmUp | Phase::Stop => {}
            }
            self.phase = phase;
        }
        phase
    }

    /// How long answers are heard that nobody waits for.
    fn settle_time(&self) -> Duration {
        let is_compared = self.commands.workload.replies.iter().any(|reply| reply.is_compared);
        if is_compared { SETTLE_TIME } else { Duration::ZERO }
    }

    /// Adds how many nodes of the role that answers may lie.
    fn judge(&self, stall: Stall) -> Stall {
        Stall { may_lie: self.liars[usize::from(stall.role)], ..stall }
    }

    /// What is told when no more answers are waited for.
    fn drained(&mut self, now: Instant) -> LoadNotice {
        let history = std::mem::replace(&mut self.history, History::new(0, Vec::new())).exchanges();
        let mut told = Box::new(self.clients.told(self.resend_after, now));
        told.stall = told.stall.map(|stall| self.judge(stall));
        LoadNotice::Drained { unanswered: self.clients.outstanding() as u64, told, history }
    }

    /// Writes, waits, reads. Gives whether there is more to read.
    fn round(&mut self, events: &mut Events, scratch: &mut [u8], more: bool) -> Result<bool, LoadError> {
        let now = Instant::now();
        for session in &mut self.sessions {
            session.flush(self.poll.registry(), now);
        }
        let timeout = if more || self.can_begin() { Duration::ZERO } else { self.sleep(now) };
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
        for (position, (session, name)) in self.sessions.iter_mut().zip(&self.names).enumerate() {
            let place = self.commands.workload.places[position];
            let read = session.read(scratch, now, |body| match self.commands.read_answer(body, place) {
                Ok((header, heard)) => {
                    let from = self.commands.layout.places[place].node;
                    let to = Node { role: self.commands.workload.role, index: header.to };
                    let mut is_believed = false;
                    match heard {
                        Heard::Answer { client, reply } => {
                            let answer = self.commands.answer(from, reply);
                            is_believed = self.clients.answer(client, answer, now);
                            self.idle.extend(is_believed.then_some(client));
                        }
                        Heard::Other => self.clients.counts.messages_in += 1,
                    }
                    let (channel, args) = (header.channel, &self.commands.args[..]);
                    self.history.note(Exchange { channel, from, to, args: args.into(), is_believed }, body.len());
                }
                Err(DropReason::ForgedSender) => self.clients.counts.forged += 1,
                Err(_) => self.clients.counts.unexpected += 1,
            });
            let role = self.commands.layout.places[place].node.role;
            match read {
                Ok(has_more) => more |= has_more,
                // One that may lie may refuse whom it likes.
                Err(_) if self.liars[usize::from(role)] > 0 => session.fail(now),
                Err(refusal) => return Err(LoadError::Refused { node: name.clone(), refusal }),
            }
        }
        self.send_again();
        self.begin_commands(now);
        Ok(more)
    }

    /// Whether the nodes to which there is no connection are no more of any role than may lie.
    fn can_spare_closed(&self) -> bool {
        let closed = self.sessions.iter().zip(&self.commands.workload.places).filter(|(session, _)| !session.is_open());
        let mut nodes: Vec<Node> = closed.map(|(_, place)| self.commands.layout.places[*place].node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let of_role = |node: &Node| nodes.iter().filter(|other| other.role == node.role).count();
        nodes.iter().all(|node| of_role(node) <= self.liars[usize::from(node.role)] as usize)
    }

    /// Sends what is under way to nodes that are back.
    fn send_again(&mut self) {
        for position in 0..self.sessions.len() {
            if self.sessions[position].take_reopened() {
                for (client, number) in self.clients.waiting() {
                    if !self.commands.workload.request(number).front.contains(&position) {
                        continue;
                    }
                    self.commands.make(client, number);
                    if self.send_to(position, client, number) {
                        self.clients.count_resend();
                    }
                }
            }
        }
    }

    /// Whether a client can begin a command. One without a connection can: its command is sent to all nodes when no answer comes.
    fn can_begin(&self) -> bool {
        let request = self.commands.workload.request(self.clients.next_number());
        let is_full = || self.sessions[request.front[0]].is_full();
        self.loading && self.phase < Phase::Drain && !self.idle.is_empty() && !is_full()
    }

    /// Begins commands until the connection is full or all clients wait for an answer.
    fn begin_commands(&mut self, now: Instant) {
        while self.can_begin() {
            let Some(client) = self.idle.pop_front() else { return };
            let number = self.clients.begin(client, now);
            self.send(client, number, false);
        }
    }

    /// Sends again what has waited for too long.
    fn resend_commands(&mut self, now: Instant) {
        while let Some((client, number)) = self.clients.overdue(now) {
            if self.send(client, number, true) {
                self.clients.count_resend();
            }
        }
    }

    /// Sends a command to the first node of the front, or to all. What has no connection now gets it when it is sent again, and so does what
    /// is full: it holds earlier copies. Gives whether the command was sent at all.
    fn send(&mut self, client: u32, number: i64, to_all: bool) -> bool {
        self.commands.make(client, number);
        let front = self.commands.workload.request(number).front.len();
        let receivers = if to_all { front } else { 1 };
        let position = |load: &Self, receiver: usize| load.commands.workload.request(number).front[receiver];
        (0..receivers).filter(|receiver| self.send_to(position(self, *receiver), client, number)).count() > 0
    }

    /// Sends the command that was made to the node at this position of the places; gives whether it was sent.
    fn send_to(&mut self, position: usize, client: u32, number: i64) -> bool {
        if self.sessions[position].is_full() {
            return false;
        }
        let Some(out) = self.sessions[position].out() else { return false };
        let Commands { layout, workload, args, .. } = &mut self.commands;
        let (request, to) = (workload.request(number), layout.places[workload.places[position]].node);
        if request.is_addressed() {
            request.sign(Node { role: workload.role, index: client }, to, args);
        }
        let header = MessageHeader { channel: request.channel, from: client, to: to.index };
        let bytes = push_message(out, header, args).expect("commands fit a frame, as was seen at the start");
        let (channel, from) = (request.channel, Node { role: workload.role, index: client });
        self.history.note(Exchange { channel, from, to, args: args[..].into(), is_believed: true }, bytes);
        self.clients.counts.messages_out += 1;
        self.clients.counts.bytes_out += bytes as u64;
        true
    }

    /// How long nothing is to be done unless something comes.
    fn sleep(&self, now: Instant) -> Duration {
        let retries = self.sessions.iter().filter_map(Session::retry_at);
        let next = retries.fold(self.clients.next_deadline(), Instant::min);
        (next.saturating_duration_since(now) + Duration::from_millis(1)).min(LONGEST_SLEEP)
    }
}

#[cfg(test)]
mod tests;
