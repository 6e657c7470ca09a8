//! MACs of real nodes: clients make authenticators, nodes make MACs for each other, and one that lies stops nobody.

mod common;

use common::{measure, short};
use menard_lang::compile_text;
use menard_node::Config;

/// A leader hands on what a client asks, which each replica looks at for itself; replicas tell each other and the client that they have seen it.
const AUTHENTIC: &str = "protocol authentic

role client external
role replica[4]

fault byzantine 1 of replica

channel request(id: int, what: bytes, proof: map<node, mac>)            client -> replica
channel propose(c: node, id: int, what: bytes, proof: map<node, mac>)   replica -> replica
channel vote(c: node, id: int, d: digest, m: mac)                       replica -> replica
channel reply(id: int, m: mac)                                          replica -> client

component replica {
  table votes(c: node, id: int, r: node => d: digest) first

  propose(c, id, what, proof)@r :~ request(id, what, proof) from c, verify_mac(get(proof, me), c, me, id, what), replica(r)
  vote(c, id, d, m)@r           :~ propose(c, id, what, proof), verify_mac(get(proof, me), c, me, id, what), d = hash(what),
                                   replica(r), m = mac(me, r, c, id, d)
  votes(c, id, r, d)            :- vote(c, id, d, m) from r, verify_mac(m, r, me, c, id, d)
  number(c, id, d, count(r))    :- votes(c, id, r, d)
  quorum(c, id)                 :- number(c, id, _, n), n >= 3
  reply(id, mac(me, c, id))@c   :~ new quorum(c, id)
  delete votes(c, id, _, _)     :+ number(c, id, _, 4)
}
";

#[test]
fn commands_with_authenticators_are_answered() {
    let report = measure(&compile_text(AUTHENTIC), &short()).expect("all MACs are right");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!(report.unanswered, 0);
}

/// Without liars, clients have keys all the same, since there are MACs for them.
#[test]
fn macs_for_clients_need_keys_of_clients() {
    let honest = AUTHENTIC.replace("fault byzantine 1 of replica\n", "");
    let report = measure(&compile_text(&honest), &short()).expect("all MACs are right");
    assert!(report.commands > 100, "{report:#?}");
}

#[test]
fn macs_over_something_else_are_not_believed() {
    let text = AUTHENTIC.replace("m = mac(me, r, c, id, d)", "m = mac(me, r, c, id + 1, d)");
    let report = measure(&compile_text(&text), &short());
    assert!(report.is_err() || report.is_ok_and(|report| report.commands == 0));
}

/// A liar makes MACs that are wrong, or right for some only, and repeats those of clients.
#[test]
fn a_replica_that_lies_with_macs_stops_nobody() {
    let faulty = vec!["replica[3]=lies".parse().expect("it is well-formed")];
    let config = Config { faulty, seed: 7, duration_s: 2.0, ..short() };
    let report = measure(&compile_text(AUTHENTIC), &config).expect("three of four are enough");
    assert!(report.commands > 50, "{report:#?}");
    assert_eq!((report.contradictions, report.outvoted.len()), (0, 0), "{report:#?}");
    let liar = report.nodes.iter().find(|node| node.node == "replica[3]").expect("it is there");
    assert!(liar.lies["changed"] > 0 && liar.lies["made_up"] > 0, "{:?}", liar.lies);
}
