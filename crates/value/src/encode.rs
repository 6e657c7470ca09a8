//! The canonical encoding: one value, one string of bytes, and back.
//!
//! Untagged ([`encode`], [`Decoder`]): for the wire, where the relation's schema is known. Integers are 8 bytes, little
//! endian; booleans one byte, 0 or 1; nodes 2 bytes of role and 4 of index; bytes and text a 4-byte length and their
//! content; digests their 32 bytes, signatures their 64, MACs their 16. Lists, sets and maps have a 4-byte number of members in front, options a
//! byte, 0 or 1; members of sets and keys of maps ascend; tuples and records are their fields. Every value has exactly one encoding,
//! and the decoder accepts no other.
//!
//! Tagged ([`encode_tagged`]): the same with a byte for the type in front of each value and of each of its parts, a number of
//! parts, and for records their name; injective over values of any type. What `hash` and partition functions digest.

use thiserror::Error;

use crate::{Digest, MAX_VALUE_BYTES, Mac, Node, Sequence, Signed, Type, UndefinedError, Value};

/// The longest string of bytes or text that the decoder accepts, in bytes.
pub const MAX_BLOB_BYTES: usize = 1 << 20;

/// Appends the canonical encoding of `value`.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(int) => out.extend_from_slice(&int.to_le_bytes()),
        Value::Bool(truth) => out.push(u8::from(*truth)),
        Value::Bytes(blob) => encode_blob(blob.as_slice(), out),
        Value::String(text) => encode_blob(text.as_str().as_bytes(), out),
        Value::Node(node) => {
            out.extend_from_slice(&node.role.to_le_bytes());
            out.extend_from_slice(&node.index.to_le_bytes());
        }
        Value::Digest(digest) => out.extend_from_slice(digest.as_slice()),
        Value::Signature(signed) => out.extend_from_slice(signed.as_slice()),
        Value::Mac(mac) => out.extend_from_slice(mac.as_slice()),
        Value::List(members) | Value::Set(members) | Value::Map(members) => {
            encode_length(members.len(), out);
            members.iter().for_each(|member| encode(member, out));
        }
        Value::Option(members) => {
            out.push(u8::from(!members.is_empty()));
            members.iter().for_each(|member| encode(member, out));
        }
        Value::Tuple(fields) | Value::Record(fields) => fields.iter().for_each(|field| encode(field, out)),
    }
}

/// Appends a byte for the type, then the encoding with such a byte for each part.
pub fn encode_tagged(value: &Value, out: &mut Vec<u8>) {
    let (tag, parts) = match value {
        Value::Int(_) => (0, None),
        Value::Bool(_) => (1, None),
        Value::Bytes(_) => (2, None),
        Value::String(_) => (3, None),
        Value::Node(_) => (4, None),
        Value::Digest(_) => (5, None),
        Value::Signature(_) => (6, None),
        Value::List(parts) => (7, Some(parts)),
        Value::Set(parts) => (8, Some(parts)),
        Value::Map(parts) => (9, Some(parts)),
        Value::Option(parts) => (10, Some(parts)),
        Value::Tuple(parts) => (11, Some(parts)),
        Value::Record(parts) => (12, Some(parts)),
        Value::Mac(_) => (13, None),
    };
    out.push(tag);
    let Some(parts) = parts else { return encode(value, out) };
    if let Some(record) = parts.record() {
        encode_blob(record.name.as_bytes(), out);
    }
    encode_length(parts.len(), out);
    parts.iter().for_each(|part| encode_tagged(part, out));
}

