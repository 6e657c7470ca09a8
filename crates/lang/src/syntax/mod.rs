//! Text to a lossless tree: every token of the text, white space and comments too, is in the tree, whatever the errors.
//!
//! **Parsing never fails and always ends.** A text with errors gives a tree and a list of diagnostics. Trees have a bounded
//! depth, so that later passes may recurse.

pub mod ast;
mod grammar;
mod habits;
mod kind;
mod lexer;
mod parser;

pub use kind::SyntaxKind;
pub use lexer::{Token, lex};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, Span};

/// The longest text that is accepted, in bytes.
pub const MAX_TEXT_BYTES: usize = 1 << 18;

/// The language of the tree, for `rowan`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dedalus {}

impl rowan::Language for Dedalus {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        grammar::KINDS.get(usize::from(raw.0)).copied().unwrap_or(SyntaxKind::Error)
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

/// A node of the tree.
pub type SyntaxNode = rowan::SyntaxNode<Dedalus>;
/// A token of the tree.
pub type SyntaxToken = rowan::SyntaxToken<Dedalus>;

/// A tree and what is wrong with the text.
#[derive(Debug)]
pub struct Parse {
    /// The root, of kind [`SyntaxKind::Root`].
    pub root: SyntaxNode,
    /// Syntax errors, in the order of the text.
    pub errors: Vec<Diagnostic>,
}

/// Parses a protocol, or properties: `protocol NAME`, `properties of NAME`; behind the items the texts that it includes, each as one
/// [`SyntaxKind::Included`].
pub fn parse_program(source: &Source) -> Parse {
    let own = parse(&source.own(), grammar::program);
    if source.included().is_empty() {
        return own;
    }
    let mut errors: Vec<Diagnostic> = Vec::new();
    let mut nodes = vec![own.root.green().into_owned()];
    for (index, included) in source.included().iter().enumerate() {
        let parse = parse(&Source::new(included.name.clone(), source.included_text(index)), grammar::program);
        nodes.push(parse.root.green().into_owned());
        let behind = |(span, label): (Span, String)| (span.behind(included.start), label);
        errors.extend(
            parse
                .errors
                .into_iter()
                .map(|error| Diagnostic { labels: error.labels.into_iter().map(behind).collect(), ..error }),
        );
    }
    let whole = |error: Diagnostic| Diagnostic { source: source.clone(), ..error };
    Parse { root: join(nodes), errors: own.errors.into_iter().chain(errors).map(whole).collect() }
}

/// The tree of a text with those that it includes; all are of kind [`SyntaxKind::Root`].
fn join(roots: Vec<rowan::GreenNode>) -> SyntaxNode {
    use rowan::{GreenNode, Language, NodeOrToken};
    let mut roots = roots.into_iter();
    let own = roots.next().into_iter().flat_map(|own| {
        let children = own.children().map(|child| match child {
            NodeOrToken::Node(node) => NodeOrToken::Node(node.to_owned()),
            NodeOrToken::Token(token) => NodeOrToken::Token(token.to_owned()),
        });
        children.collect::<Vec<_>>()
    });
    let kind = Dedalus::kind_to_raw(SyntaxKind::Included);
    let included = roots.map(|root| NodeOrToken::Node(GreenNode::new(kind, [NodeOrToken::Node(root)])));
    let children: Vec<_> = own.chain(included).collect();
    SyntaxNode::new_root(GreenNode::new(Dedalus::kind_to_raw(SyntaxKind::Root), children))
}

/// Parses a plan.
pub fn parse_plan(source: &Source) -> Parse {
    parse(source, grammar::plan)
}

/// Parses one line of a plan.
pub fn parse_plan_line(source: &Source) -> Parse {
    parse(source, grammar::plan_line)
}

/// Parses `NAME = VALUE`, as in an override of a parameter.
pub fn parse_override(source: &Source) -> Parse {
    parse(source, grammar::parameter_override)
}

fn parse(source: &Source, grammar: fn(&mut parser::Parser<'_>)) -> Parse {
    if source.text.len() > MAX_TEXT_BYTES {
        let message = format!("the text has {} bytes, more than the limit of {MAX_TEXT_BYTES}", source.text.len());
        let error = Diagnostic::error(Code::E0106, source, message).label(Span::new(0, 1), "too much text");
        let (root, _) = parser::Parser::new("").finish(grammar);
        return Parse { root, errors: vec![error] };
    }
    let (root, errors) = parser::Parser::new(&source.text).finish(grammar);
    Parse { root, errors: errors.into_iter().map(|error| error.into_diagnostic(source)).collect() }
}

/// The place of a node, without the trivia around it.
pub fn span_of(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    Span::new(range.start().into(), range.end().into())
}

/// The place of a token.
pub fn token_span(token: &SyntaxToken) -> Span {
    let range = token.text_range();
    Span::new(range.start().into(), range.end().into())
}
