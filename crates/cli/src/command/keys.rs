//! `menard keys`: key pairs of the logical nodes of a deployment, and certificates of their physical nodes.

use menard_node::write_keys;
use serde_json::json;

use crate::arguments::Keys;
use crate::failure::Result;
use crate::measure::{config, failure};
use crate::output::Output;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::text::{counted, read};

/// Draws them and writes them to a folder.
pub fn run(arguments: &Keys, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let program = result(&session.program, &stages);
    let config = config(Some(&read(&arguments.deploy)?))?;
    let files = write_keys(program, &config, &arguments.output).map_err(|error| failure(error.into()))?;
    let (folder, count) = (arguments.output.display(), counted(files.len(), "file", "files"));
    output.say(format!("{count} in {folder}: public.toml for everybody, each folder for the node of its name alone"));
    output.result(&json!({
        "protocol": session.program.name.as_str(),
        "plan": plan.as_ref().map(|plan| plan.name.as_str()),
        "files": files,
    }));
    Ok(())
}
