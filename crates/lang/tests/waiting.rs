//! Who waits for nodes that need not answer is warned, and told if it is all that somebody outside waits for.

use menard_lang::{Source, compile, unanswered};

/// What is said of rules of a node that hears of four members.
fn found(code: &str, fault: &str, rules: &str) -> Vec<String> {
    let text = format!(
        "protocol p param f: int = 1 role client external role a role member[3 * f + 1] {fault}
         channel ask(v: int) client -> a channel say(v: int) member -> a channel tell(v: int) a -> member
         channel name(v: int, m: node) member -> a channel others(v: int, m: node) member -> a channel out(v: int) a -> client channel slow(v: int) a -> client
         component a {{ tell(v)@m :~ ask(v), member(m) {rules} }}
         component member {{
             say(v)@s :~ tell(v) from s  name(v, me)@s :~ tell(v) from s  others(v, m)@s :~ tell(v) from s, member(m)
         }}"
    );
    let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let found = compiled.warnings.iter().filter(|warning| warning.code.name() == code);
    let found: Vec<String> = found.map(|warning| warning.message.clone()).collect();
    if code == "E0707" {
        let errors: Vec<String> = unanswered(&compiled.program).into_iter().map(|error| error.message).collect();
        assert_eq!(errors, found, "what rewrites refuse is what is warned of");
    }
    found
}

/// The same for rules.
fn waited(fault: &str, rules: &str) -> Vec<String> {
    found("E0706", fault, rules)
}

/// The channels on which nobody is told anything.
fn silent(fault: &str, rules: &str) -> usize {
    found("E0707", fault, rules).len()
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
    // Who says so itself.
    assert_eq!(counts("number(v, count(m)) :- name(v, m) enough(v) :- number(v, 4)"), 1);
    // Those that are merely known or named by others, those that are absent, and what is no number of nodes.
    assert_eq!(counts("number(count(m)) :- member(m) enough(1) :- number(4)"), 0);
    assert_eq!(counts("number(v, count(m)) :- others(v, m) enough(v) :- number(v, 4)"), 0);
    assert_eq!(counts("number(v, count(m)) :- heard(v, m) few(v) :- heard(v, _), !number(v, 4)"), 0);
    assert_eq!(counts("number(m, count(v)) :- heard(v, m) enough(m) :- number(m, 4)"), 0);
    assert_eq!(counts("enough(v, quorum(3, m)) :- heard(v, m)"), 0);
}

