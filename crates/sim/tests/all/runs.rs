//! Runs: decided by their seeds, and by nothing else.

use std::collections::BTreeSet;

use menard_lang::run::Event;
use menard_sim::{Config, Replayer, Simulator, campaign, schedule_of, simulate};

use crate::programs::{VOTING, VOTING_PROPERTIES, fair, observe, prepare};

#[test]
fn a_seed_decides_the_run() {
    let (_, prepared) = prepare(VOTING, Config::default());
    let mut simulator = Simulator::new(&prepared, None);
    for seed in 0..50 {
        let alone = simulate(&prepared, None, seed);
        let again = simulator.run(seed);
        assert_eq!(alone.hash, again.hash, "a run does not depend on the runs before it");
        assert_eq!(alone.trace, simulator.trace());
    }
}

#[test]
fn seeds_give_different_runs() {
    let (_, prepared) = prepare(VOTING, Config::default());
    let hashes: BTreeSet<u64> = (0..200).map(|seed| simulate(&prepared, None, seed).hash).collect();
    assert_eq!(hashes.len(), 200);
}

#[test]
fn an_observer_changes_nothing() {
    let (program, prepared) = prepare(VOTING, Config::default());
    // What has to be there in the end makes clients retry.
    let observer = observe(&program, VOTING_PROPERTIES).without_goals();
    for seed in 0..50 {
        assert_eq!(simulate(&prepared, None, seed).hash, simulate(&prepared, Some(&observer), seed).hash);
    }
}

/// These hashes hold on every machine and in every build. They change when what a seed means changes, which old seeds in reports of
/// violations do not survive: change them knowingly.
#[test]
fn hashes_are_pinned() {
    let (_, prepared) = prepare(VOTING, Config::default());
    let hashes: Vec<String> = (0..4).map(|seed| format!("{:016x}", simulate(&prepared, None, seed).hash)).collect();
    insta::assert_snapshot!(hashes.join(" "), @"c3d702601673f90b 60a2c6833d031348 76a11839bc808535 217f6973bae49165");
}

#[test]
fn every_request_of_a_fair_run_is_answered() {
    let (program, prepared) = prepare(VOTING, fair());
    let observer = observe(&program, VOTING_PROPERTIES);
    let report = campaign(&prepared, Some(&observer), &[], 300, 0, &mut |_| {});
    assert_eq!(report.violations, []);
    assert_eq!(report.drained_runs, 300);
    assert_eq!(report.requests, 3_000);
    // Requests that are sent again while the first is counted get one reply together; the others one each.
    assert!(report.replies > 2_500 && report.replies <= 3_000, "{} replies", report.replies);
}

#[test]
fn a_trace_replays_to_the_letter() {
    let (_, prepared) = prepare(VOTING, Config::default());
    let mut replayer = Replayer::new(&prepared, None);
    for seed in 0..100 {
        let run = simulate(&prepared, None, seed);
        replayer.replay(&schedule_of(&run.trace)).expect("a run can be repeated");
        assert_eq!(replayer.trace(), run.trace);
    }
}

#[test]
fn messages_are_grouped_and_overtake_each_other() {
    let (_, prepared) = prepare(VOTING, fair());
    let runs: Vec<_> = (0..100).map(|seed| simulate(&prepared, None, seed)).collect();
    let steps = || runs.iter().flat_map(|run| &run.trace.events);
    let sizes: BTreeSet<usize> = steps()
        .filter_map(|event| match event {
            Event::Step { inputs, .. } => Some(inputs.len()),
            _ => None,
        })
        .collect();
    assert!(sizes.contains(&1) && sizes.contains(&2) && sizes.iter().any(|size| *size > 5), "{sizes:?}");
    let overtaken = runs.iter().filter(|run| requests_overtake(&run.trace.events)).count();
    assert!(overtaken > 30, "{overtaken}");
}

/// Whether the leader takes two requests in another order than they were sent.
fn requests_overtake(events: &[Event]) -> bool {
    let mut sent = Vec::new();
    let mut taken = Vec::new();
    for event in events {
        match event {
            Event::Inject { message } => sent.push(message),
            Event::Step { inputs, .. } => taken.extend(inputs.iter().filter(|input| input.channel == "request")),
            _ => {}
        }
    }
    sent != taken
}

