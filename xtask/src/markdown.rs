//! As much of Markdown as the checks need: fenced blocks and links.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A fenced block of code.
pub struct Block {
    /// The line of its opening fence, from 1.
    pub line: usize,
    /// The words behind the opening fence, which stand between commas.
    pub info: Vec<String>,
    /// Its lines.
    pub lines: Vec<String>,
}

impl Block {
    /// The value of `key=value` in the words behind the fence.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.info.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

/// All Markdown files below a folder, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The fenced blocks of a text, in order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let info = info.split(',').map(|word| word.trim().to_owned()).collect();
                open = Some(Block { line: index + 1, info, lines: Vec::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    blocks
}

/// The targets of all links outside of fenced blocks.
pub fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        }
        if !inside {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_blocks_with_their_options() {
        let found = blocks("a\n```ded,file=x.ded\nprotocol x\n```\n```console,exit=1\n$ menard\n```\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].option("file"), Some("x.ded"));
        assert_eq!(found[0].lines, ["protocol x"]);
        assert_eq!((found[1].line, found[1].option("exit")), (5, Some("1")));
    }

    #[test]
    fn finds_links_outside_of_blocks() {
        assert_eq!(links("see [a](b.md) and [c](d.md#e)\n```\n[no](x.md)\n```\n"), ["b.md", "d.md#e"]);
    }
}
