//! Faults happen, and never more than the program declares.

use std::collections::BTreeSet;

use menard_lang::run::{Event, Message, Struck};
use menard_sim::{Config, Prepared, Replayer, schedule_of, simulate};

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
                Event::Crash { whom } => assert!(dead.insert(whom.node())),
                Event::Step { at, .. } => assert!(!dead.contains(&at.node), "seed {seed}"),
                _ => {}
            }
        }
        assert!(dead.len() <= 2);
        assert!(run.trace.drained, "seed {seed}: nobody waits for messages to the dead");
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

/// The parts of a rewritten node: a door that passes questions on, and two memories.
const PARTS: &str = "protocol parts
    role client external
    role server[2]
    fault FAULT 1 of server
    channel ask(x: int)    client -> server
    channel look(x: int)   server -> memory by x
    channel told(x: int)   memory -> client
    component server { look(x)@me :~ ask(x) }
    component memory of server [2] {
      table seen(x: int)
      seen(x)    :- look(x)
      told(x)@c  :~ new seen(x), client(c)
    }";

fn parts(fault: &str) -> Prepared {
    let text = PARTS.replace("role client", "role client[1]").replace("FAULT", fault);
    prepare(&text, Config { requests: 30, ..Config::default() }).1
}

#[test]
fn a_fault_strikes_all_physical_nodes_of_a_logical_node_at_once() {
    let mut restarts = 0;
    for seed in 0..200 {
        let run = simulate(&parts("restart"), None, seed);
        let mut struck = BTreeSet::new();
        for (position, event) in run.trace.events.iter().enumerate() {
            let Event::Restart { whom } = event else { continue };
            struck.insert(whom.node());
            restarts += 1;
            assert!(matches!(whom, Struck::Whole(_)), "seed {seed}");
            let starts = &run.trace.events[position + 1..=position + 3];
            let anew = |event: &Event| matches!(event, Event::Step { at, inputs, .. } if whom.strikes(at) && inputs.is_empty());
            assert!(starts.iter().all(anew), "seed {seed}");
        }
        assert!(struck.len() <= 1);
        assert_eq!(
            u64::from(run.stats.restarts),
            run.trace.events.iter().filter(|event| matches!(event, Event::Restart { .. })).count() as u64
        );
    }
    assert!(restarts > 150, "{restarts}");
    let crashed = (0..100).map(|seed| simulate(&parts("crash"), None, seed));
    for run in crashed.filter(|run| run.stats.crashes > 0) {
        for (position, event) in run.trace.events.iter().enumerate() {
            let Event::Crash { whom } = event else { continue };
            let goes_on = |event: &Event| matches!(event, Event::Step { at, .. } if whom.strikes(at));
            assert!(!run.trace.events[position..].iter().any(goes_on));
        }
    }
}

/// A process that dies takes with it what the system had not sent yet; from others nothing is lost.
#[test]
fn a_crash_loses_messages_of_the_crashed_node_alone() {
    let (_, prepared) = prepare(&VOTING.replace("fault omission 1", "fault crash 2"), Config::default());
    let (mut lossy_runs, mut faithful_runs) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        let mut dead = BTreeSet::new();
        for event in &run.trace.events {
            match event {
                Event::Crash { whom } => drop(dead.insert(whom.node())),
                Event::Take { message, lost: true } => {
                    assert!(dead.contains(&message.from), "seed {seed}: {message:?}")
                }
                _ => {}
            }
        }
        lossy_runs += u32::from(run.stats.lost > 0);
        faithful_runs += u32::from(run.stats.crashes > 0 && run.stats.lost == 0);
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).expect("a run with crashes can be repeated");
        assert_eq!(replayer.trace(), run.trace);
    }
    assert!(lossy_runs > 1 && faithful_runs > 50, "{lossy_runs}, {faithful_runs}");
}

#[test]
fn messages_of_a_node_to_itself_do_not_survive_its_restart() {
    let mut vanished = 0;
    for seed in 0..300 {
        let trace = simulate(&parts("restart"), None, seed).trace;
        let mut own: Vec<&Message> = Vec::new();
        for event in &trace.events {
            match event {
                Event::Step { inputs, outputs, .. } => {
                    for message in inputs.iter().filter(|message| message.channel == "look") {
                        let position = own.iter().position(|other| *other == message);
                        own.swap_remove(
                            position.unwrap_or_else(|| panic!("seed {seed}: it was sent before the restart")),
                        );
                    }
                    own.extend(outputs.iter().filter(|message| message.channel == "look"));
                }
                Event::Restart { whom } => {
                    let before = own.len();
                    own.retain(|message| *whom != Struck::Whole(message.from));
                    vanished += before - own.len();
                }
                _ => {}
            }
        }
    }
    assert!(vanished > 30, "{vanished}");
}

#[test]
fn a_restart_loses_messages_and_lets_others_arrive_again() {
    let (_, prepared) = prepare(MEMORY, Config::default());
    let (mut lost, mut again) = (0, 0);
    for seed in 0..300 {
        let run = simulate(&prepared, None, seed);
        lost += run.stats.lost;
        again += run.stats.redelivered;
        let mut taken: Vec<&Message> = Vec::new();
        for event in &run.trace.events {
            match event {
                Event::Step { inputs, .. } => taken.extend(inputs),
                Event::Redeliver { message } => assert!(taken.contains(&message), "seed {seed}"),
                _ => {}
            }
        }
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).expect("a run with restarts can be repeated");
        assert_eq!(replayer.trace(), run.trace);
    }
    assert!(lost > 50 && again > 50, "{lost} lost, {again} again");
}
