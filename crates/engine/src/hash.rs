//! Hashes of values: seeded, since keys come from remote parties that may look for collisions.

use menard_value::Value;

/// What hashes depend on besides values. With the same seed, everything that a node does is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    start: u64,
    multiplier: u64,
}

impl Seed {
    /// The seed number `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let start = fold(seed ^ 0x243f_6a88_85a3_08d3, 0x9e37_79b9_7f4a_7c15);
        let multiplier = fold(start ^ 0xa409_3822_299f_31d0, 0xd1b5_4a32_d192_ed03) | 1;
        Seed { start, multiplier }
    }

    /// The hash of the empty tuple.
    pub(crate) fn start(self) -> u64 {
        self.start
    }

    /// The hash of a tuple that continues one with hash `state` by `value`.
    #[inline]
    pub(crate) fn extend(self, state: u64, value: &Value) -> u64 {
        // Without a call where there is nothing to look into.
        let word = match value {
            Value::Int(int) => int.cast_unsigned(),
            Value::Bool(truth) => u64::from(*truth),
            Value::Node(node) => u64::from(node.role) << 32 | u64::from(node.index),
            _ => self.content(value),
        };
        fold(state ^ word, self.multiplier)
    }

    /// A word for a value that is more than a word.
    #[inline(never)]
    fn content(self, value: &Value) -> u64 {
        match value {
            Value::Int(_) | Value::Bool(_) | Value::Node(_) => 0,
            Value::Bytes(blob) => self.bytes(blob.as_slice()),
            Value::String(text) => self.bytes(text.as_str().as_bytes()),
            Value::Digest(digest) => self.bytes(digest.as_slice()),
            Value::Signature(signed) => self.bytes(signed.as_slice()),
            Value::Mac(mac) => self.bytes(mac.as_slice()),
            Value::List(parts)
            | Value::Set(parts)
            | Value::Map(parts)
            | Value::Option(parts)
            | Value::Tuple(parts)
            | Value::Record(parts) => self.tuple(parts.iter()),
        }
    }

    /// The hash of a tuple.
    #[inline]
    pub(crate) fn tuple<'a>(self, values: impl IntoIterator<Item = &'a Value>) -> u64 {
        values.into_iter().fold(self.start, |state, value| self.extend(state, value))
    }

    fn bytes(self, bytes: &[u8]) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.multiplier)
    }
}

/// Both halves of the product, mixed: every bit of the result depends on every bit of the factors.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}
