//! The commit path of two-phase commit.

use crate::bench::{Bug, LIGHT, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/two_phase_commit_path/two_phase_commit_path.ded"),
    properties: include_str!("../../../../protocols/two_phase_commit_path/properties.ded"),
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
        original: "new votes(c, id, participants)",
        broken: "new votes(c, id, participants - 1)",
        violates: "commit without a vote",
    });
}

#[test]
fn a_reply_with_an_ack_missing() {
    PROTOCOL.convicts(&Bug {
        original: "new acks(c, id, participants)",
        broken: "new acks(c, id, participants - 1)",
        violates: "reply without an ack",
    });
}

#[test]
fn a_reply_right_after_the_decision() {
    PROTOCOL.convicts(&Bug {
        original: ":~ ended(c, id)",
        broken: ":~ decided(c, id)",
        violates: "reply without an ack",
    });
}

#[test]
fn an_ack_of_what_is_not_decided() {
    PROTOCOL.convicts(&Bug {
        original: ":~ commit(c, id) from k",
        broken: ":~ vote_request(c, id, _) from k",
        violates: "ack without a commit",
    });
}

#[test]
fn votes_of_another_transaction() {
    PROTOCOL.convicts(&Bug {
        original: "vote(c, id) from p",
        broken: "vote(c, _) from p, vote(c, id) from _",
        violates: "commit without a vote",
    });
}

#[test]
fn a_participant_that_votes_but_once() {
    PROTOCOL.convicts(&Bug {
        original: ":~ vote_request(c, id, _) from k",
        broken: ":~ new prepared_record(c, id, _), vote_request(c, id, _) from k",
        violates: "eventually committed",
    });
}
