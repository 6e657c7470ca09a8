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
        expansion.add(node, None, self);
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

/// Items that are left out of a protocol, and whether they were there.
struct LeftOut {
    items: Vec<(SyntaxNode, bool)>,
}

impl Expansion<'_> {
    fn add(&mut self, node: &SyntaxNode, mut left_out: Option<&mut LeftOut>, lowering: &mut Lowering<'_>) {
        for child in node.children() {
            match child.kind() {
                SyntaxKind::Include => self.include(&child, lowering),
                _ if left_out.as_deref_mut().is_some_and(|left_out| left_out.has(&child)) => {}
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
            let mut left_out = ast::child(include, SyntaxKind::Without).map(|without| LeftOut::new(&without));
            self.add(&text, left_out.as_mut(), lowering);
            self.open.pop();
            let missing = left_out.into_iter().flat_map(|left_out| left_out.items).filter(|(_, is_there)| !is_there);
            for (item, _) in missing {
                let message = format!("the text \"{path}\" has no `{}`", item.text());
                lowering.sink.error(Code::E0108, span_of(&item), message, "cannot be left out");
            }
        }
    }
}

impl LeftOut {
    fn new(without: &SyntaxNode) -> Self {
        LeftOut { items: ast::children(without, SyntaxKind::Except).map(|item| (item, false)).collect() }
    }

    /// Whether an item of the included protocol is left out. Its header always is: the text that includes it has one of its own.
    fn has(&mut self, item: &SyntaxNode) -> bool {
        let is_same = |except: &SyntaxNode| {
            let kind = ast::tokens(except).next().zip(ast::tokens(item).next());
            let is_kind = kind.is_some_and(|(except, item)| except.text() == item.text());
            // Of `record NAME` and its like the last name is the name; other items have the first.
            let name = if item.kind() == SyntaxKind::Record { ast::names(item).nth(1) } else { ast::name(item) };
            let except = ast::names(except).last();
            is_kind && name.zip(except).is_some_and(|(name, except)| name.text() == except.text())
        };
        let found = self.items.iter_mut().filter(|(except, _)| is_same(except)).map(|(_, is_there)| *is_there = true);
        found.count() > 0 || item.kind() == SyntaxKind::Header
    }
}

fn refuse(span: Span, include: &SyntaxNode, problem: &str, lowering: &mut Lowering<'_>) {
    let path = path(include).unwrap_or_default();
    lowering.sink.error(Code::E0108, span, format!("the text \"{path}\" cannot be included"), problem);
}
