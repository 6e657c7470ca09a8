use menard_value::{Function, Node, Value};

use super::{RequestSignature, request_signatures};
use crate::compile_text;

const CLIENT: Node = Node { role: 0, index: 3 };
const SERVER: Node = Node { role: 1, index: 0 };

/// The signatures of requests of a program whose server has these rules.
fn found(channel: &str, rules: &str) -> Vec<RequestSignature> {
    let witness = if rules.contains("component witness") {
        ""
    } else {
        "component witness { seen(id)@c :~ passed(c, id, _, _) }"
    };
    let text = format!(
        "protocol signed\n\nparam salt: int = 7\nrecord command(id: int, cmd: bytes, s: signature)\n\nrole client external\nrole server\nrole witness\n\n\
         channel request({channel}) client -> server\nchannel done(id: int) server -> client\n\
         channel passed(c: node, id: int, cmd: bytes, s: signature) server -> witness\nchannel seen(id: int) witness -> client\n\n{rules}\n{witness}"
    );
    request_signatures(&compile_text(&text))
}

/// The value of what a signature covers, for a request with these columns.
fn covered(signature: &RequestSignature, args: &[Value]) -> Vec<Value> {
    let message = super::Message { from: CLIENT, to: SERVER, reader: None, args, is_real: false };
    signature.covered.iter().map(|term| term.value(&message).expect("it is defined")).collect()
}

fn is_verified(signature: &Value, covered: &[Value]) -> bool {
    let args = [&[signature.clone(), Value::Node(CLIENT)], covered].concat();
    Function::find("verify").expect("it is there").get().call(&args) == Ok(Value::Bool(true))
}

const PLAIN: &str = "id: int, cmd: bytes, s: signature";

fn plain() -> Vec<Value> {
    vec![Value::Int(4), Value::bytes(b"command"), Value::bytes(b"to be signed")]
}

/// Signs a plain request and looks whether the signature covers just this.
fn covers(rules: &str, expected: &[Value]) {
    let [signature] = &found(PLAIN, rules)[..] else { panic!("one signature is found") };
    assert_eq!((signature.channel.as_str(), signature.column, &signature.path[..]), ("request", 2, &[][..]));
    let mut args = plain();
    assert_eq!(covered(signature, &args), expected);
    signature.sign(CLIENT, SERVER, &mut args).expect("it is defined");
    assert!(is_verified(&args[2], expected));
}

#[test]
fn a_signature_that_is_verified_where_it_comes_in() {
    let rules = "component server { done(id)@c :~ request(id, cmd, s) from c, verify(s, c, cmd, id) }";
    covers(rules, &[Value::bytes(b"command"), Value::Int(4)]);
}

#[test]
fn names_parameters_and_functions_are_followed() {
    let rules = "component server { done(id)@c :~ request(id, cmd, s) from d, c = d, h = hash(cmd), x = (id + 1, salt), verify(s, c, h, x.0, x.1) == true }";
    let hash = Function::find("hash").expect("it is there").get().call(&[Value::bytes(b"command")]);
    covers(rules, &[hash.expect("it is defined"), Value::Int(5), Value::Int(7)]);
}

#[test]
fn a_signature_that_is_stored_first_and_passed_on() {
    let rules = "component server {
  table requests(c: node, id: int, cmd: bytes, s: signature)
  requests(c, id, cmd, s) :- request(id, cmd, s) from c
  passed(c, id, cmd, s)@w :~ new requests(c, id, cmd, s), witness(w)
  done(id)@c              :~ new requests(c, id, _, _)
}
component witness { seen(id)@c :~ passed(c, id, cmd, s), verify(s, c, id, cmd) }";
    covers(rules, &[Value::Int(4), Value::bytes(b"command")]);
}

#[test]
fn a_signature_over_who_is_addressed() {
    let rules = "component server { done(id)@c :~ request(id, cmd, s) from c, verify(s, c, me, id) }";
    covers(rules, &[Value::Node(SERVER), Value::Int(4)]);
}

#[test]
fn a_signature_in_a_record() {
    let rules = "component server { done(r.id)@c :~ request(r) from c, verify(r.s, c, r.id, r.cmd) }";
    let [signature] = &found("r: command", rules)[..] else { panic!("one signature is found") };
    assert_eq!((signature.column, &signature.path[..]), (0, &[2][..]));
}

#[test]
fn what_is_not_of_the_message_alone_is_not_signed() {
    let of_the_server = "component server {
  table salts(x: int)
  salts(index_of(c)) :- request(_, _, _) from c
  done(id)@c         :~ request(id, cmd, s) from c, salts(x), verify(s, c, id, cmd, x)
}";
    assert_eq!(found(PLAIN, of_the_server), []);
    assert_eq!(found(PLAIN, "component server { done(id)@c :~ request(id, _, _) from c }"), []);
}

#[test]
fn nobody_signs_for_another() {
    let rules = "component server { done(id)@c :~ request(n, id, s) from c, verify(s, n, id) }";
    let [signature] = &found("n: node, id: int, s: signature", rules)[..] else { panic!("one signature is found") };
    let mut args = vec![Value::Node(SERVER), Value::Int(1), Value::Int(0)];
    assert!(signature.sign(CLIENT, SERVER, &mut args).is_err());
    args[0] = Value::Node(CLIENT);
    signature.sign(CLIENT, SERVER, &mut args).expect("the signer is the sender");
    assert!(is_verified(&args[2], &[Value::Int(1)]));
}

