//! `include "path"`: texts that several protocols share.
//!
//! Reading files is for others to do: whoever has a text asks [`gather`] for the texts that it includes, and gives a function that reads
//! one. A text that includes others is compiled like any other; what could not be read is an error at the `include` that names it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::source::Source;
use crate::syntax::{self, MAX_TEXT_BYTES, SyntaxKind, SyntaxNode, ast};

/// The most texts that one text includes, by itself or through others.
pub const MAX_INCLUDED: usize = 64;

/// A text with all texts that it includes, and that those include. `read` gives the text of a name, or says why there is none. A name is
/// the path in the `include`, beside the text that it stands in.
pub fn gather(source: &Source, mut read: impl FnMut(&str) -> Result<String, String>) -> Source {
    let mut known: BTreeSet<Arc<str>> = BTreeSet::from([source.name.clone()]);
    let mut waiting: VecDeque<Arc<str>> = VecDeque::new();
    let mut texts: Vec<(Arc<str>, Result<String, String>)> = Vec::new();
    let mut find = |name: &str, text: &str, waiting: &mut VecDeque<Arc<str>>| {
        for path in paths(text) {
            if let Some(found) = resolve(name, &path).map(Arc::from).filter(|found| known.insert(Arc::clone(found))) {
                waiting.push_back(found);
            }
        }
    };
    find(&source.name, source.own_text(), &mut waiting);
    while let Some(name) = waiting.pop_front() {
        let text = match texts.len() {
            MAX_INCLUDED.. => Err(format!("more than {MAX_INCLUDED} texts are included")),
            _ => read(&name).and_then(|text| match text.len() {
                0..=MAX_TEXT_BYTES => Ok(text),
                bytes => Err(format!("it has {bytes} bytes, more than the limit of {MAX_TEXT_BYTES}")),
            }),
        };
        if let Ok(text) = &text {
            find(&name, text, &mut waiting);
        }
        let too_many = texts.len() > MAX_INCLUDED;
        texts.push((name, text));
        if too_many {
            break;
        }
    }
    if texts.is_empty() { source.own() } else { source.own().with(texts) }
}

/// Whether a text is there for others to include: it has no header, and no roles that would make it a protocol that lacks one.
pub fn is_part(source: &Source) -> bool {
    let root = syntax::parse_program(&source.own()).root;
    let is_whole = |item: &SyntaxNode| matches!(item.kind(), SyntaxKind::Header | SyntaxKind::Role);
    root.children().next().is_some() && !root.children().any(|item| is_whole(&item))
}

/// The paths that a text includes.
fn paths(text: &str) -> Vec<String> {
    if !text.contains("include") || text.len() > MAX_TEXT_BYTES {
        return Vec::new();
    }
    let root = syntax::parse_program(&Source::new("", text)).root;
    let includes = root.descendants().filter(|node| node.kind() == SyntaxKind::Include);
    includes.filter_map(|include| path(&include)).collect()
}

/// The path in an `include`.
pub(crate) fn path(include: &SyntaxNode) -> Option<String> {
    let token = ast::tokens(include).find(|token| token.kind() == SyntaxKind::String)?;
    Some(token.text().trim_matches('"').to_owned())
}

/// The name of a text that stands at a path beside another one; none if the path is no relative one.
pub(crate) fn resolve(beside: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || path.contains(['\\', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = beside.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| !["", "..", "."].contains(last)) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths_are_relative_to_the_text_that_names_them() {
        for (beside, path, expected) in [
            ("a/b.ded", "c.ded", Some("a/c.ded")),
            ("b.ded", "c.ded", Some("c.ded")),
            ("a/b.ded", "../c/./d.ded", Some("c/d.ded")),
            ("b.ded", "../c.ded", Some("../c.ded")),
            ("../b.ded", "../c.ded", Some("../../c.ded")),
            ("/a/b.ded", "../../c.ded", Some("/../c.ded")),
            ("file:///a/b.ded", "../c.ded", Some("file:///c.ded")),
            ("a/b.ded", "/c.ded", None),
            ("a/b.ded", "", None),
            ("a/b.ded", "c:/d.ded", None),
        ] {
            assert_eq!(resolve(beside, path).as_deref(), expected, "{path} beside {beside}");
        }
    }
}
