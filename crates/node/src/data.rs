//! The data directory: for each logical node a folder, with its incarnation and the logs of its physical nodes.
//!
//! A logical node starts as one: its incarnation is one more than at the start before, and is on the disk before the node says
//! anything. A process that uses a folder holds a lock on it.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::log::changes::Facts;
use crate::log::medium::{LogFile, Medium, replace_file, sync_folder};
use crate::log::{Log, LogError, Owner, Problem};
use crate::random;

/// The folder of one logical node, locked.
#[derive(Debug)]
pub(crate) struct NodeFolder {
    path: PathBuf,
    /// How often the node has started, this time included.
    pub incarnation: u64,
    fingerprint: [u8; 32],
    _lock: File,
}

impl NodeFolder {
    /// Opens the folder of a logical node, or makes it, and counts a start.
    pub fn open(root: &Path, node: &str, fingerprint: [u8; 32]) -> Result<NodeFolder, LogError> {
        let path = root.join(file_name(node));
        make_folder(root).map_err(Problem::io("make the folder")).map_err(|problem| problem.at(root))?;
        make_folder(&path).map_err(Problem::io("make the folder")).map_err(|problem| problem.at(&path))?;
        let lock = path.join("lock");
        let lock = lock_file(&lock).map_err(|problem| problem.at(&lock))?;
        let file = path.join("incarnation");
        let owner = Owner { fingerprint, place: node.to_owned() };
        let incarnation = count_start(&file, &owner).map_err(|problem| problem.at(&file))?;
        Ok(NodeFolder { path, incarnation, fingerprint, _lock: lock })
    }

    /// Opens the log of one of the node's physical nodes; gives the facts that it has, and its path.
    pub fn log(&self, place: &str) -> Result<(Log<LogFile>, Facts, PathBuf), LogError> {
        let path = self.path.join(format!("{}.log", file_name(place)));
        let owner = Owner { fingerprint: self.fingerprint, place: place.to_owned() };
        let (log, facts) = Log::open(LogFile::new(path.clone()), owner).map_err(|problem| problem.at(&path))?;
        Ok((log, facts, path))
    }
}

/// A node's name as a file's: `server[1]/2` is `server.1.2`.
pub(crate) fn file_name(node: &str) -> String {
    node.replace(['[', '/'], ".").replace(']', "")
}

/// Makes a folder and those that it is in.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    if !parent.as_os_str().is_empty() {
        make_folder(parent)?;
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !path.is_dir() => {
            Err(io::Error::new(ErrorKind::NotADirectory, "there is something else of this name"))
        }
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

fn lock_file(path: &Path) -> Result<File, Problem> {
    let file = File::create(path).map_err(Problem::io("make it"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::InUse),
        Err(TryLockError::Error(source)) => Err(Problem::Io { action: "lock it", source }),
    }
}

/// Reads the incarnation, and writes the next one: a log without changes whose sequence numbers are incarnations would do, but people read
/// this file.
fn count_start(path: &Path, owner: &Owner) -> Result<u64, Problem> {
    let content = LogFile::new(path.to_owned()).read().map_err(Problem::io("read it"))?;
    let last = content.map_or(Ok(0), |content| read_incarnation(&content, owner))?;
    let next = last.checked_add(1).ok_or(Problem::Header)?;
    let text = format!("{}{next}\n", incarnation_head(owner));
    replace_file(path, text.as_bytes()).map_err(Problem::io("write it"))?;
    Ok(next)
}

fn read_incarnation(content: &[u8], owner: &Owner) -> Result<u64, Problem> {
    let text = std::str::from_utf8(content).map_err(|_| Problem::Header)?;
    let mut lines = text.lines();
    let mut value = |key: &str| lines.next().and_then(|line| line.strip_prefix(key)).ok_or(Problem::Header);
    let (program, node, incarnation) = (value("program = ")?, value("node = ")?, value("incarnation = ")?);
    if program != hexadecimal(&owner.fingerprint) {
        return Err(Problem::Program);
    }
    if node != owner.place {
        return Err(Problem::Place { found: node.to_owned() });
    }
    incarnation.parse().map_err(|_| Problem::Header)
}

fn incarnation_head(owner: &Owner) -> String {
    format!("program = {}\nnode = {}\nincarnation = ", hexadecimal(&owner.fingerprint), owner.place)
}

/// Bytes as people write them.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fresh folder among the system's temporary ones, removed when it is dropped.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes it.
    pub fn new() -> io::Result<TemporaryFolder> {
        let path = std::env::temp_dir().join(format!("menard-{:016x}", random::draw()));
        std::fs::create_dir(&path)?;
        Ok(TemporaryFolder { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_is_counted() {
        let root = TemporaryFolder::new().expect("a folder");
        let open = |node: &str| NodeFolder::open(&root.path().join("data/here"), node, [1; 32]).expect("it is good");
        for incarnation in 1..4 {
            assert_eq!(open("server[0]").incarnation, incarnation);
        }
        assert_eq!(open("server[1]").incarnation, 1);
    }

    #[test]
    fn a_folder_is_used_by_one_at_a_time() {
        let root = TemporaryFolder::new().expect("a folder");
        let open = || NodeFolder::open(root.path(), "server", [1; 32]);
        let first = open().expect("it is free");
        let error = open().expect_err("it is in use");
        assert!(
            error
                .to_string()
                .ends_with("lock: another process uses it; stop that one, or choose another data directory")
        );
        drop(first);
        assert_eq!(open().expect("it is free").incarnation, 2);
    }

    #[test]
    fn a_folder_of_another_program_is_refused() {
        let root = TemporaryFolder::new().expect("a folder");
        drop(NodeFolder::open(root.path(), "server", [1; 32]).expect("it is free"));
        let error = NodeFolder::open(root.path(), "server", [2; 32]).expect_err("it is another's");
        assert!(matches!(error.problem, Problem::Program), "{error}");
        std::fs::write(root.path().join("server/incarnation"), "7").expect("the disk works");
        let error = NodeFolder::open(root.path(), "server", [1; 32]).expect_err("it is damaged");
        assert!(matches!(error.problem, Problem::Header), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let root = TemporaryFolder::new().expect("a folder");
        let file = root.path().join("file");
        std::fs::write(&file, "").expect("the disk works");
        let error = NodeFolder::open(&file, "server", [1; 32]).expect_err("a file is no folder");
        assert!(error.to_string().contains("cannot make the folder"), "{error}");
    }
}
