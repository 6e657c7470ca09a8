//! Where passes put the diagnostics that they find.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::{Source, Span};

/// More than this many diagnostics of one text help nobody; the rest is dropped.
const MAX_DIAGNOSTICS: usize = 100;

/// Collects the diagnostics of one text.
#[derive(Debug)]
pub struct Sink {
    source: Source,
    found: Vec<Diagnostic>,
    errors: usize,
}

impl Sink {
    pub fn new(source: &Source) -> Self {
        Sink { source: source.clone(), found: Vec::new(), errors: 0 }
    }

    /// The text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// An error with one label.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>, label: impl Into<String>) {
        let diagnostic = Diagnostic::error(code, &self.source, message).label(span, label);
        self.push(diagnostic);
    }

    /// A diagnostic over the same text, to be completed and pushed.
    pub fn start(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, &self.source, message)
    }

    /// A warning over the same text, to be completed and pushed.
    pub fn start_warning(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, &self.source, message)
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        if self.found.len() < MAX_DIAGNOSTICS || (diagnostic.severity == Severity::Error && self.errors == 1) {
            self.found.push(diagnostic);
        }
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// The number of errors so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether so much is wrong that looking for more is of no use.
    pub fn is_full(&self) -> bool {
        self.found.len() >= MAX_DIAGNOSTICS
    }

    /// Fails with all errors so far, if there are any.
    pub fn stop_on_errors(&mut self) -> Result<(), Diagnostics> {
        if self.errors == 0 {
            return Ok(());
        }
        let errors = std::mem::take(&mut self.found).into_iter().filter(|found| found.severity == Severity::Error);
        Err(Diagnostics::new(errors.collect()))
    }

    /// The warnings, if there were no errors.
    pub fn into_warnings(self) -> Diagnostics {
        Diagnostics::new(self.found)
    }
}
