//! Values in a row: what lists, sets, maps, options, tuples and records are made of.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::LazyLock;

use triomphe::ThinArc;

use crate::types::{Interned, RecordType};
use crate::{UndefinedError, Value};

/// The most bytes that the encoding of a value with parts takes. A function whose result would be larger is undefined.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// Shared, immutable values in a row; one word wide.
#[derive(Clone)]
pub struct Sequence(ThinArc<Header, Value>);

/// What is known about a sequence as a whole.
#[derive(Clone, Copy)]
struct Header {
    /// The number of bytes of its encoding, at most [`MAX_VALUE_BYTES`]. It bounds what a value costs, even where parts are shared.
    bytes: u32,
    /// Of a record, its type.
    record: Option<Interned<RecordType>>,
}

static EMPTY: LazyLock<Sequence> = LazyLock::new(|| Sequence::with_header(4, None, &[]));

impl Sequence {
    /// A sequence of these values; undefined if its encoding is longer than [`MAX_VALUE_BYTES`].
    pub fn new(values: &[Value]) -> Result<Sequence, UndefinedError> {
        if values.is_empty() {
            return Ok(EMPTY.clone());
        }
        Ok(Sequence::with_header(size(values)?, None, values))
    }

    /// The fields of a record of this type.
    pub fn of_record(record: Interned<RecordType>, fields: &[Value]) -> Result<Sequence, UndefinedError> {
        Ok(Sequence::with_header(size(fields)?, Some(record), fields))
    }

    fn with_header(bytes: u32, record: Option<Interned<RecordType>>, values: &[Value]) -> Sequence {
        Sequence(ThinArc::from_header_and_iter(Header { bytes, record }, values.iter().cloned()))
    }

    /// Of a record, its type.
    pub fn record(&self) -> Option<Interned<RecordType>> {
        self.0.header.header.record
    }

    /// An upper bound of the number of bytes of its encoding.
    pub fn bytes(&self) -> usize {
        self.0.header.header.bytes as usize
    }
}

fn size(values: &[Value]) -> Result<u32, UndefinedError> {
    let bytes = values.iter().fold(4_usize, |bytes, value| bytes.saturating_add(value.encoded_bytes()));
    match u32::try_from(bytes) {
        Ok(bytes) if bytes as usize <= MAX_VALUE_BYTES => Ok(bytes),
        _ => Err(UndefinedError),
    }
}

impl Deref for Sequence {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.slice
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr() == other.0.ptr() || (self.record() == other.record() && **self == **other)
    }
}

impl Eq for Sequence {}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// From the first value on, shorter ones first; records by their type first.
impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        self.record().cmp(&other.record()).then_with(|| (**self).cmp(other))
    }
}

impl Hash for Sequence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.record().hash(state);
        (**self).hash(state);
    }
}
