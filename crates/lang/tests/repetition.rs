//! Which receivers notice that a message comes again.

use menard_lang::{Diagnostic, Source, compile};

/// The reasons why the state-only message `m` (or `k`, if the rules of `a` send that) may not be repeated.
fn noticed(receiver: &str) -> Vec<String> {
    let text = format!(
        "protocol p
        role client external
        role a
        role b
        channel ask(x: int) client -> a
        channel m(x: int) a -> b
        channel e(x: int) client -> b
        channel back(x: int) b -> a
        channel out(x: int) b -> client
        component a {{
            table t(x: int) table got(x: int)
            t(x) :- ask(x)
            m(x)@n :~ t(x), b(n)
            got(x) :- back(x)
        }}
        component b {{
            table all(x: int) table some(x: int)
            all(x) :- e(x)  some(x) :- e(x)  delete some(x) :+ e(x), all(x)
            {receiver}
        }}"
    );
    refused(&text)
}

/// Why a program is refused, if it is: where a repetition matters.
fn refused(text: &str) -> Vec<String> {
    let Err(errors) = compile(&Source::new("test.ded", text), &[]) else { return Vec::new() };
    let reason = |error: &Diagnostic| {
        assert_eq!(error.code.name(), "E0620", "{errors}");
        error.labels[1].1.clone()
    };
    errors.iter().map(reason).collect()
}

fn is_insensitive(receiver: &str) {
    assert_eq!(noticed(receiver), Vec::<String>::new(), "{receiver}");
}

fn is_sensitive(receiver: &str, why: &str) {
    let found = noticed(receiver);
    assert!(found.len() == 1 && found[0].contains(why), "{receiver}: {found:?}");
}

#[test]
fn what_only_grows_bears_repetition() {
    is_insensitive("");
    is_insensitive("table r(x: int) r(x) :- m(x), x > 3");
    is_insensitive("table r(x: int) r(x) :+ m(x)");
    is_insensitive("table r(x: int) r(x) :- m(x), all(x)");
    is_insensitive("table r(x: int => n: node) first r(x, n) :- m(x) from n");
    is_insensitive("table r(=> x: int) max r(x) :- m(x)");
    is_insensitive("table low(=> n: int) max window table r(x: int) above low r(x) :- m(x) low(x) :- e(x)");
    is_insensitive("table r(x: int) v(x) :- m(x) w(x) :+ v(x) r(x) :- w(x)");
    is_insensitive("back(x)@n :~ m(x) from n");
    is_insensitive("timer late(x: int) after 1 s late(x) :~ m(x) back(x)@n :~ late(x), a(n)");
}

#[test]
fn what_counts_forgets_or_answers_does_not() {
    is_sensitive("table r(x: int) r(x) :- m(x) delete r(x) :+ e(x)", "deleted");
    is_sensitive("table r(=> x: int) replace r(x) :- m(x)", "replaced");
    is_sensitive("table r(x: int) r(count(x)) :- m(x)", "aggregates");
    is_sensitive("table r(x: int) r(x) :- m(x), e(_)", "another event");
    is_sensitive("table r(x: int) r(x + y) :- m(x), m(y)", "another event");
    is_sensitive("table r(x: int) r(x) :- m(x), new all(x)", "another event");
    is_sensitive("table r(x: int) r(x) :- e(x), !m(x)", "another event");
    is_sensitive("table r(x: int) r(x) :- m(x), some(x)", "something else");
    is_sensitive("table r(x: int) r(x) :- m(x), !all(x)", "absent the first time");
    is_sensitive("delete some(x) :+ m(x)", "deletes again");
    is_sensitive("out(x)@n :~ m(x), a(n)", "noticed");
    is_sensitive(
        "v(x) :- m(x) w(x) :+ v(x) out(x)@n :~ w(x) from_now(n)".replace(" from_now(n)", ", a(n)").as_str(),
        "noticed",
    );
    is_sensitive("timer late(x: int) after 1 s late(x) :~ m(x) out(x)@n :~ late(x), a(n)", "noticed");
}

