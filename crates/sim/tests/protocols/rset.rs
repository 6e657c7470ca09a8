//! The replicated sets, one for each rewrite.

use crate::bench::{Bug, LIGHT, Protocol};

macro_rules! protocol {
    ($name:literal $(, $path:literal is $included:literal)?) => {
        Protocol {
            text: include_str!(concat!("../../../../protocols/", $name, "/", $name, ".ded")),
            included: &[$(($path, include_str!(concat!("../../../../protocols/", $included))))?],
            properties: include_str!(concat!("../../../../protocols/", $name, "/properties.ded")),
            load: LIGHT,
        }
    };
}

const INDEPENDENT: Protocol = protocol!("rset_independent", "keeper.ded" is "rset_independent/keeper.ded");
const FUNCTIONAL: Protocol = protocol!("rset_functional");
const MONOTONIC: Protocol =
    protocol!("rset_monotonic", "../rset_independent/keeper.ded" is "rset_independent/keeper.ded");
const ASYMMETRIC: Protocol =
    protocol!("rset_asymmetric", "../rset_independent/keeper.ded" is "rset_independent/keeper.ded");
const CO_HASH: Protocol = protocol!("rset_co_hash", "sealer.ded" is "rset_co_hash/sealer.ded");
const DEPENDENCIES: Protocol = protocol!("rset_dependencies");
const STATE_MACHINE: Protocol = protocol!("rset_state_machine");
const PARTIAL: Protocol = protocol!("rset_partial", "../rset_co_hash/sealer.ded" is "rset_co_hash/sealer.ded");

#[test]
fn they_keep_their_properties() {
    for protocol in [INDEPENDENT, FUNCTIONAL, MONOTONIC, ASYMMETRIC, CO_HASH, DEPENDENCIES, PARTIAL, STATE_MACHINE] {
        protocol.keeps_its_properties();
    }
}

#[test]
fn an_answer_with_a_replica_missing() {
    for protocol in [CO_HASH, DEPENDENCIES, PARTIAL] {
        protocol.convicts(&Bug {
            original: ":~ new number(c, id, replicas)",
            broken: ":~ new number(c, id, replicas - 1)",
            violates: "added without a replica",
        });
    }
    INDEPENDENT.convicts(&Bug {
        original: "new number(c, id, y, replicas)",
        broken: "new number(c, id, y, replicas - 1)",
        violates: "added without a replica",
    });
}

#[test]
fn a_client_that_waits_for_itself_or_for_ever() {
    ASYMMETRIC.convicts(&Bug { original: "other != id", broken: "other >= id", violates: "busy with itself" });
    ASYMMETRIC.convicts(&Bug {
        original: "stored(c, id, y), number(c, id, y, replicas)",
        broken: "stored(c, id, y), number(c, id, y, replicas - 1)",
        violates: "added without a replica",
    });
    ASYMMETRIC.convicts(&Bug {
        original: "stored(c, id, y), number(c, id, y, replicas)",
        broken: "stored(c, id, y), number(c, id, y, replicas + 1)",
        violates: "eventually answered",
    });
}

#[test]
fn a_count_that_is_never_over() {
    MONOTONIC.convicts(&Bug { original: "n >= replicas", broken: "n > replicas", violates: "eventually added" });
    MONOTONIC.convicts(&Bug {
        original: "n >= replicas",
        broken: "n >= replicas - 1",
        violates: "added without a replica",
    });
}

#[test]
fn a_leader_that_does_not_encrypt() {
    INDEPENDENT.convicts(&Bug {
        original: "y = encrypt(me, me, value, layers)",
        broken: "y = value",
        violates: "readable at a replica",
    });
    FUNCTIONAL.convicts(&Bug {
        original: "encrypt(me, c, value, layers)",
        broken: "value",
        violates: "readable on the way",
    });
}

#[test]
fn a_leader_that_encrypts_for_itself_what_is_for_the_client() {
    FUNCTIONAL.convicts(&Bug {
        original: "encrypt(me, c, value, layers)",
        broken: "encrypt(me, me, value, layers)",
        violates: "added what nobody sent",
    });
}

#[test]
fn a_leader_that_decrypts_with_another_number_of_layers() {
    INDEPENDENT.convicts(&Bug {
        original: "decrypt(me, me, y, layers)",
        broken: "decrypt(me, me, y, layers + 1)",
        violates: "eventually added",
    });
}

#[test]
fn a_ballot_that_came_before_the_highest() {
    for protocol in [FUNCTIONAL, MONOTONIC] {
        protocol.convicts(&Bug {
            original: "table highest(=> ballot: int) max",
            broken: "table highest(=> ballot: int) first",
            violates: "a ballot too low",
        });
    }
}

#[test]
fn a_register_that_all_clients_share() {
    STATE_MACHINE.convicts(&Bug {
        original: "encrypted(c, id, _), kept(c, y), x",
        broken: "encrypted(c, id, _), kept(_, y), x",
        violates: "a value of nobody",
    });
}

#[test]
fn a_value_that_clashes_with_itself() {
    DEPENDENCIES.convicts(&Bug {
        original: ", other != y",
        broken: ", length(other) > 0",
        violates: "clash with nothing",
    });
}

#[test]
fn an_epoch_that_no_replica_has_heard_of() {
    PARTIAL.convicts(&Bug {
        original: "added(id, e)@c            :~ new number(c, id, replicas), oldest(c, id, e)",
        broken: "added(id, e + 1)@c        :~ new number(c, id, replicas), oldest(c, id, e)",
        violates: "told another epoch",
    });
}
