//! MACs and rewrites: all machines of a node have its keys, so one may make a MAC, and another verify it; what a liar can do does not change.

mod common;

use common::{apply_all, apply_without, program, refine};

/// Replicas vote for what a client asks, with a MAC for each other.
const VOUCHED: &str = "protocol vouched
    role client[2] external
    role replica[4]
    fault byzantine 1 of replica
    channel put(id: int, what: bytes, proof: map<node, mac>)   client -> replica
    channel vote(id: int, what: bytes, proof: map<node, mac>)  replica -> replica
    channel done(id: int, what: bytes)                         replica -> client
    component replica {
      table votes(id: int, what: bytes, r: node)
      mine(id, what, map(r, mac(me, r, id, what))) :- put(id, what, p) from c, verify_mac(get(p, me), c, me, id, what), replica(r)
      vote(id, what, p)@r        :~ mine(id, what, p), replica(r)
      votes(id, what, r)         :- vote(id, what, p) from r, verify_mac(get(p, me), r, me, id, what)
      number(id, what, count(r)) :- votes(id, what, r)
      done(id, what)@c           :~ new number(id, what, 3), client(c)
    }";

#[test]
fn macs_are_verified_on_another_machine_and_on_several() {
    let original = program(VOUCHED);
    let lines = ["decouple replica { votes, number, done } into collector", "partition collector by id into 2"];
    let stages = apply_all(&original, &lines);
    let report = refine::check(&original, &stages, 300, 6);
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    assert!(report.channels.get("done").is_some_and(|done| *done > 100), "{:?}", report.channels);
}

/// A receiver cannot compute what takes the key of two other nodes, nor is it asked to compute one of its own MACs: connections have to cover them.
#[test]
fn macs_are_covered_by_the_macs_of_connections() {
    let text = |ty: &str, value: &str| {
        format!(
            "protocol notes
             role client external
             role server
             role store[3]
             fault byzantine 1 of store
             channel put(k: int, v: int)                client -> server
             channel note(k: int, v: int, proof: {ty})  server -> store
             component server {{
               note(k, v, {value})@s :~ put(k, v), store(s)
             }}
             component store {{
               table kept(k: int, v: int, proof: {ty})
               kept(k, v, proof) :- note(k, v, proof)
             }}"
        )
    };
    let line = "authenticate note by k, v";
    assert!(apply_without(&program(&text("digest", "hash(k, v)")), line, None).is_ok());
    assert!(apply_without(&program(&text("mac", "mac(me, s, k, v)")), line, None).is_err());
}