#[test]
fn state_that_grows_may_admit_a_message_but_add_nothing_to_it() {
    is_insensitive("table r(x: int) r(y) :- m(x), y = x + 1, all(x), all(_)");
    is_insensitive("table r(x: int) back(x)@n :~ m(x), all(3), a(n)");
    is_insensitive("table r(x: int) v(x) :- m(x), all(x) r(x) :- v(x) w(x) :+ v(x) back(x)@n :~ w(x), a(n)");
    is_sensitive("table r(x: int) r(x + y) :- m(x), all(y)", "more to give");
    is_sensitive("table r(x: int) r(x) :- m(x), all(y), y > x", "more to give");
    is_sensitive("table r(x: int) r(y) :- m(x), y in range(0, x), all(y)", "more to give");
    is_sensitive("table r(n: node) table top(n: node) top(n) :- e(_), b(n) r(n) :- m(_), b(n), top(n)", "more to give");
    is_sensitive("table r(x: int) r(x) :- m(x) r(x + 1) :- m(x), all(x)", "the next another");
    is_sensitive("table r(x: int) v(x) :- m(x) w(x) :+ v(x) r(x) :- w(x), all(x)", "the next another");
}

#[test]
fn channels_in_a_circle_are_judged_together() {
    let text = |last: &str| {
        format!(
            "protocol p role client external role a channel ask(x: int) client -> a channel m(x: int) a -> a
            channel n(x: int) a -> a channel out(x: int) a -> client component a {{
            table t(x: int) t(x) :- ask(x) m(x)@me :~ t(x) n(x)@me :~ m(x) m(x)@me :~ n(x) {last} }}"
        )
    };
    assert_eq!(refused(&text("t(x) :- n(x)")).len(), 0);
    assert_eq!(refused(&text("table u(x: int) u(max(x)) :- n(x)")).len(), 1);
}

#[test]
fn keyed_tables_and_windows_bear_what_they_have_had() {
    is_insensitive(
        "table r(x: int => n: node) first r(x, n) :+ m(x) from n v(x) :- new r(x, _) out(x)@n :~ v(x), a(n)",
    );
    is_insensitive("table r(k: int => x: int) max r(x % 2, x) :- m(x)");
    is_insensitive(
        "table low(=> n: int) max window table r(x: int => n: node) first above low r(x, n) :- m(x) from n low(x) :- m(x)",
    );
    is_insensitive("table r(x: int => y: int) first r(x, 0) :- e(x) table s(x: int) s(y) :- m(x), r(x, y)");
    is_sensitive("table r(x: int => n: node) first r(x, n) :- m(x) from n delete r(x, _) :+ e(x)", "deleted");
    is_sensitive("table r(k: int => x: int) max r(x % 2, x) :- m(x) delete r(_, x) :+ e(x)", "deleted");
    is_sensitive("table r(=> x: int) max r(x) :- e(x) table s(x: int) s(y) :- m(_), r(y)", "something else");
    is_sensitive(
        "table low(=> n: int) max window table r(x: int) above low r(x) :- e(x) low(x) :- e(x) table s(x: int) s(x) :- m(x), r(x)",
        "something else",
    );
}

#[test]
fn a_register_that_rises_may_bound_what_is_taken() {
    let with = |rule: &str| format!("table top(=> n: int) max top(x) :- e(x) table r(x: int) {rule}");
    is_insensitive(&with("r(x) :- m(x), top(n), x <= n + 5"));
    is_insensitive(&with("r(x) :- m(x), top(n), 2 + n > x, x * 2 < n"));
    assert_eq!(
        noticed(&with("r(y) :- m(x), top(n), y in range(0, x), y <= n")),
        ["may have more to give when it is repeated"]
    );
    for rule in [
        "r(x) :- m(x), top(n), x >= n",
        "r(x) :- m(x), top(n), n <= x",
        "r(x) :- m(x), top(n), x <= 5 - n",
        "r(x) :- m(x), top(n), x == n",
        "r(n) :- m(x), top(n), x <= n",
        "r(x) :- m(x), top(n), x <= n, z = n + 1, z > 3",
        "r(x) :- m(x), top(n), x - n <= n",
        "r(x) :- m(x), top(n), all(n), x <= n",
    ] {
        is_sensitive(&with(rule), "something else");
    }
    is_sensitive(&(with("r(x) :- m(x), top(n), x <= n") + " delete top(_) :+ e(_)"), "something else");
    is_sensitive(&with("r(x) :- m(x), top(n), x <= n").replace("max", "replace"), "something else");
}

