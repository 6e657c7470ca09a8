//! One physical node: a thread that sleeps until something comes, steps the engine, and sends what the steps sent.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Node as Engine, Outputs};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use thiserror::Error;

use crate::callers::Callers;
use crate::control::{Phase, Signal, WAKER};
use crate::durability::Durability;
use crate::faulty::Fault;
use crate::inbox::Inbox;
use crate::layout::Layout;
use crate::link::{Link, LinkError};
use crate::meter::{Meter, Snapshot};
use crate::outbox::Outbox;
use crate::secure::Guard;
use crate::timers::{MAX_TIMERS, Timers};

/// The most bytes that are read from one connection before the others have their turn.
const READ_BYTES: usize = 64 << 10;

/// The most turns, for messages of which a turn takes one at a time, before connections have their turn.
const TURNS: usize = 64;

/// After an accept that failed, the next one waits so long.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(1);
const FIRST_LINK: usize = 2;

/// Why a node cannot go on.
#[derive(Debug, Error)]
pub(crate) enum HostError {
    #[error("{peer} {error}")]
    Link { peer: String, error: LinkError },
    #[error("it still has work to do after {MAX_FOLLOW_UPS} steps without any message: its rules never settle")]
    Restless,
    #[error("it has more than {MAX_TIMERS} timers armed: its rules arm them faster than they fire")]
    Timers,
    #[error("{0}")]
    Disk(String),
    #[error("waiting for connections failed: {0}")]
    Poll(#[from] std::io::Error),
}

/// What a node is started with.
pub(crate) struct HostParts {
    pub layout: Arc<Layout>,
    /// Not started, with the facts that its log has.
    pub node: Engine,
    /// How often the logical node has started.
    pub incarnation: u64,
    /// If it has durable tables.
    pub durability: Option<Durability>,
    pub place: usize,
    pub poll: Poll,
    pub listener: TcpListener,
    /// One for each place but its own.
    pub links: Vec<Option<Link>>,
    pub inbox: Inbox,
    /// The node's keys, if nodes have keys.
    pub guard: Option<Guard>,
    /// If it is faulty on purpose.
    pub fault: Option<Fault>,
    /// For each role how many of its nodes may lie.
    pub liars: Vec<u32>,
    pub signal: Signal,
}

/// A running physical node.
pub(crate) struct Host {
    layout: Arc<Layout>,
    place: usize,
    signal: Signal,
    phase: Phase,
    poll: Poll,
    listener: TcpListener,
    node: Engine,
    durability: Option<Durability>,
    outputs: Outputs,
    /// The inputs of the step under way; what comes meanwhile waits in the inbox.
    taken: Inputs,
    inbox: Inbox,
    outbox: Outbox,
    meter: Meter,
    scratch: Vec<u8>,
    /// The system could not accept a connection, and it is tried again then.
    accept_at: Option<Instant>,
}

/// The token of the connection to a place.
pub(crate) fn link_token(place: usize) -> Token {
    Token(FIRST_LINK + place)
}

impl Host {
    /// A node that has not started.
    pub fn new(parts: HostParts) -> Self {
        let places = &parts.layout.places;
        let may_lie = places.iter().map(|place| parts.liars[usize::from(place.node.role)] > 0);
        let callers = Callers::new(FIRST_LINK + places.len(), may_lie, parts.incarnation, parts.guard);
        Host {
            place: parts.place,
            signal: parts.signal,
            phase: Phase::WarmUp,
            poll: parts.poll,
            listener: parts.listener,
            node: parts.node,
            durability: parts.durability,
            outputs: Outputs::default(),
            taken: Inputs::default(),
            inbox: parts.inbox,
            outbox: Outbox {
                links: parts.links,
                callers,
                timers: Timers::default(),
                is_overrun: false,
                fault: parts.fault,
                utterances: Vec::new(),
                liars: parts.liars,
            },
            meter: Meter::default(),
            scratch: vec![0; READ_BYTES],
            accept_at: None,
            layout: parts.layout,
        }
    }

    /// Runs until the signal says stop. `on_snapshot` gets the counters whenever a phase begins.
    pub fn run(mut self, mut on_snapshot: impl FnMut(Phase, Snapshot)) -> Result<(), HostError> {
        self.poll.registry().register(&mut self.listener, LISTENER, Interest::READABLE)?;
        let mut events = Events::with_capacity(256);
        self.taken.start = true;
        self.turn()?;
        let mut more = !self.inbox.is_empty();
        loop {
            let now = Instant::now();
            self.flush(now)?;
            let timeout = if more { Some(Duration::ZERO) } else { self.sleep(now) };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let phase = self.signal.phase();
            if phase != self.phase {
                self.phase = phase;
                self.collect();
                on_snapshot(phase, Snapshot::take(&self.meter));
                if phase == Phase::Stop {
                    return Ok(());
                }
            }
            self.handle(&events)?;
            self.release()?;
            self.fire_timers()?;
            self.outbox.lie(&mut self.meter, now);
            // Nothing is taken while what was taken waits for too much: the senders keep it.
            let is_full = self.inbox.is_full() || self.durability.as_ref().is_some_and(Durability::is_behind);
            // Clients are not read while a peer is behind: their load fills no queue to its limit.
            let admit_clients = !self.outbox.is_behind(&self.layout, now);
            let Self { outbox, inbox, scratch, meter, .. } = &mut self;
            more = !is_full && outbox.callers.read(inbox, scratch, meter, admit_clients, now);
            self.take_turns()?;
            more |= !self.inbox.is_empty();
        }
    }

