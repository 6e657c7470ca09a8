//! Corrupt nodes: what their adversary may send, and what it finds.

use std::collections::BTreeSet;

use menard_lang::run::{Address, Event, Message, Schedule, Struck};
use menard_sim::{Config, Layer, Obstacle, Prepared, Replayer, Simulator, schedule_of, simulate};
use menard_value::{Function, Node, Value};

use crate::programs::{observe, prepare};

/// Members pass on what a client says, signed; a watcher believes what two of them have signed.
const WITNESSES: &str = "protocol witnesses
    role client external
    role member[3]
    role watcher
    fault byzantine 1 of member
    channel put(id: int)                          client -> member
    channel pass(id: int, m: node, s: signature)  member -> member
    channel tell(id: int, m: node, s: signature)  member -> watcher
    channel sure(id: int)                         watcher -> client
    component member {
      pass(id, me, s)@m :~ put(id), member(m), s = sign(me, id)
      tell(id, m, s)@w  :~ pass(id, m, s), watcher(w), verify(s, m, id)
    }
    component watcher {
      table told(id: int, m: node)
      table clients(c: node)
      told(id, m)         :- tell(id, m, s), verify(s, m, id)
      number(id, count(m)) :- told(id, m)
      sure(id)@c          :~ new number(id, 2), client(c)
      delete told(id, _)  :+ new number(id, 3)
    }";

fn witnesses() -> String {
    WITNESSES.replace("role client external", "role client[2] external").replace("      table clients(c: node)\n", "")
}

fn member(index: u32) -> Node {
    Node { role: 1, index }
}

fn at(component: &str, node: Node) -> Address {
    Address { node, component: component.into(), part: 0 }
}

fn signed(by: Node, id: i64) -> Value {
    let sign = Function::find("sign").expect("it is in the table").get();
    sign.call(&[Value::Node(by), Value::Int(id)]).expect("signing is defined")
}

fn tell(from: Node, of: Node, id: i64) -> Event {
    let watcher = Node { role: 2, index: 0 };
    let args = vec![Value::Int(id), Value::Node(of), signed(of, id)];
    Event::Forge { message: Message { channel: "tell".into(), from, to: watcher, args }, at: at("watcher", watcher) }
}

fn corrupt(node: Node) -> Event {
    Event::Corrupt { whom: Struck::Whole(node) }
}

fn replay(prepared: &Prepared, events: Vec<Event>) -> Result<(), Obstacle> {
    let schedule = Schedule { events, choice_seed: 0 };
    Replayer::new(prepared, None).replay(&schedule).map(|_| ()).map_err(|error| error.obstacle)
}

#[test]
fn a_liar_signs_for_itself_and_for_nobody_else() {
    let (_, prepared) = prepare(&witnesses(), Config::default());
    let liar = member(2);
    assert_eq!(replay(&prepared, vec![corrupt(liar), tell(liar, liar, 7)]), Ok(()));
    assert_eq!(replay(&prepared, vec![corrupt(liar), tell(liar, member(0), 7)]), Err(Obstacle::Unforgeable));
    assert_eq!(replay(&prepared, vec![corrupt(liar), tell(member(0), liar, 7)]), Err(Obstacle::NotCorrupt));
    assert_eq!(replay(&prepared, vec![tell(liar, liar, 7)]), Err(Obstacle::NotCorrupt));
    assert_eq!(replay(&prepared, vec![tell(liar, liar, 7), corrupt(liar)]), Err(Obstacle::NotCorrupt));
}

#[test]
fn a_liar_passes_on_what_it_has_received() {
    let (_, prepared) = prepare(&witnesses(), Config::default());
    let (liar, honest, client) = (member(2), member(0), Node { role: 0, index: 0 });
    let put = Message { channel: "put".into(), from: client, to: honest, args: vec![Value::Int(7)] };
    let pass = Message {
        channel: "pass".into(),
        from: honest,
        to: liar,
        args: vec![Value::Int(7), Value::Node(honest), signed(honest, 7)],
    };
    let before = [
        corrupt(liar),
        Event::Inject { message: put.clone() },
        Event::Step { at: at("member", honest), inputs: vec![put], outputs: Vec::new() },
    ];
    let heard = Event::Take { message: pass, lost: false };
    let told = tell(liar, honest, 7);
    assert_eq!(replay(&prepared, [&before[..], std::slice::from_ref(&told)].concat()), Err(Obstacle::Unforgeable));
    assert_eq!(replay(&prepared, [&before[..], &[heard.clone(), told]].concat()), Ok(()));
    let other = tell(liar, honest, 8);
    assert_eq!(replay(&prepared, [&before[..], &[heard, other]].concat()), Err(Obstacle::Unforgeable));
}

