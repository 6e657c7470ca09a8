//! The book is true: its programs compile, and its erroneous ones have the errors that they are there to show.
//!
//! A block says what it is: `ded` a whole protocol, `ded,properties` properties of voting, `plan` a plan; `error E0401` adds that it
//! has this error or warning, `with n=5` a value for a parameter, `fragment` that it is not tested.

use std::fs;
use std::path::{Path, PathBuf};

use menard_lang::{Code, Diagnostics, Source, compile, compile_text, format, parse_override, plan, properties};
use menard_value::Function;

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

struct Block {
    page: String,
    info: Vec<String>,
    text: String,
}

impl Block {
    fn is(&self, word: &str) -> bool {
        self.info.iter().any(|info| info == word)
    }

    fn argument(&self, word: &str) -> Option<&str> {
        self.info.iter().find_map(|info| info.strip_prefix(word)).map(str::trim)
    }

    /// Its errors; without errors, its warnings.
    fn diagnostics(&self) -> Result<Diagnostics, Diagnostics> {
        let given = self.argument("with ").map(|given| parse_override(given).expect("the book gives values as `n=5`"));
        let overrides: Vec<_> = given.into_iter().collect();
        if self.is("plan") {
            plan::parse(&Source::new("example.plan", self.text.as_str()), &overrides).map(|_| Diagnostics::default())
        } else if self.is("properties") {
            let source = Source::new("properties.ded", self.text.as_str());
            properties::compile(&source, &compile_text(VOTING)).map(|_| Diagnostics::default())
        } else {
            compile(&Source::new("example.ded", self.text.as_str()), &overrides).map(|compiled| compiled.warnings)
        }
    }
}

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src")
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the book is in the repository");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    let nested = paths.iter().filter(|path| path.is_dir()).flat_map(|path| pages(path)).collect::<Vec<_>>();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.extend(nested);
    paths
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for path in pages(&book()) {
        let text = fs::read_to_string(&path).expect("a page is text");
        let page = path.display().to_string();
        let mut open: Option<Block> = None;
        for line in text.lines() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.text += &format!("{line}\n"),
                (None, Some(info)) => {
                    let info = info.split(',').map(|word| word.trim().to_owned()).collect();
                    open = Some(Block { page: page.clone(), info, text: String::new() });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a block is not closed");
    }
    blocks.retain(|block| (block.is("ded") || block.is("plan")) && !block.is("fragment"));
    blocks
}

fn names(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.name()).collect()
}

/// What is wrong with the claim of a block.
fn complaint(block: &Block) -> Option<String> {
    let own = Path::new(&block.page).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let (fits, found) = match (block.diagnostics(), block.argument("error ")) {
        (Err(errors), Some(code)) => (names(&errors).iter().all(|name| *name == code), errors),
        (Ok(warnings), Some(code)) => (names(&warnings).contains(&code), warnings),
        (Err(errors), None) => (false, errors),
        (Ok(warnings), None) => (!names(&warnings).contains(&own), warnings),
    };
    (!fits).then(|| format!("{}: {:?} gives:\n{found}{}", block.page, block.info, block.text))
}

#[test]
fn blocks_are_what_they_claim_to_be() {
    let blocks = blocks();
    assert!(blocks.len() > 100, "the book has {} blocks", blocks.len());
    let wrong: Vec<String> = blocks.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn blocks_without_errors_are_formatted() {
    for block in blocks().iter().filter(|block| block.argument("error ").is_none()) {
        let formatted =
            format(&Source::new("example", block.text.as_str())).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(formatted, block.text, "{}", block.page);
    }
}

#[test]
fn every_code_has_a_page_and_an_example() {
    let examples = blocks();
    let index = fs::read_to_string(book().join("errors.md")).expect("the book has an index of errors");
    for code in Code::ALL {
        let title = format!("# {}: {}\n", code.name(), code.title());
        assert!(code.page().starts_with(&title), "the page of {code} does not start with {title}");
        assert!(
            index.contains(&format!("[{code}](errors/{code}.md) | {} |", code.title())),
            "{code} is not in the index"
        );
        let has_example = examples.iter().any(|block| block.argument("error ") == Some(code.name()));
        // Texts that are too large are not in the book; tests/limits.rs makes them. Whether a plan fits is not for this crate to say.
        let elsewhere = matches!(code, Code::E0105 | Code::E0106 | Code::E0801);
        assert!(has_example || elsewhere, "{code} has no example");
        assert_eq!(Code::find(code.name()), Some(*code));
    }
}

/// What users read, as they read it: the first example of each code.
#[test]
fn messages_read_well() {
    let examples = blocks();
    for code in Code::ALL {
        let Some(block) = examples.iter().find(|block| block.argument("error ") == Some(code.name())) else { continue };
        let (Ok(found) | Err(found)) = block.diagnostics();
        let of_code: Vec<_> = found.iter().filter(|diagnostic| diagnostic.code == *code).cloned().collect();
        insta::assert_snapshot!(code.name(), Diagnostics::new(of_code).render(false));
    }
}

#[test]
fn every_function_is_in_the_reference() {
    let reference = fs::read_to_string(book().join("language.md")).expect("the book has a language reference");
    for function in Function::TABLE {
        for (_, result) in function.signature.forms() {
            let (start, end) = (format!("| `{}` |", function.name), format!("| `{result}` | {} |", function.doc));
            let found = reference.lines().any(|line| line.starts_with(&start) && line.ends_with(&end));
            assert!(found, "the reference has no row {start} ... {end}");
        }
    }
}
