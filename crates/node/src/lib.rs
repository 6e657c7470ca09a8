//! Real nodes: a program on loopback TCP, with closed-loop clients, measured. The only crate with sockets, threads and clocks.
//!
//! Every physical node is a thread ([`host`]) that sleeps until something comes, steps its engine, and sends what the steps sent. What
//! comes in is judged before it reaches a rule ([`inbox`]); what goes to another node is lost by no reconnect ([`link`]). Whatever is
//! dropped is counted with the reason, and nothing from the network can stop a node, make it spin, or grow its memory without bound.
//!
//! ```no_run
//! # use std::sync::atomic::AtomicBool;
//! # fn demo(program: &menard_lang::ir::Program) -> Result<(), menard_node::RunError> {
//! let config = menard_node::Config { clients: 200, duration_s: 10.0, ..Default::default() };
//! let report = menard_node::run(program, &config, &mut |_| {}, &AtomicBool::new(false))?;
//! println!("{:.0} commands a second", report.throughput_per_s);
//! # Ok(())
//! # }
//! ```

#![allow(clippy::disallowed_methods, reason = "this is the crate that has clocks and threads")]

mod ballot;
mod callers;
mod clients;
mod conductor;
mod config;
mod control;
mod data;
mod deployment;
mod destination;
mod disk;
mod durability;
mod error;
mod faulty;
#[cfg(test)]
mod fuzz;
mod host;
mod hosts;
mod inbox;
#[cfg(test)]
mod intruder;
mod layout;
mod lengths;
mod link;
mod load;
mod log;
mod meter;
mod outbox;
mod process;
mod random;
mod reply_quorum;
mod report;
mod said;
mod secure;
mod session;
mod stream;
mod summary;
mod threads;
mod timers;
mod wire;
mod workload;

pub use clients::Second;
pub use conductor::Progress;
pub use config::{Believe, Config, ConfigError};
pub use data::TemporaryFolder;
pub use deployment::{Deployment, run, run_processes, trusted, validate};
pub use error::RunError;
pub use faulty::{Conduct, Faulty, faulty_nodes, undeclared};
pub use lengths::Lengths;
pub use process::{NodeProcess, Processes};
pub use report::{Busiest, Exchange, Latency, NodeReport, Report, Stalled};
pub use secure::{KeysError, write_keys};
