//! Which receivers notice that a message comes again.

use menard_lang::{Source, compile};

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
    let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let found = compiled.warnings.iter().filter(|warning| warning.code.name() == "E0620");
    found.map(|warning| warning.labels[1].1.clone()).collect()
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
    is_insensitive("table r(x: int) r(x + y) :- m(x), all(y)");
    is_insensitive("table r(x: int => n: node) first r(x, n) :- m(x) from n");
    is_insensitive("table r(=> x: int) max r(x) :- m(x)");
    is_insensitive("table low(=> n: int) max window table r(x: int) above low r(x) :- m(x) low(x) :- e(x)");
    is_insensitive("table r(x: int) v(x) :- m(x) w(x) :+ v(x) r(x) :- w(x), all(x)");
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
fn channels_in_a_circle_are_judged_together() {
    let text = |last: &str| {
        format!(
            "protocol p role client external role a channel ask(x: int) client -> a channel m(x: int) a -> a
            channel n(x: int) a -> a channel out(x: int) a -> client component a {{
            table t(x: int) t(x) :- ask(x) m(x)@me :~ t(x) n(x)@me :~ m(x) m(x)@me :~ n(x) {last} }}"
        )
    };
    let warnings = |last: &str| {
        let compiled = compile(&Source::new("test.ded", text(last)), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        compiled.warnings.iter().filter(|warning| warning.code.name() == "E0620").count()
    };
    assert_eq!(warnings("t(x) :- n(x)"), 0);
    assert_eq!(warnings("table u(x: int) u(max(x)) :- n(x)"), 1);
}
