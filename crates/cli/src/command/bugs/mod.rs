//! `menard bugs`: known bugs, found again by the simulator without hints, and their fixes, in which it finds nothing.

use std::ops::ControlFlow;

use menard_sim::{Descent, Until};
use serde_json::{Value, json};

use crate::arguments::Bugs;
use crate::board::{BAR_S, Catalog, Entry, Family, FamilyRow, Hunt, PRECONDITIONS, RUNS_FOR_ALL_RULES, Row, shortest};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::table::{Table, grouped};
use crate::text::counted;
use crate::workers::{Course, in_order};

mod mutants;

/// Hunts for bugs and prints the board.
pub fn run(arguments: &Bugs, output: Output) -> Result<()> {
    let catalog = Catalog::open()?;
    if let Some(name) = &arguments.show {
        return match name.strip_prefix(PRECONDITIONS) {
            Some(mutant) => mutants::show(&catalog, mutant, arguments, output),
            None => show(&Entry::open(name, &catalog.find(name)?)?, arguments, output),
        };
    }
    let (rewrites, protocols): (Vec<_>, Vec<_>) =
        catalog.chosen(&arguments.names)?.into_iter().partition(|(name, _)| name.starts_with(PRECONDITIONS));
    let entries = protocols.iter().map(|(name, folder)| Entry::open(name, folder)).collect::<Result<Vec<Entry>>>()?;
    let families = rewrites
        .iter()
        .map(|(name, folder)| Family::open(name.trim_start_matches(PRECONDITIONS), folder))
        .collect::<Result<Vec<Family>>>()?;
    let rows = entries.iter().map(|entry| row(entry, arguments, output)).collect::<Result<Vec<Row>>>()?;
    let of_families: Result<Vec<FamilyRow>> = families.iter().map(|family| family.row(arguments, output)).collect();
    let of_families = of_families?;
    let board: Vec<(&Entry, &Row)> = entries.iter().zip(&rows).collect();
    let mutants: Vec<(&Family, &FamilyRow)> = families.iter().zip(&of_families).collect();
    let tables = [(!board.is_empty()).then(|| table(&board)), (!mutants.is_empty()).then(|| mutants::table(&mutants))];
    let tables: Vec<String> = tables.iter().flatten().map(Table::render).collect();
    output.say(tables.join("\n"));
    for (entry, row) in &board {
        if let Some(silent) = entry.silent(&row.fixed) {
            output.say(format!("note: {}, fixed: {silent}", entry.name));
        }
        row.notes.iter().for_each(|note| output.say(format!("note: {}: {note}", entry.name)));
    }
    if !board.is_empty() && arguments.fixed < RUNS_FOR_ALL_RULES {
        let (few, enough) = (grouped(arguments.fixed), grouped(RUNS_FOR_ALL_RULES));
        output.say(format!(
            "note: --fixed {few}: that all rules of a fix fire is asked for only in {enough} runs or more"
        ));
    }
    output.say(legend(arguments));
    let of_bug = |(entry, row): &(&Entry, &Row)| {
        row.missed.iter().map(|missed| format!("{}: {missed}", entry.name)).collect::<Vec<String>>()
    };
    let missed: Vec<String> =
        board.iter().flat_map(of_bug).chain(mutants.iter().flat_map(|(_, row)| row.missed.clone())).collect();
    let json = json!({
        "bugs": board.iter().map(|(entry, row)| row.json(entry)).collect::<Vec<Value>>(),
        "preconditions": mutants.iter().map(|(family, row)| family.json(row)).collect::<Vec<Value>>(),
    });
    if missed.is_empty() {
        output.result(&json);
        return Ok(());
    }
    Err(Failure::No { text: format!("missed:\n  {}", missed.join("\n  ")), json })
}

/// Hunts for one bug, and runs its fix.
fn row(entry: &Entry, arguments: &Bugs, output: Output) -> Result<Row> {
    let hunts = hunts(entry, arguments, output)?;
    let (first, runs, jobs) = (Descent::from(arguments.seed), arguments.fixed, arguments.jobs.count());
    let course = Course { first, runs, until: Until::Done, jobs };
    Ok(entry.row(hunts, entry.run_fixed(course, output)?))
}

/// Of so many findings the shortest has to be short.
const MAX_HUNTS_FOR_BREVITY: u64 = 10;

/// Hunts for a bug as often as is asked for, until it gets lost: then the bar is missed, and further hunts would take as long. If all findings are too
/// long, it hunts on.
fn hunts(entry: &Entry, arguments: &Bugs, output: Output) -> Result<Vec<Hunt>> {
    let bar = output.progress(u64::from(arguments.seeds), &format!("hunting {}", entry.name));
    let mut hunts: Vec<Hunt> = Vec::new();
    let (jobs, seeds) = (arguments.jobs.count(), u64::from(arguments.seeds));
    in_order(jobs, seeds, &|| (), &|(), number| entry.hunt(number, arguments.runs), &mut |hunt: Hunt| {
        bar.inc(1);
        let is_lost = hunt.found.is_none();
        hunts.push(hunt);
        Ok(if is_lost { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    for number in seeds..MAX_HUNTS_FOR_BREVITY {
        if entry.too_many_steps(&hunts).is_none() {
            break;
        }
        hunts.push(entry.hunt(number, arguments.runs));
    }
    bar.finish_and_clear();
    Ok(hunts)
}

fn table(board: &[(&Entry, &Row)]) -> Table {
    let mut table = Table::new(["bug", "found by", "runs", "seconds", "slowest", "steps", "fixed: runs", "alarms"]);
    for (entry, row) in board {
        let figure = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        table.row([
            entry.name.clone(),
            figure(row.layer()),
            figure(row.runs().map(grouped)),
            figure(row.seconds().map(|(median, _)| format!("{median:.2}"))),
            figure(row.seconds().map(|(_, most)| format!("{most:.2}"))),
            figure(row.steps().map(|steps| steps.to_string())),
            grouped(row.fixed.runs),
            grouped(row.fixed.wrong_runs),
        ]);
    }
    table
}

fn legend(arguments: &Bugs) -> String {
    let hunts = counted(arguments.seeds as usize, "hunt", "hunts");
    format!(
        "runs, seconds: until it is found, on one core; the median of {hunts}. The bar is {BAR_S} s for the slowest.\n\
         steps: of the shortest finding, made small; a node that takes several messages at once takes one step"
    )
}

/// Hunts for a bug, and shows the shortest run in which it is found.
fn show(entry: &Entry, arguments: &Bugs, output: Output) -> Result<()> {
    let hunts = hunts(entry, arguments, output)?;
    let expectation = &entry.expectation;
    output.say(format!("{}\n{}\n\n{}", expectation.title, expectation.source, expectation.wrong.trim()));
    let Some((found, small)) = shortest(&hunts) else {
        let runs: u64 = hunts.iter().map(|hunt| hunt.runs).sum();
        let text = format!("{} was not found in {} runs", entry.name, grouped(runs));
        return Err(Failure::No { text, json: json!({ "name": entry.name, "seed": null }) });
    };
    let command =
        format!("menard sim {}{} --seed {} --runs 1", entry.path, expectation.simulation.options(), found.descent);
    let of = counted(hunts.len(), "finding", "findings");
    output.say(format!("\nthe shortest of {of}, made small:\n\n{}", entry.draw(found, small)));
    output.say(format!("to see it again: {command}"));
    output.result(
        &json!({ "name": entry.name, "seed": found.descent.seed, "descent": found.descent.to_string(), "steps": small.protocol_steps(), "command": command }),
    );
    Ok(())
}
