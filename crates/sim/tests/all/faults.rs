//! Faults happen, and never more than the program declares.

use std::collections::BTreeSet;

use menard_lang::run::Event;
use menard_sim::{Config, simulate};

use crate::programs::{VOTING, fair, prepare};

#[test]
fn omission_stays_within_the_declared_number_of_nodes() {
    let (program, prepared) = prepare(VOTING, Config::default());
    let participants = program.role_index("participant").expect("voting has participants");
    let mut lossy_runs = 0;
    for seed in 0..500 {
        let run = simulate(&prepared, None, seed);
        let blamed: BTreeSet<_> = run
            .trace
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Take { message, lost: true } => Some(message),
                _ => None,
            })
            .map(|message| if message.from.role == participants { message.from } else { message.to })
            .collect();
        assert!(blamed.len() <= 1 && blamed.iter().all(|node| node.role == participants), "seed {seed}: {blamed:?}");
        lossy_runs += usize::from(!blamed.is_empty());
    }
    assert!((100..400).contains(&lossy_runs), "{lossy_runs} runs with losses");
}

#[test]
fn nothing_is_lost_where_faults_are_left_out() {
    let (_, prepared) = prepare(VOTING, fair());
    assert!((0..100).all(|seed| simulate(&prepared, None, seed).stats.lost == 0));
}

#[test]
fn crashed_nodes_take_no_steps_and_are_at_most_as_many_as_declared() {
    let (_, prepared) = prepare(&VOTING.replace("fault omission 1", "fault crash 2"), Config::default());
    let mut crashed_runs = 0;
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        let mut dead = BTreeSet::new();
        for event in &run.trace.events {
            match event {
                Event::Crash { at } => assert!(dead.insert(at.clone())),
                Event::Step { at, .. } => assert!(!dead.contains(at), "seed {seed}"),
                _ => {}
            }
        }
        assert!(dead.len() <= 2);
        assert!(dead.is_empty() || !run.trace.drained);
        crashed_runs += usize::from(!dead.is_empty());
    }
    assert!(crashed_runs > 80, "{crashed_runs}");
}

/// Counts how many of the answers say that the question is new.
const MEMORY: &str = "protocol memory
    role client external
    role server
    fault restart 1 of server
    channel ask(x: int)    client -> server
    channel fresh(x: int)  server -> client
    component server {
      table seen(x: int)
      seen(x)    :- ask(x)
      fresh(x)@c :~ new seen(x), ask(x) from c
    }";

#[test]
fn a_restarted_node_has_forgotten_everything() {
    let answers = |prepared| {
        let fresh = |seed| u64::from(simulate(prepared, None, seed).stats.replies);
        (0..200).map(fresh).max().expect("there are runs")
    };
    // Four different questions exist. One step can answer several clients; so the bound is on values, not on replies.
    let (_, steady) = prepare(MEMORY, Config { clients: 1, ..fair() });
    assert_eq!(answers(&steady), 4);
    let (_, forgetful) = prepare(MEMORY, Config { clients: 1, ..Config::default() });
    assert!(answers(&forgetful) > 4);
}
