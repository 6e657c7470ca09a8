//! Values, their types, their canonical encoding, and the table of functions.
//!
//! Everything that a fact can hold is a [`Value`]: sixteen bytes, cheap to clone, totally ordered. The order is by type
//! first, so that sorting is deterministic whatever is mixed. Both engines, the simulator and the wire share this crate.

mod encode;
mod function;
mod types;
mod value;

pub use encode::{DecodeError, Decoder, MAX_BLOB_BYTES, encode, encode_tagged, partition_hash};
pub use function::{Function, FunctionId, Signature, UndefinedError};
pub use types::Type;
pub use value::{Blob, Digest, Node, Text, Value};
