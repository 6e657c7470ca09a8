//! The cost of a message does not grow with the table: the quorum loop over a table with 1,000 facts and over one with 1,000,000.
//!
//! `cargo bench -p menard-engine --bench table_growth`.

mod common;

use std::sync::Arc;

use common::{cpu_time, least, median};
use menard_engine::{Counters, Inputs, Node, Outputs, lower};
use menard_value::{Node as LogicalNode, Value};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const CLIENT: LogicalNode = LogicalNode { role: 0, index: 0 };

/// A leader whose table has this many votes that never reach a quorum.
fn leader(facts: i64) -> Node {
    let program = menard_lang::testing::compile_text(VOTING);
    let mut leader = Node::new(Arc::new(lower(&program, "leader")), LogicalNode { role: 1, index: 0 });
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    for ids in (0..facts).collect::<Vec<_>>().chunks(1000) {
        inputs.clear();
        ids.iter().for_each(|id| push_vote(&mut inputs, 1_000_000_000 + id, 0));
        leader.step(&inputs, &mut outputs);
    }
    leader
}

fn push_vote(inputs: &mut Inputs, id: i64, from: u32) {
    inputs.push(2, LogicalNode { role: 2, index: from }, [Value::Node(CLIENT), Value::Int(id)]);
}

/// Votes for these requests, three each, 16 messages a step. Gives the number of messages.
fn vote(leader: &mut Node, ids: std::ops::Range<i64>) -> u64 {
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    let mut messages = 0;
    let votes = ids.flat_map(|id| (0..3).map(move |from| (id, from)));
    for (id, from) in votes {
        push_vote(&mut inputs, id, from);
        messages += 1;
        if inputs.len() == 16 {
            leader.step(&inputs, &mut outputs);
            inputs.clear();
            while outputs.pending {
                leader.step(&inputs, &mut outputs);
            }
        }
    }
    messages
}

fn difference(after: &Counters, before: &Counters) -> (u64, u64) {
    (after.probes - before.probes, after.rows_touched - before.rows_touched)
}

fn main() {
    let mut leaders: Vec<Node> = [1_000, 1_000_000].into_iter().map(leader).collect();
    let mut times = [Vec::new(), Vec::new()];
    let mut counts = [(0, 0); 2];
    for round in 0..15 {
        for (position, leader) in leaders.iter_mut().enumerate() {
            let first = round * 16_000;
            let (before, start) = (*leader.counters(), cpu_time());
            let messages = vote(leader, first..first + 16_000);
            times[position].push((cpu_time() - start).as_nanos() as f64 / messages as f64);
            counts[position] = difference(leader.counters(), &before);
        }
    }
    assert_eq!(counts[0], counts[1], "probes and rows touched do not depend on the table");
    let [small, large] = times;
    let (small_best, large_best) = (least(&small), least(&large));
    let (small, large) = (median(small), median(large));
    println!("probes and rows touched for 48,000 messages: {counts:?}");
    println!("    1,000 facts: median {small:.0} ns per message (best {small_best:.0})");
    println!("1,000,000 facts: median {large:.0} ns per message (best {large_best:.0})");
    println!("difference: {:.0} ns per message (best {:.0})", large - small, large_best - small_best);
}
