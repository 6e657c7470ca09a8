//! The `menard` command line: thin over the other crates. One command a file in `command/`.
//!
//! Exit status: 0 done and good; 1 the answer is no; 2 wrong usage or a problem of the environment.
#![allow(
    clippy::disallowed_methods,
    reason = "the command line tells how long things took, stops runs on Ctrl-C, and makes simulated runs on several threads"
)]

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use crate::arguments::{Arguments, Command};
use crate::failure::{Failure, Result};
use crate::output::Output;

mod arguments;
mod board;
mod bystanders;
mod campaign;
mod command;
mod curves;
mod explored;
mod failure;
mod faults;
mod fleet;
mod folder;
mod graph;
mod header;
mod html;
mod interrupt;
mod laboratory;
mod ledger;
mod library;
mod lies;
mod markup;
mod measure;
mod output;
mod pages;
mod reach;
mod review;
mod rewriting;
mod session;
mod table;
mod text;
mod trace_file;
mod walk;
mod walkthrough;
mod without;
mod workers;

/// Simulated runs make and drop many small values, for which this is faster than what systems have.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match run(arguments.command, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::No { text, json }) => {
            output.result(&json);
            if !text.is_empty() {
                output.complain(text);
            }
            ExitCode::from(1)
        }
        Err(Failure::Environment { message, help }) => {
            output.result(&json!({ "error": message, "help": help }));
            output.complain(format!("error: {message}\n  help: {help}"));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, output: Output) -> Result<()> {
    match command {
        Command::Scale(arguments) => command::scale::run(&arguments, output),
        Command::Check(arguments) => command::check::run(&arguments, output),
        Command::Fmt(arguments) => command::format::run(&arguments, output),
        Command::Explain(arguments) => command::explain::run(&arguments, output),
        Command::Rewrite(arguments) => command::rewrite::run(&arguments, output),
        Command::Sim(arguments) => command::simulate::run(&arguments, output),
        Command::Ladder(arguments) => command::ladder::run(&arguments, output),
        Command::Step(arguments) => command::step::run(&arguments, output),
        Command::Run(arguments) => command::run::run(&arguments, output),
        Command::Node(arguments) => command::node::run(&arguments, output),
        Command::Keys(arguments) => command::keys::run(&arguments, output),
        Command::Bench(arguments) => command::bench::run(&arguments, output),
        Command::Bugs(arguments) => command::bugs::run(&arguments, output),
        Command::Lsp => command::lsp::run(),
    }
}
