//! Space-time diagrams of what other tests do not show.

use menard_lang::run::{Address, Event, Message, Struck, Trace};
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
        Event::Inject { message: request.clone() },
        taken,
        Event::Take { message: ballot, lost: true },
        Event::Cut { nodes: vec![participant] },
        Event::Crash { whom: Struck::Whole(participant) },
        Event::Restart { whom: Struck::Part(collector(1)) },
        Event::Restart { whom: Struck::Whole(leader) },
        Event::Redeliver { message: request.clone() },
        Event::Sync { at: collector(2) },
        Event::Heal,
        Event::Repeat { at: collector(2), message: reply.clone() },
        Event::Take { message: reply, lost: false },
    ];
    let trace = Trace { events, ..Trace::default() };
    insta::assert_snapshot!(space_time(prepared.names(), &trace, None), @r"
       ┌ client[0]
       │  ┌ collector.1
       │  │  ┌ collector.2
       │  │  │  ┌ leader
       │  │  │  │  ┌ participant[2]
    1  ●  │  │  │  │  client[0] sends m1 ▸ request(1, 0x0707070707070707…(200 bytes)) to leader
    2  ├──┼──┼─▶●  │  leader takes m1 request(1, 0x0707070707070707…(200 bytes)) from client[0]
       │  │  │  │  │      m2 ▸ ballot(client[0], 1, 0x61) to participant[2]
    3  │  │  │  │  │  lost: m2 ballot(client[0], 1, 0x61) from leader to participant[2]
    4  │  │  │  │  │  the network is cut between participant[2] and all others
    5  │  │  │  │  ✗  participant[2] crashes
    6  │  ↻  │  │  │  collector.1, a part of leader, restarts
    7  │  ↻  ↻  ↻  │  leader restarts
    8  │  │  │  │  │  again: m3 ▸ request(1, 0x0707070707070707…(200 bytes)) to leader from client[0]
    9  │  │  ▪  │  │  the disk of collector.2 has one more turn
   10  │  │  │  │  │  the network is whole again
   11  │  │  ●  │  │  collector.2 repeats m4 ▸ reply(1) to client[0]
   12  ●◀─┼──┤  │  │  client[0] takes m4 reply(1) from leader
    ");
}
