//! `menard sim`: many runs under schedules and faults drawn from seeds, or everything that can happen in a small scope.

use menard_lang::operations::operations;
use menard_lang::{Program, print};
use menard_opt::Stage;
use menard_sim::{Brevity, Config, Counting, Descent, Found, PreparedObserver, Until};
use serde_json::{Map, Value, json};

use crate::arguments::{CheckOf, Sim, Which};
use crate::campaign::Campaign;
use crate::failure::{Failure, Result};
use crate::faults;
use crate::laboratory::{Laboratory, Study};
use crate::ledger::VERSION;
use crate::lies::{self, Wanted, nobody_lies, somebody_lies};
use crate::output::Output;
use crate::reach::{Reach, Vacuous};
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::trace_file;
use crate::workers::Course;

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
    begins_at_a_seed(arguments)?;
    arguments.trace.as_deref().map_or(Ok(()), trace_file::has_a_place)?;
    if arguments.exhaustive {
        nobody_lies(&arguments.lies)?;
    }
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    let Wanted { config, stages, notes } = lies::wanted(&arguments.lies, &session.program, stages)?;
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
        faulty: faults::parse(&arguments.fault, &session.program)?,
        ..config
    };
    let laboratory = Laboratory::new(&session.program, &stages, observer, is_wanted(CheckOf::Refinement), config);
    let help = "declare `fault byzantine N of ROLE` in the protocol, or add --fault 'byzantine N of ROLE'";
    somebody_lies(&arguments.lies, laboratory.subject(), help)?;
    laboratory.beyond(&arguments.seed)?.into_iter().for_each(|note| output.complain(note));
    if laboratory.checks_nothing() {
        output.complain("note: there is no properties.ded, and no --plan to check, so that nothing can be violated");
    }
    let faulty = laboratory.subject().config().faulty.as_deref().unwrap_or_default();
    let unknown = plan.as_ref().and_then(|_| faults::unknown_liars(faulty, &session.program));
    unknown.into_iter().for_each(|note| output.complain(note));
    notes.into_iter().chain(laboratory.left_out(arguments.exhaustive)).for_each(|note| output.complain(note));
    let name = plan.as_ref().map_or(session.program.name.as_str(), |plan| plan.name.as_str());
    let observer = session.observer.as_ref().filter(|_| laboratory.observes());
    let setting = Setting { session: &session, stages: &stages, observer, name };
    match arguments.exhaustive {
        true => explore(arguments, &laboratory, name, output),
        false => campaign(arguments, &setting, &laboratory, output),
    }
}

/// What is simulated.
struct Setting<'a> {
    session: &'a Session,
    stages: &'a [Stage],
    /// The properties, as a program, if they are checked.
    observer: Option<&'a Program>,
    name: &'a str,
}

