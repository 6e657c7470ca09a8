//! Somebody on the wire, who changes what MACs do not cover.

use menard_lang::run::{Address, Event, Message, Schedule, Struck, is_changed_on_wire};
use menard_sim::{Config, Layer, Obstacle, Prepared, Replayer, schedule_of, simulate};
use menard_value::{Function, Node, Value};

use crate::programs::{observe, prepare};

/// A front has what clients say kept in stores, one of which may be corrupt; MACs cover the digest of it.
const ARCHIVE: &str = "protocol archive
    role client[2] external
    role front
    role store[3]
    fault byzantine 1 of store
    channel put(id: int, what: bytes)              client -> front
    channel keep(id: int, what: bytes, d: digest)  front -> store authenticated(id, d)
    channel kept(id: int, what: bytes)             store -> client
    component front {
      keep(id, what, hash(what))@s :~ put(id, what), store(s)
    }
    component store {
      kept(id, what)@c :~ keep(id, what, d), d == hash(what), client(c)
    }";

/// What is kept was to be kept, and what a front says it has been told.
const PROPERTIES: &str = "properties of archive
    violation(\"kept what nobody sent\", id, what) :- kept(id, what) from s, correct(s), !put(id, what)
    violation(\"another message than was sent\", id, what) :- keep(id, what, _) to s, correct(s), !put(id, what)";

const CLIENT: Node = Node { role: 0, index: 0 };
const FRONT: Node = Node { role: 1, index: 0 };

/// A store; the last one is the liar.
fn store(index: u32) -> Node {
    Node { role: 2, index }
}

fn at(component: &str, node: Node) -> Address {
    Address { node, component: component.into(), part: 0 }
}

fn hash(what: &[u8]) -> Value {
    Function::find("hash").expect("it is in the table").get().call(&[Value::bytes(what)]).expect("hashing is defined")
}

fn keep(id: i64, what: &[u8], of: &[u8], to: Node) -> Message {
    Message { channel: "keep".into(), from: FRONT, to, args: vec![Value::Int(id), Value::bytes(what), hash(of)] }
}

fn changed(message: Message) -> Event {
    let at = at("store", message.to);
    Event::Forge { message, at }
}

/// The front has sent `keep(7, 0x01, hash(0x01))` to all stores, of which the last is corrupt; then this happens.
fn replay(prepared: &Prepared, liars: bool, events: &[Event]) -> Result<(), Obstacle> {
    let put = Message { channel: "put".into(), from: CLIENT, to: FRONT, args: vec![Value::Int(7), Value::bytes(&[1])] };
    let corrupt = liars.then_some(Event::Corrupt { whom: Struck::Whole(store(2)) });
    let before = [
        Event::Inject { message: put.clone() },
        Event::Step { at: at("front", FRONT), inputs: vec![put], outputs: Vec::new() },
    ];
    let events = corrupt.into_iter().chain(before).chain(events.iter().cloned()).collect();
    let schedule = Schedule { events, choice_seed: 0 };
    Replayer::new(prepared, None).replay(&schedule).map(|_| ()).map_err(|error| error.obstacle)
}

#[test]
fn a_message_in_flight_becomes_another_one_in_what_its_mac_does_not_cover() {
    let (_, prepared) = prepare(ARCHIVE, Config::default());
    let honest = store(0);
    let happens = |events: &[Event]| replay(&prepared, true, events);
    assert_eq!(happens(&[changed(keep(7, &[2], &[1], honest))]), Ok(()));
    for (id, what, of, to) in [(8, [2], [1], honest), (7, [2], [2], honest), (7, [1], [1], honest)] {
        assert_eq!(happens(&[changed(keep(id, &what, &of, to))]), Err(Obstacle::NotChanged), "{id} {what:?} {of:?}");
    }
    let taken = Event::Step { at: at("store", honest), inputs: vec![keep(7, &[1], &[1], honest)], outputs: Vec::new() };
    assert_eq!(happens(&[taken, changed(keep(7, &[2], &[1], honest))]), Err(Obstacle::NotChanged));
    assert_eq!(happens(&[changed(keep(7, &[2], &[1], store(2)))]), Err(Obstacle::UnknownNode));
    assert_eq!(replay(&prepared, false, &[changed(keep(7, &[2], &[1], honest))]), Err(Obstacle::NotCorrupt));
}

#[test]
fn what_is_authenticated_as_a_whole_is_not_changed_but_for_studies() {
    let text = ARCHIVE.replace(" authenticated(id, d)", "");
    let (_, prepared) = prepare(&text, Config::default());
    let change = [changed(keep(7, &[2], &[1], store(0)))];
    assert_eq!(replay(&prepared, true, &change), Err(Obstacle::NotCorrupt));
    let without_authentication = vec![("keep".into(), 1)];
    let (_, prepared) = prepare(&text, Config { without_authentication, ..Config::default() });
    assert_eq!(replay(&prepared, true, &change), Ok(()));
}

/// A front seals what it is told for a store, which passes the seal on.
const SEALED: &str = "protocol sealed
    role client[1] external
    role front
    role store[3]
    fault byzantine 1 of store
    channel put(id: int)                     client -> front
    channel keep(id: int, s: signature)      front -> store
    channel pass(s: signature)               store -> store
    component front { keep(id, s)@x :~ put(id), store(x), index_of(x) < 1, s = sign(me, id) }
    component store { pass(s)@x :~ keep(id, s) from f, verify(s, f, id), store(x) }";

#[test]
fn who_changes_a_message_learns_nothing_that_its_mac_covers() {
    let without_authentication = vec![("keep".into(), 0)];
    let (_, prepared) = prepare(SEALED, Config { without_authentication, ..Config::default() });
    let honest = store(0);
    let sign = Function::find("sign").expect("it is in the table").get();
    let seal = sign.call(&[Value::Node(FRONT), Value::Int(7)]).expect("signing is defined");
    let put = Message { channel: "put".into(), from: CLIENT, to: FRONT, args: vec![Value::Int(7)] };
    let keep =
        |id| Message { channel: "keep".into(), from: FRONT, to: honest, args: vec![Value::Int(id), seal.clone()] };
    let pass = Message { channel: "pass".into(), from: store(2), to: honest, args: vec![seal.clone()] };
    let events = vec![
        Event::Corrupt { whom: Struck::Whole(store(2)) },
        Event::Inject { message: put.clone() },
        Event::Step { at: at("front", FRONT), inputs: vec![put], outputs: Vec::new() },
        changed(keep(8)),
        changed(pass),
    ];
    let replay = |events: &[Event]| {
        let schedule = Schedule { events: events.to_vec(), choice_seed: 0 };
        Replayer::new(&prepared, None).replay(&schedule).map(|_| ()).map_err(|error| error.obstacle)
    };
    assert_eq!(replay(&events[..4]), Ok(()));
    assert_eq!(replay(&events), Err(Obstacle::Unforgeable), "it has not received the signature");
}

/// How often something is changed in some runs, and in how many of them something is violated; all of them replay.
fn campaign(text: &str, config: &Config) -> (usize, usize) {
    let (program, prepared) = prepare(text, config.clone());
    let observer = observe(&program, PROPERTIES);
    let (mut changes, mut violated) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, Some(&observer), seed);
        changes += run.trace.events.iter().filter(|event| is_changed_on_wire(&run.trace.events, event)).count();
        violated += usize::from(run.violation.is_some());
        let mut replayer = Replayer::new(&prepared, Some(&observer));
        replayer.replay(&schedule_of(&run.trace)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(replayer.trace(), run.trace, "seed {seed}");
    }
    (changes, violated)
}

#[test]
fn a_check_stops_what_every_layer_changes() {
    for layer in Layer::ALL {
        let config = Config { layers: vec![layer], ..Config::default() };
        let (changes, violated) = campaign(ARCHIVE, &config);
        assert!(changes > 100, "{layer}: {changes}");
        assert_eq!(violated, 0, "{layer}");
        let unchecked = ARCHIVE.replace(" authenticated(id, d)", "").replace("d), d == hash(what)", "_)");
        let config = Config { without_authentication: vec![("keep".into(), 1)], ..config };
        assert!(campaign(&unchecked, &config).1 > 10, "{layer}");
    }
}

#[test]
fn what_was_changed_is_not_sent_again_after_a_restart() {
    let text = ARCHIVE.replace("fault byzantine 1 of store", "fault byzantine 1 of store fault restart 1 of store");
    let (changes, violated) = campaign(&text, &Config::default());
    assert!(changes > 100, "{changes}");
    assert_eq!(violated, 0);
}

#[test]
fn nobody_is_on_the_wire_where_nobody_is_corrupt() {
    let text = ARCHIVE.replace("fault byzantine 1", "fault crash 1");
    let (_, prepared) = prepare(&text, Config::default());
    for seed in 0..100 {
        assert_eq!(simulate(&prepared, None, seed).stats.forged, 0, "seed {seed}");
    }
}
