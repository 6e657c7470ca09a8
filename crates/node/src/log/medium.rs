//! Where a log is: a file in a folder, or in tests a disk that fails.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What a log needs of a disk. After an error nothing more is asked of it.
pub(crate) trait Medium {
    /// The whole content; `None` if there is none yet.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>>;
    /// Keeps the first bytes only; they are on the disk when it returns.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
    /// Adds bytes at the end, which may be on the disk from then on, all of them or some.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// What was added is on the disk when it returns.
    fn sync(&mut self) -> io::Result<()>;
    /// Replaces the whole content: whatever happens, either the old or the new one is there, and the new one when it returns.
    fn replace(&mut self, content: &[u8]) -> io::Result<()>;
}

/// A file.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    /// Open for appending, once it exists.
    file: Option<File>,
}

impl LogFile {
    /// The file at a path, which may not exist yet; its folder does.
    pub fn new(path: PathBuf) -> Self {
        LogFile { path, file: None }
    }

    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        }
        Ok(self.file.as_mut().expect("it was opened above"))
    }
}

impl Medium for LogFile {
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(&self.path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let file = self.open()?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open()?.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The length is synced with the data.
        self.open()?.sync_data()
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        // Appends go to the new file from now on.
        self.file = None;
        replace_file(&self.path, content)
    }
}

/// Replaces a file's content: whatever happens, either the old or the new one is there, and the new one when it returns.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path.parent().ok_or(ErrorKind::InvalidInput)?)
}

/// Syncs which files a folder has.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
