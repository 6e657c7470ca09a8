//! PATH... on the command line: files, folders with all that is in them.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// Folders of folders deeper than this are not ours.
const MAX_DEPTH: usize = 32;

/// The files that a path means: the file itself, or all files below the folder whose names have one of these extensions, sorted.
/// Hidden folders, `target`, and links to folders, which may lead in circles, are left out.
pub fn files(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        std::fs::metadata(path).map_err(|error| Failure::file("read", path, &error))?;
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    collect(path, extensions, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, extensions: &[&str], depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if depth > MAX_DEPTH {
        let message = format!("{} is more than {MAX_DEPTH} folders deep", folder.display());
        return Err(Failure::environment(message, "name the folders or files that are meant"));
    }
    let failed = |error: std::io::Error| Failure::file("list", folder, &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type().map_err(failed)?.is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(&path, extensions, depth + 1, found)?;
            }
        } else if path.is_file()
            && path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
        {
            found.push(path);
        }
    }
    Ok(())
}
