//! Which relations are *logically persisted*: a fact that holds in one step holds in all steps after it.
//!
//! The greatest set whose members are tables without deletions that keep all they are given (or the `first` of a key), and views without
//! negation that are derived from members. An aggregate over members changes its value, but only in one direction: a count and a
//! maximum grow, a minimum falls. It is no member, but a *threshold* of it is as good as one: `n >= 3` holds for ever once it holds, for a count `n`,
//! and so does `n == 3` if there is nothing more to count, which is known of nodes of a role of three. A table that keeps the `max` of a
//! key, one value that nothing is deleted from, grows like a maximum, whatever fills it.
//! Windows lose facts as their floors rise, so they are no members.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{
    Aggregate, Atom, Comparison, Expr, ExprKind, HeadArg, Literal, Name, Policy, Relation, RelationKind, Rule,
};
use menard_value::Value;

use super::ranges::nodes_of_variable;
use super::scope::{Reads, Scope, aggregates, atoms, count_uses, fills, variables};

/// What lasts in a component.
pub struct Persisted<'a> {
    scope: &'a Scope<'a>,
    assumed: BTreeSet<&'a str>,
    lasting: BTreeSet<&'a str>,
    growing: BTreeMap<&'a str, Growing<'a>>,
}

/// A view with an aggregate, or a keyed table, that changes in one direction.
#[derive(Clone, Copy)]
struct Growing<'a> {
    /// The rule of a view.
    rule: Option<&'a Rule>,
    /// The position of the aggregate, or of the value.
    position: usize,
    function: Aggregate,
}

impl<'a> Persisted<'a> {
    /// For a component.
    pub fn new(scope: &'a Scope<'a>) -> Self {
        Persisted::assuming(scope, BTreeSet::new())
    }

    /// The same if these relations are known to last.
    pub fn assuming(scope: &'a Scope<'a>, assumed: BTreeSet<&'a str>) -> Self {
        let relations = || scope.component.relations.iter();
        let lasting = relations().filter(|relation| may_last(scope, relation)).map(|relation| relation.name.as_str());
        let growing = relations().filter_map(|relation| Some((relation.name.as_str(), may_grow(scope, relation)?)));
        let growing = growing.filter(|(name, _)| !assumed.contains(name)).collect();
        let lasting = lasting.chain(assumed.iter().copied()).collect();
        let mut persisted = Persisted { scope, assumed, lasting, growing };
        while persisted.shrink() {}
        persisted
    }

    /// Takes out what does not last if what is left does; whether there was any.
    fn shrink(&mut self) -> bool {
        let kind = |name: &str| self.scope.component.relation(name).map(|one| one.kind);
        let holds = |name: &str| rules_for(self.scope, name).all(|rule| self.objection(rule).is_none());
        let stays = |name: &str| self.assumed.contains(name) || kind(name) != Some(RelationKind::View) || holds(name);
        let lasting: BTreeSet<&str> = self.lasting.iter().copied().filter(|name| stays(name)).collect();
        let growing = self.growing.iter().filter(|(name, growing)| growing.rule.is_none() || holds(name));
        let growing: BTreeMap<&str, Growing<'a>> = growing.map(|(name, growing)| (*name, *growing)).collect();
        let is_smaller = lasting.len() < self.lasting.len() || growing.len() < self.growing.len();
        (self.lasting, self.growing) = (lasting, growing);
        is_smaller
    }

    /// Whether facts of a relation hold for ever.
    pub fn lasts(&self, name: &str) -> bool {
        self.lasting.contains(name)
    }

    /// Whether a relation has a value that changes in one direction.
    pub fn grows(&self, name: &str) -> bool {
        self.growing.contains_key(name)
    }

    /// What keeps the solutions of a rule's body from holding for ever. Events are not looked at, nor the head.
    pub fn objection(&self, rule: &'a Rule) -> Option<String> {
        let changing = |atom: &&Atom| self.scope.reads(atom) != Reads::Constant;
        atoms(rule).filter(changing).filter(|atom| !self.is_event(atom)).find_map(|atom| {
            let name = &atom.relation;
            if atom.negated {
                Some(format!("that there is no `{name}` need not stay so"))
            } else if self.lasts(name) || self.is_threshold(rule, atom) {
                None
            } else if self.grows(name) {
                Some(format!("this asks more of `{name}` than whether it has come so far"))
            } else {
                Some(format!("a fact of `{name}` need not stay"))
            }
        })
    }

    fn is_event(&self, atom: &Atom) -> bool {
        atom.new
            || !matches!(self.scope.reads(atom), Reads::Constant | Reads::Own(RelationKind::Table | RelationKind::View))
    }

