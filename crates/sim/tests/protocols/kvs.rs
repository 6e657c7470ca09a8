//! The replicated store.

use crate::bench::{Bug, LIGHT, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/kvs/kvs.ded"),
    properties: include_str!("../../../../protocols/kvs/properties.ded"),
    included: &[],
    load: LIGHT,
};

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

#[test]
fn a_certificate_with_an_answer_missing() {
    PROTOCOL.convicts(&Bug {
        original: "new num_acks(c, id, value, n, nodes)",
        broken: "new num_acks(c, id, value, n, nodes - 1)",
        violates: "certificate without an answer",
    });
}

#[test]
fn a_certificate_of_different_counts() {
    PROTOCOL.convicts(&Bug {
        original: "num_acks(c, id, value, n, count(s)) :- acks(c, id, value, n, s, _)",
        broken: "num_acks(c, id, value, n, count(s)) :- acks(c, id, value, n, _, _), acks(c, id, value, _, s, _)",
        violates: "certificate without an answer",
    });
}

#[test]
fn a_signature_of_something_else() {
    PROTOCOL.convicts(&Bug {
        original: "sig = sign(me, value, n)",
        broken: "sig = sign(me, value)",
        violates: "eventually told",
    });
}

#[test]
fn a_certificate_of_the_leader_s_own_signatures() {
    PROTOCOL.convicts(&Bug {
        original: "list(sig))   :- acks(c, id, value, n, _, sig)",
        broken: "list(sig))   :- acks(c, id, value, n, _, _), sig = sign(me, value, n)",
        violates: "certificate without a signature",
    });
}

#[test]
fn an_inconsistency_for_equal_counts() {
    PROTOCOL.convicts(&Bug { original: "n < m", broken: "n <= m", violates: "inconsistent without two counts" });
}

#[test]
fn a_wrong_signature_of_the_leader() {
    PROTOCOL.convicts(&Bug {
        original: "sig = sign(me, value, remove)",
        broken: "sig = sign(me, value)",
        violates: "wrong signature",
    });
}

#[test]
fn a_first_value_that_is_not_counted() {
    PROTOCOL.convicts(&Bug {
        original: "num_collisions(c, id, value, 0)            :- valid(c, id, value, _), !collisions(c, id, value, _)",
        broken: "",
        violates: "eventually told",
    });
}
