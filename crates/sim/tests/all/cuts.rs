//! Cuts of the network: messages across them wait, and nothing is lost.

use std::collections::BTreeSet;

use menard_lang::run::{Event, Message};
use menard_sim::simulate;
use menard_value::Node;

use crate::programs::{VOTING, fair, prepare};

#[test]
fn messages_across_a_cut_wait_until_it_heals() {
    let (_, prepared) = prepare(VOTING, fair());
    let (mut cuts, mut waited) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        assert!(run.trace.drained, "seed {seed}: every cut heals");
        let mut side: BTreeSet<Node> = BTreeSet::new();
        let mut across: Vec<&Message> = Vec::new();
        for event in &run.trace.events {
            let crosses = |message: &&Message| side.contains(&message.from) != side.contains(&message.to);
            match event {
                Event::Cut { nodes } => {
                    side = nodes.iter().copied().collect();
                    cuts += 1;
                }
                Event::Heal => {
                    waited += across.len();
                    across.clear();
                    side.clear();
                }
                Event::Inject { message } => across.extend(Some(message).filter(crosses)),
                Event::Take { message, .. } => assert!(!crosses(&message), "seed {seed}"),
                Event::Step { inputs, outputs, .. } => {
                    assert!(!inputs.iter().any(|message| crosses(&message)), "seed {seed}");
                    across.extend(outputs.iter().filter(crosses));
                }
                _ => {}
            }
        }
        assert!(side.is_empty());
    }
    assert!(cuts > 60 && waited > 150, "{cuts} cuts, {waited} messages");
}
