//! When a node is settled: a step without messages would then make no difference to what it does later.

mod common;

use common::Bench;

const FORGETFUL: &str = "
protocol forgetful
role client external
role node
role watcher
channel put(k: int)   client -> node
channel drop(k: int)  client -> node
channel note(k: int)  node -> watcher
component node {
  table kept(k: int)
  kept(k)        :- put(k)
  delete kept(k) :+ drop(k)
  note(k)@w      :~ new kept(k), watcher(w)
}
component watcher { table seen(k: int)  seen(k) :- note(k) }
";

#[test]
fn a_deletion_takes_effect_before_the_fact_can_come_back_as_new() {
    let mut node = Bench::started(FORGETFUL);
    assert_eq!(node.step(&[("put", &[1])]).len(), 1);
    node.settle();
    node.step(&[("drop", &[1])]);
    assert!(node.outputs.pending, "whether the fact is new when it comes back depends on a step without it");
    node.settle();
    assert_eq!(node.step(&[("put", &[1])]).len(), 1, "it was gone, so it is new");
}
