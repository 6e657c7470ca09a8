//! Which relations are constant: derived from roles alone, so the same at every node and in every step (pass N5 of the calculus).
//! A rewrite copies them to wherever they are read.

use std::collections::BTreeSet;

use menard_lang::ir::{Component, Program, RelationKind, RuleKind};

use super::scope::{START, atoms};

/// The constant relations of a component: the greatest set such that every rule into a member is a `:-` rule over roles and members,
/// without `new`. (`me` differs between the nodes of a role, though not between the nodes that a rewrite makes of one, so it is allowed.)
/// A rule into a table may also read `start()`: what it inserts in the first step stays, since nothing is deleted from a member.
/// Of such facts a keyed table keeps the same everywhere. A window loses facts as its floor rises.
/// Views and tables only: what holds from the first step on and for ever.
pub fn constant_relations<'a>(program: &Program, component: &'a Component) -> BTreeSet<&'a str> {
    let lasting = component.relations.iter().filter(|relation| relation.storage.above.is_none());
    let mut constants: BTreeSet<&str> = lasting.map(|relation| relation.name.as_str()).collect();
    loop {
        let before = constants.len();
        for rule in &component.rules {
            let kind = component.relation(&rule.head.relation).map(|relation| relation.kind);
            let stays = kind == Some(RelationKind::Table);
            let constant = rule.kind == RuleKind::Now
                && atoms(rule).all(|atom| {
                    let name = atom.relation.as_str();
                    let holds = program.role(name).is_some() || constants.contains(name);
                    !atom.new && (holds || stays && name == START && !atom.negated)
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

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    fn constants(rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role a[3] channel put(k: int) client -> a
             component a {{ table kept(k: int) {rules} }}"
        );
        let program = compile_text(&text);
        constant_relations(&program, &program.components[0]).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_derived_from_roles_alone_is_constant() {
        let rules = "kept(k) :- put(k) even(n) :- a(n), index_of(n) % 2 == 0 size(count(n)) :- even(n) odd(n) :- a(n), !even(n)";
        assert_eq!(constants(rules), ["even", "odd", "size"]);
    }

    #[test]
    fn tables_that_are_filled_in_the_first_step_are_constant() {
        assert_eq!(constants("kept(0) :- start() low(k) :- kept(k), k < 1"), ["kept", "low"]);
    }

    #[test]
    fn what_depends_on_time_or_messages_is_not() {
        assert!(constants("kept(0) :- start() delete kept(k) :+ put(k)").is_empty());
        assert_eq!(constants("first(0) :- start()"), ["kept"], "an event does not stay; an empty table does");
        assert!(constants("kept(0) :+ a(_)").is_empty(), "not yet in the first step");
        assert!(constants("kept(0) :- a(_) delete kept(k) :+ put(k)").is_empty());
        assert_eq!(constants("kept(0) :- a(_) first(k) :- new kept(k)"), ["kept"]);
    }
}
