//! Things that nobody says in a run unless somebody who has read the program makes them up.

use menard_sim::{Config, Layer, simulate};

use crate::programs::{observe, prepare};

/// In how many of these runs a property is violated.
fn violated(program: &str, properties: &str, runs: u64) -> usize {
    let config = Config { layers: vec![Layer::Borges], ..Config::default() };
    let (program, prepared) = prepare(program, config);
    let observer = observe(&program, properties);
    (0..runs).filter(|seed| simulate(&prepared, Some(&observer), *seed).violation.is_some()).count()
}

/// A server that does as one replica says, where all that replicas do say is to be `answered`.
fn believes(columns: &str, answered: &str, believed: &str) -> String {
    format!(
        "protocol believes
         role client[1] external
         role server
         role replica[4]
         fault byzantine 1 of replica
         channel put(id: int)               client -> replica
         channel tell(id: int, {columns})   replica -> server
         channel done(id: int)              server -> client
         component replica {{ tell(id, {answered})@s :~ put(id), server(s) }}
         component server {{ done(id)@c :~ {believed}, client(c) }}"
    )
}

const DONE: &str = "properties of believes  violation(\"it is done\", id) :- done(id)";

#[test]
fn liars_say_the_constants_that_rules_look_for() {
    let integers = believes("what: int", "1", "tell(id, 20)");
    assert!(violated(&integers, DONE, 400) > 0, "an integer that is not small");
    let strings = believes("what: string", "\"commit\"", "tell(id, what), what == \"abort\"");
    assert!(violated(&strings, DONE, 400) > 0, "a string");
}

#[test]
fn liars_say_what_a_variable_is_bound_to() {
    let bound = believes("what: int", "1", "tell(id, what), wanted = 20, what == wanted");
    assert!(violated(&bound, DONE, 400) > 0);
}

#[test]
fn liars_say_what_functions_are_called_with() {
    let called = believes("what: string", "\"commit\"", "tell(id, what), hash(what) == hash(\"abort\")");
    assert!(violated(&called, DONE, 400) > 0);
}

#[test]
fn liars_say_what_signatures_have_to_cover() {
    let signed = believes(
        "by: node, what: string, s: signature",
        "me, \"fine\", sign(me, \"fine\", id)",
        "tell(id, by, what, s) from r, verify(s, by, what, id), verify(s, by, \"broken\", id), by == r",
    );
    assert!(violated(&signed, DONE, 400) > 0);
}

#[test]
fn liars_sign_what_nobody_has_signed() {
    let signed = believes(
        "by: node, s: signature",
        "me, sign(me, \"fine\", id)",
        "tell(id, by, s) from r, verify(s, by, \"broken\", id), by == r",
    );
    assert!(violated(&signed, DONE, 400) > 0);
    let others = believes(
        "by: node, s: signature",
        "me, sign(me, \"fine\", id)",
        "tell(id, by, s), verify(s, by, \"broken\", id), server(by)",
    );
    assert_eq!(violated(&others, DONE, 400), 0, "but not with the keys of others");
}

#[test]
fn clients_say_the_constants_that_rules_look_for() {
    let reads = "protocol believes
        role client external
        role server
        channel op(id: int, kind: string)  client -> server
        channel done(id: int)              server -> client
        component server { done(id)@c :~ op(id, \"read\") from c }";
    assert!(violated(reads, DONE, 20) > 0);
}
