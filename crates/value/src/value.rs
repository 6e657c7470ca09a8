//! The value itself.

use std::fmt;

use triomphe::ThinArc;

use crate::Type;

/// A logical node: the `index`-th node of a role. Roles are numbered in the order in which a program declares them;
/// rewrites never change that list, so a logical node means the same in a program and in all its rewritings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node {
    /// The position of the role in the program's list of roles.
    pub role: u16,
    /// The node's index in its role, from 0.
    pub index: u32,
}

/// A shared, immutable string of bytes; one word wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(ThinArc<(), u8>);

impl Blob {
    /// A copy of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Blob(ThinArc::from_header_and_slice((), bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0.slice
    }
}

/// A shared, immutable piece of text; one word wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Blob);

impl Text {
    /// A copy of this text.
    pub fn new(text: &str) -> Self {
        Text(Blob::new(text.as_bytes()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.as_slice()).expect("a Text is only ever made from a str")
    }
}

/// A 32-byte digest; one word wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Blob);

impl Digest {
    /// A digest with these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Digest(Blob::new(bytes))
    }

    /// The 32 bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// One field of a fact. Ordered by type first, then within the type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// See [`Type::Int`].
    Int(i64),
    /// See [`Type::Bool`].
    Bool(bool),
    /// See [`Type::Bytes`].
    Bytes(Blob),
    /// See [`Type::String`].
    String(Text),
    /// See [`Type::Node`].
    Node(Node),
    /// See [`Type::Digest`].
    Digest(Digest),
}

const _: () = assert!(size_of::<Value>() == 16, "rows are arrays of values: keep them small");

impl Value {
    /// A string of bytes.
    pub fn bytes(bytes: &[u8]) -> Self {
        Value::Bytes(Blob::new(bytes))
    }

    /// A piece of text.
    pub fn string(text: &str) -> Self {
        Value::String(Text::new(text))
    }

    /// The node `index` of the role numbered `role`.
    pub fn node(role: u16, index: u32) -> Self {
        Value::Node(Node { role, index })
    }

    /// The type of the value.
    pub fn ty(&self) -> Type {
        match self {
            Value::Int(_) => Type::Int,
            Value::Bool(_) => Type::Bool,
            Value::Bytes(_) => Type::Bytes,
            Value::String(_) => Type::String,
            Value::Node(_) => Type::Node,
            Value::Digest(_) => Type::Digest,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The node, if it is one.
    pub fn as_node(&self) -> Option<Node> {
        match self {
            Value::Node(node) => Some(*node),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// As in Dedalus text where the type has literals there; nodes as `role#index`, which a caller who knows the names
    /// of the roles prints better.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(int) => write!(f, "{int}"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Bytes(blob) => write_hex(f, blob.as_slice(), usize::MAX),
            Value::String(text) => write!(f, "{:?}", text.as_str()),
            Value::Node(node) => write!(f, "{}#{}", node.role, node.index),
            Value::Digest(digest) => write_hex(f, digest.as_slice(), 4),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8], limit: usize) -> fmt::Result {
    f.write_str("0x")?;
    for byte in bytes.iter().take(limit) {
        write!(f, "{byte:02x}")?;
    }
    if bytes.len() > limit {
        f.write_str("..")?;
    }
    Ok(())
}
