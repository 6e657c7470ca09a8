//! Texts and places in them.

use std::sync::Arc;

/// A text with the name under which diagnostics quote it, and the texts that it includes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// A path, or a description in angle brackets such as `<after line 2 of scalable.plan>`.
    pub name: Arc<str>,
    /// The whole text; behind it the texts that it includes, one after the other.
    pub text: Arc<str>,
    /// The texts that it includes, or that those include.
    included: Arc<[Included]>,
}

/// A text that another one includes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Included {
    /// Its name: a path.
    pub name: Arc<str>,
    /// The byte of [`Source::text`] at which it starts; it ends where the next one starts.
    pub start: u32,
    /// Why it is not there.
    pub problem: Option<Arc<str>>,
}

/// A place in one of the texts of a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'s> {
    /// The name of the text.
    pub name: &'s str,
    /// The text alone.
    pub text: &'s str,
    /// The byte in it.
    pub offset: usize,
    /// The byte of [`Source::text`] at which it starts.
    pub start: usize,
}

impl Source {
    /// A text under a name.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Source { name: name.into(), text: text.into(), included: Arc::from([]) }
    }

    /// The text alone, without those that it includes.
    #[must_use]
    pub fn own(&self) -> Source {
        if self.included.is_empty() { self.clone() } else { Source::new(self.name.clone(), self.own_text()) }
    }

    /// The text alone.
    pub fn own_text(&self) -> &str {
        &self.text[..self.included.first().map_or(self.text.len(), |first| first.start as usize)]
    }

    /// The texts that it includes.
    pub fn included(&self) -> &[Included] {
        &self.included
    }

    /// One of the texts that it includes.
    pub fn included_text(&self, index: usize) -> &str {
        let end = self.included.get(index + 1).map_or(self.text.len(), |next| next.start as usize);
        &self.text[self.included[index].start as usize..end]
    }

    /// Adds texts that it includes, each with its text or with the reason why it has none.
    #[must_use]
    pub(crate) fn with(self, texts: Vec<(Arc<str>, Result<String, String>)>) -> Source {
        let mut text = self.own_text().to_owned();
        let mut included = Vec::new();
        for (name, content) in texts {
            let start = u32::try_from(text.len()).expect("the number and the length of texts are limited");
            let problem = content.as_ref().err().map(|problem| Arc::from(problem.as_str()));
            included.push(Included { name, start, problem });
            text += &content.unwrap_or_default();
        }
        Source { name: self.name, text: text.into(), included: included.into() }
    }

    /// In which of its texts a byte is.
    pub fn place(&self, offset: u32) -> Place<'_> {
        let before = self.included.partition_point(|included| included.start <= offset);
        let (name, text, start) = match before.checked_sub(1) {
            None => (&self.name, self.own_text(), 0),
            Some(index) => (&self.included[index].name, self.included_text(index), self.included[index].start as usize),
        };
        Place { name, text, offset: (offset as usize - start).min(text.len()), start }
    }
}

impl Place<'_> {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.before().rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1
    }

    fn before(&self) -> &str {
        let mut end = self.offset;
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        &self.text[..end]
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

    /// The span of the same bytes in a text that has so many bytes in front.
    #[must_use]
    pub(crate) fn behind(self, bytes: u32) -> Span {
        Span { start: self.start + bytes, end: self.end + bytes }
    }
}
