//! What rewrites would do that leave out a precondition.

use serde_json::json;

use crate::arguments::Bugs;
use crate::board::{Catalog, Family, FamilyRow, Fate, Mutant, PRECONDITIONS};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::table::{Table, grouped};
use crate::text::did_you_mean;

/// A row for each rewrite.
pub fn table(board: &[(&Family, &FamilyRow)]) -> Table {
    let heads =
        ["without a precondition", "found by", "runs", "seconds", "slowest", "steps", "with it: runs", "alarms"];
    let mut table = Table::new(heads);
    for (family, row) in board {
        let figure = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        table.row([
            family.rewrite.clone(),
            found_by(family),
            figure(row.runs().map(grouped)),
            figure(row.seconds().map(|(median, _)| format!("{median:.2}"))),
            figure(row.seconds().map(|(_, most)| format!("{most:.2}"))),
            figure(row.steps().map(|steps| steps.to_string())),
            grouped(row.sound_runs()),
            grouped(row.alarms()),
        ]);
    }
    table
}

/// How many mutants are found by what.
fn found_by(family: &Family) -> String {
    let (programs, checker, unseen) = family.counts();
    let parts = [("refinement", programs - checker - unseen), ("checker", checker), ("unseen", unseen)];
    let parts = parts.into_iter().filter(|(_, mutants)| *mutants > 0);
    parts.map(|(finder, mutants)| format!("{finder} {mutants}")).collect::<Vec<_>>().join(", ")
}

/// Shows why a program is refused, and what would come of it otherwise.
pub fn show(catalog: &Catalog, name: &str, arguments: &Bugs, output: Output) -> Result<()> {
    let (rewrite, mutant) = name.split_once('/').unwrap_or((name, ""));
    let family = Family::open(rewrite, &catalog.find(&format!("{PRECONDITIONS}{rewrite}"))?)?;
    let Some(mutant) = family.mutant(mutant) else {
        let names: Vec<&str> = family.names().collect();
        let near = did_you_mean(mutant, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        let help = format!("{}known are {}", near.unwrap_or_default(), names.join(", "));
        let message = match mutant {
            "" => format!("{PRECONDITIONS}{rewrite} has {} programs", names.len()),
            _ => format!("{PRECONDITIONS}{rewrite} has no program `{mutant}`"),
        };
        return Err(Failure::environment(message, help));
    };
    output.say(format!("{}: {}\n{}\n\n  {}\n", mutant.precondition, mutant.title, mutant.path, mutant.line));
    if let Some(refused) = &mutant.refused {
        output.say(refused);
    }
    match &mutant.fate {
        Fate::IllFormed(errors) => output.say(format!("Without {} the checker says\n{errors}", mutant.precondition)),
        Fate::Unseen(why) => output.say(format!("Without {} nothing is seen: {why}", mutant.precondition)),
        Fate::Wrong(study) => {
            let hunt = study.hunt(0, arguments.runs);
            let Some((found, small)) = &hunt.found else {
                let text = format!("{name} was not found in {} runs", grouped(hunt.runs));
                return Err(Failure::No { text, json: json!({ "name": name, "seed": null }) });
            };
            output.say(format!("Without {} it would be\n\n{}", mutant.precondition, study.text));
            let runs = grouped(hunt.runs);
            output
                .say(format!("\nand run {runs}, made small, is none of the original:\n\n{}", study.draw(found, small)));
        }
    }
    output.result(&json!({ "name": name, "precondition": mutant.precondition, "line": mutant.line, "killed_by": killed_by(mutant) }));
    Ok(())
}

fn killed_by(mutant: &Mutant) -> &'static str {
    match mutant.fate {
        Fate::IllFormed(_) => "checker",
        Fate::Wrong(_) => "refinement",
        Fate::Unseen(_) => "nothing",
    }
}
