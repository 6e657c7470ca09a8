//! The board of bugs: hunts for all of them, runs of their fixes, and the book's page that keeps account of both.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo::{build_menard, run as run_command};
use crate::ledger::{commit, read, table, today, with_rows, write};

const PAGE: &str = "book/src/bugs.md";

const BOARD: &str = "| bug | found by | runs | seconds | slowest | steps |\n| --- | --- | --- | --- | --- | --- |\n";
const MUTANTS: &str =
    "| rewrite | found by | runs | seconds | slowest | steps |\n| --- | --- | --- | --- | --- | --- |\n";

const LEDGER: &str = "| date | commit | seeds | bugs | runs of fixes | rewrites | runs with preconditions | alarms |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n";

/// Each bug is found, and nothing is in its fix.
pub fn check(root: &Path) -> Result<()> {
    let menard = build_menard(root)?;
    run_command(Command::new(&menard).current_dir(root).args(["bugs", "--seeds", "1", "--jobs", "2"]))
}

/// Hunts for all bugs and writes the board; runs each fix so many times more, and adds that to the ledger. A missed bar makes it fail.
pub fn run(root: &Path, runs: u64) -> Result<()> {
    let page = read(root, PAGE)?;
    let (before, mut rows, after) = table(&page, LEDGER)?;
    let first = rows.iter().filter_map(|row| last_seed(row)).max().map_or(0, |last| last + 1);
    let menard = build_menard(root)?;
    let mut command = Command::new(&menard);
    command.args(["--json", "bugs", "--fixed", &runs.to_string(), "--seed", &first.to_string(), "--jobs", "2"]);
    let output = command.current_dir(root).stderr(std::process::Stdio::inherit()).output()?;
    let said: Value = serde_json::from_slice(&output.stdout).context("`menard --json bugs` prints no JSON")?;
    let bugs = said["bugs"].as_array().context("`menard --json bugs` tells of no bugs")?;
    let families = said["preconditions"].as_array().context("`menard --json bugs` tells of no preconditions")?;
    let alarmed = bugs.iter().chain(families).filter(|bug| bug["fixed_violations"] != 0);
    let alarmed: Vec<&str> = alarmed.filter_map(|bug| bug["name"].as_str().or(bug["rewrite"].as_str())).collect();
    let alarms = if alarmed.is_empty() { "none".to_owned() } else { alarmed.join(", ") };
    let last = (first + runs).saturating_sub(1);
    let done = |of: &[Value]| of.iter().filter_map(|bug| bug["fixed_runs"].as_u64()).sum::<u64>();
    rows.retain(|row| !row.starts_with("| sum "));
    rows.push(format!(
        "| {} | {} | {first} to {last} | {} | {} | {} | {} | {alarms} |",
        today(root)?,
        commit(root)?,
        bugs.len(),
        done(bugs),
        families.len(),
        done(families)
    ));
    let sum = |column: usize| {
        rows.iter().filter_map(|row| row.split(" | ").nth(column)?.trim().parse::<u64>().ok()).sum::<u64>()
    };
    let sum = format!("| sum | | | | {} | | {} | |", sum(4), sum(6));
    rows.push(sum);
    let page = with_rows(&before, LEDGER, &rows, &after);
    let (before, _, after) = table(&page, BOARD)?;
    let board: Vec<String> = bugs.iter().map(row).collect();
    let page = with_rows(&before, BOARD, &board, &after);
    let (before, _, after) = table(&page, MUTANTS)?;
    let mutants: Vec<String> = families.iter().map(row_of_mutants).collect();
    write(root, PAGE, &with_rows(&before, MUTANTS, &mutants, &after))?;
    println!("{}\n\n{}\n\n{}", board.join("\n"), mutants.join("\n"), rows.join("\n"));
    ensure!(output.status.success(), "a bar is missed");
    Ok(())
}

/// A bug's row of the board.
fn row(bug: &Value) -> String {
    let text = |key: &str| bug[key].as_str().unwrap_or("-").to_owned();
    let (name, layer) = (text("name"), text("layer"));
    format!("| [{name}](../../bugs/{name}/expect.toml) | {layer} | {} |", figures(bug))
}

/// The row of a rewrite's mutants.
fn row_of_mutants(family: &Value) -> String {
    let rewrite = family["rewrite"].as_str().unwrap_or("-");
    let found = ["refinement", "checker", "unseen"].map(|by| (family[by].as_u64().unwrap_or(0), by));
    let found: Vec<String> =
        found.iter().filter(|(mutants, _)| *mutants > 0).map(|(mutants, by)| format!("{by} {mutants}")).collect();
    let link = format!("[{rewrite}](../../bugs/preconditions/{rewrite}/expect.toml)");
    format!("| {link} | {} | {} |", found.join(", "), figures(family))
}

/// Runs, seconds and steps.
fn figures(bug: &Value) -> String {
    let whole = |key: &str| bug[key].as_u64().map_or_else(|| "-".to_owned(), |figure| figure.to_string());
    let seconds = |key: &str| bug[key].as_f64().map_or_else(|| "-".to_owned(), |figure| format!("{figure:.2}"));
    [whole("runs"), seconds("cpu_s"), seconds("cpu_max_s"), whole("steps")].join(" | ")
}

/// The last seed of a row of the ledger; the row with the sum has none.
fn last_seed(row: &str) -> Option<u64> {
    if row.starts_with("| sum ") {
        return None;
    }
    row.split(" | ").nth(2)?.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_tell_what_was_measured_and_where_it_ended() {
        let bug =
            json!({ "name": "b", "layer": "network", "runs": 7, "cpu_s": 0.251, "cpu_max_s": 1.0, "steps": null });
        assert_eq!(row(&bug), "| [b](../../bugs/b/expect.toml) | network | 7 | 0.25 | 1.00 | - |");
        let family = json!({ "rewrite": "r", "refinement": 3, "checker": 0, "unseen": 1, "runs": 2, "cpu_s": 0.0, "cpu_max_s": 0.1, "steps": 4 });
        let link = "[r](../../bugs/preconditions/r/expect.toml)";
        assert_eq!(row_of_mutants(&family), format!("| {link} | refinement 3, unseen 1 | 2 | 0.00 | 0.10 | 4 |"));
        assert_eq!(last_seed("| d | c | 5000 to 9999 | 4 | 20000 | 10 | 870000 | none |"), Some(9_999));
        assert_eq!(last_seed("| sum | | | | 20000 | | 870000 | |"), None);
    }
}
