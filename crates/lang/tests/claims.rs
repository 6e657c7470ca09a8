//! What a node believes though a Byzantine one may have made it up.

use menard_lang::{Source, compile};

const CHANNELS: &str = "
        role client external
        role server
        role member[4]
        record vote(v: int, w: int, by: node, s: signature)
        channel ask(v: int, n: node) client -> member
        channel say(v: int, n: node) member -> member
        channel signed(v: int, w: int, n: node, s: signature) member -> member
        channel twice(v: int, s: signature, t: signature) member -> member
        channel whole(x: vote) member -> member
        channel vouched(v: int, w: int, n: node, m: mac) member -> member
        channel authentic(v: int, w: int, n: node, ms: map<node, mac>) member -> member
        channel many(v: int, xs: list<vote>) member -> member
        channel named(ns: list<node>) member -> member
        channel order(v: int, n: node) server -> member
        channel out(v: int, n: node) member -> client
        channel proof(v: int, s: list<signature>) member -> client
        channel go() member -> server
        channel relay(v: int, w: int, n: node, s: signature) member -> server
        channel reply(v: int) server -> client";

fn text(fault: &str, member: &str, server: &str) -> String {
    format!("protocol p {fault} {CHANNELS}\ncomponent member {{\n{member}\n}}\ncomponent server {{\n{server}\n}}")
}

fn warnings_of(text: String, code: &str) -> Vec<String> {
    let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let found = compiled.warnings.iter().filter(|warning| warning.code.name() == code);
    found.map(|warning| warning.message.clone()).collect()
}

/// The warnings of a code about the rules of a member, some of which may lie.
fn warnings(code: &str, member: &str) -> Vec<String> {
    warnings_of(text("fault byzantine 1 of member", member, ""), code)
}

fn is_quiet(code: &str, member: &str) {
    assert_eq!(warnings(code, member), Vec::<String>::new(), "{member}");
}

fn is_reported(code: &str, member: &str) {
    assert_eq!(warnings(code, member).len(), 1, "{member}");
}

/// External nodes are in no coalition: whoever wants clients that lie is told what to declare.
#[test]
fn clients_that_lie_are_a_role_of_the_protocol() {
    let help = |kind: &str| {
        let text = format!("protocol p role client external fault {kind} 1 of client");
        let errors = compile(&Source::new("test.ded", text), &[]).expect_err("clients are external");
        let error = errors.iter().find(|error| error.code.name() == "E0704").expect("it is said");
        error.help.clone().expect("it is said what to do")
    };
    assert!(help("byzantine").starts_with("for some that lie, declare a role of the protocol with a component"));
    assert!(help("crash").starts_with("leave it out, or let `client` be a role"));
}

#[test]
fn without_liars_everything_is_believed() {
    let rules = "c(v, count(n)) :- say(v, n)  d(v) :- signed(v, _, _, _)
        e(v, w) :- signed(v, w, n, s), verify(s, n, v)";
    for code in ["E0622", "E0623", "E0624"] {
        assert_eq!(warnings(code, rules).len(), 1, "{code}");
        let others = ["", "fault byzantine 0 of member", "fault crash 1 of member", "fault byzantine 1 of server"];
        for fault in others {
            assert!(warnings_of(text(fault, rules, ""), code).is_empty(), "{code}, {fault}");
        }
    }
}

#[test]
fn claimed_nodes_are_not_counted() {
    for rule in [
        "c(v, count(n)) :- say(v, n)",
        "c(v, count(n, v)) :- say(v, n)",
        "c(v, count()) :- say(v, n), n != me",
        "c(v, set(n)) :- say(v, n)",
        "c(v, list(n)) :- say(v, n)",
        "c(map(n, v)) :- say(v, n)",
        "c(v, quorum(2, n)) :- say(v, n)",
        "c(v, count(index_of(n))) :- say(v, n)",
        // That there is such a node does not mean that it said so.
        "c(v, count(n)) :- say(v, n), member(n)",
        "known(n) :- start(), member(n)  table all(n: node) all(n) :- known(n)  c(v, count(n)) :- say(v, n), all(n)",
        "c(v, count(n)) :- say(v, n), ask(_, n)",
        // Through tables, other names, members, fields and timers.
        "table t(v: int, n: node) t(v, n) :- say(v, n)  c(v, count(n)) :- t(v, n)",
        "table t(v: int, n: node) t(v, n) :- say(v, n)  t(v, n) :- say(v, _) from n  c(v, count(n)) :- t(v, n)",
        "c(v, count(m)) :- say(v, n), m = n",
        "c(count(n)) :- named(ns), n in ns",
        "c(count(x.by)) :- whole(x)",
        "t(list(n)) :- say(_, m), n = m",
        "timer late(n: node) after 1 s late(n) :~ say(_, n)  c(count(n)) :- late(n)",
        "a(v, n) :- say(v, n)  a(v, n) :- b(v, n)  b(v, n) :- a(v, n)  c(v, count(n)) :- b(v, n)",
        "c(v, count(n)) :- signed(v, _, n, s), !verify(s, n, v)",
        "c(v, count(n)) :- signed(v, _, n, s), verify(s, me, v)",
    ] {
        is_reported("E0622", rule);
    }
}

