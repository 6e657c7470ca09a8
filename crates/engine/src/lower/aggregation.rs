//! Aggregating rules: what makes a group, what goes into each function, and what has to be told apart.

use std::ops::Range;

use menard_lang::ir;

use super::Lowering;
use super::clause::{Atom, Clause, Literal, Term};
use super::item::{Item, Mode, Place};
use super::join::Output;
use super::rules::{Draft, Head, HeadTerm};
use crate::plan::{AggregateColumn, AggregatePlan, FunctionPlan, StoreKind, Target};

impl Lowering<'_> {
    /// For heads that are not filled in the same step: aggregates into a hidden relation, from which the rule goes on.
    pub(super) fn aggregate_first(&mut self, draft: &mut Draft, head: Vec<HeadTerm>) -> Vec<Term> {
        let mut terms = Vec::new();
        let mut columns = Vec::new();
        for term in head {
            if matches!(term, HeadTerm::Term(Term::Wildcard)) {
                terms.push(Term::Wildcard);
            } else {
                terms.push(Term::Variable(columns.len()));
                columns.push(term);
            }
        }
        let clause = draft.clause(Vec::new());
        let (kind, mode) = if clause.has_event(&self.stores) {
            (StoreKind::Event, Mode::Event)
        } else {
            (StoreKind::View, Mode::Maintained)
        };
        let target = |store| if mode == Mode::Event { Target::Insert(store) } else { Target::Count(store) };
        let store = self.add_hidden(format!("result of {}", draft.text), columns.len(), kind);
        let args: Vec<Term> = (0..columns.len()).map(Term::Variable).collect();
        let variables = columns.len();
        let has_destination = matches!(draft.head, Head::Channel(_));
        let places = (Place::FinishViews, Place::FinishViews);
        self.aggregate(clause, columns, target(store), mode, places, has_destination);
        draft.rule = None;
        draft.body = vec![Literal::Atom(Atom { store, negated: false, new: false, args })];
        draft.variables = variables;
        terms
    }

    pub(super) fn add_aggregation(&mut self, draft: Draft, head: Vec<HeadTerm>) {
        let Head::Store(store) = draft.head else { unreachable!("a `:-` rule derives a relation of its component") };
        let clause = draft.clause(Vec::new());
        let (target, mode, place) = self.sink(&clause, store);
        self.aggregate(clause, head, target, mode, (Place::Before(self.stratum_of[&store]), place), false);
    }

    /// Adds an aggregation; what it needs first goes to the first place.
    fn aggregate(
        &mut self,
        mut clause: Clause,
        head: Vec<HeadTerm>,
        target: Target,
        mode: Mode,
        places: (Place, Place),
        has_destination: bool,
    ) {
        let mut group: Vec<Term> = Vec::new();
        let mut calls: Vec<(ir::Aggregate, Vec<Term>)> = Vec::new();
        let mut columns = Vec::new();
        for term in head {
            match term {
                HeadTerm::Term(term) => {
                    columns.push(AggregateColumn::Group(group.len()));
                    group.push(term);
                }
                HeadTerm::Aggregate(function, args) => {
                    columns.push(AggregateColumn::Function(calls.len()));
                    calls.push((function, args));
                }
            }
        }
        let counts_solutions = |(function, args): &(ir::Aggregate, Vec<Term>)| {
            *function == ir::Aggregate::Sum || *function == ir::Aggregate::Count && args.is_empty()
        };
        if clause.may_repeat_solutions() && calls.iter().any(counts_solutions) {
            clause = self.solutions_of(clause, places.0);
        }
        let mut tuple = group.clone();
        let functions = calls.iter().map(|(function, args)| {
            let arguments = Range { start: tuple.len(), end: tuple.len() + args.len() };
            tuple.extend(args.iter().cloned());
            let counts_arguments = *function == ir::Aggregate::Count && !args.is_empty();
            let distinct = counts_arguments && !clause.is_injective_in(group.iter().chain(args));
            FunctionPlan { function: *function, arguments, distinct }
        });
        let functions = functions.collect();
        clause.head = tuple;
        let has_index = calls.iter().any(|(function, _)| *function == ir::Aggregate::Index);
        let numbers = has_index.then_some(usize::from(has_destination));
        let maintained = mode == Mode::Maintained;
        self.aggregates.push(AggregatePlan {
            group: group.len(),
            functions,
            columns,
            maintained,
            numbers,
            shared: None,
            target,
        });
        let target = Target::Aggregate(self.aggregates.len() - 1);
        self.add(Item { clause, target, mode, output: Output::Head }, places.1);
    }

    /// A clause with the same distinct solutions, each of which it finds once.
    fn solutions_of(&mut self, mut clause: Clause, place: Place) -> Clause {
        let args: Vec<Term> = (0..clause.variables).map(Term::Variable).collect();
        let event = clause.has_event(&self.stores);
        let (kind, mode) = if event { (StoreKind::Event, Mode::Event) } else { (StoreKind::View, Mode::Maintained) };
        let store = self.add_hidden(format!("solutions of {}", clause.text), args.len(), kind);
        let target = if event { Target::Insert(store) } else { Target::Count(store) };
        let body = vec![Literal::Atom(Atom { store, negated: false, new: false, args: args.clone() })];
        let (text, variables) = (clause.text.clone(), clause.variables);
        let solutions = Clause { text, rule: None, head: Vec::new(), body, variables };
        clause.head = args;
        self.add(Item { clause, target, mode, output: Output::Head }, place);
        solutions
    }
}
