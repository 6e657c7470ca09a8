//! The value itself.

use std::borrow::Cow;
use std::fmt;

use triomphe::ThinArc;

use crate::{Interned, RecordType, Sequence, UndefinedError};

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

/// What a node made with its key, 64 bytes; one word wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signed(Blob);

impl Signed {
    /// A signature with these bytes.
    pub fn new(bytes: &[u8; 64]) -> Self {
        Signed(Blob::new(bytes))
    }

    /// The 64 bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// What a node made with the key that it shares with another one, 16 bytes; one word wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(Blob);

impl Mac {
    /// A MAC with these bytes.
    pub fn new(bytes: &[u8; 16]) -> Self {
        Mac(Blob::new(bytes))
    }

    /// The 16 bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// One field of a fact. Ordered by type first, then within the type.
#[derive(Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "values are equal as if that were derived; it is only faster")]
pub enum Value {
    /// See [`crate::Type::Int`].
    Int(i64),
    /// See [`crate::Type::Bool`].
    Bool(bool),
    /// See [`crate::Type::Bytes`].
    Bytes(Blob),
    /// See [`crate::Type::String`].
    String(Text),
    /// See [`crate::Type::Node`].
    Node(Node),
    /// See [`crate::Type::Digest`].
    Digest(Digest),
    /// See [`crate::Type::Signature`].
    Signature(Signed),
    /// See [`crate::Type::Mac`].
    Mac(Mac),
    /// See [`crate::Type::List`].
    List(Sequence),
    /// See [`crate::Type::Set`]; ascending.
    Set(Sequence),
    /// See [`crate::Type::Map`]: pairs of key and value, ascending, one for each key.
    Map(Sequence),
    /// See [`crate::Type::Option`]: one value or none.
    Option(Sequence),
    /// See [`crate::Type::Tuple`].
    Tuple(Sequence),
    /// See [`crate::Type::Record`].
    Record(Sequence),
}

// Most values are integers and nodes. Engines copy and compare little else, so these go first and without a call.
impl Clone for Value {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Value::Int(int) => Value::Int(*int),
            Value::Node(node) => Value::Node(*node),
            Value::Bool(truth) => Value::Bool(*truth),
            _ => self.share(),
        }
    }
}

impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Int(left), Value::Int(right)) => left == right,
            (Value::Node(left), Value::Node(right)) => left == right,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            _ => self.has_content_of(other),
        }
    }
}

const _: () = assert!(size_of::<Value>() == 16, "rows are arrays of values: keep them small");

impl Value {
    #[inline(never)]
    fn share(&self) -> Self {
        match self {
            Value::Int(int) => Value::Int(*int),
            Value::Bool(truth) => Value::Bool(*truth),
            Value::Node(node) => Value::Node(*node),
            Value::Bytes(blob) => Value::Bytes(blob.clone()),
            Value::String(text) => Value::String(text.clone()),
            Value::Digest(digest) => Value::Digest(digest.clone()),
            Value::Signature(signed) => Value::Signature(signed.clone()),
            Value::Mac(mac) => Value::Mac(mac.clone()),
            Value::List(parts) => Value::List(parts.clone()),
            Value::Set(parts) => Value::Set(parts.clone()),
            Value::Map(parts) => Value::Map(parts.clone()),
            Value::Option(parts) => Value::Option(parts.clone()),
            Value::Tuple(parts) => Value::Tuple(parts.clone()),
            Value::Record(parts) => Value::Record(parts.clone()),
        }
    }