#[test]
fn senders_and_signers_may_be_counted() {
    for rule in [
        "c(v, count(n)) :- say(v, _) from n",
        "c(v, count(n)) :- say(v, n) from n",
        "c(v, count(n)) :- say(v, n) from m, n == m",
        "c(v, count(n)) :- say(v, n), n == me",
        "table t(v: int, n: node) t(v, n) :- say(v, _) from n  c(v, count(n)) :- t(v, n)",
        "table t(n: node) t(n) :- say(_, _) from n  c(v, count(n)) :- say(v, n), t(n)",
        "c(v, count(n)) :- signed(v, _, n, s), verify(s, n, v)",
        "c(v, count(n)) :- signed(v, _, n, s), ok = verify(s, n, v), ok == true",
        "c(v, count(x.by)) :- many(v, xs), x in xs, verify(x.s, x.by, x.v)",
        "c(v, count(n)) :- vouched(v, _, n, m), verify_mac(m, n, me, v)",
        "c(v, count(n)) :- authentic(v, _, n, ms), verify_mac(get(ms, me), n, me, v)",
        "c(count(n)) :- member(n)",
        "c(v, count(n)) :- ask(v, n)",
        "c(v, count(n)) :- order(v, n)",
        // A claimed node that makes the groups is not counted.
        "c(v, n, count(m)) :- say(v, n) from m",
        "c(n, max(v)) :- say(v, n)",
        "c(v, count(w)) :- signed(v, w, _, _)",
    ] {
        is_quiet("E0622", rule);
    }
}

/// What is read `from me` is as good as what the node's own rules made it of.
#[test]
fn a_node_believes_itself_what_it_has_not_been_told() {
    is_quiet("E0622", "say(v, n)@me :~ say(v, _) from n  c(v, count(n)) :- say(v, n) from me");
    is_reported("E0622", "say(v, n)@me :~ named(ns), n in ns, v = 1  c(v, count(n)) :- say(v, n) from me");
    is_quiet(
        "E0623",
        "signed(v, w, n, s)@me :~ signed(v, w, n, s), verify(s, n, v, w)  c(v) :- signed(v, _, _, _) from me",
    );
    is_reported("E0623", "signed(v, w, n, s)@me :~ signed(v, w, n, s)  c(v) :- signed(v, _, _, _) from me");
}

#[test]
fn claims_go_through_honest_nodes() {
    let counted = |order: &str| {
        let member = "c(v, count(n)) :- order(v, n)  go()@s :~ say(_, _), server(s)  relay(v, w, n, s)@b :~ signed(v, w, n, s), server(b)";
        warnings_of(text("fault byzantine 1 of member", member, order), "E0622").len()
    };
    assert_eq!(counted("order(v, n)@m :~ relay(v, _, n, _), member(m)"), 1);
    assert_eq!(counted("order(v, n)@m :~ relay(v, _, _, _) from n, member(m)"), 0);
    assert_eq!(counted("order(v, n)@m :~ relay(v, _, n, s), verify(s, n, v), member(m)"), 0);
}

#[test]
fn signatures_that_nobody_looks_at_say_nothing() {
    for rules in [
        "d(v) :- signed(v, _, _, _)",
        "d(v) :- signed(v, _, _, _) from _",
        "d() :- signed(3, _, _, _)",
        "d(v) :- ask(v, _), signed(v, _, _, _)",
        "d(v, n) :- signed(v, _, _, _) from n",
        "d(n) :- signed(v, _, n, s), !verify(s, n, v)",
        "d(v, hash(s)) :- signed(v, _, _, s)",
        "d(v, count(s)) :- signed(v, _, _, s)",
        "delete t(v) :+ signed(v, _, _, _)  table t(v: int)",
        // It is kept, and then one of two looks at it.
        "table t(v: int, n: node, s: signature) t(v, n, s) :- signed(v, _, n, s)
         a(v) :- t(v, n, s), verify(s, n, v)  b(v) :- t(v, _, _)",
        "table t(v: int, n: node, s: signature) t(v, n, s) :- signed(v, _, n, s)
         b(v) :- t(v, _, _), v > 3",
        "a(x.v) :- whole(x)",
        "a(v) :- many(_, xs), x in xs, v = x.v",
        "table t(x: vote) t(x) :- many(_, xs), x in xs  a(x.v) :- t(x)",
        "d(v) :- vouched(v, _, _, _)",
        "d(v) :- authentic(v, _, _, _)",
        // The second signature is verified by nobody.
        "a(v) :- twice(v, s, _) from n, verify(s, n, v)",
        // What was derived elsewhere does not vouch for `w`.
        "ok(v) :- signed(v, _, n, s), verify(s, n, v)  a(v, w) :- signed(v, w, _, _), ok(v)",
    ] {
        is_reported("E0623", rules);
    }
}

