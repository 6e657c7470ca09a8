//! What a rule demands of the keys of the relations that meet in it.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Expr, HeadArg, Rule};

use super::dependencies::{Dependencies, Dependency, assume};
use super::equations::{Class, Equations};
use super::keys::{Assignment, Candidates};
use super::scope::{Scope, aggregates, fills, numbers};
use super::together::sends_together;

/// Which demands an assignment has to meet. All of them but for tests, and for finding the first that cannot be met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// Facts that meet in a rule have equal keys.
    pub joins: bool,
    /// Facts that are aggregated together have equal keys, and so has the result.
    pub aggregates: bool,
    /// A message that several partitions may send in one turn of the node tells the key of what it follows from.
    pub held: bool,
    /// The facts of a keyed table that have the same key of the table have equal keys.
    pub keyed: bool,
}

/// What one rule demands.
pub struct Demand<'a> {
    /// The position of the rule.
    pub rule: usize,
    /// The relations that meet in it. The head comes last, if the component reads it.
    pub met: Vec<Met<'a>>,
    /// How many of these meet whatever is aggregated: all but the head of a rule that aggregates.
    joined: usize,
    /// What holds in every solution of the rule.
    pub equations: Equations,
    /// What tells in which group a fact is.
    grouped: Option<Told>,
    /// What a message tells that several partitions may send in one turn of the node.
    told: Option<Told>,
    /// The channel on which the rule sends such messages, if other rules do, too.
    pub shared: Option<&'a str>,
}

/// A relation that meets others in a rule.
pub struct Met<'a> {
    /// Its name.
    pub relation: &'a str,
    /// The classes of its arguments.
    pub args: Vec<Class>,
    /// What is known of every fact that the literal is about, if it is not one fact that is there, but all that are absent or deleted. That
    /// says nothing about other literals.
    of_many: Vec<Dependency>,
    /// What holds in every solution of the rule and of these facts. Classes of the rule's equations are classes here.
    own: Option<Equations>,
    /// The classes of the candidates for its key.
    keys: Vec<Class>,
}

/// What a head tells.
struct Told {
    /// Its arguments in their order and the destination; aggregates are something that nothing else is.
    args: Vec<Class>,
    /// What follows from these.
    classes: BTreeSet<Class>,
}

