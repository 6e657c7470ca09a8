//! Programs with liars are rewritten, and what machines of one node tell each other is believed of the node itself alone.

mod common;

use std::collections::BTreeSet;

use common::liars::liars;
use common::{CASE_RUNS, apply_all, apply_without, program, refine};
use menard_lang::ir::{Atom, ExprKind, Program, Rule};

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
        let stage = apply_without(&original, liar.line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
        assert!(new_atoms(&original, &stage.program).all(is_verified), "{}", stage.program.source.text);
        let unverified = apply_without(&original, liar.line, Some(liar.precondition));
        let unverified = unverified.unwrap_or_else(|error| panic!("{}", error.render(false))).program;
        assert!(!new_atoms(&original, &unverified).any(is_verified), "{}", unverified.source.text);
    }
}

#[test]
fn nothing_is_added_where_nobody_of_the_role_lies() {
    for liar in liars() {
        for honest in
            [liar.text.replace("fault byzantine", "fault omission"), liar.text.replace("1 of server", "1 of store")]
        {
            let original = program(&honest);
            let stage = apply_without(&original, liar.line, None);
            let stage = stage.unwrap_or_else(|error| panic!("{}", error.render(false)));
            assert!(!new_atoms(&original, &stage.program).any(is_verified), "{}", stage.program.source.text);
        }
    }
}

#[test]
fn programs_with_liars_refine_where_nobody_does_lie() {
    for liar in liars() {
        let original = program(&liar.text);
        let stages = apply_all(&original, &[liar.line]);
        let report = refine::check(&original, &stages, CASE_RUNS, 10);
        let last = &stages[0].program.source.text;
        assert!(report.violations.is_empty(), "{}: {:?}\n{last}", liar.name, report.violations.first());
    }
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
