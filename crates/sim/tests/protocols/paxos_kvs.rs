//! A store on top of Paxos: what its clients see has an order, and mistakes that clients can see are seen there.

use crate::bench::{Bug, LINEARIZABLE, Load, Protocol};

const PROTOCOL: Protocol = Protocol {
    text: include_str!("../../../../protocols/paxos_kvs/paxos_kvs.ded"),
    properties: include_str!("../../../../protocols/paxos_kvs/properties.ded"),
    included: &[
        ("paxos.ded", include_str!("../../../../protocols/paxos/paxos.ded")),
        ("agreement.ded", include_str!("../../../../protocols/paxos/agreement.ded")),
    ],
    load: Load { clients: 6, requests: 20 },
};

/// Clients alone, who know nothing of ballots.
const SEEN_BY_CLIENTS: Protocol = Protocol {
    properties: "
properties of paxos_kvs
linearizable put(slice(what, 0, 1), slice(what, 1, length(what))) :-
    request(id, what) from c, length(what) > 1 until reply(id, _, _) to c
linearizable get(what) = found :- request(id, what) from c, length(what) <= 1 until reply(id, _, found) to c
",
    ..PROTOCOL
};

/// Where much is under way, with clients enough to look at each key: what somebody is told wrongly shows when somebody else looks.
const CROWDED: Protocol = Protocol { load: Load { clients: 12, requests: 40 }, ..SEEN_BY_CLIENTS };

#[test]
fn it_keeps_its_properties() {
    PROTOCOL.keeps_its_properties();
}

#[test]
fn it_keeps_its_properties_with_a_small_window() {
    PROTOCOL.keeps_its_properties_with("param window: int = 500", "param window: int = 2");
}

/// A replica tells what it has, and does not wait until the log has come to the question.
#[test]
fn a_read_that_a_replica_answers_by_itself() {
    let channel = "channel reply(id: int, position: int, found: option<bytes>)  replica -> client";
    let peek = "channel peek(c: node, id: int, what: bytes)  proposer -> replica";
    let ask = "  // Slots are assigned.\n";
    let answer = "reply(id, position, found)@c :~ answers";
    CROWDED.convicts_with(
        1_100,
        &[
            (channel, &format!("{channel}\n{peek}")),
            (ask, &format!("{ask}  peek(c, id, what)@r :~ request(id, what) from c, length(what) == 1, replica(r)\n")),
            (answer, &format!("reply(id, n, some(value))@c :~ peek(c, id, what), stored(what, n, value)\n  {answer}")),
        ],
        LINEARIZABLE,
    );
}

#[test]
fn an_answer_before_the_command_is_chosen() {
    CROWDED.convicts_from(
        2_600,
        &Bug {
            original: ":~ new chosen(slot, _, cmd), replica(r)",
            broken: ":~ propose(_, slot, cmd), replica(r)",
            violates: LINEARIZABLE,
        },
    );
}

/// Between the two times somebody else has to write the same key, and somebody to read it afterwards.
#[test]
fn a_command_that_is_executed_again() {
    CROWDED.convicts(&Bug {
        original: "commit(slot, cmd), x in cmd, !repeated(slot)",
        broken: "commit(slot, cmd), x in cmd",
        violates: LINEARIZABLE,
    });
}

/// A restarted replica goes on where its disk ends, without the values.
#[test]
fn values_that_are_forgotten() {
    SEEN_BY_CLIENTS.convicts(&Bug { original: "durable table stored", broken: "table stored", violates: LINEARIZABLE });
}

#[test]
fn values_that_are_not_handed_over() {
    SEEN_BY_CLIENTS.convicts(&Bug {
        original: "  stored(x.key, x.position, x.value)            :- state(_, _, _, l), x in l\n",
        broken: "",
        violates: LINEARIZABLE,
    });
}
