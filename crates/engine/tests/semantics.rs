//! What each construct means, step by step.

/// A program of one role with two channels from clients and two back to the node itself.
fn program(rules: &str) -> String {
    format!(
        "protocol test role client external role node[2]
         channel a(x: int) client -> node  channel b(x: int, y: int) client -> node
         channel o(x: int) node -> node  channel p(x: int, y: int) node -> node
         component node {{ {rules} }}"
    )
}

/// Whether the checker refuses the rules with this code.
fn is_refused(rules: &str, code: &str) -> bool {
    let source = menard_lang::source::Source::new("test.ded", program(rules));
    menard_lang::compile(&source, &[]).is_err_and(|errors| errors.to_string().contains(code))
}

#[test]
fn recursion_that_cannot_be_maintained_is_refused() {
    // A view in a cycle that shrinks when `u` grows.
    let view = "table t(x: int) table u(x: int)
        v(x) :- t(x), !u(x)
        t(y) :- v(x), b(x, y)
        u(x) :- a(x)";
    assert!(is_refused(view, "E0506"));
    // A table in a cycle that would have to be refilled after a deletion.
    let table = "table t(x: int) table w(x: int)
        t(x) :- w(x)
        w(y) :- t(x), b(x, y)
        delete t(x) :+ a(x)";
    assert!(is_refused(table, "E0506"));
}
