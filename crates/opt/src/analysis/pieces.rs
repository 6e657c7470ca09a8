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

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn rules_that_share_nothing_but_constants_and_sent_channels_are_apart() {
        let program = compile_text(
            "protocol t role client external role a role b
             channel put(k: int) client -> a channel drop(k: int) client -> a channel out(k: int) a -> b
             component a {
               table kept(k: int) table gone(k: int)
               some(n)     :- b(n)
               kept(k)     :- put(k)
               out(k)@n    :~ new kept(k), some(n)
               gone(k)     :- drop(k)
               out(k)@n    :~ new gone(k), some(n)
               hello()     :- start()
             }
             component b { seen(k) :- out(k) }",
        );
        let scope = Scope::of(&program, "a");
        let expected = [BTreeSet::from([1, 2]), BTreeSet::from([3, 4]), BTreeSet::from([5])];
        assert_eq!(pieces(&scope), expected);
    }

    #[test]
    fn deletions_tie_as_readers_do() {
        let program = compile_text(
            "protocol t role client external role a
             channel put(k: int) client -> a channel drop(k: int) client -> a
             component a { table kept(k: int) kept(k) :- put(k) delete kept(k) :+ drop(k) }",
        );
        assert_eq!(pieces(&Scope::of(&program, "a")).len(), 1);
    }
}
