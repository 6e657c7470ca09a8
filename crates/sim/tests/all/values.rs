//! Values with parts in simulated runs: on channels, in traces as text, in explanations; and what `choose` chooses.

use std::collections::BTreeSet;

use menard_lang::run::{Event, Trace};
use menard_sim::explain::{Chronicle, message, message_text};

use menard_sim::{Config, Replayer, schedule_of, simulate};
use menard_value::Value;

use crate::programs::prepare;

const VALUES: &str = "protocol values
    record ballot(round: int, by: option<node>)
    role client external
    role place[3]
    fault restart 1 of place
    channel put(id: int, ballots: list<ballot>, more: map<string, (bytes, set<digest>)>)  client -> place
    channel told(id: int, b: ballot, who: list<node>, s: signature)                       place -> place
    channel done(id: int, least: ballot, chosen: node, certificate: list<node>, size: int) place -> client
    component place {
      table asked(id: int, c: node)
      table heard(id: int, b: ballot, p: node)
      asked(id, c)                   :- put(id, _, _) from c
      bids(id, list(b))              :- put(id, bs, _), b in bs, b.round > 0
      told(id, b, [me, p], sign(me, id, b))@p :~ bids(id, bs), b in bs, place(p)
      heard(id, b, p)                :- told(id, b, who, s) from p, verify(s, p, id, b), me in who
      some_of(id, min(b), choose(p)) :- heard(id, b, p)
      enough(id, quorum(2, p))       :- heard(id, _, p)
      done(id, b, p, q, size(q))@c   :~ new enough(id, q), some_of(id, b, p), asked(id, c)
    }";

fn chosen(trace: &Trace) -> BTreeSet<Value> {
    let done = trace.events.iter().filter_map(|event| match event {
        Event::Take { message, .. } if message.channel == "done" => Some(message.args[2].clone()),
        _ => None,
    });
    done.collect()
}

#[test]
fn values_with_parts_go_through_runs_traces_and_explanations() {
    let (program, prepared) = prepare(VALUES, Config { requests: 12, ..Config::default() });
    let (mut seeds, mut all) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..60 {
        let run = simulate(&prepared, None, seed);
        seeds.insert(run.trace.choice_seed);
        all.extend(chosen(&run.trace));
        for event in &run.trace.events {
            let (Event::Inject { message: sent } | Event::Take { message: sent, .. }) = event else { continue };
            let text = message_text(prepared.names(), sent);
            assert_eq!(message(&program, &text).as_ref(), Ok(sent), "{text}");
        }
        let chronicle = Chronicle::new(&program, &prepared, &run.trace);
        chronicle.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let mut replayer = Replayer::new(&prepared, None);
        assert_eq!(replayer.replay(&schedule_of(&run.trace)), Ok(None));
        assert_eq!(replayer.trace(), run.trace, "a replay chooses what the run chose");
    }
    assert!(
        seeds.contains(&0) && seeds.len() > 20,
        "runs differ in what they choose, and some choose as real nodes do"
    );
    assert!(all.len() > 2, "{all:?}");
}

#[test]
fn a_program_that_chooses_nothing_has_no_seed() {
    let (_, prepared) = prepare(&VALUES.replace("choose(p)", "max(p)"), Config::default());
    assert!((0..20).all(|seed| simulate(&prepared, None, seed).trace.choice_seed == 0));
}
