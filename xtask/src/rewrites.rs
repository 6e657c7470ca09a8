//! What tests of rewrites tell: which mutants are killed and by what, and the page of all rewrites.

use std::path::Path;

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Rewrites every near miss as if its precondition were not there, and prints what shows that this is wrong. It fails if a precondition
/// has no near miss, or none whose mutant is killed.
pub fn mutants(root: &Path) -> Result<()> {
    test(root, "mutants", "every_mutant_is_killed", &[])
}

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
