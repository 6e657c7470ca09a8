//! `cargo xtask check`: all checks that do not run tests. Continuous integration calls nothing else but the tests and the main job.
//! `cargo xtask rewrites` writes the book's page of all rewrites.
//! `cargo xtask campaign` runs random programs in large numbers and adds them to the book's ledger; `cargo xtask refusals` looks whether refusals are needed.
//! `cargo xtask bugs` hunts for all known bugs and writes the board and the ledger of their fixes.
//!
//! Each check has a file of its own, takes the root of the workspace, and returns what is wrong as text. All checks run, so that one
//! sees everything that is wrong at once.
#![allow(clippy::disallowed_methods, reason = "checks run on a developer's machine and tell how long they took")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

mod book;
mod bugs;
mod campaign;
mod cargo;
mod console;
mod dependencies;
mod ledger;
mod markdown;
mod rewrites;

type Check = (&'static str, fn(&Path) -> Result<()>);

/// The checks, cheapest first.
const CHECKS: &[Check] = &[
    ("format", cargo::format),
    ("dependencies", dependencies::check),
    ("book", book::check),
    ("clippy", cargo::clippy),
    ("protocols", cargo::protocols),
    ("bugs", bugs::check),
    ("console", console::check),
];

const USAGE: &str = "usage: cargo xtask check [NAME...]
       cargo xtask rewrites
       cargo xtask campaign SEEDS
       cargo xtask refusals SEEDS
       cargo xtask bugs RUNS";

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    match wanted.as_slice() {
        ["check"] => run(CHECKS.iter()),
        ["rewrites"] => told(rewrites::write_page(&workspace_root())),
        ["campaign", seeds] => told(number(seeds).and_then(|seeds| campaign::run(&workspace_root(), seeds))),
        ["refusals", seeds] => told(number(seeds).and_then(|seeds| campaign::refusals(&workspace_root(), seeds))),
        ["bugs", runs] => told(number(runs).and_then(|runs| bugs::run(&workspace_root(), runs))),
        ["check", only @ ..] if only.iter().all(|name| CHECKS.iter().any(|check| check.0 == *name)) => {
            run(CHECKS.iter().filter(|check| only.contains(&check.0)))
        }
        _ => {
            eprintln!("{USAGE}\n\nchecks:");
            CHECKS.iter().for_each(|(name, _)| eprintln!("  {name}"));
            ExitCode::from(2)
        }
    }
}

fn number(word: &str) -> Result<u64> {
    word.parse().with_context(|| format!("`{word}` is no number"))
}

/// The exit status of a command that says itself what it does.
fn told(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(checks: impl Iterator<Item = &'static Check>) -> ExitCode {
    let root = workspace_root();
    let mut failed = Vec::new();
    for (name, check) in checks {
        println!("check {name} ...");
        let start = Instant::now();
        match check(&root) {
            Ok(()) => println!("check {name} ok ({:.1} s)", start.elapsed().as_secs_f64()),
            Err(error) => {
                println!("check {name} FAILED\n{error:#}");
                failed.push(*name);
            }
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nfailed: {}. Run one alone with `cargo xtask check NAME`.", failed.join(", "));
    ExitCode::FAILURE
}

/// Cargo runs xtask from wherever the user stands, and tells where its manifest is.
fn workspace_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
