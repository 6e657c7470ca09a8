//! Programs with liars are rewritten, and what machines of one node tell each other is believed of the node itself alone. That liars gain nothing
//! by it, and would without verification, is what `menard bugs` shows.

mod common;

use std::collections::BTreeSet;

use common::cases::liars;
use common::{CASE_RUNS, apply_all, apply_without, library, program, refine};
use menard_lang::ir::{Atom, ExprKind, Fault, FaultKind, Program, Rule};
use menard_opt::Stage;
use menard_opt::rewrite::verify_sender::leave_out;
use menard_sim::{CampaignReport, Config, Found, Wrong};

/// Runs of each plan of the library.
const LIBRARY_RUNS: u64 = 200;

/// The atoms on channels that the original does not have.
fn new_atoms<'a>(original: &'a Program, rewritten: &'a Program) -> impl Iterator<Item = &'a Atom> {
    let rules = rewritten.components.iter().flat_map(|component| &component.rules);
    let is_new =
        |atom: &&Atom| rewritten.channel(&atom.relation).is_some() && original.channel(&atom.relation).is_none();
    rules.flat_map(Rule::atoms).filter(is_new)
}

fn is_verified(atom: &Atom) -> bool {
    atom.from.as_ref().is_some_and(|from| from.kind == ExprKind::Me)
}

