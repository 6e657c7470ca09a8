//! **P1, partitioning with co-hashing**: a component becomes several nodes with the same rules, and facts that meet go to the same node.
//!
//! *When allowed.* For component C:
//! * P1.1 No external or native role sends to C: their nodes know one address.
//! * P1.2 Every rule of C reads something that is not constant (rules that derive constants aside): otherwise every partition would do
//!   what one node did.
//! * P1.3 There are keys: a column for each relation that C reads, such that literals which meet in a rule, deletions and heads that C
//!   reads included, have the same term there.
//! * P1.4 Facts that are aggregated together have the same key: the key is among the arguments that the aggregate groups by.
//! * P1.5 A `:~` rule over state alone tells its key in its message: such a rule sends when its body begins to hold, and would send once
//!   at every partition. If several such rules send on one channel, all tell it by the same argument: otherwise two partitions could hold
//!   the same message, each by another rule.
//! * P1.6 Where nodes may lie, a partition verifies that a message is for it; all of a node crash and restart as one.
//! * P1.7 The key of a keyed table is among the columns of the table's own key, since candidates for one key meet. So a table without such
//!   columns, the floor of a window among them, is not partitioned, unless it is constant.
//! * P1.8 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//!
//! *Mechanism.* The component gets a number of partitions, and every channel that it receives the key by which its messages are routed.
//! Rules do not change; constants are derived at every partition.
//!
//! *Example.* `partition collector by id into 3`: all votes for a request go to the same collector.
//!
//! *Why it is correct.* Let a step of any partition be a step of the original with the same messages. Facts that can meet the new ones
//! have the same key, so they are on this partition; all others are as they were.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", partitioning with co-hashing; constants, rules without input (P1.2)
//! and repetition (P1.5) are ours.

use std::collections::BTreeSet;

use menard_lang::ir::{Name, Program};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::partition::{
    self, Partitioning, Permit, co_hashed, driven, faults, grouped, starts, told, unaddressed, within_keys,
};
use super::{Misfit, Rewrite};
use crate::precondition::{Precondition, Proofs};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct PartitionCoHash;

impl Rewrite for PartitionCoHash {
    type Site = Partitioning;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "co-hash"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/co_hash.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Partitioning>] {
        PRECONDITIONS
    }

    fn sites(&self, program: &Program) -> Vec<Partitioning> {
        partition::sites(program, None)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Partitioning, Misfit>> {
        let LineKind::Partition { by, with: None, .. } = line else { return None };
        by.iter().all(partition::is_name).then(|| partition::site(program, line, None)).flatten()
    }

    fn permit(&self, program: &Program, site: &Partitioning, proofs: Proofs) -> Permit {
        partition::permit(program, site, proofs, ["P1.3", "P1.4", "P1.5", "P1.7"])
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        partition::apply(program, permit)
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        permit.lifting.schedule(run)
    }

    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.moved()
    }
}

const PRECONDITIONS: &[Precondition<Partitioning>] = &[
    Precondition { id: "P1.1", statement: "no external or native role sends to the component", check: unaddressed },
    Precondition { id: "P1.2", statement: "every rule reads something that is not constant", check: driven },
    Precondition {
        id: "P1.3",
        statement: "every relation that is read has a key, and facts that meet in a rule have equal keys",
        check: co_hashed,
    },
    Precondition { id: "P1.4", statement: "aggregates group by the key", check: grouped },
    Precondition {
        id: "P1.5",
        statement: "a message sent for as long as state holds, or by the start of a restarted node, tells the key of that state",
        check: told,
    },
    Precondition {
        id: "P1.6",
        statement: "where nodes may lie, a partition takes nothing that is for another one",
        check: faults,
    },
    Precondition {
        id: "P1.7",
        statement: "the key is among the key columns of every keyed table that is read, and windows are not partitioned",
        check: within_keys,
    },
    Precondition {
        id: "P1.8",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
];
