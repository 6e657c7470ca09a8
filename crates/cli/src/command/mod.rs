//! The commands, one a file.

pub mod bench;
pub mod bugs;
pub mod check;
pub mod explain;
pub mod format;
pub mod keys;
pub mod ladder;
pub mod lsp;
pub mod node;
pub mod rewrite;
pub mod run;
pub mod scale;
pub mod simulate;
pub mod step;