#[test]
fn signatures_may_be_verified_later_and_elsewhere() {
    for rules in [
        "d(v) :- signed(v, _, n, s), verify(s, n, v)",
        "d(v) :- signed(v, _, n, s), verify(s, n, v) != false",
        "d(v, ok) :- signed(v, _, n, s), ok = verify(s, n, v)",
        "d(v) :- signed(v, _, n, s), s2 = s, verify(s2, n, v)",
        // To find that it is wrong says something of the sender.
        "d(n, v) :- signed(v, _, _, s) from n, !verify(s, n, v)",
        // Who sent something is known without a signature.
        "d(n) :- signed(_, _, _, _) from n",
        "d(n) :- signed(_, _, n, _) from n",
        "table t(v: int, n: node, s: signature) t(v, n, s) :- signed(v, _, n, s)  a(v) :- t(v, n, s), verify(s, n, v)",
        "table t(v: int, n: node, s: signature) t(v, n, s) :- signed(v, _, n, s), ask(v, _)
         delete t(v, n, s) :+ t(v, n, s), ask(v, _)",
        "signed(v, w, n, s)@m :~ signed(v, w, n, s), member(m)",
        "table t(v: int, s: signature) t(v, s) :- signed(v, _, _, s)
         all(v, list(s)) :- t(v, s)  proof(v, ss)@m :~ all(v, ss), ask(_, m)",
        "a(x.v) :- whole(x), verify(x.s, x.by, x.v)",
        "a(v) :- whole(x), s = x.s, v = x.v, verify(s, x.by, v)",
        "a(x.v) :- many(_, xs), x in xs, verify(x.s, x.by, x.v)",
        "table t(x: vote) t(x) :- many(_, xs), x in xs  a(x.v) :- t(x), verify(x.s, x.by, x.v)",
        "a(v) :- many(v, _)",
        "d(v) :- vouched(v, _, n, m), verify_mac(m, n, me, v)",
        "d(v) :- authentic(v, _, n, ms), m = get(ms, me), verify_mac(m, n, me, v)",
        "table t(v: int, n: node, ms: map<node, mac>) t(v, n, ms) :- authentic(v, _, n, ms)
         a(v) :- t(v, n, ms), verify_mac(get(ms, me), n, me, v)",
        // One rule for each of two signatures.
        "a(v) :- twice(v, s, _) from n, verify(s, n, v)  b(v) :- twice(v, _, t) from n, verify(t, n, v)",
        "ok(v) :- signed(v, _, n, s), verify(s, n, v)  a(v) :- signed(v, _, _, _), ok(v)",
        // What is absent is not believed.
        "a(v) :- ask(v, _), !signed(v, _, _, _)",
        "a(v) :- ask(v, _), !(signed(v, w, _, _), w > 3)",
    ] {
        is_quiet("E0623", rules);
    }
}

