//! `menard sim`: many runs under schedules and faults drawn from seeds, or everything that can happen in a small scope.

use menard_lang::operations::operations;
use menard_sim::{Config, Found, PreparedObserver};
use serde_json::{Value, json};

use crate::arguments::{CheckOf, Sim, Which};
use crate::failure::{Failure, Result};
use crate::laboratory::Laboratory;
use crate::lies::{self, with_lies};
use crate::output::Output;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::trace_file;

/// Requests of a run drawn by chance.
pub const REQUESTS: u32 = 10;
/// Requests of an exhaustive search: every order of everything is a lot.
const EXHAUSTIVE_REQUESTS: u32 = 2;

/// Simulates.
pub fn run(arguments: &Sim, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    can_be_checked(arguments, &session)?;
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let is_wanted = |check| arguments.check.is_empty() || arguments.check.contains(&check);
    let observer = session.observer.as_ref().and_then(|program| {
        let observer = PreparedObserver::new(program);
        match (is_wanted(CheckOf::Properties), is_wanted(CheckOf::Linearizable)) {
            (true, true) => Some(observer),
            (true, false) => Some(observer.without_operations()),
            (false, true) => Some(observer.with_operations_alone()),
            (false, false) => None,
        }
    });
    let requests = if arguments.exhaustive { EXHAUSTIVE_REQUESTS } else { REQUESTS };
    let config = Config {
        requests: arguments.requests.unwrap_or(requests),
        clients: arguments.clients.unwrap_or(Config::default().clients),
        max_steps: arguments.steps.unwrap_or(Config::default().max_steps),
        ..with_lies(&arguments.lies, result(&session.program, &stages))?
    };
    let laboratory = Laboratory::new(&session.program, &stages, observer, is_wanted(CheckOf::Refinement), config);
    if laboratory.checks_nothing() {
        output.complain("note: there are no properties.ded and no plan, so that nothing can be violated");
    }
    laboratory.left_out(arguments.exhaustive).into_iter().for_each(|note| output.complain(note));
    let name = plan.as_ref().map_or(session.program.name.as_str(), |plan| plan.name.as_str());
    match arguments.exhaustive {
        true => explore(arguments, &laboratory, name, output),
        false => campaign(arguments, &laboratory, name, output),
    }
}

/// Complains about checks that the user asks for and that cannot be made.
fn can_be_checked(arguments: &Sim, session: &Session) -> Result<()> {
    if arguments.check.contains(&CheckOf::Refinement) && arguments.plan.is_none() {
        return Err(Failure::environment("without a plan there is no refinement to check", "add --plan PLAN"));
    }
    if arguments.check.contains(&CheckOf::Properties) && session.observer.is_none() {
        let message = format!("the protocol {} has no properties to check", session.program.name);
        return Err(Failure::environment(message, "write them into properties.ded beside the protocol"));
    }
    let has_operations = session.observer.as_ref().is_some_and(|observer| !operations(observer).is_empty());
    if arguments.check.contains(&CheckOf::Linearizable) && !has_operations {
        let message = format!("nothing says what operations of clients of {} are", session.program.name);
        return Err(Failure::environment(message, "write `linearizable ...` into properties.ded beside the protocol"));
    }
    Ok(())
}

fn campaign(arguments: &Sim, laboratory: &Laboratory, name: &str, output: Output) -> Result<()> {
    let campaign = laboratory.campaign(arguments.runs, arguments.seed, name, output);
    output.say(format!("{name}: {}", campaign.summary()));
    output.say(format!("checked: {}", laboratory.checks()));
    laboratory.unchecked(&campaign).into_iter().for_each(|note| output.say(note));
    let json = json_of(arguments, campaign.json(arguments.seed));
    let found = campaign.report.violations.first();
    write_trace(arguments, laboratory, found, output)?;
    let Some(found) = found else {
        output.result(&json);
        return Ok(());
    };
    output.say(format!("\nthe run with seed {}, made small:\n\n{}", found.seed, laboratory.show(found)));
    output.say(format!("\nto see it again: {}", replay_command(arguments, found.seed)));
    Err(Failure::No { text: String::new(), json })
}

/// Writes the trace of the run that is shown, if the user wants it.
fn write_trace(arguments: &Sim, laboratory: &Laboratory, found: Option<&Found>, output: Output) -> Result<()> {
    let Some(path) = &arguments.trace else { return Ok(()) };
    let run = match found {
        Some(found) => laboratory.shrunk(found),
        None if arguments.runs == 1 => laboratory.run(arguments.seed),
        None => {
            output.complain(
                "note: nothing is wrong in any run, so no trace is written: add --runs 1 for a run to look at",
            );
            return Ok(());
        }
    };
    trace_file::write(path, &arguments.which.protocol, laboratory.subject(), &run.trace)
}

fn explore(arguments: &Sim, laboratory: &Laboratory, name: &str, output: Output) -> Result<()> {
    let explored = laboratory.explore(name, output);
    output.say(&explored.text);
    let json = json_of(arguments, explored.json);
    match explored.is_good {
        true => {
            output.result(&json);
            Ok(())
        }
        false => Err(Failure::No { text: String::new(), json }),
    }
}

fn json_of(arguments: &Sim, mut result: Value) -> Value {
    result["protocol"] = json!(arguments.which.protocol);
    result["plan"] = json!(arguments.plan);
    result
}

/// The command that shows a run again.
fn replay_command(arguments: &Sim, seed: u64) -> String {
    let Which { protocol, set } = &arguments.which;
    let mut words = vec!["menard sim".to_owned(), quoted(protocol)];
    words.extend(set.iter().map(|setting| format!("--set {}", quoted(setting))));
    words.extend(arguments.plan.iter().map(|plan| format!("--plan {}", quoted(plan))));
    words.extend(arguments.requests.map(|requests| format!("--requests {requests}")));
    words.extend(arguments.clients.map(|clients| format!("--clients {clients}")));
    words.extend(arguments.steps.map(|steps| format!("--steps {steps}")));
    words.extend(arguments.check.iter().map(|check| match check {
        CheckOf::Properties => "--check properties".to_owned(),
        CheckOf::Linearizable => "--check linearizable".to_owned(),
        CheckOf::Refinement => "--check refinement".to_owned(),
    }));
    words.extend(lies::words(&arguments.lies).into_iter().map(|word| quoted(&word)));
    words.push(format!("--seed {seed} --runs 1"));
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./=:+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
