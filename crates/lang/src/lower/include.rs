//! What stands in other texts.

use std::collections::BTreeSet;

use super::Lowering;
use crate::diagnostic::Code;
use crate::include::{path, resolve};
use crate::source::{Source, Span};
use crate::syntax::{SyntaxKind, SyntaxNode, ast, span_of};

impl Lowering<'_> {
    /// What is directly in a node, with the contents of texts in the places where they are included. A text counts once.
    pub(crate) fn expanded(&mut self, node: &SyntaxNode) -> Vec<SyntaxNode> {
        let root = node.ancestors().last().unwrap_or_else(|| node.clone());
        let texts = ast::children(&root, SyntaxKind::Included).filter_map(|text| ast::child(&text, SyntaxKind::Root));
        let source = self.sink.source().clone();
        let mut expansion = Expansion {
            source: &source,
            texts: texts.collect(),
            open: Vec::new(),
            done: BTreeSet::new(),
            found: Vec::new(),
        };
        expansion.add(node, self);
        expansion.found
    }
}

struct Expansion<'s> {
    source: &'s Source,
    /// The trees of the included texts.
    texts: Vec<SyntaxNode>,
    /// Those whose contents are being added.
    open: Vec<usize>,
    done: BTreeSet<usize>,
    found: Vec<SyntaxNode>,
}

impl Expansion<'_> {
    fn add(&mut self, node: &SyntaxNode, lowering: &mut Lowering<'_>) {
        for child in node.children() {
            match child.kind() {
                SyntaxKind::Include => self.include(&child, lowering),
                SyntaxKind::Header if !self.open.is_empty() => {
                    let message = "an included text has no header";
                    lowering.sink.error(
                        Code::E0107,
                        span_of(&child),
                        message,
                        "belongs to the text that includes this one",
                    );
                }
                SyntaxKind::Included => {}
                _ => self.found.push(child),
            }
        }
    }

    fn include(&mut self, include: &SyntaxNode, lowering: &mut Lowering<'_>) {
        let span = span_of(include);
        let mut refuse = |problem: &str| refuse(span, include, problem, lowering);
        let Some(path) = path(include) else { return };
        let Some(name) = resolve(self.source.place(span.start).name, &path) else {
            return refuse("the path is relative to the text that it stands in");
        };
        if name == *self.source.name {
            return refuse("this text includes itself");
        }
        let Some(index) = self.source.included().iter().position(|included| *included.name == *name) else {
            return refuse("no text can be included here");
        };
        if let Some(problem) = &self.source.included()[index].problem {
            return refuse(problem);
        }
        if self.open.contains(&index) {
            return refuse("this text includes itself");
        }
        if self.done.insert(index) {
            self.open.push(index);
            let text = self.texts[index].clone();
            self.add(&text, lowering);
            self.open.pop();
        }
    }
}

fn refuse(span: Span, include: &SyntaxNode, problem: &str, lowering: &mut Lowering<'_>) {
    let path = path(include).unwrap_or_default();
    lowering.sink.error(Code::E0108, span, format!("the text \"{path}\" cannot be included"), problem);
}
