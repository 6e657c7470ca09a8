//! Which tables *pass*: their facts go, but key by key, and all facts of a key at once. Between two times at which a key goes it *lives*; in
//! a life its facts only become more. So within a life a table that passes is as good as one that lasts.
//!
//! * A window passes by its first column: the floor takes all facts of a number at once, and none with that number comes after. It takes them from
//!   all windows above it, so these share their lives.
//! * A table passes if all its deletions name the same columns, which are the key. A key may come again and have another life. That is seen from
//!   outside only if a step without it is between the two: a life ends with a deletion, which an event brings about and nothing beats, and
//!   what fills the table comes with messages, which the step after a deletion does not take.
//!
//! What rules conclude from a table that passes, in views that tell the key, passes as well, with the lives of that table.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Expr, HeadArg, Name, Policy, RelationKind, Rule, RuleKind};
use menard_lang::source::Span;

use super::scope::{Reads, Scope, atoms, fills};

/// What the facts of a table that passes have in common that go at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The positions of its columns.
    pub columns: Vec<usize>,
    /// The floor of a window; other tables are deleted from.
    pub floor: Option<Name>,
}

/// The key by which the facts of a table go, if its declaration and the heads of its deletions give one.
pub fn key_of(scope: &Scope<'_>, table: &str) -> Option<Key> {
    let storage = scope.storage(table)?;
    let mut deletions = deletions(scope, table).map(key_columns).peekable();
    if storage.key.is_some_and(|key| key.policy != Policy::First) {
        return None;
    }
    match &storage.above {
        Some(floor) if deletions.peek().is_none() => Some(Key { columns: vec![0], floor: Some(floor.clone()) }),
        Some(_) => None,
        None => {
            let columns = deletions.next()?;
            deletions.all(|other| other == columns).then_some(Key { columns, floor: None })
        }
    }
}

/// The rules that delete from a table.
pub fn deletions<'a>(scope: &Scope<'a>, table: &str) -> impl Iterator<Item = &'a Rule> {
    scope.rules().map(|(_, rule)| rule).filter(move |rule| rule.delete && rule.head.relation == table)
}

/// The columns that a deletion names.
fn key_columns(deletion: &Rule) -> Vec<usize> {
    let is_named = |arg: &HeadArg| matches!(arg, HeadArg::Expr(expr) if !expr.is_wildcard());
    deletion.head.args.iter().enumerate().filter(|(_, arg)| is_named(arg)).map(|(position, _)| position).collect()
}

/// What keeps lives of a key from being apart, of a table that has one: where, and why.
pub fn merging_lives(scope: &Scope<'_>, table: &str, key: &Key) -> Vec<(Span, String)> {
    if key.floor.is_some() {
        return Vec::new();
    }
    let prompt = events_with_messages(scope);
    let objection = |rule: &Rule| match rule.kind {
        _ if rule.delete && scope.is_state_only(rule) => {
            Some(format!("this deletes from `{table}` as long as state holds"))
        }
        _ if rule.delete => None,
        RuleKind::Next => Some(format!("this puts facts back into `{table}` that the same step deletes")),
        _ if comes_with_messages(scope, rule, &prompt) => None,
        _ => Some(format!("this may fill `{table}` in the step after a deletion")),
    };
    let rules = scope.rules().map(|(_, rule)| rule).filter(|rule| fills(rule) == Some(table));
    rules.filter_map(|rule| Some((rule.span, objection(rule)?))).collect()
}

/// The events that hold only in steps that take messages, or the first step.
fn events_with_messages<'a>(scope: &Scope<'a>) -> BTreeSet<&'a str> {
    let events = scope.component.relations.iter().filter(|relation| relation.kind == RelationKind::Event);
    let mut prompt: BTreeSet<&str> = events.map(|event| event.name.as_str()).collect();
    loop {
        let late = |rule: &&Rule| rule.kind == RuleKind::Next || !comes_with_messages(scope, rule, &prompt);
        let filling = scope.rules().map(|(_, rule)| rule).filter(|rule| fills(rule).is_some());
        let late: Vec<&str> = filling.filter(late).filter_map(fills).filter(|name| prompt.contains(name)).collect();
        if late.is_empty() {
            return prompt;
        }
        late.into_iter().for_each(|name| {
            prompt.remove(name);
        });
    }
}

/// Whether a body holds only in steps that take messages, or the first step.
fn comes_with_messages(scope: &Scope<'_>, rule: &Rule, prompt: &BTreeSet<&str>) -> bool {
    atoms(rule).filter(|atom| !atom.negated).any(|atom| match scope.reads(atom) {
        Reads::Channel | Reads::Start => true,
        Reads::Own(_) => !atom.new && prompt.contains(atom.relation.as_str()),
        Reads::Constant => false,
    })
}

