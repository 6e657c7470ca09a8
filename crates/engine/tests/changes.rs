//! What a node knows of its own changes: it looks only at what has changed, and forgets only what it had.

mod common;

use common::Bench;

const TEXT: &str = "protocol test
     role client external role node
     channel a(x: int) client -> node
     channel b(x: int) client -> node
     component node {
       table t(x: int)
       table kept(x: int)
       t(x)       :- a(x)
       kept(x)    :+ b(x)
       known(x)   :- kept(x)
       v(x)       :- t(x), x > 5
       n(count(x)) :- t(x)
     }";

#[test]
fn views_say_that_they_may_have_changed_in_steps_in_which_they_have() {
    let mut node = Bench::started(TEXT);
    let views = |node: &Bench, names: &[&str]| {
        let relations = names.iter().map(|name| node.node.relation(name).expect("the view is there"));
        let views = node.node.views(relations);
        node.node.may_have_changed(views)
    };
    assert!(!views(&node, &["v", "known"]));
    node.step(&[("a", &[1])]);
    assert!(!views(&node, &["v", "known"]), "1 is not above 5");
    node.step(&[("a", &[7])]);
    assert!(views(&node, &["v"]) && views(&node, &["known", "v"]) && !views(&node, &["known"]) && !views(&node, &[]));
    node.step(&[("a", &[7])]);
    assert!(!views(&node, &["v"]), "it was there before");
    node.step(&[("b", &[7])]);
    assert!(!views(&node, &["known"]), "the table has it in the next step");
    node.settle();
    assert!(views(&node, &["known"]) && !views(&node, &["v"]));
    node.node.reset();
    assert!(!views(&node, &["known"]));
}

#[test]
fn a_node_that_was_reset_is_like_a_new_one() {
    let mut node = Bench::started(TEXT);
    node.turn(&[("a", &[7])]);
    // What this leaves to the next step is to be forgotten, too.
    node.step(&[("b", &[3])]);
    node.node.reset();
    let mut new = Bench::new(TEXT);
    assert_eq!(node.node.fingerprint(), new.node.fingerprint());
    for bench in [&mut node, &mut new] {
        bench.start();
        bench.settle();
        bench.turn(&[("a", &[8])]);
    }
    for relation in ["t", "kept", "known", "v", "n"] {
        assert_eq!(node.facts(relation), new.facts(relation), "{relation}");
    }
    assert_eq!(node.node.fingerprint(), new.node.fingerprint());
    assert_eq!(node.facts("v"), ["8"]);
}
