//! The one list of rewrites. Adding a rewrite is one file, one line here, one page of the book.

use std::collections::BTreeSet;
use std::sync::Arc;

use menard_lang::ir::{Name, Program};
use menard_lang::plan::LineKind;
use menard_lang::run::{Lift, Schedule, Trace};

use crate::precondition::Proof;
use crate::refusal::Refusal;
use crate::rewrite::authenticate::{Authenticate, covered_where_unchecked};
use crate::rewrite::decouple_asymmetric::DecoupleAsymmetric;
use crate::rewrite::decouple_functional::DecoupleFunctional;
use crate::rewrite::decouple_independent::DecoupleIndependent;
use crate::rewrite::decouple_monotonic::DecoupleMonotonic;
use crate::rewrite::decouple_mutual::DecoupleMutual;
use crate::rewrite::decouple_prefix::DecouplePrefix;
use crate::rewrite::decouple_state_machine::DecoupleStateMachine;
use crate::rewrite::partition_co_hash::PartitionCoHash;
use crate::rewrite::partition_dependencies::PartitionDependencies;
use crate::rewrite::partition_partial::PartitionPartial;
use crate::rewrite::verify_sender::{unverified, verify};
use crate::rewrite::{Misfit, Rewrite};

/// All rewrites, in the order in which they are tried: one that adds nothing comes before one that adds messages.
pub const REWRITES: &[&dyn AnyRewrite] = &[
    &DecoupleIndependent,
    &DecoupleFunctional,
    &DecoupleMonotonic,
    &DecoupleMutual,
    &DecoupleStateMachine,
    &DecoupleAsymmetric,
    &DecouplePrefix,
    &PartitionCoHash,
    &PartitionDependencies,
    &PartitionPartial,
    &Authenticate,
];

/// The rewrite with this name.
pub fn find(name: &str) -> Option<&'static dyn AnyRewrite> {
    REWRITES.iter().copied().find(|rewrite| rewrite.name() == name)
}

/// A rewrite applied: proofs, the program with names and rules only, the lift.
pub struct Applied {
    /// Why it was allowed, precondition by precondition.
    pub proofs: Vec<Proof>,
    /// The result, not checked yet.
    pub program: Program,
    /// Runs of the result as runs of the original.
    pub lift: Arc<dyn Lift + Send + Sync>,
}

/// Why a line was not applied.
pub enum Denied {
    /// It does not fit the program.
    Misfit(Misfit),
    /// A precondition does not hold.
    Refusal(Box<Refusal>),
}

/// A [`Rewrite`] whatever its sites and permits are.
pub trait AnyRewrite: Sync {
    /// See [`Rewrite::name`].
    fn name(&self) -> &'static str;

    /// See [`Rewrite::page`].
    fn page(&self) -> &'static str;

    /// Numbers and statements of its preconditions.
    fn preconditions(&self) -> Vec<(&'static str, &'static str)>;

    /// Applies it where a line says, except for the precondition in `skip`; `None` if such lines mean other rewrites.
    #[doc(hidden)]
    fn attempt(&self, program: &Program, line: &LineKind, skip: Option<&str>) -> Option<Result<Applied, Denied>>;
}

impl<R> AnyRewrite for R
where
    R: Rewrite + Clone + Send + Sync + 'static,
    R::Permit: Send + Sync,
{
    fn name(&self) -> &'static str {
        Rewrite::name(self)
    }

    fn page(&self) -> &'static str {
        Rewrite::page(self)
    }

    fn preconditions(&self) -> Vec<(&'static str, &'static str)> {
        Rewrite::preconditions(self).iter().map(|precondition| (precondition.id, precondition.statement)).collect()
    }

    fn attempt(&self, program: &Program, line: &LineKind, skip: Option<&str>) -> Option<Result<Applied, Denied>> {
        Some(self.site(program, line)?.map_err(Denied::Misfit).and_then(|site| {
            let permit = match skip {
                None => self.allow(program, &site),
                Some(skip) => self.allow_without(program, &site, skip),
            };
            let permit = permit.map_err(Denied::Refusal)?;
            let proofs = self.proofs(&permit).iter().cloned().collect();
            let rewritten = self.apply(program, &permit);
            let is_verified = skip.is_none() || skip != self.on_liars();
            let channels = if is_verified { unverified(program, &rewritten) } else { BTreeSet::new() };
            let rewritten = covered_where_unchecked(program, verify(rewritten, &channels));
            Ok(Applied { proofs, program: rewritten, lift: Arc::new(Permitted { rewrite: self.clone(), permit }) })
        }))
    }
}

/// A rewrite with a permit: what lifting needs.
struct Permitted<R: Rewrite> {
    rewrite: R,
    permit: R::Permit,
}

impl<R: Rewrite> Lift for Permitted<R> {
    fn lift(&self, run: &Trace) -> Schedule {
        self.rewrite.lift(&self.permit, run)
    }

    fn inexact(&self) -> BTreeSet<Name> {
        self.rewrite.inexact(&self.permit)
    }

    fn late(&self) -> BTreeSet<Name> {
        self.rewrite.late(&self.permit)
    }

    fn moved(&self) -> BTreeSet<Name> {
        self.rewrite.moved(&self.permit)
    }
}
