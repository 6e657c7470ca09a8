//! Co-hashing: a key column for every relation of a component, such that facts which meet in a rule have equal keys.
//!
//! A key of several columns is a list of such assignments, one for each position, since tuples are equal if they are equal position by
//! position. So only assignments of single columns are searched: groups of relations that rules tie together, one by one, by
//! propagation from rule to rule.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Atom, Comparison, Expr, ExprKind, HeadArg, Literal, Name, Rule, RuleKind};

use super::determined::determined;
use super::scope::{Scope, aggregates, fills, numbers, variables};

/// The most assignments that are kept of one group; far more than any protocol has columns.
const MAX_ASSIGNMENTS: usize = 256;

/// A key column, by its position, for each relation.
pub type Assignment<'a> = BTreeMap<&'a str, usize>;

/// Which demands an assignment has to meet. All of them but for tests, and for finding the first that cannot be met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// Facts that meet in a rule have equal keys.
    pub joins: bool,
    /// Facts that are aggregated together have equal keys, and so has the result.
    pub aggregates: bool,
    /// A message that is sent for as long as a body of state holds tells the key of that body.
    pub held: bool,
    /// The facts of a keyed table that have the same key of the table have equal keys.
    pub keyed: bool,
}

/// What one rule demands.
pub struct Demand<'a> {
    /// The position of the rule.
    pub rule: usize,
    /// The relations that meet in it, each with its arguments; `None` where it has a wildcard or an aggregate. The head comes last, if the
    /// component reads it.
    pub met: Vec<(&'a str, Vec<Option<Expr>>)>,
    /// How many of these meet whatever is aggregated: all but the head of a rule that aggregates.
    joined: usize,
    grouped: Option<Told>,
    told: Option<Told>,
    /// The channel on which the rule sends for as long as its body holds, if other rules send so on it too.
    shared: Option<&'a str>,
}

/// What a head tells.
#[derive(Clone)]
struct Told {
    variables: BTreeSet<Name>,
    /// The arguments in their order and the destination; `None` for aggregates.
    terms: Vec<Option<Expr>>,
}

/// How a message tells a key: always the same, or by the argument at this position (the destination comes last).
#[derive(Clone, PartialEq, Debug)]
enum Teller {
    Always(Expr),
    Argument(usize),
}

impl Told {
    /// The head's arguments that are no aggregates, and the destination.
    fn by_head(rule: &Rule, same: &Synonyms) -> Told {
        let mut terms = head_arguments(rule, same);
        terms.extend(rule.head.at.iter().map(|at| same.of_expr(at)));
        let variables = terms.iter().flatten().filter_map(|term| match &term.kind {
            ExprKind::Variable(name) => Some(name.clone()),
            _ => None,
        });
        Told { variables: variables.collect(), terms }
    }

    fn tells(&self, term: &Expr) -> bool {
        self.tellers(term).next().is_some() || variables(term).is_subset(&self.variables)
    }

    /// How the message tells a term, in all ways that can be compared between rules.
    fn tellers(&self, term: &Expr) -> impl Iterator<Item = Teller> {
        let constant = variables(term).is_empty().then(|| Teller::Always(term.clone()));
        let is_told = |(position, told): (usize, &Option<Expr>)| (told.as_ref() == Some(term)).then_some(position);
        let positions: Vec<usize> = self.terms.iter().enumerate().filter_map(is_told).collect();
        constant.into_iter().chain(positions.into_iter().map(Teller::Argument))
    }
}

