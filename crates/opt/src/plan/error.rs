//! Why a plan was not applied.

use menard_lang::diagnostic::{Code, Diagnostic, Diagnostics};
use menard_lang::source::{Source, Span};
use thiserror::Error;

use crate::refusal::Refusal;
use crate::rewrite::Misfit;

/// Why a plan was not applied.
#[derive(Clone, Debug, Error)]
pub enum PlanError {
    /// The plan does not fit the program; the diagnostics quote the plan.
    #[error("{0}")]
    Misfit(Diagnostics),
    /// Every rewrite that the line could mean is refused.
    #[error("`{line}` is refused:\n{}", render(refusals, false))]
    Refused {
        /// The line.
        line: String,
        /// The refusals, the nearest first.
        refusals: Vec<Refusal>,
    },
    /// Nobody is answered as long as those that may lie keep silent, so that no rewrite is of any use; the diagnostics quote the program.
    #[error("{0}")]
    Unanswered(Diagnostics),
    /// The result of a rewrite is no well-formed program: an error of Menard.
    #[error("the rewrite `{rewrite}` made an ill-formed program of `{line}`; please report this:\n{errors}")]
    IllFormed {
        /// The rewrite at fault.
        rewrite: &'static str,
        /// The line.
        line: String,
        /// What is wrong with the program.
        errors: Diagnostics,
    },
}

/// The code of a plan that does not fit.
const MISFIT: Code = Code::Other {
    name: "E0801",
    page: "# E0801: A plan that does not fit\n\nThe header or a line of the plan names something that the protocol does not have, or not at \
           that point of the plan.\n",
};

impl PlanError {
    /// A misfit, at the word that does not fit: in the line, or without one in the whole plan.
    pub(crate) fn misfit(source: &Source, line: Option<Span>, misfit: Misfit) -> PlanError {
        let whole = Span::new(0, u32::try_from(source.text.len()).unwrap_or(u32::MAX));
        let span = find_word(source, line.unwrap_or(whole), &misfit.word);
        let mut diagnostic = Diagnostic::error(MISFIT, source, misfit.message).label(span, "this does not fit");
        diagnostic.help = misfit.help;
        PlanError::Misfit(diagnostic.into())
    }

    /// The error as a person reads it, with or without terminal colours.
    pub fn render(&self, color: bool) -> String {
        match self {
            PlanError::Misfit(diagnostics) | PlanError::Unanswered(diagnostics) => diagnostics.render(color),
            PlanError::Refused { refusals, .. } => render(refusals, color),
            PlanError::IllFormed { .. } => self.to_string(),
        }
    }
}

fn render(refusals: &[Refusal], color: bool) -> String {
    refusals.iter().map(|refusal| refusal.diagnostic().render(color)).collect()
}

/// Where the word stands within a range of the text; the range if it does not.
fn find_word(source: &Source, within: Span, word: &str) -> Span {
    let text = source.text.get(within.start as usize..within.end as usize).unwrap_or_default();
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_whole = |start: &usize| {
        let before = start.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !is_part(before) && !is_part(text.as_bytes().get(start + word.len()))
    };
    let found = text.match_indices(word).map(|(start, _)| start).find(is_whole);
    match found.and_then(|start| u32::try_from(start).ok()).zip(u32::try_from(word.len()).ok()) {
        Some((start, length)) => Span::new(within.start + start, within.start + start + length),
        None => within,
    }
}
