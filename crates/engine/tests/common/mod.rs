//! For tests: one component of a program out of text, fed by hand.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, lower};
use menard_lang::Program;
use menard_lang::testing::compile_text;
use menard_value::Value;

/// A node of a program, and what its last step did.
pub struct Bench {
    pub program: Program,
    pub node: Node,
    pub outputs: Outputs,
}

/// An integer.
pub fn int(int: i64) -> Value {
    Value::Int(int)
}

impl Bench {
    /// The first node of the first role, which is called `node`, before its first step.
    pub fn new(text: &str) -> Bench {
        let program = compile_text(text);
        let role = program.role_index("node").expect("tests have a role `node`");
        let plan = Arc::new(lower(&program, "node"));
        let node = Node::new(plan, menard_value::Node { role, index: 0 });
        Bench { program, node, outputs: Outputs::default() }
    }

    /// The same, and it has started and settled.
    pub fn started(text: &str) -> Bench {
        let mut bench = Bench::new(text);
        bench.start();
        bench.settle();
        bench
    }

    pub fn start(&mut self) -> Vec<String> {
        let mut inputs = Inputs::default();
        inputs.start = true;
        self.node.step(&inputs, &mut self.outputs);
        self.sent()
    }

    /// A step with messages from the first node of role 0, all columns integers: `("name", &[1, 2])`.
    pub fn step(&mut self, messages: &[(&str, &[i64])]) -> Vec<String> {
        let mut inputs = Inputs::default();
        for (channel, args) in messages {
            let channel = self.program.channels.iter().position(|declared| declared.name == *channel);
            let channel = u16::try_from(channel.expect("the test names channels")).expect("few channels");
            let from = menard_value::Node { role: 0, index: 0 };
            inputs.push(channel, from, args.iter().map(|arg| int(*arg)));
        }
        self.node.step(&inputs, &mut self.outputs);
        self.sent()
    }

    /// Steps without messages until there is no more to do; what they sent.
    pub fn settle(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        let mut steps = 0;
        while self.outputs.pending {
            sent.append(&mut self.step(&[]));
            steps += 1;
            assert!(steps < 100, "the node does not settle");
        }
        sent
    }

    /// A step with messages and all that follow from it.
    pub fn turn(&mut self, messages: &[(&str, &[i64])]) -> Vec<String> {
        let mut sent = self.step(messages);
        sent.append(&mut self.settle());
        sent
    }

    /// The messages of the last step, sorted, as text: `name(1, 2)@role#index`, with a `*` where they are held.
    pub fn sent(&self) -> Vec<String> {
        let mut sent: Vec<String> = self
            .outputs
            .iter()
            .map(|message| {
                let name = &self.program.channels[usize::from(message.channel)].name;
                let args: Vec<String> = message.args.iter().map(Value::to_string).collect();
                let held = if message.held { "*" } else { "" };
                format!("{name}({})@{}{held}", args.join(", "), Value::Node(message.to))
            })
            .collect();
        sent.sort();
        sent
    }

    /// The facts of a relation as text.
    pub fn facts(&self, relation: &str) -> Vec<String> {
        let text = |fact: Vec<Value>| fact.iter().map(Value::to_string).collect::<Vec<_>>().join(" ");
        self.node.facts(relation).into_iter().map(text).collect()
    }
}
