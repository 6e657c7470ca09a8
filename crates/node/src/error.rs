//! Why a deployment could not run.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::config::ConfigError;
use crate::secure::KeysError;

/// Why a deployment could not run, and what to do about it.
#[derive(Debug, Error)]
pub enum RunError {
    /// The configuration does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The program is too large to run on this machine.
    #[error(
        "the program has {nodes} nodes, and one deployment runs at most {limit}; choose fewer partitions or a smaller role"
    )]
    TooManyNodes {
        /// How many it has.
        nodes: u32,
        /// How many are allowed.
        limit: usize,
    },
    /// A role needs Rust code that is not here.
    #[error(
        "role {role} is native: its nodes are Rust code that this program does not have; simulate the protocol where they are registered"
    )]
    Native {
        /// The role.
        role: String,
    },
    /// Somebody else listens where a node would.
    #[error(
        "{address}, where {node} would listen, is in use; stop what listens there, or choose another `base_port` (0 takes free ports)"
    )]
    PortInUse {
        /// The address.
        address: SocketAddr,
        /// The node that would listen there.
        node: String,
    },
    /// The base port leaves no room for all nodes.
    #[error(
        "{nodes} nodes do not fit above port {base_port}; choose a `base_port` of at most {highest}, or 0 for free ports"
    )]
    PortsExhausted {
        /// The base port.
        base_port: u16,
        /// The number of nodes.
        nodes: usize,
        /// The highest base port that would do.
        highest: u16,
    },
    /// What clients should send cannot be inferred from the program.
    #[error("no client can be made for this program: {0}")]
    Workload(String),
    /// The settings name what the program does not have, or a number that does not fit it.
    #[error("{0}")]
    Settings(String),
    /// A node stopped with an error.
    #[error("node {node} failed: {reason}")]
    NodeFailed {
        /// The node.
        node: String,
        /// What happened.
        reason: String,
    },
    /// A node's thread panicked, which is a bug of the runtime or the engine.
    #[error("node {node} panicked: {message}; this is a bug in menard")]
    NodePanicked {
        /// The node.
        node: String,
        /// What the panic said.
        message: String,
    },
    /// The clients' thread panicked, which is a bug of the runtime.
    #[error("the clients panicked: {message}; this is a bug in menard")]
    ClientsPanicked {
        /// What the panic said.
        message: String,
    },
    /// The clients could not connect or lost their nodes.
    #[error("the clients failed: {0}")]
    ClientFailed(String),
    /// Threads did not do what takes no time.
    #[error("nodes and clients did not {action} within 10 s; the machine may be overloaded")]
    Stuck {
        /// What they should have done.
        action: &'static str,
    },
    /// The data directory, or what is in it, cannot be used.
    #[error("cannot start node {node}: {reason}")]
    Data {
        /// The node.
        node: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A process of a deployment has to know the ports of all nodes.
    #[error("where the other nodes listen is not known; set `base_port` in the settings of the deployment")]
    NoPorts,
    /// No run of ports is free.
    #[error("no {nodes} free ports in a row were found; set `base_port`")]
    NoFreePorts {
        /// How many nodes there are.
        nodes: usize,
    },
    /// A process should be of a node that the program does not have.
    #[error("the program has no node {node}; known are {}", known.join(", "))]
    UnknownNode {
        /// The node.
        node: String,
        /// Those that there are; if some are called alike, these alone.
        known: Vec<String>,
    },
    /// A machine is to be faulty in two ways at once.
    #[error("{node} is to be faulty in two ways, `{first}` and `{second}`")]
    TwoConducts {
        /// The machine.
        node: String,
        /// What is said of it first.
        first: &'static str,
        /// What is said of it then.
        second: &'static str,
    },
    /// Processes should be killed, and no role says that its nodes may start again.
    #[error("no node may be killed and started again; declare it, for instance `fault restart 1 of ROLE`")]
    NobodyRestarts,
    /// A process has no keys where it needs them.
    #[error(
        "some nodes may lie, so all have to prove who they are, and no keys are given; make them with `menard keys`, and give the folder with `--keys`"
    )]
    NoKeys,
    /// The keys of nodes cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Commands were sent, none was answered.
    #[error("no command was answered in {seconds:.1} s{hint}")]
    NoReply {
        /// How long the clients waited.
        seconds: f64,
        /// What nodes dropped, if they dropped anything.
        hint: String,
    },
    /// It was stopped from outside before anything was measured.
    #[error("stopped before the measurement began")]
    Stopped,
    /// The operating system refused something.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

impl RunError {
    /// An error of the operating system with what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
        let action = action.into();
        move |source| RunError::Io { action, source }
    }
}
