//! The cost of keyed updates and sliding windows, with 1,000 and with 1,000,000 facts in them.
//!
//! `cargo bench -p menard-engine --bench sliding_window`.

mod common;

use std::sync::Arc;

use common::{cpu_time, least, median};
use menard_engine::{Inputs, Node, Outputs, lower};
use menard_value::{Node as LogicalNode, Value};

/// A log of slots: each is filled once, read by a view, and forgotten when the bound has passed it; keys count what they had.
const LOG: &str = "protocol log
    role client external
    role replica
    channel put(n: int, key: int)       client -> replica
    channel done(n: int, key: int)      replica -> client
    component replica {
      table low(=> n: int) max
      window table slot(n: int => key: int, c: node) first above low
      table last(key: int => n: int) replace
      slot(n, key, c)  :- put(n, key) from c
      last(key, n)     :- put(n, key)
      low(n - live)    :- put(n, _)
      done(n, key)@c   :~ new slot(n, key, c)
    }
    param live: int = 1000";

const CLIENT: LogicalNode = LogicalNode { role: 0, index: 0 };

/// A replica with so many slots, and as many keys.
struct Replica {
    node: Node,
    inputs: Inputs,
    outputs: Outputs,
    live: i64,
    next: i64,
}

impl Replica {
    fn new(live: i64) -> Replica {
        let text = LOG.replace("= 1000", &format!("= {live}"));
        let program = menard_lang::testing::compile_text(&text);
        let node = Node::new(Arc::new(lower(&program, "replica")), LogicalNode { role: 1, index: 0 });
        let mut replica = Replica { node, inputs: Inputs::default(), outputs: Outputs::default(), live, next: 0 };
        replica.put(live + live / 8);
        replica
    }

    /// Fills so many slots, 16 in a step, in an order of keys that no cache foresees.
    fn put(&mut self, slots: i64) {
        for first in (0..slots).step_by(16) {
            self.inputs.clear();
            for _ in first..slots.min(first + 16) {
                let key = self.next.wrapping_mul(0x5851_f42d_4c95_7f2d).rem_euclid(self.live);
                self.inputs.push(0, CLIENT, [Value::Int(self.next), Value::Int(key)]);
                self.next += 1;
            }
            self.node.step(&self.inputs, &mut self.outputs);
            self.inputs.clear();
            while self.outputs.pending {
                self.node.step(&self.inputs, &mut self.outputs);
            }
        }
    }
}

fn main() {
    let mut replicas: Vec<Replica> = [1_000, 1_000_000].into_iter().map(Replica::new).collect();
    let mut times = [Vec::new(), Vec::new()];
    let mut counts = [(0, 0); 2];
    for _ in 0..15 {
        for (position, replica) in replicas.iter_mut().enumerate() {
            let (before, start) = (*replica.node.counters(), cpu_time());
            replica.put(48_000);
            times[position].push((cpu_time() - start).as_nanos() as f64 / 48_000.0);
            let after = replica.node.counters();
            counts[position] = (after.probes - before.probes, after.rows_touched - before.rows_touched);
            assert_eq!(replica.node.facts("slot").len() as i64, replica.live);
        }
    }
    assert_eq!(counts[0], counts[1], "probes and rows touched do not depend on the tables");
    let [small, large] = times;
    println!("probes and rows touched for 48,000 slots: {:?}", counts[0]);
    println!("    1,000 facts: median {:.0} ns per slot (best {:.0})", median(small.clone()), least(&small));
    println!("1,000,000 facts: median {:.0} ns per slot (best {:.0})", median(large.clone()), least(&large));
}
