//! Two-phase commit, with restarts of all its nodes.

use crate::bench::{Bug, LIGHT, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/two_phase_commit/two_phase_commit.ded"),
    properties: include_str!("../../../../protocols/two_phase_commit/properties.ded"),
    included: &[],
    load: LIGHT,
};

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

#[test]
fn a_decision_with_a_vote_missing() {
    PROTOCOL.convicts(&Bug {
        original: "new votes(t, participants)",
        broken: "new votes(t, participants - 1)",
        violates: "commit without a vote",
    });
}

/// The coordinator tells participants and client before its record is safe, and presumes after a restart that it has aborted.
#[test]
fn a_commit_without_a_durable_record() {
    PROTOCOL.convicts(&Bug {
        original: "durable table committed",
        broken: "table committed",
        violates: "commit and abort",
    });
}

#[test]
fn a_record_that_goes_with_the_first_ack() {
    PROTOCOL.convicts(&Bug {
        original: "delete committed(t) :+ new acks(t, participants)",
        broken: "delete committed(t) :+ new acks(t, 1)",
        violates: "commit and abort",
    });
}

#[test]
fn an_outcome_that_is_forgotten() {
    PROTOCOL.convicts(&Bug {
        original: "durable table answered",
        broken: "table answered",
        violates: "commit of what was refused",
    });
}

#[test]
fn a_new_attempt_under_the_old_number() {
    PROTOCOL.convicts(&Bug {
        original: "attempt(n + 1) :+ start(), attempt(n)",
        broken: "attempt(n) :+ start(), attempt(n)",
        violates: "commit and abort",
    });
}

#[test]
fn a_presumption_of_what_is_undecided() {
    PROTOCOL.convicts(&Bug {
        original: "!committed(t), !undecided(t, _, _)",
        broken: "!committed(t)",
        violates: "commit and abort",
    });
}

#[test]
fn a_vote_that_is_not_counted_against() {
    PROTOCOL.convicts(&Bug {
        original: "vote(t, true) from p, undecided(t, _, _)",
        broken: "vote(t, _) from p, undecided(t, _, _)",
        violates: "commit without a vote",
    });
}

#[test]
fn a_vote_that_is_forgotten() {
    PROTOCOL.convicts(&Bug {
        original: "durable table prepared",
        broken: "table prepared",
        violates: "eventually holds",
    });
}

#[test]
fn a_coordinator_that_asks_but_once() {
    PROTOCOL.convicts(&Bug {
        original: "ask_again(t)            :~ ask_again(t), undecided(t, _, _)",
        broken: "",
        violates: "eventually outcome",
    });
}

#[test]
fn a_coordinator_that_tells_but_once() {
    PROTOCOL.convicts(&Bug {
        original: "commit(t)@p   :~ tell_again(t), committed(t), participant(p), !acked(t, p)",
        broken: "",
        violates: "eventually holds",
    });
}

#[test]
fn a_participant_that_inquires_but_once() {
    PROTOCOL.convicts(&Bug {
        original: "in_doubt(t)  :~ in_doubt(t), prepared(t, _)",
        broken: "",
        violates: "eventually resolved",
    });
}

#[test]
fn a_commit_that_is_acknowledged_only_the_first_time() {
    PROTOCOL.convicts(&Bug {
        original: "ack(t)@k :~ commit(t) from k, written(t.client, last, _), last >= t.id",
        broken: "ack(t)@k :~ commit(t) from k, prepared(t, _)",
        violates: "eventually ack",
    });
}
