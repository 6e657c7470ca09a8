//! The mechanism of every decoupling: some rules move to a new component of the same role, with the relations that only they use.
//!
//! Messages are addressed to logical nodes, so no rule changes. A channel goes to the component that reads it and comes from the one
//! that sends on it; constants that both sides read are derived on both.

use std::collections::BTreeSet;

use menard_lang::ir::{Component, Name, Program, RuleKind};
use menard_lang::source::Span;

use crate::analysis::scope::{Scope, fills, sends};

/// Moves rules of a component to a new one. Whether that is right is the business of preconditions.
pub fn separate(program: &Program, component: &str, into: &Name, moved: &BTreeSet<usize>) -> Program {
    let scope = Scope::of(program, component);
    let parts = Parts::new(&scope, moved);
    let mut rewritten = program.clone();
    for channel in &mut rewritten.channels {
        if parts.sent.contains(channel.name.as_str()) {
            channel.sender = into.clone();
        }
        if channel.receiver == component && parts.read.contains(channel.name.as_str()) {
            channel.receiver = into.clone();
        }
    }
    let new = parts.new_component(&scope, into);
    let position = program.components.iter().position(|found| found.name == component);
    let position = position.expect("the component of a scope is in its program");
    parts.shrink(&mut rewritten.components[position]);
    rewritten.components.insert(position + 1, new);
    rewritten
}

/// What goes where.
struct Parts<'a> {
    moved: &'a BTreeSet<usize>,
    /// Channels that moved rules send on.
    sent: BTreeSet<&'a str>,
    /// Channels that moved rules read and the others do not.
    read: BTreeSet<&'a str>,
    /// Relations that move.
    relations: BTreeSet<Name>,
    /// Constants that moved rules need.
    copied: BTreeSet<Name>,
    /// Constants that only moved rules need.
    dropped: BTreeSet<Name>,
}

impl<'a> Parts<'a> {
    fn new(scope: &Scope<'a>, moved: &'a BTreeSet<usize>) -> Self {
        let moving = || moved.iter().map(|index| scope.rule(*index));
        let staying = || {
            let stays = |index: &usize, rule| !moved.contains(index) && !scope.derives_constant(rule);
            scope.rules().filter(move |(index, rule)| stays(index, rule)).map(|(_, rule)| rule)
        };
        let kept: BTreeSet<&str> =
            staying().flat_map(|rule| scope.references(rule)).chain(staying().filter_map(fills)).collect();
        let wanted: BTreeSet<&str> = moving().flat_map(|rule| scope.references(rule)).collect();
        let filled: BTreeSet<&str> = moving().filter_map(fills).collect();
        let read: BTreeSet<&str> = wanted.difference(&kept).copied().collect();
        let mut relations: BTreeSet<Name> = read.union(&filled).map(|name| Name::from(*name)).collect();
        let copied = constants_needed(scope, moving().flat_map(|rule| scope.constants_read(rule)).collect());
        let unmoved = scope
            .rules()
            .filter_map(|(_, rule)| fills(rule))
            .filter(|name| scope.is_constant(name) && !copied.contains(*name));
        let needed_here =
            constants_needed(scope, staying().flat_map(|rule| scope.constants_read(rule)).chain(unmoved).collect());
        let dropped: BTreeSet<Name> = copied.difference(&needed_here).cloned().collect();
        // A window that no rule mentions is where its floor is.
        let follows = |floor: &Name| relations.contains(floor) || dropped.contains(floor);
        let windows = scope.component.relations.iter().filter(|one| !kept.contains(one.name.as_str()));
        let windows = windows.filter(|one| one.storage.above.as_ref().is_some_and(follows));
        let windows: Vec<Name> = windows.map(|window| window.name.clone()).collect();
        relations.extend(windows);
        Parts { moved, sent: moving().filter_map(sends).collect(), read, relations, copied, dropped }
    }

    fn new_component(&self, scope: &Scope<'_>, into: &Name) -> Component {
        let goes = |index: &usize, name: &Name, is_message: bool| {
            self.moved.contains(index) || (!is_message && self.copied.contains(name))
        };
        Component {
            name: into.clone(),
            role: scope.component.role.clone(),
            count: None,
            parts: 1,
            relations: scope
                .component
                .relations
                .iter()
                .filter(|relation| self.relations.contains(&relation.name) || self.copied.contains(&relation.name))
                .cloned()
                .collect(),
            rules: scope
                .rules()
                .filter(|(index, rule)| goes(index, &rule.head.relation, rule.kind == RuleKind::Async))
                .map(|(_, rule)| rule.clone())
                .collect(),
            strata: Vec::new(),
            span: Span::default(),
        }
    }

    fn shrink(&self, component: &mut Component) {
        let dropped = |name: &Name| self.dropped.contains(name);
        let mut index = 0;
        component.rules.retain(|rule| {
            let goes = self.moved.contains(&index) || (rule.kind != RuleKind::Async && dropped(&rule.head.relation));
            index += 1;
            !goes
        });
        component.relations.retain(|relation| !self.relations.contains(&relation.name) && !dropped(&relation.name));
        component.strata = Vec::new();
    }
}

/// These constants and all that they are derived from.
fn constants_needed<'a>(scope: &Scope<'a>, mut names: BTreeSet<&'a str>) -> BTreeSet<Name> {
    loop {
        let rules = scope.rules().filter(|(_, rule)| fills(rule).is_some_and(|name| names.contains(name)));
        let more: Vec<&str> = rules.flat_map(|(_, rule)| scope.constants_read(rule)).collect();
        let before = names.len();
        names.extend(more);
        if names.len() == before {
            return names.into_iter().map(Name::from).collect();
        }
    }
}