#[test]
fn rules_that_go_round_end() {
    let rules = "component server {
  table rounds(c: node, id: int, s: signature)
  rounds(c, id, s)     :- request(id, _, s) from c
  rounds(c, id + 1, s) :+ rounds(c, id, s), id < 3
  done(id)@c           :~ new rounds(c, id, s), verify(s, c, id)
}";
    let [signature] = &found(PLAIN, rules)[..] else { panic!("one signature is found") };
    assert_eq!(covered(signature, &plain()), [Value::Int(4)]);
}

/// The signatures and MACs of orders of a program with several servers, which one of them passes on to all, and of an archive.
fn authenticated(columns: &str, rules: &str) -> Vec<RequestSignature> {
    let text = format!(
        "protocol authenticated\n\nrole client external\nrole server[3]\nrole archive\n\n\
         channel order(id: int, {columns}) client -> server\nchannel done(id: int) server -> client\n\
         channel pass(c: node, id: int, {columns}) server -> server\n\
         channel keep(c: node, id: int, {columns}) server -> archive\nchannel kept(id: int) archive -> client\n\n{rules}"
    );
    request_signatures(&compile_text(&text))
}

fn server(index: u32) -> Node {
    Node { role: 1, index }
}

const ARCHIVE: Node = Node { role: 2, index: 0 };

fn mac(to: Node, covered: &[Value]) -> Value {
    let args = [&[Value::Node(CLIENT), Value::Node(to)], covered].concat();
    Function::find("mac").expect("it is there").get().call(&args).expect("it is defined")
}

/// An order with what its sender signs, addressed to the second server.
fn signed_order(found: &[RequestSignature], empty: Value) -> Value {
    let mut args = vec![Value::Int(4), empty];
    for signature in found {
        signature.sign(CLIENT, server(1), &mut args).expect("it is defined");
    }
    args.swap_remove(1)
}

#[test]
fn a_mac_for_who_is_addressed() {
    let rules = "component server { done(id)@c :~ order(id, m) from c, verify_mac(m, c, me, id) }
        component archive { kept(id)@c :~ keep(c, id, _) }";
    let found = authenticated("m: mac", rules);
    assert!(found[0].is_addressed());
    assert_eq!(signed_order(&found, Value::Int(0)), mac(server(1), &[Value::Int(4)]));
}

#[test]
fn a_mac_for_who_is_told_by_others_if_there_is_one() {
    let rules = |receiver: &str| {
        format!(
            "component server {{ keep(c, id, m)@n :~ order(id, m) from c, archive(n)  pass(c, id, m)@n :~ order(id, m) from c, server(n)
               done(id)@c :~ pass(c, id, m){receiver} }}
             component archive {{ kept(id)@c :~ keep(c, id, m), verify_mac(m, c, me, id, me) }}"
        )
    };
    let found = authenticated("m: mac", &rules(""));
    assert!(found.len() == 1 && !found[0].is_addressed());
    assert_eq!(signed_order(&found, Value::Int(0)), mac(ARCHIVE, &[Value::Int(4), Value::Node(ARCHIVE)]));
    let of_several = rules(", verify_mac(m, c, me, id)").replace(", verify_mac(m, c, me, id, me)", "");
    assert_eq!(authenticated("m: mac", &of_several), [], "one MAC is not for all of them");
}

#[test]
fn an_authenticator_has_a_mac_for_everyone_who_takes_its_own() {
    let id = Value::Int(4);
    let rules = "component server { done(id)@c :~ order(id, ms) from c, verify_mac(get(ms, me), c, me, id)
          keep(c, id, ms)@n :~ order(id, ms) from c, archive(n) }
        component archive { kept(id)@c :~ keep(c, id, ms), m = get(ms, me), verify_mac(m, c, me, id) }";
    let found = authenticated("ms: map<node, mac>", rules);
    assert!(found.len() == 2 && !found[0].is_addressed());
    let nodes = [server(0), server(1), server(2), ARCHIVE];
    let entries = nodes.map(|node| (Value::Node(node), mac(node, std::slice::from_ref(&id))));
    let empty = Value::map(Vec::new()).expect("it is small");
    assert_eq!(signed_order(&found, empty), Value::map(entries.to_vec()).expect("it is small"));
    let rules = "component server { pass(c, id, ms)@n :~ order(id, ms) from c, server(n)
          done(id)@c :~ pass(c, id, ms), verify_mac(get(ms, index_of(me)), c, me, hash(id, me)) }
        component archive { kept(id)@c :~ keep(c, id, _) }";
    let found = authenticated("ms: list<mac>", rules);
    let of_index = |index: u32| {
        let args = [id.clone(), Value::Node(server(index))];
        let digest = Function::find("hash").expect("it is there").get().call(&args).expect("it is defined");
        mac(server(index), &[digest])
    };
    assert_eq!(signed_order(&found, Value::Int(0)), Value::list(&[0, 1, 2].map(of_index)).expect("it is small"));
}