#[test]
fn what_a_rewrite_adds_is_read_from_me_alone() {
    for liar in liars() {
        let original = program(&liar.text);
        let stage =
            apply_without(&original, &liar.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        assert!(new_atoms(&original, &stage.program).all(is_verified), "{}", stage.program.source.text);
        let unverified = apply_without(&original, &liar.line, Some(&liar.precondition));
        let unverified = unverified.unwrap_or_else(|error| panic!("{}", error.render(false))).program;
        assert!(!new_atoms(&original, &unverified).any(is_verified), "{}", unverified.source.text);
    }
}

#[test]
fn nothing_is_added_where_nobody_of_the_role_lies() {
    for liar in liars() {
        let lying = liar.text.lines().find(|line| line.starts_with("fault byzantine")).expect("some node lies");
        // A coordinator asks more of what other roles send if these may lie (P3.17).
        let others: &[&str] = match (liar.precondition.as_str(), lying.ends_with("server")) {
            ("P3.9", _) => &["fault omission 1 of server"],
            (_, true) => &["fault omission 1 of server", "fault byzantine 1 of store"],
            (_, false) => &["fault omission 1 of server", "fault byzantine 1 of server"],
        };
        for honest in others {
            let original = program(&liar.text.replace(lying, honest));
            let stage = apply_without(&original, &liar.line, None);
            let stage = stage.unwrap_or_else(|error| panic!("{}", error.render(false)));
            assert!(!new_atoms(&original, &stage.program).any(is_verified), "{}", stage.program.source.text);
        }
    }
}

/// The seed of a run that is none of the original.
fn refuted(report: &CampaignReport) -> Option<u64> {
    let is_refuted = |found: &&Found| matches!(found.what, Wrong::Refinement(_));
    report.violations.iter().find(is_refuted).map(|found| found.descent.seed)
}

/// The last program of a plan, in which rules believe anybody on one channel.
fn believing_anybody(last: &Stage, channel: &str) -> Stage {
    let program = leave_out(last.program.clone(), &BTreeSet::from([channel.into()]));
    Stage { program: program.unwrap_or_else(|errors| panic!("{errors}")), ..last.clone() }
}

/// Without verification of one channel, whichever it is, some run is none of the original.
fn every_channel_needs_its_verification(original: &Program, stages: &[Stage], runs: u64, requests: u32) {
    let (last, before) = stages.split_last().expect("the plan has a line");
    let atoms = new_atoms(original, &last.program).filter(|atom| is_verified(atom));
    let channels: BTreeSet<&str> = atoms.map(|atom| atom.relation.as_str()).collect();
    for channel in channels {
        let role = &last.program.channel(channel).expect("the channel is one of the program").sender;
        let role = last.program.role_of_endpoint(role).expect("its sender is a component");
        // Of a single node there is no other that could lie to it.
        let lies = |fault: &Fault| fault.kind == FaultKind::Byzantine && fault.role == role.name && fault.nodes > 0;
        if role.nodes < 2 || !last.program.faults.iter().any(lies) {
            continue;
        }
        let believing = believing_anybody(last, channel);
        let stages: Vec<Stage> = before.iter().cloned().chain([believing]).collect();
        let report = refine::check(original, &stages, runs, requests);
        let seed = refuted(&report);
        println!("{} `{channel}` without verification: seed {seed:?}", original.name);
        assert!(
            seed.is_some(),
            "`{channel}` needs no verification\n{}",
            stages.last().expect("there is one").program.source.text
        );
    }
}

#[test]
fn no_verification_is_left_out() {
    for liar in liars() {
        let original = program(&liar.text);
        every_channel_needs_its_verification(&original, &apply_all(&original, &[liar.line.as_str()]), CASE_RUNS, 10);
    }
}

/// The plans of the library for protocols with liars.
#[test]
fn no_plan_of_the_library_leaves_out_verification() {
    for (program, _, stages) in library::plans() {
        if program.faults.iter().any(|fault| fault.kind == FaultKind::Byzantine) {
            every_channel_needs_its_verification(&program, &stages, LIBRARY_RUNS, 3);
        }
    }
}

/// Where two nodes lie, one of them perhaps on one of its machines only, what they tell each other is nothing to the original.
#[test]
fn liars_tell_each_other_nothing() {
    let text = "
protocol pair
role client external
role node[4]
fault byzantine 2 of node
channel put(k: int)            client -> node
channel tell(k: int)           node -> node
channel echo(k: int)           node -> node
channel done(k: int, n: int)   node -> client
component node {
  table owner(k: int => c: node) first
  table heard(k: int, s: node)
  owner(k, c)         :- put(k) from c
  tell(k)@n           :~ put(k), node(n)
  got(k, s)           :- tell(k) from s
  heard(k, s)         :- echo(k) from s
  echo(k)@s           :~ got(k, s)
  number(k, count(s)) :- heard(k, s)
  done(k, n)@c        :~ new number(k, n), owner(k, c)
}
";
    let original = program(text);
    let stages = apply_all(&original, &["decouple node { got } into ear using independent"]);
    let report = refine::check(&original, &stages, CASE_RUNS, 10);
    assert!(report.violations.is_empty(), "{:?}\n{}", report.violations.first(), stages[0].program.source.text);
}

/// Lines that read what lines before them have made keep what these have added.
#[test]
fn verification_survives_further_rewrites() {
    let text = "
protocol chain
role client external
role server[2]
role store
fault byzantine 1 of server
channel put(k: int, v: int)   client -> server
channel note(k: int, v: int)  server -> store
channel done(k: int)          server -> store
component server {
  table had(k: int)
  had(k)       :- put(k, _)
  fresh(k, v)  :- put(k, v)
  note(k, v)@s :~ fresh(k, v), store(s)
  done(k)@s    :~ new had(k), store(s)
}
component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v)  table ended(k: int)  ended(k) :- done(k) }
";
    let decouple = "decouple server { fresh, note } into noter using functional";
    for (second, made) in [
        ("decouple noter { note } into sender using functional", 2),
        ("decouple noter { note } into sender using state_machine", 3),
        ("decouple noter { put_to_noter } into core using prefix", 2),
        ("partition noter by k into 2", 1),
    ] {
        let original = program(text);
        let stages = apply_all(&original, &[decouple, second]);
        let last = &stages[1].program;
        let atoms: Vec<&Atom> = new_atoms(&original, last).collect();
        let channels: BTreeSet<&str> = atoms.iter().map(|atom| atom.relation.as_str()).collect();
        assert_eq!(channels.len(), made, "{second}: {channels:?}\n{}", last.source.text);
        assert!(atoms.into_iter().all(is_verified), "{second}\n{}", last.source.text);
        let report = refine::check(&original, &stages, CASE_RUNS, 10);
        assert!(report.violations.is_empty(), "{second}: {:?}\n{}", report.violations.first(), last.source.text);
    }
}

/// A part of `b` lies, and the other one answers whoever it has lied to, again and again: `b` could say as much in the original, and need not.
#[test]
fn an_honest_machine_of_a_liar_may_go_on_for_ever() {
    let original = program(
        "protocol ping role client external role a[2] role b
         fault omission 1 of a fault byzantine 1 of b
         channel drop(k: int) client -> a channel q(k: int) a -> b
         channel m(k: int) a -> b channel n(k: int) b -> a
         component a {
           q(x)@o :~ drop(x), b(o)
           m(x)@o :~ n(x), b(o)
         }
         component b {
           timer rb(k: int, v: int) after 50 ms
           n(x)@o :~ m(x) from o
         }",
    );
    let stages = apply_all(&original, &["decouple b { rb } into c2 using prefix"]);
    let report = refine::check_with(&original, &stages, 400, Config { max_steps: 200, ..Config::default() });
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
}
