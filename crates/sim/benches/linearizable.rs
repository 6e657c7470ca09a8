//! How long it takes to check a history: `cargo bench -p menard-sim --bench linearizable`. 10,000 operations of 20 clients, each with one under way, are
//! spread over 1 to 1,000 keys, half of them reads; key by key and as one map. Medians of repetitions, by the clock of the wall.
#![allow(clippy::disallowed_methods, reason = "benchmarks read a clock")]

use std::collections::BTreeMap;
use std::time::Instant;

use menard_sim::linearizable::{Access, Answer, Call, Model, Registers, Verdict, check};
use menard_value::Value;

const CALLS: usize = 10_000;
const CLIENTS: usize = 20;
const REPETITIONS: usize = 5;

/// The map as a whole: operations on all keys see each other.
struct Whole;

impl Model for Whole {
    type Operation = Access;
    type Answer = Answer;
    type State = BTreeMap<Value, Value>;
    type Part = ();

    fn part(&self, _: &Access) {}

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn after(&self, state: &Self::State, operation: &Access, answer: Option<&Answer>) -> Option<Self::State> {
        let value = state.get(operation.key()).cloned();
        let mut after = state.clone();
        match Registers.after(&value, operation, answer)? {
            Some(value) => after.insert(operation.key().clone(), value),
            None => after.remove(operation.key()),
        };
        Some(after)
    }

    fn is_read(&self, operation: &Access, answer: Option<&Answer>) -> bool {
        Registers.is_read(operation, answer)
    }
}

fn main() {
    for keys in [1, 10, 100, 1_000] {
        let history = history(keys, 0);
        let apart = milliseconds(&Registers, &history);
        let whole = milliseconds(&Whole, &history);
        println!("{keys} keys: {apart:.1} ms key by key, {whole:.1} ms as a whole: {:.0} times", whole / apart);
    }
    let lost = history(100, 10);
    println!("100 keys, 1 of 10 writes without an answer: {:.1} ms key by key", milliseconds(&Registers, &lost));
}

/// What one copy answers. Of `lost` writes one has no answer, none if that is 0.
fn history(keys: usize, lost: usize) -> Vec<Call<Access, Answer>> {
    let mut states: BTreeMap<usize, Value> = BTreeMap::new();
    let mut random = 1u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).expect("31 bits fit") % limit
    };
    let mut calls = Vec::new();
    for number in 0..CALLS {
        let key = below(keys);
        let name = Value::Int(i64::try_from(key).expect("it is small"));
        let (operation, answer) = match below(2) {
            0 => (Access::Get { key: name }, Answer::Found(states.get(&key).cloned())),
            _ => {
                let value = Value::Int(i64::try_from(number).expect("it is small"));
                states.insert(key, value.clone());
                (Access::Put { key: name, value }, Answer::Done)
            }
        };
        let is_lost = answer == Answer::Done && lost > 0 && below(lost) == 0;
        // So many operations of other clients take effect between two of one client.
        let (early, late) = (below(50 * CLIENTS), below(50 * CLIENTS));
        let moment = 100 * (number + CLIENTS);
        let time = |moment: usize| u64::try_from(moment).expect("it is small");
        let end = (!is_lost).then(|| (time(moment + late), answer));
        calls.push(Call { operation, begin: time(moment - early), end });
    }
    calls
}

fn milliseconds<M: Model<Operation = Access, Answer = Answer>>(model: &M, history: &[Call<Access, Answer>]) -> f64 {
    let mut took: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            match check(model, history) {
                Verdict::Linearizable => {}
                Verdict::Not(conflict) => panic!("a history by construction: {conflict:?}"),
                Verdict::Unknown { configurations } => println!("  given up after {configurations} configurations"),
            }
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[REPETITIONS / 2]
}
