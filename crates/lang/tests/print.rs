//! Printing: the text of a program means the same program.

use menard_lang::{Program, Source, compile, compile_text, print};

const EVERYTHING: &str = include_str!("everything.ded");
const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

fn assert_round_trip(program: &Program) {
    let text = print(program);
    let again =
        compile(&Source::new("printed.ded", text.as_str()), &[]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let expected = Program { source: again.program.source.clone(), ..program.clone() };
    assert_eq!(again.program, expected, "{text}");
}

#[test]
fn voting_compiles_without_warnings() {
    let compiled = compile(&Source::new("voting.ded", VOTING), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    assert_eq!(compiled.program.physical_nodes(), 4);
    let leader = compiled.program.component("leader").expect("voting has a leader");
    assert_eq!(leader.strata, [["voted"], ["votes"]]);
}

/// What stands in a text and how it is printed, but for the layout.
#[test]
fn every_construct_survives_printing() {
    let compiled = compile(&Source::new("everything.ded", EVERYTHING), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_round_trip(&compiled.program);
    let printed = print(&compiled.program);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "role disk native",
        "channel accept(n: int, id: int) member -> server serial",
        "channel remind(id: int) server -> keeper by id % 2 after 20 us",
        "table next(=> n: int) max",
        "durable window table asked(n: int, id: int => c: node, what: bytes) first above low",
        "timer retry(n: int) after patience ms",
        "timer tick() after 1 s",
        "tick()@me :~ start()",
        "tick()@me :~ tick()",
        "retry(n)@me :~ retry(n), asked(n, _, _, _)",
        "record ballot(round: int, owner: int)",
        "param sizes: list<int> = [1, 3]",
        "certificates(b: ballot => q: list<node>, p: option<(int, bytes)>) first",
        "votes(ballot { round: n, owner: 1 }, m) :-",
        "verify(s, m, n) == true, verify(s, me, n) == false",
        "argmin(b.round, m), argmax(b.owner, b), choose(m)",
        "!(me in q)",
        "get((b, sizes).1, 0) > 0",
    ] {
        assert!(words(&printed).contains(expected), "{expected} is not in:\n{printed}");
    }
    let delays: Vec<u64> = compiled
        .program
        .channels
        .iter()
        .filter_map(|channel| channel.delay.as_ref())
        .map(|delay| delay.micros)
        .collect();
    assert_eq!(delays, [20, 50_000, 1_000_000]);
}

#[test]
fn timers_are_printed_in_their_components() {
    let text = "protocol p role a role b channel one() a -> a after 1 ms component a { timer two() after 1 s } \
                component b { timer three() after 2 us } channel four(x: int) b -> b";
    let program = compile_text(text);
    assert_round_trip(&program);
    let names: Vec<&str> = program.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["four", "one", "two", "three"]);
}

#[test]
fn voting_survives_printing() {
    assert_round_trip(&compile_text(VOTING));
}
