//! Starting the nodes that one process hosts: their data opened, their engines recovered, their threads begun.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use menard_engine::{Node as Engine, Plan, lower};
use menard_lang::ir::{Component, FaultKind, Program};
use menard_value::{Node, Type};
use mio::Waker;
use mio::net::TcpListener;

use crate::RunError;
use crate::conductor::{Notice, Who};
use crate::config::Config;
use crate::control::Signal;
use crate::data::NodeFolder;
use crate::disk::Disk;
use crate::durability::{Durability, recover};
use crate::faulty::{Conduct, Fault, Liar, conducts};
use crate::host::{Host, HostParts, link_token};
use crate::inbox::Inbox;
use crate::layout::Layout;
use crate::link::{Excuses, Link};
use crate::random;
use crate::secure::{Credentials, Guard};
use crate::threads::Threads;
use crate::wire::{Caller, Hello};

/// What is the same for all nodes of a process.
pub(crate) struct Hosts<'a> {
    program: &'a Program,
    layout: Arc<Layout>,
    plans: Vec<Arc<Plan>>,
    addresses: &'a [SocketAddr],
    queue_limit_bytes: usize,
    session: u64,
    credentials: Option<Arc<Credentials>>,
    data: Option<PathBuf>,
    /// What places do that are faulty on purpose.
    conducts: BTreeMap<usize, Conduct>,
    /// What liars draw from.
    seed: u64,
    /// The logical nodes that were opened.
    folders: BTreeMap<Node, Option<Arc<NodeFolder>>>,
}

/// The start of a node that does not count its starts, since it remembers nothing and its process starts once.
const ONLY_INCARNATION: u64 = 1;

impl<'a> Hosts<'a> {
    /// The nodes of a program. `addresses`: where each place listens. `credentials`: the keys of those that live here, if nodes have keys.
    pub fn new(
        program: &'a Program,
        layout: Arc<Layout>,
        config: &Config,
        addresses: &'a [SocketAddr],
        session: u64,
        credentials: Option<Arc<Credentials>>,
    ) -> Result<Self, RunError> {
        let plan = |component: &Component| {
            let plan = lower(program, &component.name);
            Arc::new(if config.stand_ins { plan } else { plan.real() })
        };
        let plans = program.components.iter().map(plan).collect();
        Ok(Hosts {
            conducts: conducts(&config.faulty, &layout)?,
            seed: config.seed,
            program,
            layout,
            plans,
            addresses,
            queue_limit_bytes: config.queue_limit_bytes,
            session,
            credentials,
            data: config.data.clone(),
            folders: BTreeMap::new(),
        })
    }

    /// Whether a node needs a data directory.
    pub fn has_durable_tables(&self) -> bool {
        self.plans.iter().any(|plan| plan.durable_tables().len() > 0)
    }

    /// Says where data is kept, instead of where the settings say.
    pub fn keep_data_in(&mut self, folder: &Path) {
        self.data = Some(folder.to_owned());
    }

    /// Opens the data of a logical node, and counts its start; the node's places are started after that.
    pub fn open(&mut self, node: Node, name: &str) -> Result<u64, RunError> {
        let fingerprint = self.layout.fingerprint;
        let folder = self.data.as_deref().map(|root| NodeFolder::open(root, name, fingerprint)).transpose();
        let folder = folder.map_err(|error| RunError::Data { node: name.to_owned(), reason: error.to_string() })?;
        let incarnation = folder.as_ref().map_or(ONLY_INCARNATION, |folder| folder.incarnation);
        self.folders.insert(node, folder.map(Arc::new));
        Ok(incarnation)
    }

    /// Starts the thread of a place, which listens already.
    pub fn start(
        &self,
        place: usize,
        listener: TcpListener,
        threads: &mut Threads,
        signal: &Signal,
        notices: &Sender<Notice>,
    ) -> Result<(), RunError> {
        let layout = &self.layout;
        let (poll, waker) = threads.poll()?;
        let folder = &self.folders[&layout.places[place].node];
        let incarnation = folder.as_ref().map_or(ONLY_INCARNATION, |folder| folder.incarnation);
        let (node, durability) = self.engine(place, folder.as_deref(), waker)?;
        let parts = HostParts {
            node,
            incarnation,
            durability,
            place,
            poll,
            listener,
            links: self.links(place, incarnation),
            inbox: Inbox::new(layout.clone(), self.session, place),
            guard: self.guard(place),
            fault: self.fault(place),
            liars: (0..).zip(&self.program.roles).map(|(role, _)| liars_of(self.program, role)).collect(),
            signal: signal.clone(),
            layout: layout.clone(),
        };
        let (sender, ended, folder) = (notices.clone(), notices.clone(), folder.clone());
        let logical = layout.places[place].node;
        let keyring = self.credentials.as_ref().map(|credentials| credentials.keyring(|node| node == logical));
        let body = move || {
            if let Some(keyring) = keyring {
                keyring.install();
            }
            // A notice cannot be sent only if nobody wants to know any more.
            let host = Host::new(parts);
            let result = host
                .run(|phase, snapshot| drop(sender.send(Notice::Node { place, phase, snapshot: Box::new(snapshot) })))
                .map_err(|error| error.to_string());
            // Others may use the folder when nothing is written there any more.
            drop(folder);
            result
        };
        let name = format!("menard {}", layout.places[place].name);
        threads.spawn(name, body, move |outcome| {
            drop(ended.send(Notice::Ended { who: Who::Node(place), outcome }));
        })
    }

