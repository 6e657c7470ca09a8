//! Nodes and clients with keys: real signatures, and nobody admitted who does not prove who it is.

#![allow(clippy::disallowed_methods, reason = "strangers connect while nodes run")]

mod common;

use std::io::Write;
use std::sync::atomic::AtomicBool;

use common::{connect, frame, greet, hello, is_closed, place, short};
use menard_lang::compile_text;
use menard_node::Deployment;

/// A request is signed by the client, by the server that passes it on, and by the witnesses that have seen it.
const WITNESSED: &str = "protocol witnessed

role client external
role server
role witness[3]

fault byzantine 1 of witness

channel put(id: int, what: bytes, s: signature)                                      client -> server
channel show(c: node, id: int, what: bytes, s: signature, t: signature)              server -> witness
channel seen(c: node, id: int, s: signature)                                         witness -> server
channel done(id: int, certificate: list<(node, signature)>)                          server -> client

component server {
  table vouched(c: node, id: int, w: node, s: signature)

  asked(c, id, what, s)                                :- put(id, what, s) from c, verify(s, c, id, what)
  show(c, id, what, s, sign(me, c, id, what))@w        :~ asked(c, id, what, s), witness(w)
  vouched(c, id, w, s)                                 :- seen(c, id, s) from w, verify(s, w, c, id)
  enough(c, id, count(w))                              :- vouched(c, id, w, _)
  certificate(c, id, list((w, s)))                     :- vouched(c, id, w, s)
  done(id, l)@c                                        :~ new enough(c, id, 3), certificate(c, id, l)
}

component witness {
  seen(c, id, sign(me, c, id))@l :~ show(c, id, what, s, t) from l, verify(t, l, c, id, what), verify(s, c, id, what)
}
";

#[test]
fn keys_are_enough_to_talk() {
    let program = compile_text(WITNESSED);
    let deployment = Deployment::start(&program, &short()).expect("it starts");
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("it runs");
    assert!(report.commands > 10, "{report:#?}");
    assert_eq!(report.dropped(), [].into());
    assert_eq!(report.unexpected_replies, 0);
}

#[test]
fn strangers_without_keys_are_refused_and_counted() {
    const UNAUTHENTICATED: u8 = 9;
    let program = compile_text(WITNESSED);
    let deployment = Deployment::start(&program, &short()).expect("it starts");
    let nodes = deployment.nodes();
    let server = nodes.iter().find(|(name, _)| name == "server").expect("it has a server").1;
    // Where nodes may lie, clients have to prove who they are, too.
    for (kind, caller) in [(1, place(0, 0, 5)), (0, place(1, 0, 0))] {
        let mut stream = connect(server);
        assert_eq!(greet(&mut stream, &hello(&program, 0, &place(0, 0, 0), kind, &caller)), UNAUTHENTICATED);
        assert!(is_closed(&mut stream));
    }
    // A first frame of a handshake, and then nothing that could be the third.
    let mut stream = connect(server);
    let first = [&b"MNRK"[..], &1_u16.to_le_bytes(), &[9; 32]].concat();
    let nonsense = frame(&[7; 171]);
    stream.write_all(&[frame(&first), nonsense].concat()).expect("nodes read");
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("it runs");
    assert!(report.commands > 10, "{report:#?}");
    let dropped = report.dropped();
    let of = |reason: &str| dropped.get(reason).copied().unwrap_or(0);
    assert_eq!((of("unauthenticated") + of("malformed"), of("unauthenticated") >= 2), (3, true), "{dropped:?}");
}
