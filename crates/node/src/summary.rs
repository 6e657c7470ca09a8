//! From what was measured to what is reported.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::RunError;
use crate::clients::{Measured, Testimony};
use crate::conductor::Window;
use crate::faulty::Conduct;
use crate::layout::Layout;
use crate::meter::Snapshot;
use crate::report::{Busiest, Latency, NodeReport, Report, Stalled, sum};

/// A list of what was dropped is not longer.
const DROPPED_EACH: usize = 4;

/// Sums a window up. An error if no command was answered in it: then there is nothing to divide by, and something is wrong.
/// `faulty`: the places that are so on purpose.
pub(crate) fn summarize(
    layout: &Layout,
    nodes: &[(String, SocketAddr)],
    clients: u32,
    faulty: &BTreeMap<usize, Conduct>,
    window: Window,
) -> Result<Report, RunError> {
    let Measured { window: measured, latency_us, seconds, counts } = &window.clients;
    let Testimony { outvoted, contradictions, stall } = &window.testimony;
    let stalled = stall.map(|stall| Stalled::new(stall, layout));
    let window_s = measured.as_secs_f64();
    let throughput_per_s = counts.commands as f64 / window_s;
    let reports: Vec<NodeReport> = nodes
        .iter()
        .zip(&window.nodes)
        .enumerate()
        .map(|(place, ((name, address), edges))| NodeReport {
            faulty: faulty.get(&place).map(|conduct| conduct.name().to_owned()),
            ..node_report(name, address, edges, throughput_per_s)
        })
        .collect();
    // What a node that was started again a moment ago has used says little of the commands.
    let longest_s = reports.iter().map(|node| node.window_s).fold(0.0, f64::max);
    let settled = reports.iter().filter(|node| node.window_s >= longest_s / 2.0 && node.faulty.is_none());
    let busiest = settled.max_by(|a, b| a.cpu_us_per_command.total_cmp(&b.cpu_us_per_command));
    let Some(busiest) = busiest.filter(|_| counts.commands > 0) else {
        return Err(if window.stopped_early { RunError::Stopped } else { no_reply(window_s, &reports, stalled) });
    };
    let busiest = Busiest { node: busiest.node.clone(), cpu_us_per_command: busiest.cpu_us_per_command };
    // Each node has a window of its own, a little apart from the clients': rates can be compared where counts cannot.
    let rate = |of: fn(&NodeReport) -> u64| reports.iter().map(|node| of(node) as f64 / node.window_s).sum::<f64>();
    let messages_per_s = rate(|node| node.messages_out) + counts.messages_out as f64 / window_s;
    let bytes_per_s = rate(|node| node.bytes_out) + counts.bytes_out as f64 / window_s;
    let syncs_per_s = rate(|node| node.syncs);
    Ok(Report {
        window_s,
        stopped_early: window.stopped_early,
        clients,
        commands: counts.commands,
        resends: counts.resends,
        unanswered: window.unanswered,
        duplicate_replies: counts.duplicates,
        unexpected_replies: counts.unexpected,
        forged_replies: counts.forged,
        contradictions: *contradictions,
        stalled,
        outvoted: outvoted.iter().map(|(node, count)| (layout.node_name(*node), *count)).collect(),
        kills: window.kills,
        throughput_per_s,
        throughput_p90_per_s: percentile_90(seconds).unwrap_or(throughput_per_s),
        latency_us: Latency {
            p50: latency_us.value_at_quantile(0.5),
            p90: latency_us.value_at_quantile(0.9),
            p99: latency_us.value_at_quantile(0.99),
            max: latency_us.max(),
        },
        messages_per_command: messages_per_s / throughput_per_s,
        bytes_per_command: bytes_per_s / throughput_per_s,
        syncs: reports.iter().map(|node| node.syncs).sum(),
        syncs_per_command: syncs_per_s / throughput_per_s,
        bound_per_s: 1e6 / busiest.cpu_us_per_command,
        busiest,
        nodes: reports,
        history: window.history,
    })
}

