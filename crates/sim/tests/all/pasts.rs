//! Liars of whom each copy has views, slots or rounds of its own.

use menard_lang::ir::FaultKind;
use menard_sim::{Config, Faulty, Layer, Simulator};

use crate::programs::{members_with_tickets, observe, prepare};

/// Members who have got a ticket say in the end of a round that they have begun no other one.
fn rounds() -> String {
    members_with_tickets(
        "rounds",
        "channel put(id: int)                  client -> front
         channel end(id: int)                  front -> front
         channel begin(id: int, s: signature)  front -> member
         channel ended(id: int)                front -> member
         channel only(id: int, s: signature)   member -> watcher",
        "component front {
           begin(id, s)@m :~ put(id), member(m), s = sign(me, id)
           end(id)@me     :~ put(id)
           ended(id)@m    :~ end(id), member(m)
         }
         component member {
           table holds(s: signature)
           table begun(id: int)
           holds(s)       :- ticket(s)
           begun(id)      :- begin(id, s), front(f), verify(s, f, id)
           another(id)    :- begun(id), begun(k), k != id
           only(id, s)@w  :~ ended(id), begun(id), !another(id), holds(s), watcher(w)
         }
         component watcher {
           table loyal(id: int, m: node)
           loyal(id, m) :- only(id, s) from m, registrar(r), verify(s, r, m)
         }",
    )
}

/// In how many of the first runs, in all of which a member lies, somebody has begun several rounds alone.
fn disloyal(text: &str, properties: &str, runs: u64) -> usize {
    let faulty = vec![Faulty { kind: FaultKind::Byzantine, nodes: 1, role: "member".into() }];
    let config = Config { layers: vec![Layer::Pasts], requests: 4, faulty: Some(faulty), ..Config::default() };
    let (program, prepared) = prepare(text, config);
    let observer = observe(&program, properties);
    let mut simulator = Simulator::new(&prepared, Some(&observer));
    let count = (0..runs).filter(|seed| simulator.run(*seed).violation.is_some()).count();
    println!("{count} of {runs}: {properties}");
    count
}

#[test]
fn each_copy_of_a_liar_has_rounds_of_its_own_and_knows_nothing_of_others() {
    let (two, three) = (
        "properties of rounds violation(\"two\", m) :- only(a, _) from m, only(b, _) from m, a < b",
        "properties of rounds violation(\"three\", m) :-
             only(a, _) from m, only(b, _) from m, only(c, _) from m, a < b, b < c",
    );
    // There are two copies or three. All of them have a ticket, since no round is named on it.
    assert!(disloyal(&rounds(), two, 1_000) >= 50);
    assert!(disloyal(&rounds(), three, 1_000) >= 5);
}
