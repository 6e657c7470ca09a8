//! Runs the `menard` binary in a folder of its own.
#![allow(dead_code, reason = "each file of tests uses a part of this")]

#[cfg(unix)]
pub mod client;
#[cfg(unix)]
pub mod process;

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder to run `menard` in.
pub struct Desk {
    folder: TempDir,
}

/// What a command printed, and how it ended.
pub struct Answer {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    /// An empty folder.
    pub fn new() -> Desk {
        Desk { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// A folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Desk {
        let desk = Desk::new();
        for (name, text) in files {
            desk.write(name, text.as_bytes());
        }
        desk
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("the file is there")
    }

    /// `menard` with these words.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_menard"));
        command.args(arguments).current_dir(self.path()).env("COLUMNS", "100").stdin(Stdio::null());
        command
    }

    /// Runs `menard` with these words.
    pub fn menard(&self, arguments: &[&str]) -> Answer {
        let output = self.command(arguments).output().expect("the binary was built");
        Answer {
            status: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
        }
    }

    /// Runs `menard --json`; standard output has to be one JSON object.
    pub fn json(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let words: Vec<&str> = std::iter::once("--json").chain(arguments.iter().copied()).collect();
        let answer = self.menard(&words);
        let parsed = serde_json::from_str(&answer.stdout);
        let value: serde_json::Value = parsed.unwrap_or_else(|error| panic!("{error} in: {}", answer.stdout));
        assert!(value.is_object(), "one object is promised, not {value}");
        (answer.status, value)
    }
}

/// A protocol without a flaw.
pub const ECHO: &str = "\
protocol echo

role client external
role server

channel request(id: int)  client -> server
channel reply(id: int)    server -> client

component server {
  reply(id)@c :~ request(id) from c
}
";
