//! The load generator: logical clients, each with one command under way, over one connection to each place that they deal with.
//!
//! Where nodes may lie, a client believes an answer when enough nodes have given the same ([`Reply::believed_from`]).
//!
//! A command goes to the first logical node of the role that takes commands; if no answer comes in time it goes to all of them, again and
//! again. A node that is back after its connection broke gets all that is under way at once. Numbers are unique over all clients and grow; what a command holds is made from its number, so that it is the same when it is
//! sent again. Latency counts from the first sending.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use menard_value::{Keyring, Node, Value, encode};
use mio::{Events, Poll, Token};
use thiserror::Error;

use crate::clients::{Answer, Clients, Measured, Second};
use crate::control::{Phase, Signal, WAKER};
use crate::layout::{Endpoint, Layout};
use crate::meter::DropReason;
use crate::random::Random;
use crate::report::Exchange;
use crate::session::Session;
use crate::wire::{MessageHeader, Refusal, push_message, read_fields, read_header};
use crate::workload::{Maker, Reply, Workload};

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
    /// See [`crate::Config::keys`].
    pub keys: u32,
    /// See [`crate::Config::history`].
    pub history: usize,
    /// For each role how many of its nodes may lie.
    pub liars: Vec<u32>,
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
    /// The measurement begins.
    Measuring,
    /// A second of load is over.
    Second(Second),
    /// The measurement is over.
    Measured(Box<Measured>, Vec<Exchange>),
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
    keyring: Arc<Keyring>,
    phase: Phase,
    /// All connections were made.
    loading: bool,
    sessions: Vec<Session>,
    names: Vec<String>,
    clients: Clients,
    history: History,
    /// For each role how many of its nodes may lie.
    liars: Vec<u32>,
    /// Clients without a command, who begin the next as soon as the connection takes it.
    idle: VecDeque<u32>,
    commands: Commands,
}

/// A message to a client.
enum Heard {
    /// An answer to a command of this client, by this channel of answers. Its fields are in [`Commands::args`].
    Answer { client: u32, reply: Reply },
    /// One that answers nothing.
    Other,
}

/// The first messages between clients and nodes.
struct History {
    exchanges: Vec<Exchange>,
    limit: usize,
}

impl History {
    fn note(&mut self, channel: u16, from: Node, to: Node, args: &[Value]) {
        if self.exchanges.len() < self.limit {
            self.exchanges.push(Exchange { channel, from, to, args: args.into() });
        }
    }
}

