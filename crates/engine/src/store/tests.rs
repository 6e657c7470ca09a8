//! Stores against sets: random insertions, deletions and steps.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Value;

use super::{NONE, Store, Version};
use crate::hash::Seed;
use crate::tuples::Row;

/// A small generator, for choices that need no shrinking.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Keys of very different sizes: those of 0 have many rows.
    fn tuple(&mut self) -> [Value; 2] {
        let key = self.below(4) * self.below(30);
        [Value::Int(key.cast_signed()), Value::Int(self.below(40).cast_signed())]
    }
}

type Facts = BTreeSet<[Value; 2]>;

fn facts(store: &Store, version: Version) -> Facts {
    let row = |row: u32| <[Value; 2]>::try_from(store.row(row).to_vec()).expect("two columns");
    store.rows(version).map(row).collect()
}

/// Looks into an index for all facts of a key.
fn of_key(store: &Store, index: usize, key: &Value) -> Facts {
    let index = store.index(index);
    let found = index.find_key(store.seed().tuple([key]), |row| store.row(row)[0] == *key);
    let mut row = found.map_or(NONE, |key| index.first(key));
    let mut facts = Facts::new();
    while row != NONE {
        if store.sees(Version::New, row) {
            facts.insert(<[Value; 2]>::try_from(store.row(row).to_vec()).expect("two columns"));
        }
        row = index.next(row);
    }
    facts
}

fn insert(store: &mut Store, facts: &mut Facts, random: &mut Random) {
    for _ in 0..random.below(4) {
        let tuple = random.tuple();
        assert_eq!(store.insert(&Row::of(&tuple)).is_some(), facts.insert(tuple));
    }
}

fn check(indexes: &[Vec<u16>]) {
    let (mut store, mut random) = (Store::new(2, false, indexes, Seed::new(1)), Random(7));
    let (mut old, mut new) = (Facts::new(), Facts::new());
    for round in 1..1_500 {
        insert(&mut store, &mut new, &mut random);
        // Sometimes most of what is there goes, so that keys with many rows become small again.
        for _ in 0..if round % 500 == 0 { 400 } else { random.below(6) } {
            let tuple = random.tuple();
            if new.remove(&tuple) {
                let row = store.find(&Row::of(&tuple)).expect("a fact that holds is found");
                store.doom(row);
                store.execute(row);
            }
        }
        insert(&mut store, &mut new, &mut random);
        assert_eq!(facts(&store, Version::Added), new.difference(&old).cloned().collect());
        assert_eq!(facts(&store, Version::Removed), old.difference(&new).cloned().collect());
        if !indexes.is_empty() {
            let key = random.tuple()[0].clone();
            assert_eq!(of_key(&store, 0, &key), new.iter().filter(|fact| fact[0] == key).cloned().collect());
        }
        store.commit(false);
        old.clone_from(&new);
        let tuple = random.tuple();
        assert_eq!(store.find(&Row::of(&tuple)).is_some(), new.contains(&tuple));
        assert_eq!(facts(&store, Version::New), new);
    }
    assert!(new.iter().filter(|fact| fact[0] == Value::Int(0)).count() > 8, "some key has many rows");
}

#[test]
fn a_store_is_a_set_with_two_versions() {
    check(&[]);
}

#[test]
fn an_indexed_store_is_a_set_with_two_versions() {
    check(&[vec![0]]);
    check(&[vec![0], vec![1]]);
}

#[test]
fn derivations_are_counted() {
    let (mut store, mut random) = (Store::new(2, true, &[vec![0]], Seed::new(1)), Random(3));
    let mut counts: BTreeMap<[Value; 2], u32> = BTreeMap::new();
    for _ in 0..20_000 {
        let tuple = random.tuple();
        let count = counts.entry(tuple.clone()).or_insert(0);
        if random.below(2) == 0 {
            *count += 1;
            assert_eq!(store.increment(&Row::of(&tuple)), *count == 1);
        } else if *count > 0 {
            *count -= 1;
            assert_eq!(store.decrement(&Row::of(&tuple)), *count == 0);
        }
        if random.below(5) == 0 {
            store.commit(false);
        }
    }
    let held = counts.into_iter().filter(|(_, count)| *count > 0).map(|(fact, _)| fact).collect();
    assert_eq!(facts(&store, Version::New), held);
}
