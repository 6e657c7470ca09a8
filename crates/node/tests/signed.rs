//! Clients sign commands where somebody verifies them.

mod common;

use common::{measure, short};
use menard_lang::compile_text;

/// A server that answers only what a client has signed; one of its checks covers who is addressed.
const SIGNED: &str = "protocol signed

record order(what: bytes, s: signature)

role client external
role server

channel put(id: int, o: order)                      client -> server
channel get(c: node, id: int, s: signature)         client -> server
channel done(id: int)                               server -> client

component server {
  done(id)@c :~ put(id, o) from c, verify(o.s, c, id, hash(o.what))
  done(id)@c :~ get(c, id, s), verify(s, c, me, id)
}
";

#[test]
fn signed_commands_are_answered() {
    let report = measure(&compile_text(SIGNED), &short()).expect("both kinds of commands are answered");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.unanswered, report.resends), (0, 0));
}

#[test]
fn a_signature_that_nobody_verifies_cannot_be_made() {
    let text = SIGNED.replace("verify(o.s, c, id, hash(o.what))", "o.what != 0x00");
    let error = measure(&compile_text(&text), &short()).expect_err("nothing says what to sign");
    assert!(error.to_string().contains("nothing says what field `o: order` of channel `put` should be"), "{error}");
}
