//! One item as text: the spaces between its tokens, and its lines where one is not enough.

use super::layout::{Group, Item};
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken};

/// Rules that would be wider get a line for each literal.
const MAX_WIDTH: usize = 120;

/// A declaration, rule, channel or other item.
pub fn item(node: &SyntaxNode, indent: usize) -> Item {
    let tokens = tokens(node);
    let (group, split) = match node.kind() {
        SyntaxKind::Rule | SyntaxKind::Eventually | SyntaxKind::Linearizable => {
            (Group::Rule, tokens.iter().position(|token| is_arrow(token.kind())))
        }
        SyntaxKind::Channel => (Group::Channel, end_of_fields(&tokens)),
        _ => (Group::None, None),
    };
    let has_comment = tokens.iter().any(|token| token.kind() == SyntaxKind::Comment);
    let split = split.filter(|_| !has_comment).unwrap_or(tokens.len());
    let (left, right) = (on_one_line(&tokens[..split]), on_one_line(&tokens[split..]));
    let too_wide = group == Group::Rule && indent + left.chars().count() + 1 + right.chars().count() > MAX_WIDTH;
    if has_comment || too_wide {
        return broken(&tokens, group, indent);
    }
    Item { indent, group, left, right, more: Vec::new() }
}

/// A component up to its opening brace.
pub fn component_header(node: &SyntaxNode, indent: usize) -> Item {
    let mut tokens = tokens(node);
    let brace = tokens.iter().position(|token| token.kind() == SyntaxKind::LeftBrace);
    tokens.truncate(brace.map_or(tokens.len(), |brace| brace + 1));
    if tokens.iter().any(|token| token.kind() == SyntaxKind::Comment) {
        return broken(&tokens, Group::None, indent);
    }
    Item { indent, group: Group::None, left: on_one_line(&tokens), right: String::new(), more: Vec::new() }
}

/// All tokens of a node but white space.
fn tokens(node: &SyntaxNode) -> Vec<SyntaxToken> {
    let elements = node.descendants_with_tokens();
    elements.filter_map(|element| element.into_token()).filter(|token| token.kind() != SyntaxKind::Whitespace).collect()
}

fn is_arrow(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::Now | SyntaxKind::Next | SyntaxKind::Async)
}

/// The position after the parenthesis that closes the fields of a channel.
fn end_of_fields(tokens: &[SyntaxToken]) -> Option<usize> {
    let closing =
        |token: &SyntaxToken| token.kind() == SyntaxKind::RightParen && parent(token) == Some(SyntaxKind::Fields);
    tokens.iter().position(closing).map(|position| position + 1)
}

fn parent(token: &SyntaxToken) -> Option<SyntaxKind> {
    token.parent().map(|parent| parent.kind())
}

fn on_one_line(tokens: &[SyntaxToken]) -> String {
    let mut out = String::new();
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 && spaced(&tokens[index - 1], token) {
            out.push(' ');
        }
        out += token.text();
    }
    out
}

/// One line for each literal of a rule, and a new line after each comment.
fn broken(tokens: &[SyntaxToken], group: Group, indent: usize) -> Item {
    let more_indent = indent + 4;
    let (mut lines, mut line, mut previous): (Vec<String>, String, Option<&SyntaxToken>) =
        (Vec::new(), String::new(), None);
    let mut full = false;
    for token in tokens {
        let is_comment = token.kind() == SyntaxKind::Comment;
        if line.is_empty() {
            line.push_str(token.text().trim_end());
        } else if is_comment && !on_line_of_its_own(token) {
            line += &format!("  {}", token.text().trim_end());
        } else if full || is_comment || begins_answer(token) {
            lines.push(std::mem::replace(&mut line, token.text().trim_end().to_owned()));
        } else {
            if previous.is_some_and(|previous| spaced(previous, token)) {
                line.push(' ');
            }
            line += token.text();
        }
        full = if is_comment { true } else { breaks_after(token) };
        previous = Some(token);
    }
    lines.push(line);
    let left = lines.remove(0);
    let more = lines.into_iter().map(|line| format!("{:more_indent$}{line}", "")).collect();
    Item { indent, group, left, right: String::new(), more }
}

fn on_line_of_its_own(comment: &SyntaxToken) -> bool {
    let before = comment.prev_token();
    before.is_none_or(|before| before.kind() == SyntaxKind::Whitespace && before.text().contains('\n'))
}

fn breaks_after(token: &SyntaxToken) -> bool {
    let separates = token.kind() == SyntaxKind::Comma || is_arrow(token.kind());
    separates
        && matches!(
            parent(token),
            Some(SyntaxKind::Rule | SyntaxKind::Eventually | SyntaxKind::Linearizable | SyntaxKind::Until)
        )
}

/// Whether a token is the `until` of an operation.
fn begins_answer(token: &SyntaxToken) -> bool {
    token.kind() == SyntaxKind::Name && parent(token) == Some(SyntaxKind::Until)
}

/// Whether a space stands between two tokens.
fn spaced(left: &SyntaxToken, right: &SyntaxToken) -> bool {
    use SyntaxKind as Kind;
    let grandparent = || right.parent().and_then(|parent| parent.parent()).map(|node| node.kind());
    let opens = match left.kind() {
        Kind::LeftParen | Kind::LeftBracket | Kind::Bang | Kind::AtSign => true,
        Kind::Minus => parent(left) == Some(Kind::Unary),
        Kind::Less => parent(left) == Some(Kind::TypeName),
        Kind::Dot => parent(left) == Some(Kind::Access),
        _ => false,
    };
    let closes = match right.kind() {
        Kind::RightParen | Kind::RightBracket | Kind::Comma | Kind::Colon | Kind::AtSign => true,
        Kind::LeftParen => matches!(parent(right), Some(Kind::Arguments | Kind::Fields | Kind::Authenticated)),
        Kind::LeftBracket if parent(right) == Some(Kind::ListOf) => false,
        Kind::LeftBracket => grandparent() != Some(Kind::Component),
        Kind::Less | Kind::Greater => parent(right) == Some(Kind::TypeName),
        Kind::Dot => parent(right) == Some(Kind::Access),
        _ => false,
    };
    !opens && !closes
}
