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

#[test]
fn what_state_inserts_again_is_back_before_messages_change_that_state() {
    let mut node = Bench::started(
        "protocol returning role client external role node
         channel a(x: int) client -> node  channel drop(x: int) client -> node
         component node {
           table t(x: int)  table u(x: int)
           u(x) :- one(x), !t(_)
           one(1) :- 0 == 0
           t(x) :- a(x)
           delete u(x) :+ drop(x)
         }",
    );
    node.step(&[("drop", &[1])]);
    assert!(node.outputs.pending, "whether the fact is there depends on a step without messages");
    node.settle();
    node.turn(&[("a", &[1])]);
    assert_eq!(node.facts("u"), ["1"]);
}
