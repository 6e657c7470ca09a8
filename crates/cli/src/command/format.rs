//! `menard fmt`: formats protocols, properties and plans.

use std::path::Path;

use serde_json::json;

use crate::arguments::Fmt;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::text::read;
use crate::walk;

/// Formats the files, or with `--check` says which are not formatted.
pub fn run(arguments: &Fmt, output: Output) -> Result<()> {
    let mut changed = Vec::new();
    let mut count = 0;
    for path in &arguments.paths {
        for file in walk::files(path, &["ded", "plan"])? {
            count += 1;
            if format(&file, arguments.check)? {
                output.say(format!(
                    "{}: {}",
                    file.display(),
                    if arguments.check { "not formatted" } else { "formatted" }
                ));
                changed.push(file.display().to_string());
            }
        }
    }
    let json = json!({ "files": count, "changed": changed });
    if arguments.check && !changed.is_empty() {
        return Err(Failure::No { text: "run `menard fmt` on these files".to_owned(), json });
    }
    output.result(&json);
    Ok(())
}

/// Whether the file was not formatted; it is unless this is a check.
fn format(file: &Path, only_check: bool) -> Result<bool> {
    let source = read(file)?;
    let formatted = menard_lang::format(&source)?;
    if formatted == source.own_text() {
        return Ok(false);
    }
    if !only_check {
        write_whole(file, &formatted)?;
    }
    Ok(true)
}

/// Writes a file so that it is never seen half written, and an interruption leaves the old one.
fn write_whole(file: &Path, text: &str) -> Result<()> {
    let failed = |error: std::io::Error| Failure::file("write", file, &error);
    let target = file.canonicalize().map_err(failed)?;
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".menard-fmt");
    let temporary = target.with_file_name(name);
    let permissions = std::fs::metadata(&target).map_err(failed)?.permissions();
    std::fs::write(&temporary, text).map_err(failed)?;
    let renamed = std::fs::set_permissions(&temporary, permissions).and_then(|()| std::fs::rename(&temporary, &target));
    renamed.map_err(|error| {
        // What matters is the first error; a temporary file that stays behind does no harm.
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}
