//! Nodes that are counted must be more than claimed: one liar can name many.
//!
//! What is known of the nodes in a column is followed through the rules, as a least fixpoint. A node is *vouched* for if it is `me`, was bound by
//! `from`, or if its signature was verified; it is *claimed* if it comes out of a message of a suspect; else it is merely *named*, like those that the
//! relation of a role has. In a rule, one vouched occurrence of a variable makes all of them so. That a claimed node is named elsewhere
//! too, `vote(r), replica(r)`, says that there is such a node, not that it said something.

use std::collections::BTreeMap;

use menard_value::Type;

use super::super::settle::settle;
use super::places::{Place, places, text, visit_places};
use super::{Entry, Key, Outcome, World, verifications};
use crate::diagnostic::Code;
use crate::ir::{Aggregate, Atom, Comparison, Component, Expr, HeadArg, Literal, Name, Rule};
use crate::sink::Sink;
use crate::source::Span;
use crate::walk::Referent;

/// What is known of a node.
#[derive(Clone, Copy)]
enum Trust<'p> {
    Vouched,
    Named,
    Claimed(Entry<'p>),
}

impl<'p> Trust<'p> {
    fn rank(self) -> u8 {
        match self {
            Trust::Vouched => 0,
            Trust::Named => 1,
            Trust::Claimed(_) => 2,
        }
    }

    fn worse(self, other: Trust<'p>) -> Trust<'p> {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// What is known of the columns of relations; what is not there is vouched for, as nothing fills it with anything else.
type Columns<'p> = BTreeMap<(Key<'p>, usize), Trust<'p>>;

pub(super) fn warn(world: &World<'_>, sink: &mut Sink) {
    let mut columns = Columns::new();
    settle(world.program, |component, rule| {
        let trusts = RuleTrust::of(world, &columns, component, rule).head();
        let mut changed = false;
        for (position, trust) in trusts.into_iter().enumerate() {
            let column = columns.entry((world.key(component, &rule.head.relation), position)).or_insert(Trust::Vouched);
            changed |= trust.rank() > column.rank();
            *column = column.worse(trust);
        }
        changed
    });
    for (component, rule) in world.rules() {
        for arg in &rule.head.args {
            let HeadArg::Aggregate { function, args, span } = arg else { continue };
            let trust = RuleTrust::of(world, &columns, component, rule);
            if let Some((name, entry)) = trust.counted(*function, args) {
                report(world, (*function, *span), &name, entry, sink);
                break;
            }
        }
    }
}

fn report(world: &World<'_>, (function, span): (Aggregate, Span), name: &str, entry: Entry<'_>, sink: &mut Sink) {
    let (channel, sender) = (&entry.channel.name, world.sender(entry.channel));
    let message = format!("`{}` counts nodes that are only claimed", function.name());
    let diagnostic = sink.start_warning(Code::E0622, message);
    let diagnostic = diagnostic.label(span, format!("one liar is enough to make up any number of `{name}`"));
    let diagnostic = diagnostic.label(entry.span, format!("claimed here, by a `{sender}` that may lie"));
    let help = format!("bind the sender itself, `{channel}(...) from {name}`, or verify a signature of `{name}`");
    sink.push(diagnostic.help(help));
}

/// What a rule knows of the nodes in its variables.
struct RuleTrust<'p> {
    rule: &'p Rule,
    /// The types of the head's columns.
    types: Vec<Option<Type>>,
    vouched: Vec<Place<'p>>,
    /// The worst that is said of a variable.
    worst: BTreeMap<&'p Name, Trust<'p>>,
}

impl<'p> RuleTrust<'p> {
    fn of(world: &World<'p>, columns: &Columns<'p>, component: &'p Component, rule: &'p Rule) -> Self {
        let ty = |position| world.program.column_type(component, &rule.head.relation, position);
        let types = (0..rule.head.args.len()).map(ty).collect();
        let mut known = RuleTrust { rule, types, vouched: Vec::new(), worst: BTreeMap::new() };
        for atom in rule.positive_atoms() {
            for (position, arg) in atom.args.iter().enumerate() {
                if let Some(variable) = arg.as_variable() {
                    known.note(variable, column(world, columns, component, (atom, position)));
                }
            }
            known.vouched.extend(atom.from.iter().filter_map(Place::of));
        }
        let verified = verifications(rule).into_iter().filter(|found| found.outcome == Outcome::Holds);
        known.vouched.extend(verified.filter_map(|found| Place::of(found.signer)));
        while known.follow() {}
        known
    }

    /// Takes note of what is said of a variable; whether that is news.
    fn note(&mut self, variable: &'p Name, trust: Trust<'p>) -> bool {
        if trust.rank() == 0 {
            return self.vouch(Place::of_variable(variable));
        }
        let before = self.worst.get(variable).copied();
        self.worst.insert(variable, before.map_or(trust, |before| before.worse(trust)));
        before.is_none_or(|before| trust.rank() > before.rank())
    }

