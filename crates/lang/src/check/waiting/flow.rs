//! What relations can have in them while some nodes keep silent and all others follow their rules.
//!
//! A least fixpoint: a relation has nothing until a rule derives something, and what is known of its columns holds for all that the rules derive. So a relation
//! that has nothing in the end never has anything. What is known of nodes is that they are of a role, or that they have said something; of numbers and of the sizes of
//! collections, a range. Where rules count for ever higher, the range has no limit.

use std::collections::BTreeMap;

use super::extent::Range;
use super::scope::{Derived, Scope};
use super::{Counted, Wait, place};
use crate::check::settle::{Key, key, rules, settle};
use crate::ir::{Component, Name, Program, Role, Rule};

/// How often what is known of a relation may change before limits that still grow are given up.
const PATIENCE: u32 = 8;

/// What is known of the values of a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'p> {
    /// Nothing.
    Any,
    /// Nodes of a role.
    Nodes(&'p Role),
    /// Nodes of a role that have said something.
    Speakers(&'p Role),
    /// Integers.
    Number(Range<'p>),
    /// Collections: how many members.
    Sized(Range<'p>),
}

impl<'p> Known<'p> {
    /// What is known of values of either kind.
    fn or(self, other: Known<'p>) -> Known<'p> {
        match (self, other) {
            (Known::Number(a), Known::Number(b)) => Known::Number(a.or(b)),
            (Known::Sized(a), Known::Sized(b)) => Known::Sized(a.or(b)),
            (Known::Speakers(a), Known::Speakers(b)) if a.name == b.name => self,
            (Known::Nodes(a) | Known::Speakers(a), Known::Nodes(b) | Known::Speakers(b)) if a.name == b.name => {
                Known::Nodes(a)
            }
            _ => Known::Any,
        }
    }

    fn same(self, other: Known<'p>) -> bool {
        match (self, other) {
            (Known::Any, Known::Any) => true,
            (Known::Nodes(a), Known::Nodes(b)) | (Known::Speakers(a), Known::Speakers(b)) => a.name == b.name,
            (Known::Number(a), Known::Number(b)) | (Known::Sized(a), Known::Sized(b)) => a.same(b),
            _ => false,
        }
    }

    fn widened(self, since: Known<'p>) -> Known<'p> {
        match (self, since) {
            (Known::Number(now), Known::Number(since)) => Known::Number(now.widened(since)),
            (Known::Sized(now), Known::Sized(since)) => Known::Sized(now.widened(since)),
            _ => self,
        }
    }
}

/// What is known of all relations that have something.
pub(super) struct Flow<'p> {
    pub program: &'p Program,
    /// Of roles that keep partly silent: how many nodes say something.
    speaking: BTreeMap<&'p Name, u32>,
    columns: BTreeMap<Key<'p>, Vec<Known<'p>>>,
}

impl<'p> Flow<'p> {
    /// What there is if so many nodes of these roles say something, and of other roles any number.
    pub fn of(program: &'p Program, speaking: BTreeMap<&'p Name, u32>) -> Self {
        let mut flow = Flow { program, speaking, columns: BTreeMap::new() };
        let mut patience: BTreeMap<Key<'p>, u32> = BTreeMap::new();
        for channel in program.channels.iter().filter(|channel| program.component(&channel.sender).is_none()) {
            flow.columns.insert((None, &channel.name), vec![Known::Any; channel.columns.len()]);
        }
        loop {
            let mut is_settled = true;
            settle(program, |component, rule| {
                let Derived::Facts(facts) = flow.derive(component, rule) else { return false };
                let key = key(program, component, &rule.head.relation);
                let patience = patience.entry(key).or_insert(PATIENCE);
                let changed = flow.learn(key, facts, *patience == 0);
                *patience = patience.saturating_sub(u32::from(changed));
                is_settled &= !changed;
                changed
            });
            // Rules also depend on relations of which they ask for the absence.
            if is_settled {
                return flow;
            }
        }
    }

    fn learn(&mut self, key: Key<'p>, facts: Vec<Known<'p>>, is_impatient: bool) -> bool {
        let Some(known) = self.columns.get_mut(&key) else {
            self.columns.insert(key, facts);
            return true;
        };
        let mut changed = false;
        for (known, fact) in known.iter_mut().zip(facts) {
            let joined = known.or(fact);
            if !joined.same(*known) {
                *known = if is_impatient { joined.widened(*known) } else { joined };
                changed = true;
            }
        }
        changed
    }

    /// What a rule derives.
    pub fn derive(&self, component: &'p Component, rule: &'p Rule) -> Derived<'p> {
        Scope::derive(self, component, rule)
    }

    /// Whether a relation has something.
    pub fn has(&self, key: Key<'p>) -> bool {
        self.columns.contains_key(&key)
    }

    /// What is known of the columns of a relation that has something.
    pub fn columns(&self, key: Key<'p>) -> Option<&[Known<'p>]> {
        self.columns.get(&key).map(Vec::as_slice)
    }

    /// Whether some nodes of a role say nothing.
    pub fn is_silent(&self, role: &Role) -> bool {
        self.speaking.contains_key(&role.name)
    }

    /// How many nodes of a role there are among those that have said something.
    pub fn speakers(&self, role: &'p Role, counted: Counted<'p>) -> Range<'p> {
        match self.speaking.get(&role.name) {
            Some(number) => Range { low: 1, high: i64::from(*number), counted: Some(counted) },
            None => Range::from(1),
        }
    }

    /// The rules that derive a relation, each with its component.
    fn rules_for(&self, relation: Key<'p>) -> impl Iterator<Item = (&'p Component, &'p Rule)> {
        let program = self.program;
        rules(program)
            .filter(move |(component, rule)| !rule.delete && key(program, component, &rule.head.relation) == relation)
    }

    /// Whether anything that a relation with something needs is a timer.
    pub fn rests_on_time(&self, key: Key<'p>) -> bool {
        let (mut seen, mut open) = (vec![key], vec![key]);
        while let Some(relation) = open.pop() {
            if self.program.channel(relation.1).is_some_and(|channel| relation.0.is_none() && channel.delay.is_some()) {
                return true;
            }
            for (component, rule) in self.rules_for(relation) {
                for needed in rule.positive_atoms().map(|atom| self::key(self.program, component, &atom.relation)) {
                    if !seen.contains(&needed) {
                        seen.push(needed);
                        open.push(needed);
                    }
                }
            }
        }
        false
    }

    /// What keeps a relation, or what it needs, from having anything although it has something in `ideal`; each once, and in which component.
    pub fn causes(&self, key: Key<'p>, ideal: &Flow<'p>) -> Vec<(&'p Component, Wait<'p>)> {
        let mut causes: Vec<(&Component, Wait<'p>)> = Vec::new();
        let (mut seen, mut open) = (vec![key], vec![key]);
        while let Some(key) = open.pop() {
            for needed in self.needs(key, ideal, &mut causes) {
                if !self.has(needed) && ideal.has(needed) && !seen.contains(&needed) {
                    seen.push(needed);
                    open.push(needed);
                }
            }
        }
        causes
    }

    /// The relations that rules for a relation read and that have nothing; what else rules wait for becomes a cause.
    fn needs(&self, relation: Key<'p>, ideal: &Flow<'p>, causes: &mut Vec<(&'p Component, Wait<'p>)>) -> Vec<Key<'p>> {
        let mut needed = Vec::new();
        for (component, rule) in self.rules_for(relation) {
            match (self.derive(component, rule), ideal.derive(component, rule)) {
                (Derived::Waits(wait), Derived::Facts(_)) => {
                    let place = place(component, wait.at);
                    if !causes.iter().any(|(component, known)| super::place(component, known.at) == place) {
                        causes.push((component, wait));
                    }
                }
                (Derived::Nothing, _) => {
                    needed.extend(rule.positive_atoms().map(|atom| key(self.program, component, &atom.relation)));
                }
                _ => {}
            }
        }
        needed
    }
}
