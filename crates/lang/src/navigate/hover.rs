//! What there is to say about a place in a text, as Markdown.

use crate::ir::{Program, Relation, RelationKind};
use crate::source::Span;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, token_span};

use super::names::{Occurrence, Scope, Symbol, SymbolKind};
use super::text::Text;
use super::words;

/// What there is to say.
#[derive(Clone, PartialEq, Debug)]
pub struct Hover {
    /// About what.
    pub span: Span,
    /// In Markdown.
    pub markdown: String,
}

/// What there is to say about the name, word or sign at a byte. `texts` are the text itself and those whose names it uses,
/// each with what it means as far as that is known.
pub fn hover(texts: &[(&Text, Option<&Program>)], offset: u32) -> Option<Hover> {
    let (text, program) = texts.first()?;
    if let Some(occurrence) = text.names.at(offset) {
        let markdown = match occurrence.symbol.kind {
            SymbolKind::Variable => variable(occurrence, *program),
            _ => texts.iter().find_map(|(text, program)| symbol(text, *program, &occurrence.symbol))?,
        };
        return Some(Hover { span: occurrence.span, markdown });
    }
    let token = token_at(&text.root, offset)?;
    Some(Hover { span: token_span(&token), markdown: word(&token)? })
}

/// The token at a byte; between two, the one that is a word.
fn token_at(root: &SyntaxNode, offset: u32) -> Option<SyntaxToken> {
    if offset > u32::from(root.text_range().end()) {
        return None;
    }
    let tokens = root.token_at_offset(offset.into());
    let is_word =
        |token: &SyntaxToken| token.text().starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let found: Vec<SyntaxToken> = tokens.filter(|token| !token.kind().is_trivia()).collect();
    found.iter().find(|token| is_word(token)).or(found.last()).cloned()
}

/// A name that is declared nowhere, or a word or sign.
fn word(token: &SyntaxToken) -> Option<String> {
    let parent = token.parent()?;
    match parent.kind() {
        SyntaxKind::Call if token.kind() == SyntaxKind::Name => {
            let in_head = parent.ancestors().any(|node| node.kind() == SyntaxKind::Head);
            words::call(token.text(), ast::arguments(&parent).len(), in_head)
        }
        SyntaxKind::TypeName if token.kind() == SyntaxKind::Name => words::ty(token.text()),
        SyntaxKind::Names | SyntaxKind::Variable => None,
        _ => words::word(token.text()),
    }
}

fn variable(occurrence: &Occurrence, program: Option<&Program>) -> String {
    let name = &occurrence.symbol.name;
    let rules = program.into_iter().flat_map(|program| &program.components).flat_map(|component| &component.rules);
    let ty = rules
        .filter(|rule| matches!(occurrence.symbol.scope, Scope::Rule(start) if rule.span.start == start))
        .find_map(|rule| rule.type_of(name));
    match ty {
        Some(ty) => format!("```ded\n{name}: {ty}\n```\na variable of this rule"),
        None => format!("```ded\n{name}\n```\na variable of this rule"),
    }
}

/// What a symbol is, if this text defines it.
fn symbol(text: &Text, program: Option<&Program>, symbol: &Symbol) -> Option<String> {
    let span = text.names.definition(symbol)?;
    let place = text.root.token_at_offset(span.start.into()).right_biased()?.parent()?;
    let known = program.and_then(|program| relation(program, symbol));
    let code = match known {
        Some(relation) if !relation.declared => inferred(relation),
        // What the head of a rule gives; its rule is what there is to see.
        _ if place.kind() == SyntaxKind::Call => signature(&place.ancestors().nth(2)?),
        _ => signature(&place),
    };
    let mut card = format!("```ded\n{code}\n```\n{}", sentence(symbol, program, known, &place));
    let comment = comment_above(&place);
    if !comment.is_empty() {
        card.push_str("\n\n");
        card.push_str(&comment);
    }
    Some(card)
}

fn relation<'p>(program: &'p Program, symbol: &Symbol) -> Option<&'p Relation> {
    match &symbol.scope {
        Scope::Component(component) => program.component(component)?.relation(&symbol.name),
        Scope::Text => program.components.iter().find_map(|component| component.relation(&symbol.name)),
        _ => None,
    }
}

