//! Liars whose timers fire when those of correct nodes do.

use std::collections::BTreeSet;

use menard_lang::ir::FaultKind;
use menard_lang::run::{Event, Trace};
use menard_sim::{Config, Faulty, Layer, simulate};
use menard_value::Value;

use crate::programs::prepare;

/// A round begins when the last one is over for all members, by their timers.
const ALARMS: &str = "protocol alarms
    role client[1] external
    role front
    role member[3]
    fault byzantine 1 of member
    channel go(id: int)     client -> front
    channel begin(n: int)   front -> member
    channel over(n: int)    member -> front
    component front {
      table overs(n: int, m: node)
      table begun(n: int)
      begun(1)            :- go(_)
      overs(n, m)         :- over(n) from m
      finished(n, count(m)) :- overs(n, m)
      begun(n + 1)        :+ new finished(n, 3)
      begin(n)@m          :~ new begun(n), member(m)
    }
    component member {
      table set(n: int)
      timer alarm(n: int) after 50 ms
      set(n)       :- begin(n)
      alarm(n)     :~ new set(n)
      over(n)@f    :~ alarm(n), front(f)
    }";

/// Layers in which liars run the program.
const HONEST: [Layer; 4] = [Layer::SmallScope, Layer::Twins, Layer::Lineage, Layer::Pasts];
/// The adversary acts so often of its own accord at most.
const ACTS: usize = 24;

/// What a liar's clock did in a run.
struct Clock {
    /// The rounds that were over for it.
    rounds: usize,
    /// Of these, those that were over for it before they were for any correct member.
    early: usize,
}

fn clock(trace: &Trace) -> Clock {
    let first = |args: &[Value]| args[0].as_int().expect("rounds are numbers");
    let (mut fired, mut over, mut early) = (BTreeSet::new(), BTreeSet::new(), 0);
    for event in &trace.events {
        match event {
            Event::Step { inputs, .. } => {
                fired.extend(inputs.iter().filter(|input| input.channel == "alarm").map(|input| first(&input.args)));
            }
            Event::Forge { message, .. } if message.channel == "over" => {
                let round = first(&message.args);
                early += usize::from(over.insert(round) && !fired.contains(&round));
            }
            _ => {}
        }
    }
    Clock { rounds: over.len(), early }
}

#[test]
fn timers_of_liars_fire_with_those_of_correct_nodes_and_in_some_runs_at_no_other_time() {
    for layer in HONEST {
        let faulty = vec![Faulty { kind: FaultKind::Byzantine, nodes: 1, role: "member".into() }];
        let config = Config { layers: vec![layer], requests: 1, faulty: Some(faulty), ..Config::default() };
        let (_, prepared) = prepare(ALARMS, config);
        let clocks: Vec<Clock> = (0..1_000).map(|seed| clock(&simulate(&prepared, None, seed).trace)).collect();
        // By acts of its own it comes through no more rounds than it acts.
        let long = clocks.iter().filter(|clock| clock.rounds > ACTS + 2).count();
        let several: Vec<&Clock> = clocks.iter().filter(|clock| clock.rounds >= 5).collect();
        let punctual = several.iter().filter(|clock| clock.early == 0).count();
        println!("{layer}: {long} long, {punctual} of {} never early", several.len());
        assert!(long >= 5, "{layer}: {long}");
        assert!(punctual * 3 > several.len(), "{layer}: {punctual} of {}", several.len());
        assert!(punctual < several.len(), "{layer}: all");
    }
}
