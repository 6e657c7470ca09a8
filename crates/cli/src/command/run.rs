//! `menard run`: real nodes on real sockets of this machine, closed-loop clients, live figures.

use std::path::Path;

use menard_lang::Program;
use menard_node::{Config, trusted, undeclared};
use serde_json::json;

use crate::arguments::Run;
use crate::failure::{Failure, Result};
use crate::fleet;
use crate::interrupt;
use crate::measure::{config, failure, figures, measure};
use crate::output::Output;
use crate::review::{MAX_HISTORY, Review};
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::table::{Table, grouped};
use crate::text::{counted, read};

/// Runs a protocol, or what a plan makes of it.
pub fn run(arguments: &Run, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let program = result(&session.program, &stages);
    let deploy = arguments.deploy.as_deref().map(read).transpose()?.or_else(|| session.folder.deploy.clone());
    let config = with_arguments(config(deploy.as_ref())?, arguments);
    let name = plan.as_ref().map_or(session.program.name.as_str(), |plan| plan.name.as_str());
    let excesses = undeclared(program, &config.faulty).map_err(failure)?;
    excesses.iter().for_each(|excess| output.complain(format!("warning: {excess}")));
    let trusted = trusted(program, &config).map_err(failure)?;
    trusted.iter().for_each(|trust| output.complain(format!("warning: {trust}")));
    let is_fresh = !has_durable_tables(program) || config.data.as_deref().is_none_or(has_nothing_in_it);
    let stop = interrupt::watch()?;
    let report = match arguments.processes {
        true => fleet::measure(program, &config, name, arguments.kill_every, stop, output)?,
        false => measure(program, &config, name, stop, output)?,
    };
    output.say(format!("{name}: {}\n{}\n", counted(report.nodes.len(), "node", "nodes"), figures(&report)));
    output.say(nodes(&report));
    let review = Review::of(&session, program, &config, is_fresh, &report)?;
    output.say(review.tell(&report));
    let mut json = json!(report);
    json["safety"] = review.json();
    json["refused_by_others"] = json!(report.refused());
    json["protocol"] = json!(session.program.name.as_str());
    json["plan"] = json!(plan.as_ref().map(|plan| plan.name.as_str()));
    match review.fault() {
        None => {
            output.result(&json);
            Ok(())
        }
        Some(fault) => Err(Failure::No { text: format!("error: clients were told {fault}"), json }),
    }
}

fn with_arguments(config: Config, arguments: &Run) -> Config {
    Config {
        clients: arguments.clients.unwrap_or(config.clients),
        duration_s: arguments.seconds.unwrap_or(config.duration_s),
        data: arguments.data.clone(),
        faulty: arguments.faulty.clone(),
        seed: arguments.seed,
        history: MAX_HISTORY,
        stand_ins: arguments.stand_ins,
        ..config
    }
}

fn has_durable_tables(program: &Program) -> bool {
    let mut relations = program.components.iter().flat_map(|component| &component.relations);
    relations.any(|relation| relation.storage.durable)
}

/// Whether a folder is empty, or not there.
fn has_nothing_in_it(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// What each node did.
fn nodes(report: &menard_node::Report) -> String {
    let mut table = Table::new(["node", "CPU us/command", "messages in", "messages out", "steps"]);
    for node in &report.nodes {
        let counts = [node.messages_in, node.messages_out, node.steps].map(grouped);
        let [messages_in, messages_out, steps] = counts;
        table.row([node.node.clone(), format!("{:.2}", node.cpu_us_per_command), messages_in, messages_out, steps]);
    }
    table.render()
}
