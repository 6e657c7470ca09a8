//! Pages of the book that keep account: tables to which commands of `xtask` add rows, or which they write anew.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The page before a table, its rows, and the page after it.
pub fn table(page: &str, head: &str) -> Result<(String, Vec<String>, String)> {
    let (before, rest) =
        page.split_once(head).with_context(|| format!("the page has no table with the head\n{head}"))?;
    let rows: Vec<String> = rest.lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
    let after = rest.lines().skip(rows.len()).map(|line| format!("{line}\n")).collect();
    Ok((before.to_owned(), rows, after))
}

/// The text of a page with these rows in a table.
pub fn with_rows(before: &str, head: &str, rows: &[String], after: &str) -> String {
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("{before}{head}{rows}{after}")
}

/// Reads a page of the book.
pub fn read(root: &Path, page: &str) -> Result<String> {
    std::fs::read_to_string(root.join(page)).with_context(|| format!("cannot read {page}"))
}

/// Writes a page of the book.
pub fn write(root: &Path, page: &str, text: &str) -> Result<()> {
    std::fs::write(root.join(page), text).with_context(|| format!("cannot write {page}"))
}

/// The commit that was looked at, with a `+` if files differ from it.
pub fn commit(root: &Path) -> Result<String> {
    let changed = !said(root, "git", &["status", "--porcelain", "--", "crates", "Cargo.lock"])?.is_empty();
    let commit = said(root, "git", &["rev-parse", "--short", "HEAD"])?;
    Ok(if changed { commit + "+" } else { commit })
}

/// The date, as the book writes it.
pub fn today(root: &Path) -> Result<String> {
    said(root, "date", &["-u", "+%F"])
}

fn said(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