impl<'a> Met<'a> {
    fn new(relation: &'a str, args: Vec<Class>) -> Met<'a> {
        Met { relation, args, of_many: Vec::new(), own: None, keys: Vec::new() }
    }

    /// Whether it is about facts of which more is known than the rule's equations.
    fn is_about_many(&self) -> bool {
        !self.of_many.is_empty()
    }

    /// The equations of a rule with what is known of these facts.
    fn with(&self, equations: &Equations) -> Equations {
        let mut own = equations.clone();
        assume(&self.of_many, &self.args, &mut own);
        own
    }
}

impl Told {
    fn by_head(rule: &Rule, head: &[Class], equations: &mut Equations) -> Told {
        let is_plain = |(arg, class): (&HeadArg, &Class)| matches!(arg, HeadArg::Expr(_)).then_some(*class);
        let mut args: Vec<Class> = Vec::new();
        for plain in rule.head.args.iter().zip(head).map(is_plain) {
            args.push(plain.unwrap_or_else(|| equations.any()));
        }
        args.extend(rule.head.at.as_ref().map(|at| equations.computed(at)));
        Told { args, classes: BTreeSet::new() }
    }
}

impl<'a> Demand<'a> {
    /// What the rule at this position demands, with what is known about the relations that it reads.
    pub fn of(scope: &Scope<'a>, dependencies: &Dependencies, index: usize, referenced: &BTreeSet<&str>) -> Demand<'a> {
        let rule = scope.rule(index);
        let component = scope.component.name.as_str();
        let (mut equations, classes) = dependencies.equations(scope.program, component, rule);
        let head = equations.head(rule);
        let is_read = |atom: &&menard_lang::ir::Atom| scope.literals(rule).any(|read| std::ptr::eq(read, *atom));
        let mut met: Vec<(Met<'a>, bool)> = Vec::new();
        for (atom, args) in rule.atoms().zip(classes).filter(|(atom, _)| is_read(atom)) {
            met.push((Met::new(&atom.relation, args), atom.negated));
        }
        let body = met.len();
        if let Some(name) = fills(rule).filter(|name| referenced.contains(name)) {
            met.push((Met::new(name, head.clone()), rule.delete));
        }
        let held = sends_together(scope, rule);
        let told = Told::by_head(rule, &head, &mut equations);
        // What numbers all that a step derives puts all into one group.
        let one_group = || Told { args: Vec::new(), classes: BTreeSet::new() };
        let is_grouped = aggregates(rule);
        let (grouped, told) = match (is_grouped, held) {
            (true, false) if numbers(rule) => (Some(one_group()), None),
            (true, false) => (Some(told), None),
            (false, true) => (None, Some(told)),
            (false, false) => (None, None),
            (true, true) => {
                let group = if numbers(rule) { one_group() } else { Told { args: told.args.clone(), ..one_group() } };
                (Some(group), Some(told))
            }
        };
        equations.close();
        let is_about_one = met.iter().any(|(_, is_about_many)| !is_about_many);
        for (literal, _) in met.iter_mut().filter(|(_, is_about_many)| *is_about_many && is_about_one) {
            literal.of_many = dependencies.get(scope.program, component, literal.relation).to_vec();
        }
        let joined = if is_grouped { body } else { met.len() };
        let shared = held.then_some(rule.head.relation.as_str()).filter(|channel| is_held_by_several(scope, channel));
        let met = met.into_iter().map(|(literal, _)| literal).collect();
        Demand { rule: index, met, joined, equations, grouped, told, shared }
    }

    /// Looks up the classes of candidates; then the demand can be decided.
    pub fn prepare(&mut self, candidates: &Candidates<'_>) {
        let keys = |equations: &mut Equations, literal: &Met<'_>| -> Vec<Class> {
            let terms = candidates.get(literal.relation).map(Vec::as_slice).unwrap_or_default();
            terms.iter().map(|term| equations.instance(term, &literal.args)).collect()
        };
        for literal in self.met.iter_mut().filter(|literal| !literal.is_about_many()) {
            literal.keys = keys(&mut self.equations, literal);
        }
        self.equations.close();
        // These have numbers of their own for what is theirs alone, so they are made when the rule's equations are complete.
        for literal in self.met.iter_mut().filter(|literal| literal.is_about_many()) {
            let mut own = literal.with(&self.equations);
            literal.keys = keys(&mut own, literal);
            own.close();
            literal.own = Some(own);
        }
        for told in self.grouped.iter_mut().chain(&mut self.told) {
            told.classes = self.equations.told(&told.args);
        }
    }

    /// Whether other rules send the same messages for as long as their bodies hold.
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// How the message tells the key, if the assignment has one: as terms over the message, which can be compared between rules.
    pub fn tellers(&self, keys: &Assignment<'_>) -> Option<Vec<Expr>> {
        let assigned = |literal: &&Met<'_>| !literal.is_about_many() && keys.contains_key(literal.relation);
        let literal = self.met.iter().find(assigned)?;
        let class = literal.keys[keys[literal.relation]];
        Some(self.told.iter().flat_map(|told| self.equations.vocabulary(&told.args).terms(class)).collect())
    }

    /// How many of the relations that meet are to be looked at.
    fn reach(&self, demands: Demands) -> usize {
        if demands.aggregates { self.met.len() } else { self.joined }
    }

    /// Whether an assignment meets the demand, as far as it goes.
    pub fn is_met(&self, keys: &Assignment<'_>, demands: Demands) -> bool {
        let met = &self.met[..self.reach(demands)];
        let assigned: Vec<(&Met<'_>, Class)> =
            met.iter().filter_map(|literal| Some((literal, literal.keys[*keys.get(literal.relation)?]))).collect();
        // What is about many facts is compared with what is about one.
        let pivot = assigned.iter().find(|(literal, _)| !literal.is_about_many());
        let equal = || {
            pivot.is_none_or(|(_, pivot)| assigned.iter().all(|(literal, class)| self.is_key(literal, *class, *pivot)))
        };
        let within = |told: &Option<Told>| {
            let told = told.as_ref();
            let mut keys = assigned.iter().filter(|(literal, _)| !literal.is_about_many()).map(|(_, class)| class);
            told.is_none_or(|told| keys.all(|class| told.classes.contains(&self.equations.find(*class))))
        };
        (!(demands.joins || demands.aggregates && self.grouped.is_some()) || equal())
            && (!demands.aggregates || within(&self.grouped))
            && (!demands.held || within(&self.told))
    }

    /// Whether a literal's key, of this class, is this class of the rule.
    fn is_key(&self, literal: &Met<'_>, class: Class, pivot: Class) -> bool {
        literal.own.as_ref().unwrap_or(&self.equations).same(class, pivot)
    }

    /// Adds the first candidates that have the same class as a key that there is; whether all relations could go along.
    pub fn propagate(&self, keys: &mut Assignment<'a>, demands: Demands) -> bool {
        let met = &self.met[..self.reach(demands)];
        let known = met.iter().filter(|literal| !literal.is_about_many());
        let Some(pivot) = known.filter_map(|literal| Some(literal.keys[*keys.get(literal.relation)?])).next() else {
            return true;
        };
        for literal in met {
            if keys.contains_key(literal.relation) {
                continue;
            }
            match literal.keys.iter().position(|class| self.is_key(literal, *class, pivot)) {
                Some(candidate) => keys.insert(literal.relation, candidate),
                None => return false,
            };
        }
        true
    }

    /// New ways to write keys of the relations that meet here: what is a key of one, as a term over the columns of another; and, as
    /// `seeds`, what the rule computes.
    pub fn translate(&self, candidates: &Candidates<'_>, seeds: &[Expr]) -> Vec<(&'a str, Expr)> {
        let mut found = Vec::new();
        // All that are about one fact see each other, and each that is about many sees these.
        let of_many = (0..self.met.len()).filter(|position| self.met[*position].is_about_many());
        for of_many in std::iter::once(None).chain(of_many.map(Some)) {
            let mut equations = match of_many {
                None => self.equations.clone(),
                Some(position) => self.met[position].with(&self.equations),
            };
            let is_seen = |position: &usize| of_many == Some(*position) || !self.met[*position].is_about_many();
            let seen: Vec<&Met<'a>> = (0..self.met.len()).filter(is_seen).map(|position| &self.met[position]).collect();
            let mut classes: Vec<Class> = seeds.iter().map(|seed| equations.computed(seed)).collect();
            for literal in &seen {
                let terms = candidates.get(literal.relation).map(Vec::as_slice).unwrap_or_default();
                classes.extend(terms.iter().map(|term| equations.instance(term, &literal.args)));
            }
            equations.close();
            let classes: BTreeSet<Class> = classes.into_iter().map(|class| equations.find(class)).collect();
            for literal in seen {
                let vocabulary = equations.vocabulary(&literal.args);
                let terms = classes.iter().flat_map(|class| vocabulary.terms(*class));
                found.extend(terms.map(|term| (literal.relation, term)));
            }
        }
        found
    }
}

/// Whether more than one rule sends on this channel what several partitions may send in one turn.
fn is_held_by_several(scope: &Scope<'_>, channel: &str) -> bool {
    let holds = |rule: &Rule| rule.head.relation == channel && sends_together(scope, rule);
    scope.rules().filter(|(_, rule)| holds(rule)).count() > 1
}

/// A rule that sends the same messages as an earlier one, both in a turn of several partitions, and does not tell the key where that does:
/// then two partitions can send the same.
pub fn apart<'d, 'a>(rules: &[&'d Demand<'a>], keys: &Assignment<'a>) -> Option<&'d Demand<'a>> {
    let mut common: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
    rules.iter().copied().find(|demand| {
        let (Some(channel), Some(tellers)) = (demand.shared, demand.tellers(keys)) else { return false };
        let common = common.entry(channel).or_insert_with(|| tellers.clone());
        common.retain(|teller| tellers.contains(teller));
        common.is_empty()
    })
}
