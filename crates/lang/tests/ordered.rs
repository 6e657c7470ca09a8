//! Ordered channels: what they become, and what is refused.

use menard_lang::print::{relation, rule};
use menard_lang::{Program, Source, compile, compile_text, print};

fn text(channel: &str, members: &str) -> String {
    format!(
        "protocol p
        role client external
        role disk native
        role a
        channel put(x: bytes, n: int) client -> {channel}
        channel got(x: bytes) a -> client
        component a {{
            {members}
            got(x)@c :~ put(x, _) from c
        }}"
    )
}

fn codes(channel: &str, members: &str) -> Vec<&'static str> {
    match compile(&Source::new("test.ded", text(channel, members)), &[]) {
        Ok(compiled) => compiled.warnings.iter().map(|warning| warning.code.name()).collect(),
        Err(errors) => errors.iter().map(|error| error.code.name()).collect(),
    }
}

#[test]
fn an_ordered_channel_is_tables_and_rules() {
    let members = "r(x) :- put(x, 7), !put(0x00, _)\ngot(x)@me2 :~ r(x), put(_, n) from me2, !(put(x, m), m < n)";
    let program = compile_text(&text("a ordered by n", members));
    let component = program.component("a").expect("there is one");
    let declared: Vec<String> = component.relations.iter().filter(|one| one.declared).map(relation).collect();
    assert_eq!(
        declared,
        [
            "table put_done(=> n: int) max",
            "window table put_waiting(n: int => x: bytes, sender: node) first above put_done"
        ]
    );
    let rules: Vec<String> = component.rules.iter().map(rule).collect();
    assert_eq!(
        rules,
        [
            "r(x) :- put_in_order(x, 7, _), !put_in_order(0x00, _, _)",
            "got_unless(x, n) :- put_in_order(x, m, _), m < n, r(x), put_in_order(_, n, _)",
            "got(x)@me2 :~ r(x), put_in_order(_, n, me2), !got_unless(x, n)",
            "got(x)@c :~ put_in_order(x, _, c)",
            "put_done(-1) :- start()",
            "put_waiting(n, x, sender) :- put(x, n) from sender, put_done(last), n <= last + 5000",
            "put_due(x, last + 1, sender) :- put_done(last), put_waiting(last + 1, x, sender)",
            "put_in_order(x, n, sender) :- new put_due(x, n, sender)",
            "put_done(n) :+ new put_due(_, n, _)",
        ]
    );
    let again = compile_text(&print(&program));
    assert_eq!(again, Program { source: again.source.clone(), ..program });
}

#[test]
fn a_register_of_ones_own_decides_where_to_go_on() {
    let program = compile_text(&text(
        "a ordered by n above done",
        "durable table done(=> n: int) max\ndone(5) :+ got2()\ngot2() :- start()",
    ));
    let component = program.component("a").expect("there is one");
    let waiting = component.relation("put_waiting").expect("messages wait");
    assert_eq!((waiting.storage.durable, waiting.storage.above.as_deref()), (true, Some("done")));
    assert!(component.relation("put_done").is_none());
    assert_eq!(codes("a ordered by n above done", "table done(=> n: int) max"), Vec::<&str>::new());
    assert_eq!(codes("a ordered by n above done", "table done(n: int)"), ["E0513"]);
    assert_eq!(codes("a ordered by n above done", "table put_waiting(n: int)\nput_waiting(1) :- start()").len(), 1);
}

#[test]
fn columns_may_have_names_of_roles() {
    let text = "protocol p role c external role a channel put(n: int, c: node) c -> a ordered by n \
                channel got(n: int) a -> c component a { got(n)@d :~ put(n, d) }";
    let program = compile_text(text);
    let again = compile_text(&print(&program));
    assert_eq!(again, Program { source: again.source.clone(), ..program });
}

#[test]
fn only_numbers_put_in_order() {
    assert_eq!(codes("a ordered by n", ""), Vec::<&str>::new());
    assert_eq!(codes("a ordered by x", ""), ["E0618"]);
    assert_eq!(codes("a ordered by m", ""), ["E0618"]);
    assert_eq!(codes("a ordered by n serial", "")[..1], ["E0101"]);
    let text =
        "protocol p role disk native role a channel c(n: int) a -> disk ordered by n component a { c(1)@d :~ disk(d) }";
    let errors = compile(&Source::new("test.ded", text), &[]).expect_err("a disk has no rules");
    assert_eq!(errors.iter().map(|error| error.code.name()).collect::<Vec<_>>(), ["E0618"]);
}

#[test]
fn a_restart_needs_a_durable_register() {
    let with_fault = |channel: &str, members: &str| {
        let text = text(channel, members).replace("role a\n", "role a fault restart 1 of a\n");
        let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        compiled.warnings.iter().map(|warning| warning.code.name()).collect::<Vec<_>>()
    };
    assert_eq!(with_fault("a ordered by n", ""), ["E0619"]);
    assert_eq!(with_fault("a ordered by n above d", "table d(=> n: int) max"), ["E0619"]);
    assert_eq!(with_fault("a ordered by n above d", "durable table d(=> n: int) max"), Vec::<&str>::new());
}
