//! Which rules of a component cannot be told apart: they share a relation.
//!
//! Two rules are tied if both mention a relation of the component or a channel that it receives, in a body or, for a relation of the
//! component, in a head. Constants tie nothing, and neither does a channel that rules send on: a message is cut from its sender
//! already.

use std::collections::BTreeSet;

use menard_lang::ir::Rule;

use super::scope::{Scope, fills};

/// The relations and received channels that a rule mentions.
pub fn mentions<'a>(scope: &Scope<'a>, rule: &'a Rule) -> BTreeSet<&'a str> {
    let mut names = scope.references(rule);
    names.extend(fills(rule));
    names
}

/// The smallest set that contains these rules and with each rule all that are tied to it. Rules that derive constants are in no set.
pub fn closure(scope: &Scope<'_>, rules: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut closed = rules.clone();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = closed.len();
        names.extend(closed.iter().flat_map(|rule| mentions(scope, scope.rule(*rule))));
        for (index, rule) in scope.rules() {
            if !scope.derives_constant(rule) && !mentions(scope, rule).is_disjoint(&names) {
                closed.insert(index);
            }
        }
        if closed.len() == before {
            return closed;
        }
    }
}

/// All smallest inseparable groups of rules, in the order of their first rules.
pub fn pieces(scope: &Scope<'_>) -> Vec<BTreeSet<usize>> {
    let mut pieces: Vec<BTreeSet<usize>> = Vec::new();
    for (index, rule) in scope.rules() {
        if !scope.derives_constant(rule) && !pieces.iter().any(|piece| piece.contains(&index)) {
            pieces.push(closure(scope, &BTreeSet::from([index])));
        }
    }
    pieces
}
