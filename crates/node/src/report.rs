//! What a run measured.

use std::collections::BTreeMap;
use std::fmt;

use menard_value::{Node, Value};
use serde::Serialize;

use crate::clients::Stall;
use crate::layout::Layout;

/// What a run measured, in the window between warm-up and end. Units are in the names.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Report {
    /// The measured window.
    pub window_s: f64,
    /// Whether it was stopped from outside before the window was over; figures are of the part that was measured.
    pub stopped_early: bool,
    /// Logical clients, each with one command under way.
    pub clients: u32,
    /// Commands answered in the window.
    pub commands: u64,
    /// Commands sent again because no answer came in time.
    pub resends: u64,
    /// Commands of the end of the run whose answer had not come when everything was stopped.
    pub unanswered: u64,
    /// Answers to commands that had been answered before.
    pub duplicate_replies: u64,
    /// Answers to commands that were never given: always 0 unless the program is wrong, or a node lies.
    pub unexpected_replies: u64,
    /// Answers in the name of another node than the one that sent them: always 0 unless a node lies.
    pub forged_replies: u64,
    /// Commands with two different answers, each from as many nodes as a client believes, since the start: always 0 unless the program is wrong, or
    /// more nodes lie than it bears.
    pub contradictions: u64,
    /// Commands of the end of the run that were answered, but not so that a client could believe it.
    pub stalled: Option<Stalled>,
    /// How often logical nodes answered otherwise than was believed, since the start.
    pub outvoted: BTreeMap<String, u64>,
    /// Processes that were killed and started again. What the report says of their nodes counts from their last start.
    pub kills: u64,
    /// The mean over the window.
    pub throughput_per_s: f64,
    /// The 90th percentile of the one-second windows; the mean if the window is shorter than a second.
    pub throughput_p90_per_s: f64,
    /// From the first sending of a command to its answer.
    pub latency_us: Latency,
    /// Messages between all nodes, those from and to clients included, for each command.
    pub messages_per_command: f64,
    /// Bytes of these messages, with their headers.
    pub bytes_per_command: f64,
    /// Syncs of the logs of all nodes.
    pub syncs: u64,
    /// The same for each command: many turns share a sync under load.
    pub syncs_per_command: f64,
    /// The node with the most CPU time for each command.
    pub busiest: Busiest,
    /// Commands a second that the busiest node could do with a core of its own: 1,000,000 / its CPU time for each command.
    pub bound_per_s: f64,
    /// Every physical node.
    pub nodes: Vec<NodeReport>,
    /// The first messages between clients and nodes, in the order in which clients sent and received them; see [`crate::Config::history`].
    #[serde(skip)]
    pub history: Vec<Exchange>,
}

/// A message between a client and a node.
#[derive(Clone, PartialEq, Debug)]
pub struct Exchange {
    /// The position of its channel in the program.
    pub channel: u16,
    /// Who sent it.
    pub from: Node,
    /// To whom.
    pub to: Node,
    /// Its fields.
    pub args: Box<[Value]>,
    /// Of an answer: its client believed it then, as the first. Commands count as believed.
    pub is_believed: bool,
}

/// Commands that have waited for long although nodes have answered them: too few gave the same answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stalled {
    /// How many commands.
    pub commands: u64,
    /// The role whose nodes answer.
    pub role: String,
    /// How many nodes it has.
    pub nodes: u64,
    /// So many of them gave the same answer at most.
    pub agree: u64,
    /// So many have to, before a client believes them.
    pub believed_from: u64,
    /// So many of the role's nodes may lie.
    pub may_lie: u64,
}

impl Stalled {
    /// The same in names.
    pub(crate) fn new(stall: Stall, layout: &Layout) -> Self {
        let nodes = || layout.nodes.iter().filter(|(node, _)| node.role == stall.role);
        let name = nodes().next().map_or("", |(_, name)| name.split('[').next().unwrap_or(name));
        Stalled {
            commands: stall.commands,
            role: name.to_owned(),
            nodes: nodes().count() as u64,
            agree: stall.agree as u64,
            believed_from: stall.believed_from as u64,
            may_lie: stall.may_lie.into(),
        }
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stalled { commands, role, nodes, agree, believed_from, may_lie } = self;
        let waits = if *commands == 1 { "1 command waits".to_owned() } else { format!("{commands} commands wait") };
        write!(
            f,
            "{waits}, since at most {agree} of {nodes} nodes of `{role}` answer the same and a client believes {believed_from}; "
        )?;
        if believed_from > &(may_lie + 1) {
            f.write_str("if fewer nodes answer each command, and check what they were told, say so with `believe` in deploy.toml")
        } else {
            write!(
                f,
                "{may_lie} of them may lie, so {believed_from} of the others have to answer each command in the same words"
            )
        }
    }
}

