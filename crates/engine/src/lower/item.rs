//! Items: clauses with a target, and the pipelines that evaluate them.
//!
//! A clause over events has one pipeline, driven by the facts of an event. One over state has a pipeline for each literal, driven by its
//! changes: literals before it see the new version, literals after it the old one, so that each change of a solution is counted once.

use super::Lowering;
use super::clause::{Atom, Clause, Literal, Term};
use super::join::{self, Output, Start};
use crate::plan::{Driver, Pipeline, RulePlan, StoreKind, StorePlan, Target};
use crate::store::Version;

/// How a clause is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Once per step, driven by the facts of an event.
    Event,
    /// By the changes of what it reads.
    Maintained,
}

/// A clause with its target.
pub(super) struct Item {
    pub(super) clause: Clause,
    pub(super) target: Target,
    pub(super) mode: Mode,
    pub(super) output: Output,
}

/// Where an item runs.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Before(usize),
    Stratum(usize),
    FinishViews,
    Finish,
}
impl Lowering<'_> {
    pub(super) fn add(&mut self, mut item: Item, place: Place) {
        if item.mode == Mode::Maintained {
            for position in 0..item.clause.body.len() {
                self.project_negated(&mut item.clause.body[position]);
            }
        }
        match place {
            Place::Before(stratum) => self.strata[stratum].before.push(item),
            Place::Stratum(stratum) => self.strata[stratum].rules.push(item),
            Place::FinishViews => self.finish_views.push(item),
            Place::Finish => self.finish.push(item),
        }
    }

    /// A negated literal with wildcards changes only when the first of the matching facts comes or the last goes, so it
    /// reads a projection, which counts.
    fn project_negated(&mut self, literal: &mut Literal) {
        let Literal::Atom(atom) = literal else { return };
        if !atom.negated || !atom.has_wildcard() || matches!(self.stores[atom.store].kind, StoreKind::Role { .. }) {
            return;
        }
        let kept = (0..atom.args.len()).filter(|&column| atom.args[column] != Term::Wildcard);
        let kept: Vec<u16> = kept.map(|column| u16::try_from(column).expect("few columns")).collect();
        let store = match self.projections.get(&(atom.store, kept.clone())) {
            Some(store) => *store,
            None => self.project(atom.store, &kept),
        };
        atom.args.retain(|arg| *arg != Term::Wildcard);
        atom.store = store;
    }

    fn project(&mut self, from: usize, kept: &[u16]) -> usize {
        let name = format!("projection of {}", self.stores[from].name);
        let store = self.add_hidden(name, kept.len(), StoreKind::View);
        self.projections.insert((from, kept.to_vec()), store);
        let mut clause = self.copy(from, store, false);
        clause.head = kept.iter().map(|&column| Term::Variable(usize::from(column))).collect();
        let item = Item { clause, target: Target::Count(store), mode: Mode::Maintained, output: Output::Head };
        match self.stratum_of.get(&from) {
            Some(&stratum) => self.strata[stratum].after.push(item),
            None => self.first.push(item),
        }
        store
    }
}
impl Item {
    /// Plans the joins of the clause. In a recursive stratum these find what follows from the stores at its beginning.
    pub(super) fn plan(&self, stores: &mut [StorePlan], registers: &mut usize) -> RulePlan {
        let starts: Vec<(Driver, Option<usize>)> = match self.mode {
            Mode::Event => {
                let mut events = self.clause.positive_atoms().filter(|(_, atom)| atom.is_event(stores));
                let (position, atom) = events.next().expect("a checked rule over events has a positive one");
                let driver = if atom.new { Driver::Added(atom.store) } else { Driver::Event(atom.store) };
                vec![(driver, Some(position))]
            }
            Mode::Maintained => self.delta_drivers(stores),
        };
        // Counting wants each change of a solution once; a set wants only solutions that hold in the end.
        let counts = !self.is_set();
        let old = |driving: Option<usize>, position: usize| counts && driving.is_none_or(|driving| position > driving);
        let pipelines = starts.into_iter().map(|(driver, literal)| {
            let version = |position: usize| if old(literal, position) { Version::Old } else { Version::New };
            self.pipeline(Start { driver, literal, version: &version, is_set: self.is_set() }, stores, registers)
        });
        self.rule_plan(pipelines.collect())
    }

    /// Every literal over state drives; a clause without positive ones also holds from the beginning.
    fn delta_drivers(&self, stores: &[StorePlan]) -> Vec<(Driver, Option<usize>)> {
        let changes = |atom: &Atom| !matches!(stores[atom.store].kind, StoreKind::Role { .. });
        let driver = |(position, atom): (usize, &Atom)| {
            (Driver::Delta { store: atom.store, negated: atom.negated }, Some(position))
        };
        let mut drivers = Vec::new();
        if !self.clause.positive_atoms().any(|(_, atom)| changes(atom)) {
            drivers.push((Driver::First, None));
        }
        drivers.extend(self.clause.atoms().filter(|(_, atom)| changes(atom)).map(driver));
        drivers
    }

    /// What to do with new facts of a recursive stratum, if the clause reads any of its stores.
    pub(super) fn recursion(
        &self,
        recursive: &[usize],
        stores: &mut [StorePlan],
        registers: &mut usize,
    ) -> Option<RulePlan> {
        let reads = self.clause.positive_atoms().filter(|(_, atom)| recursive.contains(&atom.store));
        let pipelines = reads.map(|(position, atom)| {
            assert!(!atom.new, "a checked relation does not depend on what is new in itself");
            let driver = Driver::Fresh(atom.store);
            let start = Start { driver, literal: Some(position), version: &|_| Version::New, is_set: true };
            self.pipeline(start, stores, registers)
        });
        let pipelines: Vec<_> = pipelines.collect();
        if pipelines.is_empty() { None } else { Some(self.rule_plan(pipelines)) }
    }

    fn rule_plan(&self, pipelines: Vec<Pipeline>) -> RulePlan {
        RulePlan { text: self.clause.text.clone(), rule: self.clause.rule, pipelines, target: self.target }
    }

    fn pipeline(&self, start: Start, stores: &mut [StorePlan], registers: &mut usize) -> Pipeline {
        let (mut pipeline, used) = join::pipeline(&self.clause, &start, &self.output, stores);
        let target = self.target.store();
        pipeline.reads_target = target.is_some()
            && (pipeline.driver.store() == target || pipeline.accesses().any(|access| Some(access.store) == target));
        pipeline.passes = self.passes(pipeline.driver);
        *registers = (*registers).max(used);
        pipeline
    }

    /// For which versions of its driver a pipeline runs, and whether solutions begin or cease to hold then.
    fn passes(&self, driver: Driver) -> &'static [(Version, bool)] {
        let counts = matches!(self.target, Target::Count(_) | Target::Aggregate(_));
        match driver {
            Driver::First | Driver::Event(_) | Driver::Fresh(_) => &[(Version::New, true)],
            Driver::Added(_) => &[(Version::Added, true)],
            Driver::Delta { negated: false, .. } if counts => &[(Version::Removed, false), (Version::Added, true)],
            Driver::Delta { negated: true, .. } if counts => &[(Version::Added, false), (Version::Removed, true)],
            Driver::Delta { negated: false, .. } => &[(Version::Added, true)],
            Driver::Delta { negated: true, .. } => &[(Version::Removed, true)],
        }
    }

    /// Whether it does not matter how often a solution is found.
    fn is_set(&self) -> bool {
        self.mode != Mode::Maintained || !matches!(self.target, Target::Count(_) | Target::Aggregate(_))
    }
}
