//! Functions that the embedding program adds: what `extern fn` declares.

use std::sync::{PoisonError, RwLock};

use crate::{Function, FunctionId};

static REGISTERED: RwLock<Vec<&'static Function>> = RwLock::new(Vec::new());

/// Makes these functions known to programs that declare them with `extern fn`. Of two with one name, the first counts. Whoever embeds
/// Menard calls this before it compiles a program.
///
/// A function must be pure: equal arguments give equal results, on every node and in every run.
pub fn register(functions: &'static [Function]) {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    for function in functions {
        let is_known = registered.iter().any(|known| known.name == function.name);
        if !is_known && Function::TABLE.len() + registered.len() < usize::from(u16::MAX) {
            registered.push(function);
        }
    }
}

/// The function that was registered with this name.
pub fn find_registered(name: &str) -> Option<FunctionId> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    let position = registered.iter().position(|function| function.name == name)?;
    u16::try_from(Function::TABLE.len() + position).ok().map(FunctionId)
}

/// The names of all functions that were registered.
pub fn registered_names() -> Vec<&'static str> {
    REGISTERED.read().unwrap_or_else(PoisonError::into_inner).iter().map(|function| function.name).collect()
}

pub(crate) fn registered(position: usize) -> &'static Function {
    REGISTERED.read().unwrap_or_else(PoisonError::into_inner)[position]
}