/// A relation of which facts pass: a table, or a view that moved rules derive from one.
#[derive(Clone, Debug)]
pub struct Carrier<'a> {
    /// The table whose lives it shares.
    pub table: &'a str,
    /// Where it has the key.
    pub columns: Vec<usize>,
}

/// What passes, for moved rules.
pub struct Passing<'a> {
    keys: BTreeMap<&'a str, Key>,
    carriers: BTreeMap<&'a str, Carrier<'a>>,
}

impl<'a> Passing<'a> {
    /// For moved rules that read these tables, which have keys by which their facts go.
    pub fn new(moving: &[&'a Rule], scope: &Scope<'a>, keys: BTreeMap<&'a str, Key>) -> Self {
        let of_table = |(table, key): (&&'a str, &Key)| (*table, Carrier { table, columns: key.columns.clone() });
        let carriers = keys.iter().map(of_table).collect();
        let mut passing = Passing { keys, carriers };
        let is_view = |rule: &Rule| {
            let head = scope.component.relation(&rule.head.relation);
            rule.kind == RuleKind::Now && head.is_some_and(|head| head.kind == RelationKind::View)
        };
        loop {
            let before = passing.carriers.len();
            for rule in moving.iter().filter(|rule| is_view(rule)) {
                let name = rule.head.relation.as_str();
                if !passing.carriers.contains_key(name)
                    && let Some(carrier) = passing.carried(rule)
                {
                    passing.carriers.insert(name, carrier);
                }
            }
            if passing.carriers.len() == before {
                return passing;
            }
        }
    }

    /// The tables that pass, with their keys.
    pub fn tables(&self) -> &BTreeMap<&'a str, Key> {
        &self.keys
    }

    /// Whether the facts that two tables have of a key go at once.
    fn share_lives(&self, one: &str, other: &str) -> bool {
        let floor = |table: &str| self.keys.get(table)?.floor.as_ref();
        one == other || floor(one).is_some() && floor(one) == floor(other)
    }

    /// The tables that lose a key together with this one, itself included.
    pub fn together(&self, table: &str) -> Vec<&'a str> {
        self.keys.keys().copied().filter(|other| self.share_lives(other, table)).collect()
    }

