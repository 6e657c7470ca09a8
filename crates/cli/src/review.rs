//! What clients of a real run were told, held against the properties of the protocol, and what faulty nodes did.

use std::collections::BTreeMap;

use menard_lang::Program;
use menard_node::{Faulty, Report, faulty_nodes};
use menard_sim::{Names, PreparedObserver};
use serde_json::{Value, json};

use crate::failure::Result;
use crate::measure::failure;
use crate::session::Session;
use crate::table::grouped;

/// So many messages between clients and nodes are held against the properties, from the beginning of a run on.
pub const MAX_HISTORY: usize = 40_000;

/// What came of it.
pub struct Review {
    /// The rules of the properties that speak of nothing but what clients send and receive.
    rules: usize,
    /// How many messages were looked at.
    messages: usize,
    violation: Option<String>,
    contradictions: u64,
}

impl Review {
    /// Holds a run against the properties of its protocol. `program`: what was run.
    pub fn of(session: &Session, program: &Program, faulty: &[Faulty], report: &Report) -> Result<Review> {
        let observer =
            session.observer.as_ref().map(|observer| PreparedObserver::from_outside(observer, &session.program));
        let observer = observer.filter(|observer| observer.rules() > 0);
        let corrupt = faulty_nodes(program, faulty).map_err(failure)?;
        let messages =
            report.history.iter().map(|exchange| (exchange.channel, exchange.from, exchange.to, &*exchange.args));
        let channels = program.channels.iter().map(|channel| &channel.name);
        let violation =
            observer.as_ref().and_then(|observer| observer.review(&Names::new(program), channels, &corrupt, messages));
        let rules = observer.map_or(0, |observer| observer.rules());
        let messages = if rules > 0 { report.history.len() } else { 0 };
        Ok(Review { rules, messages, violation, contradictions: report.contradictions })
    }

    /// Whether clients were told nothing that is forbidden.
    pub fn is_good(&self) -> bool {
        self.violation.is_none() && self.contradictions == 0
    }

    /// For machines.
    pub fn json(&self) -> Value {
        json!({
            "properties": self.rules,
            "messages": self.messages,
            "violations": u64::from(self.violation.is_some()),
            "violation": self.violation,
            "contradictions": self.contradictions,
        })
    }

    /// For people.
    pub fn tell(&self, report: &Report) -> String {
        let mut rows = Vec::new();
        let faulty = report.nodes.iter().filter_map(|node| Some((&node.node, node.faulty.as_ref()?, &node.lies)));
        for (node, conduct, lies) in faulty {
            let is = if conduct == "silent" { "is silent" } else { conduct };
            let told: u64 = lies.values().sum();
            rows.push(("faulty", format!("{node} {is}: {}", kinds(told, lies))));
        }
        if !rows.is_empty() {
            let refused = report.refused();
            rows.push(("refused", kinds(refused.values().sum(), &refused)));
        }
        if !report.outvoted.is_empty() {
            let nodes = report.outvoted.iter().map(|(node, count)| format!("{node} {} times", grouped(*count)));
            rows.push((
                "outvoted",
                format!("{}, by others who agreed on another answer", nodes.collect::<Vec<_>>().join(", ")),
            ));
        }
        if self.rules > 0 {
            let what = match &self.violation {
                None => "none".to_owned(),
                Some(violation) => violation.clone(),
            };
            let seen = format!(
                "{} rules of the properties, {} messages of clients",
                self.rules,
                grouped(self.messages as u64)
            );
            rows.push(("violations", format!("{what} ({seen})")));
        }
        if self.contradictions > 0 {
            rows.push(("contradicted", format!("{} answers that were believed", grouped(self.contradictions))));
        }
        rows.into_iter().map(|(name, value)| format!("{name:<14}{value}\n")).collect()
    }
}

/// Counts by kind, with their sum.
fn kinds(sum: u64, counts: &BTreeMap<String, u64>) -> String {
    let each = counts.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count)));
    match counts.len() {
        0 => "nothing".to_owned(),
        1 => each.collect(),
        _ => format!("{} ({})", grouped(sum), each.collect::<Vec<_>>().join(", ")),
    }
}