fn node_report(
    name: &str,
    address: &SocketAddr,
    (begin, end): &(Snapshot, Snapshot),
    throughput_per_s: f64,
) -> NodeReport {
    // One that was started again at the very end has hardly had any time.
    let window_s = end.at.saturating_duration_since(begin.at).as_secs_f64().max(1e-6);
    let cpu_us_total = end.cpu.saturating_sub(begin.cpu).as_secs_f64() * 1e6;
    NodeReport {
        node: name.to_owned(),
        address: address.to_string(),
        window_s,
        cpu_us_total,
        cpu_us_per_command: cpu_us_total / window_s / throughput_per_s,
        messages_in: end.meter.messages_in - begin.meter.messages_in,
        messages_out: end.meter.messages_out - begin.meter.messages_out,
        bytes_in: end.meter.bytes_in - begin.meter.bytes_in,
        bytes_out: end.meter.bytes_out - begin.meter.bytes_out,
        steps: end.meter.steps - begin.meter.steps,
        syncs: end.meter.syncs - begin.meter.syncs,
        timers: end.meter.timers - begin.meter.timers,
        dropped: end.meter.dropped(),
        faulty: None,
        lies: end.meter.lies(),
    }
}

/// The 90th percentile by nearest rank.
fn percentile_90(seconds: &[u64]) -> Option<f64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 9).div_ceil(10);
    sorted.get(rank.checked_sub(1)?).map(|commands| *commands as f64)
}

/// Which nodes are faulty and what they do, in words, if any are.
fn faults(nodes: &[NodeReport]) -> Option<String> {
    let said =
        [(Conduct::Silent, "is silent", "are silent"), (Conduct::Lies, "lies", "lie")].map(|(conduct, one, many)| {
            let names = nodes.iter().filter(|node| node.faulty.as_deref() == Some(conduct.name()));
            let names: Vec<&str> = names.map(|node| node.node.as_str()).collect();
            match names[..] {
                [] => None,
                [name] => Some(format!("{name} {one}")),
                _ => Some(format!("{} {many}", names.join(", "))),
            }
        });
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" and "))
}

fn no_reply(seconds: f64, nodes: &[NodeReport], stalled: Option<Stalled>) -> RunError {
    let mut hint = stalled.map_or(String::new(), |stalled| format!("; {stalled}"));
    if let Some(faults) = faults(nodes) {
        hint.push_str(&format!(
            "; {faults} on purpose: perhaps the protocol cannot do without, for instance because nobody takes a leader's place"
        ));
    }
    dropped(nodes).into_iter().for_each(|dropped| hint.push_str(&format!("; {dropped}")));
    RunError::NoReply { seconds, hint }
}

/// What was dropped, if anything was: node by node, or if that is a long list, by reason alone.
fn dropped(nodes: &[NodeReport]) -> Option<String> {
    let each = nodes.iter().flat_map(|node| {
        node.dropped.iter().map(move |(reason, count)| format!("{} dropped {count} ({reason})", node.node))
    });
    let each: Vec<String> = each.collect();
    if each.len() <= DROPPED_EACH {
        return (!each.is_empty()).then(|| each.join(", "));
    }
    let all = sum(nodes.iter().map(|node| &node.dropped));
    let all: Vec<String> = all.iter().map(|(reason, count)| format!("{count} ({reason})")).collect();
    Some(format!("nodes dropped {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(percentile_90(&[]), None);
        assert_eq!(percentile_90(&[7]), Some(7.0));
        assert_eq!(percentile_90(&[3, 1, 2]), Some(3.0));
        assert_eq!(percentile_90(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), Some(9.0));
    }

    #[test]
    fn what_was_dropped_is_told_in_few_words() {
        let node = |name: &str, conduct: Option<&str>, reasons: &[&str]| NodeReport {
            node: name.to_owned(),
            faulty: conduct.map(str::to_owned),
            dropped: reasons.iter().map(|reason| ((*reason).to_owned(), 2)).collect(),
            ..NodeReport::default()
        };
        let hint = |nodes: &[NodeReport]| no_reply(1.0, nodes, None).to_string();
        assert_eq!(hint(&[node("a", None, &[])]), "no command was answered in 1.0 s");
        assert_eq!(
            hint(&[node("a", None, &["malformed"]), node("b", None, &[])]),
            "no command was answered in 1.0 s; a dropped 2 (malformed)"
        );
        let reasons = ["forged_sender", "malformed", "tampered"];
        let many =
            hint(&[node("a", Some("silent"), &[]), node("b", Some("lies"), &reasons), node("c", None, &reasons)]);
        assert!(many.contains("; a is silent and b lies on purpose: perhaps"), "{many}");
        let two = hint(&[node("a", Some("silent"), &[]), node("b", Some("silent"), &[])]);
        assert!(two.contains("; a, b are silent on purpose: perhaps"), "{two}");
        assert!(many.ends_with("; nodes dropped 4 (forged_sender), 4 (malformed), 4 (tampered)"), "{many}");
    }
}
