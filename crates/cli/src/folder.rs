//! PROTOCOL on the command line: a protocol of a folder `protocols/` by name, a path to a folder, or a path to a `.ded` file; its texts.

use std::path::{Path, PathBuf};

use menard_lang::include::gather;
use menard_lang::source::Source;

use crate::failure::{Failure, Result};
use crate::header::Header;
use crate::library;
use crate::text::{did_you_mean, read};

/// Where texts of the library are, as diagnostics quote them.
const LIBRARY: &str = "<library>/";

/// The texts of a protocol.
#[derive(Debug)]
pub struct Folder {
    /// The protocol itself.
    pub program: Source,
    /// Its properties, if it has any.
    pub properties: Option<Source>,
    /// Its plans, by name.
    pub plans: Vec<Source>,
    /// Its deployment, if it has one.
    pub deploy: Option<Source>,
}

impl Folder {
    /// Finds a protocol and reads its texts.
    pub fn open(protocol: &str) -> Result<Folder> {
        let path = Path::new(protocol);
        if path.extension().is_some_and(|extension| extension == "ded") {
            return Folder::read(path);
        }
        if is_name(protocol)
            && let Some(folder) = upwards(protocol)
        {
            return Folder::read(&main_file(&folder)?);
        }
        if path.is_dir() {
            return Folder::read(&main_file(path)?);
        }
        if path.is_file() {
            let help = "name a folder, or a file whose name ends in .ded";
            return Err(Failure::environment(format!("{protocol} is not a protocol"), help));
        }
        library::find(protocol).map(from_library).ok_or_else(|| unknown(protocol))
    }

    /// Whether there is such a protocol, as far as one can tell without reading it.
    pub fn exists(protocol: &str) -> bool {
        let is_path = !is_name(protocol) || Path::new(protocol).exists();
        is_path || upwards(protocol).is_some() || library::find(protocol).is_some()
    }

    /// Reads a protocol's file and what stands beside it.
    fn read(main: &Path) -> Result<Folder> {
        let program = read(main)?;
        let folder = match main.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut plans = Vec::new();
        for path in files(folder)? {
            if path.extension().is_some_and(|extension| extension == "plan") {
                plans.push(read(&beside(main, &path))?);
            }
        }
        let optional =
            |name: &str| folder.join(name).is_file().then(|| read(&beside(main, Path::new(name)))).transpose();
        let properties = optional("properties.ded")?.filter(|properties| belong_together(&program, properties));
        Ok(Folder { program, properties, plans, deploy: optional("deploy.toml")? })
    }
}

/// Whether properties are not those of another protocol. If in doubt they are not: then the compiler says what is wrong.
fn belong_together(program: &Source, properties: &Source) -> bool {
    match (Header::of(&program.text), Header::of(&properties.text)) {
        (Header::Protocol(protocol), Header::Properties(of)) => protocol == of,
        _ => true,
    }
}

/// The protocol of this name that stands in the same folder as `file`.
pub fn protocol_in(file: &Path, name: &str) -> Result<Source> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    for path in files(folder)? {
        if path.extension().is_some_and(|extension| extension == "ded") {
            let source = read(&beside(file, &path))?;
            if Header::of(&source.text) == Header::Protocol(name) {
                return Ok(source);
            }
        }
    }
    let message = format!("{} is for the protocol {name}, which is not in its folder", file.display());
    Err(Failure::environment(message, "put them into one folder, or correct the name"))
}

/// The path of a file in the folder of `main`, shown as the user named `main`.
fn beside(main: &Path, file: &Path) -> PathBuf {
    main.with_file_name(file.file_name().unwrap_or_default())
}

fn is_name(protocol: &str) -> bool {
    !protocol.is_empty() && !protocol.contains(['/', '\\', '.'])
}

/// The folder `protocols/NAME` in the current folder or one above it.
fn upwards(name: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let depth = here.ancestors().position(|folder| folder.join("protocols").join(name).is_dir())?;
    let up: PathBuf = std::iter::repeat_n("..", depth).collect();
    Some(up.join("protocols").join(name))
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Failure::file("list", folder, &error);
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

/// The protocol's file in a folder: the one with the folder's name, or the only one.
fn main_file(folder: &Path) -> Result<PathBuf> {
    let name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    if let Some(named) = name.map(|name| folder.join(format!("{name}.ded"))).filter(|path| path.is_file()) {
        return Ok(named);
    }
    let mut candidates = files(folder)?;
    candidates.retain(|path| {
        path.extension().is_some_and(|extension| extension == "ded")
            && path.file_name().is_none_or(|name| name != "properties.ded")
    });
    match candidates.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::environment(
            format!("the folder {} holds no protocol", folder.display()),
            "a protocol is a file whose name ends in .ded; name the folder or the file",
        )),
        several => Err(Failure::environment(
            format!("the folder {} holds several protocols", folder.display()),
            format!(
                "name one: {}",
                several.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

fn from_library(entry: &library::Entry) -> Folder {
    let source = |file: &library::File| {
        let source = Source::new(format!("{LIBRARY}{}/{}", entry.name, file.name), file.text);
        gather(&source, from_library_by_name)
    };
    let named = |name: &str| entry.files.iter().find(|file| file.name == name).map(source);
    Folder {
        program: named(&format!("{}.ded", entry.name)).expect("a protocol of the library has a file of its name"),
        properties: named("properties.ded"),
        plans: entry.files.iter().filter(|file| file.name.ends_with(".plan")).map(source).collect(),
        deploy: named("deploy.toml"),
    }
}

/// A text of the library that another one includes.
fn from_library_by_name(name: &str) -> std::result::Result<String, String> {
    let find = || {
        let (folder, name) = name.strip_prefix(LIBRARY)?.split_once('/')?;
        library::find(folder)?.files.iter().find(|file| file.name == name)
    };
    find().map(|file| file.text.to_owned()).ok_or_else(|| "it is not in the library".to_owned())
}

fn unknown(protocol: &str) -> Failure {
    let names: Vec<&str> = library::LIBRARY.iter().map(|entry| entry.name).collect();
    let mut help = format!("known protocols: {}; or name a folder or a .ded file", names.join(", "));
    if let Some(near) = did_you_mean(protocol, names) {
        help = format!("did you mean `{near}`? ({help})");
    }
    Failure::environment(format!("there is no protocol `{protocol}`"), help)
}
