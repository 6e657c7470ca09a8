//! Preconditions as data: numbered, each decided by a function of its own.

use menard_lang::ir::Program;

use crate::refusal::{Broken, Refusal};
use crate::rewrite::Rewrite;

/// One numbered precondition of a rewrite with sites of type `S`.
pub struct Precondition<S> {
    /// Its number, such as `D2.2`.
    pub id: &'static str,
    /// What it asks, as the end of a sentence that begins "it asks that".
    pub statement: &'static str,
    /// Decides it: a readable sentence that says why it holds, or what breaks it.
    pub check: fn(&Program, &S) -> Result<String, Broken>,
}

/// Why a precondition holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The precondition's number.
    pub precondition: &'static str,
    /// One readable sentence, without a full stop.
    pub sentence: String,
}

/// Proofs of all preconditions of a rewrite at a site. Only this module makes them, so that no permit exists without.
#[derive(Clone, Debug)]
pub struct Proofs {
    proofs: Vec<Proof>,
    skipped: Option<&'static str>,
}

impl Proofs {
    /// Decides the preconditions in their order; the first that does not hold is the refusal.
    pub(crate) fn of<R: Rewrite>(
        rewrite: &R,
        program: &Program,
        site: &R::Site,
        skip: Option<&str>,
    ) -> Result<Proofs, Box<Refusal>> {
        let mut proofs = Vec::new();
        let mut skipped = None;
        for precondition in rewrite.preconditions() {
            if skip == Some(precondition.id) {
                skipped = Some(precondition.id);
                continue;
            }
            match (precondition.check)(program, site) {
                Ok(sentence) => proofs.push(Proof { precondition: precondition.id, sentence }),
                Err(broken) => {
                    return Err(refusal(rewrite, program, precondition, broken, proofs.len()));
                }
            }
        }
        Ok(Proofs { proofs, skipped })
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Proof> {
        self.proofs.iter()
    }

    /// Whether a precondition was left out, which only tests do.
    pub(crate) fn skipped(&self, id: &str) -> bool {
        self.skipped == Some(id)
    }
}

fn refusal<R: Rewrite>(
    rewrite: &R,
    program: &Program,
    precondition: &Precondition<R::Site>,
    broken: Broken,
    proven: usize,
) -> Box<Refusal> {
    Box::new(Refusal {
        rewrite: rewrite.name(),
        precondition: precondition.id,
        statement: precondition.statement,
        because: broken.because,
        rules: broken.obstacles,
        help: broken.help,
        source: program.source.clone(),
        page: rewrite.page(),
        proven,
    })
}
