//! Native roles: a node in Rust that talks to one of rules, both fed by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use menard_engine::{Inputs, Native, Natives, Node, Outputs, Wiring, lower};
use menard_lang::ir::Program;
use menard_lang::testing::compile_text;
use menard_value::{Node as LogicalNode, Value};

const PROGRAM: &str = "protocol stored
    role client external
    role server
    role disk native
    channel put(k: int, v: int)      client -> server
    channel done(k: int, old: int)   server -> client
    channel write(k: int, v: int)    server -> disk
    channel written(k: int, old: int) disk -> server
    component server {
      table asked(k: int => c: node) first
      asked(k, c)      :- put(k, _) from c
      write(k, v)@d    :~ put(k, v), disk(d)
      done(k, old)@c   :~ written(k, old), asked(k, c)
    }";

/// Remembers values by key, and answers with the ones before.
#[derive(Clone)]
struct Disk {
    wiring: Wiring,
    values: BTreeMap<Value, Value>,
    steps: u64,
}

impl Disk {
    fn new(program: &Program) -> Disk {
        Disk { wiring: Wiring::new(program), values: BTreeMap::new(), steps: 0 }
    }
}

impl Native for Disk {
    fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        let written = self.wiring.channel("written").expect("the program has the channel");
        self.steps += 1;
        for message in inputs.iter() {
            assert_eq!(self.wiring.name(message.channel), "write");
            let [key, value] = message.args else { panic!("the channel has two columns") };
            let before = self.values.insert(key.clone(), value.clone()).unwrap_or(Value::Int(0));
            self.wiring.send(outputs, written, message.from, &[key.clone(), before]);
        }
    }

    fn reset(&mut self) {
        self.steps = 0;
    }

    fn fingerprint(&self) -> u128 {
        let pairs = self.values.iter().flat_map(|(key, value)| [key, value]);
        u128::from(self.steps) << 64 | u128::from(menard_value::partition_hash(pairs))
    }

    fn boxed_clone(&self) -> Box<dyn Native> {
        Box::new(self.clone())
    }
}

/// What goes on, as inputs of the next one.
fn relay(outputs: &Outputs, from: LogicalNode) -> Inputs {
    let mut inputs = Inputs::default();
    outputs.iter().for_each(|message| inputs.push(message.channel, from, message.args.iter().cloned()));
    inputs
}

#[test]
fn a_native_node_talks_to_one_of_rules() {
    let program = compile_text(PROGRAM);
    let natives = Natives::new();
    assert_eq!(natives.missing(&program).collect::<Vec<_>>(), ["disk"]);
    let natives = natives.with("disk", |program, _| Box::new(Disk::new(program)));
    assert_eq!(natives.missing(&program).count(), 0);

    let node = |role: &str| LogicalNode { role: program.role_index(role).expect("a role"), index: 0 };
    let mut server = Node::new(Arc::new(lower(&program, "server")), node("server"));
    let mut disk = natives.make(&program, node("disk")).expect("it was registered");
    assert!(natives.make(&program, node("server")).is_none());
    let (mut outputs, mut start) = (Outputs::default(), Inputs::default());
    start.start = true;
    server.step(&start, &mut outputs);

    for (value, before) in [(7, 0), (8, 7)] {
        let mut inputs = Inputs::default();
        inputs.push(0, node("client"), [Value::Int(1), Value::Int(value)]);
        server.step(&inputs, &mut outputs);
        let inputs = relay(&outputs, node("server"));
        outputs.clear();
        let branch = disk.clone();
        disk.step(&inputs, &mut outputs);
        assert_ne!(branch.fingerprint(), disk.fingerprint(), "a clone lives its own life");
        let inputs = relay(&outputs, node("disk"));
        server.step(&inputs, &mut outputs);
        let done: Vec<_> = outputs.iter().map(|message| (message.to, message.args.to_vec())).collect();
        assert_eq!(done, [(node("client"), vec![Value::Int(1), Value::Int(before)])]);
        disk.reset();
    }
}
