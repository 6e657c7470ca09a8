//! Pages of the book that `menard explain` shows: of error codes, of rewrites and of their preconditions.

use menard_lang::diagnostic::Code;
use menard_opt::rules::{AnyRewrite, REWRITES};

use crate::failure::Failure;
use crate::library::LIBRARY;
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
pub fn unknown(name: &str) -> Failure {
    let pages = Code::ALL.iter().map(|code| code.name()).chain(REWRITES.iter().flat_map(|rewrite| names(*rewrite)));
    let protocols = LIBRARY.iter().map(|entry| entry.name);
    let near = did_you_mean(name, protocols.clone().chain(pages)).map(|near| format!("did you mean `{near}`? "));
    let rewrites: Vec<&str> = REWRITES.iter().map(|rewrite| rewrite.name()).collect();
    let known = format!(
        "known protocols: {}; known rewrites: {}; or name a folder, a .ded file, or the code of an error",
        protocols.collect::<Vec<_>>().join(", "),
        rewrites.join(", ")
    );
    Failure::environment(format!("there is no protocol, rewrite or error `{name}`"), near.unwrap_or_default() + &known)
}