/// A relation that the checker found, as its declaration would be.
fn inferred(relation: &Relation) -> String {
    crate::print::relation(relation)
}

/// The tokens of a declaration, up to a brace, on one line.
fn signature(node: &SyntaxNode) -> String {
    let mut line = String::new();
    for token in node.descendants_with_tokens().filter_map(|element| element.into_token()) {
        match token.kind() {
            SyntaxKind::LeftBrace => break,
            SyntaxKind::Whitespace => line.push(' '),
            SyntaxKind::Comment => {}
            _ => line.push_str(token.text()),
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sentence(symbol: &Symbol, program: Option<&Program>, relation: Option<&Relation>, place: &SyntaxNode) -> String {
    match symbol.kind {
        SymbolKind::Protocol => "the protocol".to_owned(),
        SymbolKind::Plan => "a plan".to_owned(),
        SymbolKind::Param => "a parameter: known before a run".to_owned(),
        SymbolKind::Role => match program.and_then(|program| program.role(&symbol.name)) {
            Some(role) if role.nodes == 1 => "a role of 1 logical node".to_owned(),
            Some(role) if role.nodes > 1 => format!("a role of {} logical nodes", role.nodes),
            _ => "a role: logical nodes".to_owned(),
        },
        SymbolKind::Channel => "a channel: its messages are events of the receiver".to_owned(),
        SymbolKind::Component => "a component: relations and rules that run together".to_owned(),
        SymbolKind::Column => match place.ancestors().nth(2).and_then(|declaration| ast::name(&declaration)) {
            Some(relation) => format!("a column of `{}`", relation.text()),
            None => "a column".to_owned(),
        },
        SymbolKind::Variable => "a variable of this rule".to_owned(),
        SymbolKind::Relation => {
            let kind = relation.map(|relation| relation.kind).or_else(|| declared_kind(place));
            let kind = match kind {
                Some(RelationKind::Table) => "a table: its facts stay until a rule deletes them",
                Some(RelationKind::View) => "a view: its facts hold as long as tables say so",
                Some(RelationKind::Event) => "an event: its facts hold in a single step",
                None => "a relation",
            };
            match &symbol.scope {
                Scope::Component(component) => format!("{kind}; of the component `{component}`"),
                _ => kind.to_owned(),
            }
        }
    }
}

fn declared_kind(place: &SyntaxNode) -> Option<RelationKind> {
    let has = |kind| place.kind() == SyntaxKind::Declaration && ast::has_token(place, kind);
    if has(SyntaxKind::TableWord) {
        Some(RelationKind::Table)
    } else if has(SyntaxKind::EventWord) {
        Some(RelationKind::Event)
    } else if has(SyntaxKind::ViewWord) {
        Some(RelationKind::View)
    } else {
        None
    }
}

/// The lines of comment directly above an item.
fn comment_above(place: &SyntaxNode) -> String {
    if place.kind() == SyntaxKind::Field {
        // That is about the whole declaration.
        return String::new();
    }
    let is_item = |node: &SyntaxNode| {
        node.parent().is_some_and(|parent| matches!(parent.kind(), SyntaxKind::Root | SyntaxKind::Component))
    };
    let mut lines = Vec::new();
    let mut before = place.ancestors().find(is_item).and_then(|item| item.prev_sibling_or_token());
    // Of a comment that may be the last on the line of another item, only white space before it tells.
    let mut candidate: Option<String> = None;
    while let Some(token) =
        before.as_ref().and_then(|element| element.as_token()).filter(|token| token.kind().is_trivia())
    {
        let breaks = token.text().matches('\n').count();
        match token.kind() {
            SyntaxKind::Comment => candidate = Some(token.text().trim_start_matches('/').trim().to_owned()),
            _ if breaks > 0 => {
                lines.extend(candidate.take());
                if breaks > 1 {
                    break;
                }
            }
            _ => {}
        }
        before = token.prev_sibling_or_token();
    }
    if before.is_none() {
        lines.extend(candidate);
    }
    lines.reverse();
    lines.join("\n")
}
