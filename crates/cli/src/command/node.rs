//! `menard node`: one logical node of a deployment, as this process.

use std::io::Write;

use menard_node::{Config, NodeProcess};
use serde_json::json;

use crate::arguments::Node;
use crate::failure::Result;
use crate::interrupt;
use crate::measure::{config, failure};
use crate::output::Output;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::text::read;

/// Runs until it is told to end, or until it cannot go on.
pub fn run(arguments: &Node, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let program = result(&session.program, &stages);
    let deploy = read(&arguments.deploy)?;
    let (data, key_folder) = (Some(arguments.data.clone()), arguments.keys.clone());
    let (faulty, seed) = (arguments.faulty.clone(), arguments.seed);
    let config = Config { data, key_folder, faulty, seed, ..config(Some(&deploy))? };
    let stop = interrupt::watch()?;
    let process = NodeProcess::start(program, &config, &arguments.at).map_err(failure)?;
    if arguments.in_fleet {
        return process.run_in_fleet(std::io::stdin(), &mut tell, stop).map_err(failure);
    }
    let incarnation = process.incarnation();
    output.say(format!("{} of {}, start {incarnation}", arguments.at, session.program.name));
    for (name, address) in process.nodes() {
        output.say(format!("{name} listens on {address}"));
    }
    process.run(stop).map_err(failure)?;
    output.result(&json!({ "node": arguments.at, "incarnation": incarnation }));
    Ok(())
}

/// Says a line to the run that this process belongs to. If that is gone, orders end too, and with them the process.
fn tell(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}
