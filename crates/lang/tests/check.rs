//! What the checker accepts and refuses, in pairs that differ in little. The rendered messages are in the snapshots of tests/book.rs.

use menard_lang::ir::RelationKind::{Event, Table, View};
use menard_lang::ir::{Program, RelationKind};
use menard_lang::{Source, compile, compile_text};
use menard_value::Type;

/// A protocol with everything to read: `ask` comes from a client, `tell` from `b`; `say` goes to `b`, `answer` to a client.
fn around(rules: &str) -> String {
    format!(
        "protocol p
        param n: int = 3
        role client external
        role a
        role b[n]
        channel ask(x: int, y: bytes) client -> a
        channel answer(x: int) a -> client
        channel say(x: int) a -> b
        channel tell(x: int) b -> a
        component a {{
            table t(x: int)
            {rules}
        }}
        component b {{ tell(x)@s :~ say(x) from s }}"
    )
}

/// The codes of the errors, or else of the warnings that are not about what the rules leave unused.
fn codes(rules: &str) -> Vec<&'static str> {
    codes_of(&around(rules))
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

fn accepts(rules: &str) {
    assert_eq!(codes(rules), Vec::<&str>::new(), "{rules}");
}

fn refuses(code: &str, rules: &str) {
    let found = codes(rules);
    assert!(!found.is_empty() && found.iter().all(|found| *found == code), "{rules}: {found:?} instead of {code}");
}

fn kind(program: &Program, relation: &str) -> RelationKind {
    let component = program.component("a").expect("the program has a component");
    component.relation(relation).unwrap_or_else(|| panic!("no relation {relation}")).kind
}

#[test]
fn variables_need_a_value() {
    accepts("t(x) :- ask(x, _)");
    refuses("E0401", "t(x) :- ask(_, _)");
    accepts("t(z) :- z = y + 1, y = x + 1, ask(x, _)");
    refuses("E0401", "t(z) :- z = y + 1, y = z + 1, ask(_, _)");
    refuses("E0401", "t(x) :- ask(y, _), x == y");
    refuses("E0401", "t(x) :- ask(x + 1, _)");
    accepts("t(x) :- ask(x + 1, _), tell(x)");
    refuses("E0401", "r(1) :- ask(_, _), !t(x)");
    accepts("r(1) :- ask(_, _), !t(_)");
    accepts("r(1) :- ask(x, _), !t(x)");
    refuses("E0401", "say(1)@x :~ ask(_, _)");
    accepts("say(1)@x :~ ask(_, _), b(x)");
    refuses("E0401", "t(count(x)) :- ask(_, _)");
    refuses("E0401", "delete t(x) :+ ask(_, _)");
    accepts("delete t(_) :+ ask(_, _)");
    refuses("E0401", "t(1) :- tell(_) from x, index_of(y) == index_of(x)");
}

#[test]
fn values_are_given_once() {
    refuses("E0403", "t(x) :- ask(x, _), x = 1");
    refuses("E0403", "t(x) :- start(), x = 1, x = 2");
    refuses("E0403", "t(x) :- x = 1, ask(x, _)");
    refuses("E0207", "t(1) :- start(), n = 1");
    refuses("E0207", "t(1) :- start(), a = 1");
    accepts("t(1) :- start(), n == 1");
}

#[test]
fn wildcards_stand_for_columns() {
    refuses("E0402", "t(_) :- start()");
    refuses("E0402", "t(1) :- ask(x, _), x == _");
    refuses("E0402", "t(1) :- ask(x, _), hash(_) == hash(x)");
    refuses("E0402", "t(1) :- ask(max(_, 1), _)");
    refuses("E0402", "say(1)@_ :~ start()");
    refuses("E0402", "t(count(_)) :- ask(_, _)");
    refuses("E0402", "delete t(_ + 1) :+ start()");
    accepts("t(x) :- tell(x) from _");
}

