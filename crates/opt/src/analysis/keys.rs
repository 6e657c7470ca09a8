//! A key for every relation of a component, a term over its columns, such that facts which meet in a rule have equal keys.
//!
//! A key of several terms is a list of such assignments, one for each position, since tuples are equal if they are equal position by
//! position. So only assignments of single terms are searched: groups of relations that rules tie together, one by one, by
//! propagation from rule to rule.
//!
//! Without dependencies the only terms are columns. With them, they are what rules compute of columns, and what of this can be computed
//! elsewhere: a key of one relation is written as a term over the columns of those that it meets, until there is nothing new.
//!
//! A term need not have a value for every fact. Facts without a key are on the first partition, all of them; that keys of facts which meet
//! are *equal* includes that neither has one.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Comparison, Expr, ExprKind, HeadArg, Literal, Rule};

use super::demands::{Demand, Demands, apart};
use super::dependencies::{Dependencies, MAX_TERM};
use super::scope::Scope;
use super::terms::{column, columns, size};

/// The most assignments that are kept of one group; far more than any protocol has columns.
const MAX_ASSIGNMENTS: usize = 256;
/// The most partial assignments that are looked at.
const MAX_STEPS: usize = 20_000;
/// The most terms that are tried as keys of one relation, beside its columns.
const MAX_TERMS: usize = 40;

/// A key for each relation: the position of a candidate.
pub type Assignment<'a> = BTreeMap<&'a str, usize>;

/// The terms that may be keys of each relation; first of all its columns in their order.
pub type Candidates<'a> = BTreeMap<&'a str, Vec<Expr>>;

/// What there is to know about keys of a component.
pub struct Keys<'a> {
    /// The component.
    pub scope: &'a Scope<'a>,
    /// Whether keys may be computed.
    pub computed: bool,
    /// What its rules demand.
    demands: Vec<Demand<'a>>,
    candidates: Candidates<'a>,
}