fn encode_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("a value is far smaller than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

fn encode_blob(bytes: &[u8], out: &mut Vec<u8>) {
    encode_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// A stable hash of a partition key: equal on every machine and in every version that speaks the same wire format.
pub fn partition_hash<'a>(key: impl IntoIterator<Item = &'a Value>) -> u64 {
    let mut bytes = Vec::with_capacity(32);
    for value in key {
        encode_tagged(value, &mut bytes);
    }
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// The bytes end within a value.
    #[error("the message ends in the middle of a value of type {0}")]
    Truncated(Type),
    /// A length is above [`MAX_BLOB_BYTES`].
    #[error("a value of {0} bytes is over the limit of {MAX_BLOB_BYTES}")]
    TooLong(usize),
    /// A boolean is neither 0 nor 1.
    #[error("a truth value is encoded as {0}")]
    BadBool(u8),
    /// The number of values in an option is neither 0 nor 1.
    #[error("an option is encoded as {0}")]
    BadOption(u8),
    /// Members of a set, or keys of a map, do not ascend.
    #[error("the members of a value of type {0} are not in order")]
    Unordered(Type),
    /// A value with parts is over [`MAX_VALUE_BYTES`].
    #[error("a value of type {0} is over the limit of {MAX_VALUE_BYTES} bytes")]
    TooLarge(Type),
    /// Text is not UTF-8.
    #[error("text is not valid UTF-8")]
    BadText,
    /// Bytes are left over.
    #[error("{0} bytes are left over after the last value")]
    Trailing(usize),
}

/// Reads values of known types off a slice of bytes.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Decoder { rest: bytes }
    }

    /// The next value, which must be of type `ty`.
    pub fn value(&mut self, ty: Type) -> Result<Value, DecodeError> {
        Ok(match ty {
            Type::Int => Value::Int(i64::from_le_bytes(self.array(ty)?)),
            Type::Bool => match self.array::<1>(ty)?[0] {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => return Err(DecodeError::BadBool(other)),
            },
            Type::Bytes => Value::bytes(self.blob(ty)?),
            Type::String => {
                let text = std::str::from_utf8(self.blob(ty)?).map_err(|_| DecodeError::BadText)?;
                Value::string(text)
            }
            Type::Node => Value::Node(Node {
                role: u16::from_le_bytes(self.array(ty)?),
                index: u32::from_le_bytes(self.array(ty)?),
            }),
            Type::Digest => Value::Digest(Digest::new(&self.array(ty)?)),
            Type::Signature => Value::Signature(Signed::new(&self.array(ty)?)),
            Type::Mac => Value::Mac(Mac::new(&self.array(ty)?)),
            Type::List(element) => Value::List(self.members(ty, |decoder| decoder.value(*element))?),
            Type::Set(element) => {
                let members = self.members(ty, |decoder| decoder.value(*element))?;
                ascending(ty, members.iter())?;
                Value::Set(members)
            }
            Type::Map(pair) => {
                let entries = self.members(ty, |decoder| {
                    let entry = [decoder.value(pair.0)?, decoder.value(pair.1)?];
                    Value::tuple(&entry).map_err(|UndefinedError| DecodeError::TooLarge(ty))
                })?;
                ascending(ty, entries.iter().map(|entry| entry.fields().and_then(<[Value]>::first)))?;
                Value::Map(entries)
            }
            Type::Option(element) => {
                let value = match self.array::<1>(ty)?[0] {
                    0 => None,
                    1 => Some(self.value(*element)?),
                    other => return Err(DecodeError::BadOption(other)),
                };
                Value::option(value).map_err(|UndefinedError| DecodeError::TooLarge(ty))?
            }
            Type::Tuple(types) => {
                let fields = types.iter().map(|ty| self.value(*ty)).collect::<Result<Vec<_>, _>>()?;
                Value::tuple(&fields).map_err(|UndefinedError| DecodeError::TooLarge(ty))?
            }
            Type::Record(record) => {
                let fields = record.fields.iter().map(|(_, ty)| self.value(*ty)).collect::<Result<Vec<_>, _>>()?;
                Value::record(record, &fields).map_err(|UndefinedError| DecodeError::TooLarge(ty))?
            }
        })
    }

    /// A number of values and the values. Every value takes a byte at least, so that a number that nothing backs is found out before
    /// there is memory for it.
    fn members(
        &mut self,
        ty: Type,
        mut one: impl FnMut(&mut Self) -> Result<Value, DecodeError>,
    ) -> Result<Sequence, DecodeError> {
        let count = u32::from_le_bytes(self.array(ty)?) as usize;
        if count > MAX_VALUE_BYTES {
            return Err(DecodeError::TooLarge(ty));
        }
        if count > self.rest.len() {
            return Err(DecodeError::Truncated(ty));
        }
        let values = (0..count).map(|_| one(self)).collect::<Result<Vec<_>, _>>()?;
        Sequence::new(&values).map_err(|UndefinedError| DecodeError::TooLarge(ty))
    }

    /// Succeeds if every byte was read.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }

    fn array<const N: usize>(&mut self, ty: Type) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated(ty))?;
        self.rest = rest;
        Ok(*head)
    }

    fn blob(&mut self, ty: Type) -> Result<&'a [u8], DecodeError> {
        let length = u32::from_le_bytes(self.array(ty)?) as usize;
        if length > MAX_BLOB_BYTES {
            return Err(DecodeError::TooLong(length));
        }
        let (head, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated(ty))?;
        self.rest = rest;
        Ok(head)
    }
}

fn ascending<T: Ord>(ty: Type, values: impl Iterator<Item = T>) -> Result<(), DecodeError> {
    if values.is_sorted_by(|before, after| before < after) { Ok(()) } else { Err(DecodeError::Unordered(ty)) }
}
