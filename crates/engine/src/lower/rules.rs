//! From rules to targets: what becomes of what a rule derives, and how the rule is evaluated.
//!
//! A rule with an event in its body is evaluated once per step. One over state only is maintained, which suits views as they
//! are. Other targets of state-only rules get a hidden view of what the rule derives: a table has what its view has put in
//! for as long as the view holds it, a held message is sent when its view begins to hold it.

use menard_lang::ir::{self, HeadArg, Rule, RuleKind};

use super::Lowering;
use super::clause::{Atom, Clause, Literal, Term, Translator};
use super::item::{Item, Mode, Place};
use super::join::Output;
use crate::plan::{SendPlan, StoreKind, Target};

/// An argument of a head.
pub(super) enum HeadTerm {
    Term(Term),
    Aggregate(ir::Aggregate, Vec<Term>),
}

/// A rule on its way to being items.
pub(super) struct Draft {
    kind: RuleKind,
    delete: bool,
    pub(super) head: Head,
    pub(super) text: String,
    /// The position of the component's rule, as long as the draft has the rule's body.
    pub(super) rule: Option<usize>,
    pub(super) body: Vec<Literal>,
    pub(super) variables: usize,
}

/// What a rule is about.
#[derive(Clone, Copy)]
pub(super) enum Head {
    Store(usize),
    Channel(u16),
}

impl Lowering<'_> {
    /// Adds the component's rule at this position.
    pub(super) fn add_rule(&mut self, position: usize, rule: &Rule) {
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
            rule: Some(position),
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
        let Draft { text, rule, body, variables, .. } = draft;
        let clause = Clause { text, rule, head: terms, body, variables };
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
    pub(super) fn sink(&mut self, clause: &Clause, store: usize) -> (Target, Mode, Place) {
        let stratum = self.stratum_of[&store];
        let StratumState { recursive, reads } = self.stratum_state(clause, stratum);
        let here = Place::Stratum(stratum);
        match self.stores[store].kind {
            _ if clause.has_event(&self.stores) => (Target::Insert(self.filled(store)), Mode::Event, here),
            _ if self.is_chosen(store) => unreachable!("a checked rule fills keyed tables and windows by events only"),
            StoreKind::Event => unreachable!("a checked rule does not derive an event from state alone"),
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
        let stays = event || !self.is_chosen(store);
        assert!(stays, "a checked rule fills keyed tables and windows by events only: {}", clause.text);
        let store = self.filled(store);
        let is_table = self.stores[store].kind == StoreKind::Table;
        assert!(event || is_table, "a checked rule does not fill an event from state alone: {}", clause.text);
        let target = if is_table { Target::Plus(store) } else { Target::Defer(store) };
        let (target, mode, place) = match event {
            true => (target, Mode::Event, Place::Finish),
            false if !self.is_deleted_from(store) => (target, Mode::Maintained, Place::Finish),
            false => (Target::Count(self.kept_by(store)), Mode::Maintained, Place::FinishViews),
        };
        self.add(Item { clause, target, mode, output: Output::Head }, place);
    }

    fn add_send(&mut self, clause: Clause, channel: u16) {
        let event = clause.has_event(&self.stores);
        let declared = &self.program.channels[usize::from(channel)];
        let plan = self.send_plan(channel);
        plan.senders += 1;
        // What a view begins to hold, it begins to hold once.
        plan.repeats = plan.senders > 1 || event && !clause.is_injective_in(clause.head.iter());
        if event {
            let target = Target::Send { channel, held: false };
            return self.add(Item { clause, target, mode: Mode::Event, output: Output::Head }, Place::Finish);
        }
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
    pub(super) fn copy(&self, from: usize, to: usize, new: bool) -> Clause {
        let arity = self.stores[from].arity;
        let head: Vec<Term> = (0..arity).map(Term::Variable).collect();
        let body = vec![Literal::Atom(Atom { store: from, negated: false, new, args: head.clone() })];
        let text = format!("{} -> {}", self.stores[from].name, self.stores[to].name);
        Clause { text, rule: None, head, body, variables: arity }
    }

    /// Whether a table takes only some of what rules derive for it.
    fn is_chosen(&self, store: usize) -> bool {
        self.stores[store].keyed.is_some() || self.stores[store].bounded
    }

    fn is_deleted_from(&self, table: usize) -> bool {
        let name = &self.stores[table].name;
        self.component.rules.iter().any(|rule| rule.delete && rule.head.relation == *name)
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
    pub(super) fn clause(&self, head: Vec<Term>) -> Clause {
        let (text, body) = (self.text.clone(), self.body.clone());
        Clause { text, rule: self.rule, head, body, variables: self.variables }
    }
}