    /// Whether `new` of an atom holds once: its fact lasts.
    pub fn begins_once(&self, rule: &'a Rule, atom: &'a Atom) -> bool {
        let bound = || {
            let growing = self.growing.get(atom.relation.as_str())?;
            let arg = atom.args.get(growing.position)?;
            self.is_bound(growing, rule, arg).then_some(())
        };
        self.lasts(&atom.relation) || bound().is_some()
    }

    /// Whether an atom of a growing relation asks only whether that has come so far.
    fn is_threshold(&self, rule: &'a Rule, atom: &'a Atom) -> bool {
        let Some(growing) = self.growing.get(atom.relation.as_str()) else { return false };
        let Some(arg) = atom.args.get(growing.position) else { return false };
        match &arg.kind {
            ExprKind::Wildcard => true,
            ExprKind::Variable(name) => {
                self.is_bound(growing, rule, arg) || only_compared(rule, name, growing.function)
            }
            _ => self.is_bound(growing, rule, arg),
        }
    }

    /// Whether an argument is the greatest value that a count can have.
    fn is_bound(&self, growing: &Growing<'a>, rule: &Rule, arg: &Expr) -> bool {
        let equal = |name: &Name| {
            rule.body.iter().find_map(|literal| match literal {
                Literal::Compare { op: Comparison::Equal, left, right, .. } if left.as_variable() == Some(name) => {
                    self.number(right)
                }
                Literal::Compare { op: Comparison::Equal, left, right, .. } if right.as_variable() == Some(name) => {
                    self.number(left)
                }
                _ => None,
            })
        };
        let asked = match &arg.kind {
            ExprKind::Variable(name) => equal(name),
            _ => self.number(arg),
        };
        asked.is_some() && asked == self.greatest(growing)
    }

