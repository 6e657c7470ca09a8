//! A component in front of another one: its rules make of each message at most one event, which is handed on.
//!
//! Channels are handed on as they are if the plan names them, or if their senders cannot be told a new address.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Literal, Name, Param, Program, Rule, RuleKind};
use menard_lang::plan::LineKind;
use menard_lang::run::Message;
use menard_value::Value;

use super::split::{divisible, underived};
use super::{Misfit, Split};
use crate::analysis::forwards::{Forward, Sender, Supply, args_of_whole, forward_whole, tells_sender};
use crate::analysis::one_fact::derive;
use crate::analysis::scope::{Scope, fills, sends};
use crate::edit::{fresh, inner_channel, is_used, plain, rule, variable};

/// What asks for a prefix.
pub const NAME: &str = "prefix";

/// The split that a line means: the rules for the handles stay, and all others move; `None` if it asks for no prefix. Channels that the component
/// receives are handles as well.
pub fn split_behind(program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
    let LineKind::Decouple { component, handles, into, using: Some(using) } = line else { return None };
    if using != NAME {
        return None;
    }
    Some(divisible(program, component, into).and_then(|found| {
        let scope = Scope::new(program, found);
        let is_received = |name: &Name| program.channel(name).is_some_and(|channel| channel.receiver == *component);
        let derives = |name: &Name| scope.rules().any(|(_, rule)| rule.head.relation == *name);
        if let Some(handle) = handles.iter().find(|name| !is_received(name) && !derives(name)) {
            return Err(underived(&scope, handle));
        }
        let is_sent = |name: &Name| scope.rules().any(|(_, rule)| sends(rule) == Some(name));
        if let Some(handle) = handles.iter().find(|name| is_sent(name) && !is_received(name)) {
            let message = format!("`{component}` sends on `{handle}`, and what stays in front sends nothing");
            let help = "the handles of a prefix are what it takes, and what it computes of that".to_owned();
            return Err(Misfit { word: handle.to_string(), message, help: Some(help) });
        }
        let stays = |rule: &Rule| fills(rule).is_some() && handles.contains(&rule.head.relation);
        let moves = |rule: &Rule| !stays(rule) && !scope.derives_constant(rule);
        let moved: BTreeSet<usize> = scope.rules().filter(|(_, rule)| moves(rule)).map(|(index, _)| index).collect();
        if moved.is_empty() {
            let message = format!("nothing is left of `{component}` behind these");
            let help = "the handles of a prefix are what stays in front; all else moves".to_owned();
            return Err(Misfit { word: handles[0].to_string(), message, help: Some(help) });
        }
        Ok(Split { component: component.clone(), into: into.clone(), handles: handles.clone(), moved })
    }))
}

/// A relation that is handed on.
#[derive(Clone, Debug)]
struct Door {
    forward: Forward,
    /// The channel to what moved.
    channel: Name,
}

/// What is handed on, and what it is made of.
#[derive(Clone, Debug)]
pub struct Prefix {
    doors: Vec<Door>,
    /// The rules that stay.
    rules: Vec<Rule>,
    /// The channels that the first component takes.
    pub inputs: BTreeSet<Name>,
    params: Vec<Param>,
}

impl Prefix {
    /// Of a site.
    pub fn new(program: &Program, site: &Split) -> Prefix {
        let scope = Scope::of(program, &site.component);
        let (moving, staying) = (site.moving(&scope), site.staying(&scope));
        let supply = Supply::new(&scope, &moving, &staying);
        // Of relations, only handles are filled in front. One that nothing fills goes with whoever reads it, as a window does with its floor.
        let is_channel = |name: &str| program.channel(name).is_some();
        let is_handed_on = |atom: &&Atom| {
            site.handles.contains(&atom.relation) || is_channel(&atom.relation) && supply.is_forwarded(atom)
        };
        let read: Vec<&Atom> = moving.iter().flat_map(|rule| scope.literals(rule)).filter(is_handed_on).collect();
        let mut doors: Vec<Door> = Vec::new();
        for atom in &read {
            if doors.iter().any(|door| door.relation() == &atom.relation) {
                continue;
            }
            let readers = read.iter().copied().filter(|other| other.relation == atom.relation);
            let sender = Sender::asked_by(readers);
            let is_taken = |name: &str| is_used(program, name) || doors.iter().any(|door| door.channel == name);
            let channel = fresh(&format!("{}_to_{}", atom.relation, site.into), is_taken);
            doors.push(Door { forward: forward_whole(&scope, atom, sender), channel });
        }
        let taken = staying.iter().flat_map(|rule| scope.literals(rule)).map(|atom| &atom.relation);
        let taken = taken.chain(doors.iter().map(Door::relation)).filter(|name| is_channel(name));
        let inputs = taken.cloned().collect();
        let rules = staying.into_iter().cloned().collect();
        Prefix { inputs, doors, rules, params: program.params.clone() }
    }

