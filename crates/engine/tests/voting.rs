//! The engine on the voting protocol: the leader's quorum loop.

mod common;

use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, Router, lower};
use menard_lang::testing::compile_text;
use menard_value::{Node as LogicalNode, Value};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

const CLIENT: LogicalNode = LogicalNode { role: 0, index: 7 };
const LEADER: LogicalNode = LogicalNode { role: 1, index: 0 };

fn participant(index: u32) -> LogicalNode {
    LogicalNode { role: 2, index }
}

fn vote(inputs: &mut Inputs, id: i64, from: u32) {
    inputs.push(2, participant(from), [Value::Node(CLIENT), Value::Int(id)]);
}

#[test]
fn the_leader_asks_counts_replies_and_forgets() {
    let program = compile_text(VOTING);
    let mut leader = Node::new(Arc::new(lower(&program, "leader")), LEADER);
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    inputs.start = true;
    leader.step(&inputs, &mut outputs);
    assert!(outputs.is_empty() && !outputs.pending);

    inputs.clear();
    // A request that comes twice in a step is one fact.
    inputs.push(0, CLIENT, [Value::Int(1), Value::bytes(b"command")]);
    inputs.push(0, CLIENT, [Value::Int(1), Value::bytes(b"command")]);
    leader.step(&inputs, &mut outputs);
    let asked: Vec<LogicalNode> = outputs.iter().map(|message| message.to).collect();
    assert_eq!(asked, [participant(0), participant(1), participant(2)]);
    assert!(outputs.iter().all(|message| message.channel == 1 && message.args[0] == Value::Node(CLIENT)));

    inputs.clear();
    vote(&mut inputs, 1, 0);
    vote(&mut inputs, 1, 1);
    vote(&mut inputs, 1, 1);
    leader.step(&inputs, &mut outputs);
    assert!(outputs.is_empty() && !outputs.pending);
    assert_eq!(leader.facts("voted").len(), 2);
    assert_eq!(leader.facts("votes"), [[Value::Node(CLIENT), Value::Int(1), Value::Int(2)]]);

    inputs.clear();
    vote(&mut inputs, 1, 2);
    leader.step(&inputs, &mut outputs);
    assert_eq!(outputs.iter().map(|message| (message.channel, message.to)).collect::<Vec<_>>(), [(3, CLIENT)]);
    assert!(outputs.pending, "a deletion can change the counts");

    inputs.clear();
    leader.step(&inputs, &mut outputs);
    assert!(outputs.is_empty() && !outputs.pending);
    assert!(leader.is_empty("voted") && leader.is_empty("votes"));
    assert_eq!(leader.counters().messages_in, 6);
    assert_eq!(leader.counters().messages_out, 4);
}

#[test]
fn a_participant_votes() {
    let program = compile_text(VOTING);
    let mut node = Node::new(Arc::new(lower(&program, "participant")), participant(1));
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    inputs.push(1, LEADER, [Value::Node(CLIENT), Value::Int(1), Value::bytes(b"a")]);
    inputs.push(1, LEADER, [Value::Node(CLIENT), Value::Int(1), Value::bytes(b"b")]);
    node.step(&inputs, &mut outputs);
    assert_eq!(outputs.len(), 1, "the same message is sent once in a step");
    assert_eq!(outputs.iter().next().map(|message| message.to), Some(LEADER));
}

#[test]
fn a_plan_prints_its_joins() {
    let program = compile_text(VOTING);
    let plan = lower(&program, "leader").to_string();
    assert!(plan.contains("0 = request | 1 = participant all"), "{plan}");
    assert!(plan.contains("0 = new votes"), "{plan}");
    assert!(plan.contains("voted [0, 1] = (0.0, 0.1)"), "{plan}");
}

#[test]
fn the_router_finds_components_and_partitions() {
    let text = "protocol p role client external role node
        channel ask(k: int, x: int) client -> node  channel work(k: int, x: int) node -> worker by k
        component node { work(k, x)@me :~ ask(k, x) }
        component worker of node [4] { table seen(k: int) seen(k) :- work(k, _) }";
    let program = compile_text(text);
    let router = Router::new(&program);
    assert_eq!((router.component(0), router.component(1)), (Some(0), Some(1)));
    let part = |k: i64, x: i64| router.part(1, &[Value::Int(k), Value::Int(x)]);
    assert!((0..100).all(|k| part(k, 0) == part(k, 1) && part(k, 0) < 4));
    let used: std::collections::BTreeSet<u32> = (0..100).map(|k| part(k, 0)).collect();
    assert_eq!(used.len(), 4);
}
