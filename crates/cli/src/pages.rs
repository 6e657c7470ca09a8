//! Pages of the book that `menard explain` shows: of error codes, of rewrites and of their preconditions.

use menard_lang::diagnostic::Code;
use menard_opt::rules::{AnyRewrite, REWRITES};

use crate::failure::Failure;
use crate::text::did_you_mean;

/// The page of an error code (`E0101`), a rewrite (`functional`) or one of its preconditions (`D2.2`).
pub fn find(name: &str) -> Option<&'static str> {
    let code = Code::ALL.iter().find(|code| code.name().eq_ignore_ascii_case(name)).map(|code| code.page());
    let is_meant = |rewrite: &&dyn AnyRewrite| names(*rewrite).iter().any(|known| known.eq_ignore_ascii_case(name));
    code.or_else(|| REWRITES.iter().copied().find(is_meant).map(AnyRewrite::page))
}

/// The names under which the page of a rewrite is found.
fn names(rewrite: &dyn AnyRewrite) -> Vec<&'static str> {
    std::iter::once(rewrite.name()).chain(rewrite.preconditions().into_iter().map(|(number, _)| number)).collect()
}

/// What to say of a word that is neither a page nor a protocol.
pub fn or_unknown(name: &str, failure: Failure) -> Failure {
    let Failure::Environment { message, mut help } = failure else { return failure };
    if let Some(near) = did_you_mean(
        name,
        Code::ALL.iter().map(|code| code.name()).chain(REWRITES.iter().flat_map(|rewrite| names(*rewrite))),
    ) {
        help = format!("did you mean `{near}`? ({help})");
    }
    Failure::Environment { message, help: format!("{help}; or an error code, or a rewrite") }
}
