//! `menard scale`, the main job: check a protocol, apply its plans with the reasons, simulate the original and what the plans make of it,
//! run all of them for real, and print one table.

use std::sync::atomic::{AtomicBool, Ordering};

use menard_lang::Program;
use menard_lang::plan::Plan;
use menard_node::Report;
use menard_opt::Stage;
use menard_sim::{Config as Scope, Counting, PreparedObserver, Until};
use serde_json::{Value, json};

use crate::arguments::Scale;
use crate::campaign::Campaign;
use crate::command::check;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::laboratory::{Laboratory, Study};
use crate::measure::{ONE_MACHINE, config, measure, milliseconds};
use crate::output::{Output, colour};
use crate::rewriting::{apply, reasons, reasons_json, result};
use crate::session::Session;
use crate::table::{Table, grouped, rounded};
use crate::workers::Course;

/// Tables are at most so many letters wide, if they can be.
const WIDTH: usize = 100;

/// A program of the comparison: the original, or what a plan makes of it.
struct Contender {
    name: String,
    stages: Vec<Stage>,
    campaign: Option<Campaign>,
    report: Option<Report>,
}

/// Does the main job.
pub fn run(arguments: &Scale, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plans = session.plans_or_all(&arguments.plan)?;
    session.all_settings_are_used(&plans)?;
    if !session.warnings.is_empty() {
        output.complain(session.warnings.render(colour()));
    }
    output.say(format!("checked     {}: {}\n", session.program.name, check::summary(&session.program)));
    let mut contenders = contenders(&session, &plans, output)?;
    let wrong = simulate(&session, &mut contenders, arguments, output)?;
    if wrong.is_none() {
        let stop = interrupt::watch()?;
        run_for_real(&session, &mut contenders, arguments, stop, output)?;
    }
    let json = json_of(&session, &contenders, arguments);
    if let Some(text) = wrong {
        return Err(Failure::No { text, json });
    }
    for table in tables(&session.program, &contenders) {
        output.say(format!("{}\n", table.render()));
    }
    output.say(ONE_MACHINE);
    output.result(&json);
    Ok(())
}

fn contenders(session: &Session, plans: &[Plan], output: Output) -> Result<Vec<Contender>> {
    let mut contenders = vec![Contender { name: "base".to_owned(), stages: Vec::new(), campaign: None, report: None }];
    if plans.is_empty() {
        output.say("There is no plan, so there is nothing to compare with: write one, or name one with --plan.\n");
    }
    for plan in plans {
        let stages = apply(&session.program, plan)?;
        output.say(format!("plan        {}: {}", plan.name, shape(&session.program, &stages)));
        for (index, stage) in stages.iter().enumerate() {
            output.say(reasons(index + 1, stage));
        }
        contenders.push(Contender { name: plan.name.to_string(), stages, campaign: None, report: None });
    }
    Ok(contenders)
}

fn shape(program: &Program, stages: &[Stage]) -> String {
    let after = result(program, stages);
    format!("{} nodes instead of {}", after.physical_nodes(), program.physical_nodes())
}

/// Simulates each contender. Gives what went wrong in a run, for people.
fn simulate(
    session: &Session,
    contenders: &mut [Contender],
    arguments: &Scale,
    output: Output,
) -> Result<Option<String>> {
    for contender in contenders {
        let observer = session.observer.as_ref().map(PreparedObserver::new);
        let laboratory = Laboratory::new(&session.program, &contender.stages, observer, true, Scope::default());
        let (first, runs, jobs) = (arguments.seed.into(), arguments.runs, arguments.jobs.count());
        let course = Course { first, runs, until: Until::Done, jobs };
        let study = Study { course, counting: Counting::Nothing, is_guided: false, ledger: None };
        let campaign = laboratory.campaign(&study, &contender.name, output)?;
        output.say(format!("simulated   {}: {}", contender.name, campaign.summary()));
        output.say(format!("            checked: {}", laboratory.checks()));
        laboratory.unchecked(&campaign).into_iter().for_each(|note| output.say(format!("            {note}")));
        let wrong = campaign.report.violations.first().map(|found| {
            format!("{} is wrong: seed {}, made small:\n\n{}", contender.name, found.descent, laboratory.show(found))
        });
        contender.campaign = Some(campaign);
        if wrong.is_some() {
            return Ok(wrong);
        }
    }
    Ok(None)
}

fn run_for_real(
    session: &Session,
    contenders: &mut [Contender],
    arguments: &Scale,
    stop: &'static AtomicBool,
    output: Output,
) -> Result<()> {
    let mut config = config(session.folder.deploy.as_ref())?;
    config.clients = arguments.clients;
    config.duration_s = arguments.seconds;
    config.stand_ins = arguments.stand_ins;
    for contender in contenders {
        let report = measure(result(&session.program, &contender.stages), &config, &contender.name, stop, output)?;
        if stop.load(Ordering::SeqCst) {
            return Err(Failure::environment("interrupted", "nothing is left running; start again for the table"));
        }
        output.say(format!(
            "ran         {}: {} commands in {:.1} s from {} clients",
            contender.name,
            grouped(report.commands),
            report.window_s,
            report.clients
        ));
        contender.report = Some(report);
    }
    output.say("");
    Ok(())
}

