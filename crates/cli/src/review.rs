//! What clients of a real run were told, held against the properties of the protocol, and what faulty nodes did.

use std::collections::BTreeMap;

use menard_lang::Program;
use menard_node::{Config, Exchange, Report, faulty_nodes};
use menard_sim::{Order, Outsider};
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
    /// Of the operations of clients, if the properties say that they have an order.
    order: Option<Order>,
    /// Nothing was checked: nodes began with what an earlier run left, and nobody knows what clients were told then.
    is_left_out: bool,
    contradictions: u64,
}

impl Review {
    /// Holds a run against the properties of its protocol. `program`: what was run; `is_fresh`: nodes began with empty tables.
    pub fn of<'r>(
        session: &Session,
        program: &Program,
        config: &Config,
        is_fresh: bool,
        report: &'r Report,
    ) -> Result<Review> {
        let mut review = Review {
            rules: 0,
            messages: 0,
            violation: None,
            order: None,
            is_left_out: !is_fresh && session.observer.is_some(),
            contradictions: report.contradictions,
        };
        let Some(observer) = session.observer.as_ref().filter(|_| is_fresh) else { return Ok(review) };
        let outsider = Outsider::new(observer, &session.program);
        let corrupt = faulty_nodes(program, &config.faulty).map_err(failure)?;
        let message = |exchange: &'r Exchange| (exchange.channel, exchange.from, exchange.to, &*exchange.args);
        if outsider.rules() > 0 {
            review.rules = outsider.rules();
            review.messages = report.history.len();
            review.violation = outsider.violation(program, &corrupt, report.history.iter().map(message));
        }
        if outsider.has_operations() {
            // An operation ends when its client believes an answer.
            let believed = report.history.iter().filter(|exchange| exchange.is_believed).map(message);
            review.order = Some(outsider.order(program, &corrupt, believed));
        }
        Ok(review)
    }

    /// What clients were told and should not have been.
    pub fn fault(&self) -> Option<&'static str> {
        let is_disorder = self.order.as_ref().is_some_and(|order| order.disorder.is_some());
        if self.violation.is_some() || is_disorder {
            return Some("what the properties forbid");
        }
        (self.contradictions > 0).then_some("different answers to one command, and would have believed each of them")
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let order = self.order.as_ref().map(|order| {
            json!({
                "verdict": verdict(order),
                "operations": order.operations,
                "messages": order.messages,
                "disorder": order.disorder,
            })
        });
        json!({
            "left_out": self.is_left_out,
            "properties": self.rules,
            "messages": self.messages,
            "violations": u64::from(self.violation.is_some()),
            "violation": self.violation,
            "linearizable": order,
            "contradictions": self.contradictions,
        })
    }

    /// For people.
    pub fn tell(&self, report: &Report) -> String {
        let mut rows = faults(report);
        if let Some(stalled) = &report.stalled {
            rows.push(("stalled", stalled.to_string()));
        }
        if self.rules > 0 {
            let what = self.violation.as_deref().unwrap_or("none");
            let messages = grouped(self.messages as u64);
            rows.push((
                "violations",
                format!("{what} ({} rules of the properties, {messages} messages of clients)", self.rules),
            ));
        }
        if self.is_left_out {
            rows.push(("violations", "not looked for, since nodes began with the folder of an earlier run".to_owned()));
        }
        if let Some(order) = &self.order {
            rows.push(("order", described(order)));
        }
        if self.contradictions > 0 {
            let commands = grouped(self.contradictions);
            rows.push((
                "contradicted",
                format!("{commands} answers that were believed, by others that could have been"),
            ));
        }
        rows.into_iter().map(|(name, value)| format!("{name:<14}{value}\n")).collect()
    }
}

fn verdict(order: &Order) -> &'static str {
    match order {
        Order { disorder: Some(_), .. } => "no",
        Order { is_undecided: true, .. } => "undecided",
        _ => "yes",
    }
}

/// Whether operations have an order, for people.
fn described(order: &Order) -> String {
    let kinds = order.operations.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count as u64)));
    let seen = kinds.chain([format!("{} messages of clients", grouped(order.messages as u64))]);
    let seen = seen.collect::<Vec<_>>().join(", ");
    match (&order.disorder, verdict(order)) {
        (Some(disorder), _) => format!("{}\n({seen})", disorder.trim_end()),
        (None, "yes") => format!("linearizable ({seen})"),
        (None, _) => format!("undecided: the search was given up ({seen})"),
    }
}

/// What faulty nodes did, and what came of it.
fn faults(report: &Report) -> Vec<(&'static str, String)> {
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
        let nodes = nodes.collect::<Vec<_>>().join(", ");
        rows.push(("outvoted", format!("{nodes}, by others whose answer was believed")));
    }
    rows
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
