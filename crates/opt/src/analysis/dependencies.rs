//! Functional dependencies: columns of a relation that are a term over its other columns in every fact.
//!
//! A dependency is about single facts, `hashed.h = hash(hashed.value)`, and not about pairs of them as in databases, so a deletion, a
//! policy that prefers one candidate and a window, all of which only leave facts out, take nothing away from it. It holds if every rule into the relation
//! makes only such facts, given that the facts that the rule reads have the dependencies of their relations. The dependencies that are found are the
//! greatest set, among the terms that rules name, that is closed in this way; by induction over when facts come about it holds of all facts.
//!
//! Rules of the whole program are looked at: what arrives on a channel is what rules derived elsewhere. What external, native and Byzantine
//! nodes send has no dependencies, unless who reads it believes the node itself alone (`from me`); nor has what an aggregate gives, which changes over time, nor
//! what comes on a channel whose MACs do not cover all columns: there it is the check of who reads it that says something.

use std::collections::BTreeMap;

use menard_lang::ir::{Atom, Component, Expr, HeadArg, Name, Program, Role, Rule, RuleKind};

use super::equations::{Class, Equations};
use super::fault_model::declares_liars;
use super::terms::{columns, size};
use crate::channels::is_read_from_me;

/// The largest term that counts: terms of recursive rules would grow for ever.
pub const MAX_TERM: usize = 24;
/// The most dependencies that are kept of one relation.
const MAX_DEPENDENCIES: usize = 64;
/// How long a chain of relations may be through which a dependency is found.
const MAX_ROUNDS: usize = 24;

/// A column that a term over the other columns gives.
#[derive(Clone, PartialEq, Debug)]
pub struct Dependency {
    /// The column.
    pub column: usize,
    /// What it is, over columns by their positions.
    pub term: Expr,
}

/// The dependencies of all relations and channels of a program.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Dependencies {
    /// By the component, none for channels, and the name.
    of: BTreeMap<(Option<Name>, Name), Vec<Dependency>>,
}

impl Dependencies {
    /// Those of a program.
    pub fn of(program: &Program) -> Dependencies {
        let rules: Vec<(&Component, &Rule)> = program
            .components
            .iter()
            .flat_map(|component| component.rules.iter().map(move |rule| (component, rule)))
            .filter(|(_, rule)| !rule.delete && is_trusted(program, rule))
            .collect();
        let mut found = Dependencies::default();
        let mut candidates = Dependencies::default();
        for _ in 0..MAX_ROUNDS {
            for (component, rule) in &rules {
                candidates.add_candidates(program, component, rule, &found);
            }
            let mut closed = candidates.clone();
            while closed.retain_derived(program, &rules) {}
            if closed == found {
                break;
            }
            found = closed;
        }
        found.of.retain(|_, dependencies| !dependencies.is_empty());
        found
    }

    /// Those of a relation of a component, or of a channel.
    pub fn get(&self, program: &Program, component: &str, relation: &str) -> &[Dependency] {
        self.of.get(&key(program, component, relation)).map_or(&[], Vec::as_slice)
    }

    /// What the body of a rule says, with what is known about what it reads; and the classes of its atoms' arguments.
    pub fn equations(&self, program: &Program, component: &str, rule: &Rule) -> (Equations, Vec<Vec<Class>>) {
        let mut equations = Equations::of_body(rule);
        let mut classes = Vec::new();
        for atom in rule.atoms() {
            let args: Vec<Class> = atom.args.iter().map(|arg| equations.computed(arg)).collect();
            if !atom.negated {
                assume(self.get(program, component, &atom.relation), &args, &mut equations);
            }
            classes.push(args);
        }
        for node in rule.atoms().filter_map(|atom: &Atom| atom.from.as_ref()).chain(&rule.head.at) {
            equations.computed(node);
        }
        equations.close();
        (equations, classes)
    }

    /// The ways in which a rule makes columns of its head out of others, given what is known of what it reads.
    pub fn candidates(&self, program: &Program, component: &Component, rule: &Rule) -> Vec<Dependency> {
        let mut found = Dependencies::default();
        found.add_candidates(program, component, rule, self);
        found.of.into_values().flatten().collect()
    }

    /// Whether all that a rule derives has this dependency, given what is known of what it reads.
    pub fn makes(&self, program: &Program, component: &Component, rule: &Rule, dependency: &Dependency) -> bool {
        let (mut equations, _) = self.equations(program, &component.name, rule);
        let head = equations.head(rule);
        let term = equations.instance(&dependency.term, &head);
        equations.close();
        equations.same(head[dependency.column], term)
    }

