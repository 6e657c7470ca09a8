//! A node: the state of one component.

use std::sync::Arc;

use menard_lang::ir::Name;
use menard_value::Value;
use thiserror::Error;

use crate::hash::Seed;
use crate::plan::Plan;
use crate::state::State;
use crate::{Inputs, Outputs};

/// What a node has done, counted; the same for the same inputs on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Steps.
    pub steps: u64,
    /// Lookups of rows by values.
    pub probes: u64,
    /// Rows that joins looked at, and facts derived.
    pub rows_touched: u64,
    /// Messages taken.
    pub messages_in: u64,
    /// Messages sent.
    pub messages_out: u64,
    /// Messages not sent since the node they are for does not exist or does not have the channel's receiving role.
    pub misaddressed: u64,
    /// Calls of functions that were undefined at their arguments.
    pub undefined: u64,
}

/// Why facts of a durable table cannot be given back.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RecoverError {
    /// The component has no such durable table.
    #[error("`{0}` is no durable table")]
    NotDurable(Name),
    /// The fact has not as many values as the table has columns.
    #[error("a fact of `{table}` has {columns} columns, not {values}")]
    Columns {
        /// The table.
        table: Name,
        /// How many columns it has.
        columns: usize,
        /// How many values the fact has.
        values: usize,
    },
    /// The table has the fact already, or a keyed table another one with its key.
    #[error("`{0}` has the fact, or another one of its key")]
    Twice(Name),
    /// The node has taken a step.
    #[error("the node has started already")]
    Started,
}

/// A physical node: it has the facts of its component, and steps.
#[derive(Clone, Debug)]
pub struct Node {
    plan: Arc<Plan>,
    me: menard_value::Node,
    state: State,
}

impl Node {
    /// A node that has not started.
    pub fn new(plan: Arc<Plan>, me: menard_value::Node) -> Node {
        Node::with_seed(plan, me, 0)
    }

    /// A node with a seed for its hash tables: one that remote parties cannot guess keeps them from choosing keys that collide. Results
    /// do not depend on it.
    pub fn with_seed(plan: Arc<Plan>, me: menard_value::Node, seed: u64) -> Node {
        let state = State::new(&plan, me, Seed::new(seed));
        Node { plan, me, state }
    }

    /// Before the first step: what `choose` chooses by. Nodes with the same seed choose the same of equal sets; with seed 0, as a new node
    /// has it, the least.
    pub fn set_choice_seed(&mut self, seed: u64) {
        self.state.groups.iter_mut().for_each(|groups| groups.choice_seed = seed);
    }

    /// Forgets everything but its choice seed: the node has not started. Its memory stays for what comes.
    pub fn reset(&mut self) {
        self.state.reset(&self.plan);
    }

    /// Before the first step: gives a durable table a fact that it had when the node stopped. The fact holds from the beginning of the
    /// first step on, in which it is new. The fact's values have the types of the table's columns.
    pub fn recover(&mut self, table: &str, fact: &[Value]) -> Result<(), RecoverError> {
        let durable = self.plan.durable.iter().copied().find(|&store| self.plan.stores[store].name == table);
        let store = durable.ok_or_else(|| RecoverError::NotDurable(table.into()))?;
        let arity = self.plan.stores[store].arity;
        if self.state.started {
            Err(RecoverError::Started)
        } else if arity != fact.len() {
            Err(RecoverError::Columns { table: table.into(), columns: arity, values: fact.len() })
        } else if !self.state.recover(&self.plan, store, fact) {
            Err(RecoverError::Twice(table.into()))
        } else {
            Ok(())
        }
    }

    /// Takes a step. What it did replaces what is in `outputs`.
    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        outputs.clear();
        self.state.step(&self.plan, inputs, outputs);
    }

    /// What the node has done so far.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// Counts from now on how often each rule fires, through resets too.
    pub fn count_firings(&mut self) {
        self.state.fired = Some(vec![0; self.plan.rules]);
    }

    /// For each rule of the component, in the order of the program, how often it fired since it was asked last: in how many new ways its body
    /// was satisfied. Starts again from 0. Nothing unless [counted](Self::count_firings).
    pub fn take_firings(&mut self, mut each: impl FnMut(usize, u64)) {
        for (rule, times) in self.state.fired.iter_mut().flatten().enumerate() {
            if *times > 0 {
                each(rule, std::mem::take(times));
            }
        }
    }

    /// The plan that the node runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The logical node that it is part of.
    pub fn me(&self) -> menard_value::Node {
        self.me
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }
}
