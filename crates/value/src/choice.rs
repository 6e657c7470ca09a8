//! What `choose` chooses by.

use crate::{Value, encode_tagged};

/// The rank of a value under the seed of a run: `choose` takes the value of least rank, of equal ranks the least value. Under seed 0 all
/// ranks are equal. It depends on the value and the seed alone, so that equal sets choose equally everywhere.
pub fn choice_rank(seed: u64, value: &Value) -> u64 {
    if seed == 0 {
        return 0;
    }
    let mut bytes = Vec::with_capacity(32);
    encode_tagged(value, &mut bytes);
    xxhash_rust::xxh3::xxh3_64_with_seed(&bytes, seed)
}
