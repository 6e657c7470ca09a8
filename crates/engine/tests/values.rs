//! Values with parts, step by step; functions of the embedding program; signatures and MACs.

mod common;

use std::sync::Arc;

use common::Bench;
use menard_engine::{Node, lower};
use menard_lang::{Source, compile};
use menard_value::{Function, Pattern, Scheme, Signature, Type, UndefinedError, Value, register};

/// A function that a program brings along: the number of ones among the bits, by record.
static EMBEDDED: [Function; 3] = [
    Function {
        name: "count_ones",
        signature: Signature::OneOf(&[Scheme {
            parameters: &[Pattern::Is(Type::Int), Pattern::List(&Pattern::Record("mask"))],
            result: Pattern::Is(Type::Int),
        }]),
        injective: false,
        doc: "ones among the bits of a number that are in a mask",
        eval: |args| match args {
            [Value::Int(number), Value::List(masks)] => {
                let bits = |mask: &Value| mask.fields().and_then(|fields| fields[0].as_int()).ok_or(UndefinedError);
                let mask = masks.iter().map(bits).try_fold(0, |all, mask| Ok(all | mask?))?;
                Ok(Value::Int(i64::from((number & mask).count_ones())))
            }
            _ => Err(UndefinedError),
        },
    },
    Function {
        name: "is_even",
        signature: Signature::OneOf(&[Scheme {
            parameters: &[Pattern::Is(Type::Int)],
            result: Pattern::Is(Type::Bool),
        }]),
        injective: false,
        doc: "whether a number is even",
        eval: |args| args[0].as_int().map(|int| Value::Bool(int % 2 == 0)).ok_or(UndefinedError),
    },
    Function {
        name: "zeros",
        signature: Signature::OneOf(&[Scheme {
            parameters: &[Pattern::Is(Type::Int)],
            result: Pattern::Is(Type::Bytes),
        }]),
        injective: false,
        doc: "so many bytes",
        eval: |args| {
            let length = args[0].as_int().and_then(|int| usize::try_from(int).ok()).ok_or(UndefinedError)?;
            Ok(Value::bytes(&vec![0; length]))
        },
    },
];

fn program(items: &str, rules: &str) -> String {
    format!(
        "protocol test
         {items}
         role client external role node[3]
         channel a(x: int) client -> node  channel b(x: int, y: int) client -> node
         channel o(x: int) node -> node  channel p(x: int, y: int) node -> node
         component node {{ {rules} }}"
    )
}

fn started(rules: &str) -> Bench {
    Bench::started(&program("", rules))
}

fn codes(text: &str) -> Vec<&'static str> {
    let found = compile(&Source::new("test.ded", text), &[]);
    found.err().map(|errors| errors.iter().map(|error| error.code.name()).collect()).unwrap_or_default()
}

#[test]
fn functions_of_the_embedding_program_are_declared_and_called() {
    register(&EMBEDDED);
    let declared = "record mask(bits: int)
                    extern fn count_ones(number: int, masks: list<mask>) -> int cost 20 us
                    extern fn is_even(number: int) -> bool";
    let rules = "o(count_ones(x, [mask { bits: 3 }, mask { bits: 8 }]))@me :~ a(x), is_even(x)";
    let mut node = Bench::started(&program(declared, rules));
    assert_eq!(node.step(&[("a", &[14])]), ["o(2)@1#0"]);
    assert_eq!(node.step(&[("a", &[15])]), [""; 0]);
    for wrong in [
        "extern fn is_odd(number: int) -> bool",
        "extern fn is_even(number: bytes) -> bool",
        "extern fn is_even(number: int) -> bool injective",
    ] {
        assert_eq!(codes(&program(wrong, "t(x) :- a(x)")), ["E0307"], "{wrong}");
    }
    assert_eq!(codes(&program("extern fn size(number: int) -> int", "t(x) :- a(x)"))[0], "E0208");
}