impl Setting<'_> {
    /// The program that is simulated.
    fn program(&self) -> &Program {
        result(&self.session.program, self.stages)
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

/// Complains about a guided campaign that is to begin with a run that goes on from another one.
fn begins_at_a_seed(arguments: &Sim) -> Result<()> {
    if let (true, Some((_, forks))) = (arguments.guided, arguments.seed.to_string().split_once('~')) {
        let message =
            format!("guided runs have no seed {}: a campaign begins with runs from the beginning", arguments.seed);
        return Err(Failure::environment(message, format!("leave out `~{forks}`, or --guided")));
    }
    Ok(())
}

fn campaign(arguments: &Sim, setting: &Setting<'_>, laboratory: &Laboratory, output: Output) -> Result<()> {
    let about = arguments.ledger.as_ref().map(|_| about(arguments, setting, laboratory));
    let study = Study {
        course: Course {
            first: arguments.seed.clone(),
            runs: arguments.runs,
            until: Until::Done,
            jobs: arguments.jobs.count(),
        },
        counting: if arguments.coverage { Counting::RulesAndStates } else { Counting::Rules },
        is_guided: arguments.guided,
        ledger: arguments.ledger.as_deref().zip(about),
    };
    let campaign = laboratory.campaign(&study, setting.name, output)?;
    let reach = Reach::new(setting.program(), &campaign.report);
    output.say(format!("{}: {}", setting.name, campaign.summary()));
    campaign.lies().into_iter().for_each(|lies| output.say(lies));
    output.say(format!("checked: {}", laboratory.checks()));
    laboratory.unchecked(&campaign).into_iter().for_each(|note| output.say(note));
    tell_reach(setting, reach.as_ref(), &campaign, arguments.coverage, output);
    let mut json = json_of(arguments, campaign.json(arguments.seed.seed));
    json["coverage"] = json!(reach.as_ref().map(Reach::json));
    let found = campaign.report.violations.first();
    write_trace(arguments, laboratory, found, output)?;
    let Some(found) = found else {
        output.result(&json);
        return Ok(());
    };
    output.say(format!("\nthe run with seed {}, made small:\n\n{}", found.descent, laboratory.show(found)));
    output.say(format!("\nto see it again: {}", replay_command(arguments, &found.descent)));
    Err(Failure::No { text: String::new(), json })
}

/// Says what a campaign reached, and warns if that is nothing.
fn tell_reach(setting: &Setting<'_>, reach: Option<&Reach<'_>>, campaign: &Campaign, all: bool, output: Output) {
    if let Some(reach) = reach {
        output.say(reach.line());
        if all {
            output.say(format!("\n{}", reach.tables()));
        }
    }
    let Some(observer) = setting.observer else { return };
    let Vacuous { properties, is_all } = Vacuous::of(observer, &campaign.report);
    if is_all {
        let message = "warning: this campaign tested nothing: no message came that any property speaks of";
        output.complain(format!("{message}; try more --requests, --steps or --runs"));
    } else {
        for property in properties {
            output.say(format!("note: not tested, since nothing came that it speaks of: {property}"));
        }
    }
}

/// What decides what the runs of a campaign give, beside the build.
fn about(arguments: &Sim, setting: &Setting<'_>, laboratory: &Laboratory) -> Map<String, Value> {
    let mut programs = blake3::Hasher::new();
    for program in std::iter::once(&setting.session.program).chain(setting.stages.iter().map(|stage| &stage.program)) {
        programs.update(print(program).as_bytes());
    }
    let properties = setting.observer.map(|observer| blake3::hash(print(observer).as_bytes()).to_hex().to_string());
    let config = laboratory.subject().config();
    let about = json!({
        VERSION: env!("CARGO_PKG_VERSION"),
        "protocol": setting.session.program.name.as_str(),
        "program": programs.finalize().to_hex().to_string(),
        "plan": setting.stages.iter().map(|stage| stage.line.as_str()).collect::<Vec<_>>(),
        "properties": properties,
        "checks": laboratory.checks(),
        "seed": arguments.seed.to_string(),
        "configuration": format!("{config:?}"),
        "coverage": arguments.coverage,
        "guided": arguments.guided,
    });
    about.as_object().cloned().unwrap_or_default()
}

/// Writes the trace of the run that is shown, if the user wants it.
fn write_trace(arguments: &Sim, laboratory: &Laboratory, found: Option<&Found>, output: Output) -> Result<()> {
    let Some(path) = &arguments.trace else { return Ok(()) };
    let run = match found {
        Some(found) => laboratory.shrunk(found, Brevity::Messages),
        None if arguments.runs == 1 => laboratory.run(&arguments.seed),
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
fn replay_command(arguments: &Sim, descent: &Descent) -> String {
    let Which { protocol, set } = &arguments.which;
    let mut words = vec!["menard sim".to_owned(), quoted(protocol)];
    words.extend(set.iter().map(|setting| format!("--set {}", quoted(setting))));
    words.extend(arguments.plan.iter().map(|plan| format!("--plan {}", quoted(plan))));
    words.extend(arguments.requests.map(|requests| format!("--requests {requests}")));
    words.extend(arguments.clients.map(|clients| format!("--clients {clients}")));
    words.extend(arguments.steps.map(|steps| format!("--steps {steps}")));
    words.extend(arguments.fault.iter().map(|fault| format!("--fault {}", quoted(fault))));
    words.extend(arguments.check.iter().map(|check| match check {
        CheckOf::Properties => "--check properties".to_owned(),
        CheckOf::Linearizable => "--check linearizable".to_owned(),
        CheckOf::Refinement => "--check refinement".to_owned(),
    }));
    words.extend(lies::words(&arguments.lies).into_iter().map(|word| quoted(&word)));
    words.push(format!("--seed {descent} --runs 1"));
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
