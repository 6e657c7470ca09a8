//! What a campaign of simulated runs gave, for people and for programs.

use std::collections::BTreeMap;

use menard_sim::{CampaignReport, Found, Layer, Wrong};
use serde_json::{Value, json};

use crate::table::{grouped, rounded};

/// What a campaign gave, and how long it took.
pub struct Campaign {
    /// What it gave.
    pub report: CampaignReport,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Campaign {
    /// The campaign in one line.
    pub fn summary(&self) -> String {
        let report = &self.report;
        let per_second = report.runs as f64 / self.seconds.max(1e-9);
        let forged = match report.forged {
            0 => String::new(),
            forged => format!(", {} more made up by corrupt nodes", grouped(forged)),
        };
        format!(
            "{} runs, {} with a violation; {} messages, {} of them lost{forged} ({:.1} s, {} runs/s)",
            grouped(report.runs),
            grouped(report.wrong_runs),
            grouped(report.messages),
            grouped(report.lost),
            self.seconds,
            rounded(per_second)
        )
    }

    /// In how many runs somebody lied, and how; nothing if nobody did in any.
    pub fn lies(&self) -> Option<String> {
        let layers = &self.report.layers;
        let lied: u64 = layers.values().sum();
        let ways = layers.iter().map(|(layer, runs)| format!("{layer} {}", grouped(*runs))).collect::<Vec<_>>();
        let runs = self.report.runs;
        (lied > 0).then(|| format!("lies: in {} of {} runs: {}", grouped(lied), grouped(runs), ways.join(", ")))
    }

    /// The campaign for programs.
    pub fn json(&self, first_seed: u64) -> Value {
        let report = &self.report;
        let found = |found: &Found| {
            let mut told = told(found);
            told["seed"] = json!(found.descent.seed);
            told["descent"] = json!(found.descent.to_string());
            told
        };
        let channels: BTreeMap<&str, u64> =
            report.channels.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        json!({
            "runs": report.runs,
            "seed": first_seed,
            "violations": report.wrong_runs,
            "found": report.violations.iter().map(found).collect::<Vec<_>>(),
            "drained_runs": report.drained_runs,
            "rested_runs": report.rested_runs,
            "undecided_runs": report.undecided_runs,
            "unsettled_runs": report.unsettled_runs,
            "steps": report.steps,
            "messages": report.messages,
            "requests": report.requests,
            "replies": report.replies,
            "lost": report.lost,
            "forged": report.forged,
            "simulated_s": report.simulated_us as f64 / 1e6,
            "layers": report.layers,
            "channels": channels,
            "hash": format!("{:016x}", report.hash),
            "duration_s": self.seconds,
        })
    }
}

/// What went wrong in a run, for programs.
fn told(found: &Found) -> Value {
    let layer = found.layer.map(Layer::name);
    match &found.what {
        Wrong::Property(violation) => match &violation.disorder {
            None => json!({ "check": "properties", "rule": violation.rule, "layer": layer }),
            Some(disorder) => {
                json!({ "check": "linearizable", "service": if disorder.is_log { "log" } else { "map" } })
            }
        },
        Wrong::Unmet(unmet) => json!({ "check": "properties", "eventually": unmet.goal }),
        Wrong::Endless(_) => json!({ "check": "follow-ups end" }),
        Wrong::Refinement(mismatch) => json!({ "check": "refinement", "message": mismatch.to_string() }),
    }
}
