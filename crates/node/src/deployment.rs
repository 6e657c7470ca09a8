//! A program on this machine: its nodes started, loaded, measured, stopped.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use menard_lang::ir::Program;
use mio::net::TcpListener;

use crate::conductor::{Conductor, Notice, Progress, Who};
use crate::config::{Config, ConfigError};
use crate::control::{Phase, Signal};
use crate::data::TemporaryFolder;
use crate::error::RunError;
use crate::hosts::Hosts;
use crate::layout::{Layout, Place};
use crate::load::{Load, LoadParts, session_token};
use crate::random;
use crate::report::Report;
use crate::session::Session;
use crate::summary::summarize;
use crate::threads::Threads;
use crate::wire::{Caller, Hello};
use crate::workload::Workload;

/// The running nodes of a program. Dropping it stops them.
pub struct Deployment {
    program: Program,
    layout: Arc<Layout>,
    config: Config,
    addresses: Vec<SocketAddr>,
    signal: Signal,
    threads: Threads,
    sender: Sender<Notice>,
    notices: Receiver<Notice>,
    /// Removed when all threads have ended.
    _data: Option<TemporaryFolder>,
}

/// Whether a program can be run with these settings, as far as one can tell without starting it.
pub fn validate(program: &Program, config: &Config) -> Result<(), RunError> {
    config.validate()?;
    workload(program, &Layout::new(program)?, config).map(drop)
}

/// Starts a program's nodes, loads them with clients, measures, and stops everything.
///
/// `progress` is told what happens; setting `stop` ends the run within a fraction of a second. Whatever the result, no thread is left.
pub fn run(
    program: &Program,
    config: &Config,
    progress: &mut dyn FnMut(Progress),
    stop: &AtomicBool,
) -> Result<Report, RunError> {
    Deployment::start(program, config)?.measure(progress, stop)
}

impl Deployment {
    /// Starts all nodes of a checked program. When it returns, all of them listen.
    pub fn start(program: &Program, config: &Config) -> Result<Deployment, RunError> {
        config.validate()?;
        let layout = Arc::new(Layout::new(program)?);
        let listeners = listen(&layout, config)?;
        let address = |listener: &TcpListener| listener.local_addr().map_err(RunError::io("ask for a port"));
        let addresses = listeners.iter().map(address).collect::<Result<Vec<_>, _>>()?;
        let (sender, notices) = channel();
        let mut deployment = Deployment {
            program: program.clone(),
            layout,
            config: config.clone(),
            addresses,
            signal: Signal::default(),
            threads: Threads::default(),
            sender,
            notices,
            _data: None,
        };
        deployment.start_nodes(listeners)?;
        Ok(deployment)
    }

    /// The names of all nodes and where they listen.
    pub fn nodes(&self) -> Vec<(String, SocketAddr)> {
        let names = self.layout.places.iter().map(|place| place.name.clone());
        names.zip(self.addresses.iter().copied()).collect()
    }

    /// Loads the nodes with clients, measures, and stops everything.
    pub fn measure(mut self, progress: &mut dyn FnMut(Progress), stop: &AtomicBool) -> Result<Report, RunError> {
        progress(Progress::Started(self.nodes()));
        self.start_load()?;
        let mut conductor = Conductor {
            signal: &self.signal,
            threads: &self.threads,
            notices: &self.notices,
            layout: &self.layout,
            progress: &mut *progress,
            stop,
        };
        let measured = conductor.conduct(self.config.warmup(), self.config.duration());
        progress(Progress::Stopping);
        self.stop_threads();
        summarize(&self.nodes(), self.config.clients, &measured?)
    }

