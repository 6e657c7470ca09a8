//! What the disks of nodes have, followed along a run: which turns wait for them, and which messages wait with these turns.

use std::collections::VecDeque;

use menard_lang::ir::{Component, Name};

use super::rounds::Rows;

/// The disk of a node.
#[derive(Clone, Default, Debug)]
pub(super) struct Paper {
    durable: Vec<Name>,
    /// What it has.
    written: Rows,
    /// Turns that it does not have yet.
    turns: VecDeque<Turn>,
    /// The durable tables at the beginning of the last turn.
    base: Rows,
    /// The durable tables now.
    now: Rows,
    /// The messages of the last turn, as long as it may go on.
    open: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Turn {
    rows: Rows,
    held: Vec<usize>,
}

impl Paper {
    /// An empty disk for a node of this component.
    pub fn new(component: &Component) -> Self {
        let durable = component.relations.iter().filter(|relation| relation.storage.durable);
        Paper { durable: durable.map(|relation| relation.name.clone()).collect(), ..Paper::default() }
    }

    /// A step of a turn is over: it left these tables and sent these messages.
    pub fn step(&mut self, tables: &Rows, sent: &[usize]) {
        let durable = tables.iter().filter(|(name, _)| self.durable.contains(name));
        self.now = durable.map(|(name, rows)| (name.clone(), rows.clone())).collect();
        self.open.extend(sent);
    }

    /// The turn is over. Gives the messages that wait for the disk from now on.
    pub fn close(&mut self) -> Vec<usize> {
        let open = std::mem::take(&mut self.open);
        let is_same = |name: &Name| {
            let rows = |rows: &Rows| rows.get(name).cloned().unwrap_or_default();
            rows(&self.base) == rows(&self.now)
        };
        if !self.durable.iter().all(is_same) {
            self.base.clone_from(&self.now);
            self.turns.push_back(Turn { rows: self.now.clone(), held: Vec::new() });
        }
        match self.turns.back_mut() {
            Some(last) => {
                last.held.extend(&open);
                open
            }
            None => Vec::new(),
        }
    }

    /// The disk has one more turn. Gives the messages that leave.
    pub fn sync(&mut self) -> Vec<usize> {
        let Some(turn) = self.turns.pop_front() else { return Vec::new() };
        self.written = turn.rows;
        turn.held
    }

    /// The node begins anew, with what the disk has.
    pub fn restart(&mut self) -> Rows {
        self.turns.clear();
        self.base.clone_from(&self.written);
        self.now.clone_from(&self.written);
        self.written.clone()
    }
}
