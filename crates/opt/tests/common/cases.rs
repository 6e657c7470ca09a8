//! What `bugs/preconditions` has: for every numbered precondition programs in which it alone is broken, or in which liars are kept at bay.

use std::fs::read_to_string;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use menard_opt::mutant::{Mutants, NearMiss, Verified};
use menard_opt::rules::REWRITES;

use super::library::root;

/// A near miss with its program.
pub struct Case {
    near_miss: NearMiss,
    pub broken: String,
}

impl Deref for Case {
    type Target = NearMiss;

    fn deref(&self) -> &NearMiss {
        &self.near_miss
    }
}

impl Case {
    /// The program where all preconditions hold.
    pub fn holds(&self) -> String {
        self.mended(&self.broken).unwrap_or_else(|| panic!("{}: `{}` is part of it", self.program, self.mend.from))
    }
}

/// A program with liars that is rewritten.
pub struct Liar {
    verified: Verified,
    pub text: String,
}

impl Deref for Liar {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

/// All near misses.
pub fn cases() -> Vec<Case> {
    let of = |(folder, mutants): (PathBuf, Mutants)| {
        mutants
            .near_miss
            .into_iter()
            .map(move |near_miss| Case { broken: text(&folder, &near_miss.program), near_miss })
    };
    folders().into_iter().flat_map(of).collect()
}

/// All programs with liars.
pub fn liars() -> Vec<Liar> {
    let of = |(folder, mutants): (PathBuf, Mutants)| {
        mutants.verified.into_iter().map(move |verified| Liar { text: text(&folder, &verified.program), verified })
    };
    folders().into_iter().flat_map(of).collect()
}

/// The folders of all rewrites, in the order of these.
fn folders() -> Vec<(PathBuf, Mutants)> {
    let of = |name: &str| {
        let folder = root().join("bugs/preconditions").join(name);
        let mutants = toml::from_str(&text(&folder, "expect.toml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        (folder, mutants)
    };
    REWRITES.iter().map(|rewrite| of(rewrite.name())).collect()
}

fn text(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
