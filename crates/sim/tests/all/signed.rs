//! Requests are signed where somebody verifies them.

use menard_lang::run::{Event, Trace};
use menard_sim::{Config, simulate};
use menard_value::{Signed, Value};

use crate::programs::prepare;

/// A server that does only what a client has signed; whoever stores it verifies it.
const SIGNED: &str = "protocol signed
    role client external
    role server
    role store[2]
    channel put(id: int, what: bytes, s: signature)               client -> server
    channel keep(c: node, id: int, what: bytes, s: signature)     server -> store
    channel done(id: int, s: signature)                           store -> client
    component server { keep(c, id, what, s)@n :~ put(id, what, s) from c, store(n) }
    component store { done(id, s)@c :~ keep(c, id, what, s), verify(s, c, id, hash(what)) }";

fn answers(trace: &Trace) -> usize {
    let is_answer = |event: &&Event| matches!(event, Event::Take { message, .. } if message.channel == "done");
    trace.events.iter().filter(is_answer).count()
}

#[test]
fn requests_carry_the_signatures_of_their_senders() {
    let (_, prepared) = prepare(SIGNED, Config { requests: 6, resend_percent: 0, ..Config::default() });
    for seed in 0..20 {
        let trace = simulate(&prepared, None, seed).trace;
        for event in &trace.events {
            let Event::Inject { message } = event else { continue };
            let Value::Signature(signed) = &message.args[2] else { panic!("{message:?}") };
            assert_eq!(Signed::signer(signed), message.from);
        }
        assert_eq!(answers(&trace), 12, "seed {seed}: each store answers each request");
    }
}

#[test]
fn what_no_client_signs_is_not_answered() {
    let of_the_store = SIGNED.replace("hash(what))", "index_of(me))");
    let (_, prepared) = prepare(&of_the_store, Config::default());
    assert!((0..20).all(|seed| answers(&simulate(&prepared, None, seed).trace) == 0));
}