/// One row of the table: what a contender's cell shows, and the number by which it is compared with the original.
struct Row {
    name: &'static str,
    cell: fn(&Program, &Contender, &Report) -> String,
    number: Option<fn(&Program, &Report) -> f64>,
}

const ROWS: &[Row] = &[
    Row {
        name: "nodes",
        cell: |program, _, _| program.physical_nodes().to_string(),
        number: Some(|program, _| f64::from(program.physical_nodes())),
    },
    Row {
        name: "throughput, commands/s",
        cell: |_, _, report| rounded(report.throughput_per_s),
        number: Some(|_, report| report.throughput_per_s),
    },
    Row {
        name: "latency p50",
        cell: |_, _, report| milliseconds(report.latency_us.p50),
        number: Some(|_, report| report.latency_us.p50 as f64),
    },
    Row {
        name: "latency p99",
        cell: |_, _, report| milliseconds(report.latency_us.p99),
        number: Some(|_, report| report.latency_us.p99 as f64),
    },
    Row { name: "busiest node", cell: |_, _, report| report.busiest.node.clone(), number: None },
    Row {
        name: "its CPU, us/command",
        cell: |_, _, report| format!("{:.2}", report.busiest.cpu_us_per_command),
        number: Some(|_, report| report.busiest.cpu_us_per_command),
    },
    Row {
        name: "bound, commands/s",
        cell: |_, _, report| rounded(report.bound_per_s),
        number: Some(|_, report| report.bound_per_s),
    },
    Row {
        name: "messages/command",
        cell: |_, _, report| format!("{:.1}", report.messages_per_command),
        number: Some(|_, report| report.messages_per_command),
    },
    Row { name: "simulated runs", cell: |_, contender, _| grouped(contender.runs()), number: None },
    Row { name: "violations", cell: |_, contender, _| grouped(contender.violations()), number: None },
];

impl Contender {
    fn runs(&self) -> u64 {
        self.campaign.as_ref().map_or(0, |campaign| campaign.report.runs)
    }

    fn violations(&self) -> u64 {
        self.campaign.as_ref().map_or(0, |campaign| campaign.report.wrong_runs)
    }
}

/// A program with what was measured of it.
type Measured<'a> = (&'a Program, &'a Contender, &'a Report);

/// Plans beside the original: in one table as long as it is not too wide, or else in several.
fn tables(program: &Program, contenders: &[Contender]) -> Vec<Table> {
    let measured: Vec<Measured<'_>> = contenders
        .iter()
        .filter_map(|contender| Some((result(program, &contender.stages), contender, contender.report.as_ref()?)))
        .collect();
    let Some((base, plans)) = measured.split_first() else { return Vec::new() };
    let (mut tables, mut shown) = (Vec::new(), table(*base, &[]));
    let mut beside = Vec::new();
    for plan in plans {
        beside.push(*plan);
        let wider = table(*base, &beside);
        if beside.len() > 1 && wider.width() > WIDTH {
            tables.push(shown);
            beside = vec![*plan];
            shown = table(*base, &beside);
        } else {
            shown = wider;
        }
    }
    tables.push(shown);
    tables
}

/// One column for the original and for each plan, and behind each plan's the factor by which it differs from the original.
fn table(base: Measured<'_>, plans: &[Measured<'_>]) -> Table {
    let heads = plans.iter().flat_map(|(_, contender, _)| [contender.name.clone(), "factor".to_owned()]);
    let mut table = Table::new([String::new(), base.1.name.clone()].into_iter().chain(heads));
    for row in ROWS {
        let cell = |(program, contender, report): Measured<'_>| (row.cell)(program, contender, report);
        let number = |(program, _, report): Measured<'_>| row.number.map(|number| number(program, report));
        let factor = |plan| {
            let (ours, base) = number(plan).zip(number(base)).filter(|(_, base)| *base > 0.0)?;
            Some(format!("x {:.2}", ours / base))
        };
        let plans = plans.iter().flat_map(|plan| [cell(*plan), factor(*plan).unwrap_or_default()]);
        table.row([row.name.to_owned(), cell(base)].into_iter().chain(plans));
    }
    table
}

fn json_of(session: &Session, contenders: &[Contender], arguments: &Scale) -> Value {
    let program = |contender: &Contender| {
        let mut json = json!({
            "name": contender.name,
            "nodes": result(&session.program, &contender.stages).physical_nodes(),
            "rewrites": contender.stages.iter().map(reasons_json).collect::<Vec<_>>(),
            "runs": contender.runs(),
            "violations": contender.violations(),
            "seed": arguments.seed,
        });
        json["simulation"] = contender.campaign.as_ref().map_or(Value::Null, |campaign| campaign.json(arguments.seed));
        if let Some(report) = &contender.report {
            json["throughput_per_s"] = json!(report.throughput_per_s);
            json["throughput_p90_per_s"] = json!(report.throughput_p90_per_s);
            json["latency_us"] = json!(report.latency_us);
            json["busiest"] = json!(report.busiest);
            json["cpu_us_per_command"] = json!(report.busiest.cpu_us_per_command);
            json["bound_per_s"] = json!(report.bound_per_s);
            json["messages_per_command"] = json!(report.messages_per_command);
            json["bytes_per_command"] = json!(report.bytes_per_command);
        }
        json
    };
    json!({
        "protocol": session.program.name.as_str(),
        "programs": contenders.iter().map(program).collect::<Vec<_>>(),
    })
}