#[test]
fn types_fit() {
    refuses("E0301", "t(y) :- ask(_, y)");
    refuses("E0301", "t(c) :- ask(_, _) from c");
    refuses("E0301", "t(x) :- ask(x, x)");
    refuses("E0301", "t(x) :- ask(x, y), x == y");
    refuses("E0301", "t(x) :- ask(x, _), x == \"one\"");
    refuses("E0301", "t(length(x)) :- ask(x, _)");
    refuses("E0301", "t(x) :- ask(x, _), d = hash(x), d == x");
    accepts("t(length(y)) :- ask(_, y)");
    accepts("t(x) :- ask(x, y), hash(x, y) != hash(y)");
    refuses("E0301", "say(x)@x :~ ask(x, _)");
    refuses("E0301", "r(x) :- ask(x, _)\nr(y) :- ask(_, y)");
    refuses("E0301", "r(x) :- ask(x, _)\nq(y) :- ask(_, y)\nt(1) :- r(z), q(z)");
    refuses("E0301", "t(1) :- ask(_, _), b(x), x == 1");
    refuses("E0301", "t(sum(y)) :- ask(_, y)");
    accepts("r(max(y)) :- ask(_, y)\nt(length(y)) :- r(y)");
    refuses("E0206", "t(max(1)) :- start(), max(1, 2, 3) == 1");
    refuses("E0206", "t(1) :- start(), hash() == hash(1)");
    refuses("E0302", "r(x) :- r(x)");
    accepts("r(x) :- q(x)\nq(x) :- r(x)\nr(1) :- start()");
}

#[test]
fn inferred_types_and_columns_are_stored() {
    let program = compile_text(&around("r(y, x, x, 1) :- ask(x, y)\nq(d, count(x)) :- ask(x, y), d = hash(y)"));
    let component = program.component("a").expect("the program has a component");
    let columns = |name: &str| {
        let relation = component.relation(name).expect("the relation is derived");
        relation.columns.iter().map(|column| (column.name.to_string(), column.ty)).collect::<Vec<_>>()
    };
    let expected = [("y", Type::Bytes), ("x", Type::Int), ("_3", Type::Int), ("_4", Type::Int)];
    assert_eq!(columns("r"), expected.map(|(name, ty)| (name.to_owned(), ty)));
    assert_eq!(columns("q"), [("d", Type::Digest), ("_2", Type::Int)].map(|(name, ty)| (name.to_owned(), ty)));
    let rule = &component.rules[1];
    let variables = [("x", Type::Int), ("y", Type::Bytes), ("d", Type::Digest)];
    assert_eq!(rule.variables, variables.map(|(name, ty)| (name.into(), ty)));
}

#[test]
fn kinds_follow_from_bodies() {
    let program = compile_text(&around(
        "e(x) :- ask(x, _)
         f(x) :- e(x), t(x)
         g(x) :+ new t(x)
         h(x) :- new t(x)
         i() :- start()
         v(x) :- t(x), b(_)
         w(x) :- v(x), !u(x)
         u(count(x)) :- t(x)
         s(x) :- s(x), t(x)
         s(x) :- ask(x, _), !f(x)
         t(x) :- f(x)",
    ));
    for (relation, expected) in [("e", Event), ("f", Event), ("g", Event), ("h", Event), ("i", Event), ("s", Event)] {
        assert_eq!(kind(&program, relation), expected, "{relation}");
    }
    for (relation, expected) in [("v", View), ("w", View), ("u", View), ("t", Table)] {
        assert_eq!(kind(&program, relation), expected, "{relation}");
    }
}