    /// The same, added to what is known.
    fn add_candidates(&mut self, program: &Program, component: &Component, rule: &Rule, known: &Dependencies) {
        let (mut equations, _) = known.equations(program, &component.name, rule);
        let head = equations.head(rule);
        equations.close();
        let plain: Vec<usize> =
            (0..head.len()).filter(|column| matches!(rule.head.args[*column], HeadArg::Expr(_))).collect();
        let candidates = self.of.entry(key(program, &component.name, &rule.head.relation)).or_default();
        for column in &plain {
            // Another class in the place of the column itself, and of aggregates.
            let none = equations.any();
            let others: Vec<Class> = (0..head.len())
                .map(|other| if other != *column && plain.contains(&other) { head[other] } else { none })
                .collect();
            for term in equations.vocabulary(&others).terms(head[*column]) {
                let dependency = Dependency { column: *column, term };
                let is_said = !columns(&dependency.term).is_empty() || dependency.term.parts().is_empty();
                let fits = is_said && size(&dependency.term) <= MAX_TERM && candidates.len() < MAX_DEPENDENCIES;
                if fits && !candidates.contains(&dependency) {
                    candidates.push(dependency);
                }
            }
        }
    }

    /// Leaves out what some rule does not derive from what is assumed; whether there was something.
    fn retain_derived(&mut self, program: &Program, rules: &[(&Component, &Rule)]) -> bool {
        let mut changed = false;
        for (component, rule) in rules {
            let key = key(program, &component.name, &rule.head.relation);
            let assumed = self.of.get(&key).cloned().unwrap_or_default();
            if assumed.is_empty() {
                continue;
            }
            let (mut equations, _) = self.equations(program, &component.name, rule);
            let head = equations.head(rule);
            let terms: Vec<Class> =
                assumed.iter().map(|dependency| equations.instance(&dependency.term, &head)).collect();
            equations.close();
            let is_derived = |(dependency, term): &(Dependency, Class)| equations.same(head[dependency.column], *term);
            let total = assumed.len();
            let derived: Vec<Dependency> =
                assumed.into_iter().zip(terms).filter(is_derived).map(|(dependency, _)| dependency).collect();
            changed |= derived.len() < total;
            self.of.insert(key, derived);
        }
        changed
    }
}

/// Says of a fact with these arguments what is known of its relation.
pub fn assume(known: &[Dependency], args: &[Class], equations: &mut Equations) {
    for dependency in known {
        let term = equations.instance(&dependency.term, args);
        equations.equate(args[dependency.column], term);
    }
}

/// Channels are known to all, other relations to their component.
fn key(program: &Program, component: &str, relation: &str) -> (Option<Name>, Name) {
    let owner = program.channel(relation).is_none().then(|| Name::from(component));
    (owner, Name::from(relation))
}

