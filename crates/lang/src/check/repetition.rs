//! Messages that state alone sends may be sent again at any time: who receives them must not care.
//!
//! A channel is *insensitive* to repetition if all copies of a message together do what one of them alone would have done. What
//! is derived from it, through events of the receiver, goes only into tables that keep every fact (or the first or greatest of a key,
//! or those above a register), and into messages on channels that are insensitive too. Nothing may aggregate over it, ask for its absence, delete, or
//! join it with another event or with state that can shrink: met twice, such state gives two answers, where a single message
//! gets one. An external or native receiver may do anything. What is insensitive is a greatest fixpoint.
//!
//! State that only grows gives two answers as well, less to the first copy and more to the second; a single message gets less early or more late, but not
//! both, and somebody may hear of the one before he causes the other. Such state may *admit* a message, though: if one rule alone reads the channel, and the state
//! decides only whether it takes the message, then the first copy that is taken does everything, those before it nothing, and those after it nothing
//! new. A register that only rises admits what it bounds from above, as that of an ordered channel does.
//!
//! Timers that state arms are not repeated: they are armed when the state begins to hold, and only then.

use std::collections::{BTreeMap, BTreeSet};

use super::recursion::{constant_views, shrinking};
use crate::diagnostic::Code;
use crate::ir::{
    Atom, Channel, Comparison, Component, Expr, ExprKind, Literal, Name, Policy, Program, Relation, RelationKind, Rule,
    RuleKind,
};
use crate::sink::Sink;
use crate::source::Span;
use crate::walk::Referent;

/// Why a repetition matters.
type Reason = (Span, String);

pub(super) fn check(program: &Program, sink: &mut Sink) {
    let senders: Vec<(&Component, &Rule)> = program
        .components
        .iter()
        .flat_map(|component| component.rules.iter().map(move |rule| (component, rule)))
        .filter(|(component, rule)| rule.kind == RuleKind::Async && !rule.is_event_rule(component, program))
        .collect();
    if senders.is_empty() {
        return;
    }
    let sensitive = sensitive(program);
    for (component, rule) in senders {
        let name = &rule.head.relation;
        let is_timer = program.channel(name).is_none_or(|channel| channel.delay.is_some());
        let Some((place, why)) = sensitive.get(name).filter(|_| !is_timer) else { continue };
        let message = format!("`{name}` is sent by state alone, but its receiver notices repetitions");
        let diagnostic = sink.start(Code::E0620, message).label(rule.span, "may be sent again at any time");
        let state = rule.positive_atoms().find(|atom| component.relation(&atom.relation).is_some());
        sink.push(diagnostic.label(*place, why).help(match state {
            Some(atom) => format!("write `new {}(...)` to send once", atom.relation),
            None => "add the event after which it is sent".to_owned(),
        }));
    }
}