#[test]
fn a_relation_has_one_kind() {
    refuses("E0501", "r(x) :- ask(x, _)\nr(x) :- t(x)");
    refuses("E0501", "r(x) :+ ask(x, _)\nr(x) :- t(x)");
    refuses("E0501", "event r(x: int)\nr(x) :- ask(x, _)\nr(x) :- t(x)");
    accepts("r(x) :- ask(x, _)\nr(x) :- t(x), start()");
    refuses("E0502", "view r(x: int)\nr(x) :- ask(x, _)");
    refuses("E0502", "view r(x: int)\nr(x) :+ t(x)");
    accepts("view r(x: int)\nr(x) :- t(x)");
    accepts("table r(x: int)\nr(x) :- t(x)\nr(x) :- ask(x, _)\nr(x) :+ ask(x, _)");
    refuses("E0503", "r(x) :- ask(x, _)\nt(x) :- new r(x)");
    refuses("E0503", "t(1) :- new b(_)");
    refuses("E0503", "t(1) :- new start()");
    accepts("r(x) :- t(x)\ns(x) :- new r(x)");
}

#[test]
fn only_tables_are_deleted_from() {
    accepts("delete t(x) :+ ask(x, _)");
    refuses("E0504", "delete t(x) :- ask(x, _)");
    refuses("E0504", "delete t(x) :~ ask(x, _)");
    refuses("E0504", "r(x) :- t(x)\ndelete r(x) :+ ask(x, _)");
    refuses("E0504", "delete say(x) :+ ask(x, _)");
    refuses("E0404", "delete t(count(x)) :+ ask(x, _)");
    refuses("E0201", "delete r(x) :+ ask(x, _)");
}

#[test]
fn absence_needs_an_order() {
    refuses("E0505", "r(x) :- ask(x, _), !q(x)\nq(x) :- ask(x, _), !r(x)");
    refuses("E0505", "r(x) :- ask(x, _), !r(x)");
    refuses("E0505", "r(count(x)) :- r(x), ask(_, _)");
    refuses("E0505", "t(x) :- new t(x)");
    refuses("E0505", "t(x) :- ask(x, _), !q(x)\nq(x) :- s(x)\ns(x) :- t(x)");
    accepts("r(x) :- ask(x, _), !q(x)\nq(x) :+ ask(x, _), !r(x)");
    accepts("r(x) :- ask(x, _), !q(x)\nq(x) :- tell(x), t(x)");
    accepts("t(x) :+ new t(x)");
    let program =
        compile_text(&around("r(x) :- q(x)\nq(x) :- ask(x, _), !s(x)\ns(x) :- tell(x)\ns(x) :- s(x), tell(_)"));
    assert_eq!(program.components[0].strata, [["s"], ["q"], ["r"]]);
}

#[test]
fn absent_events_need_present_ones() {
    refuses("E0405", "t(1) :- !ask(_, _)");
    refuses("E0405", "t(x) :- t(x), !ask(x, _)");
    refuses("E0405", "t(1) :- b(_), !start()");
    refuses("E0405", "t(2) :+ !new t(1)");
    accepts("t(x) :- tell(x), !ask(x, _)");
    accepts("t(x) :+ new t(x), !ask(x, _)");
}

#[test]
fn recursion_over_shrinking_state_is_refused() {
    let path = "r(x) :- t(x)\nr(y) :- r(x), t(y), x < y";
    accepts(path);
    refuses("E0506", &format!("{path}\ndelete t(x) :+ ask(x, _)"));
    refuses(
        "E0506",
        "table u(x: int)\nu(x) :- ask(x, _)\nv(x) :- u(x), !t(x)\nr(x) :- v(x)\nr(y) :- r(x), v(y), x < y",
    );
    refuses("E0506", "v(count(x)) :- t(x)\nr(x) :- v(x)\nr(y) :- r(x), v(y), x < y");
    refuses("E0506", "table u(x: int)\nu(y) :- u(x), t(y), x < y\nu(x) :- ask(x, _)\ndelete u(x) :+ tell(x)");
    accepts("r(x) :- ask(x, _)\nr(y) :- r(x), t(y), x < y\ndelete t(x) :+ tell(x)");
}

