//! `menard bugs`: known bugs, found again by the simulator without hints, and their fixes, in which it finds nothing.

use menard_sim::CampaignReport;
use serde_json::{Value, json};

use crate::arguments::Bugs;
use crate::board::{BAR_S, Catalog, Entry, Hunt, Row};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::table::{Table, grouped};

/// Hunts for bugs and prints the board.
pub fn run(arguments: &Bugs, output: Output) -> Result<()> {
    let catalog = Catalog::open()?;
    if let Some(name) = &arguments.show {
        let (name, folder) = catalog.chosen(std::slice::from_ref(name))?.remove(0);
        return show(&Entry::open(&name, &folder)?, arguments, output);
    }
    let entries = catalog.chosen(&arguments.names)?;
    let entries = entries.iter().map(|(name, folder)| Entry::open(name, folder)).collect::<Result<Vec<Entry>>>()?;
    let mut rows = Vec::new();
    for entry in &entries {
        rows.push(row(entry, arguments, output));
    }
    let board: Vec<(&Entry, &Row)> = entries.iter().zip(&rows).collect();
    output.say(table(&board).render());
    output.say(legend(arguments));
    let missed: Vec<String> = board
        .iter()
        .flat_map(|(entry, row)| row.missed.iter().map(|missed| format!("{}: {missed}", entry.name)))
        .collect();
    let json = json!({ "bugs": board.iter().map(|(entry, row)| row.json(entry)).collect::<Vec<Value>>() });
    if missed.is_empty() {
        output.result(&json);
        return Ok(());
    }
    Err(Failure::No { text: format!("missed:\n  {}", missed.join("\n  ")), json })
}

/// Hunts for one bug, and runs its fix.
fn row(entry: &Entry, arguments: &Bugs, output: Output) -> Row {
    let bar = output.progress(u64::from(arguments.seeds), &format!("hunting {}", entry.name));
    let mut hunts: Vec<Hunt> = Vec::new();
    for number in 0..u64::from(arguments.seeds) {
        let hunt = entry.hunt(number, arguments.runs);
        bar.inc(1);
        let is_lost = hunt.found.is_none();
        hunts.push(hunt);
        // The bar is missed, and further hunts would take as long.
        if is_lost {
            break;
        }
    }
    bar.finish_and_clear();
    let bar = output.progress(arguments.fixed, &format!("running the fix of {}", entry.name));
    let fixed = match arguments.fixed {
        0 => CampaignReport::default(),
        runs => entry.run_fixed(runs, arguments.seed, &mut |done| bar.set_position(done)),
    };
    bar.finish_and_clear();
    entry.row(hunts, fixed)
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
    let seeds = arguments.seeds;
    format!(
        "runs, seconds: until it is found, on one core; the median of {seeds} hunts. The bar is {BAR_S} s for the slowest.\n\
         steps: of the first finding, made small"
    )
}

/// Hunts for a bug until it is found, and shows the run.
fn show(entry: &Entry, arguments: &Bugs, output: Output) -> Result<()> {
    let spinner = output.spinner(&format!("hunting {}", entry.name));
    let hunt = entry.hunt(0, arguments.runs);
    spinner.finish_and_clear();
    let expectation = &entry.expectation;
    output.say(format!("{}\n{}\n\n{}", expectation.title, expectation.source, expectation.wrong.trim()));
    let Some(found) = &hunt.found else {
        let text = format!("{} was not found in {} runs", entry.name, grouped(hunt.runs));
        return Err(Failure::No { text, json: json!({ "name": entry.name, "seed": null }) });
    };
    let command =
        format!("menard sim {}{} --seed {} --runs 1", entry.path, expectation.simulation.options(), found.seed);
    output.say(format!("\nfound in run {}, made small:\n\n{}", grouped(hunt.runs), entry.show(found)));
    output.say(format!("to see it again: {command}"));
    output.result(&json!({ "name": entry.name, "seed": found.seed, "runs": hunt.runs, "command": command }));
    Ok(())
}
