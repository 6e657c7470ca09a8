//! PBFT's critical path, with replicas that lie.

use crate::bench::{Bug, Load, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/pbft_critical_path/pbft_critical_path.ded"),
    properties: include_str!("../../../../protocols/pbft_critical_path/properties.ded"),
    included: &[],
    load: Load { clients: 2, requests: 5 },
};

const CROWDED: Protocol = Protocol { load: Load { clients: 6, requests: 20 }, ..PROTOCOL };

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

#[test]
fn it_keeps_its_properties_in_a_crowd() {
    CROWDED.keeps_its_properties();
}

#[test]
fn it_keeps_its_properties_with_two_liars() {
    PROTOCOL.keeps_its_properties_with("param f: int = 1", "param f: int = 2");
}

/// Who is left behind stays behind: a window of two slots is too small for replicas that are slow.
#[test]
fn a_replica_that_is_left_behind() {
    CROWDED.convicts(&Bug {
        original: "param window: int = 500",
        broken: "param window: int = 2",
        violates: "eventually served",
    });
}

/// Who waits for all waits for the silent ones.
#[test]
fn quorums_of_all() {
    PROTOCOL.convicts(&Bug {
        original: "param quorum: int = 2 * f + 1",
        broken: "param quorum: int = 3 * f + 1",
        violates: "eventually served",
    });
}

/// Two of four have two in common with two others only if nobody lies.
#[test]
fn quorums_that_share_a_liar() {
    PROTOCOL.convicts(&Bug {
        original: "param quorum: int = 2 * f + 1",
        broken: "param quorum: int = 2 * f",
        violates: "two certificates",
    });
}

#[test]
fn a_commit_with_an_acceptance_missing() {
    PROTOCOL.convicts(&Bug {
        original: "prepared(place, slot, d, quorum(quorum, r))",
        broken: "prepared(place, slot, d, quorum(2 * f, r))",
        violates: "commit without a certificate",
    });
}

#[test]
fn an_execution_with_a_commit_missing() {
    PROTOCOL.convicts(&Bug {
        original: "committed(place, slot, d, quorum(quorum, r))",
        broken: "committed(place, slot, d, quorum(2 * f, r))",
        violates: "executed but not committed",
    });
}

/// A client that uses a number twice is given two slots; machines have to see it.
#[test]
fn a_command_that_is_executed_again() {
    CROWDED.convicts_with(
        1,
        &[
            ("!(ordered(c, last), last >= id)", "!(ordered(c, last), last > id)"),
            ("!(answered(cmd.client, last), last >= cmd.id)", "!(answered(cmd.client, last), last > cmd.id)"),
        ],
        "two results",
    );
}

/// A primary that lies gives a command two slots.
#[test]
fn machines_that_believe_the_primary() {
    PROTOCOL.convicts_from(
        20_000,
        &Bug {
            original: "!(answered(cmd.client, last), last >= cmd.id)",
            broken: "!(answered(cmd.client, last), last > cmd.id)",
            violates: "two results",
        },
    );
}

/// A primary that lies proposes one digest to all, and to some of them another command under it.
#[test]
fn a_digest_that_is_not_that_of_the_command() {
    PROTOCOL.convicts(&Bug { original: "      d == hash(cmd),\n", broken: "", violates: "executed but not committed" });
}

/// A primary that lies makes a command up, and proposes it to all.
#[test]
fn a_command_that_nobody_has_signed() {
    PROTOCOL.convicts(&Bug {
        original: "      d == hash(cmd),\n      verify(s, cmd.client, cmd)\n",
        broken: "      d == hash(cmd)\n",
        violates: "executed but not requested",
    });
}

/// A primary that lies proposes one command, and when all have accepted it another one.
#[test]
fn a_slot_with_two_proposals() {
    PROTOCOL.convicts(&Bug {
        original: ", !(accepted(slot % window, last, _, _), last >= slot)",
        broken: "",
        violates: "two certificates",
    });
}

/// The attack on decoupled PBFT, without the plan: a replica believes a liar about what it has accepted itself.
#[test]
fn a_proposal_that_anybody_sends() {
    PROTOCOL.convicts(&Bug {
        original: "proposal(slot, d, cmd) from me",
        broken: "proposal(slot, d, cmd)",
        violates: "two commands in one slot",
    });
}

/// A liar asks in the name of a client, the primary proposes what nobody has signed, and the slot stays empty.
#[test]
fn requests_that_nobody_verifies() {
    PROTOCOL.convicts(&Bug {
        original: "asked(cmd, s) from me",
        broken: "asked(cmd, s)",
        violates: "eventually served",
    });
}

#[test]
fn machines_that_any_replica_tells_what_to_execute() {
    PROTOCOL.convicts(&Bug {
        original: "execute(slot, cmd) from r, index_of(r) == index_of(me), done",
        broken: "execute(slot, cmd) from r, done",
        violates: "two histories",
    });
}

#[test]
fn proposals_of_any_replica() {
    PROTOCOL.convicts(&Bug {
        original: "      index_of(p) == 0,\n      d == hash(cmd),",
        broken: "      index_of(p) >= 0,\n      d == hash(cmd),",
        violates: "eventually served",
    });
}