#[test]
fn liars_take_no_steps_are_as_many_as_declared_and_every_run_replays() {
    for layer in Layer::ALL {
        let (_, prepared) = prepare(&witnesses(), Config { layers: vec![layer], ..Config::default() });
        let mut lies = 0;
        for seed in 0..200 {
            let run = simulate(&prepared, None, seed);
            let corrupt: BTreeSet<Node> = run
                .trace
                .events
                .iter()
                .filter_map(|event| match event {
                    Event::Corrupt { whom } => Some(whom.node()),
                    _ => None,
                })
                .collect();
            assert!(corrupt.len() <= 1, "seed {seed}");
            for event in &run.trace.events {
                match event {
                    Event::Step { at, .. } => assert!(!corrupt.contains(&at.node), "seed {seed}"),
                    Event::Forge { message, .. } => assert!(corrupt.contains(&message.from), "seed {seed}"),
                    _ => {}
                }
            }
            lies += run.stats.forged;
            let mut replayer = Replayer::new(&prepared, None);
            replayer.replay(&schedule_of(&run.trace)).unwrap_or_else(|error| panic!("{layer}, seed {seed}: {error}"));
            assert_eq!(replayer.trace(), run.trace, "{layer}, seed {seed}");
        }
        assert!(lies > 200, "{layer}: {lies} messages made up");
    }
}

/// What the layers find in some thousand runs: for each the runs in which something is violated.
fn violated(text: &str, properties: &str, runs: u64) -> Vec<(Layer, usize)> {
    let (program, _) = prepare(text, Config::default());
    let observer = observe(&program, properties);
    let count = |layer| {
        let (_, prepared) = prepare(text, Config { layers: vec![layer], ..Config::default() });
        let mut simulator = Simulator::new(&prepared, Some(&observer));
        (0..runs).filter(|seed| simulator.run(*seed).violation.is_some()).count()
    };
    Layer::ALL.into_iter().map(|layer| (layer, count(layer))).collect()
}

/// Layers that say what nobody has said.
const INVENTIVE: [Layer; 2] = [Layer::Borges, Layer::SmallScope];

/// A watcher that is sure has heard of two members who say so; one of them at least is correct, and has heard of it from a client.
const SURE: &str = "properties of witnesses
    asked(id) :- put(id) to m, correct(m)
    violation(\"nobody asked\", id) :- sure(id), !asked(id)";

#[test]
fn what_two_have_signed_one_correct_member_has_signed() {
    assert!(violated(&witnesses(), SURE, 1_000).iter().all(|(_, count)| *count == 0));
}

#[test]
fn who_believes_one_member_believes_a_liar() {
    let gullible = witnesses().replace("number(id, 2)", "number(id, 1)");
    let found = violated(&gullible, SURE, 300);
    assert!(found.iter().filter(|(layer, _)| INVENTIVE.contains(layer)).all(|(_, count)| *count > 0), "{found:?}");
}

#[test]
fn who_counts_names_counts_a_liar_twice() {
    let gullible = witnesses()
        .replace("told(id, m)         :- tell(id, m, s), verify(s, m, id)", "told(id, m)         :- tell(id, m, _)");
    let found = violated(&gullible, SURE, 1_000);
    assert!(found.iter().filter(|(layer, _)| INVENTIVE.contains(layer)).all(|(_, count)| *count > 0), "{found:?}");
}

/// A server whose data are on two partitions, each of which keeps what it is given.
const SHARDS: &str = "protocol shards
    role client[2] external
    role mirror
    role server
    fault byzantine 1 of mirror
    channel put(key: int)         client -> mirror
    channel keep(key: int)        mirror -> server by key
    channel kept(key: int, part: int)  server -> client
    component mirror {
      keep(key)@s :~ put(key), server(s)
    }
    component server [2] {
      table there(key: int)
      there(key)          :- keep(key)
      number(count(key))  :- there(key)
      kept(key, n)@c      :~ keep(key), new number(n), client(c)
    }";

#[test]
fn what_is_for_another_partition_is_dropped() {
    let stray = |config: Config| {
        let (_, prepared) = prepare(SHARDS, config);
        let (mirror, server) = (Node { role: 1, index: 0 }, Node { role: 2, index: 0 });
        let message = Message { channel: "keep".into(), from: mirror, to: server, args: vec![Value::Int(1)] };
        let takes = |part: u32| {
            let place = Address { node: server, component: "server".into(), part };
            let events = vec![
                corrupt(mirror),
                Event::Forge { message: message.clone(), at: place.clone() },
                Event::Step { at: place, inputs: vec![message.clone()], outputs: Vec::new() },
            ];
            replay(&prepared, events)
        };
        [takes(0), takes(1)].into_iter().filter(Result::is_ok).count()
    };
    assert_eq!(stray(Config::default()), 1, "one partition takes it");
    let gullible = Config { without_message_verification: vec!["keep".into()], ..Config::default() };
    assert_eq!(stray(gullible), 2, "both take it");
}

#[test]
fn sometimes_one_machine_of_a_node_lies_and_the_others_are_honest() {
    let text = SHARDS.replace("1 of mirror", "1 of server");
    let (_, prepared) = prepare(&text, Config::default());
    let (mut whole, mut part) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        for event in &run.trace.events {
            match event {
                Event::Corrupt { whom: Struck::Whole(_) } => whole += 1,
                Event::Corrupt { whom: Struck::Part(_) } => part += 1,
                Event::Forge { message, .. } => assert_eq!(message.from.role, 2),
                _ => {}
            }
        }
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(whole > 50 && part > 10, "{whole} nodes, {part} machines");
}
