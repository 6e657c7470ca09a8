//! Real runs: a program on loopback TCP with closed-loop clients, stopped by Ctrl-C, with live figures.

use std::sync::atomic::AtomicBool;

use menard_lang::Program;
use menard_lang::source::Source;
use menard_node::{Config, Progress, Report, RunError};

use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::table::{grouped, rounded};
use crate::text::counted;

/// Why one figure matters more than the others.
pub const ONE_MACHINE: &str = "\
All nodes ran on this one machine and share its processors: more nodes mean more work for the same
processors, so throughput and latency by the clock cannot show scaling. The bound can: it is one
divided by the CPU time per command of the busiest node, the throughput at which that node would
saturate a processor of its own. It is the figure to compare.";

/// Runs a program and measures it. `name` says which in front of the live figures.
pub fn measure(program: &Program, config: &Config, name: &str, stop: &AtomicBool, output: Output) -> Result<Report> {
    watched(program, name, output, |progress| menard_node::run(program, config, progress, stop))
}

/// Shows how a run goes on.
pub fn watched(
    program: &Program,
    name: &str,
    output: Output,
    run: impl FnOnce(&mut dyn FnMut(Progress)) -> std::result::Result<Report, RunError>,
) -> Result<Report> {
    let bar =
        output.spinner(&format!("{name}: starting {}", counted(program.physical_nodes() as usize, "node", "nodes")));
    let result = run(&mut |progress| match &progress {
        Progress::Stalled(stalled) => bar.suspend(|| output.complain(format!("warning: {stalled}"))),
        _ => bar.set_message(format!("{name}: {}", words(&progress))),
    });
    bar.finish_and_clear();
    result.map_err(failure)
}

/// What is going on, in words.
fn words(progress: &Progress) -> String {
    match progress {
        Progress::Started(nodes) => format!("{} listen", counted(nodes.len(), "node", "nodes")),
        Progress::WarmingUp => "warming up".to_owned(),
        Progress::Stalled(stalled) => stalled.to_string(),
        Progress::Measuring => "measuring".to_owned(),
        Progress::Second(second) => format!(
            "{} commands/s, latency p50 {}, p99 {}",
            rounded(second.throughput_per_s),
            milliseconds(second.latency_p50_us),
            milliseconds(second.latency_p99_us)
        ),
        Progress::Stopping => "stopping".to_owned(),
    }
}

/// Whether a program can be run with these settings, as far as one can tell without starting it.
pub fn validate(program: &Program, config: &Config) -> Result<()> {
    menard_node::validate(program, config).map_err(failure)
}

/// The settings of a run: those of a `deploy.toml`, or the defaults.
pub fn config(deploy: Option<&Source>) -> Result<Config> {
    match deploy {
        Some(source) => Config::parse(&source.name, &source.text).map_err(|error| failure(error.into())),
        None => Ok(Config::default()),
    }
}

/// A run that did not succeed is a problem of the environment or of the settings, unless the program is to blame.
pub fn failure(error: RunError) -> Failure {
    let text = error.to_string();
    match error {
        RunError::Workload(_) | RunError::Native { .. } | RunError::NodeFailed { .. } | RunError::NoReply { .. } => {
            Failure::No { json: serde_json::json!({ "error": text }), text: format!("error: {text}") }
        }
        RunError::NobodyRestarts | RunError::UnknownNode { .. } => {
            Failure::environment(text, "see the roles and faults of the protocol")
        }
        RunError::TwoConducts { .. } => {
            Failure::environment(text, "say one of them, once for the node or for each of its machines")
        }
        RunError::NoKeys | RunError::Keys(_) => Failure::environment(text, "see the folder of keys, or draw others"),
        RunError::Data { .. } => Failure::environment(text, "see what is in the data directory, or name another one"),
        RunError::Config(_)
        | RunError::Settings(_)
        | RunError::PortsExhausted { .. }
        | RunError::NoPorts
        | RunError::TooManyNodes { .. } => Failure::environment(text, "correct the settings of the run"),
        RunError::NodePanicked { .. } | RunError::ClientsPanicked { .. } => {
            Failure::environment(text, "report it with the protocol, the plan and the settings")
        }
        RunError::Stopped => Failure::environment(text, "nothing is left running"),
        _ => Failure::environment(text, "see what else runs on this machine, then try again"),
    }
}

/// The figures of a run, for people.
pub fn figures(report: &Report) -> String {
    let latency = report.latency_us;
    let dropped: Vec<String> = report.dropped().iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let rows = [
        (
            "commands",
            format!("{} in {:.1} s, from {} clients", grouped(report.commands), report.window_s, report.clients),
        ),
        (
            "throughput",
            format!(
                "{} commands/s (90th percentile of seconds: {})",
                rounded(report.throughput_per_s),
                rounded(report.throughput_p90_per_s)
            ),
        ),
        (
            "latency",
            format!(
                "p50 {}, p90 {}, p99 {}, max {}",
                milliseconds(latency.p50),
                milliseconds(latency.p90),
                milliseconds(latency.p99),
                milliseconds(latency.max)
            ),
        ),
        ("messages", format!("{:.1} per command, {:.0} bytes", report.messages_per_command, report.bytes_per_command)),
        (
            "busiest node",
            format!("{}, {:.1} us of CPU per command", report.busiest.node, report.busiest.cpu_us_per_command),
        ),
        (
            "bound",
            format!("{} commands/s at this load, if each node had a processor of its own", rounded(report.bound_per_s)),
        ),
        ("sent again", grouped(report.resends)),
        ("synced", synced(report)),
        ("killed", if report.kills == 0 { String::new() } else { counted_kills(report.kills) }),
        ("dropped", if dropped.is_empty() { "nothing".to_owned() } else { dropped.join(", ") }),
    ];
    let told = rows.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| format!("{name:<14}{value}\n")).collect()
}

/// What logs cost; nothing for programs that have none.
fn synced(report: &Report) -> String {
    if report.syncs == 0 {
        return String::new();
    }
    // What nodes counted before they were killed is gone with them; their rates since are as good.
    if report.kills > 0 {
        return format!("{:.3} times per command, by nodes since they last started", report.syncs_per_command);
    }
    format!("{} times, {:.3} per command", grouped(report.syncs), report.syncs_per_command)
}

fn counted_kills(kills: u64) -> String {
    format!("{} processes, and started them again; figures of nodes are from their last start", grouped(kills))
}

/// Microseconds as milliseconds.
pub fn milliseconds(microseconds: u64) -> String {
    format!("{:.2} ms", microseconds as f64 / 1000.0)
}
