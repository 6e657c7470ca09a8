//! Compartmentalized Paxos, under losses, crashes and restarts of all roles.

use crate::bench::{Bug, LINEARIZABLE, Load, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/compartmentalized_paxos/compartmentalized_paxos.ded"),
    properties: include_str!("../../../../protocols/compartmentalized_paxos/properties.ded"),
    included: &[("agreement.ded", include_str!("../../../../protocols/paxos/agreement.ded"))],
    load: Load { clients: 6, requests: 20 },
};

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

/// Leaders wait for room, the log is truncated all the time, and proxies have many slots each.
#[test]
fn it_keeps_its_properties_with_few_proxies_and_small_windows() {
    let crowd = Protocol { load: Load { clients: 12, requests: 30 }, ..PROTOCOL };
    crowd.keeps_its_properties_with(
        "param window: int = 100\nparam batch: int = 8",
        "param window: int = 2\nparam batch: int = 2",
    );
    PROTOCOL.keeps_its_properties_with("param proxies: int = 10", "param proxies: int = 2");
}

/// As published: an acceptor that refuses is counted like one that accepts.
#[test]
fn a_refusal_that_is_counted() {
    PROTOCOL.convicts(&Bug {
        original: ":~ heard(b, slot, _, p), promised(h), h <= b",
        broken: ":~ heard(b, slot, _, p)",
        violates: "two commands in one slot",
    });
}

/// Two acceptors, but of different columns: no row meets both.
#[test]
fn a_choice_across_columns() {
    PROTOCOL.convicts(&Bug {
        original: "votes(slot, b, index_of(a) % (f + 1), count(a))",
        broken: "votes(slot, b, 0, count(a))",
        violates: "commit of what is not chosen",
    });
}

/// A column that promises: another one may have chosen.
#[test]
fn an_election_by_a_column() {
    PROTOCOL.convicts(&Bug {
        original: "promises(b, index_of(a) / (f + 1), count(a))",
        broken: "promises(b, index_of(a) % (f + 1), count(a))",
        violates: "two commands in one slot",
    });
}

#[test]
fn an_election_that_waits_for_all() {
    PROTOCOL.convicts(&Bug {
        original: "promises(b, _, n), n == f + 1, electing(b)",
        broken: "promises(b, 0, n), n == f + 1, electing(b), promises(b, 1, n)",
        violates: "eventually reply",
    });
}

#[test]
fn a_new_leader_that_proposes_its_own() {
    PROTOCOL.convicts(&Bug {
        original: "proposes(b, slot, cmds)           :- adopted(b, slot, cmds)",
        broken: "proposes(b, slot, []) :- adopted(b, slot, _)",
        violates: "two commands in one slot",
    });
}

#[test]
fn a_log_that_is_forgotten() {
    PROTOCOL.convicts(&Bug {
        original: "durable window table accepted",
        broken: "window table accepted",
        violates: "two commands in one slot",
    });
}

#[test]
fn an_answer_before_the_batch_is_chosen() {
    PROTOCOL.convicts(&Bug {
        original: "commit(slot, cmds)@r                            :~ new chosen(slot, _, cmds), replica(r)",
        broken: "commit(slot, cmds)@r :~ propose(_, slot, _, cmds), replica(r)",
        violates: "commit of what is not chosen",
    });
}

/// Clients that are told positions, and look at nothing else, see it too.
#[test]
fn batches_of_which_all_commands_have_one_position() {
    let seen_by_clients = Protocol {
        properties: "
properties of compartmentalized_paxos
linearizable append(what) = position :- request(id, what) from c until reply(id, position) to c
",
        ..PROTOCOL
    };
    seen_by_clients.convicts(&Bug {
        original: "stands(slot, slot * batch + i, x)  :-",
        broken: "stands(slot, slot * batch + i - i, x) :-",
        violates: LINEARIZABLE,
    });
}