#[test]
fn numbers_are_followed_wherever_they_go() {
    let counts = |rules: &str| waited("fault crash 1 of member", &format!("{HEARD} {rules}")).len();
    let number = "number(v, count(m)) :- heard(v, m)";
    // All that there are, however that is said.
    assert_eq!(counts(&format!("{number} all(count(m)) :- member(m) enough(v) :- number(v, n), all(t), n >= t")), 1);
    assert_eq!(counts(&format!("{number} all(count(m)) :- member(m) enough(v) :- number(v, n), all(n)")), 1);
    assert_eq!(counts(&format!("{number} all(count(m)) :- member(m) enough(v) :- number(v, n), all(t), n > t - 1")), 1);
    assert_eq!(counts("of(v, set(m)) :- heard(v, m) enough(v) :- of(v, s), size(s) == 4"), 1);
    assert_eq!(counts("of(v, set(m)) :- heard(v, m) enough(v) :- of(v, s), n = size(s), n >= 4"), 1);
    assert_eq!(counts("of(v, set(m)) :- heard(v, m) all(set(m)) :- member(m) enough(v) :- of(v, s), all(s)"), 1);
    assert_eq!(counts("number(v, count()) :- heard(v, m) enough(v) :- number(v, 4)"), 1);
    assert_eq!(
        counts(
            "table best(v: int => n: int) max best(v, n) :- new number(v, n) number(v, count(m)) :- heard(v, m) enough(v) :- best(v, 4)"
        ),
        1
    );
    assert_eq!(counts(&format!("{number} more(v, n + 1) :- number(v, n) enough(v) :- more(v, 5)")), 1);
    assert_eq!(counts(&format!("{number} most(max(n)) :- number(_, n) enough(1) :- most(4)")), 1);
    assert_eq!(counts(&format!("{number} enough(v) :- number(v, n), 3 * n > 2 * n + 3, n * 2 >= 8")), 1);
    // Those that are left, down to nobody.
    assert_eq!(counts(&format!("{number} left(v, 4 - n) :- number(v, n) enough(v) :- left(v, 0)")), 1);
    assert_eq!(counts(&format!("{number} enough(v) :- number(v, n), 4 - n <= 0")), 1);
    assert_eq!(counts(&format!("{number} few(v) :- number(v, n), n < 4 enough(v) :- number(v, _), !few(v)")), 1);
    assert_eq!(counts(&format!("{number} few(v) :- number(v, n), n < 4 enough(v) :- new number(v, _), !few(v)")), 1);
    assert_eq!(counts(&format!("{number} left(v, 4 - n) :- number(v, n) enough(v) :- left(v, 1)")), 0);
    assert_eq!(counts(&format!("{number} few(v) :- number(v, n), n < 3 enough(v) :- number(v, _), !few(v)")), 0);
    assert_eq!(counts(&format!("{number} few(v) :- number(v, n), n < 4, v > 3 enough(v) :- number(v, _), !few(v)")), 0);
    // As many as answer, and what has no limit.
    assert_eq!(
        counts(&format!("{number} all(index_of(m), count(m)) :- member(m) enough(v) :- number(v, n), all(_, n)")),
        0
    );
    assert_eq!(
        counts(&format!(
            "{number} all(count(m), max(get([0, 1, 2], index_of(m)))) :- member(m) enough(v) :- number(v, n), all(n, _)"
        )),
        0
    );
    assert_eq!(counts(&format!("{number} all(count(m, m)) :- member(m) enough(v) :- number(v, n), all(n + 1)")), 0);
    assert_eq!(
        counts(&format!("{number} all(count(m)) :- member(m) enough(v) :- number(v, n), all(t), n >= t - 1")),
        0
    );
    assert_eq!(
        counts(&format!("{number} all(count(m)) :- member(m), m != me enough(v) :- number(v, n), all(t), n >= t")),
        0
    );
    assert_eq!(counts("of(v, set(m)) :- heard(v, m) enough(v) :- of(v, s), size(s) >= 3"), 0);
    assert_eq!(counts("of(set((v, m))) :- heard(v, m) enough(1) :- of(s), size(s) >= 4"), 0);
    assert_eq!(counts("number(count()) :- heard(v, m) enough(1) :- number(4)"), 0);
    assert_eq!(counts(&format!("{number} number(v, 4) :- heard(v, _) enough(v) :- number(v, 4)")), 0);
    assert_eq!(
        counts("table round(n: int) round(0) :- start() round(n + 1) :+ round(n), n < 9 enough(1) :- round(7)"),
        0
    );
}

#[test]
fn different_nodes_that_a_rule_names_are_as_many() {
    let counts = |rules: &str| waited("fault crash 1 of member", &format!("{HEARD} {rules}")).len();
    let four = "heard(v, k), heard(v, l), heard(v, n), heard(v, o)";
    assert_eq!(counts(&format!("enough(v) :- {four}, k < l, l < n, n < o")), 1);
    assert_eq!(counts(&format!("enough(v) :- {four}, o > l, n < o, n != l, k < n, l > k")), 1);
    assert_eq!(counts("enough(v) :- heard(v, k), say(v) from l, heard(v, n), heard(v, o), k < l, l < n, n < o"), 1);
    // Three of them, or two twice; and nodes of whom nobody has heard.
    assert_eq!(counts(&format!("enough(v) :- {four}, k < l, l < n, n <= o")), 0);
    assert_eq!(counts(&format!("enough(v) :- {four}, k < l, n < o")), 0);
    assert_eq!(counts("enough(v) :- heard(v, k), heard(v, l), heard(v, n), member(o), k < l, l < n, n < o"), 0);
}

