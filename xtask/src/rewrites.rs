//! The page of all rewrites, which a test writes.

use std::path::Path;

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Writes the book's page of all rewrites as the code says it.
pub fn write_page(root: &Path) -> Result<()> {
    test(root, "overview", "the_page_of_all_rewrites_is_what_the_code_says", &[("MENARD_WRITE_BOOK", "1".to_owned())])
}

/// Runs one test of the crate of rewrites, and shows what it prints.
fn test(root: &Path, file: &str, name: &str, settings: &[(&str, String)]) -> Result<()> {
    let mut command = cargo(root);
    command.args(["test", "--quiet", "--package", "menard-opt", "--test", file, "--", "--exact", "--nocapture", name]);
    run(command.envs(settings.iter().map(|(name, value)| (name, value))))
}