#[test]
fn a_program_that_talks_for_ever_is_cut() {
    let chatter = "protocol chatter
        role a role b
        channel ping() a -> b
        channel pong() b -> a
        component a { ping()@x :~ start(), b(x)   ping()@x :~ pong() from x }
        component b { pong()@x :~ ping() from x }";
    let (_, prepared) = prepare(chatter, Config { max_steps: 100, ..Config::default() });
    let run = simulate(&prepared, None, 1);
    assert_eq!(run.stats.steps, 100);
    assert!(!run.trace.drained);
}

#[test]
fn a_node_that_does_not_settle_ends_the_run() {
    let restless = "protocol restless
        role client external
        role a
        channel go() client -> a
        component a { event tick(n: int)   tick(0) :+ go()   tick(n + 1) :+ tick(n) }";
    let (_, prepared) = prepare(restless, Config::default());
    let run = simulate(&prepared, None, 1);
    assert_eq!(run.endless.map(|address| prepared.names().address(&address)), Some("a".to_owned()));
}

#[test]
fn held_messages_are_repeated_only_while_they_are_held() {
    let beacon = "protocol beacon
        role client external
        role a role b
        channel stop(id: int)  client -> a
        channel lit()          a -> b
        component a {
          table stopped()
          stopped() :- stop(_)
          lit()@x   :~ b(x), !stopped()
        }
        component b { }";
    let (_, prepared) = prepare(beacon, Config { requests: 1, ..fair() });
    let mut repetitions = 0;
    for seed in 0..200 {
        let mut stopped = false;
        let trace = simulate(&prepared, None, seed).trace;
        for event in &trace.events {
            match event {
                Event::Step { inputs, .. } => stopped |= inputs.iter().any(|input| input.channel == "stop"),
                Event::Repeat { .. } => {
                    assert!(!stopped, "seed {seed}");
                    repetitions += 1;
                }
                _ => {}
            }
        }
        Replayer::new(&prepared, None).replay(&schedule_of(&trace)).expect("a repetition can be replayed");
    }
    assert!(repetitions > 30, "{repetitions}");
}

#[test]
fn workloads_fit_any_channel_from_outside() {
    let varied = "protocol varied
        role client external
        role operator[2] external
        role server[3]
        channel put(id: int, text: string, data: bytes, on: bool)  client -> server
        channel stop(who: node, why: digest, level: int)           operator -> server
        channel done(id: int)                                      server -> client
        channel noted(who: node, level: int)                       server -> operator
        component server {
          done(id)@c           :~ put(id, _, _, _) from c
          noted(who, level)@o  :~ stop(who, _, level) from o
        }";
    let (program, prepared) = prepare(varied, Config { requests: 200, clients: 3, ..Config::default() });
    let run = simulate(&prepared, None, 5);
    assert!(run.trace.drained);
    assert_eq!((run.stats.requests, run.stats.lost), (200, 0));
    let mut senders = BTreeSet::new();
    for event in &run.trace.events {
        if let Event::Inject { message } = event {
            let channel = program.channel(&message.channel).expect("the channel is declared");
            assert!(channel.columns.iter().zip(&message.args).all(|(column, value)| column.ty.admits(value)));
            senders.insert(message.from);
        }
    }
    assert_eq!(senders.len(), 3 + 2, "every external node sends");
    assert!(run.stats.replies > 150);
}

#[test]
fn a_program_without_external_nodes_runs_from_its_starts() {
    let alone = "protocol alone
        role a[3]
        channel hello(n: int) a -> a
        component a {
          table met(p: node)
          hello(1)@p :~ start(), a(p)
          met(p)     :- hello(_) from p
        }";
    let (_, prepared) = prepare(alone, Config::default());
    let run = simulate(&prepared, None, 1);
    assert!(run.trace.drained);
    assert_eq!((run.stats.requests, run.stats.messages), (0, 9), "to itself, too");
}

/// Clients number what they send on an ordered channel from 0 on, whatever the column is called; otherwise nothing would ever be due.
#[test]
fn ordered_channels_get_far() {
    for column in ["n", "seq"] {
        let text = format!(
            "protocol log
             role client external
             role server
             channel append({column}: int, x: int) client -> server ordered by {column}
             channel done({column}: int) server -> client
             component server {{ done(n)@c :~ append(n, _) from c }}"
        );
        let config = Config { requests: 20, ..fair() };
        let (_, prepared) = prepare(&text, config);
        let far = |seed: &u64| {
            let events = simulate(&prepared, None, *seed).trace.events;
            let answers = events.iter().filter(|event| matches!(event, Event::Take { lost: false, .. }));
            answers.count() >= 6
        };
        let runs = (0..100).filter(far).count();
        assert!(runs > 50, "{column}: only {runs} of 100 runs deliver six messages");
    }
}
