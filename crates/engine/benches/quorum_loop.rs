//! The quorum loop of a leader: broadcast each request to 3 participants, dedupe and count their votes, reply at 3, forget the request.
//!
//! `cargo bench -p menard-engine --bench quorum_loop`. Add `-- long` for ten million requests with the memory in use along the way.

mod common;

use std::sync::Arc;

use common::{cpu_time, least, median, resident_bytes};
use menard_engine::{Inputs, Node, Outputs, lower};
use menard_value::{Node as LogicalNode, Value};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const WINDOW: usize = 256;
const PARTICIPANTS: u32 = 3;
const CLIENT: LogicalNode = LogicalNode { role: 0, index: 0 };

/// A leader, and the world that answers it at once: every ballot becomes a vote that waits in a queue, every reply a new request.
struct Loop {
    leader: Node,
    inputs: Inputs,
    outputs: Outputs,
    command: Value,
    /// Votes and requests on their way, oldest first.
    waiting: std::collections::VecDeque<Waiting>,
    next_request: i64,
    replies: u64,
    messages_in: u64,
    messages_out: u64,
}

#[derive(Clone, Copy)]
enum Waiting {
    Request(i64),
    Vote(i64, LogicalNode),
}

impl Loop {
    fn new() -> Loop {
        let program = menard_lang::testing::compile_text(VOTING);
        let leader = Node::new(Arc::new(lower(&program, "leader")), LogicalNode { role: 1, index: 0 });
        let mut looping = Loop {
            leader,
            inputs: Inputs::default(),
            outputs: Outputs::default(),
            command: Value::bytes(&[7; 16]),
            waiting: std::collections::VecDeque::new(),
            next_request: 0,
            replies: 0,
            messages_in: 0,
            messages_out: 0,
        };
        looping.inputs.start = true;
        looping.leader.step(&looping.inputs, &mut looping.outputs);
        (0..WINDOW).for_each(|_| looping.request());
        looping
    }

    fn request(&mut self) {
        self.waiting.push_back(Waiting::Request(self.next_request));
        self.next_request += 1;
    }

    /// One turn with this many messages: a step with them and its follow-ups.
    fn turn(&mut self, messages: usize) {
        self.inputs.clear();
        for _ in 0..messages {
            let Some(message) = self.waiting.pop_front() else { break };
            match message {
                Waiting::Request(id) => self.inputs.push(0, CLIENT, [Value::Int(id), self.command.clone()]),
                Waiting::Vote(id, from) => self.inputs.push(2, from, [Value::Node(CLIENT), Value::Int(id)]),
            }
            self.messages_in += 1;
        }
        self.step();
        while self.outputs.pending {
            self.inputs.clear();
            self.step();
        }
    }

    fn step(&mut self) {
        self.leader.step(&self.inputs, &mut self.outputs);
        let mut replies = 0;
        for message in self.outputs.iter() {
            self.messages_out += 1;
            match message.channel {
                1 => {
                    let id = message.args[1].as_int().expect("a ballot has a number");
                    self.waiting.push_back(Waiting::Vote(id, message.to));
                }
                _ => replies += 1,
            }
        }
        self.replies += replies;
        (0..replies).for_each(|_| self.request());
    }
}

/// Nanoseconds per input message and output messages per input, with this many inputs a step.
fn measure(inputs_per_step: usize, requests: u64) -> (f64, f64) {
    let mut looping = Loop::new();
    while looping.replies < requests / 10 {
        looping.turn(inputs_per_step);
    }
    let (messages_in, messages_out, start) = (looping.messages_in, looping.messages_out, cpu_time());
    let end = looping.replies + requests;
    while looping.replies < end {
        looping.turn(inputs_per_step);
    }
    let elapsed = (cpu_time() - start).as_nanos() as f64;
    let messages_in = (looping.messages_in - messages_in) as f64;
    (elapsed / messages_in, (looping.messages_out - messages_out) as f64 / messages_in)
}

fn long() {
    let mut looping = Loop::new();
    println!("{:>12} requests: {:>8} KiB resident", 0, resident_bytes() / 1024);
    for million in 1..=10_u64 {
        let start = cpu_time();
        while looping.replies < million * 1_000_000 {
            looping.turn(16);
        }
        let seconds = (cpu_time() - start).as_secs_f64();
        println!(
            "{:>12} requests: {:>8} KiB resident, {:.2} million input messages/s",
            looping.replies,
            resident_bytes() / 1024,
            f64::from(1 + PARTICIPANTS) / seconds
        );
    }
}

fn main() {
    for inputs_per_step in [1, 16, 256] {
        let runs: Vec<(f64, f64)> = (0..9).map(|_| measure(inputs_per_step, 100_000)).collect();
        let times: Vec<f64> = runs.iter().map(|run| run.0).collect();
        let (best, middle, outputs) = (least(&times), median(times), runs[0].1);
        println!(
            "quorum loop, {inputs_per_step:>3} inputs a step: median {middle:.0} ns per input message, {:.2} million inputs/s, {:.2} million inputs and outputs/s (best {:.2} million inputs/s)",
            1e3 / middle,
            1e3 / middle * (1.0 + outputs),
            1e3 / best,
        );
    }
    if std::env::args().any(|arg| arg == "long") {
        long();
    }
}