#[test]
fn state_alone_fills_no_event() {
    refuses("E0508", "e(x) :+ t(x)");
    refuses("E0508", "e(x) :+ t(x), !u(x)\nu(x) :- t(x), x > 1");
    refuses("E0508", "e(p) :+ b(p)");
    refuses("E0508", "e(1) :+ 1 == 1");
    refuses("E0501", "event s(x: int)\ns(x) :- t(x)\ne(x) :+ s(x)");
    accepts("e(x) :+ new t(x)");
    accepts("e(x) :+ t(x), ask(x, _)");
    accepts("table u(x: int)\nu(x) :+ t(x)");
    accepts("delete t(x) :+ t(x), x > 3");
}

#[test]
fn recursion_makes_no_new_values() {
    for computed in ["x + 1", "hash(x)"] {
        let k = if computed == "x + 1" { "1" } else { "hash(1)" };
        refuses("E0509", &format!("k({k}) :- ask(_, _)\nk({computed}) :- k(x)"));
        refuses("E0509", &format!("k({k}) :- ask(_, _)\nk(y) :- k(x), y = {computed}"));
        refuses("E0509", &format!("k({k}) :- ask(_, _)\nk(y) :- y = z, k(x), z = {computed}"));
        refuses("E0509", &format!("k({k}) :- ask(_, _)\nm({computed}) :- k(x)\nk(x) :- m(x)"));
    }
    refuses("E0509", "t(x + 1) :- t(x)");
    refuses("E0509", "t(x + 1) :- t(x), x < 10");
    refuses("E0509", "far(x, y, 1) :- ask(x, _), t(y)\nfar(x, z, d + 1) :- far(x, y, d), far(y, z, _)");
    refuses("E0509", "r(x, y) :- ask(x, _), t(y)\nr(y, x + 1) :- r(x, y)");
    accepts("r(x, y) :- ask(x, _), t(y)\nr(x, z) :- r(x, y), r(y, z)");
    accepts("r(x, y) :- ask(x, _), t(y)\nr(y, x) :- r(x, y)");
    accepts("r(x) :- ask(x, _)\nr(x + 1) :- r(x), t(x)");
    accepts("r(x, x) :- ask(x, _)\nr(x, x + 1) :- r(x, _)");
    accepts("r(x) :- ask(x, _)\nr(max(x, y)) :- r(x), ask(y, _)");
    accepts("r(c, 1) :- ask(_, _) from c\nr(c, index_of(c)) :- r(c, _)");
    accepts("r(x) :- ask(x, _)\nr(y + 1) :- r(_), t(y)");
    accepts("k(x) :+ ask(x, _)\nk(x + 1) :+ k(x), x < 10");
}

#[test]
fn relations_that_feed_themselves_draw_a_warning() {
    let start = "p(x) :- ask(x, _)\n";
    for rules in
        ["p(x + 1) :+ p(x)", "p(x) :+ p(x)", "p(1) :+ p(_)", "p(y) :+ p(x), y = x * 2", "q(x) :- p(x)\np(x) :+ q(x)"]
    {
        refuses("E0510", &format!("{start}{rules}"));
    }
    refuses("E0510", "t(x + 1) :+ t(x)");
    refuses("E0510", "t(y) :+ t(x), y = x + 1");
    for rules in
        ["p(x) :+ p(x), t(x)", "p(x + 1) :+ p(x), x < 9", "p(1) :+ p(2)", "q(x) :+ p(x)", "q(x) :- p(x)\nq(x) :- q(x)"]
    {
        accepts(&format!("{start}{rules}"));
    }
    accepts("t(x) :+ t(x)");
    accepts("t(x + 1) :+ t(x), ask(x, _)");
}