/// The channels on which a repetition matters.
fn sensitive(program: &Program) -> BTreeMap<&Name, Reason> {
    let receivers: BTreeMap<&Name, Receiver<'_>> =
        program.components.iter().map(|component| (&component.name, Receiver::new(program, component))).collect();
    let mut found: BTreeMap<&Name, Reason> = BTreeMap::new();
    loop {
        let before = found.len();
        for channel in program.channels.iter() {
            if found.contains_key(&channel.name) {
                continue;
            }
            let reason = match receivers.get(&channel.receiver) {
                None => Some((channel.span, "goes to nodes that may do anything with it".to_owned())),
                Some(receiver) => receiver.reason(channel, &found),
            };
            if let Some(reason) = reason {
                found.insert(&channel.name, reason);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// A component that a repeated message reaches.
struct Receiver<'p> {
    program: &'p Program,
    component: &'p Component,
    /// Its rules, by what they read.
    readers: BTreeMap<&'p Name, Vec<&'p Rule>>,
    /// Its state that can shrink.
    shrinking: BTreeSet<&'p Name>,
    /// Its views over roles alone.
    constant: BTreeSet<&'p Name>,
    /// Its tables from which something is deleted.
    deleted: BTreeSet<&'p Name>,
}

impl<'p> Receiver<'p> {
    fn new(program: &'p Program, component: &'p Component) -> Self {
        let mut readers: BTreeMap<&Name, Vec<&Rule>> = BTreeMap::new();
        for rule in &component.rules {
            let read: BTreeSet<&Name> = rule.atoms().map(|atom| &atom.relation).collect();
            read.into_iter().for_each(|name| readers.entry(name).or_default().push(rule));
        }
        let deletions = component.rules.iter().filter(|rule| rule.delete);
        let deleted = deletions.map(|rule| &rule.head.relation).collect();
        Receiver {
            program,
            component,
            readers,
            shrinking: shrinking(component),
            constant: constant_views(component),
            deleted,
        }
    }

    /// Why a repetition on a channel matters here, if it does; `sensitive` are channels that are known to be so.
    fn reason(&self, channel: &'p Channel, sensitive: &BTreeMap<&Name, Reason>) -> Option<Reason> {
        let mut repeated: BTreeSet<&Name> = BTreeSet::from([&channel.name]);
        let mut waiting = vec![&channel.name];
        while let Some(event) = waiting.pop() {
            let readers = self.readers.get(event).map_or(&[][..], Vec::as_slice);
            let is_only_reader = *event == channel.name && readers.len() == 1;
            for rule in readers {
                let reason = self.body(rule, event).or_else(|| self.head(rule, sensitive));
                if let Some(reason) = reason.or_else(|| self.growth(rule, event, is_only_reader)) {
                    return Some(reason);
                }
                let head = self.component.relation(&rule.head.relation);
                let is_event = head.is_some_and(|head| head.kind == RelationKind::Event);
                if is_event && repeated.insert(&rule.head.relation) {
                    waiting.push(&rule.head.relation);
                }
            }
        }
        None
    }

    fn body(&self, rule: &Rule, event: &Name) -> Option<Reason> {
        if rule.is_aggregate() {
            return Some((rule.head.span, "aggregates over what a repetition brings".to_owned()));
        }
        let mut read = false;
        for atom in rule.atoms() {
            let is_first = atom.relation == *event && !atom.negated && !std::mem::replace(&mut read, true);
            if !is_first
                && !self.is_rising_bound(rule, atom)
                && let Some(why) = self.varies(atom)
            {
                return Some((atom.span, why.to_owned()));
            }
        }
        None
    }

    /// Whether a second look at a literal may give something that a later first look would not have given.
    fn varies(&self, atom: &Atom) -> Option<&'static str> {
        match self.program.referent(self.component, &atom.relation) {
            Some(Referent::Role) => None,
            _ if atom.is_event(self.component, self.program) => Some("a repetition meets another event"),
            _ if atom.negated => Some("may be absent the first time, and present when it is repeated"),
            _ if self.shrinking.contains(&atom.relation) => Some("may be something else when it is repeated"),
            _ => None,
        }
    }

    /// State that gives more to a later copy, unless it decides only whether the one rule for a message takes it.
    fn growth(&self, rule: &'p Rule, event: &Name, is_only_reader: bool) -> Option<Reason> {
        let state = |atom: &&Atom| self.component.relation(&atom.relation).is_some() && atom.relation != *event;
        let varying = rule.atoms().filter(state).filter(|atom| !self.constant.contains(&atom.relation));
        let mut told = None;
        varying.into_iter().find_map(|atom| {
            if !is_only_reader {
                return Some((atom.span, "may let one copy do one thing, and the next another".to_owned()));
            }
            let told = told.get_or_insert_with(|| self.told(rule, event));
            let admits = self.admits(rule, atom, told);
            (!admits).then(|| (atom.span, "may have more to give when it is repeated".to_owned()))
        })
    }

    /// The variables of a rule that have one value for each message, whenever that comes: those of the message, and what follows from them.
    fn told(&self, rule: &'p Rule, event: &Name) -> BTreeSet<&'p Name> {
        let message = rule.positive_atoms().find(|atom| atom.relation == *event);
        let terms = message.into_iter().flat_map(|atom| atom.args.iter().chain(&atom.from));
        let mut told: BTreeSet<&Name> = terms.filter_map(Expr::as_variable).collect();
        loop {
            let before = told.len();
            for literal in &rule.body {
                match literal {
                    Literal::Bind { variable, value, .. } if is_told(value, &told) => {
                        told.insert(variable);
                    }
                    Literal::Atom(atom) if self.is_first_of_told_key(atom, &told) => {
                        told.extend(atom.args.iter().filter_map(Expr::as_variable));
                    }
                    _ => {}
                }
            }
            if told.len() == before {
                return told;
            }
        }
    }

    /// Whether a literal reads the first fact of a key that a message tells: there is none yet, or it is always the same.
    fn is_first_of_told_key(&self, atom: &Atom, told: &BTreeSet<&Name>) -> bool {
        let key = self.component.relation(&atom.relation).and_then(|table| table.storage.key);
        let key = key.filter(|key| key.policy == Policy::First && !self.shrinking.contains(&atom.relation));
        !atom.negated && key.is_some_and(|key| atom.args.iter().take(key.columns).all(|arg| is_told(arg, told)))
    }

    /// Whether state decides only if a message is taken: whatever else the rule has is told by the message.
    fn admits(&self, rule: &Rule, atom: &Atom, told: &BTreeSet<&Name>) -> bool {
        let bounded = |literal: &Literal| match literal {
            Literal::Compare { left, right, .. } => {
                [left, right].into_iter().any(|side| is_told(side, told)) || !mentions_any(literal, atom)
            }
            _ => true,
        };
        if self.is_rising_bound(rule, atom) {
            return rule.body.iter().all(bounded);
        }
        let uses =
            |name: &Name| rule.expressions().flat_map(Expr::variables).filter(|(found, _)| *found == name).count();
        let is_settled = |arg: &Expr| {
            arg.variables()
                .iter()
                .all(|(name, _)| told.contains(name) || arg.as_variable().is_some() && uses(name) == 1)
        };
        atom.args.iter().all(is_settled)
    }

    /// Whether a literal reads a register that only rises, and the rule asks no more of it than to be high enough.
    fn is_rising_bound(&self, rule: &Rule, atom: &Atom) -> bool {
        let rises = |table: &Relation| {
            let key = table.storage.key.filter(|key| key.policy == Policy::Max && key.columns == 0);
            key.is_some() && table.storage.above.is_none() && !self.deleted.contains(&table.name)
        };
        if atom.negated || atom.new || !self.component.relation(&atom.relation).is_some_and(rises) {
            return false;
        }
        let [arg] = atom.args.as_slice() else { return false };
        let Some(height) = arg.as_variable() else { return false };
        let uses = |expr: &Expr| expr.variables().iter().filter(|(name, _)| *name == height).count();
        let bounding = rule.body.iter().filter(|literal| bounds_from_above(literal, height)).count();
        bounding > 0 && rule.expressions().map(uses).sum::<usize>() == bounding + 1
    }

    fn head(&self, rule: &Rule, sensitive: &BTreeMap<&Name, Reason>) -> Option<Reason> {
        let name = &rule.head.relation;
        if rule.delete {
            return Some((rule.span, "a repetition deletes again".to_owned()));
        }
        if rule.kind == RuleKind::Async {
            let is_sensitive = sensitive.contains_key(name);
            return is_sensitive.then(|| (rule.span, format!("a repetition sends `{name}` again, which is noticed")));
        }
        let table = self.component.relation(name).filter(|head| head.kind == RelationKind::Table)?;
        let why = self.forgets(table)?;
        Some((rule.head.span, format!("a repetition fills `{name}` again: {why}")))
    }

    /// Why a table may have lost the fact that comes again.
    fn forgets(&self, table: &Relation) -> Option<&'static str> {
        match table.storage.key.map(|key| key.policy) {
            _ if self.deleted.contains(&table.name) => Some("its facts are deleted"),
            Some(Policy::Replace) => Some("its facts are replaced"),
            Some(Policy::First | Policy::Max) | None => None,
        }
    }
}

/// Whether an expression has one value for each message.
fn is_told(expr: &Expr, told: &BTreeSet<&Name>) -> bool {
    !expr.is_wildcard() && expr.variables().iter().all(|(name, _)| told.contains(name))
}

/// Whether a comparison has a variable of an atom.
fn mentions_any(literal: &Literal, atom: &Atom) -> bool {
    let Literal::Compare { left, right, .. } = literal else { return false };
    let compared = [left, right].into_iter().flat_map(Expr::variables);
    compared.into_iter().any(|(name, _)| atom.args.iter().any(|arg| arg.as_variable() == Some(name)))
}

/// Whether a literal says that something is at most a variable, or that and a constant.
fn bounds_from_above(literal: &Literal, height: &Name) -> bool {
    let Literal::Compare { op, left, right, .. } = literal else { return false };
    let (low, high) = match op {
        Comparison::Less | Comparison::LessEqual => (left, right),
        Comparison::Greater | Comparison::GreaterEqual => (right, left),
        Comparison::Equal | Comparison::NotEqual => return false,
    };
    let is_height = |expr: &Expr| expr.as_variable() == Some(height);
    let is_fixed = |expr: &Expr| matches!(expr.kind, ExprKind::Constant(_) | ExprKind::Param(_));
    let rises = match &high.kind {
        ExprKind::Call(function, args) if function.get().name == "+" => match args.as_slice() {
            [one, other] => is_height(one) && is_fixed(other) || is_fixed(one) && is_height(other),
            _ => false,
        },
        _ => is_height(high),
    };
    rises && !low.variables().iter().any(|(name, _)| *name == height)
}
