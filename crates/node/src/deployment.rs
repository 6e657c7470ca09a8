//! A program on this machine: its nodes started, loaded, measured, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use menard_lang::ir::Program;
use mio::net::TcpListener;

use crate::conductor::{Conductor, Notice, Progress, Who};
use crate::config::{Config, ConfigError};
use crate::control::{Phase, Signal};
use crate::data::TemporaryFolder;
use crate::error::RunError;
use crate::faulty::conducts;
use crate::hosts::{Hosts, liars_of};
use crate::layout::Layout;
use crate::load::{Load, LoadParts, session_token};
use crate::process::Processes;
use crate::process::fleet::Fleet;
use crate::random::{self, Random};
use crate::reply_quorum::trust;
use crate::report::Report;
use crate::secure::{Credentials, is_byzantine};
use crate::session::Session;
use crate::summary::summarize;
use crate::threads::Threads;
use crate::wire::{Caller, Hello};
use crate::workload::Workload;

/// Ports for processes are looked for here: systems give those above to whoever connects, who would take them while a process is down.
const LEAST_PORT: u16 = 10_000;
const GREATEST_PORT: u16 = 30_000;
const PORT_TRIES: u32 = 200;

/// The running nodes of a program. Dropping it stops them.
pub struct Deployment {
    program: Program,
    layout: Arc<Layout>,
    config: Config,
    addresses: Vec<SocketAddr>,
    /// Tells connections of this deployment from those of another.
    session: u64,
    signal: Signal,
    threads: Threads,
    /// Keys of all nodes and clients, or of clients alone if nodes are processes; none if there are none.
    credentials: Option<Arc<Credentials>>,
    /// If nodes are processes rather than threads.
    fleet: Option<Fleet>,
    sender: Sender<Notice>,
    notices: Receiver<Notice>,
    /// Removed when all threads have ended.
    _data: Option<TemporaryFolder>,
}

/// Whether a program can be run with these settings, as far as one can tell without starting it.
pub fn validate(program: &Program, config: &Config) -> Result<(), RunError> {
    config.validate()?;
    let layout = Layout::new(program)?;
    conducts(&config.faulty, &layout)?;
    workload(program, &layout, config).map(drop)
}

/// What clients take on trust, in words, channel by channel: answers that one liar may have made wrong at every node that gives them. Nothing of
/// channels of which the settings say how many nodes clients believe.
pub fn trusted(program: &Program, config: &Config) -> Result<Vec<String>, RunError> {
    let workload = Workload::infer(program, &Layout::new(program)?, config)?;
    let channels = workload.replies.iter().map(|reply| &program.channels[usize::from(reply.channel)]);
    let unsaid = channels.filter(|channel| config.believe.on(&channel.name) == 0);
    Ok(unsaid.filter_map(|channel| trust(program, channel)).collect())
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

/// The same with a process for each logical node. The ports of all nodes have to be known: see [`Config::with_free_ports`].
pub fn run_processes(
    program: &Program,
    config: &Config,
    processes: Processes,
    progress: &mut dyn FnMut(Progress),
    stop: &AtomicBool,
) -> Result<Report, RunError> {
    Deployment::start_processes(program, config, processes)?.measure(progress, stop)
}

impl Deployment {
    /// Starts all nodes of a checked program. When it returns, all of them listen.
    pub fn start(program: &Program, config: &Config) -> Result<Deployment, RunError> {
        config.validate()?;
        let layout = Arc::new(Layout::new(program)?);
        let listeners = listen(&layout, config)?;
        let address = |listener: &TcpListener| listener.local_addr().map_err(RunError::io("ask for a port"));
        let addresses = listeners.iter().map(address).collect::<Result<Vec<_>, _>>()?;
        let drawn = Credentials::draw(program, layout.clone(), config.clients);
        let credentials = drawn.map_err(RunError::io("draw keys"))?;
        let mut deployment = Deployment::new(program, layout, config, addresses);
        deployment.credentials = Some(Arc::new(credentials));
        deployment.start_nodes(listeners)?;
        Ok(deployment)
    }

    /// Starts a process for each logical node of a checked program. When it returns, not all of them need to listen yet.
    pub fn start_processes(program: &Program, config: &Config, processes: Processes) -> Result<Deployment, RunError> {
        config.validate()?;
        let layout = Arc::new(Layout::new(program)?);
        let addresses = layout.fixed_addresses(config)?;
        let mut deployment = Deployment::new(program, layout, config, addresses);
        deployment.credentials = client_credentials(program, &deployment.layout, config)?.map(Arc::new);
        let sender = deployment.sender.clone();
        deployment.fleet = Some(Fleet::start(program, &deployment.layout, processes, sender)?);
        Ok(deployment)
    }

    fn new(program: &Program, layout: Arc<Layout>, config: &Config, addresses: Vec<SocketAddr>) -> Deployment {
        let (sender, notices) = channel();
        Deployment {
            program: program.clone(),
            layout,
            config: config.clone(),
            addresses,
            session: random::draw(),
            signal: Signal::default(),
            threads: Threads::default(),
            credentials: None,
            fleet: None,
            sender,
            notices,
            _data: None,
        }
    }

    /// What an intruder has to know.
    #[cfg(test)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The keys of all nodes.
    #[cfg(test)]
    pub(crate) fn credentials(&self) -> Arc<Credentials> {
        self.credentials.clone().expect("nodes that are threads have keys")
    }

    /// What tells its connections from others.
    #[cfg(test)]
    pub(crate) fn session(&self) -> u64 {
        self.session
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
            fleet: self.fleet.as_ref(),
            notices: &self.notices,
            layout: &self.layout,
            progress: &mut *progress,
            stop,
        };
        let measured = conductor.conduct(self.config.warmup(), self.config.duration());
        progress(Progress::Stopping);
        self.stop_threads();
        let faulty = conducts(&self.config.faulty, &self.layout)?;
        summarize(&self.layout, &self.nodes(), self.config.clients, &faulty, measured?)
    }

    /// Stops all nodes; an error if one of them had failed.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.stop_threads();
        let failures = self.notices.try_iter().map(|notice| notice.failure(&self.layout));
        failures.flatten().next().map_or(Ok(()), Err)
    }

    fn start_nodes(&mut self, listeners: Vec<TcpListener>) -> Result<(), RunError> {
        let (layout, credentials) = (self.layout.clone(), self.credentials.clone());
        let mut hosts = Hosts::new(&self.program, layout, &self.config, &self.addresses, self.session, credentials)?;
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
        let caller = Caller::Client { role: workload.role, first: 0, count: self.config.clients };
        let guard = self.credentials.as_ref().and_then(|credentials| credentials.client_guard(caller));
        let keyring = self.credentials.as_ref().map(|keys| keys.keyring(|node| node.role == workload.role));
        let session = |(position, place): (usize, &usize)| {
            let hello = Hello {
                fingerprint: self.layout.fingerprint,
                session: 0,
                incarnation: 0,
                target: self.layout.wire_place(*place),
                caller,
            };
            Session::new(self.addresses[*place], session_token(position), &hello, guard.clone(), now)
        };
        let sessions = workload.places.iter().enumerate().map(session).collect();
        let (poll, _) = self.threads.poll()?;
        let parts = LoadParts {
            layout: self.layout.clone(),
            workload,
            clients: self.config.clients,
            resend_after: self.config.resend_after(),
            payload_bytes: self.config.payload_bytes.clone(),
            keys: self.config.keys,
            history: self.config.history,
            liars: (0..).zip(&self.program.roles).map(|(role, _)| liars_of(&self.program, role)).collect(),
            first_number: if self.config.data.is_some() { microseconds_since_1970() } else { 0 },
            seed: random::draw(),
            signal: self.signal.clone(),
            keyring: keyring.unwrap_or_default(),
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
        self.fleet = None;
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        self.stop_threads();
    }
}