/// What is larger than values may be is not a value, whoever made it: nobody could send it.
#[test]
fn functions_of_the_embedding_program_make_no_values_over_the_limit() {
    register(&EMBEDDED);
    let rules = "o(length(z))@me :~ a(x), z = zeros(x)";
    let mut node = Bench::started(&program("extern fn zeros(number: int) -> bytes", rules));
    assert_eq!(node.step(&[("a", &[1 << 20])]), ["o(1048576)@1#0"]);
    assert_eq!(node.step(&[("a", &[(1 << 20) + 1])]), [""; 0]);
}

#[test]
fn a_quorum_stays_as_long_as_it_can() {
    let mut node =
        started("table t(x: int)  t(x) :- a(x)  t(x) :+ b(_, x)  delete t(x) :+ b(x, _)  q(quorum(2, x)) :- t(x)");
    node.turn(&[("a", &[5])]);
    assert_eq!(node.facts("q"), [""; 0], "one is not enough");
    node.turn(&[("a", &[7]), ("a", &[9])]);
    assert_eq!(node.facts("q"), ["[5, 7]"]);
    node.turn(&[("a", &[1])]);
    assert_eq!(node.facts("q"), ["[5, 7]"], "it does not matter who is less");
    node.turn(&[("b", &[5, 0])]);
    assert_eq!(node.facts("q"), ["[1, 7]"], "the least of those that were there, before the one that comes");
    node.turn(&[("b", &[1, 9]), ("b", &[7, 9]), ("b", &[0, 9])]);
    assert_eq!(node.facts("q"), [""; 0]);
    node.turn(&[("a", &[3])]);
    assert_eq!(node.facts("q"), ["[3, 9]"]);
}

#[test]
fn an_index_numbers_facts_whatever_their_destination() {
    let mut node = started("p(y, index(x))@n :~ b(x, y), node(n), y <= index_of(n)");
    let sent = node.step(&[("b", &[5, 1]), ("b", &[4, 2])]);
    assert_eq!(sent, ["p(1, 1)@1#1", "p(1, 1)@1#2", "p(2, 0)@1#2"]);
    assert_eq!(codes(&program("", "n(x, index()) :- t(x)  table t(x: int)  t(x) :- a(x)")), ["E0404"]);
    assert_eq!(codes(&program("", "n(count(x), index()) :- a(x)")), ["E0404"]);
    assert_eq!(codes(&program("", "table t(x: int)  t(x) :- a(x)  n(quorum(x, x)) :- t(x)")), ["E0404"]);
}

#[test]
fn positions_follow_the_order_of_the_index() {
    let mut node = started("n(y, index(x)) :- b(x, y)  o(10 * y + i)@me :~ n(y, i)");
    let sent = node.step(&[("b", &[3, 1]), ("b", &[1, 2]), ("b", &[2, 3]), ("b", &[0, 3])]);
    assert_eq!(sent, ["o(12)@1#0", "o(21)@1#0", "o(30)@1#0"]);
}

#[test]
fn choices_are_a_matter_of_the_seed() {
    let rules = "table t(x: int)  t(x) :- a(x)  c(choose(x)) :- t(x)";
    let mut chosen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut node = Bench::new(&program("", rules));
        node.node.set_choice_seed(seed);
        node.start();
        node.turn(&[("a", &[4]), ("a", &[5]), ("a", &[6])]);
        let first = node.facts("c");
        node.node.reset();
        node.start();
        node.turn(&[("a", &[6])]);
        node.turn(&[("a", &[5])]);
        node.turn(&[("a", &[4])]);
        assert_eq!(node.facts("c"), first, "equal sets choose equally, however they came about");
        assert!(seed > 0 || first == ["4"], "seed 0 chooses the least");
        chosen.extend(first);
    }
    assert_eq!(chosen.len(), 3, "{chosen:?}");
}

