//! What is asked of rules that are told late what they read, by [monotonic](super::decouple_monotonic) and [mutual](super::decouple_mutual) decoupling: that they only
//! ever conclude more from more.

use menard_lang::determined::is_known;
use menard_lang::ir::{Program, RelationKind, Rule};

use super::{decide, differ};
use crate::analysis::determined::determined;
use crate::analysis::persisted::Persisted;
use crate::analysis::scope::{Reads, Scope, aggregates, atoms, fills, sends};
use crate::refusal::{Broken, Obstacle};

/// Rules of a component that are told late.
pub struct Monotone<'a> {
    /// The program.
    pub program: &'a Program,
    /// The component.
    pub scope: &'a Scope<'a>,
    /// The rules.
    pub rules: Vec<&'a Rule>,
    /// What lasts in the component.
    pub persisted: Persisted<'a>,
    /// What a proof calls the rules: `moved`.
    pub called: &'static str,
}

impl Monotone<'_> {
    /// Whether what the rules conclude from state holds for ever.
    pub fn conclude_for_ever(&self) -> Result<String, Broken> {
        let because =
            format!("a {} rule could conclude something before it knows all that speaks against it", self.called);
        let objection = |rule| self.objection(rule).or_else(|| self.persisted.objection(rule));
        let found = self.rules.iter().filter_map(|rule| Some(self.obstacle(rule, objection(rule)?)));
        let sentence = format!("what the {} rules conclude, they conclude for ever", self.called);
        decide(found.collect(), sentence, &because, None)
    }

    /// What keeps the head of a rule from holding for ever.
    fn objection(&self, rule: &Rule) -> Option<String> {
        let kind = fills(rule).and_then(|name| self.scope.component.relation(name)).map(|relation| relation.kind);
        let storage = fills(rule).and_then(|name| self.scope.storage(name));
        let name = &rule.head.relation;
        if rule.delete {
            return Some(format!("this deletes from `{name}`"));
        }
        if storage.is_some_and(|storage| storage.is_selective()) && !is_greatest(self.scope, &self.persisted, name) {
            return Some(format!("which facts `{name}` takes depends on which come first"));
        }
        if kind == Some(RelationKind::Event) {
            return Some(format!("`{name}` is an event: it holds for one step"));
        }
        let counts = kind == Some(RelationKind::View) && self.persisted.grows(name);
        (aggregates(rule) && !counts).then(|| "the value of this aggregate depends on how much is known".to_owned())
    }

    /// Whether a rule with an event reads nothing else that changes, and sends only if that is `new`.
    pub fn read_one_event(&self) -> Result<String, Broken> {
        let mut obstacles = Vec::new();
        for rule in self.rules.iter().copied().filter(|rule| !self.scope.is_state_only(rule)) {
            let mut read = atoms(rule).filter(|atom| self.scope.reads(atom) != Reads::Constant);
            let (Some(event), None) = (read.next(), read.next()) else {
                obstacles.push(self.obstacle(rule, "this reads something besides an event".to_owned()));
                continue;
            };
            let begins = event.new && is_state(self.scope, &event.relation) && self.persisted.begins_once(rule, event);
            let why = match (begins, sends(rule)) {
                (true, _) if !event.negated => continue,
                (false, None) if !event.negated && (!event.new || !is_state(self.scope, &event.relation)) => continue,
                (false, Some(_)) if !event.new => format!("this sends when `{}` happens", event.relation),
                _ => format!("a fact of `{}` may be new more than once", event.relation),
            };
            obstacles.push(self.obstacle(rule, why));
        }
        let because = "what meets in one step of the original need not meet after the move";
        let sentence = format!("{} rules with an event read one event, and nothing else that changes", self.called);
        decide(obstacles, sentence, because, Some("join state in a view, and read `new` of that"))
    }

    /// Whether what a rule sends by `new` tells the fact that is new, and the rule; other rules of the component send on the channels, too.
    pub fn tell_what_is_new(&self, others: Vec<&Rule>) -> Result<String, Broken> {
        let mut obstacles = Vec::new();
        let mut sending = others;
        for rule in self.rules.iter().copied().filter(|rule| sends(rule).is_some()) {
            let rival = |known: &&Rule| known.head.relation == rule.head.relation && !differ(known, rule);
            if sending.iter().any(rival) {
                let channel = &rule.head.relation;
                let why = format!("this sends on `{channel}` as well, with nothing that tells it from another rule");
                obstacles.push(self.obstacle(rule, why));
            }
            sending.push(rule);
            if self.scope.is_state_only(rule) {
                continue;
            }
            let known = determined(rule);
            let untold = self.scope.literals(rule).find(|atom| !atom.args.iter().all(|arg| is_known(arg, &known)));
            if let Some(atom) = untold {
                obstacles.push(self.obstacle(rule, format!("the head does not tell which `{}` is new", atom.relation)));
            }
        }
        let because = "facts of one step that give one message here would give several when they come one by one";
        let help = "a view can drop what the message does not tell, and `new` of that view is once";
        decide(obstacles, "what is sent by `new` tells the fact that is new".into(), because, Some(help))
    }

    fn obstacle(&self, rule: &Rule, why: String) -> Obstacle {
        Obstacle::new(self.program, rule.span, why)
    }
}

/// Whether a table keeps the greatest value of a key, of which only thresholds last.
pub fn is_greatest(scope: &Scope<'_>, persisted: &Persisted<'_>, name: &str) -> bool {
    persisted.grows(name) && scope.storage(name).is_some_and(|storage| storage.key.is_some())
}

/// Whether a relation of the component holds for longer than one step.
pub fn is_state(scope: &Scope<'_>, name: &str) -> bool {
    matches!(scope.reads_name(name), Reads::Own(RelationKind::Table | RelationKind::View))
}

/// The refusal's words for state that is read where it is not, but does not last.
pub fn why_not_lasting(persisted: &Persisted<'_>, name: &str) -> String {
    match persisted.grows(name) {
        true => format!("`{name}` changes as it grows, and stays"),
        false => format!("a fact of `{name}` need not stay"),
    }
}