#[test]
fn what_a_signature_does_not_cover_may_be_anything() {
    for (rule, uncovered) in [
        ("d(v, w) :- signed(v, w, n, s), verify(s, n, v)", "`w`"),
        ("d(v, w) :- signed(v, w, n, s), verify(s, n, 7)", "`v`, `w`"),
        ("d(v) :- signed(v, w, n, s), verify(s, n, v), w > 3", "`w`"),
        ("d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), m != n", "`w`"),
        ("d(n) :- signed(v, _, n, s), member(m), verify(s, m, v)", "`n`"),
        ("d(v, w) :- signed(v, w, n, s), verify(s, n, v + w)", "`v`, `w`"),
        ("d(v, u) :- signed(v, w, n, s), verify(s, n, v), u = w + 1", "`w`"),
        ("out(v, m)@c :~ signed(v, _, c, s), member(m), verify(s, m, v)", "`c`"),
        (
            "table t(v: int, w: int, n: node, s: signature) t(v, w, n, s) :- signed(v, w, n, s)
             d(v, w) :- t(v, w, n, s), verify(s, n, v)",
            "`w`",
        ),
        // Who asks whether the sender is one of those, or the one that he says, does not ask who it is.
        ("d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), member(o), m == o", "`w`"),
        ("d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), index_of(m) == w / 2", "`w`"),
        ("d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), index_of(m) != 0", "`w`"),
        ("d(v, w) :- vouched(v, w, n, m), verify_mac(m, n, me, v)", "`w`"),
        ("d(v, w) :- authentic(v, w, n, ms), verify_mac(get(ms, me), n, me, v)", "`w`"),
        ("d(x.v, x.w) :- whole(x), verify(x.s, x.by, x.v)", "`x.w`"),
        ("d(x.v, x.w) :- many(_, xs), x in xs, verify(x.s, x.by, x.v)", "`x.w`"),
        // Where it stands in a list is what the sender says, and so is what stands at the same place of another list.
        ("d(i, x.v) :- many(_, xs), i in range(0, size(xs)), x = get(xs, i), verify(x.s, x.by, x.v)", "`i`"),
        ("d(v + i) :- many(v, xs), i in range(0, size(xs)), x = get(xs, i), verify(x.s, x.by, x.v)", "`i`"),
        ("d(x.v, count(i)) :- many(_, xs), i in range(0, size(xs)), x = get(xs, i), verify(x.s, x.by, x.v)", "`i`"),
        ("d(x.w) :- many(_, xs), i in range(0, size(xs)), x = get(xs, i), verify(x.s, x.by, x.v)", "`x.w`"),
        (
            "d(y.w) :- many(_, xs), i in range(0, size(xs)), x = get(xs, i), y = get(xs, i), verify(x.s, x.by, x.v)",
            "`y.w`",
        ),
    ] {
        let found = warnings("E0624", rule);
        assert!(found.len() == 1 && found[0].ends_with(&format!("does not cover {uncovered}")), "{rule}: {found:?}");
    }
}

#[test]
fn what_a_signature_tells_is_covered() {
    for rule in [
        "d(v, w, n) :- signed(v, w, n, s), verify(s, n, v, w)",
        "d(v, w) :- signed(v, w, n, s), verify(s, n, hash(v, w))",
        "d(v, w) :- signed(v, w, n, s), verify(s, n, (v, [w]))",
        "d(v, w) :- vouched(v, w, n, m), verify_mac(m, n, me, hash(v, w))",
        "d(v, w) :- vouched(v, w, _, m) from n, verify_mac(m, n, me, v)",
        "d(v, w) :- signed(v, w, n, s), h = hash(v, w), verify(s, n, h)",
        "d(v, u) :- signed(v, w, n, s), verify(s, n, v), u = v + 1, w == u",
        "d(v, w) :- signed(v, w, n, s), verify(s, n, v), w == 3",
        // The sender of the message vouches for all of it.
        "d(v, w) :- signed(v, w, _, s) from n, verify(s, n, v)",
        "d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), n == m",
        "table t(v: int, w: int, n: node, s: signature) t(v, w, n, s) :- signed(v, w, _, s) from n
         d(v, w) :- t(v, w, n, s), verify(s, n, v)",
        // Who asks who the sender is takes the sender's word.
        "d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), index_of(m) == 0",
        "d(v, w) :- signed(v, w, n, s) from m, verify(s, n, v), ask(i, _), index_of(m) == i",
        "table t(v: int, w: int, m: node, n: node, s: signature) t(v, w, m, n, s) :- signed(v, w, n, s) from m
         d(v, w) :- t(v, w, m, n, s), verify(s, n, v), m == me",
        // What other relations have is not of the message alone.
        "d(v, w) :- signed(v, w, n, s), verify(s, n, v), ask(w, _)",
        "table t(w: int, v: int, n: node, s: signature) t(w, v, n, s) :- signed(v, _, n, s), ask(w, _)
         d(v, w) :- t(w, v, n, s), verify(s, n, v)",
        "d(v) :- signed(v, w, n, s), verify(s, n, v), !verify(s, n, w)",
        "d(x.v) :- whole(x), verify(x.s, x.by, x.v)",
        "d(x) :- whole(x), verify(x.s, x.by, x.v)",
        "d(v) :- many(_, xs), x in xs, v = x.v, verify(x.s, x.by, v)",
        "d(v, x.v) :- many(v, xs), x in xs, verify(x.s, x.by, x.v)",
        "d(v, s2) :- twice(v, s, s2), member(n), verify(s, n, v)",
        // To count through a list says nothing of what stands in it.
        "d(x.v) :- many(_, xs), i in range(0, size(xs)), x = get(xs, i), verify(x.s, x.by, x.v)",
        "bad(v, xs, i) :- many(v, xs), i in range(0, size(xs)), !(x = get(xs, i), verify(x.s, x.by, v))
         d(v) :- many(v, xs), !bad(v, xs, _)",
    ] {
        is_quiet("E0624", rule);
    }
}
