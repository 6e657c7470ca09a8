//! Keyed tables, windows, timers, native roles: what the checker accepts and refuses, in pairs that differ in little.

use menard_lang::{Source, compile};

/// A protocol with a component that has these members; `ask` comes from a client, `say` from a member.
fn around(members: &str) -> String {
    format!(
        "protocol p
        param n: int = 3
        role client external
        role a
        role b[n]
        channel ask(x: int, y: bytes) client -> a
        channel say(x: int) b -> a
        component a {{
            table t(x: int)
            table low(=> n: int) max
            {members}
        }}
        component b {{}}"
    )
}

fn codes_of(text: &str) -> Vec<&'static str> {
    match compile(&Source::new("test.ded", text), &[]) {
        Ok(compiled) => {
            let names = compiled.warnings.iter().map(|warning| warning.code.name());
            names.filter(|name| !["E0613", "E0614", "E0615", "E0507"].contains(name)).collect()
        }
        Err(errors) => errors.iter().map(|error| error.code.name()).collect(),
    }
}

fn accepts(members: &str) {
    assert_eq!(codes_of(&around(members)), Vec::<&str>::new(), "{members}");
}

fn refuses(code: &str, members: &str) {
    let found = codes_of(&around(members));
    assert!(!found.is_empty() && found.iter().all(|found| *found == code), "{members}: {found:?} instead of {code}");
}

#[test]
fn a_key_has_a_policy() {
    for policy in ["first", "max", "replace"] {
        accepts(&format!("table k(x: int => y: bytes) {policy}"));
        accepts(&format!("table k(=> y: bytes) {policy}"));
        refuses("E0511", &format!("table k(x: int, y: bytes) {policy}"));
    }
    refuses("E0511", "table k(x: int => y: bytes)");
    refuses("E0101", "table k(x: int =>) first");
    refuses("E0101", "table k(x: int => y: int => z: int) first");
    refuses("E0101", "event e(x: int => y: int)");
    refuses("E0101", "durable event e(x: int)");
    accepts("table first(x: int)\nfirst(x) :- say(x)");
    accepts("table u(x: int)\nfirst(x) :- say(x)\nabove(x) :- first(x)\ntimer(x) :- above(x)\ndurable(x) :- timer(x)");
}

#[test]
fn keyed_tables_are_filled_by_events() {
    accepts("table k(x: int => y: bytes) first\nk(x, y) :- ask(x, y)");
    accepts("table k(x: int => y: bytes) first\nk(x, y) :+ ask(x, y)");
    accepts("table k(x: int => y: int) first\nk(x, 1) :- new t(x)\ndelete k(x, _) :+ t(x)");
    refuses("E0512", "table k(x: int => y: int) first\nk(x, 1) :- t(x)");
    refuses("E0512", "table k(x: int => y: int) first\nk(x, 1) :+ t(x)");
    refuses("E0512", "window table w(x: int) above low\nw(x) :- t(x)");
    accepts("window table w(x: int) above low\nw(x) :- t(x), say(x)");
    accepts("durable table d(x: int)\nd(x) :- t(x)");
}

#[test]
fn a_keyed_table_is_no_part_of_a_circle() {
    let table = "table k(x: int => y: int) max\nk(x, x) :- say(x)\n";
    refuses("E0505", &format!("{table}k(x, y) :- k(y, x), say(x)"));
    refuses("E0505", &format!("{table}k(x, y) :- v(x, y)\nv(x, y) :- k(y, x), say(x)"));
    accepts(&format!("{table}k(x, y) :+ k(y, x), say(x)"));
    accepts(&format!("{table}v(x, y) :- k(x, y)\nu(x) :- v(x, _)"));
}

#[test]
fn recursion_over_replaced_facts_is_refused() {
    let path = "r(x) :- k(x, _)\nr(y) :- r(x), k(x, y)\nk(x, 1) :- say(x)";
    accepts(&format!("table k(x: int => y: int) first\n{path}"));
    refuses("E0506", &format!("table k(x: int => y: int) max\n{path}"));
    refuses("E0506", &format!("window table k(x: int, y: int) above low\n{path}"));
}

#[test]
fn a_window_is_above_a_register() {
    accepts("window table w(n: int, x: bytes) above low\nw(n, x) :- ask(n, x)\nlow(n) :- say(n)");
    accepts("durable table deep(=> n: int) max\ndurable window table w(n: int => x: bytes) first above deep");
    accepts("durable table deep(=> n: int) max\nwindow table w(n: int => x: bytes) first above deep");
    for wrong in [
        "window table w(n: int)",
        "table w(n: int) above low",
        "window table w(n: int) above high",
        "window table w(n: int) above t",
        "window table w(n: bytes) above low",
        "window table w() above low",
        "durable window table w(n: int) above low",
        "window table w(=> n: int) first above low",
        "window table w(n: int) above low\ndelete low(x) :+ say(x)",
        "table k(=> n: int) first\nwindow table w(n: int) above k",
        "table k(x: int => n: int) max\nwindow table w(n: int) above k",
        "table k(=> n: bytes) max\nwindow table w(n: int) above k",
    ] {
        refuses("E0513", wrong);
    }
}

#[test]
fn a_restart_sets_nothing_back() {
    let table = "durable table k(=> x: int) replace\n";
    refuses("E0514", &format!("{table}k(0) :- start()"));
    accepts(&format!("{table}k(0) :+ start(), !k(_)"));
    accepts(&format!("{table}k(x) :- say(x)"));
    accepts("table k(=> x: int) replace\nk(0) :- start()");
    accepts("durable table k(=> x: int) max\nk(0) :- start()");
    accepts("durable table k(=> x: int) first\nk(0) :- start()");
}

