//! Generated programs: what is printed means the same, and is in the formatter's layout.

use menard_lang::{Program, Source, compile, format, print};
use proptest::prelude::*;

/// An integer expression over the variables `x`, `y` and the parameter `n`.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_owned()),
        Just("y".to_owned()),
        Just("n".to_owned()),
        any::<i64>().prop_map(|int| int.to_string()),
        (-9_i64..9).prop_map(|int| int.to_string()),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(left, op, right)| format!("({left}) {op} ({right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} - {right} * {right}")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("max({left}, min({right}, 1))")),
        ]
    })
}

/// A literal that may follow `ask(x, y) from c` in a body.
fn literal() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    prop_oneof![
        (expression(), comparison, expression()).prop_map(|(left, op, right)| format!("{left} {op} {right}")),
        expression().prop_map(|one| format!("!t({one}, _)")),
        expression().prop_map(|one| format!("t(_, {one})")),
        expression().prop_map(|one| format!("new t({one}, x)")),
        Just("b(c)".to_owned()),
        Just("!tell(x) from c".to_owned()),
        Just("!new t(x, y)".to_owned()),
        expression().prop_map(|one| format!("k(x, {one}, c)")),
        Just("w(y, _)".to_owned()),
        expression().prop_map(|one| format!("!(t(z, {one}), z > y)")),
        expression().prop_map(|one| format!("!(w(x, z), !(t(z, v), v < {one}))")),
        expression().prop_map(|one| format!("!(hear(z, _) from c, z == {one})")),
        Just("!w(x, y)".to_owned()),
        ".{0,6}".prop_map(|text: String| format!(
            "hash(x) != hash({})",
            menard_lang::print::value(&menard_value::Value::string(&text))
        )),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(|bytes| format!(
            "length({}) > x",
            menard_lang::print::value(&menard_value::Value::bytes(&bytes))
        )),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        expression().prop_map(|one| format!("FILL(x, {one}) :-")),
        expression().prop_map(|one| format!("FILL(x, {one}) :+")),
        expression().prop_map(|one| format!("delete t(_, {one}) :+")),
        expression().prop_map(|one| format!("say({one})@c :~")),
        Just("delete t(x, y) :+".to_owned()),
        expression().prop_map(|one| format!("k(x, {one}, c) :+")),
        expression().prop_map(|one| format!("w({one}, y) :+")),
        expression().prop_map(|one| format!("low({one}) :+")),
        expression().prop_map(|one| format!("late({one}, c) :~")),
        Just("delete k(x, _, _) :+".to_owned()),
        Just("e(x, c, y) :-".to_owned()),
        Just("f(c, count(x, y), sum(x)) :-".to_owned()),
        Just("g(min(x), y) :+".to_owned()),
        Just("h(count()) :-".to_owned()),
    ];
    (head, prop::collection::vec(literal(), 0..4)).prop_map(|(head, body)| {
        // What reads `new t` cannot fill `t` in the same step.
        let filled = if body.iter().any(|literal| literal.contains("t(")) { "u" } else { "t" };
        let head = head.replace("FILL", filled);
        format!("{head} {}", [vec!["ask(x, y) from c".to_owned()], body].concat().join(", "))
    })
}

/// Declarations of the keyed table `k`, the register `low`, the window `w` and the timer `late`.
fn storage() -> impl Strategy<Value = String> {
    let policy = prop::sample::select(vec!["first", "max", "replace"]);
    let fields = prop::sample::select(vec![
        "=> x: int, y: int, c: node",
        "x: int => y: int, c: node",
        "x: int, y: int => c: node",
    ]);
    let durable = prop::sample::select(vec!["", "durable "]);
    let delay = prop::sample::select(vec!["after 1 us", "after n ms", "after 2 * n + 1 s"]);
    (policy, fields, durable.clone(), durable, delay).prop_map(|(policy, fields, first, second, delay)| {
        format!(
            "{first}table k({fields}) {policy}\n{second}table low(=> n: int) max\n{second}window table w(n: int, y: int) above low\n\
             timer late(x: int, c: node) {delay}\ntimer tick() every n s"
        )
    })
}

fn program() -> impl Strategy<Value = String> {
    let all = (1..9_i64, 1..4_u32, prop::collection::vec(rule(), 0..12), expression(), storage());
    all.prop_map(|(n, parts, rules, key, storage)| {
        let key = key.replace(['x', 'y'], "k").replace("mak", "max");
        format!(
            "protocol p\nparam n: int = {n}\nparam words: string = \"a\\\\b\"\nparam all: bool = true\nrole client[2] external\nrole a\nrole b[n * 2]\n\
             fault omission n of b\nfault byzantine 0 of a\nchannel ask(x: int, y: int) client -> a\nchannel tell(x: int) b -> a\n\
             channel hear(y: int, x: int) client -> a ordered by x\n\
             channel say(x: int) a -> b\nchannel on(k: int) b -> c by k, {key}\ncomponent a {{\ntable t(x: int, y: int)\n{storage}\n{}\n}}\n\
             component b {{\ntell(x)@s :~ say(x) from s\n}}\ncomponent c of a [{parts}] {{\n}}\n",
            rules.join("\n")
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_programs_mean_the_same(text in program()) {
        let compile = |text: &str| {
            let compiled = compile(&Source::new("generated.ded", text), &[]);
            compiled.map_err(|errors| TestCaseError::fail(format!("{errors}\n{text}")))
        };
        let program = compile(&text)?.program;
        let printed = print(&program);
        let again = compile(&printed)?.program;
        prop_assert_eq!(&again, &Program { source: again.source.clone(), ..program });
        let formatted = format(&Source::new("printed.ded", printed.as_str()));
        prop_assert_eq!(formatted.map_err(|errors| TestCaseError::fail(errors.to_string()))?, printed);
    }
}
