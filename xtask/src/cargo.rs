//! Checks that are commands of cargo, or of the `menard` binary that it built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Formatting of all Rust code.
pub fn format(root: &Path) -> Result<()> {
    run(cargo(root).args(["fmt", "--all", "--check"]))
}

/// Clippy over everything, tests and benchmarks too; a warning is an error.
pub fn clippy(root: &Path) -> Result<()> {
    run(cargo(root).args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Formatting and diagnostics of the protocols of the library.
pub fn protocols(root: &Path) -> Result<()> {
    let menard = build_menard(root)?;
    run(Command::new(&menard).current_dir(root).args(["fmt", "--check", "protocols"]))?;
    run(Command::new(&menard).current_dir(root).args(["check", "protocols"]))
}

/// Builds the `menard` binary, with optimisation since checks simulate thousands of runs, and says where it is.
pub fn build_menard(root: &Path) -> Result<PathBuf> {
    run(cargo(root).args(["build", "--quiet", "--release", "--package", "menard-cli"]))?;
    let target = metadata(root)?["target_directory"].as_str().map(PathBuf::from);
    let target = target.context("`cargo metadata` gives no target directory")?;
    Ok(target.join("release").join(format!("menard{}", std::env::consts::EXE_SUFFIX)))
}

/// What `cargo metadata` says about the packages of the workspace.
pub fn metadata(root: &Path) -> Result<serde_json::Value> {
    let output = cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]).output()?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Cargo, in the workspace.
pub fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

/// Runs a command, which may print; an error if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}
