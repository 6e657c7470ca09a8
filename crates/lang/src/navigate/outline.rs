//! What there is in a text, as a tree.

use crate::source::Span;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

use super::names::SymbolKind;
use super::text::Text;

/// An item of a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole item.
    pub span: Span,
    /// Its name in the text.
    pub name_span: Span,
    /// What is in it.
    pub children: Vec<Entry>,
}

/// The items of a text, and the relations of its components.
pub fn outline(text: &Text) -> Vec<Entry> {
    text.root.children().flat_map(|item| entry(text, &item)).collect()
}

fn entry(text: &Text, item: &SyntaxNode) -> Option<Entry> {
    let named = |position: usize| ast::names(item).nth(position);
    match item.kind() {
        SyntaxKind::Param => simple(item, named(0)?, SymbolKind::Param),
        SyntaxKind::Role => simple(item, named(0)?, SymbolKind::Role),
        SyntaxKind::Channel => simple(item, named(0)?, SymbolKind::Channel),
        SyntaxKind::Component => {
            let mut entry = simple(item, named(0)?, SymbolKind::Component)?;
            entry.children = item.children().filter_map(|member| relation(text, &member)).collect();
            Some(entry)
        }
        SyntaxKind::Rule => property(item),
        SyntaxKind::Eventually => goal(item),
        SyntaxKind::Linearizable => operation(item),
        // `decouple COMPONENT { ... } into NAME`: what it makes.
        SyntaxKind::Decouple => simple(item, named(3)?, SymbolKind::Component),
        _ => None,
    }
}

fn simple(item: &SyntaxNode, name: SyntaxToken, kind: SymbolKind) -> Option<Entry> {
    let name_span = token_span(&name);
    Some(Entry { name: name.text().to_owned(), kind, span: span_of(item), name_span, children: Vec::new() })
}

/// A member of a component, or a rule of properties, that defines a relation.
fn relation(text: &Text, member: &SyntaxNode) -> Option<Entry> {
    let name = match member.kind() {
        SyntaxKind::Timer => return simple(member, ast::name(member)?, SymbolKind::Channel),
        SyntaxKind::Declaration => ast::name(member)?,
        SyntaxKind::Rule => head(member)?,
        _ => return None,
    };
    let occurrence = text.names.at(token_span(&name).start)?;
    let defines = occurrence.defines && occurrence.symbol.kind == SymbolKind::Relation;
    if defines { simple(member, name, SymbolKind::Relation) } else { None }
}

/// A rule of properties, with the text that says what must never happen.
fn property(rule: &SyntaxNode) -> Option<Entry> {
    let mut entry = simple(rule, head(rule)?, SymbolKind::Relation)?;
    let call = ast::child(&ast::child(rule, SyntaxKind::Head)?, SyntaxKind::Call)?;
    let first = ast::arguments(&call).into_iter().next().and_then(|argument| ast::tokens(&argument).next());
    if let Some(why) = first.filter(|token| token.kind() == SyntaxKind::String) {
        entry.name = format!("{} {}", entry.name, why.text());
    }
    Some(entry)
}

/// `eventually GOAL :- ...`
fn goal(item: &SyntaxNode) -> Option<Entry> {
    let goal = ast::child(&ast::child(item, SyntaxKind::Goal)?, SyntaxKind::Call)?;
    let mut entry = simple(item, ast::name(&goal)?, SymbolKind::Relation)?;
    entry.name = format!("eventually {}", entry.name);
    Some(entry)
}

/// `linearizable OPERATION :- ...`
fn operation(item: &SyntaxNode) -> Option<Entry> {
    let operation = ast::child(&ast::child(item, SyntaxKind::Operation)?, SyntaxKind::Call)?;
    let mut entry = simple(item, ast::name(&operation)?, SymbolKind::Relation)?;
    entry.name = format!("linearizable {}", entry.name);
    Some(entry)
}

fn head(rule: &SyntaxNode) -> Option<SyntaxToken> {
    let head = ast::child(rule, SyntaxKind::Head)?;
    ast::name(&ast::child(&head, SyntaxKind::Call)?)
}
