//! Native roles: nodes in Rust beside nodes of rules.

use std::collections::BTreeMap;

use menard_engine::{Inputs, Native, Natives, Outputs, Wiring};
use menard_lang::{Program, compile_text};
use menard_sim::explain::Chronicle;
use menard_sim::{Config, Groups, Prepared, Replayer, Scope, Simulator, explore, schedule_of, simulate};
use menard_value::Value;

/// Tells what was there before.
const STORED: &str = "protocol stored
    role client external
    role server
    role disk native
    channel put(k: int, v: int)        client -> server
    channel done(k: int, old: int)     server -> client
    channel write(k: int, v: int)      server -> disk
    channel written(k: int, old: int)  disk -> server
    component server {
      table asked(k: int => c: node) first
      asked(k, c)    :- put(k, _) from c
      write(k, v)@d  :~ put(k, v), disk(d)
      done(k, old)@c :~ written(k, old), asked(k, c)
    }";

#[derive(Clone)]
struct Disk {
    wiring: Wiring,
    values: BTreeMap<Value, Value>,
}

impl Native for Disk {
    fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        let written = self.wiring.channel("written").expect("the program has the channel");
        for message in inputs.iter() {
            let [key, value] = message.args else { panic!("the channel has two columns") };
            let before = self.values.insert(key.clone(), value.clone()).unwrap_or(Value::Int(-1));
            self.wiring.send(outputs, written, message.from, &[key.clone(), before]);
        }
    }

    fn reset(&mut self) {}

    fn fingerprint(&self) -> u128 {
        u128::from(menard_value::partition_hash(self.values.iter().flat_map(|(key, value)| [key, value])))
    }

    fn boxed_clone(&self) -> Box<dyn Native> {
        Box::new(self.clone())
    }
}

fn natives() -> Natives {
    let make = |program: &Program, _| -> Box<dyn Native> {
        Box::new(Disk { wiring: Wiring::new(program), values: BTreeMap::new() })
    };
    Natives::new().with("disk", make)
}

#[test]
fn native_nodes_take_part_in_runs() {
    let program = compile_text(STORED);
    let config = Config { faults: false, ..Config::default() };
    let prepared = Prepared::with_natives(&program, config, &natives());
    let mut simulator = Simulator::new(&prepared, None);
    for seed in 0..100 {
        let run = simulate(&prepared, None, seed);
        assert!(run.trace.drained);
        assert!(run.stats.replies > 5, "seed {seed}");
        assert_eq!(simulator.run(seed).hash, run.hash, "nothing is left of the run before");
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).expect("a run with native nodes can be repeated");
        assert_eq!(replayer.trace(), run.trace);
        Chronicle::new(&program, &prepared, &run.trace).expect("native nodes are not doubted");
    }
    let scope = Scope { requests: prepared.sample_requests(2, 0), groups: Groups::All, max_states: 10_000 };
    assert!(explore(&prepared, None, &scope).complete);
}

#[test]
fn native_nodes_that_nobody_knows_are_silent() {
    let prepared = Prepared::new(&compile_text(STORED), Config::default());
    let run = simulate(&prepared, None, 1);
    assert!(run.trace.drained);
    assert_eq!(run.stats.replies, 0);
}