impl<'a> Keys<'a> {
    /// Of columns alone, or, with dependencies, of terms, the wanted ones among them.
    pub fn new(scope: &'a Scope<'a>, dependencies: Option<&Dependencies>, wanted: &[(&'a str, Expr)]) -> Keys<'a> {
        let rules = || scope.rules().filter(|(_, rule)| !scope.derives_constant(rule));
        let referenced: BTreeSet<&str> = rules().flat_map(|(_, rule)| scope.references(rule)).collect();
        let none = Dependencies::default();
        let known = dependencies.unwrap_or(&none);
        let mut demands: Vec<Demand<'a>> =
            rules().map(|(index, _)| Demand::of(scope, known, index, &referenced)).collect();
        let columns = |name: &&'a str| (*name, (0..arity(scope, name)).map(column).collect());
        let mut candidates: Candidates<'a> = referenced.iter().map(columns).collect();
        for (relation, term) in wanted {
            if let Some(terms) = candidates.get_mut(relation).filter(|terms| !terms.contains(term)) {
                terms.push(term.clone());
            }
        }
        if dependencies.is_some() {
            translate(scope, &demands, &mut candidates);
        }
        demands.iter_mut().for_each(|demand| demand.prepare(&candidates));
        Keys { scope, computed: dependencies.is_some(), demands, candidates }
    }

    /// The candidates for the key of a relation.
    pub fn candidates(&self, relation: &str) -> &[Expr] {
        self.candidates.get(relation).map(Vec::as_slice).unwrap_or_default()
    }

    /// The relations that are read, in groups of those that rules tie together.
    pub fn groups(&self, demands: Demands) -> Vec<Group<'a, '_>> {
        let mut groups: Vec<(BTreeSet<&'a str>, Vec<&Demand<'a>>)> =
            self.candidates.keys().map(|name| (BTreeSet::from([*name]), Vec::new())).collect();
        for demand in &self.demands {
            let names: BTreeSet<&str> = demand.met.iter().map(|literal| literal.relation).collect();
            let is_tied = |(group, rules): &(BTreeSet<&'a str>, Vec<&Demand<'a>>)| {
                let holds_the_same = |other: &&Demand<'_>| demand.is_shared() && other.shared == demand.shared;
                !group.is_disjoint(&names) || demands.held && rules.iter().any(holds_the_same)
            };
            let (tied, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_tied);
            groups = apart;
            let mut merged = (BTreeSet::new(), vec![demand]);
            for (names, demands) in tied {
                merged.0.extend(names);
                merged.1.extend(demands);
            }
            if !merged.0.is_empty() {
                groups.push(merged);
            }
        }
        groups.into_iter().map(|(names, rules)| Group::solve(self, names, rules, demands)).collect()
    }
}

/// Writes keys of relations as keys of those that they meet, as long as there are new ones.
fn translate<'a>(scope: &Scope<'a>, demands: &[Demand<'a>], candidates: &mut Candidates<'a>) {
    let of_columns: BTreeMap<&str, usize> = candidates.iter().map(|(name, terms)| (*name, terms.len())).collect();
    loop {
        let mut changed = false;
        for demand in demands {
            let seeds = computed(scope.rule(demand.rule));
            for (relation, term) in demand.translate(candidates, &seeds) {
                let Some(terms) = candidates.get_mut(relation) else { continue };
                let fits = !columns(&term).is_empty() && size(&term) <= MAX_TERM;
                if fits && !terms.contains(&term) && terms.len() < of_columns[relation] + MAX_TERMS {
                    terms.push(term);
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

/// What a rule computes, as a whole.
fn computed(rule: &Rule) -> Vec<Expr> {
    let head = rule.head.args.iter().filter_map(HeadArg::as_expr);
    let body = rule.body.iter().flat_map(|literal| match literal {
        Literal::Atom(atom) => atom.args.iter().collect::<Vec<&Expr>>(),
        Literal::Bind { value, .. } => vec![value],
        Literal::Compare { op: Comparison::Equal, left, right, .. } => vec![left, right],
        Literal::Compare { .. } | Literal::In { .. } => Vec::new(),
    });
    let is_computed =
        |expr: &&Expr| matches!(expr.kind, ExprKind::Call(..) | ExprKind::Construct(..) | ExprKind::Field { .. });
    let mut wildcard = false;
    let exprs: Vec<Expr> = head.chain(body).filter(is_computed).cloned().collect();
    exprs.iter().for_each(|expr| expr.visit(&mut |part| wildcard |= part.is_wildcard()));
    if wildcard { Vec::new() } else { exprs }
}

/// Relations of a component that rules tie together, and how they can be keyed.
pub struct Group<'a, 'k> {
    keys: &'k Keys<'a>,
    /// The relations and received channels, those with messages first.
    pub relations: Vec<&'a str>,
    /// What the rules over them demand.
    pub demands: Vec<&'k Demand<'a>>,
    /// All ways to key them.
    pub assignments: Vec<Assignment<'a>>,
}

/// A search for assignments.
struct Search<'a> {
    keys: Assignment<'a>,
    found: Vec<Assignment<'a>>,
    steps: usize,
}

impl<'a, 'k> Group<'a, 'k> {
    fn solve(
        keys: &'k Keys<'a>,
        names: BTreeSet<&'a str>,
        mut rules: Vec<&'k Demand<'a>>,
        demands: Demands,
    ) -> Group<'a, 'k> {
        rules.sort_by_key(|demand| demand.rule);
        let is_channel = |name: &&str| keys.scope.program.channel(name).is_some();
        let (channels, own): (Vec<&str>, Vec<&str>) = names.into_iter().partition(is_channel);
        let relations: Vec<&str> = channels.into_iter().chain(own).collect();
        let relations = tied_order(&relations, &rules);
        let mut group = Group { keys, relations, demands: rules, assignments: Vec::new() };
        let mut search = Search { keys: Assignment::new(), found: Vec::new(), steps: 0 };
        group.extend(&mut search, 0, demands);
        group.assignments = search.found;
        group
    }

    /// Completes an assignment from its relation at `next` on, in all ways.
    fn extend(&self, search: &mut Search<'a>, next: usize, demands: Demands) {
        let Some(name) = self.relations.get(next) else {
            search.found.push(search.keys.clone());
            return;
        };
        for candidate in 0..self.keys.candidates(name).len() {
            if !self.is_routable(name, candidate, demands) {
                continue;
            }
            search.steps += 1;
            search.keys.insert(name, candidate);
            let mut concerned =
                self.demands.iter().filter(|demand| demand.met.iter().any(|literal| literal.relation == *name));
            if search.found.len() < MAX_ASSIGNMENTS
                && search.steps < MAX_STEPS
                && concerned.all(|demand| demand.is_met(&search.keys, demands))
                && self.apart(&search.keys, demands).is_none()
            {
                self.extend(search, next + 1, demands);
            }
            search.keys.remove(name);
        }
    }

    /// Whether a candidate can be the key of a relation: that of a keyed table is made of columns of the table's own key, so that all
    /// candidates for one key meet.
    fn is_routable(&self, name: &str, candidate: usize, demands: Demands) -> bool {
        let own = self.keys.scope.storage(name).and_then(|storage| storage.key).filter(|_| demands.keyed);
        let columns = columns(&self.keys.candidates(name)[candidate]);
        own.is_none_or(|key| columns.iter().all(|column| *column < key.columns))
    }

    /// A keyed table that cannot have its key in these columns, or has no column to be keyed by.
    pub fn misplaced(&self, seed: &Assignment<'a>, demands: Demands) -> Option<&'a str> {
        let keys = self.propagated(seed, demands).unwrap_or_else(|_| seed.clone());
        let is_misplaced = |name: &&&str| {
            let is_routable = |candidate| self.is_routable(name, candidate, demands);
            let none = !(0..self.keys.candidates(name).len()).any(is_routable);
            none || keys.get(**name).is_some_and(|candidate| !is_routable(*candidate))
        };
        self.relations.iter().find(is_misplaced).copied()
    }

    /// The first rule that cannot go along when these columns are keys, with its relations; found by propagation from rule to rule.
    pub fn conflict(&self, seed: &Assignment<'a>, demands: Demands) -> Option<&'k Demand<'a>> {
        match self.propagated(seed, demands) {
            Ok(keys) => self.apart(&keys, demands),
            Err(demand) => Some(demand),
        }
    }

    /// These columns as keys, and what follows from them; the rule in the way, if one is.
    fn propagated(&self, seed: &Assignment<'a>, demands: Demands) -> Result<Assignment<'a>, &'k Demand<'a>> {
        let mut keys = seed.clone();
        loop {
            let before = keys.len();
            for demand in &self.demands {
                if !demand.is_met(&keys, demands) {
                    return Err(demand);
                }
                if demands.joins && !demand.propagate(&mut keys, demands) {
                    return Err(demand);
                }
            }
            if keys.len() == before {
                return Ok(keys);
            }
        }
    }

    fn apart(&self, keys: &Assignment<'a>, demands: Demands) -> Option<&'k Demand<'a>> {
        if demands.held { apart(&self.demands, keys) } else { None }
    }
}

/// The relations in an order in which each, where possible, is tied to an earlier one, so that dead ends show early.
fn tied_order<'a>(relations: &[&'a str], demands: &[&Demand<'_>]) -> Vec<&'a str> {
    let mut rest = relations.to_vec();
    let mut order: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let is_tied = |name: &&str| {
            demands.iter().any(|demand| {
                let has = |name: &str| demand.met.iter().any(|literal| literal.relation == name);
                has(name) && order.iter().any(|earlier| has(earlier))
            })
        };
        let next = rest.iter().position(is_tied).unwrap_or(0);
        order.push(rest.remove(next));
    }
    order
}

fn arity(scope: &Scope<'_>, name: &str) -> usize {
    match scope.program.channel(name) {
        Some(channel) => channel.columns.len(),
        None => scope.component.relation(name).map_or(0, |relation| relation.columns.len()),
    }
}

/// The name of a relation's column.
pub fn column_name<'a>(scope: &Scope<'a>, relation: &str, column: usize) -> &'a str {
    let columns = match scope.program.channel(relation) {
        Some(channel) => &channel.columns,
        None => &scope.component.relation(relation).expect("only relations that exist are keyed").columns,
    };
    &columns[column].name
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    const ALL: Demands = Demands { joins: true, aggregates: true, held: true, keyed: true };

    /// All ways to key the relations of a node that receives `put(k, v)` and `get(k)`, group by group.
    fn assignments(rules: &str) -> Vec<Vec<String>> {
        let text = format!(
            "protocol t role client external role a role b
             channel put(k: int, v: int) b -> a channel get(k: int) b -> a channel out(k: int, v: int) a -> b
             channel ask(k: int) client -> b
             component a {{ table kept(k: int, v: int) {rules} }}
             component b {{ put(k, k)@n :~ ask(k), a(n) get(k)@n :~ ask(k), a(n) seen(k, v) :- out(k, v) }}"
        );
        let program = compile_text(&text);
        let scope = Scope::of(&program, "a");
        let keys = Keys::new(&scope, None, &[]);
        let columns = |assignment: &Assignment<'_>| {
            assignment.iter().map(|(name, column)| format!("{name}.{column}")).collect::<Vec<_>>().join(" ")
        };
        keys.groups(ALL).iter().map(|group| group.assignments.iter().map(columns).collect()).collect()
    }

    #[test]
    fn facts_that_meet_have_the_same_variable_as_key() {
        let rules = "kept(k, v) :- put(k, v) out(k, v)@n :~ get(k), kept(k, v), b(n)";
        assert_eq!(assignments(rules), [["get.0 kept.0 put.0"]]);
    }

    #[test]
    fn relations_that_never_meet_are_keyed_apart() {
        let rules = "out(k, v)@n :~ put(k, v), b(n) out(k, 0)@n :~ get(k), b(n)";
        let groups = assignments(rules);
        assert_eq!(groups.len(), 2);
        assert!(groups.contains(&vec!["put.0".to_owned(), "put.1".to_owned()]));
        assert!(groups.contains(&vec!["get.0".to_owned()]));
    }

    #[test]
    fn a_relation_that_meets_itself_has_one_key() {
        let rules = "kept(k, v) :- put(k, v) out(v, w)@n :~ new kept(k, v), kept(k, w), b(n)";
        assert_eq!(assignments(rules), [["kept.0 put.0"]]);
        let crossed = "kept(k, v) :- put(k, v) out(k, w)@n :~ new kept(k, v), kept(v, w), b(n)";
        assert_eq!(assignments(crossed), [Vec::<String>::new()]);
    }

    #[test]
    fn equations_make_terms_the_same() {
        let rules = "kept(k, v) :- put(k, v) out(k, v)@n :~ get(i), kept(k, v), i == k, b(n)";
        assert_eq!(assignments(rules), [["get.0 kept.0 put.0"]]);
    }

    #[test]
    fn aggregates_and_held_messages_tell_their_keys() {
        let counted = "kept(k, v) :- put(k, v) n(v, count(k)) :- kept(k, v) out(v, c)@o :~ new n(v, c), b(o)";
        assert_eq!(assignments(counted), [["kept.1 n.0 put.1"]]);
        let held = "kept(k, v) :- put(k, v) out(v, 0)@o :~ kept(_, v), b(o)";
        assert_eq!(assignments(held), [["kept.1 put.1"]]);
    }

    #[test]
    fn rules_that_hold_the_same_message_tell_the_key_by_the_same_argument() {
        let apart = "kept(k, v) :- put(k, v) asked(k) :- get(k)
                     out(k, v)@o :~ kept(k, v), b(o) out(0, k)@o :~ asked(k), b(o)";
        let apart = format!("table asked(k: int) {apart}");
        assert_eq!(assignments(&apart), [["asked.0 get.0 kept.1 put.1"]]);
        let one_event = "kept(k, v) :- put(k, v) out(k, v)@o :~ kept(k, v), b(o) out(0, k)@o :~ get(k), b(o)";
        assert_eq!(assignments(one_event).len(), 2, "an event sends whenever it happens");
    }
}
