//! Typed views of the tree. Accessors give `None` where the text is incomplete.

use super::{SyntaxKind, SyntaxNode, SyntaxToken};

/// Child nodes of one kind.
pub fn children(node: &SyntaxNode, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode> {
    node.children().filter(move |child| child.kind() == kind)
}

/// The first child node of one kind.
pub fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    children(node, kind).next()
}

/// The tokens directly in a node, without trivia.
pub fn tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.children_with_tokens().filter_map(|element| element.into_token()).filter(|token| !token.kind().is_trivia())
}

/// Whether a token of this kind is directly in the node.
pub fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    tokens(node).any(|token| token.kind() == kind)
}

/// The names directly in a node, contextual words included.
pub fn names(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    tokens(node).filter(|token| token.kind() == SyntaxKind::Name)
}

/// The first name directly in a node.
pub fn name(node: &SyntaxNode) -> Option<SyntaxToken> {
    names(node).next()
}

/// Whether the node is an expression.
pub fn is_expression(node: &SyntaxNode) -> bool {
    matches!(
        node.kind(),
        SyntaxKind::Binary
            | SyntaxKind::Unary
            | SyntaxKind::Paren
            | SyntaxKind::Call
            | SyntaxKind::Variable
            | SyntaxKind::Wildcard
            | SyntaxKind::Me
            | SyntaxKind::Literal
            | SyntaxKind::ListOf
            | SyntaxKind::TupleOf
            | SyntaxKind::RecordOf
            | SyntaxKind::Access
    )
}

/// The expressions directly in a node.
pub fn expressions(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> {
    node.children().filter(is_expression)
}

/// The arguments of a call.
pub fn arguments(call: &SyntaxNode) -> Vec<SyntaxNode> {
    child(call, SyntaxKind::Arguments).iter().flat_map(expressions).collect()
}

/// Whether a role node says `external`.
pub fn is_external(role: &SyntaxNode) -> bool {
    names(role).nth(1).is_some_and(|token| token.text() == "external")
}

/// Whether a role node says `native`.
pub fn is_native(role: &SyntaxNode) -> bool {
    names(role).nth(1).is_some_and(|token| token.text() == "native")
}

/// Whether this word stands in front of a declaration.
pub fn has_word(declaration: &SyntaxNode, word: &str) -> bool {
    child(declaration, SyntaxKind::Words).is_some_and(|words| names(&words).any(|token| token.text() == word))
}

/// The columns of the key, if there is a `=>` in the columns of a declaration.
pub fn key_columns(declaration: &SyntaxNode) -> Option<usize> {
    let fields = child(declaration, SyntaxKind::Fields)?;
    let before = fields.children_with_tokens().take_while(|element| element.kind() != SyntaxKind::FatArrow);
    has_token(&fields, SyntaxKind::FatArrow)
        .then(|| before.filter(|element| element.kind() == SyntaxKind::Field).count())
}

/// The component node's role, if it says `of ROLE`.
pub fn role_of_component(component: &SyntaxNode) -> Option<SyntaxToken> {
    names(component).nth(2)
}
