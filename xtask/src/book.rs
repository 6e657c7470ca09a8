//! The book: every page is in the summary or part of another page, every page of the summary exists, every link inside of the repository leads
//! somewhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::markdown;

/// Checks the book's pages, and the links of the other documents too.
pub fn check(root: &Path) -> Result<()> {
    let source = root.join("book/src");
    let pages: BTreeSet<PathBuf> = markdown::files(&source)?.into_iter().collect();
    let mut wrong = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|name| root.join(name)).iter().chain(&pages) {
        wrong.extend(broken_links(root, document)?);
    }
    let mut included = BTreeSet::new();
    for page in &pages {
        for part in parts(page)? {
            if !part.exists() {
                wrong.push(format!("{} includes {}, which is not there", shown(root, page), shown(root, &part)));
            }
            included.insert(part);
        }
    }
    let summary = source.join("SUMMARY.md");
    let listed: BTreeSet<PathBuf> = targets(&summary)?.into_iter().map(|(_, path)| path).collect();
    for page in &pages {
        if *page != summary && !listed.contains(page) && !included.contains(page) {
            wrong.push(format!("{} is not in SUMMARY.md", shown(root, page)));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

fn broken_links(root: &Path, document: &Path) -> Result<Vec<String>> {
    let broken = targets(document)?.into_iter().filter(|(_, path)| !path.exists());
    Ok(broken.map(|(link, _)| format!("{}: the link {link} leads nowhere", shown(root, document))).collect())
}

/// The links of a document that stay in the repository, with the files that they mean.
fn targets(document: &Path) -> Result<Vec<(String, PathBuf)>> {
    let text = std::fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let folder = document.parent().unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for link in markdown::links(&text) {
        let path = link.split('#').next().unwrap_or_default();
        if !path.is_empty() && !path.contains("://") {
            let target = normalised(&folder.join(path));
            found.push((link, target));
        }
    }
    Ok(found)
}

/// The files that a page has as parts of itself, `{{#include FILE}}`.
fn parts(page: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let folder = page.parent().unwrap_or(Path::new("."));
    let named = text.split("{{#include ").skip(1).filter_map(|rest| rest.split_once("}}"));
    Ok(named.map(|(file, _)| normalised(&folder.join(file.trim()))).collect())
}

/// The path without `.` and `..`, so that equal files have equal paths.
fn normalised(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            part => parts.push(part),
        }
    }
    parts
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
