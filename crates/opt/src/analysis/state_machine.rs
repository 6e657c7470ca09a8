//! Whether rules are a *state machine*: what they do in a step with inputs does not depend on how many steps without inputs came before.
//!
//! The inputs of moved rules are the events that they are told: what rules that stay derive, channels, `start()`. A step without any of
//! them is *idle* for the moved rules. The literature asks that every relation be empty in idle steps (existence dependency) or stand
//! still (no-change dependency). This test is wider, and asks two things:
//!
//! * Nothing happens in an idle step. Every rule that sends, fills an event or changes a table has an event in its body. An event is an
//!   input, or derived in the same step from one, or `new` of something *prompt*. (`:+` into an event is excluded: it holds in the next step,
//!   idle or not.) So in idle steps no event holds, nothing is sent, and tables are what they were at the end of the last step with inputs.
//! * Nobody can tell a step from the one after it, unless that has inputs. Rules look at the step before in three places only: `new`,
//!   `quorum` over state, and where a step decides what the one before left: windows, whose bound is that of the step's begin, and keyed
//!   tables filled by `:+`.
//!
//! Something is prompt if in an idle step it holds just what it held in the step before: a table that loses nothing and is filled by `:-`
//! alone, and a view over such. So `new` and `quorum` see the same "step before" whether that was idle or not. Before the first inputs
//! it is empty, so that the first step, which is idle, shows nothing new: every rule of a prompt view reads something prompt. After a deletion, or `:+`, the
//! difference shows: a fact that is deleted in one step and derived in the next one is not new there, but it is if a step came between.

use std::collections::BTreeSet;

use menard_lang::ir::{Aggregate, HeadArg, Name, Policy, RelationKind, Rule, RuleKind};

use super::scope::{Reads, Scope, atoms, fills};

/// Rules of a component that shall be a state machine.
pub struct StateMachine<'a> {
    scope: &'a Scope<'a>,
    moving: &'a [&'a Rule],
    filled: BTreeSet<&'a str>,
    prompt: BTreeSet<&'a str>,
}

