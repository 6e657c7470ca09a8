//! Texts that are too much: refused with a clear error, quickly, and without overflowing the stack.

use menard_lang::{Source, compile, format};

fn codes(text: &str) -> Vec<&'static str> {
    let errors = compile(&Source::new("test.ded", text), &[]).expect_err("the text is too much");
    errors.iter().map(|error| error.code.name()).collect()
}

fn in_rule(body: &str) -> String {
    format!("protocol p\nrole a\ncomponent a {{\n  r(x) :- x = {body}\n}}\n")
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for much in [
        format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}1", "-".repeat(100_000)),
        format!("1{}", "+1".repeat(50_000)),
        format!("1{}", "*1".repeat(50_000)),
        format!("{}1{}", "hash(".repeat(20_000), ")".repeat(20_000)),
        format!("hash(1{})", ",1".repeat(50_000)),
    ] {
        assert_eq!(codes(&in_rule(&much)), ["E0105"]);
        assert!(format(&Source::new("test.ded", in_rule(&much))).is_err());
    }
}

#[test]
fn long_bodies_and_wide_relations_are_refused() {
    assert_eq!(codes(&in_rule(&format!("1{}", ", 1 == 1".repeat(10_000)))), ["E0105"]);
    let columns: Vec<String> = (0..5_000).map(|column| format!("c{column}: int")).collect();
    assert_eq!(codes(&format!("protocol p\nrole a\nchannel c({}) a -> a", columns.join(", "))), ["E0105"]);
}

#[test]
fn large_expressions_within_the_limit_compile() {
    let chain = in_rule(&format!("1{}", " + 1".repeat(400)));
    assert!(compile(&Source::new("test.ded", chain), &[]).is_ok());
    let nested = in_rule(&format!("{}1{}", "(".repeat(400), ")".repeat(400)));
    assert!(compile(&Source::new("test.ded", nested), &[]).is_ok());
}

#[test]
fn large_texts_are_refused() {
    assert_eq!(codes(&" ".repeat(1 << 19)), ["E0106"]);
    let roles: String = (0..2_000).map(|role| format!("role r{role}\n")).collect();
    assert!(codes(&format!("protocol p\n{roles}")).contains(&"E0106"));
    let rules: String = (0..6_000).map(|rule| format!("  r{rule}(1) :- start()\n")).collect();
    assert!(codes(&format!("protocol p\nrole a\ncomponent a {{\n{rules}}}\n")).contains(&"E0106"));
}

#[test]
fn long_chains_of_rules_compile() {
    let rules: String = (0..4_000).map(|rule| format!("  r{rule}(x) :- r{}(x)\n", rule + 1)).collect();
    let text = format!("protocol p\nrole a\ncomponent a {{\n{rules}  r4000(1) :- start()\n}}\n");
    let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(compiled.program.components[0].strata.len(), 4_001);
}

/// What a call means may depend on rules that come later, or that come before.
#[test]
fn long_chains_of_calls_with_several_forms_compile() {
    let rule = |rule: usize| format!("  r{rule}(concat(x, x)) :- r{}(x)\n", rule + 1);
    for rules in [(0..4_000).map(rule).collect::<String>(), (0..4_000).rev().map(rule).collect()] {
        let text = format!("protocol p\nrole a\ncomponent a {{\n{rules}  r4000(0x00) :- start()\n}}\n");
        let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(compiled.program.components[0].rules.len(), 4_001);
    }
}

#[test]
fn errors_do_not_flood() {
    let rules: String = (0..4_000).map(|rule| format!("  r(x{rule}) :- q()\n")).collect();
    assert!(codes(&format!("protocol p\nrole a\ncomponent a {{\n{rules}}}\n")).len() <= 100);
    let garbage = "role [\n".repeat(5_000);
    assert!(codes(&format!("protocol p\n{garbage}")).len() <= 50);
}

