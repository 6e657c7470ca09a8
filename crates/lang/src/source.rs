//! Texts and places in them.

use std::sync::Arc;

/// A text with the name under which diagnostics quote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// A path, or a description in angle brackets such as `<after line 2 of scalable.plan>`.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

impl Source {
    /// A text under a name.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Source { name: name.into(), text: text.into() }
    }
}

/// A range of bytes of a [`Source`].
///
/// All spans are equal: where a construct stands is no part of what it is, so that programs can be compared.
#[derive(Clone, Copy, Eq, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Span {
    /// The bytes from `start` to before `end`.
    pub fn new(start: u32, end: u32) -> Self {
        Span { start, end }
    }
}