    /// The value of a constant.
    fn number(&self, expr: &Expr) -> Option<i64> {
        let value = match &expr.kind {
            ExprKind::Constant(value) => value,
            ExprKind::Param(name) => &self.scope.program.param(name)?.value,
            _ => return None,
        };
        match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// How much there is to count at most.
    fn greatest(&self, growing: &Growing<'a>) -> Option<i64> {
        let HeadArg::Aggregate { function: Aggregate::Count, args, .. } =
            growing.rule?.head.args.get(growing.position)?
        else {
            return None;
        };
        let [arg] = args.as_slice() else { return None };
        let role = nodes_of_variable(self.scope, growing.rule?, arg.as_variable()?)?;
        self.scope.program.role(role).map(|role| i64::from(role.nodes)).filter(|nodes| *nodes > 0)
    }
}

fn rules_for<'a>(scope: &'a Scope<'a>, name: &str) -> impl Iterator<Item = &'a Rule> {
    scope.rules().map(|(_, rule)| rule).filter(move |rule| fills(rule) == Some(name))
}

fn may_last(scope: &Scope<'_>, relation: &Relation) -> bool {
    let keeps = relation.storage.key.is_none_or(|key| key.policy == Policy::First) && relation.storage.above.is_none();
    let mut rules = scope.rules().map(|(_, rule)| rule).filter(|rule| fills(rule) == Some(&relation.name));
    match relation.kind {
        RelationKind::Table => keeps && !rules.any(|rule| rule.delete),
        RelationKind::View => !rules.any(aggregates),
        RelationKind::Event => false,
    }
}

fn may_grow<'a>(scope: &'a Scope<'a>, relation: &Relation) -> Option<Growing<'a>> {
    if relation.kind == RelationKind::Table {
        return greatest_of_key(scope, relation);
    }
    let mut rules = rules_for(scope, &relation.name);
    let rule = rules.next().filter(|_| rules.next().is_none() && relation.kind == RelationKind::View)?;
    let mut found = rule.head.args.iter().enumerate().filter_map(|(position, arg)| match arg {
        HeadArg::Aggregate { function, .. } => Some((position, *function)),
        HeadArg::Expr(_) => None,
    });
    let (position, function) = found.next().filter(|_| found.next().is_none())?;
    let changes_one_way = matches!(function, Aggregate::Count | Aggregate::Max | Aggregate::Min);
    changes_one_way.then_some(Growing { rule: Some(rule), position, function })
}

/// A table that keeps the greatest value of each key, of which nothing is deleted.
fn greatest_of_key<'a>(scope: &'a Scope<'a>, table: &Relation) -> Option<Growing<'a>> {
    let key = table.storage.key.filter(|key| key.policy == Policy::Max && table.storage.above.is_none())?;
    let has_one_value = table.columns.len() == key.columns + 1;
    let loses = rules_for(scope, &table.name).any(|rule| rule.delete);
    (has_one_value && !loses).then_some(Growing { rule: None, position: key.columns, function: Aggregate::Max })
}

/// Whether all that a rule does with the value of an aggregate is to ask whether it has come so far.
fn only_compared(rule: &Rule, name: &Name, function: Aggregate) -> bool {
    let falls = function == Aggregate::Min;
    let compared = rule.body.iter().filter(|literal| {
        let Literal::Compare { op, left, right, .. } = literal else { return false };
        let (other, greater) = match (left.as_variable() == Some(name), right.as_variable() == Some(name)) {
            (true, false) => (right, matches!(op, Comparison::Greater | Comparison::GreaterEqual)),
            (false, true) => (left, matches!(op, Comparison::Less | Comparison::LessEqual)),
            _ => return false,
        };
        let is_strict = matches!(op, Comparison::Equal | Comparison::NotEqual);
        !is_strict && greater != falls && !variables(other).contains(name)
    });
    let uses = count_uses(rule).get(name).copied().unwrap_or_default();
    usize::try_from(uses) == Ok(1 + compared.count())
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// What lasts of a component with a table `kept` that nothing is deleted from.
    fn lasting(rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role b[3] role a
             channel put(k: int) client -> a channel drop(k: int) client -> a channel vote(k: int) b -> a
             component b {{ vote(k)@x :~ start(), a(x), k = 1 }}
             component a {{ table kept(k: int) kept(k) :- put(k) {rules} }}"
        );
        let program = compile_text(&text);
        let scope = Scope::of(&program, "a");
        Persisted::new(&scope).lasting.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn tables_without_deletions_and_positive_views_over_them_last() {
        assert_eq!(lasting("more(k + 1) :- kept(k), k > 2"), ["kept", "more"]);
        assert_eq!(lasting("table gone(k: int) gone(k) :- drop(k) open(k) :- kept(k), !gone(k)"), ["gone", "kept"]);
        assert_eq!(lasting("delete kept(k) :+ drop(k) more(k + 1) :- kept(k)"), [""; 0]);
    }

    #[test]
    fn the_first_of_a_key_lasts_but_no_other_and_no_window() {
        assert_eq!(lasting("table one(k: int => v: int) first one(k, 1) :- put(k)"), ["kept", "one"]);
        assert_eq!(lasting("table one(k: int => v: int) max one(k, 1) :- put(k)"), ["kept"]);
        let window = "table low(=> k: int) max low(k) :- drop(k) window table one(k: int) above low one(k) :- put(k)";
        assert_eq!(lasting(window), ["kept"]);
    }

    #[test]
    fn thresholds_of_what_grows_last() {
        let counted = "n(count(k)) :- kept(k) ";
        assert_eq!(lasting(&format!("{counted} many() :- n(m), m >= 3")), ["kept", "many"]);
        assert_eq!(lasting(&format!("{counted} few() :- n(m), m < 3")), ["kept"]);
        assert_eq!(lasting(&format!("{counted} some(m) :- n(m), m >= 3")), ["kept"]);
        assert_eq!(lasting(&format!("{counted} three() :- n(3)")), ["kept"]);
        assert_eq!(lasting("n(min(k)) :- kept(k) low() :- n(m), m < 3"), ["kept", "low"]);
        assert_eq!(lasting("n(sum(k)) :- kept(k) high() :- n(m), m > 3"), ["kept"]);
    }

    #[test]
    fn thresholds_of_the_greatest_of_a_key_last() {
        let top = "table top(=> n: int) max top(k) :- drop(k) ";
        assert_eq!(lasting(&format!("{top} past(k) :- kept(k), top(n), n >= k")), ["kept", "past"]);
        assert_eq!(lasting(&format!("{top} past(n) :- kept(k), top(n), n >= k")), ["kept"]);
        assert_eq!(lasting(&format!("{top} last(n) :- top(n)")), ["kept"]);
        assert_eq!(lasting(&format!("{top} past(k) :- kept(k), top(n), n >= k delete top(_) :+ put(_)")), ["kept"]);
        let of_key = "table top(k: int => n: int) max top(0, k) :- drop(k) past(k) :- kept(k), top(k, n), n >= 2";
        assert_eq!(lasting(of_key), ["kept", "past"]);
        assert_eq!(lasting(&of_key.replace("max", "replace")), ["kept"]);
        assert_eq!(lasting(&of_key.replace("top(k, n), n >= 2", "top(k, n), n < 2")), ["kept"]);
        assert_eq!(
            lasting("table top(=> a: int, b: int) max top(k, k) :- drop(k) past(k) :- kept(k), top(n, _), n >= k"),
            ["kept"]
        );
    }

    #[test]
    fn all_nodes_of_a_role_are_all_that_can_be_counted() {
        let counted = "table voted(k: int, x: node) voted(k, x) :- vote(k) from x n(k, count(x)) :- voted(k, x) ";
        assert_eq!(lasting(&format!("{counted} all(k) :- n(k, 3)")), ["all", "kept", "voted"]);
        assert_eq!(lasting(&format!("{counted} all(k) :- n(k, m), m == 3")), ["all", "kept", "voted"]);
        assert_eq!(lasting(&format!("{counted} two(k) :- n(k, 2)")), ["kept", "voted"]);
    }
}
