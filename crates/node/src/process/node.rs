//! One process: it hosts all physical nodes of one logical node, which so start and end as one.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use menard_lang::ir::Program;
use mio::net::TcpListener;

use super::lines::{Line, TimelessSnapshot, decode_phase};
use crate::RunError;
use crate::conductor::Notice;
use crate::config::Config;
use crate::control::{Phase, Signal};
use crate::hosts::Hosts;
use crate::layout::Layout;
use crate::secure::{Credentials, is_byzantine};
use crate::threads::Threads;

/// How often the flag that stops it is looked at.
const STOP_POLL: Duration = Duration::from_millis(50);
/// An earlier process may hold the ports for a moment after its end.
const BIND_TIMEOUT: Duration = Duration::from_secs(2);

/// A logical node of a deployment, running in this process. Dropping it stops it.
pub struct NodeProcess {
    layout: Arc<Layout>,
    start: Instant,
    places: usize,
    incarnation: u64,
    addresses: Vec<(String, SocketAddr)>,
    signal: Signal,
    threads: Threads,
    notices: Receiver<Notice>,
    sender: Sender<Notice>,
}

impl NodeProcess {
    /// Starts the logical node with this name. Where all nodes of the deployment listen follows from `listen` and `base_port`; what is
    /// durable is kept in `data`. When it returns, all its physical nodes listen.
    pub fn start(program: &Program, config: &Config, name: &str) -> Result<NodeProcess, RunError> {
        let start = Instant::now();
        config.validate()?;
        let layout = Arc::new(Layout::new(program)?);
        let addresses = layout.fixed_addresses(config)?;
        let Some((node, name)) = layout.nodes.iter().find(|(_, known)| known == name).cloned() else {
            let known = layout.nodes.iter().map(|(_, name)| name.clone()).collect();
            return Err(RunError::UnknownNode { node: name.to_owned(), known });
        };
        let (sender, notices) = channel();
        let credentials = match &config.key_folder {
            Some(folder) => Some(Arc::new(Credentials::read(program, layout.clone(), folder, &name)?)),
            None if is_byzantine(program) => return Err(RunError::NoKeys),
            None => None,
        };
        let session = layout.session(&addresses);
        let mut hosts = Hosts::new(program, layout.clone(), config, &addresses, session, credentials)?;
        let incarnation = hosts.open(node, &name)?;
        let places: Vec<usize> = (0..layout.places.len()).filter(|place| layout.places[*place].node == node).collect();
        let listeners =
            places.iter().map(|place| bind(addresses[*place], &layout, *place)).collect::<Result<Vec<_>, _>>()?;
        let mut process = NodeProcess {
            start,
            places: places.len(),
            incarnation,
            addresses: places.iter().map(|place| (layout.places[*place].name.clone(), addresses[*place])).collect(),
            signal: Signal::default(),
            threads: Threads::default(),
            notices,
            sender,
            layout: layout.clone(),
        };
        for (place, listener) in places.into_iter().zip(listeners) {
            hosts.start(place, listener, &mut process.threads, &process.signal, &process.sender)?;
        }
        Ok(process)
    }

    /// How often the node has started, this time included.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The names of its physical nodes and where they listen.
    pub fn nodes(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// Runs until the flag is set or a physical node fails.
    pub fn run(self, stop: &AtomicBool) -> Result<(), RunError> {
        while !stop.load(Ordering::Relaxed) {
            if let Some(notice) = self.next_notice(STOP_POLL)
                && let Some(failure) = notice.failure(&self.layout)
            {
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Runs as one of a fleet: until `orders` ends or says so. What there is to say goes to `tell`, a line at a time.
    pub fn run_in_fleet(
        self,
        orders: impl Read + Send + 'static,
        tell: &mut dyn FnMut(&str),
        stop: &AtomicBool,
    ) -> Result<(), RunError> {
        let phases = read_phases(orders)?;
        tell(&Line::Started.encode());
        while !stop.load(Ordering::Relaxed) {
            match phases.recv_timeout(STOP_POLL) {
                Ok(Phase::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(phase) => self.enter(phase, tell)?,
                Err(RecvTimeoutError::Timeout) => self.look_for_failures(tell)?,
            }
        }
        Ok(())
    }

    /// Takes all places into a phase, and waits until they are there: none skips a phase.
    fn enter(&self, phase: Phase, tell: &mut dyn FnMut(&str)) -> Result<(), RunError> {
        self.signal.advance(phase);
        self.threads.wake();
        let mut left = self.places;
        while left > 0 {
            let Some(notice) = self.next_notice(STOP_POLL) else { continue };
            left -= usize::from(self.pass_on(notice, tell)?);
        }
        Ok(())
    }

    fn look_for_failures(&self, tell: &mut dyn FnMut(&str)) -> Result<(), RunError> {
        while let Some(notice) = self.next_notice(Duration::ZERO) {
            self.pass_on(notice, tell)?;
        }
        Ok(())
    }

    /// Tells of a snapshot; gives whether it was one.
    fn pass_on(&self, notice: Notice, tell: &mut dyn FnMut(&str)) -> Result<bool, RunError> {
        if let Notice::Node { place, phase, snapshot } = notice {
            let snapshot = Box::new(TimelessSnapshot::new(*snapshot, self.start));
            tell(&Line::Entered { place, phase, snapshot }.encode());
            return Ok(true);
        }
        match notice.failure(&self.layout) {
            Some(failure) => {
                tell(&Line::Failed { reason: failure.to_string() }.encode());
                Err(failure)
            }
            None => Ok(false),
        }
    }

    fn next_notice(&self, time: Duration) -> Option<Notice> {
        self.notices.recv_timeout(time).ok()
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.signal.advance(Phase::Stop);
        self.threads.wake();
        self.threads.join();
    }
}

/// Reads orders on a thread of its own, which ends with them; reading cannot be interrupted.
fn read_phases(orders: impl Read + Send + 'static) -> Result<Receiver<Phase>, RunError> {
    let (sender, phases) = channel();
    let read = move || {
        for line in BufReader::new(orders).lines().map_while(Result::ok) {
            if sender.send(decode_phase(&line)).is_err() {
                return;
            }
        }
    };
    Builder::new().name("menard orders".to_owned()).spawn(read).map_err(RunError::io("start a thread"))?;
    Ok(phases)
}

fn bind(address: SocketAddr, layout: &Layout, place: usize) -> Result<TcpListener, RunError> {
    let deadline = Instant::now() + BIND_TIMEOUT;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(layout.cannot_listen(place, address, error)),
            Ok(listener) => return Ok(listener),
        }
    }
}
