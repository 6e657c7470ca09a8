//! Messages of one kind that are late for some nodes, all of them, while others arrive.

use menard_lang::ir::FaultKind;
use menard_sim::{Config, Faulty, Layer, Simulator};

use crate::programs::{observe, prepare};

/// Watchers are told of an item by eight relays, and miss it if none of them has told them when the list is closed, which takes long.
const LISTS: &str = "protocol lists
    role client[1] external
    role front
    role back
    role relay[8]
    role watcher[3]
    fault byzantine 1 of watcher
    channel put(n: int)          client -> front
    channel pass(n: int)         front -> relay
    channel item(n: int)         relay -> watcher
    channel ping(n: int, k: int) front -> back
    channel pong(n: int, k: int) back -> front
    channel close(n: int)        front -> watcher
    channel got(n: int)          watcher -> client
    channel missed(n: int)       watcher -> client
    component front {
      table asked(n: int)
      asked(n)         :- put(n)
      pass(n)@r        :~ new asked(n), relay(r)
      ping(n, 1)@b     :~ new asked(n), back(b)
      ping(n, k + 1)@b :~ pong(n, k), k < 4, back(b)
      close(n)@w       :~ pong(n, 4), watcher(w)
    }
    component back { pong(n, k)@f :~ ping(n, k), front(f) }
    component relay { item(n)@w :~ pass(n), watcher(w) }
    component watcher {
      table has(n: int)
      has(n)       :- item(n)
      got(n)@c     :~ new has(n), client(c)
      missed(n)@c  :~ close(n), !has(n), client(c)
    }";

/// In how many of the first runs something is violated, and in how many something never comes.
fn wrong(text: &str, properties: &str, runs: u64) -> (usize, usize) {
    let lies = text.contains("fault");
    let faulty = lies.then(|| Faulty { kind: FaultKind::Byzantine, nodes: 1, role: "watcher".into() });
    let config =
        Config { layers: vec![Layer::Pasts], requests: 4, faulty: Some(Vec::from_iter(faulty)), ..Config::default() };
    let (program, prepared) = prepare(text, config);
    let observer = observe(&program, properties);
    let mut simulator = Simulator::new(&prepared, Some(&observer));
    let wrong = (0..runs).map(|seed| simulator.run(seed)).fold((0, 0), |(violated, unmet), run| {
        (violated + usize::from(run.violation.is_some()), unmet + usize::from(run.unmet.is_some()))
    });
    println!("{wrong:?} of {runs}: {properties}");
    wrong
}

#[test]
fn what_many_say_is_late_for_a_correct_node_while_others_get_through() {
    let missed = "properties of lists violation(\"missed\", n) :- missed(n) from w, correct(w)";
    assert!(wrong(LISTS, missed, 1_000).0 >= 60);
    // Where nobody lies each message is late by itself.
    let fair = LISTS.replace("fault byzantine 1 of watcher", "");
    assert!(wrong(&fair, missed, 5_000).0 <= 15);
}

#[test]
fn in_some_runs_all_that_is_on_a_channel_is_late() {
    let nothing = "properties of lists
        misses(w, count(n)) :- missed(n) from w, correct(w)
        violation(\"nothing\", w) :- misses(w, 3)";
    assert!(wrong(LISTS, nothing, 1_000).0 >= 15);
}

#[test]
fn what_is_late_comes_in_the_end() {
    // Nobody says anything twice.
    let comes = "properties of lists eventually told(n, w) :- put(n), watcher(w), correct(w)
        told(n, w) :- got(n) from w";
    assert_eq!(wrong(LISTS, comes, 500).1, 0);
}
