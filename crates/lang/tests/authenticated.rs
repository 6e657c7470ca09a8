//! Channels whose MACs cover some columns: what receivers have to check, in pairs that differ in little.

use menard_lang::{Source, compile};

/// A store that receives `keep` of a front, whose MACs cover `id` and `d`.
fn around(store: &str) -> String {
    format!(
        "protocol p
        record entry(id: int, what: bytes)
        role client external
        role front
        role store
        channel ask(id: int, what: bytes) client -> store
        channel put(id: int, what: bytes, d: digest) client -> front
        channel keep(id: int, what: bytes, d: digest) front -> store authenticated(id, d)
        component front {{ keep(id, what, d)@s :~ put(id, what, d), store(s) }}
        component store {{ table on_shelf(id: int => what: bytes) first {store} }}"
    )
}

fn codes_of(text: &str) -> Vec<&'static str> {
    match compile(&Source::new("test.ded", text), &[]) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.code.name()).collect(),
    }
}

fn accepts(store: &str) {
    assert_eq!(codes_of(&around(store)), [""; 0], "{store}");
}

fn refuses(store: &str) {
    let found = codes_of(&around(store));
    assert!(!found.is_empty() && found.iter().all(|code| *code == "E0627"), "{store}: {found:?}");
}

#[test]
fn what_is_not_covered_follows_from_what_is() {
    accepts("got(id, what) :- keep(id, what, d), d == hash(what)");
    refuses("got(id, what) :- keep(id, what, _)");
    refuses("got(id, what) :- keep(id, what, d), d != hash(what)");
    accepts("got(id, what) :- keep(id, what, hash(what))");
    accepts("got(id, what) :- keep(id, what, d), h = hash(id, what), d == h");
    accepts("got(id, what) :- keep(id, what, d), x = what, d == hash([x])");
    accepts("got(id, what) :- keep(id, what, d), d == hash(entry { id: id, what: what })");
    refuses("got(id, what) :- keep(id, what, d), d == hash(length(what))");
    refuses("got(id, what) :- keep(id, what, d), d == hash(slice(what, 0, 4))");
    accepts("got(id) :- keep(id, 0x00, _)");
    accepts("got(id) :- keep(id, what, _), what == to_bytes(id)");
    accepts("got(id) :- keep(id, to_bytes(id), _)");
    refuses("got(id, what) :- keep(id, what, _), id == length(what)");
}

#[test]
fn other_facts_and_members_tell_nothing() {
    refuses("got(id, what) :- keep(id, what, _), on_shelf(id, what)");
    refuses("got(id, what) :- keep(id, what, _), ask(id, what)");
    refuses("got(id, what) :- keep(id, what, d), ask(_, x), x == what, d == hash(id)");
    refuses("got(id, what) :- keep(id, what, d), keep(_, what, e), e == hash(what), d != e");
    accepts("got(id, what) :- keep(id, what, d), keep(_, what, e), e == hash(what), d == hash(what)");
    refuses("got(id, what) :- keep(id, what, _), what in [0x00, 0x01]");
    refuses("got(id, what) :- keep(id, what, _), what < 0x01");
}

#[test]
fn every_rule_checks_also_one_that_does_not_use_it() {
    refuses("got(id) :- keep(id, _, _)");
    refuses("got(id, what) :- keep(id, what, d), d == hash(what)  seen(id) :- keep(id, _, _)");
    refuses("on_shelf(id, what) :- ask(id, what)  delete on_shelf(id, _) :+ keep(id, _, _)");
    accepts("on_shelf(id, x) :- ask(id, x)  delete on_shelf(id, _) :+ keep(id, what, d), d == hash(what)");
}

#[test]
fn absence_is_no_check() {
    refuses("got(id) :- ask(id, what), !keep(id, what, hash(what))");
    accepts("good(id) :- keep(id, what, d), d == hash(what)  got(id) :- ask(id, _), !good(id)");
    accepts("got(id) :- ask(id, _), !(keep(id, what, d), d == hash(what))");
    refuses("got(id) :- ask(id, _), !(keep(id, what, d), d != hash(what))");
}

#[test]
fn columns_exist_are_named_once_and_somebody_has_rules() {
    let text = around("got(id, what) :- keep(id, what, d), d == hash(what)");
    let with = |columns: &str| codes_of(&text.replace("authenticated(id, d)", columns));
    assert_eq!(with("authenticated(id, d)"), [""; 0]);
    assert_eq!(with("authenticated(id, what, d)"), [""; 0]);
    assert_eq!(with("authenticated(id, dd)"), ["E0202"]);
    assert_eq!(with("authenticated(id, d, id)"), ["E0626"]);
    assert_eq!(with("authenticated()"), ["E0101"]);
    assert_eq!(with("authenticated(id, d) serial"), ["E0101"]);
    assert_eq!(with("serial authenticated(id, d)"), [""; 0]);
    assert_eq!(with("ordered by id authenticated(id, d)"), ["E0626"]);
    assert_eq!(with("after 1 s authenticated(id, d)"), ["E0616", "E0626"]);
    let of_clients = text.replace("d: digest) client -> front", "d: digest) client -> front authenticated(id)");
    assert_eq!(codes_of(&of_clients), ["E0626"]);
}