    fn vouch(&mut self, place: Place<'p>) -> bool {
        let is_new = !self.is_vouched(&place);
        if is_new {
            self.vouched.push(place);
        }
        is_new
    }

    fn is_vouched(&self, place: &Place<'_>) -> bool {
        self.vouched.iter().any(|vouched| vouched.contains(place))
    }

    /// What follows from equations and members by what is known; whether there is news.
    fn follow(&mut self) -> bool {
        let mut changed = false;
        for literal in &self.rule.body {
            match literal {
                Literal::Bind { variable, value, .. } => {
                    changed |= self.trust(value).is_some_and(|trust| self.note(variable, trust));
                }
                Literal::In { element, collection, negated: false, .. } => {
                    if let (Some(variable), Some(trust)) = (element.as_variable(), self.trust(collection)) {
                        changed |= self.note(variable, trust);
                    }
                }
                Literal::Compare { op: Comparison::Equal, left, right, .. } => {
                    for (known, equal) in [(left, right), (right, left)] {
                        if let (Some(Trust::Vouched), Some(place)) = (self.trust(known), Place::of(equal)) {
                            changed |= self.vouch(place);
                        }
                    }
                }
                Literal::In { .. } | Literal::Compare { .. } | Literal::Atom(_) => {}
            }
        }
        changed
    }

    /// What is known of the nodes in an expression; `None` if it has variables of which nothing is known yet.
    fn trust(&self, expr: &'p Expr) -> Option<Trust<'p>> {
        places(expr).into_iter().filter(|(place, _)| self.has_nodes(place)).try_fold(
            Trust::Vouched,
            |worst, (place, _)| {
                if self.is_vouched(&place) {
                    return Some(worst);
                }
                self.worst.get(place.variable).map(|trust| worst.worse(*trust))
            },
        )
    }

    fn has_nodes(&self, place: &Place<'_>) -> bool {
        place.ty(self.rule).is_some_and(has_nodes)
    }

    /// What is known of the columns of the head.
    fn head(&self) -> Vec<Trust<'p>> {
        let args = self.rule.head.args.iter().zip(&self.types).map(|(arg, ty)| {
            let exprs = match arg {
                HeadArg::Expr(expr) => std::slice::from_ref(expr),
                HeadArg::Aggregate { args, .. } => args,
            };
            let trusts = exprs.iter().filter(|_| ty.is_some_and(has_nodes));
            trusts.fold(Trust::Vouched, |worst, expr| worst.worse(self.trust(expr).unwrap_or(Trust::Named)))
        });
        args.collect()
    }

    /// The node that an aggregate counts though it is only claimed.
    fn counted(&self, function: Aggregate, args: &'p [Expr]) -> Option<(String, Entry<'p>)> {
        use Aggregate::{Count, List, Map, Quorum, Set};
        if !matches!(function, Count | List | Map | Quorum | Set) {
            return None;
        }
        let groups = self.rule.head.args.iter().filter_map(HeadArg::as_expr).chain(&self.rule.head.at);
        let groups: Vec<Place<'_>> = groups.filter_map(Place::of).collect();
        let mut claimed = None;
        let mut look = |place: Place<'p>, name: String| {
            let is_node = place.ty(self.rule) == Some(Type::Node);
            let is_counted = is_node && !self.is_vouched(&place) && !groups.iter().any(|group| group.contains(&place));
            if let (true, Some(Trust::Claimed(entry))) = (is_counted, self.worst.get(place.variable)) {
                claimed.get_or_insert((name, *entry));
            }
        };
        args.iter().for_each(|arg| visit_places(arg, &mut |place, expr| look(place, text(expr))));
        // Without arguments, it is all different values of the variables that count.
        if args.is_empty() {
            let variables = self.rule.variables.iter();
            variables.for_each(|(name, _)| look(Place::of_variable(name), name.to_string()));
        }
        claimed
    }
}

fn has_nodes(ty: Type) -> bool {
    ty.contains(|part| part == Type::Node)
}

/// What is known of the column of a relation that a rule reads.
fn column<'p>(
    world: &World<'p>,
    columns: &Columns<'p>,
    component: &'p Component,
    (atom, position): (&'p Atom, usize),
) -> Trust<'p> {
    if world.program.referent(component, &atom.relation) == Some(Referent::Role) {
        return Trust::Named;
    }
    if let Some(channel) = world.program.channel(&atom.relation) {
        if world.is_suspect(channel, atom) {
            return Trust::Claimed(Entry { channel, span: atom.args[position].span });
        }
        if world.program.component(&channel.sender).is_none() {
            return Trust::Named;
        }
    }
    let key = world.key(component, &atom.relation);
    columns.get(&(key, position)).copied().unwrap_or(Trust::Vouched)
}