impl<'a> Demand<'a> {
    fn of(scope: &Scope<'a>, index: usize, referenced: &BTreeSet<&str>) -> Demand<'a> {
        let rule = scope.rule(index);
        let same = Synonyms::of(rule);
        let mut met: Vec<(&str, Vec<Option<Expr>>)> =
            scope.literals(rule).map(|atom| (atom.relation.as_str(), arguments(atom, &same))).collect();
        let body = met.len();
        if let Some(name) = fills(rule).filter(|name| referenced.contains(name)) {
            met.push((name, head_arguments(rule, &same)));
        }
        let held = rule.kind == RuleKind::Async && scope.is_state_only(rule);
        let told = Told::by_head(rule, &same);
        let by_equations = determined(rule).into_iter().map(|name| same.of_name(&name));
        let all_told = Told { variables: told.variables.iter().cloned().chain(by_equations).collect(), ..told.clone() };
        // What numbers all that a step derives puts all into one group.
        let one_group = Told { variables: BTreeSet::new(), terms: Vec::new() };
        let grouped = aggregates(rule).then_some(if numbers(rule) { one_group } else { told });
        let joined = if grouped.is_some() { body } else { met.len() };
        let shared = held.then_some(rule.head.relation.as_str()).filter(|channel| is_held_by_several(scope, channel));
        Demand { rule: index, met, joined, grouped, told: held.then_some(all_told), shared }
    }

    /// Whether other rules send the same messages for as long as their bodies hold.
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// How the message tells the key, if the assignment has one.
    fn tellers(&self, keys: &Assignment<'_>) -> Option<Vec<Teller>> {
        let (name, args) = self.met.iter().find(|(name, _)| keys.contains_key(name))?;
        let term = args[keys[name]].as_ref();
        Some(term.into_iter().zip(&self.told).flat_map(|(term, told)| told.tellers(term)).collect())
    }

    /// How many of the relations that meet are to be looked at.
    fn reach(&self, demands: Demands) -> usize {
        if demands.aggregates { self.met.len() } else { self.joined }
    }

    /// Whether an assignment meets the demand, as far as it goes.
    fn is_met(&self, keys: &Assignment<'_>, demands: Demands) -> bool {
        let met = &self.met[..self.reach(demands)];
        let terms: Vec<Option<&Expr>> =
            met.iter().filter_map(|(name, args)| keys.get(name).map(|column| args[*column].as_ref())).collect();
        let equal = terms.len() < 2 || (terms[0].is_some() && terms.iter().all(|term| *term == terms[0]));
        let within = |told: &Option<Told>| match told {
            None => true,
            Some(told) => terms.iter().all(|term| term.is_some_and(|term| told.tells(term))),
        };
        (!(demands.joins || demands.aggregates && self.grouped.is_some()) || equal)
            && (!demands.aggregates || within(&self.grouped))
            && (!demands.held || within(&self.told))
    }
}

/// Whether more than one rule sends on this channel for as long as state holds.
fn is_held_by_several(scope: &Scope<'_>, channel: &str) -> bool {
    let holds = |rule: &Rule| rule.kind == RuleKind::Async && rule.head.relation == channel;
    scope.rules().filter(|(_, rule)| holds(rule) && scope.is_state_only(rule)).count() > 1
}

fn arguments(atom: &Atom, same: &Synonyms) -> Vec<Option<Expr>> {
    atom.args.iter().map(|arg| same.of_expr(arg)).collect()
}

fn head_arguments(rule: &Rule, same: &Synonyms) -> Vec<Option<Expr>> {
    let arg = |arg: &HeadArg| match arg {
        HeadArg::Expr(expr) => same.of_expr(expr),
        HeadArg::Aggregate { .. } => None,
    };
    rule.head.args.iter().map(arg).collect()
}

/// Variables that a rule equates: `x = y` and `x == y`.
struct Synonyms(BTreeMap<Name, Expr>);

impl Synonyms {
    fn of(rule: &Rule) -> Synonyms {
        let mut same = Synonyms(BTreeMap::new());
        for literal in &rule.body {
            let (left, right) = match literal {
                Literal::Bind { variable, value, span } => {
                    (Expr { kind: ExprKind::Variable(variable.clone()), span: *span }, value.clone())
                }
                Literal::Compare { op: Comparison::Equal, left, right, .. } => (left.clone(), right.clone()),
                Literal::In { .. } | Literal::Compare { .. } | Literal::Atom(_) => continue,
            };
            same.equate(left, right);
        }
        same
    }

