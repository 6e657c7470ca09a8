//! Digests are no windows: what is committed to by its digest alone stays a secret until it is opened.

use menard_sim::{Config, Layer, Simulator};

use crate::programs::{observe, prepare};

/// Members toss coins, which are signatures of clients: each tells the others the digest of its name and its coin, and shows the coin when it knows the
/// digests of all.
const TOSS: &str = "protocol toss

role client external
role watcher[1] external
role member[3]

fault byzantine 1 of member

channel put(id: int, coin: signature)             client -> member
channel bound(id: int, d: digest)                 member -> member
channel show(id: int, coin: signature)            member -> member
channel accepted(id: int, by: node, d: digest)    member -> watcher

component member {
  table bounds(id: int, by: node => d: digest) first
  table coins(id: int => coin: signature) first

  coins(id, coin)                 :- put(id, coin) from c, verify(coin, c, me, id)
  bound(id, d)@m                  :~ new coins(id, coin), d = hash(me, coin), member(m)
  bounds(id, m, d)                :- bound(id, d) from m
  all(id, count(m))               :- bounds(id, m, _)
  shows(id)                       :- all(id, n), n >= 3
  show(id, coin)@m                :~ new shows(id), coins(id, coin), member(m)
  accepted(id, m, d)@w            :~ new shows(id), bounds(id, m, d), watcher(w)
}
";

/// A liar is bound to the coin of a member that had accepted that before it showed the coin.
const ORIGINAL: &str = "properties of toss
violation(\"a copy\", id) :- accepted(id, by, d) from m, show(id, coin) from m, correct(m), !correct(by), d == hash(by, coin)
";

fn copies(text: &str) -> usize {
    let (program, prepared) = prepare(text, Config { layers: Layer::ALL.to_vec(), requests: 6, ..Config::default() });
    let observer = observe(&program, ORIGINAL);
    let mut simulator = Simulator::new(&prepared, Some(&observer));
    (0..4_000).filter(|seed| simulator.run(*seed).violation.is_some()).count()
}

#[test]
fn nobody_copies_a_coin_before_it_is_shown() {
    assert_eq!(copies(TOSS), 0);
}

#[test]
fn a_coin_that_is_shown_too_early_is_copied() {
    let early =
        TOSS.replace("shows(id)                       :- all(id, n), n >= 3", "shows(id) :- all(id, n), n >= 1");
    assert_ne!(early, TOSS);
    // What is accepted last counts.
    let early = early.replace("accepted(id, m, d)@w            :~ new shows(id), ", "accepted(id, m, d)@w :~ new ");
    assert!(copies(&early) > 0);
}
