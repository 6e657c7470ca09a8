//! Keys on disk: what everybody has to know, and for each logical node a folder with what nobody else may know.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use menard_lang::ir::Program;
use menard_value::{Node, PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::certificate::Passport;
use super::credentials::Credentials;
use crate::config::Config;
use crate::data::{file_name, hexadecimal};
use crate::layout::Layout;
use crate::wire::Caller;

const PUBLIC: &str = "public.toml";
const SECRET: &str = "secret.toml";

/// Keys cannot be written or read.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The system says no.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Of which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file should be written that is there.
    #[error("{} is there already, and keys are never written over; name another folder", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// A file is not what it ought to be.
    #[error("{path}: {problem}; `menard keys` makes a folder of keys that fits the program", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The program has what cannot be deployed.
    #[error("{0}")]
    Program(String),
}

/// What everybody knows.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    /// The keys of logical nodes, by name.
    nodes: BTreeMap<String, String>,
    /// The keys of external nodes, and those with which they connect.
    #[serde(default)]
    external: BTreeMap<String, ExternalFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalFile {
    connection: String,
    nodes: Vec<String>,
}

/// What one logical node knows, or the external nodes of a role.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    /// The secret keys of logical nodes: one, or all of an external role.
    nodes: Vec<String>,
    /// The secret key of connections of external nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    machines: Vec<MachineFile>,
}

/// A physical node.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineFile {
    component: String,
    part: u32,
    secret: String,
    certificate: String,
}

/// Draws keys for all nodes of a program, and for as many clients as the settings say, and writes them to a folder that is not there yet.
/// Gives the paths of the files.
pub fn write_keys(program: &Program, config: &Config, folder: &Path) -> Result<Vec<PathBuf>, KeysError> {
    let layout = Arc::new(Layout::new(program).map_err(|error| KeysError::Program(error.to_string()))?);
    let drawn = Credentials::draw(program, layout.clone(), config.clients);
    let credentials = drawn.map_err(|source| io_error("draw keys for", folder, source))?;
    make_folder(folder)?;
    let public = folder.join(PUBLIC);
    let mut written = vec![public.clone()];
    write(&public, &public_file(program, &layout, &credentials))?;
    for (node, name) in &layout.nodes {
        let path = folder.join(file_name(name));
        make_folder(&path)?;
        written.push(path.join(SECRET));
        write(&path.join(SECRET), &secret_file(&credentials, *node))?;
    }
    for passport in &credentials.clients {
        let Caller::Client { role, .. } = passport.caller else { continue };
        let path = folder.join(program.roles[usize::from(role)].name.as_str());
        make_folder(&path)?;
        written.push(path.join(SECRET));
        let nodes = credentials.secret.iter().filter(|(node, _)| node.role == role);
        let nodes = nodes.map(|(_, key)| hexadecimal(&key.to_bytes())).collect();
        let connection = Some(hexadecimal(&passport.key.to_bytes()));
        write(&path.join(SECRET), &SecretFile { nodes, connection, machines: Vec::new() })?;
    }
    Ok(written)
}

fn public_file(program: &Program, layout: &Layout, credentials: &Credentials) -> PublicFile {
    let key = |node: &Node| hexadecimal(&credentials.public[node].to_bytes());
    let nodes = layout.nodes.iter().map(|(node, name)| (name.clone(), key(node))).collect();
    let external = credentials.gates.iter().filter_map(|(caller, connection)| {
        let Caller::Client { role, .. } = *caller else { return None };
        let of_role = credentials.public.keys().filter(|node| node.role == role);
        let file = ExternalFile { connection: hexadecimal(&connection.to_bytes()), nodes: of_role.map(key).collect() };
        Some((program.roles[usize::from(role)].name.to_string(), file))
    });
    PublicFile { nodes, external: external.collect() }
}

fn secret_file(credentials: &Credentials, node: Node) -> SecretFile {
    let machine = |(place, passport): (&usize, &Arc<Passport>)| {
        let title = credentials.title(*place);
        (title.node == node).then(|| MachineFile {
            component: title.component.clone(),
            part: title.part,
            secret: hexadecimal(&passport.key.to_bytes()),
            certificate: hexadecimal(&passport.certificate),
        })
    };
    SecretFile {
        nodes: vec![hexadecimal(&credentials.secret[&node].to_bytes())],
        connection: None,
        machines: credentials.passports.iter().filter_map(machine).collect(),
    }
}

