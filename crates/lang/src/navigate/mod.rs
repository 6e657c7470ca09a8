//! What an editor asks about a text: what a name means, where it is defined and used, what there is in it.
//!
//! All answers come from the syntax tree, so that they are there while a text is being written and has errors; what only the
//! checker knows, such as types of variables, is added where a checked [`Program`](crate::Program) is at hand. Places are bytes.

mod hover;
mod names;
mod outline;
mod resolve;
mod rules;
mod text;
mod words;

pub use hover::{Hover, hover};
pub use names::{Names, Occurrence, Scope, Symbol, SymbolKind};
pub use outline::{Entry, outline};
pub use text::{Form, Text, Verdict};
pub use words::{CONTEXTUAL_WORDS, RESERVED_WORDS, Word};

#[cfg(test)]
mod tests;
