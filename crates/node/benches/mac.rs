//! What it costs to authenticate messages with a long field: as a whole, a record of 64 KiB at a time, as nodes do; without that field; and
//! the check that a receiver needs instead. `cargo bench -p menard-node --bench mac`.

#![allow(clippy::disallowed_methods, reason = "benchmarks measure time")]

use std::hint::black_box;
use std::time::Instant;

/// Bytes in a record.
const RECORD_BYTES: usize = 64 << 10;
/// Length, header, a number, a digest.
const COVERED_BYTES: usize = 4 + 10 + 8 + 32;
const ROUNDS: u32 = 7;
const CALLS: u32 = 200;

fn main() {
    println!("bytes  whole ns  covered ns  check ns   (per message, at one end)");
    for field_bytes in [16, 256, 1 << 10, 8 << 10, 32 << 10] {
        let message_bytes = COVERED_BYTES + field_bytes;
        let messages = RECORD_BYTES / message_bytes;
        let record = vec![3; messages * message_bytes];
        let covered = || record.chunks(message_bytes).map(|message| &message[..COVERED_BYTES]);
        let fields = || record.chunks(message_bytes).map(|message| &message[COVERED_BYTES..]);
        let costs = [
            least_ns(&mut || mac([&record[..]])),
            least_ns(&mut || mac(covered())),
            least_ns(&mut || {
                fields().for_each(|field| {
                    black_box(blake3::hash(field));
                });
            }),
        ];
        let [whole, part, check] = costs.map(|ns| ns / messages as f64);
        println!("{field_bytes:>5}  {whole:>8.0}  {part:>10.0}  {check:>8.0}");
    }
}

/// One MAC over all of these bytes.
fn mac<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) {
    let mut hasher = blake3::Hasher::new_keyed(&[7; 32]);
    pieces.into_iter().for_each(|piece| {
        hasher.update(piece);
    });
    black_box(hasher.finalize());
}

/// How long a call takes, in the best of some rounds.
fn least_ns(call: &mut dyn FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
