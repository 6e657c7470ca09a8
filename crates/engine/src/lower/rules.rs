//! From rules to targets: what becomes of what a rule derives, and how the rule is evaluated.
//!
//! A rule with an event in its body is evaluated once per step. One over state only is maintained, which suits views as they
//! are. Other targets of state-only rules get a hidden view of what the rule derives: a table has what its view has put in
//! for as long as the view holds it, a held message is sent when its view begins to hold it.

use std::ops::Range;

use menard_lang::ir::{self, HeadArg, Rule, RuleKind};

use super::Lowering;
use super::clause::{Atom, Clause, Literal, Term, Translator};
use super::join::{self, Output, Start};
use crate::plan::{
    AggregateColumn, AggregatePlan, Driver, FunctionPlan, RulePlan, SendPlan, StoreKind, StorePlan, Target,
};
use crate::store::Version;

/// How a clause is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Once per step, driven by the facts of an event.
    Event,
    /// Once per step, from scratch: state that an event relation repeats in each step.
    Always,
    /// By the changes of what it reads.
    Maintained,
}

/// A clause with its target.
pub(super) struct Item {
    clause: Clause,
    target: Target,
    mode: Mode,
    output: Output,
}

/// Where an item runs.
#[derive(Clone, Copy)]
enum Place {
    Before(usize),
    Stratum(usize),
    FinishViews,
    Finish,
}

/// An argument of a head.
enum HeadTerm {
    Term(Term),
    Aggregate(ir::Aggregate, Vec<Term>),
}

/// A rule on its way to being items.
struct Draft {
    kind: RuleKind,
    delete: bool,
    head: Head,
    text: String,
    body: Vec<Literal>,
    variables: usize,
}

/// What a rule is about.
#[derive(Clone, Copy)]
enum Head {
    Store(usize),
    Channel(u16),
}