    fn equate(&mut self, left: Expr, right: Expr) {
        let (Some(left), Some(right)) = (self.of_expr(&left), self.of_expr(&right)) else { return };
        if left == right {
            return;
        }
        let (from, to) = match (&left.kind, &right.kind) {
            (ExprKind::Variable(name), _) if !variables(&right).contains(name) => (name.clone(), right),
            (_, ExprKind::Variable(name)) if !variables(&left).contains(name) => (name.clone(), left),
            _ => return,
        };
        for value in self.0.values_mut() {
            *value = substitute(value, &from, &to);
        }
        self.0.insert(from, to);
    }

    /// The expression with every variable replaced by what it equals; `None` for a wildcard.
    fn of_expr(&self, expr: &Expr) -> Option<Expr> {
        match &expr.kind {
            ExprKind::Wildcard => None,
            ExprKind::Variable(name) => Some(self.0.get(name).unwrap_or(expr).clone()),
            _ => Some(expr.with_parts(expr.parts().iter().map(|part| self.of_expr(part)).collect::<Option<_>>()?)),
        }
    }

    fn of_name(&self, name: &Name) -> Name {
        match self.0.get(name).map(|expr| &expr.kind) {
            Some(ExprKind::Variable(other)) => other.clone(),
            _ => name.clone(),
        }
    }
}

fn substitute(expr: &Expr, from: &Name, to: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Variable(name) if name == from => to.clone(),
        _ => expr.with_parts(expr.parts().iter().map(|part| substitute(part, from, to)).collect()),
    }
}

/// Relations of a component that rules tie together, and how they can be keyed.
pub struct Group<'a> {
    /// The relations and received channels, those with messages first.
    pub relations: Vec<&'a str>,
    /// What the rules over them demand.
    pub demands: Vec<Demand<'a>>,
    /// All ways to key them.
    pub assignments: Vec<Assignment<'a>>,
}

