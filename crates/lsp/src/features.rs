//! The answers to an editor's questions about a place or a text.

use lsp_types::{
    DocumentSymbol, Hover, HoverContents, Location, MarkupContent, MarkupKind, Position, SymbolKind as Shown, TextEdit,
};
use menard_lang::format;
use menard_lang::navigate::{self, Entry, Symbol, SymbolKind, outline};

use crate::CheckPlan;
use crate::diagnostics;
use crate::position::Lines;
use crate::workspace::{Document, Family, Workspace};

/// What the name at a position stands for.
fn symbol(family: &Family, position: Position) -> Option<Symbol> {
    let text = &family.main.text;
    let offset = Lines::new(&text.source.text).offset(position);
    text.names.at(offset).map(|occurrence| occurrence.symbol.clone())
}

/// Where it is said what the name at a position stands for.
pub fn definition(family: &Family, position: Position) -> Option<Location> {
    let symbol = symbol(family, position)?;
    let documents = family.documents().take(if symbol.is_shared() { 2 } else { 1 });
    documents.filter_map(|document| Some((document, document.text.names.definition(&symbol)?))).next().map(
        |(document, span)| {
            let range = Lines::new(&document.text.source.text).range(span);
            Location { uri: document.uri.clone(), range }
        },
    )
}

/// All places of the name at a position, in this text and in those that belong to the same protocol.
pub fn references(
    workspace: &Workspace,
    family: &Family,
    position: Position,
    with_definition: bool,
) -> Option<Vec<Location>> {
    let symbol = symbol(family, position)?;
    let mut found = Vec::new();
    let relatives = if symbol.is_shared() {
        workspace.relatives(family.protocol.as_ref().unwrap_or(&family.main))
    } else {
        Vec::new()
    };
    let others = relatives.iter().filter(|document| document.uri != family.main.uri);
    let own = family.documents().take(if symbol.is_shared() { 2 } else { 1 });
    for document in own.chain(others) {
        found.extend(references_in(document, &symbol, with_definition));
    }
    Some(found)
}

fn references_in(document: &Document, symbol: &Symbol, with_definition: bool) -> Vec<Location> {
    let lines = Lines::new(&document.text.source.text);
    let references = document.text.names.references(symbol).filter(|reference| with_definition || !reference.defines);
    references.map(|reference| Location { uri: document.uri.clone(), range: lines.range(reference.span) }).collect()
}

/// What there is to say about a position: what stands there, and what to read about what is wrong with it.
pub fn hover(family: &Family, position: Position, check_plan: CheckPlan) -> Option<Hover> {
    let text = &family.main.text;
    let lines = Lines::new(&text.source.text);
    let protocol_program = family.protocol_program();
    let program = text.check(protocol_program.as_ref()).program;
    let programs = [program.as_ref(), protocol_program.as_ref()];
    let texts: Vec<_> = family.documents().map(|document| &document.text).zip(programs).collect();
    let card = navigate::hover(&texts, lines.offset(position));
    let range = card.as_ref().map(|card| lines.range(card.span));
    let found = diagnostics::found(family, check_plan);
    let mut parts: Vec<String> = card.into_iter().map(|card| card.markdown).collect();
    parts.extend(diagnostics::pages(&found, &lines, position));
    if parts.is_empty() {
        return None;
    }
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: parts.join("\n\n---\n\n") };
    Some(Hover { contents: HoverContents::Markup(contents), range })
}

/// The change that makes the text a formatted one: none for a text that is, or that has syntax errors.
pub fn formatting(family: &Family) -> Vec<TextEdit> {
    let source = &family.main.text.source;
    let range = Lines::new(&source.text).all();
    match format(source) {
        Ok(formatted) if *formatted != *source.text => vec![TextEdit { range, new_text: formatted }],
        _ => Vec::new(),
    }
}

/// What there is in the text.
pub fn symbols(family: &Family) -> Vec<DocumentSymbol> {
    let text = &family.main.text;
    let lines = Lines::new(&text.source.text);
    outline(text).iter().map(|entry| show(entry, &lines)).collect()
}

#[allow(deprecated, reason = "the struct has a deprecated field that must be given")]
fn show(entry: &Entry, lines: &Lines<'_>) -> DocumentSymbol {
    DocumentSymbol {
        name: entry.name.clone(),
        detail: None,
        kind: match entry.kind {
            SymbolKind::Protocol | SymbolKind::Plan => Shown::NAMESPACE,
            SymbolKind::Param => Shown::CONSTANT,
            SymbolKind::Role => Shown::CLASS,
            SymbolKind::Channel => Shown::EVENT,
            SymbolKind::Component => Shown::MODULE,
            SymbolKind::Relation => Shown::STRUCT,
            SymbolKind::Column => Shown::FIELD,
            SymbolKind::Variable => Shown::VARIABLE,
        },
        tags: None,
        deprecated: None,
        range: lines.range(entry.span),
        selection_range: lines.range(entry.name_span),
        children: Some(entry.children.iter().map(|child| show(child, lines)).collect()),
    }
}
