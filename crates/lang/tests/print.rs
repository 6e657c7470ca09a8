//! Printing: the text of a program means the same program.

use menard_lang::{Program, Source, compile, compile_text, print};

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

#[test]
fn voting_survives_printing() {
    assert_round_trip(&compile_text(VOTING));
}
