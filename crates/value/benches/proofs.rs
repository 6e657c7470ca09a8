//! What signatures and MACs cost real nodes, a call each, over a number and 64 bytes. `cargo bench -p menard-value --bench proofs`.

#![allow(clippy::disallowed_methods, reason = "benchmarks measure time")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use menard_value::{Function, Keyring, Node, SecretKey, Value};

const ROUNDS: u32 = 7;
const CALLS: u32 = 500;
const NODES: u32 = 500;

fn main() {
    install();
    let [me, other] = [0, 1].map(|index| Value::node(0, index));
    let what = [Value::Int(7), Value::bytes(&[3; 64])];
    let with = |first: &[Value]| [first, &what].concat();
    let signature = call("sign", &with(std::slice::from_ref(&me)));
    let mac = call("mac", &with(&[other.clone(), me.clone()]));
    let costs = [
        ("sign", with(std::slice::from_ref(&me))),
        ("verify", with(&[signature, me.clone()])),
        ("mac", with(&[me.clone(), other.clone()])),
        ("verify_mac", with(&[mac, other, me.clone()])),
    ];
    for (name, args) in costs {
        let ns = least_ns(CALLS, &mut || (0..CALLS).for_each(|_| drop(black_box(call(name, &args)))));
        println!("{name:>10}  {ns:>8.0} ns");
    }
    // A key that is not known yet is agreed upon.
    let first = least_ns(NODES - 1, &mut || {
        install();
        (1..NODES).for_each(|index| drop(black_box(call("mac", &with(&[me.clone(), Value::node(0, index)])))));
    });
    println!(" first mac  {first:>8.0} ns");
}

/// The keyring of a thread that has the keys of the first two of many nodes.
fn install() {
    thread_local! {
        static KEYRING: Arc<Keyring> = keyring();
    }
    KEYRING.with(|keyring| keyring.clone().install());
}

fn keyring() -> Arc<Keyring> {
    let key = |index: u32| {
        let mut secret = [5; 32];
        secret[..4].copy_from_slice(&index.to_le_bytes());
        (Node { role: 0, index }, SecretKey::new(&secret))
    };
    let public = (0..NODES).map(key).map(|(node, key)| (node, key.public())).collect();
    Arc::new(Keyring { public: Arc::new(public), secret: (0..2).map(key).collect() })
}

fn call(name: &str, args: &[Value]) -> Value {
    let function = Function::find(name).expect("it is in the table").get().real();
    function.call(args).expect("the keys are there")
}

/// How long one of so many calls takes, in the best of some rounds.
fn least_ns(calls: u32, run: &mut dyn FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
