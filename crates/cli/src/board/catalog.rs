//! Where bugs are: the folder `bugs` in the current folder or in one above it. Those of rewrites that leave out a precondition are in
//! `bugs/preconditions`, a folder for each rewrite.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::text::did_you_mean;

/// What the names of rewrites begin with.
pub const PRECONDITIONS: &str = "preconditions/";

/// The bugs that there are.
pub struct Catalog {
    folder: PathBuf,
    /// Those of protocols, then those of rewrites, by name.
    names: Vec<String>,
}

impl Catalog {
    /// Looks for the bugs.
    pub fn open() -> Result<Self> {
        let here = std::env::current_dir().map_err(|error| Failure::file("list", ".".as_ref(), &error))?;
        let Some(depth) = here.ancestors().position(|folder| folder.join("bugs").is_dir()) else {
            let help = "go to a checkout of Menard: bugs are not part of the binary";
            return Err(Failure::environment("there is no folder `bugs` here or above", help));
        };
        let folder = std::iter::repeat_n("..", depth).collect::<PathBuf>().join("bugs");
        let mut names = expectations(&folder)?;
        let rewrites = match folder.join(PRECONDITIONS) {
            folder if folder.is_dir() => expectations(&folder)?,
            _ => Vec::new(),
        };
        names.extend(rewrites.into_iter().map(|rewrite| format!("{PRECONDITIONS}{rewrite}")));
        Ok(Catalog { folder, names })
    }

    /// The folders of the bugs of these names, or of all, by name.
    pub fn chosen(&self, wanted: &[String]) -> Result<Vec<(String, PathBuf)>> {
        let names = if wanted.is_empty() { &self.names } else { wanted };
        names.iter().map(|name| self.find(name).map(|folder| (name.clone(), folder))).collect()
    }

    /// The folder of the bug of this name.
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        if self.names.iter().any(|known| known == name) {
            return Ok(self.folder.join(name));
        }
        let all = format!("known are {}", self.names.join(", "));
        let help = match did_you_mean(name, self.names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? ({all})"),
            None => all,
        };
        Err(Failure::environment(format!("there is no bug `{name}`"), help))
    }
}

/// The names of the folders in this one that say what is expected.
fn expectations(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| Failure::file("list", folder, &error);
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder).map_err(failed)?.collect();
    let entries = entries.map_err(failed)?.into_iter().filter(|entry| entry.path().join("expect.toml").is_file());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
