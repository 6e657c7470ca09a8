//! Diagnostics as text with the source quoted.

use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};

use super::{Diagnostic, Severity};
use crate::source::{Source, Span};

impl Diagnostic {
    /// The diagnostic as a person reads it, with or without terminal colours. Ends with a line break.
    pub fn render(&self, color: bool) -> String {
        let name = self.source.name.as_ref();
        let (kind, accent) = match self.severity {
            Severity::Error => (ReportKind::Error, Color::Red),
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let main = self.labels.first().map_or(0..0, |(span, _)| clamp(*span, &self.source));
        let mut report = Report::build(kind, (name, main))
            .with_config(Config::new().with_color(color).with_index_type(IndexType::Byte))
            .with_code(self.code.name())
            .with_message(&self.message);
        // In the order of the text, or the places would be shown as if they were in different files.
        let mut labels: Vec<_> = self.labels.iter().enumerate().collect();
        labels.sort_by_key(|(_, (span, _))| span.start);
        for (index, (span, text)) in labels {
            let label = Label::new((name, clamp(*span, &self.source))).with_message(text);
            report.add_label(label.with_color(if index == 0 { accent } else { Color::Blue }));
        }
        if let Some(help) = &self.help {
            report.set_help(help);
        }
        let mut out = Vec::new();
        let text: &str = &self.source.text;
        let written = report.finish().write((name, ariadne::Source::from(text)), &mut out);
        written.expect("writing to memory succeeds");
        let rendered = String::from_utf8_lossy(&out);
        let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }
}

/// A range that is within the text and on the boundaries of characters, whatever the span says.
fn clamp(span: Span, source: &Source) -> Range<usize> {
    let floor = |position: u32| {
        let mut position = (position as usize).min(source.text.len());
        while !source.text.is_char_boundary(position) {
            position -= 1;
        }
        position
    };
    let (start, end) = (floor(span.start), floor(span.end));
    start..end.max(start)
}