impl Credentials {
    /// Reads what a logical node needs, or the external nodes of a role, by its name. External nodes may have no keys.
    pub(crate) fn read(
        program: &Program,
        layout: Arc<Layout>,
        folder: &Path,
        name: &str,
    ) -> Result<Credentials, KeysError> {
        let mut credentials = Credentials::empty(program, layout.clone());
        let path = folder.join(PUBLIC);
        let public: PublicFile = read(&path)?;
        credentials.take_public(program, &layout, &public).map_err(wrong(&path))?;
        if public.nodes.contains_key(name) || public.external.contains_key(name) {
            let path = folder.join(file_name(name)).join(SECRET);
            credentials.take_secret(program, &layout, &read(&path)?, name).map_err(wrong(&path))?;
        }
        Ok(credentials)
    }

    fn take_public(&mut self, program: &Program, layout: &Layout, file: &PublicFile) -> Result<(), String> {
        let mut public = BTreeMap::new();
        for (node, name) in &layout.nodes {
            let key = file.nodes.get(name).ok_or_else(|| format!("there is no key of `{name}`"))?;
            public.insert(*node, public_key(key)?);
        }
        for (name, file) in &file.external {
            let role = program.role_index(name).ok_or_else(|| format!("there is no role `{name}`"))?;
            for (index, key) in (0..).zip(&file.nodes) {
                public.insert(Node { role, index }, public_key(key)?);
            }
            let count = u32::try_from(file.nodes.len()).map_err(|_| format!("`{name}` has too many nodes"))?;
            self.gates.push((Caller::Client { role, first: 0, count }, public_key(&file.connection)?));
        }
        self.public = Arc::new(public);
        Ok(())
    }

    fn take_secret(&mut self, program: &Program, layout: &Layout, file: &SecretFile, name: &str) -> Result<(), String> {
        let logical = layout.nodes.iter().find(|(_, known)| known == name).map(|(node, _)| *node);
        let role = program.role_index(name);
        let first = logical.or(role.map(|role| Node { role, index: 0 }));
        let first = first.ok_or_else(|| format!("there is no node `{name}`"))?;
        for (index, secret) in (first.index..).zip(&file.nodes) {
            let (node, key) = (Node { role: first.role, index }, secret_key(secret)?);
            if self.public.get(&node) != Some(&key.public()) {
                return Err(format!("a key of `{name}` is not the one that {PUBLIC} has"));
            }
            self.secret.insert(node, key);
        }
        if let (Some(connection), Some(role)) = (&file.connection, role) {
            let count = u32::try_from(file.nodes.len()).map_err(|_| format!("`{name}` has too many nodes"))?;
            let caller = Caller::Client { role, first: 0, count };
            let passport = Passport { caller, key: secret_key(connection)?, certificate: [0; 64] };
            self.clients.push(Arc::new(passport));
        }
        for machine in &file.machines {
            // One folder of keys serves several plans: machines that this program does not have are none of its business.
            let Some(place) = self.find(first, &machine.component, machine.part) else { continue };
            let caller = Caller::Peer(layout.wire_place(place));
            let (key, certificate) = (secret_key(&machine.secret)?, bytes(&machine.certificate)?);
            if !self.certify(caller, &key.public(), &certificate) {
                let (component, part) = (&machine.component, machine.part);
                return Err(format!("the certificate of partition {part} of `{component}` is not one of `{name}`"));
            }
            self.passports.insert(place, Arc::new(Passport { caller, key, certificate }));
        }
        match (0..layout.places.len())
            .find(|place| Some(layout.places[*place].node) == logical && !self.passports.contains_key(place))
        {
            Some(place) => Err(format!("there is no key for `{}`", layout.places[place].name)),
            None => Ok(()),
        }
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let wrong = || format!("`{text}` is not {N} bytes in hexadecimal digits");
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return Err(wrong());
    }
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * position..2 * position + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

/// Without the text in the error: it may be a secret.
fn secret_key(text: &str) -> Result<SecretKey, String> {
    let secret = bytes(text).map_err(|_| "a secret key is not 32 bytes in hexadecimal digits".to_owned())?;
    Ok(SecretKey::new(&secret))
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::new(&bytes(text)?).map_err(|error| error.to_string())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, KeysError> {
    let text = std::fs::read_to_string(path).map_err(|source| io_error("read", path, source))?;
    // The message alone: the text around it may be a secret.
    toml::from_str(&text).map_err(|error| wrong(path)(error.message().to_owned()))
}

/// A file that only its owner can read, and that was not there before.
fn write<T: Serialize>(path: &Path, content: &T) -> Result<(), KeysError> {
    let text = toml::to_string(content).expect("files of keys are tables of strings");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => KeysError::Exists { path: path.to_owned() },
        _ => io_error("write", path, source),
    })
}

fn make_folder(path: &Path) -> Result<(), KeysError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| io_error("make the folder", path, source))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeysError {
    KeysError::Io { action, path: path.to_owned(), source }
}

fn wrong(path: &Path) -> impl Fn(String) -> KeysError {
    let path = path.to_owned();
    move |problem| KeysError::Content { path: path.clone(), problem }
}