    /// How a relation passes, if it does.
    pub fn carrier(&self, relation: &str) -> Option<&Carrier<'a>> {
        self.carriers.get(relation)
    }

    /// The table whose lives a rule reads, directly or through views.
    pub fn table_read(&self, rule: &Rule) -> Option<&'a str> {
        atoms(rule).find_map(|atom| Some(self.carrier(&atom.relation)?.table))
    }

    /// Whether a key of the table that a relation passes with may come again.
    pub fn comes_again(&self, relation: &str) -> bool {
        self.carrier(relation).is_some_and(|carrier| self.keys[carrier.table].floor.is_none())
    }

    /// What a rule reads of the key of a carrier: one expression for each column.
    fn terms<'r>(&self, args: &'r [Expr], carrier: &Carrier<'_>) -> Vec<&'r Expr> {
        carrier.columns.iter().map(|column| &args[*column]).collect()
    }

    /// How the head of a rule carries what its body reads; without the key where the head does not have it.
    fn carried(&self, rule: &Rule) -> Option<Carrier<'a>> {
        let atom = atoms(rule).find(|atom| self.carriers.contains_key(atom.relation.as_str()))?;
        let carrier = self.carrier(&atom.relation)?;
        let place = |term: &Expr| {
            let is_it =
                |arg: &HeadArg| matches!(arg, HeadArg::Expr(expr) if expr.kind == term.kind && !expr.is_wildcard());
            rule.head.args.iter().position(is_it)
        };
        let columns = self.terms(&atom.args, carrier).into_iter().filter_map(place).collect();
        Some(Carrier { table: carrier.table, columns })
    }

    /// What is in the way of a moved rule's solutions being those of one life: where, and why.
    pub fn objection(&self, scope: &Scope<'a>, rule: &'a Rule) -> Option<(Span, String)> {
        let mut read = atoms(rule).filter(|atom| scope.reads(atom) != Reads::Constant);
        let name = &rule.head.relation;
        let head = fills(rule).and_then(|name| self.carrier(name));
        let Some(first) = atoms(rule).find(|atom| self.carriers.contains_key(atom.relation.as_str())) else {
            let why = || format!("`{name}` goes in part only: this rule for it reads nothing that goes");
            return head.map(|_| (rule.span, why()));
        };
        let carrier = self.carrier(&first.relation)?;
        let table = carrier.table;
        let terms = self.terms(&first.args, carrier);
        let stranger = read.find_map(|atom| {
            let Some(other) = self.carrier(&atom.relation).filter(|other| self.share_lives(other.table, table)) else {
                return Some((atom.span, format!("`{}` may change after a key of `{table}` is gone", atom.relation)));
            };
            let others = self.terms(&atom.args, other);
            let is_same = std::ptr::eq(atom, first)
                || others.len() == terms.len()
                    && terms.iter().zip(&others).all(|(one, other)| one.kind == other.kind && !one.is_wildcard());
            (!is_same).then(|| (atom.span, format!("this need not be of the same key of `{table}`")))
        });
        if stranger.is_some() {
            return stranger;
        }
        if rule.kind == RuleKind::Async && scope.is_state_only(rule) {
            return Some((rule.span, format!("this may be sent again as long as `{table}` has a key, and no longer")));
        }
        let head = head?;
        let tells = self.carried(rule).is_some_and(|own| own.columns == head.columns);
        let tells =
            tells && head.columns.len() == self.keys[table].columns.len() && self.share_lives(head.table, table);
        (!tells).then(|| (rule.head.span, format!("`{name}` does not tell the key of `{table}`")))
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// What goes by which columns, and how many rules keep its lives from being apart.
    fn key(rules: &str) -> Option<(Vec<usize>, bool, usize)> {
        let text = format!(
            "protocol t role client external role a
             channel put(k: int, v: int) client -> a channel drop(k: int) client -> a
             component a {{ table mark(k: int) mark(k) :- drop(k) {rules} }}"
        );
        let program = compile_text(&text);
        let scope = Scope::of(&program, "a");
        let key = key_of(&scope, "kept")?;
        let objections = merging_lives(&scope, "kept", &key).len();
        Some((key.columns, key.floor.is_some(), objections))
    }

    #[test]
    fn deletions_that_name_the_same_columns_have_a_key() {
        let kept = "table kept(k: int, v: int) kept(k, v) :- put(k, v)";
        assert_eq!(key(kept), None);
        assert_eq!(key(&format!("{kept} delete kept(k, _) :+ drop(k)")), Some((vec![0], false, 0)));
        assert_eq!(key(&format!("{kept} delete kept(_, _) :+ drop(_)")), Some((vec![], false, 0)));
        let two = "delete kept(k, _) :+ drop(k) delete kept(k % 3, _) :+ new mark(k)";
        assert_eq!(key(&format!("{kept} {two}")), Some((vec![0], false, 0)));
        assert_eq!(key(&format!("{kept} delete kept(k, _) :+ drop(k) delete kept(_, v) :+ drop(v)")), None);
        let first = kept.replace("k: int, v: int)", "k: int => v: int) first");
        assert_eq!(key(&format!("{first} delete kept(k, _) :+ drop(k)")), Some((vec![0], false, 0)));
        assert_eq!(key(&format!("{} delete kept(k, _) :+ drop(k)", first.replace("first", "replace"))), None);
    }

    #[test]
    fn windows_go_by_their_first_column() {
        let low = "table low(=> n: int) max low(n) :- drop(n)";
        let kept = "window table kept(k: int, v: int) above low kept(k, v) :+ put(k, v)";
        assert_eq!(key(&format!("{low} {kept}")), Some((vec![0], true, 0)));
        assert_eq!(key(&format!("{low} {kept} delete kept(k, _) :+ drop(k)")), None);
    }

    #[test]
    fn lives_are_apart_if_what_fills_comes_with_messages() {
        let kept = "table kept(k: int, v: int) delete kept(k, _) :+ drop(k)";
        let objections = |rules: &str| key(&format!("{kept} {rules}")).map(|(.., objections)| objections);
        assert_eq!(objections("both(k, v) :- put(k, v), mark(k) kept(k, v) :- both(k, v)"), Some(0));
        assert_eq!(objections("kept(k, v) :+ put(k, v)"), Some(1));
        assert_eq!(objections("late(k, v) :+ put(k, v) kept(k, v) :- late(k, v)"), Some(1));
        assert_eq!(objections("late(k, v) :+ put(k, v) later(k, v) :- late(k, v) kept(k, v) :- later(k, v)"), Some(1));
        assert_eq!(objections("kept(k, 1) :- new mark(k)"), Some(1));
        assert_eq!(objections("kept(k, 1) :- mark(k)"), Some(1));
        assert_eq!(objections("kept(k, v) :- put(k, v) delete kept(k, _) :+ mark(k)"), Some(1));
    }
}