    /// The engine of a place with the facts of its log, and the log's disk.
    fn engine(
        &self,
        place: usize,
        folder: Option<&NodeFolder>,
        waker: Arc<Waker>,
    ) -> Result<(Engine, Option<Durability>), RunError> {
        let place = &self.layout.places[place];
        let plan = &self.plans[place.component];
        let mut node = Engine::with_seed(plan.clone(), place.node, random::draw());
        if plan.durable_tables().len() == 0 {
            return Ok((node, None));
        }
        let wrong = |reason: String| RunError::Data { node: place.name.clone(), reason };
        let folder = folder.ok_or_else(|| wrong("it has durable tables, and no data directory is given".to_owned()))?;
        let (log, facts, path) = folder.log(&place.name).map_err(|error| wrong(error.to_string()))?;
        let path = path.display().to_string();
        recover(&mut node, &facts, &self.durable_columns(place.component))
            .map_err(|error| wrong(format!("{path}: {error}")))?;
        let log_bytes = log.bytes();
        let disk = Disk::start(log, path, waker).map_err(RunError::io("start the thread of a disk"))?;
        Ok((node, Some(Durability::new(disk, log_bytes, facts.bytes()))))
    }

    /// The columns' types of each durable table of a component.
    fn durable_columns(&self, component: usize) -> Vec<Box<[Type]>> {
        let tables = self.plans[component].durable_tables();
        let columns = tables.map(|table| {
            let relation = self.program.components[component].relation(table).expect("a plan is made of a component");
            relation.columns.iter().map(|column| column.ty).collect()
        });
        columns.collect()
    }

    /// What a place does that is faulty on purpose.
    fn fault(&self, place: usize) -> Option<Fault> {
        let is_faulty = |place: usize| self.conducts.contains_key(&place);
        match self.conducts.get(&place)? {
            Conduct::Silent => Some(Fault::Silent),
            Conduct::Lies => {
                let liar = Liar::new(self.layout.clone(), place, is_faulty, self.seed, Instant::now());
                Some(Fault::Lies(Box::new(liar)))
            }
        }
    }

    /// The keys of a place, if nodes have keys.
    fn guard(&self, place: usize) -> Option<Guard> {
        let credentials = self.credentials.as_ref()?;
        Some(credentials.guard(place).expect("a process has the keys of the places that it starts"))
    }

    /// The links of a place to all others.
    fn links(&self, place: usize, incarnation: u64) -> Vec<Option<Link>> {
        let hello = |target| Hello {
            fingerprint: self.layout.fingerprint,
            session: self.session,
            incarnation,
            target: self.layout.wire_place(target),
            caller: Caller::Peer(self.layout.wire_place(place)),
        };
        let excuses = |target: usize| {
            let role = self.layout.places[target].node.role;
            Excuses {
                may_crash: has_fault(self.program, role, &[FaultKind::Crash, FaultKind::Restart]),
                may_lie: liars_of(self.program, role) > 0,
            }
        };
        let link = |(target, address): (usize, &SocketAddr)| {
            (target != place).then(|| {
                let (token, hello, limit) = (link_token(target), hello(target), self.queue_limit_bytes);
                Link::new(*address, token, &hello, self.guard(place), limit, excuses(target))
            })
        };
        self.addresses.iter().enumerate().map(link).collect()
    }
}

/// Whether a role has one of these faults.
fn has_fault(program: &Program, role: u16, kinds: &[FaultKind]) -> bool {
    let name = &program.roles[usize::from(role)].name;
    program.faults.iter().any(|fault| fault.role == *name && fault.nodes > 0 && kinds.contains(&fault.kind))
}

/// How many nodes of a role may lie.
pub(crate) fn liars_of(program: &Program, role: u16) -> u32 {
    let name = &program.roles[usize::from(role)].name;
    let faults = program.faults.iter().filter(|fault| fault.role == *name && fault.kind == FaultKind::Byzantine);
    faults.map(|fault| fault.nodes).sum()
}