#[test]
fn channels_have_two_ends() {
    refuses("E0605", "tell(1)@me :~ start()");
    refuses("E0605", "ask(1, 0x)@me :~ start()");
    refuses("E0606", "t(x) :- say(x)");
    refuses("E0606", "t(x) :- answer(x)");
    refuses("E0602", "say(1) :- start()");
    refuses("E0602", "say(1)@me :+ start()");
    refuses("E0603", "say(1) :~ start()");
    refuses("E0604", "t(1)@me :- start()");
    refuses("E0604", "t(1)@me :~ start()");
    refuses("E0601", "t(1) :~ start()");
    refuses("E0404", "say(1)@max(p) :~ tell(_) from p");
    accepts("say(count(x))@p :~ tell(x) from p");
    refuses("E0607", "t(x) :- t(x) from me");
    refuses("E0607", "t(1) :- start() from me");
    refuses("E0607", "t(x) :- tell(x) to me");
    refuses("E0208", "b(me) :- start()");
    refuses("E0208", "start() :- t(_)");
    refuses("E0612", "t(1) :- client(_)");
    refuses("E0209", "t(x) :- u(x)\n} component c of a { u(1) :- start()");
}

#[test]
fn declarations_make_sense() {
    let protocol = |items: &str| codes_of(&format!("protocol p\nrole client external\nrole a\n{items}"));
    assert_eq!(protocol("component a {}"), Vec::<&str>::new());
    assert_eq!(protocol("component b {}"), ["E0202"]);
    assert_eq!(protocol("component b of client {}"), ["E0611"]);
    assert_eq!(protocol("component a {} component a {}"), ["E0205"]);
    assert_eq!(protocol("component client of a {}"), ["E0205"]);
    assert_eq!(protocol("component a {} channel c() a -> a channel c() a -> a"), ["E0205"]);
    assert_eq!(protocol("component a { table t(x: int, x: int) }"), ["E0205"]);
    assert_eq!(protocol("component a { table t() event t() }"), ["E0205"]);
    assert_eq!(protocol("component a { table client() }"), ["E0205"]);
    assert_eq!(protocol("param x: int = 1 component a { x(1) :- start() }"), ["E0205"]);
    assert_eq!(protocol("param start: int = 1"), ["E0208"]);
    assert_eq!(protocol("param x: int = 1 channel c(x: int) a -> a component a {}"), ["E0207"]);
    assert_eq!(protocol("component a {} channel c() a -> b"), ["E0202"]);
    assert_eq!(protocol("channel c() a -> a channel d() a -> a"), ["E0202"]);
    assert_eq!(protocol("component a {} channel c() client -> client"), ["E0610"]);
    assert_eq!(protocol("component a {} component b of a {} channel c() client -> b"), ["E0609"]);
    assert_eq!(protocol("component a {} component b of a [2] {} channel c(x: int) a -> b"), ["E0608"]);
    assert_eq!(protocol("component a {} component b of a [2] {} channel c(x: int) a -> b by x"), Vec::<&str>::new());
    assert_eq!(protocol("component a {} component b of a [2] {} channel c(x: int) a -> b by y"), ["E0202"]);
    assert_eq!(protocol("component a {} component b of a [2] {} channel c(x: int) a -> b by x + \"\""), ["E0301"]);
    assert_eq!(protocol("component a {} component b of a {} channel c(x: int) a -> b by x"), ["E0608"]);
    assert_eq!(protocol("component a {} component b of a [1] {} channel c(x: int) a -> b by x"), Vec::<&str>::new());
    assert_eq!(protocol("component a [0] {}"), ["E0701"]);
    assert_eq!(protocol("component a [1 - 2] {}"), ["E0701"]);
    assert_eq!(protocol("component a [1 / 0] {}"), ["E0303"]);
    assert_eq!(protocol("component a [10001] {}"), ["E0701"]);
    assert_eq!(protocol("component a [6000] {} component b of a [6000] {}"), ["E0702"]);
    assert_eq!(protocol("fault omission 0 of a component a {}"), Vec::<&str>::new());
    assert_eq!(protocol("fault omission 2 of a component a {}"), ["E0703"]);
    assert_eq!(protocol("fault omission 1 of b component a {}"), ["E0202"]);
    assert_eq!(protocol("fault omission 1 of client"), ["E0704"]);
    assert_eq!(protocol("fault crash 1 of a fault crash 1 of a fault restart 1 of a"), ["E0205"]);
    assert_eq!(protocol("param x: node = 1"), ["E0304"]);
    assert_eq!(protocol("param x: int = \"\""), ["E0301"]);
    assert_eq!(protocol("param x: int = 9223372036854775807 + 1"), ["E0303"]);
    assert_eq!(protocol("param x: int = -9223372036854775808"), Vec::<&str>::new());
    assert_eq!(protocol("param x: int = 9223372036854775808"), ["E0103"]);
}