#[test]
fn timers_take_a_known_time_and_go_to_oneself() {
    accepts("timer r(x: int) after 2 * n ms\nr(x) :~ say(x)\nr(x)@me :~ r(x)");
    accepts("timer r() every 1 s\nt(1) :- r()");
    refuses("E0617", "timer r(x: int) every 1 s");
    for amount in ["0", "-1", "true", "1 - 1", "9223372036854775807"] {
        refuses("E0705", &format!("timer r() after {amount} s"));
    }
    refuses("E0303", "timer r() after x s");
    refuses("E0303", "timer r() after 1 / 0 s");
    refuses("E0101", "timer r() after 1");
    refuses("E0101", "timer r() after 1 h");
    refuses("E0101", "timer r()");
    refuses("E0616", "timer r(x: int) after 1 s\nr(x)@p :~ say(x) from p");
    refuses("E0205", "timer r() after 1 s\ntimer r() after 1 s");
    refuses("E0205", "timer r() after 1 s\n} component c of a { timer r() after 1 s");
    refuses("E0205", "table r()\ntimer r() after 1 s");
    refuses("E0602", "timer r() after 1 s\nr() :- say(_)");
    refuses("E0616", "} channel d() a -> b after 1 s component c of a {");
    refuses("E0616", "} channel d() client -> a after 1 s component c of a {");
    accepts("} channel d() a -> c after 1 s component c of a {");
}

#[test]
fn native_roles_have_ends_and_no_rules() {
    let protocol =
        |items: &str| codes_of(&format!("protocol p\nrole client external\nrole disk native\nrole a\n{items}"));
    assert_eq!(protocol("component a { w(1)@d :~ start(), disk(d) } channel w(x: int) a -> disk"), Vec::<&str>::new());
    assert_eq!(protocol("component a { t(x) :- w(x) } channel w(x: int) disk -> a"), Vec::<&str>::new());
    assert_eq!(protocol("component a {} component disk {}"), ["E0611"]);
    assert_eq!(protocol("component a {} channel w() client -> disk"), ["E0610"]);
    assert_eq!(protocol("component a {} channel w() disk -> disk"), ["E0610"]);
    assert_eq!(protocol("component a {} component b of a {} channel w() disk -> b"), ["E0609"]);
    assert_eq!(protocol("component a {} fault crash 1 of disk"), Vec::<&str>::new());
    let text = "protocol p role disk[2] native role a component a {}";
    let program = menard_lang::compile_text(text);
    assert_eq!(program.physical_nodes(), 3);
}

/// Whether the table of this declaration is said to grow for ever.
fn grows(table: &str, row: &str) -> bool {
    let text = format!(
        "protocol p
        role client external
        role a
        channel ask(c: node, yes: bool, x: int) client -> a
        component a {{
            {table}
            {row} :- ask(c, yes, x)
        }}"
    );
    let compiled = compile(&Source::new("test.ded", text), &[]).expect("it is a program");
    compiled.warnings.iter().any(|warning| warning.code.name() == "E0507")
}

#[test]
fn what_nodes_tell_apart_does_not_grow() {
    assert!(grows("table t(c: node, x: int)", "t(c, x)"));
    assert!(grows("table t(c: node, x: int => yes: bool) max", "t(c, x, yes)"));
    assert!(!grows("table t(c: node => x: int) max", "t(c, x)"));
    assert!(!grows("table t(c: node, yes: bool => x: int) max", "t(c, yes, x)"));
    assert!(!grows("table t(c: node, yes: bool)", "t(c, yes)"));
    assert!(!grows("table t(=> x: int) max", "t(x)"));
}

#[test]
fn what_takes_few_values_does_not_grow() {
    assert!(!grows("table t(k: int => x: int) max", "t(x % 8, x)"));
    assert!(!grows("table t(k: int)", "t(-(x % 8) * 2)"));
    assert!(!grows("table t(k: (int, option<bool>))", "t((x % 8, some(yes)))"));
    assert!(!grows("table t(k: int) t(1) :- start() u(k) :- new t(k) t(k) :+ u(k)", "u(x % 3)"));
    assert!(!grows("table t(k: int) t(k) :- s(k) s(k) :- start(), k in range(0, 8)", "u(x)"));
    assert!(!grows("table t(k: int) t(k) :- u(x), k = x % 8", "u(x)"));
    assert!(grows("table t(k: int)", "t(x)"));
    assert!(grows("table t(k: int)", "t(8 % x)"));
    assert!(grows("table t(k: int) t(k + 1) :+ t(k)", "t(x % 8)"));
    assert!(grows("table t(k: int) t(k) :+ u(k)", "u(x)"));
    assert!(grows("table t(k: int) t(k) :- ask(_, _, k)", "u(x % 8)"));
}

/// Nothing is known of a variable by what is said of it in terms of itself.
#[test]
fn conditions_that_go_in_circles_are_no_limits() {
    assert!(grows("table t(k: int) t(k) :- u(k), k in [k, 8]", "u(x)"));
    assert!(grows("table t(k: int) t(k) :- u(k), l in [k, 8], k in [l]", "u(x)"));
    assert!(!grows("table t(k: int) t(k) :- u(k), l in [k, 8], k in [l], k in [1, 2]", "u(x)"));
}