    #[inline(never)]
    fn has_content_of(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Bytes(left), Value::Bytes(right)) => left == right,
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Digest(left), Value::Digest(right)) => left == right,
            (Value::Signature(left), Value::Signature(right)) => left == right,
            (Value::Mac(left), Value::Mac(right)) => left == right,
            (Value::List(left), Value::List(right))
            | (Value::Set(left), Value::Set(right))
            | (Value::Map(left), Value::Map(right))
            | (Value::Option(left), Value::Option(right))
            | (Value::Tuple(left), Value::Tuple(right))
            | (Value::Record(left), Value::Record(right)) => left == right,
            // What has no content was compared before; here, the types differ.
            _ => false,
        }
    }

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

    /// A list of these values; undefined if it is too large.
    pub fn list(values: &[Value]) -> Result<Value, UndefinedError> {
        Sequence::new(values).map(Value::List)
    }

    /// The set of these values; undefined if it is too large.
    pub fn set(mut values: Vec<Value>) -> Result<Value, UndefinedError> {
        values.sort_unstable();
        values.dedup();
        Sequence::new(&values).map(Value::Set)
    }

    /// The map with these entries, of two with the same key the one with the lesser value; undefined if it is too large.
    pub fn map(entries: Vec<(Value, Value)>) -> Result<Value, UndefinedError> {
        let mut entries = entries;
        entries.sort_unstable();
        entries.dedup_by(|later, earlier| later.0 == earlier.0);
        let entries = entries.into_iter().map(|(key, value)| Value::tuple(&[key, value]));
        Sequence::new(&entries.collect::<Result<Vec<_>, _>>()?).map(Value::Map)
    }

    /// A value or none; undefined if it is too large.
    pub fn option(value: Option<Value>) -> Result<Value, UndefinedError> {
        Sequence::new(value.as_slice()).map(Value::Option)
    }

    /// A tuple of these values; undefined if it is too large.
    pub fn tuple(fields: &[Value]) -> Result<Value, UndefinedError> {
        Sequence::new(fields).map(Value::Tuple)
    }

    /// A record with these fields; undefined if it is too large.
    pub fn record(record: Interned<RecordType>, fields: &[Value]) -> Result<Value, UndefinedError> {
        Sequence::of_record(record, fields).map(Value::Record)
    }

    /// The name of the type, without its parameters.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Bool(_) => "bool",
            Value::Bytes(_) => "bytes",
            Value::String(_) => "string",
            Value::Node(_) => "node",
            Value::Digest(_) => "digest",
            Value::Signature(_) => "signature",
            Value::Mac(_) => "mac",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::Map(_) => "map",
            Value::Option(_) => "option",
            Value::Tuple(_) => "tuple",
            Value::Record(_) => "record",
        }
    }

    /// What is in a list, set, map (its entries as tuples) or option.
    pub fn members(&self) -> Option<&Sequence> {
        match self {
            Value::List(members) | Value::Set(members) | Value::Map(members) | Value::Option(members) => Some(members),
            _ => None,
        }
    }

    /// Whether a list, set, map (an entry as a tuple) or option has this member.
    pub fn contains(&self, member: &Value) -> bool {
        match self {
            Value::List(members) | Value::Option(members) => members.contains(member),
            Value::Set(members) | Value::Map(members) => members.binary_search(member).is_ok(),
            _ => false,
        }
    }

    /// What is in a list, set, map or option, each once. Where something is there twice it is sorted.
    pub fn distinct(&self) -> Cow<'_, [Value]> {
        let members = self.members().map_or(&[][..], |members| members);
        if members.is_sorted_by(|before, after| before < after) {
            return Cow::Borrowed(members);
        }
        let mut sorted = members.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        Cow::Owned(sorted)
    }

    /// The fields of a tuple or a record.
    pub fn fields(&self) -> Option<&[Value]> {
        match self {
            Value::Tuple(fields) | Value::Record(fields) => Some(fields),
            _ => None,
        }
    }

    /// What it is made of directly: its members or its fields; nothing if it has no parts.
    pub fn parts(&self) -> &[Value] {
        self.members().map(|members| &**members).or_else(|| self.fields()).unwrap_or_default()
    }

    /// An upper bound of the number of bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        match self {
            Value::Int(_) => 8,
            Value::Bool(_) => 1,
            Value::Bytes(blob) => 4 + blob.as_slice().len(),
            Value::String(text) => 4 + text.0.as_slice().len(),
            Value::Node(_) => 6,
            Value::Digest(_) => 32,
            Value::Signature(_) => 64,
            Value::Mac(_) => 16,
            Value::List(parts)
            | Value::Set(parts)
            | Value::Map(parts)
            | Value::Option(parts)
            | Value::Tuple(parts)
            | Value::Record(parts) => parts.bytes(),
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
        self.write_with(f, &|leaf, f| match leaf {
            Value::Int(int) => write!(f, "{int}"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Bytes(blob) => write_hex(f, blob.as_slice(), usize::MAX),
            Value::String(text) => write!(f, "{:?}", text.as_str()),
            Value::Node(node) => write!(f, "{}#{}", node.role, node.index),
            Value::Digest(digest) => write_hex(f, digest.as_slice(), 4),
            // Behind what says whose key it was, in a simulated run.
            Value::Signature(signed) => write_hex(f, &signed.as_slice()[8..], 4),
            Value::Mac(mac) => write_hex(f, &mac.as_slice()[8..], 4),
            _ => Ok(()),
        })
    }
}

impl Value {
    /// Writes the value as in Dedalus text; what has no parts, `leaf` writes.
    pub fn write_with<W: fmt::Write>(&self, out: &mut W, leaf: &impl Fn(&Value, &mut W) -> fmt::Result) -> fmt::Result {
        let (open, parts, close) = match self {
            Value::List(parts) => ("[", parts, "]"),
            Value::Set(parts) => ("set_of([", parts, "])"),
            Value::Map(parts) => ("map_of([", parts, "])"),
            Value::Option(parts) if parts.is_empty() => return out.write_str("none()"),
            Value::Option(parts) => ("some(", parts, ")"),
            Value::Tuple(parts) => ("(", parts, ")"),
            Value::Record(parts) => return write_record(parts, out, leaf),
            _ => return leaf(self, out),
        };
        out.write_str(open)?;
        for (position, part) in parts.iter().enumerate() {
            out.write_str(if position > 0 { ", " } else { "" })?;
            part.write_with(out, leaf)?;
        }
        out.write_str(close)
    }
}

fn write_record<W: fmt::Write>(
    fields: &Sequence,
    out: &mut W,
    leaf: &impl Fn(&Value, &mut W) -> fmt::Result,
) -> fmt::Result {
    let record = fields.record().expect("a record is made with its type");
    out.write_str(&record.name)?;
    for (position, ((name, _), field)) in record.fields.iter().zip(fields.iter()).enumerate() {
        out.write_str(if position > 0 { ", " } else { " { " })?;
        write!(out, "{name}: ")?;
        field.write_with(out, leaf)?;
    }
    out.write_str(" }")
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
