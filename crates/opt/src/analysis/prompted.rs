//! What a message brings about in the very step that takes it, and nothing else does: events that are empty in all other steps, and state of which
//! nothing begins to hold in them. (The literature calls the events *existence dependent*.)
//!
//! An event is prompted if each of its rules is for this step and has a message, a prompted event, or `new` of prompted state in its body.
//! A table is if all rules that fill it are such; then nothing is new in it but with a message, whatever is deleted. A view is if each
//! of its rules reads some table or view, and all that it reads stands still between messages: prompted tables that lose nothing, and
//! such views. Where nodes restart no durable table is: what it has is new when the node starts.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, RelationKind, Rule, RuleKind};

use super::fault_model::forgets;
use super::scope::{Reads, Scope, atoms, fills};

/// The greatest set of relations, filled by some rules of a component, that are prompted.
pub struct Prompted<'a> {
    scope: &'a Scope<'a>,
    rules: &'a [&'a Rule],
    prompted: BTreeSet<&'a str>,
}

impl<'a> Prompted<'a> {
    /// By these rules, which are all that fill what they fill.
    pub fn new(scope: &'a Scope<'a>, rules: &'a [&'a Rule]) -> Self {
        let forgets = forgets(scope.program, &scope.component.name);
        let is_recovered = |name: &str| forgets && scope.storage(name).is_some_and(|storage| storage.durable);
        let prompted = rules.iter().filter_map(|rule| fills(rule)).filter(|name| !is_recovered(name)).collect();
        let mut found = Prompted { scope, rules, prompted };
        loop {
            let kept: BTreeSet<&str> = found.prompted.iter().copied().filter(|name| found.stays(name)).collect();
            if kept.len() == found.prompted.len() {
                return found;
            }
            found.prompted = kept;
        }
    }

    /// Whether an atom holds only in a step that takes a message, because of it.
    pub fn holds(&self, atom: &Atom) -> bool {
        let is_known = self.prompted.contains(atom.relation.as_str());
        match self.scope.reads(atom) {
            Reads::Channel => !atom.negated,
            Reads::Own(RelationKind::Event) => !atom.negated && is_known,
            Reads::Own(_) => !atom.negated && atom.new && is_known,
            Reads::Start | Reads::Constant => false,
        }
    }

    fn rules_for(&self, name: &str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().copied().filter(move |rule| fills(rule) == Some(name))
    }

    fn stays(&self, name: &str) -> bool {
        let kind = self.scope.component.relation(name).map(|relation| relation.kind);
        let mut filling = self.rules_for(name).filter(|rule| !rule.delete);
        match kind {
            Some(RelationKind::View) => filling.all(|rule| self.reads_still_state(rule)),
            _ => filling.all(|rule| rule.kind == RuleKind::Now && atoms(rule).any(|atom| self.holds(atom))),
        }
    }

    /// Whether all that a rule for a view reads stands still between messages, and nothing of it holds before the first.
    fn reads_still_state(&self, rule: &'a Rule) -> bool {
        let stands_still = |name: &str| {
            let slides = self.scope.storage(name).is_some_and(|storage| storage.above.is_some());
            self.prompted.contains(name) && !slides && !self.rules_for(name).any(|rule| rule.delete)
        };
        let mut read = self.scope.literals(rule).peekable();
        self.scope.literals(rule).any(|atom| !atom.negated) && read.all(|atom| stands_still(&atom.relation))
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    fn prompted(rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role a[3] channel put(k: int) client -> a channel drop(k: int) client -> a
             component a {{ table kept(k: int) {rules} }}"
        );
        let program = compile_text(&text);
        let scope = Scope::of(&program, "a");
        let all: Vec<&Rule> = scope.rules().map(|(_, rule)| rule).collect();
        Prompted::new(&scope, &all).prompted.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn what_messages_bring_about_in_their_step_is() {
        let rules = "kept(k) :- put(k) n(count(k)) :- kept(k) v(k) :- new n(k) w(k) :- v(k), !drop(k)";
        assert_eq!(prompted(rules), ["kept", "n", "v", "w"]);
        assert_eq!(prompted("kept(k) :- put(k) delete kept(k) :+ drop(k) v(k) :- new kept(k)"), ["kept", "v"]);
    }

    #[test]
    fn what_comes_later_or_without_a_message_is_not() {
        assert_eq!(prompted("kept(k) :+ put(k) v(k) :- new kept(k) w(k) :+ put(k)"), Vec::<String>::new());
        assert_eq!(prompted("kept(1) :- start() v(k) :- new kept(k) w(k) :- start(), k = 1"), Vec::<String>::new());
        assert_eq!(
            prompted("kept(k) :- put(k) delete kept(k) :+ drop(k) n(count(k)) :- kept(k) v(k) :- new n(k)"),
            ["kept"]
        );
        assert_eq!(
            prompted("kept(k) :- put(k) few(i) :- a(o), i = index_of(o), !kept(i) v(k) :- new few(k)"),
            ["kept"]
        );
    }
}
