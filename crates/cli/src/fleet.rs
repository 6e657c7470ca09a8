//! Real runs with a process for each logical node: this binary once more, as `menard node`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use menard_lang::Program;
use menard_node::{Config, Processes, Report, TemporaryFolder, run_processes, write_keys};

use crate::failure::{Failure, Result};
use crate::measure::{failure, watched};
use crate::output::Output;

/// Runs a program as processes and measures it. What they need is written to a temporary folder: the program itself, the settings, and keys.
pub fn measure(
    program: &Program,
    config: &Config,
    name: &str,
    kill_every_ms: Option<u64>,
    stop: &AtomicBool,
    output: Output,
) -> Result<Report> {
    let folder = TemporaryFolder::new().map_err(|error| {
        Failure::environment(format!("cannot make a temporary folder: {error}"), "make room for it")
    })?;
    let keys = folder.path().join("keys");
    let config = Config { key_folder: Some(keys.clone()), ..config.with_free_ports(program).map_err(failure)? };
    write_keys(program, &config, &keys).map_err(|error| failure(error.into()))?;
    let processes = Processes {
        command: Box::new(command(program, &config, folder.path(), keys)?),
        kill_every: kill_every_ms.map(Duration::from_millis),
    };
    watched(program, name, output, |progress| run_processes(program, &config, processes, progress, stop))
}

/// The command for the process of a logical node.
fn command(
    program: &Program,
    config: &Config,
    folder: &Path,
    keys: PathBuf,
) -> Result<impl Fn(&str) -> Command + Send + Sync + 'static> {
    let (text, settings) = (folder.join("program.ded"), folder.join("deploy.toml"));
    for (path, content) in [(&text, menard_lang::print(program)), (&settings, config.to_toml())] {
        std::fs::write(path, content).map_err(|error| Failure::file("write", path, &error))?;
    }
    let binary = std::env::current_exe().map_err(|error| {
        Failure::environment(format!("cannot find this program's own file: {error}"), "run it without --processes")
    })?;
    let data = config.data.clone().unwrap_or_else(|| folder.join("data"));
    let faulty = config.faulty.iter().flat_map(|faulty| ["--faulty".to_owned(), faulty.to_string()]);
    let faulty: Vec<String> = faulty.chain(["--seed".to_owned(), config.seed.to_string()]).collect();
    Ok(move |node: &str| {
        let words: [OsString; 11] = [
            "node".into(),
            text.clone().into(),
            "--deploy".into(),
            settings.clone().into(),
            "--at".into(),
            node.into(),
            "--data".into(),
            data.clone().into(),
            "--keys".into(),
            keys.clone().into(),
            "--in-fleet".into(),
        ];
        let mut command = Command::new(&binary);
        command.args(words).args(&faulty);
        command
    })
}