/// The latency of commands, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Latency {
    /// Half of the commands took no longer.
    pub p50: u64,
    /// 90 of 100 took no longer.
    pub p90: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// None took longer.
    pub max: u64,
}

/// The node with the most CPU time for each command.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Busiest {
    /// Its name.
    pub node: String,
    /// Its CPU time for each command, user and system. On loopback the sender's thread also does most of the receiver's work in the
    /// network stack.
    pub cpu_us_per_command: f64,
}

/// What one physical node did in the window.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct NodeReport {
    /// The component, `[index]` where its role has several nodes, `/part` where the component has several partitions.
    pub node: String,
    /// Where it listened.
    pub address: String,
    /// The measured window, as this node saw it.
    pub window_s: f64,
    /// CPU time of its thread, user and system.
    pub cpu_us_total: f64,
    /// The same for each command that clients got answered, of which a partition sees only its share.
    pub cpu_us_per_command: f64,
    /// Messages taken from other nodes.
    pub messages_in: u64,
    /// Messages sent to other nodes.
    pub messages_out: u64,
    /// Bytes of messages taken, with their headers.
    pub bytes_in: u64,
    /// Bytes of messages sent, with their headers.
    pub bytes_out: u64,
    /// Steps of its engine.
    pub steps: u64,
    /// Syncs of its log; 0 if it has no durable tables.
    pub syncs: u64,
    /// Timers that fired.
    pub timers: u64,
    /// What it dropped since its start, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// What it did if it was faulty on purpose.
    pub faulty: Option<String>,
    /// Its lies since its start, by kind.
    pub lies: BTreeMap<String, u64>,
}

impl Report {
    /// What nodes refused that a faulty node may have sent, since the start, by reason: everything that nodes which are not faulty dropped.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        sum(self.nodes.iter().filter(|node| node.faulty.is_none()).map(|node| &node.dropped))
    }

    /// Everything that nodes dropped, by reason.
    pub fn dropped(&self) -> BTreeMap<String, u64> {
        sum(self.nodes.iter().map(|node| &node.dropped))
    }
}

/// Counts by reason, of several nodes together.
pub(crate) fn sum<'a>(counts: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for (reason, count) in counts.flatten() {
        *all.entry(reason.clone()).or_default() += count;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_json_are_stable() {
        let node = NodeReport {
            node: "leader".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            window_s: 1.0,
            cpu_us_total: 2.0,
            cpu_us_per_command: 2.0,
            messages_in: 1,
            messages_out: 1,
            bytes_in: 1,
            bytes_out: 1,
            steps: 1,
            syncs: 2,
            timers: 3,
            dropped: [("malformed".to_owned(), 3)].into(),
            faulty: Some("lies".to_owned()),
            lies: [("changed".to_owned(), 2)].into(),
        };
        let report = Report {
            window_s: 1.0,
            stopped_early: false,
            clients: 1,
            commands: 1,
            resends: 0,
            unanswered: 0,
            duplicate_replies: 0,
            unexpected_replies: 0,
            forged_replies: 0,
            contradictions: 0,
            stalled: None,
            outvoted: BTreeMap::new(),
            kills: 0,
            throughput_per_s: 1.0,
            throughput_p90_per_s: 1.0,
            latency_us: Latency { p50: 1, p90: 2, p99: 3, max: 4 },
            messages_per_command: 2.0,
            bytes_per_command: 20.0,
            syncs: 4,
            syncs_per_command: 4.0,
            busiest: Busiest { node: "leader".to_owned(), cpu_us_per_command: 2.0 },
            bound_per_s: 500_000.0,
            nodes: vec![node.clone(), node],
            history: Vec::new(),
        };
        assert_eq!(report.dropped(), [("malformed".to_owned(), 6)].into());
        let json = serde_json::to_value(&report).expect("a report is JSON");
        let keys = |value: &serde_json::Value| {
            value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            keys(&json),
            "bound_per_s busiest bytes_per_command clients commands contradictions duplicate_replies forged_replies kills latency_us \
             messages_per_command nodes outvoted resends stalled stopped_early syncs syncs_per_command throughput_p90_per_s throughput_per_s unanswered unexpected_replies window_s"
        );
        assert_eq!(
            keys(&json["nodes"][0]),
            "address bytes_in bytes_out cpu_us_per_command cpu_us_total dropped faulty lies messages_in messages_out node steps syncs \
             timers window_s"
        );
        assert_eq!(json["latency_us"], serde_json::json!({ "p50": 1, "p90": 2, "p99": 3, "max": 4 }));
    }
}
