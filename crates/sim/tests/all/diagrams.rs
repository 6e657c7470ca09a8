//! Space-time diagrams of what other tests do not show.

use menard_lang::run::{Address, Event, Message, Trace};
use menard_sim::{Config, space_time};
use menard_value::{Node, Value};

use crate::programs::{decoupled_voting, prepare};

#[test]
fn losses_crashes_restarts_and_repetitions_are_drawn() {
    let (program, prepared) = prepare(&decoupled_voting(), Config::default());
    let role = |name: &str| program.role_index(name).expect("the role is declared");
    let client = Node { role: role("client"), index: 0 };
    let leader = Node { role: role("leader"), index: 0 };
    let participant = Node { role: role("participant"), index: 2 };
    let collector = |part| Address { node: leader, component: "collector".into(), part };
    let message =
        |channel: &str, from, to, args: &[Value]| Message { channel: channel.into(), from, to, args: args.to_vec() };
    let request = message("request", client, leader, &[Value::Int(1), Value::bytes(&[7; 200])]);
    let ballot = message("ballot", leader, participant, &[Value::Node(client), Value::Int(1), Value::bytes(b"a")]);
    let reply = message("reply", leader, client, &[Value::Int(1)]);
    let at_leader = Address { node: leader, component: "leader".into(), part: 0 };
    let start = Event::Step { at: at_leader.clone(), inputs: vec![], outputs: vec![] };
    let taken = Event::Step { at: at_leader, inputs: vec![request.clone()], outputs: vec![ballot.clone()] };
    let events = vec![
        start,
        Event::Inject { message: request },
        taken,
        Event::Take { message: ballot, lost: true },
        Event::Crash { at: collector(1) },
        Event::Restart { at: collector(2) },
        Event::Repeat { at: collector(2), message: reply.clone() },
        Event::Take { message: reply, lost: false },
    ];
    let trace = Trace { events, drained: false };
    insta::assert_snapshot!(space_time(prepared.names(), &trace, None), @r"
       ┌ client[0]
       │  ┌ collector.1
       │  │  ┌ collector.2
       │  │  │  ┌ leader
    1  ●  │  │  │  client[0] sends m1 ▸ request(1, 0x0707070707070707…(200 bytes)) to leader
    2  ├──┼──┼─▶●  leader takes m1 request(1, 0x0707070707070707…(200 bytes)) from client[0]
       │  │  │  │      m2 ▸ ballot(client[0], 1, 0x61) to participant[2]
    3  │  │  │  │  lost: m2 ballot(client[0], 1, 0x61) from leader to participant[2]
    4  │  ✗  │  │  collector.1 crashes
    5  │  │  ↻  │  collector.2 restarts without its state
    6  │  │  ●  │  collector.2 repeats m3 ▸ reply(1) to client[0]
    7  ●◀─┼──┤  │  client[0] takes m3 reply(1) from leader
    ");
}
