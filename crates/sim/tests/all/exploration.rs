//! Exhaustive exploration: numbers of states counted by hand, violations found at their shortest, histories included.

use std::collections::BTreeSet;

use menard_sim::{Config, Groups, Prepared, Scope, Stage, explore, explore_lifts, includes, schedule_of, space_time};

use crate::programs::{VOTING, VOTING_PROPERTIES, decoupled_voting, fair, hasty_voting, observe, prepare};
use crate::refinement::To;

/// A scope with requests that differ.
fn scope(prepared: &Prepared, requests: u32, groups: Groups) -> Scope {
    Scope { requests: prepared.sample_requests(requests, 1), groups, max_states: 200_000 }
}

/// One client, whose requests are all different.
fn distinct() -> Config {
    Config { clients: 1, resend_percent: 0, reuse_percent: 0, ..fair() }
}

/// Distinct states and transitions, with two requests.
fn count(text: &str, groups: Groups) -> (u64, u64) {
    let (_, prepared) = prepare(text, distinct());
    let exploration = explore(&prepared, None, &scope(&prepared, 2, groups));
    assert!(exploration.complete && exploration.violation.is_none());
    (exploration.distinct_states, exploration.transitions)
}

#[test]
fn a_node_without_state_has_one_state_for_each_set_of_messages_in_flight() {
    let echo = "protocol echo
        role client external
        role server
        channel ask(id: int)     client -> server
        channel answer(id: int)  server -> client
        component server { answer(id)@c :~ ask(id) from c }";
    assert_eq!(count(echo, Groups::Singles), (4, 4));
    // Both at once is one more way from the first state to the last.
    assert_eq!(count(echo, Groups::All), (4, 5));
}

#[test]
fn a_chain_has_a_state_for_each_place_of_each_message() {
    let relay = "protocol relay
        role client external
        role a role b
        channel ask(id: int)   client -> a
        channel pass(id: int)  a -> b
        component a { pass(id)@x :~ ask(id), b(x) }
        component b { }";
    // Each message is at one of three places; each place but the last has one way on: 2 * (2 * 3) transitions.
    assert_eq!(count(relay, Groups::Singles), (9, 12));
}

#[test]
fn a_node_that_remembers_the_first_has_states_for_each_order() {
    let first = "protocol first
        role client external
        role server
        channel ask(id: int)  client -> server
        component server {
          table first(id: int)
          table done()
          first(id) :+ ask(id), !done()
          done()    :+ ask(_)
        }";
    // Nothing taken; one taken, which is the first; both taken, with either first.
    assert_eq!(count(first, Groups::Singles), (1 + 2 + 2, 4));
    // Both at once are both first.
    assert_eq!(count(first, Groups::All), (1 + 2 + 2 + 1, 5));
}

#[test]
fn voting_keeps_its_properties_in_every_order() {
    let (program, prepared) = prepare(&VOTING.replace("participants: int = 3", "participants: int = 2"), distinct());
    let observer = observe(&program, VOTING_PROPERTIES);
    let exploration = explore(&prepared, Some(&observer), &scope(&prepared, 2, Groups::Singles));
    assert!(exploration.complete && exploration.violation.is_none());
    assert!(exploration.distinct_states > 100, "{}", exploration.distinct_states);
}

#[test]
fn voting_has_29_states_for_each_request() {
    let (program, prepared) = prepare(VOTING, distinct());
    let observer = observe(&program, VOTING_PROPERTIES);
    // The request is on its way; each participant has the ballot on its way to it, the vote on its way back, or the vote counted (27), the
    // reply being on its way where all are; the reply has arrived. Requests do not touch each other.
    for (requests, states) in [(1, 29), (2, 29 * 29)] {
        for groups in [Groups::Singles, Groups::All] {
            let exploration = explore(&prepared, Some(&observer), &scope(&prepared, requests, groups));
            assert!(exploration.complete && exploration.violation.is_none());
            assert_eq!(exploration.distinct_states, states);
        }
    }
}

#[test]
fn every_transition_of_decoupled_voting_lifts() {
    let (_, original) = prepare(VOTING, distinct());
    let stages = [Stage { original: &original, lift: &To("leader") }];
    let (_, rewritten) = prepare(&decoupled_voting(), distinct());
    let exploration = explore_lifts(&rewritten, &stages, &scope(&original, 1, Groups::All));
    assert!(exploration.complete && exploration.mismatch.is_none());
    assert_eq!(exploration.distinct_states, 29);
    let (_, hasty) =
        prepare(&decoupled_voting().replace("new votes(c, id, participants)", "new votes(c, id, 2)"), distinct());
    let exploration = explore_lifts(&hasty, &stages, &scope(&original, 1, Groups::Singles));
    let (trace, _) = exploration.mismatch.expect("two votes are not three");
    // The request sent and taken, two ballots and two votes.
    assert_eq!(schedule_of(&trace).events.len(), 6);
}