/// Whether nobody but rules makes such facts that other rules believe.
fn is_trusted(program: &Program, rule: &Rule) -> bool {
    let channel = (rule.kind == RuleKind::Async).then(|| program.channel(&rule.head.relation)).flatten();
    let Some(channel) = channel else { return true };
    let is_honest = |role: &Role| {
        let is_own = || channel.delay.is_some() || is_read_from_me(program, channel);
        !role.is_foreign() && (!declares_liars(program, &role.name) || is_own())
    };
    // Of a channel whose MACs leave columns out, messages may be changed that their readers' own checks let through.
    channel.authenticated.is_empty() && program.role_of_endpoint(&channel.sender).is_none_or(is_honest)
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::print::expr;

    use super::*;

    /// The dependencies of `kept` in a node that receives `put(k, v)` from clients and `note(k, v)` from a node with this rule.
    fn of_kept(sender: &str, rules: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role b role a
             channel put(k: int, v: int) client -> b channel get(k: int, v: int) client -> a
             channel note(k: int, v: int) b -> a
             component b {{ {sender} }} component a {{ {rules} }}"
        );
        let program = compile_text(&text);
        let dependencies = Dependencies::of(&program);
        let kept = dependencies.get(&program, "a", "kept");
        kept.iter().map(|known| format!("{} = {}", known.column, expr(&known.term))).collect()
    }

    const TABLE: &str = "table kept(x: int, y: int)";

    fn alone(rules: &str) -> Vec<String> {
        of_kept("note(k, v)@s :~ put(k, v), a(s)", &format!("{TABLE} {rules}"))
    }

    #[test]
    fn every_rule_computes_a_column_in_the_same_way() {
        assert_eq!(alone("kept(k % 3, k) :- get(k, _)"), ["0 = 1 % 3"]);
        assert_eq!(
            alone("kept(z, k) :- get(k, _), z = k % 3  kept(i, j) :+ get(j, i), i == j % (1 + 2)"),
            ["0 = 1 % 3"]
        );
        assert_eq!(alone("kept(k, k) :- get(k, _)"), ["0 = 1", "1 = 0"]);
        assert_eq!(alone("kept(k % 3, k) :- get(k, _)  kept(k % 4, k) :- get(k, _)"), [""; 0]);
        assert_eq!(alone("kept(k % 3, k) :- get(k, _)  kept(z, k) :- get(k, z)"), [""; 0]);
        assert_eq!(alone("kept(k, v) :- get(k, v)"), [""; 0]);
    }

    #[test]
    fn constants_are_dependencies_on_nothing() {
        assert_eq!(alone("kept(7, k) :- get(k, _)"), ["0 = 7"]);
        assert_eq!(alone("kept(7, k) :- get(k, _)  kept(8, k) :- get(k, _)"), [""; 0]);
        assert_eq!(alone("kept(7, k) :- get(k, _)  kept(k + 1, k) :+ get(k, 6), k == 6"), ["0 = 7"]);
    }

    #[test]
    fn aggregates_have_none_but_their_groups_do() {
        assert_eq!(alone("kept(k, max(k)) :- get(k, _)"), [""; 0]);
        let groups = "kept(k % 2, k) :- many(k, n), n > 1  many(k, count(v)) :- get(k, v)";
        assert_eq!(alone(groups), ["0 = 1 % 2"]);
    }

    #[test]
    fn they_are_passed_on_and_go_round() {
        let round = "event e(x: int, y: int) e(k % 3, k) :- get(k, _)
                     kept(z, k) :- e(z, k)  kept(z, k) :+ kept(z, k), get(_, _)  delete kept(z, _) :+ get(z, _)";
        assert_eq!(alone(round), ["0 = 1 % 3"]);
        let swapped = "kept(k, k) :- get(k, _)  kept(y, x) :+ kept(x, y), get(x, y)";
        assert_eq!(alone(swapped), ["0 = 1", "1 = 0"]);
        let growing = "kept(k % 3, k) :- get(k, _)  kept(z, k + 1) :+ kept(z, k), get(k, _)";
        assert_eq!(alone(growing), [""; 0]);
    }

    #[test]
    fn what_is_absent_says_nothing() {
        let absent = "table gone(x: int, y: int) gone(k % 3, k) :- get(k, 0)
                      kept(z, k) :- get(z, k), !gone(z, k)";
        assert_eq!(alone(absent), [""; 0]);
        assert_eq!(alone(&absent.replace("!gone", "gone")), ["0 = 1 % 3"]);
    }

    #[test]
    fn senders_are_trusted_if_they_have_rules_and_do_not_lie() {
        let kept = format!("{TABLE} kept(k, v) :- note(k, v)");
        assert_eq!(of_kept("note(v % 3, v)@s :~ put(_, v), a(s)", &kept), ["0 = 1 % 3"]);
        assert_eq!(of_kept("note(k, v)@s :~ put(k, v), a(s)", &kept), [""; 0]);
        let lies = format!("{kept} }} fault byzantine 1 of b component c of a {{ none(1) :- start()");
        assert_eq!(of_kept("note(v % 3, v)@s :~ put(_, v), a(s)", &lies), [""; 0]);
    }

    #[test]
    fn what_may_be_changed_on_the_wire_is_as_its_reader_checks_it() {
        let of_kept = |authenticated: &str| {
            let text = format!(
                "protocol t role client external role a role b[4] role other[4] fault byzantine 1 of other
                 channel put(k: int) client -> a channel told(k: int, v: int) a -> b {authenticated}
                 component a {{ told(v % 3, v)@s :~ put(v), b(s) }} component other {{ none(1) :- start() }}
                 component b {{ {TABLE} kept(k, v) :- told(k, v), k == v % 2 }}"
            );
            let program = compile_text(&text);
            let dependencies = Dependencies::of(&program);
            let kept = dependencies.get(&program, "b", "kept");
            kept.iter().map(|known| format!("{} = {}", known.column, expr(&known.term))).collect::<Vec<_>>()
        };
        assert_eq!(of_kept("").len(), 2);
        assert_eq!(of_kept("authenticated(v)"), ["0 = 1 % 2"]);
    }

    #[test]
    fn liars_are_believed_what_they_tell_themselves() {
        let of_kept = |read: &str, more: &str| {
            let text = format!(
                "protocol t role client external role a[2] fault byzantine 1 of a channel put(k: int) client -> a
                 channel told(k: int, v: int) a -> a
                 component a {{ {TABLE} timer late(k: int, v: int) after 1 s
                   told(v % 3, v)@me :~ put(v)  late(v % 3, v) :~ put(v)  kept(k, v) :- {read}  {more} }}"
            );
            let program = compile_text(&text);
            Dependencies::of(&program).get(&program, "a", "kept").len()
        };
        assert_eq!(of_kept("told(k, v) from me", ""), 1);
        assert_eq!(of_kept("told(k, v)", ""), 0);
        assert_eq!(of_kept("told(k, v) from me", "other(k) :- told(k, _)"), 0);
        assert_eq!(of_kept("late(k, v)", ""), 1);
    }

    #[test]
    fn wholes_tell_parts_and_are_told_by_them() {
        let text = "protocol t role client external role a channel get(p: (int, int), x: int, y: int) client -> a
                    component a { whole(p.0, p) :- get(p, _, _) made((x, y), x, y) :- get(_, x, y)
                                  two(x, hash(x), me) :- get(_, x, _) }";
        let program = compile_text(text);
        let dependencies = Dependencies::of(&program);
        let of = |name: &str| -> Vec<String> {
            let known = dependencies.get(&program, "a", name);
            known.iter().map(|known| format!("{} = {}", known.column, expr(&known.term))).collect()
        };
        assert_eq!(of("whole"), ["0 = 1.0"]);
        assert_eq!(of("made"), ["0 = (1, 2)", "1 = 0.0", "2 = 0.1"]);
        assert_eq!(of("two"), ["1 = hash(0)"], "`me` is another one elsewhere");
    }
}