    /// The channels between the two components.
    pub fn channels(&self) -> BTreeSet<Name> {
        self.doors.iter().map(|door| door.channel.clone()).collect()
    }

    /// What the first component makes of a message.
    pub fn made_of(&self, message: &Message) -> Option<Message> {
        let as_it_is = self.doors.iter().find(|door| *door.relation() == message.channel);
        let whole = || as_it_is.map(|door| (door, message.args.clone()));
        let (door, fields) = whole().or_else(|| {
            self.rules.iter().find_map(|rule| {
                let fields = derive(rule, message, &self.params)?;
                Some((self.doors.iter().find(|door| *door.relation() == rule.head.relation)?, fields))
            })
        })?;
        let tells_sender = tells_sender(&door.forward.literal);
        if door.forward.literal.from.is_some() && !tells_sender && message.from != message.to {
            return None;
        }
        let sender = tells_sender.then_some(Value::Node(message.from));
        let args = sender.into_iter().chain(fields).collect();
        Some(Message { channel: door.channel.clone(), from: message.to, to: message.to, args })
    }

    /// The program with forwarding rules, all still in the one component, and the positions of the rules to move.
    pub fn cut(&self, program: &Program, site: &Split) -> (Program, BTreeSet<usize>) {
        let scope = Scope::of(program, &site.component);
        let stays = scope.rules().filter(|(index, _)| !site.moved.contains(index));
        let mut rules: Vec<Rule> = stays.map(|(_, rule)| rule.clone()).collect();
        rules.extend(self.doors.iter().map(Door::rule));
        let first_moved = rules.len();
        rules.extend(site.moved.iter().map(|index| self.behind(scope.rule(*index))));
        let moved = (first_moved..rules.len()).collect();
        let mut cut = program.clone();
        for door in &self.doors {
            let mut channel = inner_channel(&door.channel, door.forward.columns.clone(), &site.component);
            // What comes one by one is handed on one by one.
            channel.serial = self.sources(door).any(|source| program.channel(source).is_some_and(|found| found.serial));
            cut.channels.push(channel);
        }
        let component = cut.components.iter_mut().find(|component| component.name == site.component);
        component.expect("the component of a site is in its program").rules = rules;
        (cut, moved)
    }

    /// The names that a door's facts come from: its own, and what the rules for it read.
    fn sources<'a>(&'a self, door: &'a Door) -> impl Iterator<Item = &'a Name> {
        let rules = self.rules.iter().filter(|rule| rule.head.relation == *door.relation());
        let read = rules.flat_map(|rule| rule.body.iter().filter_map(Literal::as_atom)).map(|atom| &atom.relation);
        read.chain([door.relation()])
    }

    /// A moved rule that reads what is handed on.
    fn behind(&self, original: &Rule) -> Rule {
        let mut rule = original.clone();
        for literal in &mut rule.body {
            let Literal::Atom(atom) = literal else { continue };
            if let Some(door) = self.doors.iter().find(|door| *door.relation() == atom.relation) {
                *atom = door.read_by(atom);
            }
        }
        rule
    }
}

impl Door {
    fn relation(&self) -> &Name {
        &self.forward.literal.relation
    }

    fn rule(&self) -> Rule {
        let columns = self.forward.columns.iter().map(|column| variable(column.name.clone())).collect();
        rule(&self.channel, plain(columns), RuleKind::Async, vec![Literal::Atom(self.forward.literal.clone())])
    }

    fn read_by(&self, atom: &Atom) -> Atom {
        let args = args_of_whole(&self.forward.literal, atom);
        Atom { new: false, relation: self.channel.clone(), args, from: None, ..atom.clone() }
    }
}
