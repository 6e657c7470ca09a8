//! `!( )`: what rules it becomes, and what is refused.

use menard_lang::{Program, Source, compile, compile_text, print};

fn text(rules: &str) -> String {
    format!(
        "protocol p
        role client external
        role a
        channel ask(x: int, y: int) client -> a
        channel tell(x: int) a -> client
        component a {{
            table t(x: int, y: int)
            table u(x: int, y: int)
            {rules}
        }}"
    )
}

/// The rules of the component as they are printed.
fn printed(rules: &str) -> Vec<String> {
    let program = compile_text(&text(rules));
    let text = print(&program);
    let again = compile(&Source::new("printed.ded", text.as_str()), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.program, Program { source: again.program.source.clone(), ..program.clone() });
    program.components[0].rules.iter().map(menard_lang::print::rule).collect()
}

fn becomes(rules: &str, expected: &[&str]) {
    assert_eq!(printed(rules), expected, "{rules}");
}

fn errors(rules: &str) -> Vec<(&'static str, String)> {
    let errors = compile(&Source::new("test.ded", text(rules)), &[]).expect_err("there is an error");
    errors.iter().map(|error| (error.code.name(), error.message.clone())).collect()
}

#[test]
fn a_conjunction_that_binds_what_it_shares_stands_alone() {
    becomes("r(x) :- t(x, _), !(u(x, y), y > 3)", &["r_unless(x) :- u(x, y), y > 3", "r(x) :- t(x, _), !r_unless(x)"]);
    becomes(
        "r(x) :- ask(x, _), !(u(x, y), y > 3)",
        &["r_unless(x) :- u(x, y), y > 3", "r(x) :- ask(x, _), !r_unless(x)"],
    );
    becomes(
        "r(1) :- start(), !(t(x, y), u(y, x))",
        &["r_unless() :- t(x, y), u(y, x)", "r(1) :- start(), !r_unless()"],
    );
    becomes(
        "r(x) :- t(x, _), !(y = x + 1, u(x, y + 0))",
        &["r_unless(x) :- y = x + 1, u(x, y + 0)", "r(x) :- t(x, _), !r_unless(x)"],
    );
}

#[test]
fn events_bring_all_that_stands_around() {
    becomes(
        "r(x, y) :- ask(x, y) from c, t(x, z), v = x + 1, z < v, !tell2(x), !(u(x, w), w > y)\ntell2(x) :- ask(_, x)",
        &[
            "r_unless(x, y) :- u(x, w), w > y, ask(x, y), t(x, z), v = x + 1, z < v",
            "r(x, y) :- ask(x, y) from c, t(x, z), v = x + 1, z < v, !tell2(x), !r_unless(x, y)",
            "tell2(x) :- ask(_, x)",
        ],
    );
}

#[test]
fn state_brings_as_little_as_possible() {
    becomes(
        "r(x, y) :- t(x, _), t(x, y), u(y, _), !(u(x, z), z > y)",
        &["r_unless(x, y) :- u(x, z), z > y, t(x, y)", "r(x, y) :- t(x, _), t(x, y), u(y, _), !r_unless(x, y)"],
    );
    becomes(
        "r(x) :- t(x, _), !(y = x + 1, u(y + 0, _))",
        &["r_unless(x) :- y = x + 1, u(y + 0, _), t(x, _)", "r(x) :- t(x, _), !r_unless(x)"],
    );
    becomes(
        "r(x) :- t(x, y), v = y + 1, !(u(x, z), z > v)",
        &["r_unless(x, v) :- u(x, z), z > v, t(x, y), v = y + 1", "r(x) :- t(x, y), v = y + 1, !r_unless(x, v)"],
    );
}

#[test]
fn what_depends_on_the_head_is_not_copied() {
    becomes(
        "t(x, y) :+ t(x, y), ask(x, _), !(u(x, z), z > y)",
        &["t_unless(x, y) :- u(x, z), z > y, t(x, y), ask(x, _)", "t(x, y) :+ t(x, y), ask(x, _), !t_unless(x, y)"],
    );
    becomes(
        "t(x, y) :- t(_, x), ask(x, y), !(u(x, z), z > y)",
        &["t_unless(x, y) :- u(x, z), z > y, ask(x, y)", "t(x, y) :- t(_, x), ask(x, y), !t_unless(x, y)"],
    );
    let found = errors("t(x, x) :- ask(x, _), v(y), !(u(x, z), z > y)\nv(y) :- t(_, y)");
    assert_eq!(found, [("E0401", "the variable `y` has no value in `!( )`".to_owned())]);
}

#[test]
fn conjunctions_may_be_nested_and_several() {
    becomes(
        "r(x) :- t(x, v), !(u(x, y), !(t(y, z), z > v))",
        &[
            "r_unless_unless(y, v) :- t(y, z), z > v, t(_, v)",
            "r_unless(x, v) :- u(x, y), !r_unless_unless(y, v), t(x, v)",
            "r(x) :- t(x, v), !r_unless(x, v)",
        ],
    );
    becomes(
        "r_unless(x) :- t(x, _)\nr(x) :- r_unless(x), !(u(x, y), y > 1), !(u(y, x), y > 1)",
        &[
            "r_unless(x) :- t(x, _)",
            "r_unless_2(x) :- u(x, y), y > 1",
            "r_unless_3(x) :- u(y, x), y > 1",
            "r(x) :- r_unless(x), !r_unless_2(x), !r_unless_3(x)",
        ],
    );
}

#[test]
fn variables_of_a_conjunction_are_its_own() {
    assert_eq!(errors("r(x, y) :- t(x, _), !(u(x, y), y > 1)")[0].1, "the variable `y` has no value");
    assert_eq!(errors("r(x) :- t(x, _), !(u(x, y), z > 1)")[0].1, "the variable `z` has no value");
    assert_eq!(errors("r(x) :- ask(x, _), !(r(y), y > x)")[0].0, "E0505");
    assert_eq!(errors("t(x, x) :- u(x, _), !(ask(x, y), y > 1)")[0].0, "E0405");
}
