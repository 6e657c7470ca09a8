//! The page of errors in published rules: every one has a test, and the test that the page names exists.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../../book/src/errata.md");

/// Its rows: number, text, rewrite, test.
fn rows() -> Vec<[&'static str; 4]> {
    let numbered = |line: &&str| line.starts_with("| ") && line[2..].starts_with(['C', 'E', 'F']);
    let cells = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("a row has four cells: {line}"))
    };
    PAGE.lines().filter(numbered).map(cells).collect()
}

/// The names of all tests of this crate.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries =
        std::fs::read_dir(folder).expect("the folder of this test").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let texts = files.map(|path| std::fs::read_to_string(path).expect("a file of tests"));
    let names = |text: String| {
        let functions = text.split("#[test]\nfn ").skip(1);
        functions.filter_map(|rest| rest.split_once('(').map(|(name, _)| name.to_owned())).collect::<Vec<_>>()
    };
    texts.flat_map(names).collect()
}

#[test]
fn every_test_that_the_page_names_exists() {
    let tests = tests();
    for [number, _, _, names] in rows() {
        for name in names.split(", ") {
            assert!(tests.contains(name.trim_matches('`')), "{number}: there is no test {name}");
        }
    }
}

#[test]
fn numbers_are_in_order() {
    let key = |number: &'static str| {
        let class = "ECF".find(&number[..1]).expect("a class");
        (class, number[1..].parse::<u32>().expect("a number"))
    };
    let numbers: Vec<_> = rows().iter().map(|row| key(row[0])).collect();
    assert!(!numbers.is_empty() && numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}
