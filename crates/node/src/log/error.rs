//! What can be wrong with a data directory.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file of a data directory cannot be used.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub(crate) struct LogError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub problem: Problem,
}

/// Why a file of a data directory cannot be used, and what to do.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    #[error("cannot {action}: {source}")]
    Io { action: &'static str, source: io::Error },
    #[error(
        "it is no log of menard, or its first bytes are damaged; choose another data directory, or restore the file from a copy"
    )]
    Header,
    #[error(
        "it is of version {found} of the format, and this menard reads version {known}; use the menard that wrote it"
    )]
    Version { found: u32, known: u32 },
    #[error(
        "it was written by another program, or by this one with other parameters or another plan; run what wrote it, or choose another data directory"
    )]
    Program,
    #[error("it belongs to node {found}; choose the data directory of this node")]
    Place { found: String },
    #[error(
        "it is damaged at byte {offset}, and what follows is whole, so no crash did that; restore the file from a copy, or give the node up"
    )]
    Damaged { offset: usize },
    #[error(
        "the changes at byte {offset} are none of this program's; restore the file from a copy, or give the node up"
    )]
    Foreign { offset: usize },
    #[error("another process uses it; stop that one, or choose another data directory")]
    InUse,
}

impl Problem {
    /// An error of the operating system with what was tried.
    pub fn io(action: &'static str) -> impl FnOnce(io::Error) -> Problem {
        move |source| Problem::Io { action, source }
    }

    /// The problem with the file that has it.
    pub fn at(self, path: &Path) -> LogError {
        LogError { path: path.to_owned(), problem: self }
    }
}