#[test]
fn signatures_are_of_a_node_over_values() {
    let mut node = started(
        "o(1)@me :~ a(x), s = sign(me, x, \"yes\"), verify(s, me, x, \"yes\")
         o(2)@me :~ a(x), s = sign(me, x), node(n), verify(s, n, x), n != me
         o(3)@me :~ a(x), s = sign(me, x), !verify(s, me, x + 1), !verify(s, me, x, x)",
    );
    assert_eq!(node.step(&[("a", &[7])]), ["o(1)@1#0", "o(3)@1#0"]);
    assert_eq!(codes(&program("", "t(sign(n, x)) :- a(x) from n")), ["E0305"]);
}

#[test]
fn macs_are_from_a_node_for_a_node_over_values() {
    let mut node = started(
        "o(1)@me :~ a(x), m = mac(me, me, x, \"yes\"), verify_mac(m, me, me, x, \"yes\")
         o(2)@me :~ a(x), m = mac(me, me, x), node(n), verify_mac(m, n, me, x), n != me
         o(3)@me :~ a(x), m = mac(me, me, x), !verify_mac(m, me, me, x + 1), !verify_mac(m, me, me, x, x)
         macs(x, map(n, mac(me, n, x))) :- a(x), node(n)
         p(x, size(ms))@me :~ macs(x, ms), verify_mac(get(ms, me), me, me, x)",
    );
    assert_eq!(node.step(&[("a", &[7])]), ["o(1)@1#0", "o(3)@1#0", "p(7, 3)@1#0"]);
    for wrong in ["t(mac(n, me, x)) :- a(x) from n", "t(x) :- a(x) from n, m = mac(me, n, x), verify_mac(m, me, n, x)"]
    {
        assert_eq!(codes(&program("", wrong)), ["E0305"], "{wrong}");
    }
}

/// Real nodes encrypt, with a tag for each layer; simulated ones hide, at the same length however many layers there are.
#[test]
fn real_nodes_call_other_functions_than_simulated_ones() {
    let text = program(
        "",
        "o(length(y))@me :~ a(x), y = encrypt(me, me, to_bytes(x), 3), decrypt(me, me, y, 3) == to_bytes(x)
         o(-1)@me :~ a(x), y = encrypt(me, me, to_bytes(x), 3), z = decrypt(me, me, y, 4), length(z) >= 0",
    );
    let mut node = Bench::started(&text);
    assert_eq!(node.step(&[("a", &[7])]), ["o(24)@1#0"]);
    let mut real = Bench::new(&text);
    real.node = Node::new(Arc::new(lower(&real.program, "node").real()), real.node.me());
    real.start();
    assert_eq!(real.step(&[("a", &[7])]), ["o(72)@1#0"]);
    for function in ["encrypt", "decrypt"] {
        assert_eq!(codes(&program("", &format!("t({function}(n, me, 0x00, x)) :- a(x) from n"))), ["E0305"]);
    }
}

#[test]
fn types_of_empty_collections_come_from_their_place() {
    let mut node = started(
        "table l(x: int, l: list<list<int>>)  l(x, []) :- a(x)
         e(x, none()) :- a(x)  e(x, some(y)) :- b(x, y)
         o(size(l))@me :~ new l(_, l)
         o(y)@me :~ e(x, o), y in o",
    );
    assert_eq!(node.turn(&[("a", &[1]), ("b", &[2, 8])]), ["o(0)@1#0", "o(8)@1#0"]);
    assert_eq!(codes(&program("", "t(x, []) :- a(x)")), ["E0302"]);
    assert_eq!(codes(&program("", "t([x]) :- a(x)  t([l]) :- t(l), a(_)")), ["E0301"], "a type within itself");
    assert_eq!(codes(&program("", "o(get([x], x).y)@me :~ a(x)")), ["E0306"]);
    assert_eq!(codes(&program("", "o(y)@me :~ a(x), y in x")), ["E0301"]);
}
