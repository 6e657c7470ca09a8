//! MACs as values: who can make one, who can tell whether it is right, and authenticators that are right for some only.

use std::collections::BTreeSet;

use menard_lang::run::{Address, Event, Message, Schedule, Struck};
use menard_sim::{Config, Layer, Obstacle, Prepared, Replayer, Simulator, schedule_of, simulate};
use menard_value::{Function, Mac, Node, Value};

use crate::programs::{observe, prepare};

/// Members tell each other what a client says, with a MAC for each.
const VOUCHERS: &str = "protocol vouchers
    role client[2] external
    role member[4]
    fault byzantine 1 of member
    channel put(id: int)                                    client -> member
    channel pass(id: int, m: node, proof: map<node, mac>)   member -> member
    channel heard(id: int, m: node)                         member -> client
    component member {
      mine(id, map(n, mac(me, n, id))) :- put(id), member(n)
      pass(id, me, proof)@n            :~ mine(id, proof), member(n)
      heard(id, m)@c                   :~ pass(id, m, proof), verify_mac(get(proof, me), m, me, id), client(c)
    }";

fn member(index: u32) -> Node {
    Node { role: 1, index }
}

fn call(name: &str, args: &[Value]) -> Value {
    Function::find(name).expect("it is in the table").get().call(args).expect("it is defined")
}

fn mac(from: Node, to: Node, id: i64) -> Value {
    call("mac", &[Value::Node(from), Value::Node(to), Value::Int(id)])
}

fn pass(from: Node, of: Node, to: Node, mac: Value) -> Message {
    let proof = Value::map(vec![(Value::Node(to), mac)]).expect("it is small");
    Message { channel: "pass".into(), from, to, args: vec![Value::Int(7), Value::Node(of), proof] }
}

fn forge(message: Message) -> Event {
    let at = Address { node: message.to, component: "member".into(), part: 0 };
    Event::Forge { message, at }
}

fn replay(prepared: &Prepared, events: Vec<Event>) -> Result<(), Obstacle> {
    let schedule = Schedule { events, choice_seed: 0 };
    Replayer::new(prepared, None).replay(&schedule).map(|_| ()).map_err(|error| error.obstacle)
}

#[test]
fn a_liar_makes_macs_from_and_for_itself_and_wrong_ones() {
    let (_, prepared) = prepare(VOUCHERS, Config::default());
    let (liar, honest, other) = (member(3), member(0), member(1));
    let says = |mac: Value| {
        let corrupt = Event::Corrupt { whom: Struck::Whole(liar) };
        replay(&prepared, vec![corrupt, forge(pass(liar, honest, other, mac))])
    };
    assert_eq!(says(mac(liar, other, 7)), Ok(()));
    assert_eq!(says(mac(honest, liar, 7)), Ok(()), "it has the key, and convinces itself alone");
    assert_eq!(says(Value::Mac(Mac::wrong(1))), Ok(()));
    assert_eq!(says(mac(honest, other, 7)), Err(Obstacle::Unforgeable));
}

#[test]
fn a_liar_passes_on_what_it_has_received() {
    let (_, prepared) = prepare(VOUCHERS, Config::default());
    let (liar, honest, other) = (member(3), member(0), member(1));
    let put =
        Message { channel: "put".into(), from: Node { role: 0, index: 0 }, to: honest, args: vec![Value::Int(7)] };
    let entries = (0..4).map(|index| (Value::Node(member(index)), mac(honest, member(index), 7)));
    let proof = Value::map(entries.collect()).expect("it is small");
    let told = Message {
        channel: "pass".into(),
        from: honest,
        to: liar,
        args: vec![Value::Int(7), Value::Node(honest), proof],
    };
    let events = [
        Event::Corrupt { whom: Struck::Whole(liar) },
        Event::Inject { message: put.clone() },
        Event::Step {
            at: Address { node: honest, component: "member".into(), part: 0 },
            inputs: vec![put],
            outputs: Vec::new(),
        },
        Event::Take { message: told, lost: false },
    ];
    let said = |id| [&events[..], &[forge(pass(liar, honest, other, mac(honest, other, id)))]].concat();
    assert_eq!(replay(&prepared, said(7)), Ok(()));
    assert_eq!(replay(&prepared, said(8)), Err(Obstacle::Unforgeable));
}