impl Lowering<'_> {
    /// Adds a rule of the component.
    pub(super) fn add_rule(&mut self, rule: &Rule) {
        let mut translator = Translator::new(self.program);
        let body = rule.body.iter().map(|literal| translator.literal(literal, |name| self.by_name[name])).collect();
        let at = rule.head.at.iter().map(|at| HeadTerm::Term(translator.term(at))).collect::<Vec<_>>();
        let args = rule.head.args.iter().map(|arg| match arg {
            HeadArg::Expr(expr) => HeadTerm::Term(translator.term(expr)),
            HeadArg::Aggregate { function, args, .. } => {
                HeadTerm::Aggregate(*function, args.iter().map(|arg| translator.term(arg)).collect())
            }
        });
        let head: Vec<HeadTerm> = at.into_iter().chain(args).collect();
        let target = match rule.kind {
            RuleKind::Async => {
                let channel = self.program.channels.iter().position(|channel| channel.name == rule.head.relation);
                Head::Channel(u16::try_from(channel.expect("a checked rule sends on a channel")).expect("few channels"))
            }
            RuleKind::Now | RuleKind::Next => Head::Store(self.by_name[&rule.head.relation].0),
        };
        let draft = Draft {
            kind: rule.kind,
            delete: rule.delete,
            head: target,
            text: self.text(rule),
            body,
            variables: translator.variables(),
        };
        self.add_draft(draft, head);
    }

    /// The rule as it is written, on one line.
    fn text(&self, rule: &Rule) -> String {
        let text = self.program.source.text.get(rule.span.start as usize..rule.span.end as usize).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn add_draft(&mut self, mut draft: Draft, head: Vec<HeadTerm>) {
        let aggregates = head.iter().any(|term| matches!(term, HeadTerm::Aggregate(..)));
        let terms = if !aggregates {
            head.into_iter().filter_map(HeadTerm::term).collect()
        } else if draft.kind == RuleKind::Now {
            return self.add_aggregation(draft, head);
        } else {
            self.aggregate_first(&mut draft, head)
        };
        let clause = Clause { text: draft.text, head: terms, body: draft.body, variables: draft.variables };
        match (draft.kind, draft.head) {
            (RuleKind::Now, Head::Store(store)) => self.add_now(clause, store),
            (RuleKind::Next, Head::Store(store)) if draft.delete => self.add_delete(clause, store),
            (RuleKind::Next, Head::Store(store)) => self.add_next(clause, store),
            (RuleKind::Async, Head::Channel(channel)) => self.add_send(clause, channel),
            _ => unreachable!("only asynchronous rules have channels as heads"),
        }
    }

    fn add_now(&mut self, clause: Clause, store: usize) {
        let (target, mode, place) = self.sink(&clause, store);
        self.add(Item { clause, target, mode, output: Output::Head }, place);
    }

    /// Target, mode and place of a `:-` clause.
    fn sink(&mut self, clause: &Clause, store: usize) -> (Target, Mode, Place) {
        let stratum = self.stratum_of[&store];
        let StratumState { recursive, reads } = self.stratum_state(clause, stratum);
        let here = Place::Stratum(stratum);
        match self.stores[store].kind {
            _ if clause.has_event(&self.stores) => (Target::Insert(store), Mode::Event, here),
            StoreKind::Event => (Target::Insert(store), Mode::Always, here),
            StoreKind::View if recursive => (Target::Insert(store), Mode::Maintained, here),
            StoreKind::View => (Target::Count(store), Mode::Maintained, here),
            _ if reads || !self.is_deleted_from(store) => (Target::Insert(store), Mode::Maintained, here),
            _ => (Target::Count(self.inserted_by(store, here)), Mode::Maintained, Place::Before(stratum)),
        }
    }

    fn stratum_state(&self, clause: &Clause, stratum: usize) -> StratumState {
        let items = &self.strata[stratum];
        StratumState {
            recursive: items.recursive,
            reads: clause.positive_atoms().any(|(_, atom)| items.stores.contains(&atom.store)),
        }
    }

    fn add_delete(&mut self, mut clause: Clause, table: usize) {
        let mut args = clause.head.clone();
        if clause.has_event(&self.stores) {
            clause.body.push(Literal::Atom(Atom { store: table, negated: false, new: false, args }));
            let output = Output::Row(clause.body.len() - 1);
            return self.add(Item { clause, target: Target::Doom(table), mode: Mode::Event, output }, Place::Finish);
        }
        for arg in args.iter_mut().filter(|arg| **arg == Term::Wildcard) {
            *arg = Term::Variable(clause.variables);
            clause.variables += 1;
        }
        clause.head.clone_from(&args);
        clause.body.push(Literal::Atom(Atom { store: table, negated: false, new: false, args }));
        let view = self.deleted_by(table);
        let target = Target::Count(view);
        self.add(Item { clause, target, mode: Mode::Maintained, output: Output::Head }, Place::FinishViews);
    }

    /// The hidden view of what state-only rules delete from a table; only facts that are there.
    fn deleted_by(&mut self, table: usize) -> usize {
        if let Some(view) = self.stores[table].deleted_by {
            return view;
        }
        let name = format!("deleted from {}", self.stores[table].name);
        let view = self.add_hidden(name, self.stores[table].arity, StoreKind::View);
        self.stores[table].deleted_by = Some(view);
        let mut clause = self.copy(view, table, true);
        let args = clause.head.clone();
        clause.body.push(Literal::Atom(Atom { store: table, negated: false, new: false, args }));
        let output = Output::Row(1);
        self.add(Item { clause, target: Target::Doom(table), mode: Mode::Event, output }, Place::Finish);
        view
    }

    fn add_next(&mut self, clause: Clause, store: usize) {
        let event = clause.has_event(&self.stores);
        let is_table = self.stores[store].kind == StoreKind::Table;
        let target = if is_table { Target::Plus(store) } else { Target::Defer(store) };
        let (target, mode, place) = match (event, is_table) {
            (true, _) => (target, Mode::Event, Place::Finish),
            (false, false) => (target, Mode::Always, Place::Finish),
            (false, true) if !self.is_deleted_from(store) => (target, Mode::Maintained, Place::Finish),
            (false, true) => (Target::Count(self.kept_by(store)), Mode::Maintained, Place::FinishViews),
        };
        self.add(Item { clause, target, mode, output: Output::Head }, place);
    }

    fn add_send(&mut self, clause: Clause, channel: u16) {
        let event = clause.has_event(&self.stores);
        let declared = &self.program.channels[usize::from(channel)];
        let plan = self.send_plan(channel);
        plan.repeats = plan.senders > 0 || !clause.is_injective_in(clause.head.iter());
        plan.senders += 1;
        if event {
            let target = Target::Send { channel, held: false };
            return self.add(Item { clause, target, mode: Mode::Event, output: Output::Head }, Place::Finish);
        }
        plan.repeats = plan.senders > 1;
        let view = match plan.held_by {
            Some(view) => view,
            None => {
                let arity = declared.columns.len() + 1;
                let view = self.add_hidden(format!("held on {}", declared.name), arity, StoreKind::View);
                self.send_plan(channel).held_by = Some(view);
                let clause = self.copy(view, view, true);
                let target = Target::Send { channel, held: true };
                self.add(Item { clause, target, mode: Mode::Event, output: Output::Head }, Place::Finish);
                view
            }
        };
        let target = Target::Count(view);
        self.add(Item { clause, target, mode: Mode::Maintained, output: Output::Head }, Place::FinishViews);
    }

    fn send_plan(&mut self, channel: u16) -> &mut SendPlan {
        let program = self.program;
        self.sent[usize::from(channel)].get_or_insert_with(|| {
            let receiver = &program.channels[usize::from(channel)].receiver;
            let role = program.component(receiver).map_or(receiver, |component| &component.role);
            let index = program.role_index(role).expect("a checked channel has a receiver");
            let role = &program.roles[usize::from(index)];
            let nodes = if role.external && role.count.is_none() { None } else { Some(role.nodes) };
            SendPlan { role: index, nodes, repeats: false, senders: 0, held_by: None }
        })
    }

    /// The hidden view of what state-only `:-` rules put into a table.
    fn inserted_by(&mut self, table: usize, place: Place) -> usize {
        if let Some(view) = self.stores[table].inserted_by {
            return view;
        }
        let name = format!("inserted into {}", self.stores[table].name);
        let view = self.add_hidden(name, self.stores[table].arity, StoreKind::View);
        self.stores[table].inserted_by = Some(view);
        let clause = self.copy(view, table, true);
        self.add(Item { clause, target: Target::Insert(table), mode: Mode::Event, output: Output::Head }, place);
        view
    }

    /// The hidden view of what state-only `:+` rules keep in a table.
    fn kept_by(&mut self, table: usize) -> usize {
        if let Some(view) = self.stores[table].kept_by {
            return view;
        }
        let name = format!("kept in {}", self.stores[table].name);
        let view = self.add_hidden(name, self.stores[table].arity, StoreKind::View);
        self.stores[table].kept_by = Some(view);
        let clause = self.copy(view, table, true);
        self.add(Item { clause, target: Target::Plus(table), mode: Mode::Event, output: Output::Head }, Place::Finish);
        view
    }

    /// The clause that copies one store to another, all of it or what begins to hold.
    fn copy(&self, from: usize, to: usize, new: bool) -> Clause {
        let arity = self.stores[from].arity;
        let head: Vec<Term> = (0..arity).map(Term::Variable).collect();
        let body = vec![Literal::Atom(Atom { store: from, negated: false, new, args: head.clone() })];
        let text = format!("{} -> {}", self.stores[from].name, self.stores[to].name);
        Clause { text, head, body, variables: arity }
    }

    fn is_deleted_from(&self, table: usize) -> bool {
        let name = &self.stores[table].name;
        self.component.rules.iter().any(|rule| rule.delete && rule.head.relation == *name)
    }

    /// For heads that are not filled in the same step: aggregates into a hidden relation, from which the rule goes on.
    fn aggregate_first(&mut self, draft: &mut Draft, head: Vec<HeadTerm>) -> Vec<Term> {
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
        self.aggregate(clause, columns, target(store), mode, (Place::FinishViews, Place::FinishViews));
        draft.body = vec![Literal::Atom(Atom { store, negated: false, new: false, args })];
        draft.variables = variables;
        terms
    }

    fn add_aggregation(&mut self, draft: Draft, head: Vec<HeadTerm>) {
        let Head::Store(store) = draft.head else { unreachable!("a `:-` rule derives a relation of its component") };
        let clause = draft.clause(Vec::new());
        let (target, mode, place) = self.sink(&clause, store);
        self.aggregate(clause, head, target, mode, (Place::Before(self.stratum_of[&store]), place));
    }

    /// Adds an aggregation; what it needs first goes to the first place.
    fn aggregate(
        &mut self,
        mut clause: Clause,
        head: Vec<HeadTerm>,
        target: Target,
        mode: Mode,
        places: (Place, Place),
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
        let maintained = mode == Mode::Maintained;
        self.aggregates.push(AggregatePlan {
            group: group.len(),
            functions,
            columns,
            maintained,
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
        let solutions = Clause { text: clause.text.clone(), head: Vec::new(), body, variables: clause.variables };
        clause.head = args;
        self.add(Item { clause, target, mode, output: Output::Head }, place);
        solutions
    }

    fn add(&mut self, mut item: Item, place: Place) {
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

/// How a clause relates to the stratum of its head.
struct StratumState {
    recursive: bool,
    /// Whether the clause reads what the stratum derives.
    reads: bool,
}

impl HeadTerm {
    fn term(self) -> Option<Term> {
        match self {
            HeadTerm::Term(term) => Some(term),
            HeadTerm::Aggregate(..) => None,
        }
    }
}

impl Draft {
    fn clause(&self, head: Vec<Term>) -> Clause {
        Clause { text: self.text.clone(), head, body: self.body.clone(), variables: self.variables }
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
            Mode::Always => vec![(Driver::Always, None)],
            Mode::Maintained => self.delta_drivers(stores),
        };
        // Counting wants each change of a solution once; a set wants only solutions that hold in the end.
        let counts = !self.is_set();
        let old = |driving: Option<usize>, position: usize| counts && driving.is_none_or(|driving| position > driving);
        let pipelines = starts.into_iter().map(|(driver, literal)| {
            let version = |position: usize| if old(literal, position) { Version::Old } else { Version::New };
            self.pipeline(Start { driver, literal, version: &version, is_set: self.is_set() }, stores, registers)
        });
        RulePlan { text: self.clause.text.clone(), pipelines: pipelines.collect(), target: self.target }
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
        let rule = RulePlan { text: self.clause.text.clone(), pipelines, target: self.target };
        if rule.pipelines.is_empty() { None } else { Some(rule) }
    }

    fn pipeline(&self, start: Start, stores: &mut [StorePlan], registers: &mut usize) -> crate::plan::Pipeline {
        let (mut pipeline, used) = join::pipeline(&self.clause, &start, &self.output, stores);
        let target = self.target.store();
        pipeline.reads_target = target.is_some()
            && (pipeline.driver.store() == target || pipeline.accesses().any(|access| Some(access.store) == target));
        *registers = (*registers).max(used);
        pipeline
    }

    /// Whether it does not matter how often a solution is found.
    fn is_set(&self) -> bool {
        self.mode != Mode::Maintained || !matches!(self.target, Target::Count(_) | Target::Aggregate(_))
    }
}
