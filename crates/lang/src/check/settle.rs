//! Looking at rules until nothing new is known of any relation.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Component, Name, Program, Rule};

/// A relation of the program: of the component that is named, or a channel.
pub(super) type Key<'p> = (Option<&'p Name>, &'p Name);

/// What the rules of a component mean by a name.
pub(super) fn key<'p>(program: &Program, component: &'p Component, relation: &'p Name) -> Key<'p> {
    (program.channel(relation).is_none().then_some(&component.name), relation)
}

/// All rules, each with its component.
pub(super) fn rules(program: &Program) -> impl Iterator<Item = (&Component, &Rule)> {
    program.components.iter().flat_map(|component| component.rules.iter().map(move |rule| (component, rule)))
}

/// Looks at rules that derive facts until none of them has anything new to say: those again that read what has changed. `look` says whether what is
/// known of the rule's head has changed.
pub(super) fn settle<'p>(program: &'p Program, mut look: impl FnMut(&'p Component, &'p Rule) -> bool) {
    let rules: Vec<_> = rules(program).filter(|(_, rule)| !rule.delete).collect();
    let mut readers: BTreeMap<Key<'p>, BTreeSet<usize>> = BTreeMap::new();
    for (number, (component, rule)) in rules.iter().enumerate() {
        for atom in rule.positive_atoms() {
            readers.entry(key(program, component, &atom.relation)).or_default().insert(number);
        }
    }
    let mut waiting: BTreeSet<usize> = (0..rules.len()).collect();
    while let Some(number) = waiting.pop_first() {
        let (component, rule) = rules[number];
        if look(component, rule) {
            let head = key(program, component, &rule.head.relation);
            waiting.extend(readers.get(&head).into_iter().flatten());
        }
    }
}
