//! Why a command did not succeed, and with which exit status.

use std::fmt;
use std::path::Path;

use menard_lang::diagnostic::{Diagnostic, Diagnostics, Severity};
use serde_json::{Value, json};

use crate::output::colour;

/// A command's result.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no: exit status 1. What was wrong has been said, or is said by the text; the JSON object has the same for programs.
    No {
        /// For people; may be empty.
        text: String,
        /// For programs.
        json: Value,
    },
    /// Wrong usage, or the environment is not as it has to be: exit status 2.
    Environment {
        /// What is wrong.
        message: String,
        /// What to do next.
        help: String,
    },
}

impl Failure {
    /// Wrong usage or environment, and what to do next.
    pub fn environment(message: impl fmt::Display, help: impl fmt::Display) -> Self {
        Failure::Environment { message: message.to_string(), help: help.to_string() }
    }

    /// The same, with words in front of it that say where in a long work it came about.
    pub fn during(self, what: &str) -> Self {
        match self {
            Failure::No { text, json } => Failure::No { text: format!("{what}:\n{text}"), json },
            Failure::Environment { message, help } => {
                Failure::Environment { message: format!("{what}: {message}"), help }
            }
        }
    }

    /// A file that cannot be read or written.
    pub fn file(action: &str, path: &Path, error: &std::io::Error) -> Self {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check the permissions of the file and of its folder",
            std::io::ErrorKind::InvalidData => "the file has to be UTF-8 text: convert it, or name another file",
            std::io::ErrorKind::IsADirectory => "name a file in this folder",
            std::io::ErrorKind::InvalidInput => "name a regular file",
            _ => "check the path and the disk",
        };
        let reason = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        };
        Failure::environment(format!("cannot {action} {}: {reason}", path.display()), help)
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        let json = json!({ "diagnostics": diagnostics_json(&diagnostics) });
        Failure::No { text: diagnostics.render(colour()), json }
    }
}

/// Diagnostics for programs.
pub fn diagnostics_json<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Value {
    diagnostics.into_iter().map(diagnostic_json).collect()
}

fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.labels.first().map(|(span, _)| diagnostic.source.place(span.start));
    json!({
        "code": diagnostic.code.name(),
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "file": place.map_or(diagnostic.source.name.as_ref(), |place| place.name),
        "line": place.map(|place| place.line()),
        "column": place.map(|place| place.column()),
        "help": diagnostic.help,
    })
}