impl<'a> StateMachine<'a> {
    /// Of these moved rules.
    pub fn new(scope: &'a Scope<'a>, moving: &'a [&'a Rule]) -> Self {
        let filled = moving.iter().filter_map(|rule| fills(rule)).collect();
        let mut machine = StateMachine { scope, moving, filled, prompt: BTreeSet::new() };
        machine.prompt = machine.prompt_relations();
        machine
    }

    /// Whether moved rules fill a relation.
    pub fn fills(&self, name: &str) -> bool {
        self.filled.contains(name)
    }

    /// The moved rules for a relation, deletions included.
    fn rules_for(&self, name: &str) -> impl Iterator<Item = &'a Rule> {
        self.moving.iter().copied().filter(move |rule| fills(rule) == Some(name))
    }

    fn kind(&self, name: &str) -> Option<RelationKind> {
        self.scope.component.relation(name).map(|relation| relation.kind)
    }

    /// The greatest set of relations that can be prompt.
    fn prompt_relations(&self) -> BTreeSet<&'a str> {
        let mut prompt: BTreeSet<&str> =
            self.filled.iter().copied().filter(|name| self.kind(name) != Some(RelationKind::Event)).collect();
        loop {
            let kept = prompt.iter().copied().filter(|name| self.stays_prompt(name, &prompt)).collect::<BTreeSet<_>>();
            if kept.len() == prompt.len() {
                return kept;
            }
            prompt = kept;
        }
    }

    fn stays_prompt(&self, name: &str, prompt: &BTreeSet<&str>) -> bool {
        let is_view = self.kind(name) == Some(RelationKind::View);
        let over_prompt = |rule: &'a Rule| {
            let known = self.scope.literals(rule).all(|atom| !atom.new && prompt.contains(atom.relation.as_str()));
            known && self.scope.literals(rule).any(|atom| !atom.negated)
        };
        let slides = self.scope.storage(name).is_some_and(|storage| storage.above.is_some());
        !slides && self.rules_for(name).all(|rule| rule.kind == RuleKind::Now && (!is_view || over_prompt(rule)))
    }

    /// What lets a moved rule do something in a step without inputs, or lets it see whether there was one.
    pub fn objection(&self, rule: &'a Rule) -> Option<String> {
        let name = rule.head.relation.as_str();
        let kind = fills(rule).and_then(|name| self.kind(name));
        if kind == Some(RelationKind::View) {
            return (remembers(rule) && !self.stays_prompt(name, &self.prompt)).then(|| {
                "this remembers the step before, and is about state that changes between two steps".to_owned()
            });
        }
        if self.scope.is_state_only(rule) {
            return Some(match kind {
                None => "this sends as long as state holds".to_owned(),
                Some(_) => format!("this fills `{name}` as long as state holds"),
            });
        }
        if rule.kind == RuleKind::Next && kind == Some(RelationKind::Event) {
            return Some(format!("`{name}` would hold one step after what it is told"));
        }
        let hasty = |relation: &str| self.fills(relation) && !self.prompt.contains(relation);
        let mut read = atoms(rule).filter(|atom| atom.new && matches!(self.scope.reads(atom), Reads::Own(_)));
        let late = read.find(|atom| hasty(&atom.relation))?;
        Some(format!("whether `{}` is new may depend on when the step before was", late.relation))
    }

    /// What makes a moved rule's table depend on whether there was a step between two with inputs. `from_first_step` says that there may be
    /// inputs in the first step, in which a window has no bound yet, not even one that is constant.
    pub fn indecision(&self, rule: &'a Rule, from_first_step: bool) -> Option<String> {
        let name = fills(rule)?;
        let storage = self.scope.storage(name)?;
        let floor = storage.above.as_ref();
        let policy = storage.key.as_ref().map(|key| key.policy);
        let by = |kind| self.rules_for(name).any(|rule| !rule.delete && rule.kind == kind);
        let mixes = || policy.is_some_and(|policy| policy != Policy::Max) && by(RuleKind::Now) && by(RuleKind::Next);
        let mixed = || mixes().then(|| format!("`{name}` takes candidates of this step and of the one before"));
        floor.and_then(|floor| self.unsteady_floor(name, floor, from_first_step)).or_else(mixed)
    }

    fn unsteady_floor(&self, window: &str, floor: &Name, from_first_step: bool) -> Option<String> {
        if self.scope.is_constant(floor) {
            return from_first_step
                .then(|| format!("`{floor}`, the floor of `{window}`, does not bound what comes in the first step"));
        }
        if !self.fills(floor) {
            return Some(format!("this moves a window, but not its floor `{floor}`"));
        }
        let late = self.rules_for(floor).any(|rule| rule.kind == RuleKind::Next);
        late.then(|| format!("`{floor}`, the floor of `{window}`, would rise one step later"))
    }
}

/// Whether a rule's head depends on what it chose in the step before.
fn remembers(rule: &Rule) -> bool {
    rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Quorum, .. }))
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// What is prompt where all rules of a component move.
    fn prompt(rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role a[3] channel put(k: int) client -> a channel drop(k: int) client -> a
             component a {{ table kept(k: int) {rules} }}"
        );
        let program = compile_text(&text);
        let scope = Scope::of(&program, "a");
        let moving: Vec<&Rule> = scope.rules().map(|(_, rule)| rule).collect();
        StateMachine::new(&scope, &moving).prompt.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn tables_that_grow_at_once_and_views_over_them_are_prompt() {
        let rules = "kept(k) :- put(k) n(count(k)) :- kept(k) few(k) :- kept(k), !kept(k + 1)";
        assert_eq!(prompt(rules), ["few", "kept", "n"]);
    }

    #[test]
    fn deferred_and_deleted_facts_are_not() {
        assert!(prompt("kept(k) :+ put(k) n(count(k)) :- kept(k)").is_empty());
        assert!(prompt("kept(k) :- put(k) delete kept(k) :+ drop(k) n(count(k)) :- kept(k)").is_empty());
    }

    #[test]
    fn what_holds_before_anything_happens_is_not() {
        assert_eq!(prompt("kept(k) :- put(k) idle(n) :- a(n), !kept(index_of(n))"), ["kept"]);
    }
}
