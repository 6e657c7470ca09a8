//! **P2, partitioning with dependencies**: as co-hashing, but keys are computed from columns, and equal if what is known about relations says so.
//!
//! *When allowed.* For component C:
//! * P2.1 No external or native role sends to C: their nodes know one address.
//! * P2.2 Every rule of C reads something that is not constant (rules that derive constants aside): otherwise every partition would do
//!   what one node did.
//! * P2.3 There are keys: a term over the columns of each relation that C reads, such that literals which meet in a rule, deletions and heads
//!   that C reads included, have equal terms there: equal in every solution of the rule, given its equations and the functional
//!   dependencies of what it reads. What is known of absent and deleted facts is used for them alone.
//! * P2.4 Facts that are aggregated together have the same key: it follows from the arguments that the aggregate groups by.
//! * P2.5 A `:~` rule over state alone tells its key in its message, and where nodes restart with durable tables so does one that a start may set off; if several such rules send on one channel, all by the same term over
//!   the message.
//! * P2.6 Where nodes may lie, a partition verifies that a message is for it; all of a node crash and restart as one.
//! * P2.7 The key of a keyed table is a term over the columns of the table's own key.
//! * P2.8 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//!
//! *Mechanism.* As co-hashing: the component gets a number of partitions, and every channel that it receives the term by which its messages
//! are routed. The sender computes it.
//!
//! *Example.* `partition store by hash(value) into 3`: values that are kept by their hashes go to where what has the same hash is.
//!
//! *Why it is correct.* As co-hashing; a dependency holds of every fact, by induction over when facts come about. Facts for which the term has
//! no value are on the first partition, and equal terms have no value together.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", partitioning with dependencies; what is said of absent facts, of
//! terms without a value, of messages that state holds and of keyed tables is ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use menard_lang::ir::{Name, Program};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::partition::{
    self, Partitioning, Permit, co_hashed, driven, faults, grouped, starts, told, unaddressed, within_keys,
};
use super::{Misfit, Rewrite};
use crate::analysis::dependencies::Dependencies;
use crate::precondition::{Precondition, Proofs};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct PartitionDependencies;

impl Rewrite for PartitionDependencies {
    type Site = Partitioning;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "dependencies"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/dependencies.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Partitioning>] {
        PRECONDITIONS
    }

    fn sites(&self, program: &Program) -> Vec<Partitioning> {
        partition::sites(program, Some(&Arc::new(Dependencies::of(program))))
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Partitioning, Misfit>> {
        let LineKind::Partition { with: None, .. } = line else { return None };
        partition::site(program, line, Some(Arc::new(Dependencies::of(program))))
    }

    fn permit(&self, program: &Program, site: &Partitioning, proofs: Proofs) -> Permit {
        partition::permit(program, site, proofs, ["P2.3", "P2.4", "P2.5", "P2.7"])
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
    Precondition { id: "P2.1", statement: "no external or native role sends to the component", check: unaddressed },
    Precondition { id: "P2.2", statement: "every rule reads something that is not constant", check: driven },
    Precondition {
        id: "P2.3",
        statement: "every relation that is read has a key, a term over its columns, and facts that meet in a rule have equal keys",
        check: co_hashed,
    },
    Precondition { id: "P2.4", statement: "aggregates group by the key", check: grouped },
    Precondition {
        id: "P2.5",
        statement: "a message sent for as long as state holds, or by the start of a restarted node, tells the key of that state",
        check: told,
    },
    Precondition {
        id: "P2.6",
        statement: "where nodes may lie, a partition takes nothing that is for another one",
        check: faults,
    },
    Precondition {
        id: "P2.7",
        statement: "the key is a term over the key columns of every keyed table that is read, and windows are not partitioned",
        check: within_keys,
    },
    Precondition {
        id: "P2.8",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
];