    /// Takes what has come in: one turn, or several if some of it has to be taken one by one.
    fn take_turns(&mut self) -> Result<(), HostError> {
        for _ in 0..TURNS {
            if self.inbox.is_empty() {
                return Ok(());
            }
            let others_wait = self.inbox.is_waiting();
            self.inbox.next_turn(&mut self.taken);
            self.turn()?;
            if !others_wait {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts what others count into the meter.
    fn collect(&mut self) {
        self.meter.misaddressed = self.node.counters().misaddressed;
        self.meter.crashed = self.outbox.links.iter().flatten().map(Link::lost).sum();
        self.meter.syncs = self.durability.as_ref().map_or(0, Durability::syncs);
    }

    /// Sends what was held until the disk had it.
    fn release(&mut self) -> Result<(), HostError> {
        let Some(durability) = &mut self.durability else { return Ok(()) };
        while let Some(outputs) = durability.release() {
            for sent in outputs.iter() {
                let to = self.layout.receiver(sent);
                self.outbox.deliver(&self.layout, self.place, to, sent, &mut self.meter);
            }
            durability.reuse(outputs);
        }
        match durability.failure() {
            Some(failure) => Err(HostError::Disk(failure.to_owned())),
            None if self.outbox.is_overrun => Err(HostError::Timers),
            None => Ok(()),
        }
    }

    /// Sends the messages of the timers that are due.
    fn fire_timers(&mut self) -> Result<(), HostError> {
        if self.outbox.timers.next().is_none() {
            return Ok(());
        }
        let now = Instant::now();
        let mut timers = std::mem::take(&mut self.outbox.timers);
        while timers.fire(now, |sent| {
            self.meter.timers += 1;
            self.outbox.send(
                &self.layout,
                self.place,
                sent,
                &mut self.inbox,
                self.durability.as_mut(),
                &mut self.meter,
            );
        }) {}
        self.outbox.timers = timers;
        self.end_turn()
    }

    /// How long nothing is to be done unless something comes.
    fn sleep(&self, now: Instant) -> Option<Duration> {
        let retries = self.outbox.links.iter().flatten().filter_map(Link::retry_at);
        let timers = self.outbox.timers.next();
        let lies = self.outbox.next_lie();
        let next =
            retries.chain(self.outbox.callers.deadline()).chain(self.accept_at).chain(timers).chain(lies).min()?;
        // Polls count in milliseconds and may wake early: a little more, and the time has come.
        Some(next.saturating_duration_since(now) + Duration::from_millis(1))
    }

    fn handle(&mut self, events: &Events) -> Result<(), HostError> {
        let now = Instant::now();
        for event in events {
            match event.token() {
                WAKER => {}
                LISTENER => self.accept(now),
                Token(token) if token < FIRST_LINK + self.layout.places.len() => {
                    let place = token - FIRST_LINK;
                    if let Some(link) = &mut self.outbox.links[place] {
                        let ready = link.ready(&mut self.scratch, self.poll.registry(), now);
                        ready.map_err(|error| link_error(&self.layout, place, error))?;
                    }
                }
                _ => self.outbox.callers.ready(event),
            }
        }
        if self.accept_at.is_some_and(|at| at <= now) {
            self.accept(now);
        }
        self.outbox.callers.expire(&mut self.meter, now);
        Ok(())
    }

    fn accept(&mut self, now: Instant) {
        self.accept_at = None;
        loop {
            match self.listener.accept().map_err(|error| error.kind()) {
                Ok((stream, _)) => self.outbox.callers.accept(stream, self.poll.registry(), &mut self.meter, now),
                Err(ErrorKind::WouldBlock) => return,
                // Somebody gave up before it was accepted.
                Err(ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                // Most likely the process has no descriptors left; those who wait cause no further event.
                Err(_) => {
                    self.accept_at = Some(now + ACCEPT_RETRY);
                    return;
                }
            }
        }
    }

    /// Steps with the inputs taken, then without any as long as a step leaves work to the next: no message comes in between.
    fn turn(&mut self) -> Result<(), HostError> {
        if let Some(Fault::Lies(liar)) = &mut self.outbox.fault {
            liar.hear(&self.taken);
        }
        for _ in 0..=MAX_FOLLOW_UPS {
            self.node.step(&self.taken, &mut self.outputs);
            self.meter.steps += 1;
            self.taken.clear();
            let is_settled = !self.outputs.pending;
            if let Some(durability) = &mut self.durability {
                durability.take_changes(&self.outputs);
            }
            for sent in self.outputs.iter() {
                if !self.outbox.arm(&self.layout, sent) {
                    let hold = self.durability.as_mut();
                    self.outbox.send(&self.layout, self.place, sent, &mut self.inbox, hold, &mut self.meter);
                }
            }
            if is_settled {
                return self.end_turn();
            }
        }
        Err(HostError::Restless)
    }

    fn end_turn(&mut self) -> Result<(), HostError> {
        if let Some(durability) = &mut self.durability {
            durability.end_turn(&self.node);
            return self.release();
        }
        if self.outbox.is_overrun { Err(HostError::Timers) } else { Ok(()) }
    }

    fn flush(&mut self, now: Instant) -> Result<(), HostError> {
        self.outbox.callers.flush(now);
        for (place, link) in self.outbox.links.iter_mut().enumerate() {
            if let Some(link) = link {
                link.flush(self.poll.registry(), now).map_err(|error| link_error(&self.layout, place, error))?;
            }
        }
        Ok(())
    }
}

fn link_error(layout: &Layout, place: usize, error: LinkError) -> HostError {
    HostError::Link { peer: layout.places[place].name.clone(), error }
}
