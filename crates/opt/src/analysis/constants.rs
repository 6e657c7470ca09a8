//! Which relations are constant: derived from roles alone, so the same at every node and in every step (pass N5 of the calculus).
//! A rewrite copies them to wherever they are read.

use std::collections::BTreeSet;

use menard_lang::ir::{Component, Program, RuleKind};

use super::scope::atoms;

/// The constant relations of a component: the greatest set such that every rule into a member is a `:-` rule over roles and members,
/// without `new` and without `me` (which differs between the nodes of a role, though not between the nodes that a rewrite makes of one,
/// so `me` is allowed). Views and tables only: what holds from the first step on and for ever.
pub fn constant_relations<'a>(program: &Program, component: &'a Component) -> BTreeSet<&'a str> {
    let mut constants: BTreeSet<&str> = component.relations.iter().map(|relation| relation.name.as_str()).collect();
    loop {
        let before = constants.len();
        for rule in &component.rules {
            let constant = rule.kind == RuleKind::Now
                && atoms(rule).all(|atom| {
                    let name = atom.relation.as_str();
                    !atom.new && (program.role(name).is_some() || constants.contains(name))
                });
            if !constant {
                constants.remove(rule.head.relation.as_str());
            }
        }
        if constants.len() == before {
            return constants;
        }
    }
}
