//! What can be asked of a node from outside, between steps.

use menard_value::Value;

use crate::hash::Seed;
use crate::marks::Marks;
use crate::node::Node;
use crate::plan::{StoreKind, Target};
use crate::store::Version;
use crate::tuples::Row;

/// A table or view of a node's plan: who asks for one after each step looks its name up once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relation(usize);

/// Views of a node's plan, to ask about all of them at once.
#[derive(Clone, Copy, Debug)]
pub struct Views(Marks);

impl Node {
    /// These relations together.
    ///
    /// # Panics
    ///
    /// If one of them is no view.
    pub fn views(&self, relations: impl IntoIterator<Item = Relation>) -> Views {
        let store = |Relation(store): Relation| {
            assert_eq!(self.plan().stores[store].kind, StoreKind::View, "only views change nowhere but in steps");
            store
        };
        Views(Marks::of(relations.into_iter().map(store)))
    }

    /// Whether the last step may have changed the facts of one of these views. Quick; if it has not, there is no need to look at them.
    pub fn may_have_changed(&self, Views(views): Views) -> bool {
        self.state().changed.meets(views)
    }

    /// The relation with this name; nothing if there is none.
    pub fn relation(&self, name: &str) -> Option<Relation> {
        self.store(name).map(Relation)
    }

    /// Whether a relation of this node's plan has facts, as [`Node::facts`] gives them.
    pub fn has_facts(&self, Relation(store): Relation) -> bool {
        match self.plan().stores[store].kind {
            StoreKind::View => !self.state().stores[store].is_empty(),
            _ => !self.stored_facts(store).is_empty(),
        }
    }

    /// Whether a table or view had this fact in the last step. Quick.
    pub fn has(&self, Relation(store): Relation, fact: &[Value]) -> bool {
        let rows = &self.state().stores[store];
        rows.find(&Row::of(fact)).is_some_and(|row| rows.sees(Version::New, row))
    }

    /// The facts of a table or view, sorted; nothing for events and unknown relations. Tables: as they are after the last step, deletions
    /// and insertions by `:+` included. Views: as they were in it, which is the same once the node is settled.
    pub fn facts(&self, relation: &str) -> Vec<Vec<Value>> {
        let mut facts = match self.store(relation) {
            Some(store) => self.stored_facts(store),
            None => Vec::new(),
        };
        facts.sort_unstable();
        facts
    }

    /// Visits the facts of a view, in no particular order; nothing of other relations.
    pub fn visit(&self, Relation(store): Relation, mut visit: impl FnMut(&[Value])) {
        if self.plan().stores[store].kind == StoreKind::View {
            let rows = &self.state().stores[store];
            rows.rows(Version::New).for_each(|row| visit(rows.row(row)));
        }
    }

    /// Whether [`Node::facts`] gives none.
    pub fn is_empty(&self, relation: &str) -> bool {
        self.relation(relation).is_none_or(|relation| !self.has_facts(relation))
    }

    /// Whether a state-only rule holds this message: it may be sent again.
    pub fn holds(&self, channel: u16, to: menard_value::Node, args: &[Value]) -> bool {
        let plan = self.plan().sent.get(usize::from(channel)).and_then(Option::as_ref);
        let Some(view) = plan.and_then(|plan| plan.held_by) else { return false };
        let tuple: Vec<Value> = std::iter::once(Value::Node(to)).chain(args.iter().cloned()).collect();
        self.state().holds(view, &tuple)
    }

    /// A digest of the whole state, pending changes included, that does not depend on the way in which it came about: two nodes of
    /// one plan with the same fingerprint behave alike, and settled ones with the same tables have the same fingerprint.
    pub fn fingerprint(&self) -> u128 {
        let mut digest = Digest { sum: u128::from(self.state().started) };
        for (store, plan) in self.plan().stores.iter().enumerate() {
            let (rows, next) = (&self.state().stores[store], &self.state().next[store]);
            let number = store as u64 * 4;
            // Of a table whose changes make no difference by themselves, only what comes out of them does.
            if plan.kind == StoreKind::Table && !plan.has_reactions {
                self.stored_facts(store).iter().for_each(|fact| digest.add(number, fact));
                continue;
            }
            if plan.kind == StoreKind::Table {
                for row in rows.rows(Version::New) {
                    digest.add(number + u64::from(rows.is_doomed(row)), rows.row(row));
                }
            }
            let mut plus: Vec<&[Value]> = next.plus.iter().collect();
            plus.sort_unstable();
            plus.dedup();
            plus.into_iter().for_each(|tuple| digest.add(number + 2, tuple));
        }
        for (position, (plan, groups)) in self.plan().aggregates.iter().zip(&self.state().groups).enumerate() {
            for memory in groups.memory(plan, &self.state().stores) {
                digest.add(position as u64 * 4 + 3, &memory);
            }
        }
        digest.sum
    }

    fn store(&self, relation: &str) -> Option<usize> {
        self.plan().stores.iter().position(|store| !store.hidden && store.name == relation)
    }

    fn stored_facts(&self, store: usize) -> Vec<Vec<Value>> {
        let (rows, next) = (&self.state().stores[store], &self.state().next[store]);
        match self.plan().stores[store].kind {
            StoreKind::Event | StoreKind::Role { .. } => Vec::new(),
            StoreKind::View => rows.rows(Version::New).map(|row| rows.row(row).to_vec()).collect(),
            StoreKind::Delta => {
                let aggregates = self.plan().aggregates.iter().zip(&self.state().groups);
                let mut of_view = aggregates.filter(|(plan, _)| plan.target == Target::Count(store));
                of_view.next().map(|(plan, groups)| groups.facts(plan, &self.state().stores)).unwrap_or_default()
            }
            StoreKind::Table => {
                let stays = rows.rows(Version::New).filter(|&row| !rows.is_doomed(row));
                let mut facts: Vec<Vec<Value>> = stays.map(|row| rows.row(row).to_vec()).collect();
                let mut plus: Vec<Vec<Value>> = next.plus.iter().map(<[Value]>::to_vec).collect();
                plus.sort_unstable();
                plus.dedup();
                facts.append(&mut plus);
                facts
            }
        }
    }
}

/// A sum of hashes.
struct Digest {
    sum: u128,
}

impl Digest {
    fn add(&mut self, tag: u64, tuple: &[Value]) {
        let half =
            |seed: u64| u128::from(Seed::new(seed).tuple([&Value::Int(tag.cast_signed())].into_iter().chain(tuple)));
        self.sum = self.sum.wrapping_add(half(1) << 64 | half(2));
    }
}
