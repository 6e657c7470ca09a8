//! What is wrong with a text, said to a person: a code, a message, the places, and help.

mod code;
mod render;

pub use code::Code;

use crate::source::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The text has no meaning, or a rewrite is refused.
    Error,
    /// The text has a meaning, which is probably not the intended one.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Its code, which has a page in the book.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, without a full stop.
    pub message: String,
    /// Places in the text, each with what is to be seen there. The first is the main one.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// The text.
    pub source: Source,
}

impl Diagnostic {
    /// An error without labels.
    pub fn error(code: Code, source: &Source, message: impl Into<String>) -> Self {
        let (labels, source) = (Vec::new(), source.clone());
        Diagnostic { code, severity: Severity::Error, message: message.into(), labels, help: None, source }
    }

    /// A warning without labels.
    pub fn warning(code: Code, source: &Source, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, source, message) }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The byte where the main label starts.
    fn position(&self) -> u32 {
        self.labels.first().map_or(0, |(span, _)| span.start)
    }
}

/// Diagnostics, in the order of the text. As an error it is never empty; as warnings it may be.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Sorts these by place.
    pub fn new(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(Diagnostic::position);
        Diagnostics(diagnostics)
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as a person reads them, with or without terminal colours.
    pub fn render(&self, color: bool) -> String {
        self.0.iter().map(|diagnostic| diagnostic.render(color)).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