#[test]
fn long_lines_are_quoted_in_reasonable_time() {
    let text = format!("protocol p role a component a {{ {} }}", "r(x) :- q() ".repeat(4_000));
    let errors = compile(&Source::new("test.ded", text), &[]).expect_err("nothing binds x");
    assert!(errors.render(false).len() < 50_000_000);
}

#[test]
fn messages_read_well() {
    let rendered =
        |text: &str| compile(&Source::new("test.ded", text), &[]).expect_err("the text is too much").render(false);
    insta::assert_snapshot!("E0105", rendered(&in_rule(&format!("1{}", ",\n    1 == 1".repeat(600)))));
    let roles: String = (0..2_000).map(|role| format!("role r{role}\n")).collect();
    insta::assert_snapshot!("E0106", rendered(&format!("protocol p\n{roles}")));
}

#[test]
fn what_sugar_makes_of_a_text_is_bounded() {
    let rule =
        |number: usize| format!("r{}(x) :- r{number}(x), t(x, w), !(t(x, y), y > w, !(t(y, z), z > w))\n", number + 1);
    let compiled = |rules: usize| {
        let rules: String = (0..rules).map(rule).collect();
        let text = format!(
            "protocol p\nrole client external\nrole a\nchannel m(x: int) client -> a\n\
             component a {{\ntable t(x: int, y: int)\nr0(x) :- m(x)\n{rules}}}\n"
        );
        compile(&Source::new("many.ded", text), &[])
    };
    let program = compiled(1_500).unwrap_or_else(|errors| panic!("{errors}")).program;
    assert_eq!(program.components[0].rules.len(), 1 + 3 * 1_500);
    let errors = compiled(1_700).expect_err("these are more than 5,000 rules");
    assert_eq!(errors.iter().map(|error| error.code.name()).collect::<Vec<_>>(), ["E0106"]);
}

/// Types are made of types that are shared: a short text can speak of one that would never be written down.
#[test]
fn types_of_very_many_parts_are_refused_quickly() {
    let wide = |of: &str| format!("({})", [of; 60].join(", "));
    let tuples: String = (1..8).map(|level| format!(", a{level} = {}", wide(&format!("a{}", level - 1)))).collect();
    let lists = |rule: usize| -> String {
        let names: String = (1..400).map(|level| format!(", a{level} = [a{}]", level - 1)).collect();
        format!("r{}(a399) :- r{rule}(a0){names}\n", rule + 1)
    };
    let within = |rules: &str| {
        format!(
            "protocol p\nrole client external\nrole a\nchannel m(x: int) client -> a\ncomponent a {{\n{rules}\n}}\n"
        )
    };
    let tuples = within(&format!("r(a7) :- m(a0){tuples}"));
    let lists = within(&format!("r0(x) :- m(x)\n{}", (0..40).map(lists).collect::<String>()));
    for text in [tuples, lists] {
        let found = codes(&text);
        assert!(found.iter().all(|code| *code == "E0105"), "{found:?}");
    }
}

/// Programs are printed with the values of their parameters, so that these have to fit into a text.
#[test]
fn values_of_parameters_can_be_written() {
    let text = |ty: &str, value: &str| format!("protocol p\nparam much: {ty} = {value}\nrole a\n");
    let half: String = "0".repeat(80_000);
    for (ty, value) in [
        ("list<int>", "range(0, 2000)".to_owned()),
        ("set<list<int>>", "set_of([range(0, 300), range(1, 301)])".to_owned()),
        ("bytes", format!("concat(0x{half}, 0x{half})")),
    ] {
        assert_eq!(codes(&text(ty, &value)), ["E0105"], "{ty}");
    }
    let program = menard_lang::compile_text(&text("list<(int, bool)>", "[(-1, true), (2, false)]"));
    assert_eq!(menard_lang::compile_text(&menard_lang::print(&program)).params[0].value, program.params[0].value);
    let long = text("list<int>", "range(-100, 50)");
    let program = menard_lang::compile_text(&long);
    assert_eq!(menard_lang::compile_text(&menard_lang::print(&program)).params[0].value, program.params[0].value);
}
