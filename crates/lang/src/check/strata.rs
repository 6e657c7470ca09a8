//! Evaluation order: the strongly connected components of the graph of `:-` rules, and no relation that depends on its own absence.
//!
//! An edge from `p` to `q` says that a `:-` rule for `p` reads `q`. The edge is *strict* if the rule needs all of `q` before it can
//! say anything: if `q` is negated, `new`, or aggregated over, or if `p` is a keyed table. No strict edge may lie within a component of the graph.

use std::collections::BTreeMap;

use crate::diagnostic::Code;
use crate::graph::{shortest_path, strongly_connected};
use crate::ir::{Atom, Component, Name, Program, Rule};
use crate::sink::Sink;

pub(super) fn infer(program: &mut Program, sink: &mut Sink) {
    for component in &mut program.components {
        let dependencies = Dependencies::of(component);
        dependencies.report_strict_cycles(sink);
        component.strata = dependencies.strata();
    }
}

/// What the relations derived by `:-` read of each other.
pub(super) struct Dependencies<'p> {
    /// Those relations, in the order of the component.
    pub names: Vec<&'p Name>,
    /// For each, those that its rules read, perhaps repeatedly.
    pub edges: Vec<Vec<usize>>,
    /// For each edge, the rule and the literal.
    reasons: Vec<Vec<(&'p Rule, &'p Atom)>>,
    /// For each relation, whether it is a keyed table: which of its facts stay shows when all that derives them is complete.
    keyed: Vec<bool>,
    /// Strongly connected components, each in the order of the component, in evaluation order.
    pub strata: Vec<Vec<usize>>,
    /// For each relation, its position in `strata`.
    pub stratum_of: Vec<usize>,
}

impl<'p> Dependencies<'p> {
    pub fn of(component: &'p Component) -> Self {
        let rules = || component.rules.iter().filter(|rule| rule.is_now() && !rule.delete);
        let mut derived: BTreeMap<&Name, usize> = rules().map(|rule| (&rule.head.relation, 0)).collect();
        let mut names: Vec<&Name> = Vec::new();
        for relation in &component.relations {
            if let Some(index) = derived.get_mut(&relation.name) {
                *index = names.len();
                names.push(&relation.name);
            }
        }
        let is_keyed = |name| component.relation(name).is_some_and(|relation| relation.storage.key.is_some());
        let keyed = names.iter().map(|name| is_keyed(*name)).collect();
        let mut edges = vec![Vec::new(); names.len()];
        let mut reasons = vec![Vec::new(); names.len()];
        for rule in rules() {
            let head = derived[&rule.head.relation];
            for atom in rule.atoms() {
                if let Some(&read) = derived.get(&atom.relation) {
                    edges[head].push(read);
                    reasons[head].push((rule, atom));
                }
            }
        }
        let mut strata = strongly_connected(&edges);
        let mut stratum_of = vec![0; names.len()];
        for (stratum, members) in strata.iter_mut().enumerate() {
            members.sort_unstable();
            members.iter().for_each(|member| stratum_of[*member] = stratum);
        }
        Dependencies { names, edges, reasons, keyed, strata, stratum_of }
    }

    fn strata(&self) -> Vec<Vec<Name>> {
        let named = |members: &Vec<usize>| members.iter().map(|member| self.names[*member].clone()).collect();
        self.strata.iter().map(named).collect()
    }

    /// Whether the relations of a stratum are derived from themselves.
    pub fn is_recursive(&self, stratum: usize) -> bool {
        let members = &self.strata[stratum];
        members.len() > 1 || self.edges[members[0]].contains(&members[0])
    }

    /// The edges from a relation: what is read, by which rule, in which literal.
    pub fn reads(&self, relation: usize) -> impl Iterator<Item = (usize, &'p Rule, &'p Atom)> {
        self.edges[relation].iter().zip(&self.reasons[relation]).map(|(read, (rule, atom))| (*read, *rule, *atom))
    }

    fn report_strict_cycles(&self, sink: &mut Sink) {
        let mut reported = vec![false; self.strata.len()];
        for head in 0..self.names.len() {
            let stratum = self.stratum_of[head];
            for (read, rule, atom) in self.reads(head) {
                let strict = atom.negated || atom.new || rule.is_aggregate() || self.keyed[head];
                if strict && self.stratum_of[read] == stratum && !std::mem::replace(&mut reported[stratum], true) {
                    self.report(head, read, rule, atom, sink);
                }
            }
        }
    }

    fn report(&self, head: usize, read: usize, rule: &Rule, atom: &Atom, sink: &mut Sink) {
        let inside = |node: usize| self.stratum_of[node] == self.stratum_of[head];
        let path = shortest_path(&self.edges, read, head, inside).unwrap_or_default();
        let needs = if atom.negated {
            "needs to know that it is absent"
        } else if rule.is_aggregate() {
            "needs all of it"
        } else if atom.new {
            "needs to know that it is new"
        } else {
            "decides between keys when all of it is there"
        };
        let (name, below) = (self.names[head], self.names[read]);
        let message = if name == below {
            format!("`{name}` depends on all of itself")
        } else {
            format!("`{name}` depends on all of `{below}`, which depends on `{name}`")
        };
        let mut diagnostic = sink.start(Code::E0505, message).label(atom.span, needs);
        for pair in path.windows(2) {
            let why = self.reads(pair[0]).find(|(target, _, _)| *target == pair[1]);
            if let Some((_, _, atom)) = why {
                diagnostic = diagnostic
                    .label(atom.span, format!("`{}` depends on `{}`", self.names[pair[0]], self.names[pair[1]]));
            }
        }
        sink.push(diagnostic.help("let one of them take effect in the next step, with `:+`"));
    }
}