    /// Stops all nodes; an error if one of them had failed.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.stop_threads();
        let failures = self.notices.try_iter().map(|notice| notice.failure(&self.layout));
        failures.flatten().next().map_or(Ok(()), Err)
    }

    fn start_nodes(&mut self, listeners: Vec<TcpListener>) -> Result<(), RunError> {
        let mut hosts = Hosts::new(&self.program, self.layout.clone(), &self.config, &self.addresses, random::draw());
        if hosts.has_durable_tables() && self.config.data.is_none() {
            let folder = TemporaryFolder::new().map_err(RunError::io("make a temporary folder for durable tables"))?;
            hosts.keep_data_in(folder.path());
            self._data = Some(folder);
        }
        let layout = self.layout.clone();
        for (node, name) in &layout.nodes {
            hosts.open(*node, name)?;
        }
        for (place, listener) in listeners.into_iter().enumerate() {
            hosts.start(place, listener, &mut self.threads, &self.signal, &self.sender)?;
        }
        Ok(())
    }

    fn start_load(&mut self) -> Result<(), RunError> {
        let workload = workload(&self.program, &self.layout, &self.config)?;
        let now = Instant::now();
        let session = |(position, place): (usize, &usize)| {
            let hello = Hello {
                fingerprint: self.layout.fingerprint,
                session: 0,
                incarnation: 0,
                target: self.layout.wire_place(*place),
                caller: Caller::Client { role: workload.role, first: 0, count: self.config.clients },
            };
            Session::new(self.addresses[*place], session_token(position), &hello, now)
        };
        let sessions = workload.places.iter().enumerate().map(session).collect();
        let (poll, _) = self.threads.poll()?;
        let parts = LoadParts {
            layout: self.layout.clone(),
            workload,
            clients: self.config.clients,
            resend_after: self.config.resend_after(),
            payload_bytes: self.config.payload_bytes as usize,
            seed: random::draw(),
            signal: self.signal.clone(),
            poll,
            sessions,
        };
        let (sender, ended) = (self.sender.clone(), self.sender.clone());
        let body = move || {
            let load = Load::new(parts);
            load.run(|notice| drop(sender.send(Notice::Load(notice)))).map_err(|error| error.to_string())
        };
        self.threads.spawn("menard clients".to_owned(), body, move |outcome| {
            drop(ended.send(Notice::Ended { who: Who::Load, outcome }));
        })
    }

    /// Tells all threads to end, and waits until they have.
    fn stop_threads(&mut self) {
        self.signal.advance(Phase::Stop);
        self.threads.wake();
        self.threads.join();
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        self.stop_threads();
    }
}

/// What clients send to a program and get from it; an error if these settings ask for what it cannot have.
fn workload(program: &Program, layout: &Layout, config: &Config) -> Result<Workload, RunError> {
    let workload = Workload::infer(program, layout)?;
    if workload.role_nodes != 0 && config.clients > workload.role_nodes {
        let must = format!("from 1 to {}, the number of the program's external nodes", workload.role_nodes);
        return Err(ConfigError::Range { key: "clients", value: config.clients.to_string(), must }.into());
    }
    workload.fits_a_frame(config.payload_bytes as usize).map_err(|error| {
        RunError::Workload(format!("a command would be too long, {error}; choose a smaller `payload_bytes`"))
    })?;
    Ok(workload)
}

/// Opens the ports of all places. None is opened before all of them could be, so a node that starts finds its peers.
fn listen(layout: &Layout, config: &Config) -> Result<Vec<TcpListener>, RunError> {
    let nodes = layout.places.len();
    let highest = usize::from(u16::MAX) + 1 - nodes;
    if usize::from(config.base_port) > highest {
        let highest = u16::try_from(highest).unwrap_or(u16::MAX);
        return Err(RunError::PortsExhausted { base_port: config.base_port, nodes, highest });
    }
    let open = |(offset, place): (u16, &Place)| {
        let port = if config.base_port == 0 { 0 } else { config.base_port + offset };
        let address = SocketAddr::new(config.listen, port);
        TcpListener::bind(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => RunError::PortInUse { address, node: place.name.clone() },
            _ => RunError::io(format!("listen on {address}"))(error),
        })
    };
    (0..).zip(&layout.places).map(open).collect()
}
