//! Reading texts that people wrote.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use menard_lang::include::gather;
use menard_lang::source::Source;

use crate::failure::{Failure, Result};

/// No text of ours is longer; whatever is, is something else.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// Reads a text, and those that it includes.
pub fn read(path: &Path) -> Result<Source> {
    let text = read_limited(path).map_err(|error| Failure::file("read", path, &error))?;
    let source = Source::new(path.display().to_string(), text);
    if path.extension().is_none_or(|extension| extension != "ded") {
        return Ok(source);
    }
    Ok(gather(&source, |name| read_limited(Path::new(name)).map_err(|error| error.to_string())))
}

fn read_limited(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    // Looked at before it is opened: a pipe that nobody writes to would hold us up.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is a device or a pipe"));
    }
    File::open(path)?.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is longer than {MAX_TEXT_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

/// A number with its noun.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The known name that is most like this one, if one is.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| (distance(name, known), known));
    let limit = name.chars().count().div_ceil(3);
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The number of single letters to insert, delete or change to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, c) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(c != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["voting", "paxos"];
        assert_eq!(did_you_mean("votign", known), Some("voting"));
        assert_eq!(did_you_mean("votin", known), Some("voting"));
        assert_eq!(did_you_mean("raft", known), None);
        assert_eq!(did_you_mean("", known), None);
    }
}
