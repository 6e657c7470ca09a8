//! What may happen in the turn with which a node starts: all that needs no message.
//!
//! A restarted node begins with the facts of its durable tables, all of which are new to it. So whatever state and `new` may bring about, a start
//! may; what follows from a message, or from a timer, comes later.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, RelationKind, Rule, RuleKind};

use super::scope::{Reads, Scope, aggregates, atoms, fills};

/// What may happen when nodes of a component start.
pub struct Starting<'a> {
    scope: &'a Scope<'a>,
    /// The events of the component that may hold in that turn.
    events: BTreeSet<&'a str>,
}

impl<'a> Starting<'a> {
    /// For the rules of a component.
    pub fn new(scope: &'a Scope<'a>) -> Self {
        let mut starting = Starting { scope, events: BTreeSet::new() };
        loop {
            let follows = scope.rules().filter(|(_, rule)| !rule.delete && starting.happens(rule));
            let events: BTreeSet<&str> = follows.filter_map(|(_, rule)| fills(rule)).collect();
            if events == starting.events {
                return starting;
            }
            starting.events = events;
        }
    }

    /// Whether a rule may derive something in the turn of a start.
    pub fn happens(&self, rule: &Rule) -> bool {
        let may_hold = |atom: &Atom| match self.scope.reads(atom) {
            Reads::Channel => false,
            Reads::Own(RelationKind::Event) => self.events.contains(atom.relation.as_str()),
            Reads::Own(RelationKind::Table | RelationKind::View) | Reads::Constant | Reads::Start => true,
        };
        atoms(rule).filter(|atom| !atom.negated).all(may_hold)
    }

    /// Whether a rule inserts the same facts at every start, and at once: then it is no matter whether the disk has those of an earlier one.
    pub fn is_the_same(&self, rule: &Rule) -> bool {
        let fixed = |atom: &Atom| matches!(self.scope.reads(atom), Reads::Constant | Reads::Start);
        let slides =
            fills(rule).and_then(|name| self.scope.storage(name)).is_some_and(|storage| storage.above.is_some());
        rule.kind == RuleKind::Now && !rule.delete && !slides && !aggregates(rule) && atoms(rule).all(fixed)
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn a_start_goes_as_far_as_no_message_is_needed() {
        let program = compile_text(
            "protocol t role client external role a
             fault restart 1 of a
             channel put(k: int) client -> a
             component a {
               durable table kept(k: int)
               durable table starts(=> n: int) max
               timer late(k: int) after 1 s
               kept(0)      :- start()
               kept(k)      :- put(k)
               starts(n + 1) :+ starts(n), begun()
               begun()      :- start(), !( kept(k), k > 5 )
               came(k)      :- put(k)
               later(k)     :+ came(k)
               kept(k)      :- later(k)
               known(k)     :- kept(k)
               again(k)     :- new known(k)
               kept(k + 1)  :+ again(k), k < 3
               late(k)      :~ again(k)
               delete kept(k) :+ late(k)
               late(k)      :~ new kept(k)
             }",
        );
        let component = program.component("a").expect("it is in the text");
        let scope = Scope::new(&program, component);
        let starting = Starting::new(&scope);
        let of = |kind: &dyn Fn(&Rule) -> bool| {
            let rules = scope.rules().filter(|(_, rule)| kind(rule));
            rules.map(|(_, rule)| rule.head.relation.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&|rule| !starting.happens(rule)),
            ["kept", "came", "later", "kept", "kept"],
            "what needs a message comes later"
        );
        assert_eq!(of(&|rule| starting.is_the_same(rule)), ["kept"]);
    }
}