#[test]
fn that_nobody_is_missing_is_waiting_for_all() {
    let asked = "table asked(c: node, v: int) asked(c, v) :- ask(v) from c";
    let counts = |rules: &str| waited("fault crash 1 of member", &format!("{HEARD} {asked} {rules}")).len();
    let missing = "missing(v) :- asked(_, v), member(m), !heard(v, m)";
    assert_eq!(counts(&format!("{missing} done(v) :- asked(_, v), !missing(v)")), 1);
    assert_eq!(counts("done(v) :- asked(_, v), !(member(m), !heard(v, m))"), 1);
    assert_eq!(counts("missing() :- member(m), !heard(_, m) done(v) :- asked(_, v), !missing()"), 1);
    // Somebody who is missing, of whom there are others; who is excused; who is asked for another thing.
    assert_eq!(counts(&format!("{missing} done(v) :- ask(v), missing(v)")), 0);
    assert_eq!(counts(&format!("{missing} done(v) :- ask(v), !missing(v)")), 0);
    assert_eq!(counts(&format!("{missing} done(v) :- asked(_, v), asked(_, w), w > v, !missing(w + 1)")), 0);
    assert_eq!(
        counts(
            "table excused(m: node) excused(m) :- heard(7, m) missing(v) :- asked(_, v), member(m), !heard(v, m), !excused(m) done(v) :- asked(_, v), !missing(v)"
        ),
        0
    );
    assert_eq!(
        counts("missing(v) :- asked(_, v), member(m), v > 3, !heard(v, m) done(v) :- asked(_, v), !missing(v)"),
        0
    );
    assert_eq!(
        counts(
            "missing(v, m) :- asked(_, v), member(m), !heard(v, m) done(v) :- heard(v, m), asked(_, v), !missing(v, m)"
        ),
        0
    );
}

#[test]
fn somebody_outside_waits_as_well() {
    let byzantine = "fault byzantine f of member";
    let asked = "table asked(c: node, v: int) asked(c, v) :- ask(v) from c number(v, count(m)) :- heard(v, m)";
    let silent = |fault, rules: &str| silent(fault, &format!("{HEARD} {asked} {rules}"));
    let fast = "enough(v) :- number(v, 4) out(v)@c :~ new enough(v), asked(c, v)";
    assert_eq!(silent(byzantine, fast), 1);
    assert_eq!(silent(byzantine, "out(v)@c :~ new number(v, 4), asked(c, v)"), 1);
    // Nobody lies; enough answer; there is another way, and a longer one; nothing is told at all.
    assert_eq!(silent("fault crash f of member", fast), 0);
    assert_eq!(silent(byzantine, "out(v)@c :~ new number(v, 3), asked(c, v)"), 0);
    assert_eq!(silent(byzantine, &format!("{fast} out(v)@c :~ new number(v, 3), asked(c, v)")), 0);
    assert_eq!(silent(byzantine, &format!("{fast} enough(v) :- late(v), number(v, 3) late(v) :- asked(_, v)")), 0);
    assert_eq!(silent(byzantine, "enough(v) :- number(v, 4)"), 0);
    // Something else is told by fewer of them, or when it is late.
    assert_eq!(silent(byzantine, &format!("{fast} slow(v)@c :~ new number(v, 3), asked(c, v)")), 0);
    let late = "timer late(c: node, v: int) after 9 ms late(c, v) :~ ask(v) from c";
    assert_eq!(silent(byzantine, &format!("{late} {fast} slow(v)@c :~ late(c, v)")), 0);
    // What is told for other reasons is no answer.
    assert_eq!(silent(byzantine, &format!("{late} {fast} slow(v)@c :~ ask(v) from c, v < 0")), 1);
    assert_eq!(silent(byzantine, &format!("{fast} slow(v)@c :~ new heard(v, m), heard(w, m), w > v, asked(c, v)")), 1);
    assert_eq!(silent(byzantine, &format!("{fast} slow(v)@c :~ new number(v, 4), asked(c, v)")), 2);
    // Where it is a rule among others, it is warned of as one.
    assert_eq!(
        waited(byzantine, &format!("{HEARD} {asked} {fast} out(v)@c :~ new number(v, 3), asked(c, v)")).len(),
        1
    );
    assert_eq!(waited(byzantine, &format!("{HEARD} {asked} {fast}")).len(), 0);
}
