//! Random programs in large numbers, and the book's page that keeps account of them.
//!
//! The page has two tables: the ledger, to which a campaign adds a row, and what became of refused lines, which is written anew. Seeds of
//! campaigns go on where the ledger ends, so no seed is counted twice.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, bail, ensure};

use crate::cargo::cargo;
use crate::ledger::{commit, read, table, today, with_rows, write};

const PAGE: &str = "book/src/random.md";

/// Seeds below this one are those of the tests.
const FIRST_SEED: u64 = 10_000;

const LEDGER: &str =
    "| date | commit | seeds | pairs | lines of plans by rewrite | findings |\n| --- | --- | --- | --- | --- | --- |\n";
const REFUSALS: &str = "| | refused | others refuse, too | ill-formed | a run differs | silent | no difference found | shown |\n\
                        | --- | --- | --- | --- | --- | --- | --- | --- |\n";

/// Runs so many seeds more, and adds them to the ledger, together with what was found. A finding makes it fail.
pub fn run(root: &Path, seeds: u64) -> Result<()> {
    let page = read(root, PAGE)?;
    let (before, mut rows, after) = table(&page, LEDGER)?;
    let first = rows.iter().filter_map(|row| last_seed(row)).max().map_or(FIRST_SEED, |last| last + 1);
    let (printed, good) = test(root, "whatever_is_allowed_refines", first, seeds)?;
    let told = printed.lines().find_map(|line| line.split_once("campaign: ")).map(|(_, told)| told.to_owned());
    let finding =
        printed.lines().find(|line| line.starts_with("seed ")).unwrap_or("something else than a run went wrong");
    let row = match told.as_deref().map(|told| told.split(" | ").collect::<Vec<_>>()).as_deref() {
        Some([first, last, pairs, rewrites]) if good => format!("{first} to {last} | {pairs} | {rewrites} | none"),
        _ => format!("{first} and more | | | {}", finding.replace('|', "\\|")),
    };
    rows.retain(|row| !row.starts_with("| sum "));
    rows.push(format!("| {} | {} | {row} |", today(root)?, commit(root)?));
    let pairs: u64 = rows.iter().filter_map(|row| row.split(" | ").nth(3)?.trim().parse::<u64>().ok()).sum();
    rows.push(format!("| sum | | | {pairs} | | |"));
    write(root, PAGE, &with_rows(&before, LEDGER, &rows, &after))?;
    println!("{}", rows[rows.len() - 2..].join("\n"));
    ensure!(good, "{printed}");
    Ok(())
}

/// Applies refused lines of so many programs nevertheless, and writes what became of them.
pub fn refusals(root: &Path, seeds: u64) -> Result<()> {
    let page = read(root, PAGE)?;
    let (before, _, after) = table(&page, REFUSALS)?;
    let (printed, good) = test(root, "refusals::refused_lines_do_what_the_original_does_not", 0, seeds)?;
    ensure!(good, "{printed}");
    let mut rows = Vec::new();
    for told in printed.lines().filter_map(|line| line.split_once("refusal: ")).map(|(_, told)| told) {
        let Some((id, counts)) = told.split_once(" | ") else { bail!("no counts in `{told}`") };
        let counts: Vec<u32> = counts.split(" | ").map(str::parse).collect::<Result<_, _>>()?;
        let [together, ill_formed, differs, silent, equal] = counts.as_slice() else {
            bail!("five counts expected in `{told}`")
        };
        let alone = ill_formed + differs + equal;
        let shown = match alone {
            0 => "-".to_owned(),
            alone => format!("{} %", 100 * (ill_formed + differs) / alone),
        };
        let all = together + silent + alone;
        rows.push(format!("| {id} | {all} | {together} | {ill_formed} | {differs} | {silent} | {equal} | {shown} |"));
    }
    write(root, PAGE, &with_rows(&before, REFUSALS, &rows, &after))?;
    println!("{printed}");
    Ok(())
}

/// The last seed of a row of the ledger; of one that ended early the first, which is the one that all others come after.
fn last_seed(row: &str) -> Option<u64> {
    let seeds = row.split(" | ").nth(2)?;
    seeds.split(' ').filter_map(|word| word.parse().ok()).max()
}

/// What a test of random programs prints, and whether it passed.
fn test(root: &Path, name: &str, first: u64, count: u64) -> Result<(String, bool)> {
    let mut command = cargo(root);
    command.args([
        "test",
        "--quiet",
        "--release",
        "--package",
        "menard-opt",
        "--test",
        "random",
        "--",
        "--exact",
        "--nocapture",
        name,
    ]);
    command.env("RANDOM_FIRST", first.to_string()).env("RANDOM_COUNT", count.to_string());
    let output = command.stderr(Stdio::piped()).output()?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Ok((printed, output.status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_and_its_last_seed() {
        let page = format!(
            "# Page\n\n{LEDGER}| d | c | 10000 to 10499 | 200 | a 1 | none |\n| sum | | | 200 | | |\n\nafter\n"
        );
        let (before, rows, after) = table(&page, LEDGER).expect("it is there");
        assert_eq!((before.as_str(), rows.len(), after.as_str()), ("# Page\n\n", 2, "\nafter\n"));
        assert_eq!(rows.iter().filter_map(|row| last_seed(row)).max(), Some(10_499));
        assert_eq!(last_seed("| d | c | 12 and more | | | seed 15 |"), Some(12));
        assert!(table("# Page\n", LEDGER).is_err());
    }
}
