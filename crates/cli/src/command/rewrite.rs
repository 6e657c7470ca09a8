//! `menard rewrite`: the program that a plan makes of a protocol, as Dedalus.

use serde_json::json;

use crate::arguments::Rewrite;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::rewriting::{apply, channel_classes_json, reasons_json, result};
use crate::session::Session;

/// Prints or writes the rewritten program.
pub fn run(arguments: &Rewrite, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = session.plan(&arguments.plan)?;
    session.all_settings_are_used(std::slice::from_ref(&plan))?;
    let stages = apply(&session.program, &plan)?;
    let text = menard_lang::print(result(&session.program, &stages));
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, &text).map_err(|error| Failure::file("write", path, &error))?;
            output.say(format!("wrote {}", path.display()));
        }
        None if !output.is_json() => output.say(&text),
        None => {}
    }
    output.result(&json!({
        "protocol": session.program.name.as_str(),
        "plan": plan.name.as_str(),
        "lines": stages.iter().map(reasons_json).collect::<Vec<_>>(),
        "channels": channel_classes_json(&session.program, &stages),
        "nodes": result(&session.program, &stages).physical_nodes(),
        "text": text,
    }));
    Ok(())
}
