//! What the grammar is written with: a cursor over the tokens that builds the tree.

use rowan::{Checkpoint, GreenNodeBuilder, Language};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, Span};
use crate::syntax::lexer::{Token, lex};
use crate::syntax::{Dedalus, SyntaxKind, SyntaxNode, habits};

/// The most operators, calls, arguments and parentheses in one literal or expression; bounds the depth of the tree.
const MAX_OPERATIONS: u32 = 500;
/// After so many errors in one text the parser reports no more.
const MAX_ERRORS: usize = 50;

/// A syntax error.
#[derive(Debug)]
pub struct SyntaxError {
    code: Code,
    span: Span,
    message: String,
    label: String,
    help: Option<String>,
}

impl SyntaxError {
    pub(super) fn into_diagnostic(self, source: &Source) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, source, self.message).label(self.span, self.label);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// A grammar function met a token that does not fit, and has reported it.
#[derive(Debug)]
pub struct Failed;

/// What grammar functions return; whoever can go on after a failure looks for the next place where something starts.
pub type Parsed = Result<(), Failed>;

/// The cursor and the tree so far.
pub struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// Positions in `tokens` of those that are no trivia.
    significant: Vec<usize>,
    cursor: usize,
    /// Tokens before this one are in the tree.
    flushed: usize,
    builder: GreenNodeBuilder<'static>,
    errors: Vec<SyntaxError>,
    operations: u32,
    /// The rest of the text was not looked at; errors about it would be consequences.
    gave_up: bool,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let tokens = lex(text);
        let significant = (0..tokens.len()).filter(|&index| !tokens[index].kind.is_trivia()).collect();
        let builder = GreenNodeBuilder::new();
        Parser {
            text,
            tokens,
            significant,
            cursor: 0,
            flushed: 0,
            builder,
            errors: Vec::new(),
            operations: 0,
            gave_up: false,
        }
    }

    pub(super) fn finish(mut self, grammar: fn(&mut Parser<'_>)) -> (SyntaxNode, Vec<SyntaxError>) {
        self.builder.start_node(Dedalus::kind_to_raw(SyntaxKind::Root));
        grammar(&mut self);
        while !self.at(SyntaxKind::EndOfFile) {
            self.bump();
        }
        self.flush_trivia();
        self.builder.finish_node();
        (SyntaxNode::new_root(self.builder.finish()), self.errors)
    }

    /// The kind of the next token.
    pub fn peek(&self) -> SyntaxKind {
        self.nth(0)
    }

    /// The kind of the token after `n` others.
    pub fn nth(&self, n: usize) -> SyntaxKind {
        self.significant.get(self.cursor + n).map_or(SyntaxKind::EndOfFile, |&index| self.tokens[index].kind)
    }

    /// Whether the next token is of this kind.
    pub fn at(&self, kind: SyntaxKind) -> bool {
        self.peek() == kind
    }

    /// Whether the next token is this word, which is a name elsewhere.
    pub fn at_word(&self, word: &str) -> bool {
        self.at(SyntaxKind::Name) && self.peek_text() == word
    }

    /// Whether the token after `n` others is this word.
    pub fn nth_is_word(&self, n: usize, word: &str) -> bool {
        let Some(&index) = self.significant.get(self.cursor + n) else { return false };
        let span = self.tokens[index].span;
        self.nth(n) == SyntaxKind::Name && &self.text[span.start as usize..span.end as usize] == word
    }

    /// The text of the next token.
    pub fn peek_text(&self) -> &'t str {
        let span = self.peek_span();
        &self.text[span.start as usize..span.end as usize]
    }

    /// Whether a field follows the token before, without a space: `.name` or `.0`.
    pub fn at_field(&self) -> bool {
        let (Some(before), Some(&dot), Some(&field)) = (
            self.cursor.checked_sub(1).and_then(|before| self.significant.get(before)),
            self.significant.get(self.cursor),
            self.significant.get(self.cursor + 1),
        ) else {
            return false;
        };
        let [before, dot, field] = [before, &dot, &field].map(|index| self.tokens[*index]);
        dot.kind == SyntaxKind::Dot
            && matches!(field.kind, SyntaxKind::Name | SyntaxKind::Int)
            && before.span.end == dot.span.start
            && dot.span.end == field.span.start
    }

    /// Whether the next token is the first one of its line.
    pub fn at_line_start(&self) -> bool {
        let Some(&index) = self.significant.get(self.cursor) else { return true };
        let start = self.tokens[index].span.start as usize;
        let previous =
            self.cursor.checked_sub(1).map_or(0, |before| self.tokens[self.significant[before]].span.end as usize);
        self.cursor == 0 || self.text[previous..start].contains('\n')
    }

    /// The text of the token before the next one.
    fn previous_text(&self) -> &'t str {
        let Some(before) = self.cursor.checked_sub(1) else { return "" };
        let span = self.tokens[self.significant[before]].span;
        &self.text[span.start as usize..span.end as usize]
    }

    fn peek_span(&self) -> Span {
        match self.significant.get(self.cursor) {
            Some(&index) => self.tokens[index].span,
            None => {
                let end = u32::try_from(self.text.trim_end().len()).expect("texts over the size limit are not parsed");
                Span::new(end, end)
            }
        }
    }

    fn flush_trivia(&mut self) {
        let end = self.significant.get(self.cursor).copied().unwrap_or(self.tokens.len());
        while self.flushed < end {
            self.flush_one();
        }
    }

    fn flush_one(&mut self) {
        let token = self.tokens[self.flushed];
        let text = &self.text[token.span.start as usize..token.span.end as usize];
        self.builder.token(Dedalus::kind_to_raw(token.kind), text);
        self.flushed += 1;
    }

    /// Puts the next token into the tree.
    pub fn bump(&mut self) {
        self.flush_trivia();
        if self.cursor < self.significant.len() {
            self.flush_one();
            self.cursor += 1;
        }
    }

    /// Takes the next token if it is of this kind.
    pub fn eat(&mut self, kind: SyntaxKind) -> bool {
        let fits = self.at(kind);
        if fits {
            self.bump();
        }
        fits
    }

    /// Takes the next token if it is this word.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let fits = self.at_word(word);
        if fits {
            self.bump();
        }
        fits
    }

    /// Takes a token of this kind or fails.
    pub fn expect(&mut self, kind: SyntaxKind) -> Parsed {
        if self.eat(kind) { Ok(()) } else { self.fail(kind.describe()) }
    }

    /// Takes this word or fails.
    pub fn expect_word(&mut self, word: &str) -> Parsed {
        if self.eat_word(word) { Ok(()) } else { self.fail(&format!("the word `{word}`")) }
    }

    /// Builds a node out of what `inside` takes.
    pub fn node(&mut self, kind: SyntaxKind, inside: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.flush_trivia();
        self.builder.start_node(Dedalus::kind_to_raw(kind));
        let parsed = inside(self);
        self.builder.finish_node();
        parsed
    }

    /// Remembers this place, for [`Parser::wrap`].
    pub fn checkpoint(&mut self) -> Checkpoint {
        self.flush_trivia();
        self.builder.checkpoint()
    }

    /// Builds a node out of what has been taken since the checkpoint, and of what `inside` takes.
    pub fn wrap(
        &mut self,
        checkpoint: Checkpoint,
        kind: SyntaxKind,
        inside: impl FnOnce(&mut Self) -> Parsed,
    ) -> Parsed {
        self.builder.start_node_at(checkpoint, Dedalus::kind_to_raw(kind));
        let parsed = inside(self);
        self.builder.finish_node();
        parsed
    }

    /// Takes tokens into an error node until one at which `stop` holds, at least one.
    pub fn skip_until(&mut self, stop: impl Fn(&Self) -> bool) {
        let skipped = self.node(SyntaxKind::Error, |parser| {
            parser.bump();
            while !parser.at(SyntaxKind::EndOfFile) && !stop(parser) {
                parser.bump();
            }
            Ok(())
        });
        debug_assert!(skipped.is_ok(), "skipping cannot fail");
    }

    /// Whether no error was reported so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Reports that the next token does not fit.
    pub fn fail(&mut self, expected: &str) -> Parsed {
        let found = self.peek();
        let (span, text) = (self.peek_span(), self.peek_text());
        let habit = || habits::help(expected, self.previous_text(), text).map(str::to_owned);
        let error = match found {
            SyntaxKind::Unknown => SyntaxError {
                code: Code::E0102,
                span,
                message: format!("`{text}` is no part of the language"),
                label: format!("expected {expected}"),
                help: habit(),
            },
            SyntaxKind::UnclosedString => SyntaxError {
                code: Code::E0102,
                span,
                message: "a string has no closing quote".to_owned(),
                label: "starts here, and the line ends".to_owned(),
                help: Some("a string ends on the line where it starts; `\\n` is a line break".to_owned()),
            },
            _ => SyntaxError {
                code: Code::E0101,
                span,
                message: format!("expected {expected}, found {}", describe_token(found, text)),
                label: format!("expected {expected}"),
                help: (expected == "a name"
                    && SyntaxKind::of_word(text) != SyntaxKind::Name
                    && found != SyntaxKind::EndOfFile)
                    .then(|| format!("`{text}` is a word of the language and cannot be a name"))
                    .or_else(habit),
            },
        };
        self.report(error);
        Err(Failed)
    }

    fn report(&mut self, error: SyntaxError) {
        if self.errors.len() < MAX_ERRORS && !self.gave_up {
            self.errors.push(error);
        }
    }

    /// Starts the count of operations anew: a literal or an expression of its own begins.
    pub fn begin_expression(&mut self) {
        self.operations = 0;
    }

    /// Counts an operation, an argument, a column or a literal of a body; over the limit, takes all the rest of the text as one error.
    pub fn count_operation(&mut self) -> Parsed {
        self.operations += 1;
        self.limit(self.operations)
    }

    /// Whether a number of parts is within the limit; if not, takes all the rest of the text as one error.
    pub fn limit(&mut self, parts: u32) -> Parsed {
        if parts <= MAX_OPERATIONS {
            return Ok(());
        }
        let error = SyntaxError {
            code: Code::E0105,
            span: self.peek_span(),
            message: format!("this has more than {MAX_OPERATIONS} parts"),
            label: "this is too much".to_owned(),
            help: Some("name parts of an expression, `x = ...`, or split the rule".to_owned()),
        };
        self.report(error);
        self.gave_up = true;
        self.skip_until(|_| false);
        Err(Failed)
    }
}

fn describe_token(kind: SyntaxKind, text: &str) -> String {
    match kind {
        SyntaxKind::Name => format!("`{text}`"),
        SyntaxKind::Int | SyntaxKind::Bytes | SyntaxKind::String => {
            let short: String = text.chars().take(20).collect();
            format!("`{short}`")
        }
        _ => kind.describe().to_owned(),
    }
}
