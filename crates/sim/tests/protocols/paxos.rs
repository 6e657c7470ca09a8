//! Paxos with a stable leader, under losses, crashes and restarts of all roles.

use crate::bench::{Bug, LIGHT, Load, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/paxos/paxos.ded"),
    properties: include_str!("../../../../protocols/paxos/properties.ded"),
    included: &[("agreement.ded", include_str!("../../../../protocols/paxos/agreement.ded"))],
    load: LIGHT,
};

/// Each client waits for one command at a time, so it takes several for leaders to have much under way. But clients that ask again and again
/// for what never comes keep runs from coming to rest, and then nothing can be said to be missing.
const CROWDED: Protocol = Protocol { load: Load { clients: 6, requests: 20 }, ..PROTOCOL };

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

#[test]
fn it_keeps_its_properties_in_a_crowd() {
    CROWDED.keeps_its_properties();
}

/// Leaders wait for room, and the log is truncated all the time.
#[test]
fn it_keeps_its_properties_with_a_small_window() {
    CROWDED.keeps_its_properties_with("param window: int = 500", "param window: int = 2");
}

#[test]
fn it_keeps_its_properties_with_two_failures() {
    CROWDED.keeps_its_properties_with("param f: int = 1", "param f: int = 2");
}

#[test]
fn an_acceptance_after_a_higher_promise() {
    CROWDED.convicts(&Bug {
        original: "p2b(b, slot, cmd)@p    :~ heard(b, slot, cmd, p), promised(h), h <= b",
        broken: "p2b(b, slot, cmd)@p    :~ heard(b, slot, cmd, p)",
        violates: "two commands in one slot",
    });
}

#[test]
fn a_log_that_is_forgotten() {
    CROWDED.convicts(&Bug {
        original: "durable window table accepted",
        broken: "window table accepted",
        violates: "two commands in one slot",
    });
}

#[test]
fn an_election_with_a_promise_missing() {
    CROWDED.convicts(&Bug {
        original: "promises(b, n), n >= f + 1",
        broken: "promises(b, n), n >= f",
        violates: "two commands in one slot",
    });
}

/// The promise is made, and forgotten by a restart: what a lower ballot proposes is accepted after all.
#[test]
fn a_promise_that_is_forgotten() {
    CROWDED.convicts_from(
        2_800,
        &Bug { original: "durable table promised", broken: "table promised", violates: "two commands in one slot" },
    );
}

/// An acceptor that has promised a higher ballot answers with an empty log. This shows where much is under way when leaders contend.
#[test]
fn a_refusal_that_is_taken_for_a_promise() {
    let contended = Protocol { load: Load { clients: 20, requests: 40 }, ..PROTOCOL };
    contended.convicts_with(
        250,
        &[("p1b(b, b, _, log) from a", "p1b(b, _, _, log) from a"), ("patience: int = 2", "patience: int = 1")],
        "two commands in one slot",
    );
}

#[test]
fn a_new_leader_that_ignores_the_highest_ballot() {
    CROWDED.convicts_from(
        200,
        &Bug { original: "argmax(v, cmd)", broken: "argmin(v, cmd)", violates: "two commands in one slot" },
    );
}

#[test]
fn a_choice_with_an_acceptance_missing() {
    CROWDED.convicts(&Bug {
        original: "votes(_, slot, b, cmd, n), n >= f + 1",
        broken: "votes(_, slot, b, cmd, n), n >= f",
        violates: "commit of what is not chosen",
    });
}

#[test]
fn an_election_that_waits_for_all() {
    PROTOCOL.convicts(&Bug {
        original: "promises(b, n), n >= f + 1",
        broken: "promises(b, n), n >= 2 * f + 1",
        violates: "eventually reply",
    });
}

#[test]
fn a_choice_that_waits_for_all() {
    PROTOCOL.convicts(&Bug {
        original: "votes(_, slot, b, cmd, n), n >= f + 1",
        broken: "votes(_, slot, b, cmd, n), n >= 2 * f + 1",
        violates: "eventually reply",
    });
}

#[test]
fn gaps_that_stay() {
    PROTOCOL.convicts_from(2_800, &Bug {
        original: "propose(b, slot, none())         :- top(b, t), low(l), slot in range(l + 1, t), !reported(b, slot, _, _)",
        broken: "",
        violates: "eventually reached",
    });
}

#[test]
fn a_new_leader_that_proposes_its_own() {
    CROWDED.convicts(&Bug {
        original: "propose(b, slot, cmd)            :- adopted(b, slot, cmd)",
        broken: "propose(b, slot, none()) :- adopted(b, slot, _)",
        violates: "two commands in one slot",
    });
}

/// After a restart the leader's own ballot is numbered as the last one was. Who stands at once, and not at the next tick, still has proposals of
/// the last one under way, so that it shows sooner.
#[test]
fn a_ballot_that_is_used_again() {
    CROWDED.convicts_with(
        1_050,
        &[("durable table round", "table round"), ("tick(), !round(_)", "start(), !round(_)")],
        "two values in one ballot",
    );
}

/// What acceptors have truncated looks like slots that are free.
#[test]
fn a_new_leader_that_ignores_what_is_truncated() {
    CROWDED.convicts(&Bug {
        original: "low(l)               :- p1b(_, _, l, _)",
        broken: "",
        violates: "two commands in one slot",
    });
}

#[test]
fn a_leader_that_tries_but_once() {
    PROTOCOL.convicts(&Bug {
        original: ":- review(), leading(b, _), mark(b, n), low(l), l + 1 < n",
        broken: ":- review(), leading(b, _), mark(b, n), low(l), l + 1_000 < n",
        violates: "eventually reply",
    });
}

#[test]
fn a_command_that_is_executed_again() {
    CROWDED.convicts(&Bug {
        original: "commit(slot, cmd), x in cmd, !repeated(slot)",
        broken: "commit(slot, cmd), x in cmd",
        violates: "executed twice",
    });
}

#[test]
fn a_client_table_that_is_forgotten() {
    CROWDED.convicts(&Bug {
        original: "durable table answered",
        broken: "table answered",
        violates: "different histories",
    });
}

#[test]
fn a_replica_that_is_left_behind() {
    PROTOCOL.convicts(&Bug {
        original: "progress(n) from r, done(m), n < m",
        broken: "progress(n) from r, done(m), n < m - 1_000",
        violates: "eventually reached",
    });
}
