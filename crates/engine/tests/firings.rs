//! How often a rule fires is in how many ways its body was satisfied.

mod common;

use common::Bench;

const BALLOT: &str = "
protocol ballot
role client external
role node
role watcher
channel put(k: int, v: int)  client -> node
channel drop(k: int)         client -> node
channel done(k: int)         node -> watcher
channel most(k: int, n: int) node -> watcher
component node {
  table vote(k: int, v: int)
  vote(k, v)         :+ put(k, v)
  delete vote(k, _)  :+ drop(k)
  votes(k, count(v)) :- vote(k, v)
  done(k)@w          :~ new votes(k, 2), watcher(w)
  done(k)@w          :~ votes(k, 9), watcher(w)
  most(k, max(v))@w  :~ put(k, _), vote(k, v), watcher(w)
}
component watcher {
  table seen(k: int)
  seen(k) :+ done(k)
  seen(k) :+ most(k, _)
}
";

fn fired(bench: &mut Bench) -> Vec<(usize, u64)> {
    let mut fired = Vec::new();
    bench.node.take_firings(|rule, times| fired.push((rule, times)));
    fired
}

#[test]
fn ways_to_satisfy_bodies_are_counted() {
    let mut bench = Bench::new(BALLOT);
    bench.node.count_firings();
    bench.start();
    bench.turn(&[("put", &[1, 10]), ("put", &[1, 20])]);
    assert_eq!(fired(&mut bench), [(0, 2), (2, 2), (3, 1)]);
    assert_eq!(fired(&mut bench), []);
    // What ceases to hold is no firing, though the count of votes goes.
    bench.turn(&[("drop", &[1])]);
    assert_eq!(fired(&mut bench), [(1, 2)]);
    bench.turn(&[("put", &[1, 30])]);
    bench.node.reset();
    bench.start();
    bench.turn(&[("put", &[2, 1])]);
    bench.turn(&[("put", &[2, 2]), ("put", &[2, 3])]);
    assert_eq!(fired(&mut bench), [(0, 4), (2, 4), (5, 2)]);
}

#[test]
fn nothing_is_counted_unless_asked_for() {
    let mut bench = Bench::started(BALLOT);
    bench.turn(&[("put", &[1, 10])]);
    assert_eq!(fired(&mut bench), []);
}
