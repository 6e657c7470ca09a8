//! Cuts of the network: for a while some logical nodes cannot reach the others. Nothing is lost, it only waits; so cuts need no declaration.

use menard_value::Node;

use crate::prepared::Prepared;
use crate::random::{Random, mix};

/// A cut that is going to happen.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// When, in ticks.
    pub start: u64,
    /// When the network is whole again.
    pub end: u64,
    /// The nodes on one side.
    pub side: Vec<Node>,
}

/// Sets the stream of chance that cuts are drawn from apart from others. It is one with which the first seeds have no cuts, so that the runs
/// that people look at first are simple.
const STREAM: u64 = 282_344;

/// The cuts of a run, one after another; most runs have none.
pub(crate) fn draw(prepared: &Prepared, window: u64, seed: u64) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut random = Random::new(mix(seed ^ STREAM));
    let count = *random.pick(&[0, 0, 0, 0, 1, 1, 4]);
    let mut start = random.below(window + 50);
    for _ in 0..count {
        let length = *random.pick(&[20, 200, 2_000]);
        let end = start + 1 + random.below(length);
        let side = side(prepared, &mut random);
        if !side.is_empty() {
            cuts.push(Cut { start, end, side });
        }
        start = end + random.below(200);
    }
    cuts
}

/// One node, or about half of them; nodes outside of the program can be cut off, too.
fn side(prepared: &Prepared, random: &mut Random) -> Vec<Node> {
    let roles = (0..).zip(&prepared.roles);
    let mut nodes: Vec<Node> =
        roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index })).collect();
    let count = nodes.len();
    if count < 2 {
        return Vec::new();
    }
    if random.percent(50) {
        return vec![nodes[random.index(count)]];
    }
    nodes.retain(|_| random.percent(50));
    nodes
}
