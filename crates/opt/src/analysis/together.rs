//! What several partitions of a node may do in what is one turn of the node.
//!
//! A message of a partitioned channel goes to one partition. But what all partitions have, they get to know at one moment; whatever
//! follows from it, through events of this step or because something of a partition is new or changes, may happen at each of them. So
//! may what state alone brings about, and what happens when a node starts that finds its durable tables.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Name, Relation, RelationKind, Rule, RuleKind};

use super::fault_model::forgets;
use super::scope::{Reads, Scope, atoms, fills};
use super::starting::Starting;

/// Whether several partitions of a node may send by this rule in what is one turn of the node.
pub fn sends_together(scope: &Scope<'_>, rule: &Rule) -> bool {
    let at_start = || forgets(scope.program, &scope.component.name) && Starting::new(scope).happens(rule);
    let because_of_all = || scope.replicates() && Together::new(scope).happens(rule);
    rule.kind == RuleKind::Async && (scope.is_state_only(rule) || at_start() || because_of_all())
}

/// What may happen at every partition when all get to know of something, in a scope that [replicates](Scope::replicating) it.
pub struct Together<'a> {
    scope: &'a Scope<'a>,
    /// Of what is partitioned: the events that may hold then, the tables that may gain facts, the views that may change.
    changing: BTreeSet<&'a str>,
}

impl<'a> Together<'a> {
    /// For the rules of a component.
    pub fn new(scope: &'a Scope<'a>) -> Self {
        let mut together = Together { scope, changing: BTreeSet::new() };
        loop {
            let relations = scope.component.relations.iter().filter(|relation| together.changes(relation));
            let changing: BTreeSet<&str> = relations.map(|relation| relation.name.as_str()).collect();
            if changing == together.changing {
                return together;
            }
            together.changing = changing;
        }
    }

    /// Whether a rule may derive something then.
    pub fn happens(&self, rule: &Rule) -> bool {
        let may_hold = |atom: &Atom| match self.scope.reads(atom) {
            Reads::Channel | Reads::Start => false,
            Reads::Constant => true,
            Reads::Own(RelationKind::Event) => self.changing.contains(atom.relation.as_str()),
            Reads::Own(RelationKind::Table | RelationKind::View) => {
                !atom.new || self.changing.contains(atom.relation.as_str())
            }
        };
        atoms(rule).filter(|atom| !atom.negated).all(may_hold)
    }

    fn changes(&self, relation: &Relation) -> bool {
        let mut rules = self.rules_for(&relation.name);
        match relation.kind {
            RelationKind::View => rules.any(|rule| atoms(rule).any(|atom| self.moves(&atom.relation))),
            RelationKind::Table | RelationKind::Event => rules.any(|rule| !rule.delete && self.happens(rule)),
        }
    }

    /// Whether what a view reads may change then, be it that something goes.
    fn moves(&self, name: &Name) -> bool {
        let is_known = |name: &Name| self.scope.is_replicated(name) || self.changing.contains(name.as_str());
        let slides = || self.scope.storage(name).and_then(|storage| storage.above.as_ref()).is_some_and(is_known);
        is_known(name) || slides() || self.rules_for(name).any(|rule| rule.delete && self.happens(rule))
    }

    fn rules_for(&self, name: &Name) -> impl Iterator<Item = &'a Rule> {
        let rules = self.scope.rules().map(|(_, rule)| rule);
        rules.filter(move |rule| fills(rule) == Some(name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// What may change at all partitions when `q` comes, which all get.
    fn changing(rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role a
             channel put(k: int) client -> a channel q(n: int) client -> a
             component a {{
               table kept(k: int) table low(=> n: int) max
               kept(k) :- put(k) low(n) :- q(n) {rules}
             }}"
        );
        let program = compile_text(&text);
        let replicated = ["q", "low"].map(Name::from).into();
        let scope = Scope::replicating(&program, "a", &replicated);
        Together::new(&scope).changing.into_iter().filter(|name| *name != "low").map(str::to_owned).collect()
    }

    #[test]
    fn what_follows_from_what_all_get_to_know_happens_at_all() {
        assert_eq!(changing("e(k) :- put(k) f(k) :- e(k), low(k)"), [""; 0]);
        assert_eq!(changing("e(k) :- q(_), kept(k) f(k) :- e(k)"), ["e", "f"]);
        assert_eq!(changing("e(k) :- q(_), put(k) f(k) :- e(k)"), [""; 0], "the two never come together");
        assert_eq!(changing("e(k) :- new low(_), kept(k)"), ["e"]);
    }

    #[test]
    fn what_is_new_or_goes_then_is_so_at_all() {
        assert_eq!(changing("table t(k: int) t(k) :- put(k) e(k) :- new t(k)"), [""; 0]);
        assert_eq!(changing("table t(k: int) t(k) :- q(_), kept(k) e(k) :- new t(k)"), ["e", "t"]);
        assert_eq!(changing("over(k) :- kept(k), low(n), k < n e(k) :- new over(k)"), ["e", "over"]);
        assert_eq!(changing("few(k) :- kept(k), !kept(k + 1) e(k) :- new few(k) delete kept(k) :+ q(k)"), ["e", "few"]);
        let window = "window table w(k: int) above low w(k) :- put(k)";
        assert_eq!(changing(&format!("{window} few(k) :- kept(k), !w(k) e(k) :- new few(k)")), ["e", "few"]);
        assert_eq!(changing(&format!("{window} e(k) :- new w(k)")), [""; 0]);
    }
}