#[test]
fn the_shortest_violation_is_found() {
    let (program, prepared) = prepare(&hasty_voting(), distinct());
    let observer = observe(&program, VOTING_PROPERTIES);
    let exploration = explore(&prepared, Some(&observer), &scope(&prepared, 1, Groups::Singles));
    let run = exploration.violation.expect("two votes are not three");
    // Request sent, request taken, two ballots and two votes taken, reply taken.
    assert_eq!(schedule_of(&run.trace).events.len(), 7, "{}", space_time(prepared.names(), &run.trace, None));
    assert!(run.violation.is_some());
}

#[test]
fn too_large_a_scope_is_not_complete() {
    let (_, prepared) = prepare(VOTING, distinct());
    let scope = Scope { max_states: 50, ..scope(&prepared, 2, Groups::Singles) };
    let exploration = explore(&prepared, None, &scope);
    assert!(!exploration.complete);
    assert_eq!(exploration.distinct_states, 50);
}

#[test]
fn histories_of_decoupled_voting_are_histories_of_voting() {
    let small = |text: &str| text.replace("participants: int = 3", "participants: int = 2");
    let (_, original) = prepare(&small(VOTING), distinct());
    let (_, rewritten) = prepare(&small(&decoupled_voting()), distinct());
    let inclusion = includes(&original, &rewritten, &BTreeSet::new(), &scope(&original, 2, Groups::Singles));
    assert!(inclusion.complete && inclusion.counterexample.is_none() && inclusion.unfinished.is_none());
}

#[test]
fn a_program_that_falls_silent_too_early_is_shown() {
    let (_, original) = prepare(VOTING, distinct());
    let silent = VOTING.replace("new votes(c, id, participants)", "new votes(c, id, participants), id > 1_000_000");
    let (_, silent) = prepare(&silent, distinct());
    let scope = scope(&original, 1, Groups::Singles);
    let inclusion = includes(&original, &silent, &BTreeSet::new(), &scope);
    assert!(inclusion.complete && inclusion.counterexample.is_none(), "to say nothing is safe");
    let history = inclusion.unfinished.expect("voting replies in the end");
    assert_eq!(
        history.iter().map(|(sent, message)| (*sent, message.channel.as_str())).collect::<Vec<_>>(),
        [(true, "request")]
    );
    let late = BTreeSet::from(["reply".into()]);
    assert_eq!(includes(&original, &silent, &late, &scope).unfinished, None, "the reply may be left in flight");
}

#[test]
fn a_history_that_the_original_does_not_have_is_shown() {
    let (_, original) = prepare(VOTING, distinct());
    let scope = scope(&original, 1, Groups::All);
    // With one request, a reply that comes too early is the same history.
    let (_, hasty) = prepare(&hasty_voting(), distinct());
    let inclusion = includes(&original, &hasty, &BTreeSet::new(), &scope);
    assert!(inclusion.complete && inclusion.counterexample.is_none());
    // A reply to every vote is not.
    let eager =
        VOTING.replace("reply(id)@c            :~ new votes(c, id, participants)", "reply(id)@c :~ vote(c, id)");
    let (_, eager) = prepare(&eager, distinct());
    let inclusion = includes(&original, &eager, &BTreeSet::new(), &scope);
    let history = inclusion.counterexample.expect("voting replies once");
    let history: Vec<(bool, &str)> = history.iter().map(|(sent, message)| (*sent, message.channel.as_str())).collect();
    assert_eq!(history, [(true, "request"), (false, "reply"), (false, "reply")]);
}

#[test]
fn a_held_message_is_repeated_while_it_is_held() {
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
        component b {
          table seen()
          seen() :- lit()
        }";
    let (_, prepared) = prepare(beacon, distinct());
    let exploration = explore(&prepared, None, &scope(&prepared, 1, Groups::Singles));
    // In flight or not, seen or not, stopped or not, without: not in flight and not seen. Ways on: stop (3), delivery (4), repetition (1).
    assert_eq!((exploration.distinct_states, exploration.transitions), (6, 8));
    assert!(exploration.complete);
}

#[test]
fn a_node_that_does_not_settle_ends_the_exploration() {
    let restless = "protocol restless
        role client external
        role a
        channel go(id: int) client -> a
        component a { event tick(n: int)   tick(0) :+ go(_)   tick(n + 1) :+ tick(n) }";
    let (_, prepared) = prepare(restless, distinct());
    let exploration = explore(&prepared, None, &scope(&prepared, 1, Groups::Singles));
    assert!(!exploration.complete && exploration.endless.is_some());
}
