//! Diagnostics as text with the source quoted.

use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};

use super::{Diagnostic, Severity};
use crate::source::{Source, Span};

impl Diagnostic {
    /// The diagnostic as a person reads it, with or without terminal colours. Ends with a line break.
    pub fn render(&self, color: bool) -> String {
        let (kind, accent) = match self.severity {
            Severity::Error => (ReportKind::Error, Color::Red),
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let main = self.labels.first().map_or(Span::default(), |(span, _)| *span);
        let mut report = Report::build(kind, locate(main, &self.source))
            .with_config(Config::new().with_color(color).with_index_type(IndexType::Byte))
            .with_code(self.code.name())
            .with_message(&self.message);
        // In the order of the text, or the places would be shown as if they were in different files.
        let mut labels: Vec<_> = self.labels.iter().enumerate().collect();
        labels.sort_by_key(|(_, (span, _))| span.start);
        for (index, (span, text)) in labels {
            let label = Label::new(locate(*span, &self.source)).with_message(text);
            report.add_label(label.with_color(if index == 0 { accent } else { Color::Blue }));
        }
        if let Some(help) = &self.help {
            report.set_help(help);
        }
        let mut out = Vec::new();
        let own = (self.source.name.to_string(), self.source.own_text());
        let included = self.source.included().iter().enumerate();
        let texts = included.map(|(index, one)| (one.name.to_string(), self.source.included_text(index)));
        let written = report.finish().write(ariadne::sources(std::iter::once(own).chain(texts)), &mut out);
        written.expect("writing to memory succeeds");
        let rendered = String::from_utf8_lossy(&out);
        let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }
}

/// The text that a span is in, and a range that is within it and on the boundaries of characters, whatever the span says.
fn locate(span: Span, source: &Source) -> (String, Range<usize>) {
    let place = source.place(span.start);
    let floor = |position: usize| {
        let mut position = position.min(place.text.len());
        while !place.text.is_char_boundary(position) {
            position -= 1;
        }
        position
    };
    let (start, end) = (floor(place.offset), floor((span.end as usize).saturating_sub(place.start)));
    (place.name.to_owned(), start..end.max(start))
}
