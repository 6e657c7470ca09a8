//! The texts that a client has open, and those that stand beside them on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsp_types::Uri;
use menard_lang::include::gather;
use menard_lang::navigate::{Form, Text};
use menard_lang::syntax::MAX_TEXT_BYTES;
use menard_lang::{Program, Source};

use crate::uri;

/// No more files of a folder are looked at.
const MAX_FILES: usize = 500;

/// A text that the client has open.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its name to the client.
    pub uri: Uri,
    /// The client's number of this state of it.
    pub version: i32,
    /// Where it is on disk, if it is a file.
    path: Option<PathBuf>,
    text: Arc<str>,
}

/// A text with its name to the client.
#[derive(Debug)]
pub struct Document {
    /// Its name to the client.
    pub uri: Uri,
    /// The text.
    pub text: Text,
}

/// A text, and the protocol that it is about, if it is another text and known.
#[derive(Debug)]
pub struct Family {
    /// The text that was asked for.
    pub main: Document,
    /// Its protocol.
    pub protocol: Option<Document>,
}

/// All open texts.
#[derive(Debug, Default)]
pub struct Workspace {
    open: BTreeMap<String, Open>,
}

impl Workspace {
    /// Opens a text, or replaces it.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) {
        let path = uri::to_path(&uri);
        self.open.insert(uri.as_str().to_owned(), Open { uri, version, path, text: text.into() });
    }

    /// Changes a text; one that is not open stays so.
    pub fn change(&mut self, uri: &Uri, version: i32, text: String) {
        if let Some(open) = self.open.get_mut(uri.as_str()) {
            open.version = version;
            open.text = text.into();
        }
    }

    /// Closes a text, and says whether it was open.
    pub fn close(&mut self, uri: &Uri) -> bool {
        self.open.remove(uri.as_str()).is_some()
    }

    /// All open texts.
    pub fn all(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// An open text and its protocol.
    pub fn family(&self, uri: &Uri) -> Option<Family> {
        let open = self.open.get(uri.as_str())?;
        let source = self.with_included(Source::new(open.uri.as_str(), open.text.clone()));
        let text = Text::new(&source, form(&source, open.path.as_deref()), None);
        let protocol = open.path.as_deref().and_then(|path| self.protocol(path, &text));
        let text = match &protocol {
            Some(protocol) => Text::new(&source, text.form, Some(&protocol.text)),
            None => text,
        };
        Some(Family { main: Document { uri: open.uri.clone(), text }, protocol })
    }

    /// The protocol that a text at a path is about: `NAME.ded` beside it or in the folder above, or any other file beside it that
    /// says that it is this protocol.
    fn protocol(&self, path: &Path, text: &Text) -> Option<Document> {
        if text.form == Form::Protocol {
            return None;
        }
        let name = text.protocol()?;
        let file = format!("{name}.ded");
        let folder = path.parent()?;
        let above = folder.parent().map(|above| above.join(&file));
        let named = std::iter::once(folder.join(&file)).chain(above);
        named.chain(self.files(folder, &["ded"])).find_map(|path| {
            let document = self.document(&path, None)?;
            let fits = document.text.form == Form::Protocol && document.text.protocol().as_ref() == Some(&name);
            fits.then_some(document)
        })
    }

    /// All other texts of a folder that are about this protocol.
    pub fn relatives(&self, protocol: &Document) -> Vec<Document> {
        let Some(path) = uri::to_path(&protocol.uri) else { return Vec::new() };
        let files = path.parent().map(|folder| self.files(folder, &["ded", "plan"])).unwrap_or_default();
        let others = files.iter().filter(|file| **file != path);
        let documents = others.filter_map(|file| self.document(file, Some(&protocol.text)));
        let is_related = |text: &Text| {
            text.form != Form::Protocol && text.protocol().is_some() && text.protocol() == protocol.text.protocol()
        };
        documents.filter(|document| is_related(&document.text)).collect()
    }

    /// A file, as the client has it open or else as it is on disk.
    fn document(&self, path: &Path, protocol: Option<&Text>) -> Option<Document> {
        let (uri, text) = self.content(path)?;
        let source = self.with_included(Source::new(uri.as_str(), text));
        let text = Text::new(&source, form(&source, Some(path)), protocol);
        Some(Document { uri, text })
    }

    /// The name and the text of a file, as the client has it open or else as it is on disk.
    fn content(&self, path: &Path) -> Option<(Uri, Arc<str>)> {
        let open = self.open.values().find(|open| open.path.as_deref() == Some(path));
        match open {
            Some(open) => Some((open.uri.clone(), open.text.clone())),
            None => Some((uri::from_path(path)?, read(path)?.into())),
        }
    }

    /// A text with those that it includes.
    fn with_included(&self, source: Source) -> Source {
        gather(&source, |name| {
            let path = name.parse().ok().and_then(|uri| uri::to_path(&uri));
            let content = path.and_then(|path| self.content(&path));
            content.map(|(_, text)| text.to_string()).ok_or_else(|| "there is no such text".to_owned())
        })
    }

    /// The files of a folder with these extensions, sorted, those included that are open and not saved yet.
    fn files(&self, folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
        let on_disk = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let open = self.open.values().filter_map(|open| open.path.clone());
        let fits = |path: &PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            path.parent() == Some(folder) && extension.is_some_and(|extension| extensions.contains(&extension))
        };
        let files: BTreeSet<PathBuf> = on_disk.chain(open).filter(fits).collect();
        files.into_iter().take(MAX_FILES).collect()
    }
}

impl Family {
    /// What the protocol means, if the text is about another one without errors.
    pub fn protocol_program(&self) -> Option<Program> {
        self.protocol.as_ref().and_then(|protocol| protocol.text.check(None).program)
    }

    /// The text itself, then its protocol.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        std::iter::once(&self.main).chain(&self.protocol)
    }
}

/// What a text is about, by its first word or else by the name of its file.
fn form(source: &Source, path: Option<&Path>) -> Form {
    let extension = path.and_then(Path::extension).and_then(|extension| extension.to_str());
    Form::of(&source.text).unwrap_or(match extension {
        Some("plan") => Form::Plan,
        _ => Form::Protocol,
    })
}

/// The text of a file, unless it is none or longer than any text may be.
fn read(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_TEXT_BYTES).unwrap_or(u64::MAX);
    File::open(path).ok()?.take(limit.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    if bytes.len() > MAX_TEXT_BYTES {
        return None;
    }
    String::from_utf8(bytes).ok()
}
