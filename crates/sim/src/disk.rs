//! The disk of a physical node: what it has of the node's durable tables, and the turns that it does not have yet.
//!
//! A turn that changed durable tables waits until it is on the disk, and what it sent to other physical nodes waits with it; so does what later
//! turns send. The disk takes turns in their order, whole. A node that restarts has what the disk has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_engine::{Node as Engine, Outputs};
use menard_lang::ir::Name;
use menard_value::Value;

use crate::log::PacketId;

/// A fact of a durable table, by the table's position in the plan.
type Fact = (u16, Vec<Value>);

/// A disk.
#[derive(Clone, Default, Debug)]
pub(crate) struct Disk {
    facts: BTreeSet<Fact>,
    waiting: VecDeque<Waiting>,
    /// What the turn that goes on has changed: for each fact, what its first and its last change say.
    changes: BTreeMap<Fact, (bool, bool)>,
}

/// A turn that is not on the disk yet.
#[derive(Clone, Debug)]
struct Waiting {
    changes: Vec<(Fact, bool)>,
    /// What leaves when it is.
    held: Vec<PacketId>,
}

impl Disk {
    /// Back to an empty disk.
    pub fn clear(&mut self) {
        self.facts.clear();
        self.waiting.clear();
        self.changes.clear();
    }

    /// Notes what a step changed.
    pub fn add(&mut self, outputs: &Outputs) {
        for change in outputs.changes() {
            let begins = change.begins;
            let entry = self.changes.entry((change.table, change.fact.to_vec())).or_insert((begins, begins));
            entry.1 = begins;
        }
    }

    /// A turn ends; whether it waits for the disk. What comes and goes within a turn is no change.
    pub fn end_turn(&mut self) -> bool {
        // The first change of a fact says what was before; if the last one says the same as the first, it is different now.
        let changes = std::mem::take(&mut self.changes).into_iter();
        let changes: Vec<(Fact, bool)> =
            changes.filter(|(_, (first, last))| first == last).map(|(fact, (_, last))| (fact, last)).collect();
        let waits = !changes.is_empty();
        if waits {
            self.waiting.push_back(Waiting { changes, held: Vec::new() });
        }
        waits
    }

    /// Holds back a message until the disk has all turns.
    pub fn hold(&mut self, packet: PacketId) {
        self.waiting.back_mut().expect("messages wait for turns").held.push(packet);
    }

    /// How many turns the disk does not have yet.
    pub fn behind(&self) -> usize {
        self.waiting.len()
    }

    /// The disk has one more turn; gives what leaves now. `None` if no turn waits.
    pub fn sync(&mut self) -> Option<Vec<PacketId>> {
        let Waiting { changes, held } = self.waiting.pop_front()?;
        for (fact, begins) in changes {
            if begins {
                self.facts.insert(fact);
            } else {
                self.facts.remove(&fact);
            }
        }
        Some(held)
    }

    /// The node stops: what waits is lost. Gives the messages that never leave.
    pub fn stop(&mut self) -> Vec<PacketId> {
        self.changes.clear();
        self.waiting.drain(..).flat_map(|turn| turn.held).collect()
    }

    /// Gives a node that has not started what the disk has.
    pub fn load(&self, engine: &mut Engine) {
        let tables: Vec<Name> = engine.plan().durable_tables().cloned().collect();
        for (table, fact) in &self.facts {
            let recovered = engine.recover(&tables[usize::from(*table)], fact);
            recovered.expect("a disk has what the node's own tables had after some turn");
        }
    }
}
