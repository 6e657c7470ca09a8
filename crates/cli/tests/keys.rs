//! `menard keys`, and processes that have keys.
#![cfg(unix)]

mod support;

use support::Desk;

/// Nodes of which one may lie: nobody takes part without keys.
const DOUBTED: &str = "\
protocol doubted

role client external
role server
role witness[3]

fault byzantine 1 of witness

channel put(id: int, s: signature)          client -> server
channel show(c: node, id: int)              server -> witness
channel seen(c: node, id: int)              witness -> server
channel done(id: int)                       server -> client

component server {
  table heard(c: node, id: int, w: node)

  show(c, id)@w         :~ put(id, s) from c, verify(s, c, id), witness(w)
  heard(c, id, w)       :- seen(c, id) from w
  enough(c, id, count(w)) :- heard(c, id, w)
  done(id)@c            :~ new enough(c, id, 3)
}

component witness { seen(c, id)@l :~ show(c, id) from l }
";

#[test]
fn keys_of_a_deployment() {
    let desk = Desk::with(&[("doubted.ded", DOUBTED), ("deploy.toml", "clients = 2\nbase_port = 29871\n")]);
    let keys = ["keys", "doubted.ded", "--deploy", "deploy.toml", "-o", "keys"];
    let (status, json) = desk.json(&keys);
    assert_eq!(status, 0, "{json}");
    assert_eq!(json["files"].as_array().map(Vec::len), Some(6), "{json}");
    assert!(desk.path().join("keys/witness.2/secret.toml").is_file());
    let again = desk.menard(&keys);
    assert_eq!((again.status, again.stdout.as_str()), (2, ""));
    assert!(
        again.stderr.contains("keys/public.toml is there already, and keys are never written over"),
        "{}",
        again.stderr
    );
    let node = ["node", "doubted.ded", "--deploy", "deploy.toml", "--at", "server", "--data", "data"];
    let without = desk.menard(&node);
    assert_eq!(without.status, 2);
    assert!(without.stderr.contains("some nodes may lie"), "{}", without.stderr);
    let elsewhere = desk.menard(&[&node[..], &["--keys", "elsewhere"]].concat());
    assert_eq!(elsewhere.status, 2);
    assert!(elsewhere.stderr.contains("cannot read elsewhere/public.toml"), "{}", elsewhere.stderr);
}

#[test]
fn processes_prove_who_they_are() {
    let desk = Desk::with(&[("doubted.ded", DOUBTED)]);
    let (status, json) = desk.json(&["run", "doubted.ded", "--processes", "--seconds", "0.3", "--clients", "4"]);
    assert_eq!(status, 0, "{json}");
    assert!(json["commands"].as_u64().is_some_and(|commands| commands > 0), "{json}");
    assert_eq!((&json["unanswered"], &json["unexpected_replies"]), (&0.into(), &0.into()));
}
