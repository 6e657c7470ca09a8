//! Where a component could be decoupled: the rules that would move.

use std::collections::BTreeSet;

use menard_lang::MAX_NODES;
use menard_lang::ir::{Aggregate, Component, Name, Program, Rule};
use menard_lang::plan::LineKind;
use menard_lang::suggest::nearest;
use menard_value::Function;

use super::Misfit;
use crate::analysis::scope::{START, Scope, sends};
use crate::edit::{fresh, is_used};

/// A component and the rules of it that shall move to a new one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    /// The component.
    pub component: Name,
    /// The new component's name.
    pub into: Name,
    /// What the plan named, for messages.
    pub handles: Vec<Name>,
    /// The positions of the rules that move. None of them derives a constant.
    pub moved: BTreeSet<usize>,
}

impl Split {
    /// What a line of a plan means; `None` if it decouples nothing.
    pub fn of_line(program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        let LineKind::Decouple { component, handles, into, .. } = line else { return None };
        Some(Split::of_handles(program, component, handles, into))
    }

    /// The channels on which moved rules send.
    pub fn channels(&self, program: &Program) -> BTreeSet<Name> {
        let scope = Scope::of(program, &self.component);
        self.moving(&scope).into_iter().filter_map(sends).map(Name::from).collect()
    }

    /// The rules that derive or send these handles.
    pub fn of_handles(program: &Program, component: &Name, handles: &[Name], into: &Name) -> Result<Split, Misfit> {
        let found = divisible(program, component, into)?;
        let scope = Scope::new(program, found);
        let mut moved = BTreeSet::new();
        for handle in handles {
            if scope.is_constant(handle) {
                return Err(Misfit {
                    word: handle.to_string(),
                    message: format!("`{handle}` is constant: it is copied to wherever it is read"),
                    help: None,
                });
            }
            let before = moved.len();
            moved.extend(scope.rules().filter(|(_, rule)| rule.head.relation == *handle).map(|(index, _)| index));
            if moved.len() == before {
                return Err(underived(&scope, handle));
            }
        }
        Ok(Split { component: component.clone(), into: into.clone(), handles: handles.to_vec(), moved })
    }

    /// The rules for each head of each component that is not partitioned.
    pub fn of_every_head(program: &Program) -> Vec<Split> {
        let mut sites = Vec::new();
        for component in program.components.iter().filter(|component| component.count.is_none()) {
            let heads: BTreeSet<&Name> = component.rules.iter().map(|rule| &rule.head.relation).collect();
            for head in heads {
                let into = fresh(&format!("{head}_node"), |name| is_used(program, name));
                sites.extend(Split::of_handles(program, &component.name, std::slice::from_ref(head), &into));
            }
        }
        sites
    }

    /// The rules that stay, other than those that derive constants.
    pub fn staying<'a>(&self, scope: &Scope<'a>) -> Vec<&'a Rule> {
        scope
            .rules()
            .filter(|(index, rule)| !self.moved.contains(index) && !scope.derives_constant(rule))
            .map(|(_, rule)| rule)
            .collect()
    }

    /// The rules that move.
    pub fn moving<'a>(&self, scope: &Scope<'a>) -> Vec<&'a Rule> {
        self.moved.iter().map(|index| scope.rule(*index)).collect()
    }
}

/// A component that can be split, with this name for what comes of it.
pub fn divisible<'a>(program: &'a Program, component: &Name, into: &Name) -> Result<&'a Component, Misfit> {
    let found = program.component(component).ok_or_else(|| unknown_component(program, component))?;
    let taken = program.component(into).is_some() || program.role(into).is_some();
    if taken {
        return Err(Misfit {
            word: into.to_string(),
            message: format!("there is a component or role `{into}` already"),
            help: Some("give the new component a name of its own".into()),
        });
    }
    if belongs_to_the_language(into) {
        let message = format!("`{into}` belongs to the language");
        return Err(Misfit { word: into.to_string(), message, help: None });
    }
    if found.count.is_some() {
        return Err(Misfit {
            word: component.to_string(),
            message: format!("`{component}` is partitioned already"),
            help: Some("decouple first, then partition what came of it".into()),
        });
    }
    within_limit(program, &found.role, 1, into)?;
    Ok(found)
}

/// The component that a line names does not exist.
pub fn unknown_component(program: &Program, component: &str) -> Misfit {
    let names = program.components.iter().map(|component| component.name.as_str());
    if let Some(role) = program.role(component).filter(|role| role.is_foreign()) {
        let what = if role.native { "native" } else { "external" };
        let message = format!("the role `{component}` is {what}: it has no rules to rewrite");
        return Misfit { word: component.to_owned(), message, help: None };
    }
    Misfit {
        word: component.to_owned(),
        message: format!("`{}` has no component `{component}` at this line", program.name),
        help: Some(suggest(component, "its components are", names.collect())),
    }
}

/// Whether no component can have this name.
pub fn belongs_to_the_language(name: &str) -> bool {
    name == START || Function::find(name).is_some() || Aggregate::from_name(name).is_some()
}

/// Whether so many more physical nodes for each node of a role are within the limit of a program.
pub fn within_limit(program: &Program, role: &str, more: u32, word: &str) -> Result<(), Misfit> {
    let nodes = program.role(role).map_or(0, |role| u64::from(role.nodes));
    let total = u64::from(program.physical_nodes()) + nodes * u64::from(more);
    if total <= u64::from(MAX_NODES) {
        return Ok(());
    }
    let message = format!("that would be {total} physical nodes, more than the limit of {MAX_NODES}");
    Err(Misfit { word: word.to_owned(), message, help: None })
}

/// What kind of role the sender of a channel is that no rewrite changes.
pub fn foreign_kind(program: &Program, channel: &str) -> &'static str {
    let sender = program.channel(channel).and_then(|channel| program.role(&channel.sender));
    if sender.is_some_and(|role| role.native) { "native" } else { "external" }
}

/// The same with its article.
pub fn foreign_role(program: &Program, channel: &str) -> &'static str {
    if foreign_kind(program, channel) == "native" { "a native role" } else { "an external role" }
}

/// No rule of the component derives what a line names.
pub fn underived(scope: &Scope<'_>, handle: &str) -> Misfit {
    let names: BTreeSet<&str> = scope.component.rules.iter().map(|rule| rule.head.relation.as_str()).collect();
    let message =
        match scope.program.components.iter().find(|other| other.rules.iter().any(|rule| rule.head.relation == handle))
        {
            Some(other) => format!("`{handle}` is derived in `{}`, not in `{}`", other.name, scope.component.name),
            None => format!("no rule of `{}` derives `{handle}`", scope.component.name),
        };
    Misfit {
        word: handle.to_owned(),
        message,
        help: Some(suggest(handle, "its rules derive", names.into_iter().collect())),
    }
}

/// What may have been meant: the nearest name, or all.
pub fn suggest(wanted: &str, lead: &str, names: Vec<&str>) -> String {
    match nearest(wanted, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => one_of(lead, names),
    }
}

/// "`lead` `a`, `b`, `c`".
pub fn one_of<'a>(lead: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    format!("{lead} {}", names.join(", "))
}
