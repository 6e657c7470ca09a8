//! The names of a text, each with what it means.

use crate::ir::Name;
use crate::source::Span;

/// What a name stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Symbol {
    /// What kind of thing.
    pub kind: SymbolKind,
    /// Where the name has this meaning.
    pub scope: Scope,
    /// The name.
    pub name: Name,
}

/// What kind of thing a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "they are the words of the language")]
pub enum SymbolKind {
    Protocol,
    Plan,
    Param,
    Role,
    Channel,
    Component,
    Relation,
    Column,
    Variable,
}

/// Where a name has its meaning.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// In the protocol, its properties and its plans.
    Protocol,
    /// In one component of the protocol.
    Component(Name),
    /// In this text: parameters and new components of a plan, relations of properties.
    Text,
    /// In the declaration that starts at this byte.
    Declaration(u32),
    /// In the rule that starts at this byte.
    Rule(u32),
}

impl Symbol {
    /// Whether other texts of the protocol mean the same by the name.
    pub fn is_shared(&self) -> bool {
        matches!(self.scope, Scope::Protocol | Scope::Component(_))
    }
}

/// A name at a place.
#[derive(Clone, PartialEq, Debug)]
pub struct Occurrence {
    /// Where.
    pub span: Span,
    /// What it stands for.
    pub symbol: Symbol,
    /// Whether this place says what it stands for: a declaration, the first rule that derives a relation which is not declared,
    /// the first literal that binds a variable.
    pub defines: bool,
}

/// All names of a text.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// In the order of the text.
    occurrences: Vec<Occurrence>,
}

impl Names {
    /// Sorts these by place.
    pub(super) fn new(mut occurrences: Vec<Occurrence>) -> Names {
        occurrences.sort_by_key(|occurrence| occurrence.span.start);
        Names { occurrences }
    }

    /// The name at a byte, or that ends there.
    pub fn at(&self, offset: u32) -> Option<&Occurrence> {
        let after = self.occurrences.partition_point(|occurrence| occurrence.span.start <= offset);
        let nearest = after.checked_sub(1).and_then(|before| self.occurrences.get(before))?;
        (offset <= nearest.span.end).then_some(nearest)
    }

    /// Where the text says what it stands for.
    pub fn definition(&self, symbol: &Symbol) -> Option<Span> {
        self.iter().find(|occurrence| occurrence.defines && occurrence.symbol == *symbol).map(|found| found.span)
    }

    /// Each place where it is named, and whether that is a definition.
    pub fn references(&self, symbol: &Symbol) -> impl Iterator<Item = &Occurrence> {
        self.iter().filter(move |occurrence| occurrence.symbol == *symbol)
    }

    /// All names.
    pub fn iter(&self) -> std::slice::Iter<'_, Occurrence> {
        self.occurrences.iter()
    }
}
