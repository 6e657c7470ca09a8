//! Protocols under plans: every run of the rewritten program is a run of the program before, line by line down to the original.

mod common;

use common::{apply_all, apply_by, apply_without, refine};
use menard_lang::{Program, Source, compile_text, plan, print};
use menard_opt::{PlanError, Stage, apply_plan};

/// Runs of each plan.
const RUNS: u64 = 400;

struct Scaled {
    original: Program,
    stages: Vec<Stage>,
}

fn scale(protocol: &str, text: &str) -> Scaled {
    let original = compile_text(protocol);
    let plan = plan::parse(&Source::new("test.plan", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let stages = apply_plan(&original, &plan).unwrap_or_else(|error| panic!("{}", error.render(false)));
    Scaled { original, stages }
}

/// Checks many runs; all of the rewritten program's channels must have been used, or nothing was tested.
fn check(scaled: &Scaled) {
    let report = refine::check(&scaled.original, &scaled.stages, RUNS, 10);
    let last = &scaled.stages.last().expect("the plan has lines").program.source.text;
    assert!(report.violations.is_empty(), "{:?}\n{last}", report.violations.first());
    let silent: Vec<_> = report.channels.iter().filter(|(_, messages)| **messages == 0).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "nothing was ever sent on {silent:?}\n{last}");
    assert!(report.drained_runs > RUNS / 4, "only {} runs said all they had to say", report.drained_runs);
}

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

#[test]
fn voting_with_the_published_plan() {
    check(&scale(VOTING, include_str!("../../../protocols/voting/scalable.plan")));
}

#[test]
fn voting_with_a_responder() {
    let scaled = scale(VOTING, include_str!("protocols/responder.plan"));
    let rewrites: Vec<&str> = scaled.stages.iter().map(|stage| stage.rewrite).collect();
    assert_eq!(rewrites[..4], ["independent", "functional", "functional", "functional"]);
    check(&scaled);
}

const COMMIT_PATH: &str = include_str!("../../../protocols/two_phase_commit_path/two_phase_commit_path.ded");
const COMMIT_PATH_SCALABLE: &str = include_str!("../../../protocols/two_phase_commit_path/scalable.plan");

#[test]
fn two_phase_commit_has_the_published_numbers_of_nodes() {
    for (partitions, nodes) in [(1, 10), (3, 28), (5, 46)] {
        let text = COMMIT_PATH_SCALABLE.replace("int = 3", &format!("int = {partitions}"));
        let scaled = scale(COMMIT_PATH, &text);
        assert_eq!(scaled.stages.last().expect("the plan has lines").program.physical_nodes(), nodes);
    }
}

#[test]
fn two_phase_commit() {
    check(&scale(COMMIT_PATH, COMMIT_PATH_SCALABLE));
}

#[test]
fn two_phase_commit_with_recovery() {
    let text = include_str!("../../../protocols/two_phase_commit/two_phase_commit.ded");
    let scaled = scale(text, include_str!("../../../protocols/two_phase_commit/scalable.plan"));
    assert_eq!(scaled.stages.last().expect("the plan has a line").program.physical_nodes(), 10);
    check(&scaled);
}

/// A replicated set, with what it includes in its place, and its plan.
macro_rules! replicated_set {
    ($name:literal $(, $path:literal is $included:literal)?) => {
        (
            include_str!(concat!("../../../protocols/", $name, "/", $name, ".ded"))
                $(.replace(concat!("include \"", $path, "\""), include_str!(concat!("../../../protocols/", $included))))?
                .to_owned(),
            include_str!(concat!("../../../protocols/", $name, "/scalable.plan")),
        )
    };
}

#[test]
fn replicated_sets_have_the_published_numbers_of_nodes() {
    let sets = [
        (replicated_set!("rset_independent", "keeper.ded" is "rset_independent/keeper.ded"), "independent", [4, 5]),
        (replicated_set!("rset_functional"), "functional", [1, 2]),
        (
            replicated_set!("rset_monotonic", "../rset_independent/keeper.ded" is "rset_independent/keeper.ded"),
            "monotonic",
            [4, 5],
        ),
        (
            replicated_set!("rset_asymmetric", "../rset_independent/keeper.ded" is "rset_independent/keeper.ded"),
            "asymmetric",
            [4, 5],
        ),
        (replicated_set!("rset_co_hash", "sealer.ded" is "rset_co_hash/sealer.ded"), "co-hash", [4, 7]),
        (replicated_set!("rset_dependencies"), "dependencies", [4, 7]),
        (replicated_set!("rset_state_machine"), "state_machine", [1, 2]),
    ];
    for ((text, plan), rewrite, nodes) in sets {
        let scaled = scale(&text, plan);
        let [stage] = &scaled.stages[..] else { panic!("{rewrite}: one line") };
        assert_eq!(stage.rewrite, rewrite);
        assert_eq!([scaled.original.physical_nodes(), stage.program.physical_nodes()], nodes, "{rewrite}");
        check(&scaled);
    }
}

const KVS: &str = include_str!("../../../protocols/kvs/kvs.ded");
const KVS_BY_HASH: &str = include_str!("../../../protocols/kvs/by_hash.plan");

#[test]
fn the_replicated_store_figure_by_figure() {
    let plans = [
        (include_str!("../../../protocols/kvs/collected.plan"), vec!["independent"]),
        (include_str!("../../../protocols/kvs/detached.plan"), vec!["independent", "monotonic"]),
        (include_str!("../../../protocols/kvs/broadcast.plan"), vec!["functional"]),
        (KVS_BY_HASH, vec!["dependencies"]),
        (
            include_str!("../../../protocols/kvs/scalable.plan"),
            vec!["independent", "functional", "functional", "co-hash", "co-hash", "co-hash"],
        ),
    ];
    for (text, expected) in plans {
        let scaled = scale(KVS, text);
        let rewrites: Vec<&str> = scaled.stages.iter().map(|stage| stage.rewrite).collect();
        assert_eq!(rewrites, expected);
        check(&scaled);
    }
}

/// Values meet that have the same hash: no column is that, so that co-hashing alone refuses.
#[test]
fn co_hashing_alone_refuses_to_partition_the_storage_nodes() {
    let kvs = compile_text(KVS);
    let Err(refusal) = apply_by(&kvs, "partition storage into 3", "co-hash") else { panic!("no column is the hash") };
    let PlanError::Refused { refusals, .. } = &refusal else { panic!("{}", refusal.render(false)) };
    assert_eq!(refusals[0].precondition, "P1.3");
    insta::assert_snapshot!(refusal.render(false));
}

/// Whoever asks for a column that does not do is told what does.
#[test]
fn a_refused_column_of_the_storage_nodes_suggests_the_hash() {
    let Err(refusal) = apply_without(&compile_text(KVS), "partition storage by value into 3", None) else {
        panic!("values that have one hash meet")
    };
    insta::assert_snapshot!(refusal.render(false));
}

#[test]
fn storage_nodes_partitioned_by_the_hash_read_well() {
    let scaled = scale(KVS, KVS_BY_HASH);
    let stage = &scaled.stages[0];
    let mut text = String::new();
    for proof in &stage.proofs {
        text += &format!("{} {}\n", proof.precondition, proof.sentence);
    }
    for channel in stage.program.channels.iter().filter(|channel| channel.receiver == "storage") {
        text += &format!("{}\n", menard_lang::print::channel(channel));
    }
    insta::assert_snapshot!(text);
    let without = apply_all(&scaled.original, &["partition storage into 3"]);
    assert_eq!(print(&without[0].program), print(&stage.program), "the key is found without being named");
}

#[test]
fn agreement_among_replicas() {
    check(&scale(include_str!("protocols/agreement.ded"), include_str!("protocols/agreement.plan")));
}

#[test]
fn a_store_with_a_front() {
    check(&scale(include_str!("protocols/cache.ded"), include_str!("protocols/cache.plan")));
}

#[test]
fn workers_and_a_monitor() {
    check(&scale(include_str!("protocols/workers.ded"), include_str!("protocols/workers.plan")));
}

/// What state alone sends stays allowed wherever a rewrite puts its sender or its receiver: both sides send to each other as long as they have something.
const HELD: &str = "protocol held
role client external
role server
role store[2]
channel put(k: int)   client -> server
channel drop(k: int)  client -> server
channel note(k: int)  server -> store
channel gone(k: int)  server -> store
channel seen(k: int)  store -> server
channel lost(k: int)  store -> server
component server {
  table asked(k: int)
  table known(k: int)
  table late(=> k: int) max
  asked(k)   :- put(k)
  note(k)@s  :~ asked(k), store(s)
  gone(k)@s  :~ drop(k), store(s)
  known(k)   :- seen(k)
  late(k)    :- seen(k)
  found(k)   :- lost(k)
}
component store {
  table kept(k: int)
  table left(k: int)
  kept(k)    :- note(k)
  left(k)    :- gone(k)
  seen(k)@s  :~ kept(k), server(s)
  lost(k)@s  :~ left(k), server(s)
}";

#[test]
fn what_state_alone_sends_may_move_with_its_sender_or_its_receiver() {
    for (line, rewrite) in [
        // The receiver moves, the sender moves.
        ("decouple server { known, late } into knower using independent", "independent"),
        ("decouple store { kept, seen } into keeper using independent", "independent"),
        // What comes again is forwarded, and so is what comes of an event that does.
        ("decouple server { known } into knower using functional", "functional"),
        ("decouple store { left, lost } into leaver using functional", "functional"),
        // The state is copied, and its copy sends.
        ("decouple store { seen } into seer using monotonic", "monotonic"),
        // Those who move have nothing to do with it.
        ("decouple server { gone } into goner using state_machine", "state_machine"),
        // What comes again is handed on, or what it makes is.
        ("decouple server { seen } into knower using prefix", "prefix"),
        ("decouple server { found } into loser using prefix", "prefix"),
        // Both ends are partitioned.
        ("partition store by k into 2", "co-hash"),
    ] {
        let scaled = scale(HELD, &format!("plan one for held\n{line}\n"));
        assert_eq!(scaled.stages.iter().map(|stage| stage.rewrite).collect::<Vec<_>>(), [rewrite], "{line}");
        check(&scaled);
    }
    check(&scale(
        HELD,
        "plan all for held
        decouple server { known } into knower using functional
        decouple server { gone } into goner using state_machine
        decouple store { kept, seen } into keeper using independent
        partition keeper by k into 2
        partition store by k into 2",
    ));
}

/// What clients address has one node for each of the role; what is behind a doorman can have many.
#[test]
fn what_is_behind_a_doorman_can_be_partitioned() {
    let counter = "protocol counter
    role client external
    role server
    channel add(k: int, id: int)     client -> server
    channel total(id: int, n: int)   server -> client
    component server {
      table added(k: int, c: node, id: int)
      added(k, c, id)    :- add(k, id) from c
      sums(k, count(id)) :- added(k, _, id)
      total(id, n)@c     :~ add(k, id) from c, sums(k, n)
    }";
    let plan = "plan many for counter
    decouple server { add } into core using prefix
    partition core by k into 3";
    let alone = apply_without(&compile_text(counter), "partition server by k into 3", None);
    assert!(matches!(alone, Err(PlanError::Refused { refusals, .. }) if refusals[0].precondition == "P1.1"));
    check(&scale(counter, plan));
}

/// Equal messages that were handed on may become one. Then the second was handed on in vain, and what it was made of is on its way for ever.
#[test]
fn what_was_handed_on_in_vain_may_stay_away() {
    let relay = "protocol relay
    role client external
    role server
    role store
    channel put(k: int)   client -> server
    channel note(k: int)  server -> store
    component server { note(k)@s :~ put(k), store(s) }
    component store { kept(k) :- note(k)  seen(k) :- kept(k) }";
    let plan = "plan far for relay
    decouple server { put } into core using prefix
    decouple server { put_to_core } into hand using functional";
    check(&scale(relay, plan));
}

/// A node that no messages come to forgets what its disk has not taken, like any other, and what it sends waits for the disk.
#[test]
fn nodes_that_only_start_have_disks() {
    let starter = "protocol starter
    role client external
    role server
    role store
    fault restart 1 of server
    channel put(k: int)   client -> server
    channel note(k: int)  server -> store
    component server {
      durable table kept(k: int)
      kept(7)    :- start()
      note(k)@s  :~ new kept(k), store(s)
      seen(k)    :- put(k)
    }
    component store { noted(k) :- note(k) }";
    let line = "decouple server { note } into noter using functional";
    // Messages come to the server, and none to the component that the first line makes.
    check(&scale(
        starter,
        &format!("plan twice for starter\n{line}\ndecouple noter {{ note }} into writer using functional"),
    ));
    // None come to the server.
    let silent = starter.replace("seen(k)    :- put(k)", "").replace("channel put(k: int)   client -> server", "");
    check(&scale(&silent, &format!("plan once for starter\n{line}")));
}
