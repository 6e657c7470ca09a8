//! What is wrong with a text, as the client shows it.

use lsp_types::{
    Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Position, Uri,
};
use menard_lang::Diagnostic;
use menard_lang::Severity;
use menard_lang::navigate::{Form, SymbolKind, Text};

use crate::CheckPlan;
use crate::position::Lines;
use crate::workspace::Family;

/// All that is wrong with a text.
pub fn all(family: &Family, check_plan: CheckPlan) -> Vec<Shown> {
    let text = &family.main.text;
    let lines = Lines::new(&text.source.text);
    let mut shown: Vec<Shown> =
        found(family, check_plan).iter().map(|diagnostic| show(diagnostic, &family.main.uri, &lines)).collect();
    if shown.is_empty() {
        shown.extend(unchecked(family, &lines));
    }
    shown
}

/// What the checker finds.
pub fn found(family: &Family, check_plan: CheckPlan) -> Vec<Diagnostic> {
    let protocol = family.protocol_program();
    let verdict = family.main.text.check(protocol.as_ref());
    let mut diagnostics = verdict.diagnostics;
    if let (Some(plan), Some(protocol)) = (&verdict.plan, &protocol) {
        diagnostics.extend(check_plan(protocol, plan));
    }
    // Places in other texts would be shown at wrong ones of this text; those in included texts are said at the `include`.
    diagnostics.retain(|diagnostic| diagnostic.source.text == family.main.text.source.text);
    diagnostics
}

fn show(diagnostic: &Diagnostic, uri: &Uri, lines: &Lines<'_>) -> Shown {
    let mut labels = diagnostic.labels.iter();
    let main = labels.next();
    let label = main.map(|(_, label)| format!("\n{label}")).unwrap_or_default();
    let help = diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let related = labels.map(|(span, label)| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: lines.range(*span) },
        message: label.clone(),
    });
    Shown {
        range: main.map(|(span, _)| lines.range(*span)).unwrap_or_default(),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.name().to_owned())),
        source: Some("menard".to_owned()),
        message: format!("{}{label}{help}", diagnostic.message),
        related_information: Some(related.collect()),
        ..Shown::default()
    }
}

/// Says that only the form of a text was checked, and why.
fn unchecked(family: &Family, lines: &Lines<'_>) -> Option<Shown> {
    let text = &family.main.text;
    if text.form == Form::Protocol || family.protocol_program().is_some() {
        return None;
    }
    let name = text.protocol()?;
    let message = match &family.protocol {
        Some(_) => {
            format!("the protocol `{name}` has errors; until it has none, only the form of this text is checked")
        }
        None => {
            format!("only the form of this text is checked: there is no `{name}.ded` beside it or in the folder above")
        }
    };
    let range = header_name(text).map(|span| lines.range(span)).unwrap_or_default();
    Some(Shown {
        range,
        severity: Some(DiagnosticSeverity::INFORMATION),
        source: Some("menard".to_owned()),
        message,
        ..Shown::default()
    })
}

/// Where the text names its protocol.
fn header_name(text: &Text) -> Option<menard_lang::Span> {
    let mut names = text.names.iter();
    names.find(|occurrence| occurrence.symbol.kind == SymbolKind::Protocol).map(|occurrence| occurrence.span)
}

/// What to read about the diagnostics at a position, as Markdown.
pub fn pages(diagnostics: &[Diagnostic], lines: &Lines<'_>, position: Position) -> Vec<String> {
    let is_here = |diagnostic: &&Diagnostic| {
        diagnostic.labels.first().is_some_and(|(span, _)| {
            let range = lines.range(*span);
            range.start <= position && position <= range.end
        })
    };
    let page = |diagnostic: &Diagnostic| {
        let code = diagnostic.code;
        let title = if code.title() == code.name() { String::new() } else { format!(": {}", code.title()) };
        format!("**{}**{title}; `menard explain {}` says more", code.name(), code.name())
    };
    let mut pages: Vec<String> = diagnostics.iter().filter(is_here).map(page).collect();
    pages.dedup();
    pages
}