#[test]
fn what_roles_alone_say_never_changes() {
    is_insensitive("size(count(n)) :- b(n) table r(x: int) r(y) :- m(x), size(n), y = x + n");
    is_insensitive("other(n) :- a(n), !b(n) table r(n: node) r(n) :- m(_), other(n)");
    is_sensitive("size(count(x)) :- all(x) table r(x: int) r(y) :- m(x), size(n), y = x + n", "something else");
}

/// Who sends, by state alone, and to whom.
fn sent(declarations: &str, rules: &str) -> Vec<String> {
    refused(&format!(
        "protocol p role client external role a role b role disk native
        channel ask(x: int) client -> a channel ask_b(x: int) client -> b channel out(x: int) b -> client {declarations}
        component a {{ table t(x: int) t(x) :- ask(x) {rules}"
    ))
}

#[test]
fn ordered_channels_see_each_message_once() {
    let ordered = "channel m(n: int, x: int) a -> b ordered by n";
    let counting = "component b { table total(=> x: int) max total(0) :- start() total(s + x) :+ total(s), m(_, x) out(x)@c :~ m(_, x), ask_b(_) from c }";
    let sends = |receiver: &str| format!("m(x, x)@n :~ t(x), b(n) }} {receiver}");
    assert_eq!(sent(ordered, &sends(counting)), Vec::<String>::new());
    assert_eq!(sent("channel m(n: int, x: int) a -> b", &sends(counting)).len(), 1);
    let above = "channel m(n: int, x: int) a -> b ordered by n above done";
    let register = counting.replace("table total", "durable table done(=> n: int) max table total");
    assert_eq!(sent(above, &sends(&register)), Vec::<String>::new());
}

#[test]
fn timers_that_state_arms_are_armed_once() {
    let counted = "table n(=> x: int) max n(0) :- start() n(x + 1) :+ n(x), late(_) }";
    let timer = format!("timer late(x: int) after 1 s late(x) :~ t(x) {counted} component b {{ }}");
    assert_eq!(sent("", &timer), Vec::<String>::new());
    // Not so if each message that state repeats arms it.
    let receiver = "timer late(x: int) after 1 s late(x) :~ m(x)";
    let armed = format!("m(x)@n :~ t(x), b(n) }} component b {{ {receiver} {counted}");
    assert_eq!(sent("channel m(x: int) a -> b", &armed).len(), 1);
}

#[test]
fn natives_and_clients_may_do_anything() {
    let client = "table who(n: node) who(n) :- ask(_) from n m(x)@n :~ t(x), who(n) } component b { }";
    assert_eq!(sent("channel m(x: int) a -> client", client).len(), 1);
    let disk = "m(x)@n :~ t(x), disk(n) } component b { }";
    assert_eq!(sent("channel m(x: int) a -> disk", disk), ["goes to nodes that may do anything with it"]);
    let once = "m(x)@n :~ new t(x), disk(n) } component b { }";
    assert_eq!(sent("channel m(x: int) a -> disk", once), Vec::<String>::new());
}

#[test]
fn warnings_do_not_hide_it() {
    let text = "protocol p role client external role a role b role unused channel ask(x: int) client -> a
        channel m(x: int) a -> b component a { table t(x: int) t(x) :- ask(x) m(x)@n :~ t(x), b(n) }
        component b { table n(x: int) n(count(x)) :- m(x) }";
    assert_eq!(refused(text), ["aggregates over what a repetition brings"]);
}
