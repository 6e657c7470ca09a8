//! Keys that are computed: what is found, what it is routed by, and that it refines.

mod common;

use common::{apply_by, apply_without, program, refine};
use menard_lang::Program;
use menard_lang::print::{channel, exprs};
use menard_opt::rewrite::Rewrite;
use menard_opt::rewrite::partition_dependencies::PartitionDependencies;
use menard_value::{Function, Pattern, Scheme, Signature, Type, UndefinedError, Value};

const CHANNELS: &str = "
protocol example
role client external
role server
role store[2]
channel put(k: int, v: int)             client -> server
channel ask(k: int)                     client -> server
channel note(z: int, k: int, v: int)    server -> store
channel query(k: int)                   server -> store
channel found(k: int, v: int)           store -> server
";

fn example(server: &str, store: &str) -> Program {
    program(&format!(
        "{CHANNELS}
         component server {{ {server} known(k, v) :- found(k, v) }}
         component store {{ {store} }}"
    ))
}

/// The channels that the stores receive after a line, which must be this rewrite's and refine.
fn routed(original: &Program, line: &str) -> Vec<String> {
    let stage = apply_without(original, line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
    assert_eq!(stage.rewrite, "dependencies");
    let report = refine::check(original, std::slice::from_ref(&stage), 300, 12);
    assert!(report.violations.is_empty(), "{:?}\n{}", report.violations.first(), stage.program.source.text);
    assert!(report.channels.get("found").is_some_and(|found| *found > 100), "{:?}", report.channels);
    let received = stage.program.channels.iter().filter(|channel| channel.receiver == "store");
    received.map(|one| channel(one).split(" by ").nth(1).unwrap_or_default().to_owned()).collect()
}

const SENDS: &str = "note(k % 3, k, v)@s :~ put(k, v), store(s)  query(k)@s :~ ask(k), store(s)";
const KEEPS: &str = "table kept(z: int, v: int)  kept(z, v) :+ note(z, _, v)
                     found(k, v)@s :~ query(k), kept(k % 3, v), server(s)";

#[test]
fn what_one_message_says_another_computes() {
    assert_eq!(routed(&example(SENDS, KEEPS), "partition store by k % 3 into 2"), ["k % 3", "k % 3"]);
    assert_eq!(routed(&example(SENDS, KEEPS), "partition store by z into 2"), ["z", "k % 3"]);
    assert_eq!(routed(&example(SENDS, KEEPS), "partition store into 2"), ["z", "k % 3"]);
}

/// The messages meet by `k`, and by `z` with what was kept: both are the key, since the sender computes one of the other.
#[test]
fn dependencies_come_from_the_senders() {
    let keeps = "table kept(z: int, v: int)  kept(z, v) :+ note(z, _, v)
                 table asked(k: int)  asked(k) :+ query(k)
                 found(k, w)@s :~ note(_, k, v), asked(k), w = v, server(s)
                 found(k, v)@s :~ query(k), kept(k % 3, v), server(s)";
    assert_eq!(routed(&example(SENDS, keeps), "partition store by k % 3 into 2"), ["k % 3", "k % 3"]);
    let others = format!("{SENDS}  note(k, k, v)@s :~ put(k, v), store(s), v > 2");
    let original = example(&others, keeps);
    assert!(apply_by(&original, "partition store by k % 3 into 2", "dependencies").is_err(), "two ways to compute `z`");
    let clients = CHANNELS
        .replace("note(z: int, k: int, v: int)    server -> store", "note(z: int, k: int, v: int)    client -> store");
    let original = program(
        &format!(
            "{clients} component server {{ query(k)@s :~ ask(k), store(s) known(k, v) :- found(k, v) }}
         component store {{ got(z, k, v)@me :~ note(z, k, v) }}
         channel got(z: int, k: int, v: int) store -> keeper
         component keeper of store {{ {} }}",
            keeps
                .replace("note(", "got(")
                .replace("query(k)", "got(_, k, _)")
                .replace("found(k, v)@s :~ got(_, k, _), kept", "found(k, v)@s :~ got(_, k, 0), kept")
        )
        .replace("store -> server", "keeper -> server"),
    );
    assert!(
        apply_by(&original, "partition keeper by k % 3 into 2", "dependencies").is_err(),
        "clients may send anything"
    );
}

/// `6 / (k % 3)` has no value for every third key: these are all on the first partition, wherever they come from.
#[test]
fn facts_whose_key_has_no_value_are_together() {
    assert_eq!(routed(&example(SENDS, KEEPS), "partition store by 6 / (k % 3) into 3"), ["6 / (k % 3)", "6 / (k % 3)"]);
    assert_eq!(routed(&example(SENDS, KEEPS), "partition store by 6 / z into 3"), ["6 / z", "6 / (k % 3)"]);
}

#[test]
fn wholes_tell_their_parts() {
    let keeps = "table kept(p: (int, int))  kept((z, v)) :+ note(z, _, v)
                 found(k, p.1)@s :~ query(k), kept(p), p.0 == k % 3, server(s)";
    assert_eq!(routed(&example(SENDS, keeps), "partition store by z into 2"), ["z", "k % 3"]);
}

#[test]
fn dependencies_go_round_in_recursive_rules() {
    let keeps = "table kept(z: int, k: int, v: int)
                 kept(z, k, v) :+ note(z, k, v)
                 kept(z, k, v + 1) :+ kept(z, k, v), query(k), v < 9
                 table held(z: int)  held(z) :- new kept(z, _, _)
                 found(k, v)@s :~ query(k), kept(_, k, v), held(z), z == k % 3, server(s)";
    assert_eq!(routed(&example(SENDS, keeps), "partition store by k % 3 into 2"), ["k % 3", "k % 3"]);
}

/// A function of four values, with none for 1.
fn bucket(args: &[Value]) -> Result<Value, UndefinedError> {
    match args {
        [Value::Int(int)] if *int != 1 => Ok(Value::Int(int.rem_euclid(4))),
        _ => Err(UndefinedError),
    }
}

static BUCKET: [Function; 1] = [Function {
    name: "bucket",
    signature: Signature::OneOf(&[Scheme { parameters: &[Pattern::Is(Type::Int)], result: Pattern::Is(Type::Int) }]),
    injective: false,
    doc: "where a number is kept",
    eval: bucket,
}];

#[test]
fn functions_of_the_embedding_program_compute_keys() {
    menard_value::register(&BUCKET);
    let text = format!(
        "{CHANNELS} extern fn bucket(k: int) -> int
         component server {{ note(bucket(k), k, v)@s :~ put(k, v), store(s)  query(k)@s :~ ask(k), store(s)
                             known(k, v) :- found(k, v) }}
         component store {{ {} }}",
        KEEPS.replace("k % 3", "bucket(k)")
    );
    let original = program(&text);
    assert_eq!(routed(&original, "partition store by bucket(k) into 3"), ["bucket(k)", "bucket(k)"]);
    let undeclared = example(SENDS, KEEPS);
    let error = apply_without(&undeclared, "partition store by bucket(k) into 3", None);
    assert!(error.is_err_and(|error| error.render(false).contains("there is no function `bucket`")));
}

#[test]
fn sites_are_keys_that_work() {
    let original = example(SENDS, KEEPS);
    let sites = PartitionDependencies.sites(&original);
    let sites: Vec<String> = sites.iter().map(|site| format!("{} {}", site.component, exprs(&site.by))).collect();
    assert_eq!(sites, ["server k", "store z", "store k % 3"]);
}
