//! Dependencies between our crates point one way, as ARCHITECTURE.md says. Tests and benchmarks may look everywhere.

use std::path::Path;

use anyhow::{Result, bail};

use crate::cargo::metadata;

/// What each crate may depend on. A crate that is not listed is an error, so that this list stays the whole truth.
const ALLOWED: &[(&str, &[&str])] = &[
    ("menard-value", &[]),
    ("menard-lang", &["menard-value"]),
    ("menard-opt", &["menard-value", "menard-lang"]),
    ("menard-engine", &["menard-value", "menard-lang"]),
    ("menard-sim", &["menard-value", "menard-lang", "menard-engine"]),
    ("menard-node", &["menard-value", "menard-lang", "menard-engine"]),
    ("menard-lsp", &["menard-lang"]),
    (
        "menard-cli",
        &["menard-value", "menard-lang", "menard-opt", "menard-engine", "menard-sim", "menard-node", "menard-lsp"],
    ),
    ("xtask", &[]),
];

/// Compares the manifests with [`ALLOWED`].
pub fn check(root: &Path) -> Result<()> {
    let metadata = metadata(root)?;
    let empty = Vec::new();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap_or(&empty) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!("{name} is not in the list of crates in xtask/src/dependencies.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap_or(&empty) {
            let needed = dependency["name"].as_str().unwrap_or_default();
            let ours = ALLOWED.iter().any(|(known, _)| *known == needed);
            let only_for_tests = dependency["kind"].as_str() == Some("dev");
            if ours && !only_for_tests && !allowed.contains(&needed) {
                wrong.push(format!("{name} must not depend on {needed}"));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}