/// How commands are made and answers read.
struct Commands {
    layout: Arc<Layout>,
    workload: Workload,
    seed: u64,
    keys: u32,
    payload: Vec<u8>,
    args: Vec<Value>,
    /// What an answer says, as bytes.
    content: Vec<u8>,
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
            history: History { exchanges: Vec::new(), limit: parts.history },
            liars: parts.liars,
            clients: Clients::new(parts.clients, parts.resend_after, Instant::now()),
            idle: (0..parts.clients).collect(),
            commands: Commands {
                layout: parts.layout,
                workload: parts.workload,
                seed: parts.seed,
                keys: parts.keys,
                payload: vec![0; parts.payload_bytes],
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
            self.resend_commands(now);
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
                Phase::Drain => {
                    let history = std::mem::take(&mut self.history.exchanges);
                    self.history.limit = 0;
                    notify(LoadNotice::Measured(Box::new(self.clients.measured(now)), history));
                }
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
                    self.history.note(header.channel, from, to, &self.commands.args);
                    match heard {
                        Heard::Answer { client, reply } => {
                            let answer = self.commands.answer(from, reply);
                            if self.clients.answer(client, answer, now) {
                                self.idle.push_back(client);
                            }
                        }
                        Heard::Other => self.clients.counts.messages_in += 1,
                    }
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
        self.history.note(request.channel, Node { role: workload.role, index: client }, to, args);
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

impl Commands {
    /// Makes the fields of a command.
    fn make(&mut self, client: u32, number: i64) {
        let random = Random::new(self.seed ^ number.cast_unsigned());
        let maker = Maker { random, keys: self.keys, payload: &mut self.payload };
        let client = Node { role: self.workload.role, index: client };
        let request = self.workload.request(number);
        request.command(number, client, maker, &mut self.args);
        if !request.is_addressed() {
            request.sign(client, client, &mut self.args);
        }
    }

    /// What a message from a place is to a client; an error if it is none, or none that this place may send. Its fields are in `args` then.
    fn read_answer(&mut self, body: &[u8], place: usize) -> Result<(MessageHeader, Heard), DropReason> {
        let (header, fields) = read_header(body).ok_or(DropReason::Malformed)?;
        let reply = self.workload.replies.iter().find(|reply| reply.channel == header.channel).copied();
        if reply.is_none() && !self.workload.others.contains(&header.channel) {
            return Err(DropReason::UnknownChannel);
        }
        let (route, place) = (&self.layout.routes[usize::from(header.channel)], &self.layout.places[place]);
        if route.sender != Endpoint::Component(place.component) || header.from != place.node.index {
            return Err(DropReason::ForgedSender);
        }
        self.args.clear();
        read_fields(fields, &route.columns, &mut self.args).map_err(|_| DropReason::Malformed)?;
        Ok((header, reply.map_or(Heard::Other, |reply| Heard::Answer { client: header.to, reply })))
    }

    /// The answer that was just read. Signatures in it are its sender's own, and say nothing else than the rest.
    fn answer(&mut self, from: Node, reply: Reply) -> Answer<'_> {
        self.content.clear();
        if reply.believed_from > 1 {
            self.content.extend(reply.channel.to_le_bytes());
            let said = self.args.iter().filter(|value| !matches!(value, Value::Signature(_)));
            said.for_each(|value| encode(value, &mut self.content));
        }
        let number = self.args[reply.number].as_int().expect("the number is an integer, as was seen at the start");
        Answer { number, from, content: &self.content, believed_from: reply.believed_from }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use menard_lang::compile_text;

    use super::*;
    use crate::config::Config;
    use crate::session::FULL_BYTES;
    use crate::wire::{Caller, Hello, Welcome};

    const CLIENTS: u32 = 400;
    const PAYLOAD_BYTES: usize = 65_536;

    /// Clients of voting, and the listener that plays the leader.
    fn clients_of_voting() -> (Load, TcpListener) {
        let program = compile_text(include_str!("../../../protocols/voting/voting.ded"));
        let layout = Arc::new(Layout::new(&program).expect("voting is small"));
        let workload = Workload::infer(&program, &layout, &Config::default()).expect("voting has clients");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let target = layout.wire_place(workload.places[0]);
        let caller = Caller::Client { role: workload.role, first: 0, count: CLIENTS };
        let hello = Hello { fingerprint: layout.fingerprint, session: 0, incarnation: 0, target, caller };
        let address = listener.local_addr().expect("a bound listener has an address");
        let parts = LoadParts {
            layout,
            workload,
            clients: CLIENTS,
            resend_after: Duration::from_millis(1),
            payload_bytes: PAYLOAD_BYTES,
            keys: 1,
            history: 0,
            liars: vec![0; program.roles.len()],
            seed: 1,
            signal: Signal::default(),
            keyring: Arc::default(),
            poll: Poll::new().expect("a poll"),
            sessions: vec![Session::new(address, session_token(0), &hello, None, Instant::now())],
        };
        (Load::new(parts), listener)
    }

    /// Accepts a connection and answers its hello.
    fn accept(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().expect("clients connect");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets have timeouts");
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("clients say hello");
        stream.read_exact(&mut vec![0; u32::from_le_bytes(length) as usize]).expect("clients say hello");
        let mut welcome = Vec::new();
        Welcome::Accepted { incarnation: 1, taken_bytes: 0 }.push(&mut welcome);
        stream.write_all(&welcome).expect("clients read");
        stream
    }

    #[test]
    fn what_a_slow_node_has_not_taken_stays_small() {
        let (mut load, listener) = clients_of_voting();
        let (mut events, mut scratch) = (Events::with_capacity(8), vec![0; READ_BYTES]);
        let accepted = std::thread::spawn(move || accept(&listener));
        while !load.sessions[0].is_open() {
            load.round(&mut events, &mut scratch, false).expect("connecting is no error");
        }
        let mut leader = accepted.join().expect("the connection is made");
        load.loading = true;
        let mut run_round = |load: &mut Load| {
            load.round(&mut events, &mut scratch, false).expect("sending is no error");
            load.resend_commands(Instant::now());
            let waiting = load.sessions[0].out().map_or(0, |out| out.len());
            assert!(waiting <= 2 * FULL_BYTES + 2 * PAYLOAD_BYTES, "{waiting} bytes");
        };
        (0..50).for_each(|_| run_round(&mut load));
        assert!(load.clients.outstanding() < CLIENTS as usize, "the system's buffers do not take 26 MB");
        // When the node reads, all clients get their turn.
        let reader = std::thread::spawn(move || {
            let mut taken = vec![0; PAYLOAD_BYTES];
            while leader.read(&mut taken).is_ok_and(|count| count > 0) {}
        });
        while load.clients.outstanding() < CLIENTS as usize {
            run_round(&mut load);
        }
        drop(load);
        reader.join().expect("the node reads to the end");
    }
}