#[test]
fn several_syntax_errors_are_reported_at_once() {
    let text = "protocol p\nrole [2]\nrole a\ncomponent a {\n  table t(x)\n  t(x :- start()\n  t(1) :- start()\n  r() :- \n}\nfault sloth 1 of a\n";
    assert_eq!(codes_of(text), ["E0101"; 5]);
}

#[test]
fn overrides_hold_instead_of_defaults() {
    let source = Source::new("test.ded", around("t(x) :- ask(x, _)"));
    let given = [menard_lang::parse_override("n=5").unwrap_or_else(|errors| panic!("{errors}"))];
    let program = compile(&source, &given).unwrap_or_else(|errors| panic!("{errors}")).program;
    assert_eq!(program.role("b").map(|role| role.nodes), Some(5));
    assert_eq!(program.physical_nodes(), 6);
    for (given, code) in [("n=true", "E0301"), ("m=1", "E0210"), ("n=0", "E0701")] {
        let given = [menard_lang::parse_override(given).unwrap_or_else(|errors| panic!("{errors}"))];
        let errors = compile(&source, &given).expect_err("the value does not fit");
        assert_eq!(errors.iter().map(|error| error.code.name()).collect::<Vec<_>>(), [code]);
    }
}

#[test]
fn suspicious_rules_draw_warnings() {
    let warnings = |rules: &str| {
        let compiled =
            compile(&Source::new("test.ded", around(rules)), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        compiled.warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    assert!(warnings("t(x) :- ask(x, y)").contains(&"the variable `y` is used once".to_owned()));
    assert!(!warnings("t(x) :- ask(x, _y)").iter().any(|message| message.contains("used once")));
    assert!(warnings("t(x) :- ask(x, _)").contains(&"nothing is ever deleted from the table `t`".to_owned()));
    assert!(warnings("t(x) :- ask(x, _)").contains(&"the relation `t` is never read".to_owned()));
    assert!(warnings("t(x) :- ask(x, _)").contains(&"`a` never sends `say`".to_owned()));
    assert!(warnings("t(x) :- ask(x, _)").contains(&"`a` never reads `tell`".to_owned()));
    assert!(warnings("say(1)@p :~ t(_), b(p)").contains(&"the relation `t` is never filled".to_owned()));
}

#[test]
fn records_that_nothing_uses_draw_a_warning() {
    let unused = |items: &str, rule: &str| {
        let text = format!(
            "protocol p {items} role client external role a channel ask(x: int) client -> a
             channel answer(x: int) a -> client component a {{ {rule} }}"
        );
        let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let messages = compiled.warnings.iter().map(|warning| warning.message.clone());
        messages.filter(|message| message.contains("record")).collect::<Vec<_>>()
    };
    let echo = "answer(x)@c :~ ask(x) from c";
    let never = |name: &str| format!("the record `{name}` is never used");
    assert_eq!(unused("record r(x: int)", echo), [never("r")]);
    assert_eq!(unused("record r(x: int) record s(r: r)", echo), [never("s")]);
    assert_eq!(unused("record r(x: int)", "answer(y.x)@c :~ ask(x) from c, y = r { x: x }").len(), 0);
    assert_eq!(unused("record r(x: int)", "table t(y: list<r>) answer(x)@c :~ ask(x) from c, t(_)").len(), 0);
    assert_eq!(unused("record r(x: int)", "answer(x)@c :~ ask(x) from c, r { x: x }.x > 3").len(), 0);
    assert_eq!(unused("record r(x: int) channel no(y: option<r>) client -> a", echo).len(), 0);
}
