//! Text to tokens. Every byte of the text is in exactly one token.

use logos::Logos;

use crate::source::Span;
use crate::syntax::SyntaxKind;

/// A token: a kind and a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: SyntaxKind,
    /// Where it is.
    pub span: Span,
}

/// The tokens of a text shorter than 4 GiB, trivia included. Neighbouring unknown characters make one token.
pub fn lex(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (result, range) in SyntaxKind::lexer(text).spanned() {
        let kind = match result {
            Ok(SyntaxKind::Name) => SyntaxKind::of_word(&text[range.clone()]),
            Ok(kind) => kind,
            Err(()) => SyntaxKind::Unknown,
        };
        let position = |byte: usize| u32::try_from(byte).expect("texts over the size limit are not lexed");
        let span = Span::new(position(range.start), position(range.end));
        match tokens.last_mut() {
            Some(last) if kind == SyntaxKind::Unknown && last.kind == kind => last.span.end = span.end,
            _ => tokens.push(Token { kind, span }),
        }
    }
    tokens
}
