//! Who waits for nodes that need not answer is warned.

use menard_lang::{Source, compile};

/// The numbers that are waited for in vain by rules of a node that hears of four members.
fn waited(fault: &str, rules: &str) -> Vec<String> {
    let text = format!(
        "protocol p param f: int = 1 role client external role a role member[3 * f + 1] {fault}
         channel ask(v: int) client -> a channel say(v: int) member -> a channel tell(v: int) a -> member
         channel name(v: int, m: node) member -> a channel out(v: int) a -> client
         component a {{ {rules} }} component member {{ say(v)@s :~ tell(v) from s  name(v, me)@s :~ tell(v) from s }}"
    );
    let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let found = compiled.warnings.iter().filter(|warning| warning.code.name() == "E0706");
    found.map(|warning| warning.message.clone()).collect()
}

const HEARD: &str = "table heard(v: int, m: node) heard(v, m) :- say(v) from m";

fn number_is(test: &str) -> String {
    format!("{HEARD} number(v, count(m)) :- heard(v, m) enough(v) :- number(v, n), {test}")
}

#[test]
fn more_than_do_not_fail_are_too_many() {
    for test in ["n == 4", "4 == n", "n >= f + 3", "n > 3", "3 < n", "4 <= n", "n == 7"] {
        assert_eq!(waited("fault byzantine f of member", &number_is(test)).len(), 1, "{test}");
    }
    for test in ["n == 3", "n >= 2 * f + 1", "n > 2", "n < 4", "n <= 4", "n != 4", "n > v", "n == v"] {
        assert_eq!(waited("fault byzantine f of member", &number_is(test)), [""; 0], "{test}");
    }
}

#[test]
fn faults_that_silence_count_together() {
    let all = |fault| waited(fault, &number_is("n == 3")).len();
    assert_eq!(all("fault byzantine 1 of member fault crash 1 of member"), 1);
    assert_eq!(all("fault crash 2 of member"), 1);
    assert_eq!(all("fault crash 1 of member fault restart 4 of member fault omission 2 of member"), 0);
    assert_eq!(all("fault crash 1 of a"), 0);
}

#[test]
fn nodes_are_counted_as_soon_as_they_were_heard_of() {
    let counts = |rules: &str| waited("fault crash 1 of member", &format!("{HEARD} {rules}")).len();
    assert_eq!(counts("number(v, count(m)) :- heard(v, m) out(v)@c :~ new number(v, 3 * f + 1), ask(v) from c"), 1);
    assert_eq!(counts("number(v, count(m)) :- say(v) from m enough(v) :- number(v, 4)"), 1);
    assert_eq!(counts("enough(v, quorum(4, m)) :- heard(v, m)"), 1);
    assert_eq!(
        counts(
            "again(v, m) :- heard(v, m) again(v, m) :- again(v, m) number(count(m)) :- again(_, m) enough(1) :- number(4)"
        ),
        1
    );
    assert_eq!(counts("number(v, count(m)) :- heard(v, m) delete heard(v, _) :+ new number(v, 4)"), 1);
    // Those that are merely known or claimed, those that are absent, and what is no number of nodes.
    assert_eq!(counts("number(count(m)) :- member(m) enough(1) :- number(4)"), 0);
    assert_eq!(counts("number(v, count(m)) :- name(v, m) enough(v) :- number(v, 4)"), 0);
    assert_eq!(counts("number(v, count(m)) :- heard(v, m) few(v) :- heard(v, _), !number(v, 4)"), 0);
    assert_eq!(counts("number(m, count(v)) :- heard(v, m) enough(m) :- number(m, 4)"), 0);
    assert_eq!(counts("enough(v, quorum(3, m)) :- heard(v, m)"), 0);
}