/// For how many honest nodes a message of a liar has a MAC that is right, and for how many it has one that is not.
fn right_and_wrong(message: &Message, corrupt: &BTreeSet<Node>) -> (usize, usize) {
    let honest = (0..4).map(member).filter(|node| !corrupt.contains(node));
    let entries: Vec<(&Value, &Value)> = message.args[2].parts().iter().map(entry).collect();
    let (mut right, mut wrong) = (0, 0);
    for node in honest {
        let Some((_, mac)) = entries.iter().find(|(key, _)| **key == Value::Node(node)) else { continue };
        let args = [(*mac).clone(), Value::Node(message.from), Value::Node(node), message.args[0].clone()];
        match call("verify_mac", &args) {
            Value::Bool(true) => right += 1,
            _ => wrong += 1,
        }
    }
    (right, wrong)
}

fn entry(entry: &Value) -> (&Value, &Value) {
    match entry.fields() {
        Some([key, value]) => (key, value),
        _ => panic!("{entry:?}"),
    }
}

#[test]
fn all_layers_make_authenticators_that_are_right_for_some_and_wrong_for_others() {
    for layer in Layer::ALL {
        let (_, prepared) = prepare(VOUCHERS, Config { layers: vec![layer], ..Config::default() });
        let mut partly = 0;
        for seed in 0..300 {
            let run = simulate(&prepared, None, seed);
            let corrupt: BTreeSet<Node> = run.trace.events.iter().filter_map(corrupted).collect();
            for event in &run.trace.events {
                if let Event::Forge { message, .. } = event
                    && message.channel == "pass"
                {
                    let (right, wrong) = right_and_wrong(message, &corrupt);
                    partly += usize::from(right > 0 && wrong > 0);
                }
            }
            let mut replayer = Replayer::new(&prepared, None);
            replayer.replay(&schedule_of(&run.trace)).unwrap_or_else(|error| panic!("{layer}, seed {seed}: {error}"));
            assert_eq!(replayer.trace(), run.trace, "{layer}, seed {seed}");
        }
        assert!(partly > 20, "{layer}: {partly}");
    }
}

fn corrupted(event: &Event) -> Option<Node> {
    match event {
        Event::Corrupt { whom } => Some(whom.node()),
        _ => None,
    }
}

/// Who has heard a correct member say something has heard what a client told it.
const SAID: &str = "properties of vouchers
    violation(\"never said\", id, m) :- heard(id, m) from n, correct(n), correct(m), !put(id) to m";

fn violated(text: &str) -> Vec<(Layer, usize)> {
    let (program, _) = prepare(text, Config::default());
    let observer = observe(&program, SAID);
    let count = |layer| {
        let (_, prepared) = prepare(text, Config { layers: vec![layer], ..Config::default() });
        let mut simulator = Simulator::new(&prepared, Some(&observer));
        (0..1_000).filter(|seed| simulator.run(*seed).violation.is_some()).count()
    };
    Layer::ALL.into_iter().map(|layer| (layer, count(layer))).collect()
}

#[test]
fn nobody_speaks_in_the_name_of_others() {
    let found = violated(VOUCHERS);
    assert!(found.iter().all(|(_, count)| *count == 0), "{found:?}");
}

/// That a MAC for somebody is right says nothing of one for somebody else.
#[test]
fn who_does_not_look_at_its_own_mac_is_fooled() {
    let gullible = VOUCHERS.replace(", verify_mac(get(proof, me), m, me, id)", "");
    let found = violated(&gullible);
    assert!(found.iter().any(|(_, count)| *count > 0), "{found:?}");
}

/// A server hands on what clients ask, which each store looks at for itself.
const ORDERS: &str = "protocol orders
    role client external
    role server
    role store[2]
    channel put(id: int, what: bytes, proof: map<node, mac>)            client -> server
    channel keep(c: node, id: int, what: bytes, proof: map<node, mac>)  server -> store
    channel done(id: int)                                               store -> client
    component server {
      keep(c, id, what, proof)@n :~ put(id, what, proof) from c, verify_mac(get(proof, me), c, me, id), store(n)
    }
    component store {
      done(id)@c :~ keep(c, id, what, proof), verify_mac(get(proof, me), c, me, id, hash(what))
    }";

#[test]
fn requests_carry_authenticators_for_all_who_verify_them() {
    let (_, prepared) = prepare(ORDERS, Config { requests: 6, resend_percent: 0, ..Config::default() });
    let answers = |seed| {
        let trace = simulate(&prepared, None, seed).trace;
        let is_answer = |event: &&Event| matches!(event, Event::Take { message, .. } if message.channel == "done");
        trace.events.iter().filter(is_answer).count()
    };
    assert!((0..20).all(|seed| answers(seed) == 12), "each store answers each request");
}
