//! The canonical encoding: one value, one string of bytes, and back.
//!
//! Untagged ([`encode`], [`Decoder`]): for the wire, where the relation's schema is known. Integers are 8 bytes, little
//! endian; booleans one byte, 0 or 1; nodes 2 bytes of role and 4 of index; bytes and text a 4-byte length and their
//! content; digests their 32 bytes. Every value has exactly one encoding, and the decoder accepts no other.
//! Tagged ([`encode_tagged`]): the same with a byte for the type in front, injective over values of any type; what `hash`
//! and partition functions digest.

use thiserror::Error;

use crate::{Digest, Node, Type, Value};

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
    }
}

/// Appends a byte for the type, then the canonical encoding.
pub fn encode_tagged(value: &Value, out: &mut Vec<u8>) {
    out.push(value.ty() as u8);
    encode(value, out);
}

fn encode_blob(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).expect("a value is far smaller than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
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
        })
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