/// The groups of a component, with all assignments that meet the demands.
pub fn groups<'a>(scope: &Scope<'a>, demands: Demands) -> Vec<Group<'a>> {
    let rules = || scope.rules().filter(|(_, rule)| !scope.derives_constant(rule));
    let referenced: BTreeSet<&str> = rules().flat_map(|(_, rule)| scope.references(rule)).collect();
    let mut groups: Vec<(BTreeSet<&str>, Vec<Demand<'_>>)> =
        referenced.iter().map(|name| (BTreeSet::from([*name]), Vec::new())).collect();
    for (index, _) in rules() {
        let demand = Demand::of(scope, index, &referenced);
        let names: BTreeSet<&str> = demand.met.iter().map(|(name, _)| *name).collect();
        let is_tied = |(group, rules): &(BTreeSet<&str>, Vec<Demand<'_>>)| {
            let holds_the_same = |other: &Demand<'_>| demand.is_shared() && other.shared == demand.shared;
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
    groups.into_iter().map(|(names, rules)| Group::solve(scope, names, rules, demands)).collect()
}

impl<'a> Group<'a> {
    fn solve(scope: &Scope<'a>, names: BTreeSet<&'a str>, mut rules: Vec<Demand<'a>>, demands: Demands) -> Group<'a> {
        rules.sort_by_key(|demand| demand.rule);
        let (channels, own): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| scope.program.channel(name).is_some());
        let relations: Vec<&str> = channels.into_iter().chain(own).collect();
        let mut group = Group { relations: tied_order(&relations, &rules), demands: rules, assignments: Vec::new() };
        let mut found = Vec::new();
        group.extend(scope, &mut Assignment::new(), 0, demands, &mut found);
        group.assignments = found;
        group
    }

    /// Completes an assignment from its relation at `next` on, in all ways.
    fn extend(
        &self,
        scope: &Scope<'a>,
        keys: &mut Assignment<'a>,
        next: usize,
        demands: Demands,
        found: &mut Vec<Assignment<'a>>,
    ) {
        let Some(name) = self.relations.get(next) else {
            found.push(keys.clone());
            return;
        };
        for column in 0..routable(scope, name, demands) {
            keys.insert(name, column);
            let concerned = self.demands.iter().filter(|demand| demand.met.iter().any(|(met, _)| met == name));
            if found.len() < MAX_ASSIGNMENTS
                && concerned.into_iter().all(|demand| demand.is_met(keys, demands))
                && self.apart(keys, demands).is_none()
            {
                self.extend(scope, keys, next + 1, demands, found);
            }
            keys.remove(name);
        }
    }

    /// A keyed table that cannot have its key in these columns, or has no column to be keyed by.
    pub fn misplaced(&self, scope: &Scope<'a>, seed: &Assignment<'a>, demands: Demands) -> Option<&'a str> {
        let keys = self.propagated(seed, demands).unwrap_or_else(|_| seed.clone());
        let is_misplaced = |name: &&&str| {
            let columns = routable(scope, name, demands);
            columns == 0 || keys.get(**name).is_some_and(|column| *column >= columns)
        };
        self.relations.iter().find(is_misplaced).copied()
    }

    /// The first rule that cannot go along when these columns are keys, with its relations; found by propagation from rule to rule.
    pub fn conflict(&self, seed: &Assignment<'a>, demands: Demands) -> Option<&Demand<'a>> {
        match self.propagated(seed, demands) {
            Ok(keys) => self.apart(&keys, demands),
            Err(demand) => Some(demand),
        }
    }

    /// These columns as keys, and what follows from them; the rule in the way, if one is.
    fn propagated(&self, seed: &Assignment<'a>, demands: Demands) -> Result<Assignment<'a>, &Demand<'a>> {
        let mut keys = seed.clone();
        loop {
            let before = keys.len();
            for demand in &self.demands {
                if !demand.is_met(&keys, demands) {
                    return Err(demand);
                }
                let met = &demand.met[..demand.reach(demands)];
                let known = met.iter().find_map(|(name, args)| args[*keys.get(name)?].clone());
                let Some(term) = known.filter(|_| demands.joins) else { continue };
                for (name, args) in met {
                    if keys.contains_key(name) {
                        continue;
                    }
                    match args.iter().position(|arg| arg.as_ref() == Some(&term)) {
                        Some(column) => keys.insert(name, column),
                        None => return Err(demand),
                    };
                }
            }
            if keys.len() == before {
                return Ok(keys);
            }
        }
    }

    /// A rule that sends the same messages as an earlier one, both for as long as state holds, and does not tell the key where that does:
    /// then the same message can be held by two partitions.
    fn apart(&self, keys: &Assignment<'a>, demands: Demands) -> Option<&Demand<'a>> {
        let mut common: BTreeMap<&str, Vec<Teller>> = BTreeMap::new();
        self.demands.iter().filter(|_| demands.held).find(|demand| {
            let (Some(channel), Some(tellers)) = (demand.shared, demand.tellers(keys)) else { return false };
            let common = common.entry(channel).or_insert_with(|| tellers.clone());
            common.retain(|teller| tellers.contains(teller));
            common.is_empty()
        })
    }
}

/// The relations in an order in which each, where possible, is tied to an earlier one, so that dead ends show early.
fn tied_order<'a>(relations: &[&'a str], demands: &[Demand<'_>]) -> Vec<&'a str> {
    let mut rest = relations.to_vec();
    let mut order: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let is_tied = |name: &&str| {
            demands.iter().any(|demand| {
                let has = |name: &str| demand.met.iter().any(|(met, _)| *met == name);
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

/// How many of a relation's columns, from the first on, can be its key: of a keyed table only those of the table's own key, so that all
/// candidates for one key meet.
fn routable(scope: &Scope<'_>, name: &str, demands: Demands) -> usize {
    let own = scope.storage(name).and_then(|storage| storage.key).filter(|_| demands.keyed);
    own.map_or_else(|| arity(scope, name), |key| key.columns)
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
        let columns = |keys: &Assignment<'_>| {
            keys.iter().map(|(name, column)| format!("{name}.{column}")).collect::<Vec<_>>().join(" ")
        };
        groups(&scope, ALL).iter().map(|group| group.assignments.iter().map(columns).collect()).collect()
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