/// What clients send to a program and get from it; an error if these settings ask for what it cannot have.
fn workload(program: &Program, layout: &Layout, config: &Config) -> Result<Workload, RunError> {
    let workload = Workload::infer(program, layout, config)?;
    if workload.role_nodes != 0 && config.clients > workload.role_nodes {
        let must = format!("from 1 to {}, the number of the program's external nodes", workload.role_nodes);
        return Err(ConfigError::Range { key: "clients", value: config.clients.to_string(), must }.into());
    }
    workload.fits_a_frame(config.payload_bytes.longest() as usize).map_err(|error| {
        RunError::Workload(format!("a command would be too long, {error}; choose a smaller `payload_bytes`"))
    })?;
    Ok(workload)
}

/// Where commands are numbered from if nodes may remember those of earlier runs: above all of them, unless the clock is set back.
fn microseconds_since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}

/// The keys of clients, if there is a folder of keys.
fn client_credentials(
    program: &Program,
    layout: &Arc<Layout>,
    config: &Config,
) -> Result<Option<Credentials>, RunError> {
    let Some(folder) = &config.key_folder else {
        return if is_byzantine(program) { Err(RunError::NoKeys) } else { Ok(None) };
    };
    let workload = workload(program, layout, config)?;
    let role = &program.roles[usize::from(workload.role)].name;
    Ok(Some(Credentials::read(program, layout.clone(), folder, role)?))
}

/// Opens the ports of all places. None is opened before all of them could be, so a node that starts finds its peers.
fn listen(layout: &Layout, config: &Config) -> Result<Vec<TcpListener>, RunError> {
    let addresses = match config.base_port {
        0 => vec![SocketAddr::new(config.listen, 0); layout.places.len()],
        _ => layout.fixed_addresses(config)?,
    };
    let open = |(place, address): (usize, SocketAddr)| {
        TcpListener::bind(address).map_err(|error| layout.cannot_listen(place, address, error))
    };
    addresses.into_iter().enumerate().map(open).collect()
}

impl Config {
    /// These settings with ports that are free now, if they name none. Nobody keeps them free.
    pub fn with_free_ports(&self, program: &Program) -> Result<Config, RunError> {
        let layout = Layout::new(program)?;
        let mut random = Random::new(random::draw());
        let mut config = self.clone();
        for _ in 0..if self.base_port == 0 { PORT_TRIES } else { 0 } {
            let port = usize::from(LEAST_PORT) + random.below(usize::from(GREATEST_PORT - LEAST_PORT));
            config.base_port = u16::try_from(port).expect("it is between two ports");
            if listen(&layout, &config).is_ok() {
                return Ok(config);
            }
        }
        if self.base_port == 0 { Err(RunError::NoFreePorts { nodes: layout.places.len() }) } else { Ok(config) }
    }
}
