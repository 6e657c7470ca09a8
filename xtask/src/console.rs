//! The examples of the README and the book run: what a ```` ```console ```` block shows is what the reader will see.
//!
//! Each page has a folder of its own, empty at first. Its blocks are worked through in order:
//!
//! * a block with `file=NAME` is written to that file, one with `append=NAME` is added to its end; one with `edit=NAME` is a change of it:
//!   the lines with `-` in front, which must be there once, become those with `+`; lines with a space in front stay;
//! * in a `console` block each line `$ menard ...` is run there, and what follows until the next such line is compared with what it
//!   printed. A line `...` stands for any lines, `...` within a line for any text; no output given means any. The exit status must be
//!   0, or what the block says by `exit=N`. In a block with `figures` all numbers are equal, and so are rules and gaps of any length. A
//!   block with `ignore`, and commands other than `menard`, are not run.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::build_menard;
use crate::markdown::{self, Block};

/// Runs the examples of all pages.
pub fn check(root: &Path) -> Result<()> {
    let menard = build_menard(root)?;
    let mut pages = markdown::files(&root.join("book/src"))?;
    pages.push(root.join("README.md"));
    let mut wrong = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let folder = tempfile::tempdir()?;
        for block in markdown::blocks(&text) {
            if let Err(error) = run_block(&menard, folder.path(), &block) {
                wrong.push(format!("{}:{}: {error:#}", page.display(), block.line));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n\n"));
    }
    Ok(())
}

fn run_block(menard: &Path, folder: &Path, block: &Block) -> Result<()> {
    if block.info.iter().any(|word| word == "ignore") {
        return Ok(());
    }
    if let Some(name) = block.option("file") {
        write(&folder.join(name), block, false)?;
    }
    if let Some(name) = block.option("append") {
        write(&folder.join(name), block, true)?;
    }
    if let Some(name) = block.option("edit") {
        edit(&folder.join(name), block)?;
    }
    if block.info.first().is_some_and(|word| word == "console") {
        let exit: i32 = block.option("exit").unwrap_or("0").parse().context("exit= needs a number")?;
        let figures = block.info.iter().any(|word| word == "figures");
        for example in examples(&block.lines) {
            let printed = run_example(menard, folder, &example, exit)?;
            compare(&example, &printed, figures)?;
        }
    }
    Ok(())
}

fn write(path: &Path, block: &Block, append: bool) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(path)?;
    for line in &block.lines {
        writeln!(file, "{line}")?;
    }
    Ok(())
}

fn edit(path: &Path, block: &Block) -> Result<()> {
    let side = |sign: char| {
        let lines = block.lines.iter().filter_map(|line| line.strip_prefix(sign).or_else(|| line.strip_prefix(' ')));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let (before, after) = (side('-'), side('+'));
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(text.matches(&before).count() == 1, "the lines to change are not in {} once", path.display());
    std::fs::write(path, text.replace(&before, &after))?;
    Ok(())
}

/// A command and what it shall print.
struct Example {
    arguments: Vec<String>,
    expected: Vec<String>,
}

impl Example {
    fn shown(&self) -> String {
        format!("menard {}", self.arguments.join(" "))
    }
}

fn examples(lines: &[String]) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut ours = false;
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            let words = words(command);
            ours = words.first().is_some_and(|word| word == "menard");
            if ours {
                found.push(Example { arguments: words[1..].to_vec(), expected: Vec::new() });
            }
        } else if ours && let Some(example) = found.last_mut() {
            example.expected.push(line.trim_end().to_owned());
        }
    }
    found
}

/// The words of a command line; quotes of either kind keep spaces in a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Runs a command; what it printed on either stream, in the order in which it did.
fn run_example(menard: &Path, folder: &Path, example: &Example, exit: i32) -> Result<String> {
    let path = tempfile::NamedTempFile::new()?;
    let output = File::create(path.path())?;
    let status = Command::new(menard)
        .args(&example.arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output)
        .status()
        .with_context(|| format!("cannot run {}", menard.display()))?;
    let printed = std::fs::read_to_string(path.path())?;
    ensure!(
        status.code() == Some(exit),
        "`{}`: {status}, but {exit} is expected; it printed:\n{printed}",
        example.shown()
    );
    Ok(printed)
}

fn compare(example: &Example, printed: &str, figures: bool) -> Result<()> {
    let normal = |line: &str| if figures { without_figures(line) } else { line.trim_end().to_owned() };
    let mut expected: Vec<String> = example.expected.iter().map(|line| normal(line)).collect();
    while expected.pop_if(|line| line.is_empty()).is_some() {}
    let actual: Vec<String> = printed.trim_end().lines().map(normal).collect();
    ensure!(
        expected.is_empty() || lines_match(&expected, &actual),
        "`{}` printed otherwise:\n{printed}",
        example.shown()
    );
    Ok(())
}

/// The line with `#` for every number, one space for every gap, one dash for every rule.
fn without_figures(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.trim().chars().peekable();
    while let Some(c) = characters.next() {
        let kind = if c.is_ascii_digit() { '#' } else { c };
        let inside = |next: char| match kind {
            '#' => next.is_ascii_digit() || next == ',',
            ' ' | '-' => next == kind,
            _ => false,
        };
        while characters.next_if(|next| inside(*next)).is_some() {}
        text.push(kind);
    }
    text.replace("#.#", "#")
}

fn lines_match(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=actual.len()).any(|skip| lines_match(rest, &actual[skip..]))
        }
        Some((first, rest)) => {
            actual.split_first().is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others))
        }
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let Some((first, others)) = expected.split_once("...") else { return expected == actual };
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    let (middle, last) = others.rsplit_once("...").unwrap_or(("", others));
    for part in middle.split("...") {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expected: &str, actual: &str) -> bool {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
        lines_match(&lines(expected), &lines(actual))
    }

    #[test]
    fn wildcards_stand_for_lines_and_for_parts_of_lines() {
        assert!(matches("a\n...\nd", "a\nb\nc\nd"));
        assert!(matches("a\n...\nd", "a\nd"));
        assert!(matches("took ... s", "took 1.5 s"));
        assert!(matches("from ...", "from here"));
        assert!(!matches("a\n...\nd", "a\nb\nc"));
        assert!(matches("took ... s or ... s", "took 1.5 s or 2 s or 3 s"));
        assert!(!matches("took ... s", "took 1.5 ms later"));
        assert!(!matches("a", "a\nb"));
    }

    #[test]
    fn figures_are_all_equal() {
        assert_eq!(without_figures("nodes    1,234.5   x 4.00 (0.1 s)"), "nodes # x # (# s)");
        assert_eq!(without_figures("-------"), "-");
        assert_eq!(without_figures("took 12, then ..."), "took # then ...");
    }

    #[test]
    fn words_keep_what_is_quoted() {
        assert_eq!(
            words(r#"menard explain voting --why-not "partition leader into 3""#).last().unwrap(),
            "partition leader into 3"
        );
    }

    #[test]
    fn only_our_commands_are_examples() {
        let lines = ["$ cargo build", "lots", "$ menard check x", "fine"].map(str::to_owned);
        let found = examples(&lines);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].expected, ["fine"]);
    }
}
