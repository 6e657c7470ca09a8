//! The formatter: one layout for every text, on the lossless tree, so that comments stay where they were.
//!
//! Every item has a line of its own; blank lines are kept, several become one. Adjacent rules have their arrows below each other, adjacent
//! channels their ends. **Invariant**: formatting a formatted text changes nothing. Therefore every decision depends on tokens,
//! comments and blank lines alone, never on where lines were broken or how far things were apart.

mod item;
mod layout;

use crate::diagnostic::Diagnostics;
use crate::source::Source;
use crate::syntax::{MAX_TEXT_BYTES, SyntaxKind, SyntaxNode, ast, lex, parse_plan, parse_program};
use layout::Layout;

/// The text in the one layout; protocols, properties and plans alike. Fails with the syntax errors of a text that has some.
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    let source = &source.own();
    let parse = if is_plan(source) { parse_plan(source) } else { parse_program(source) };
    if !parse.errors.is_empty() {
        return Err(Diagnostics::new(parse.errors));
    }
    let mut layout = Layout::default();
    sequence(&parse.root, 0, &mut layout);
    Ok(layout.finish())
}

/// Whether the first word of the text is `plan`.
fn is_plan(source: &Source) -> bool {
    if source.text.len() > MAX_TEXT_BYTES {
        return false;
    }
    let first = lex(&source.text).into_iter().find(|token| !token.kind.is_trivia());
    first.is_some_and(|token| &source.text[token.span.start as usize..token.span.end as usize] == "plan")
}

/// Lays out the items directly in a node, and the comments and blank lines between them.
fn sequence(node: &SyntaxNode, indent: usize, layout: &mut Layout) {
    for element in node.children_with_tokens() {
        match element {
            rowan::NodeOrToken::Token(token) => match token.kind() {
                SyntaxKind::Whitespace => layout.white_space(token.text()),
                SyntaxKind::Comment => layout.comment(indent, token.text()),
                _ => {}
            },
            rowan::NodeOrToken::Node(child) if child.kind() == SyntaxKind::Component => {
                component(&child, indent, layout)
            }
            rowan::NodeOrToken::Node(child) => layout.item(item::item(&child, indent)),
        }
    }
}

fn component(node: &SyntaxNode, indent: usize, layout: &mut Layout) {
    let is_brace = |element: &rowan::NodeOrToken<_, crate::syntax::SyntaxToken>| {
        element.as_token().is_some_and(|token| token.kind() == SyntaxKind::LeftBrace)
    };
    layout.item(item::component_header(node, indent));
    layout.open();
    for element in node.children_with_tokens().skip_while(|element| !is_brace(element)).skip(1) {
        match element {
            rowan::NodeOrToken::Token(token) => match token.kind() {
                SyntaxKind::Whitespace => layout.white_space(token.text()),
                SyntaxKind::Comment => layout.comment(indent + 2, token.text()),
                _ => {}
            },
            rowan::NodeOrToken::Node(child) => layout.item(item::item(&child, indent + 2)),
        }
    }
    layout.close(indent);
    debug_assert!(ast::has_token(node, SyntaxKind::RightBrace), "only texts without syntax errors are formatted");
}
