//! `menard step`: a simulated run, step by step, with the reasons for everything.

use std::path::Path;

use menard_lang::run::Trace;
use menard_sim::explain::{Chronicle, Unfit, tables_text};
use menard_sim::{Config, PreparedObserver, Run};
use serde_json::json;

use crate::arguments::Step;
use crate::command::simulate::REQUESTS;
use crate::failure::{Failure, Result};
use crate::laboratory::Laboratory;
use crate::lies::{self, Wanted, somebody_lies};
use crate::output::Output;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::trace_file;
use crate::walkthrough::{Walkthrough, account_json, reason_json, tables_json};

/// Walks through a run.
pub fn run(arguments: &Step, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let Wanted { config, stages, notes } = lies::wanted(&arguments.lies, &session.program, stages)?;
    notes.into_iter().for_each(|note| output.complain(note));
    let config = Config {
        requests: arguments.requests.unwrap_or(REQUESTS),
        clients: arguments.clients.unwrap_or(Config::default().clients),
        max_steps: arguments.steps.unwrap_or(Config::default().max_steps),
        ..config
    };
    let observer = session.observer.as_ref().map(PreparedObserver::new);
    let laboratory = Laboratory::new(&session.program, &stages, observer, true, config);
    let (program, prepared) = (result(&session.program, &stages), laboratory.subject());
    if arguments.trace.is_none() {
        somebody_lies(&arguments.lies, prepared, "declare `fault byzantine N of ROLE` in the protocol")?;
    }
    let (trace, wrong, protocol) = match &arguments.trace {
        Some(path) => {
            let (trace, protocol) = trace_file::read(path, program, prepared)?;
            (trace, Vec::new(), protocol)
        }
        None => {
            laboratory.beyond(&arguments.seed)?.into_iter().for_each(|note| output.complain(note));
            let run = laboratory.run(&arguments.seed);
            let wrong = wrong_in(&run, &laboratory);
            (run.trace, wrong, session.program.name.to_string())
        }
    };
    let chronicle = Chronicle::new(program, prepared, &trace)
        .map_err(|error| refused(arguments.trace.as_deref(), &error, &protocol))?;
    let walkthrough = Walkthrough::new(&chronicle, prepared.addresses(), arguments.depth);
    match &arguments.at {
        Some(label) => show(arguments, label, walkthrough, output),
        None => walk(&trace, &wrong, walkthrough, output),
    }
}

fn refused(path: Option<&Path>, error: &Unfit, protocol: &str) -> Failure {
    match path {
        Some(path) => trace_file::unfit(path, &error.to_string(), protocol),
        None => Failure::No { text: format!("error: {error}"), json: json!({ "error": error.to_string() }) },
    }
}

/// Answers one question.
fn show(arguments: &Step, label: &str, mut walkthrough: Walkthrough<'_>, output: Output) -> Result<()> {
    walkthrough.goto(label)?;
    let (json, text) = match (&arguments.why, &arguments.node) {
        (Some(fact), _) => {
            let answer = walkthrough.why(fact)?;
            let why = reason_json(&answer.reason);
            (json!({ "event": label, "fact": fact, "holds": answer.holds, "why": why }), answer.reason.tree())
        }
        (None, Some(node)) => {
            let tables = walkthrough.tables(node)?;
            (json!({ "event": label, "node": node, "tables": tables_json(&tables) }), tables_text(node, &tables))
        }
        (None, None) => {
            let account = walkthrough.account();
            (account_json(&account), account.text())
        }
    };
    output.result(&json);
    if !output.is_json() {
        output.say(text);
    }
    Ok(())
}

/// What is wrong at the end of a run.
fn wrong_in(run: &Run, laboratory: &Laboratory) -> Vec<String> {
    let names = laboratory.subject().names();
    let facts = run.violation.iter().flat_map(|violation| &violation.facts);
    facts.map(|fact| names.fact("violation", fact)).chain(laboratory.never(run)).collect()
}

/// Lists the events for a program; takes a person by the hand.
fn walk(trace: &Trace, facts: &[String], mut walkthrough: Walkthrough<'_>, output: Output) -> Result<()> {
    if output.is_json() {
        output.result(&json!({ "events": walkthrough.events_json(), "drained": trace.drained, "violation": facts }));
        return Ok(());
    }
    let end = match (facts.is_empty(), trace.drained) {
        (false, _) => format!("it ends with: {}", facts.join(", ")),
        (true, true) => "at its end nothing is left to happen".to_owned(),
        (true, false) => "at its end messages are still in flight".to_owned(),
    };
    output.say(format!("a run of {} events; {end}\n`help` lists the commands", trace.events.len()));
    walkthrough.read_commands(output)
}
