//! Values, their types, their canonical encoding, and the table of functions.
//!
//! Everything that a fact can hold is a [`Value`]: sixteen bytes, cheap to clone, totally ordered. The order is by type
//! first, so that sorting is deterministic whatever is mixed. Both engines, the simulator and the wire share this crate.

mod choice;
mod cipher;
mod encode;
mod function;
mod keyring;
mod library;
mod mac;
mod registry;
mod sequence;
mod signature;
mod signing;
mod substitute;
mod terms;
mod types;
mod value;

pub use choice::choice_rank;
pub use encode::{DecodeError, Decoder, MAX_BLOB_BYTES, encode, encode_tagged, partition_hash};
pub use function::{Function, FunctionId, UndefinedError};
pub use keyring::{BadKeyError, Keyring, PublicKey, SecretKey};
pub use registry::{find_registered, register, registered_names};
pub use sequence::{MAX_VALUE_BYTES, Sequence};
pub use signature::{Pattern, Scheme, Signature};
pub use substitute::{Powers, Substitution, countersigned, leaves, macs, wholes};
pub use terms::{note_terms, term_of};
pub use types::{Interned, MAX_TYPE_DEPTH, MAX_TYPE_PARTS, RecordType, Type};
pub use value::{Blob, Digest, Mac, Node, Signed, Text, Value};
