//! Moved rules read copies of the state that stays: every fact of it is sent on when it begins to hold, and kept; or, where it passes, kept
//! until all facts of its [life](super::lives) have come and gone. What moved rules conclude from these has the number of the life as well. In
//! the same way rules that stay read copies of the state that moves, where they may.
//!
//! All still happens in one component; after what else moved rules read was [cut](super::cut) and all was [separated](super::separate), the
//! copies get the names of what they are copies of, so that rules read as before.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{
    Column, Component, Expr, HeadArg, Literal, Name, Policy, Program, RelationKind, Rule, RuleKind, Storage,
};

use super::Split;
use super::cut::{Forwards, cut, find_forwards};
use super::lives::{Lives, Passer};
use super::separate::separate;
use crate::analysis::forwards::{Forward, Sender, forward_whole};
use crate::analysis::passing::{Passing, deletions, key_of};
use crate::analysis::persisted::Persisted;
use crate::analysis::scope::{Reads, Scope, fills};
use crate::edit::{atom, fresh, inner_channel, is_used, plain, rule, table, variable};

/// A copy of a table or view that stays.
#[derive(Clone, Debug)]
struct Copy {
    relation: Name,
    /// Its name as long as both are in one component.
    copy: Name,
    channel: Name,
    forward: Forward,
    /// How a copy keeps facts: all, or the greatest of a key if the table does.
    storage: Storage,
    /// Of a table that passes; of several windows above one floor, the first has those of all.
    lives: Option<Lives>,
}

/// All that is sent on to moved rules, and to those that stay.
#[derive(Clone, Debug)]
pub struct Copies {
    /// With the component that has them in the end.
    copies: Vec<(Name, Copy)>,
    /// The program with copies, all still in one component, and the site there.
    program: Program,
    site: Split,
    /// Events, which are forwarded as they come.
    forwards: Forwards,
}

impl Copies {
    /// For the rules of a site that move.
    pub fn new(program: &Program, site: &Split) -> Copies {
        let copies = find_copies(program, site, &|_| true);
        let (program, site) = with_copies(program, site, &copies);
        Copies::with_forwards(program, site, copies, Vec::new())
    }

    /// For the rules of a site that move, and for what the others read of these.
    pub fn of_both(program: &Program, site: &Split) -> Copies {
        let copies = find_copies(program, site, &|_| true);
        let (program, site) = with_copies(program, site, &copies);
        let scope = Scope::of(&program, &site.component);
        let filled: BTreeSet<&str> = site.moving(&scope).into_iter().filter_map(fills).collect();
        let others = |site: &Split, scope: &Scope<'_>| {
            let stays = |(index, rule): &(usize, &Rule)| !site.moved.contains(index) && !scope.derives_constant(rule);
            scope.rules().filter(stays).map(|(index, _)| index).collect()
        };
        let back = Split { into: site.component.clone(), moved: others(&site, &scope), ..site.clone() };
        let copies_back = find_copies(&program, &back, &|name| filled.contains(name));
        let (program, back) = with_copies(&program, &back, &copies_back);
        let moved = others(&back, &Scope::of(&program, &site.component));
        Copies::with_forwards(program, Split { moved, ..site }, copies, copies_back)
    }

    fn with_forwards(program: Program, site: Split, copies: Vec<Copy>, copies_back: Vec<Copy>) -> Copies {
        let forwards = find_forwards(&program, &site);
        let there = copies.into_iter().map(|copy| (site.into.clone(), copy));
        let here = copies_back.into_iter().map(|copy| (site.component.clone(), copy));
        Copies { copies: there.chain(here).collect(), program, site, forwards }
    }

    /// The channels between the two components.
    pub fn channels(&self) -> BTreeSet<Name> {
        let forwards = self.forwards.iter().map(|(channel, _)| channel);
        let copies = || self.copies.iter().map(|(_, copy)| copy);
        let gone = copies().filter_map(|copy| copy.lives.as_ref()).map(Lives::channel);
        copies().map(|copy| &copy.channel).chain(gone).chain(forwards).cloned().collect()
    }

    /// The program with the new component.
    pub fn separated(&self) -> Program {
        let (cut, moved) = cut(&self.program, &self.site, &self.forwards);
        let mut separated = separate(&cut, &self.site.component, &self.site.into, &moved);
        for (reader, copy) in &self.copies {
            let component = separated.components.iter_mut().find(|component| component.name == *reader);
            let component = component.expect("both components are in the program");
            let rename = |name: &mut Name| {
                if *name == copy.copy {
                    *name = copy.relation.clone();
                }
            };
            component.relations.iter_mut().for_each(|relation| rename(&mut relation.name));
            for rule in &mut component.rules {
                rename(&mut rule.head.relation);
                for literal in &mut rule.body {
                    if let Literal::Atom(atom) = literal {
                        rename(&mut atom.relation);
                    }
                }
            }
        }
        separated
    }
}

/// The tables that pass, of what moved rules read and other rules fill.
pub fn passing<'a>(scope: &Scope<'a>, moving: &[&'a Rule]) -> Passing<'a> {
    let persisted = Persisted::new(scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let read = moving.iter().flat_map(|rule| scope.literals(rule)).map(|atom| atom.relation.as_str());
    let read = read.filter(|name| !filled.contains(name) && !persisted.lasts(name));
    let keys = read.filter_map(|name| Some((name, key_of(scope, name)?))).collect();
    Passing::new(moving, scope, keys)
}

/// The copies for moved rules, of relations that others fill and that shall have one.
fn find_copies(program: &Program, site: &Split, has_copy: &dyn Fn(&str) -> bool) -> Vec<Copy> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let mut copies: Vec<Copy> = Vec::new();
    let mut taken = BTreeSet::from([site.into.clone()]);
    for read in moving.iter().flat_map(|rule| scope.literals(rule)) {
        let is_state = matches!(scope.reads_name(&read.relation), Reads::Own(RelationKind::Table | RelationKind::View));
        let is_known = copies.iter().any(|copy| copy.relation == read.relation);
        if !is_state || is_known || filled.contains(read.relation.as_str()) || !has_copy(&read.relation) {
            continue;
        }
        let relation = read.relation.clone();
        let mut forward = forward_whole(&scope, read, Sender::Any);
        forward.literal.new = true;
        let channel = unused(program, &mut taken, &format!("{relation}_to_{}", site.into));
        let copy = unused(program, &mut taken, &format!("{relation}_in_{}", site.into));
        let key = scope.storage(&relation).and_then(|storage| storage.key).filter(|key| key.policy == Policy::Max);
        let storage = Storage { key, ..Storage::default() };
        copies.push(Copy { relation, copy, channel, forward, storage, lives: None });
    }
    taken.extend(copies.iter().flat_map(|copy| &copy.forward.columns).map(|column| column.name.clone()));
    add_lives(&mut copies, &scope, site, |base| unused(program, &mut taken, &base));
    copies
}

/// A name that is neither in the program nor taken, which it is then.
fn unused(program: &Program, taken: &mut BTreeSet<Name>, base: &str) -> Name {
    let name = fresh(base, |name| is_used(program, name) || taken.contains(name));
    taken.insert(name.clone());
    name
}

/// Adds to the copies of what passes how they are forgotten.
fn add_lives(copies: &mut [Copy], scope: &Scope<'_>, site: &Split, mut named: impl FnMut(String) -> Name) {
    let moving = site.moving(scope);
    let passing = passing(scope, &moving);
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for position in 0..copies.len() {
        let Some((table, key)) = passing.tables().get_key_value(&*copies[position].relation) else { continue };
        let together = passing.together(table);
        if !done.insert(together[0]) {
            continue;
        }
        let is_passer = |copy: &&Copy| together.contains(&&*copy.relation);
        let passer = |copy: &Copy| {
            let (relation, copied) = (copy.relation.clone(), copy.copy.clone());
            Passer { relation, copy: copied, columns: copy.forward.columns.clone() }
        };
        let tables = copies.iter().filter(is_passer).map(passer).collect();
        let deletions = deletions(scope, table).cloned().collect();
        copies[position].lives = Some(Lives::new(tables, key.clone(), deletions, &site.into, &mut named));
    }
}

/// The program with rules that fill copies, and moved rules that read them.
fn with_copies(program: &Program, site: &Split, copies: &[Copy]) -> (Program, Split) {
    let scope = Scope::of(program, &site.component);
    let with_lives = relations_with_lives(&scope, site, copies);
    let (mut program, mut site) = (program.clone(), site.clone());
    let component = program.components.iter_mut().find(|component| component.name == site.component);
    let component = component.expect("the component of a site is in its program");
    for index in &site.moved {
        read_copies(&mut component.rules[*index], copies, &with_lives);
    }
    for relation in &mut component.relations {
        if relation.kind == RelationKind::View
            && let Some(lives) = with_lives.get(&relation.name)
        {
            relation.columns.splice(0..0, lives.column());
        }
    }
    for copy in copies {
        copy.add_to(component, &mut site.moved);
    }
    let channels = copies.iter().flat_map(|copy| {
        let gone = copy.lives.iter().map(|lives| lives.declaration(&site.component));
        [inner_channel(&copy.channel, copy.columns(), &site.component)].into_iter().chain(gone)
    });
    program.channels.extend(channels);
    (program, site)
}

/// The tables and views of which facts have the number of a life.
fn relations_with_lives<'c>(scope: &Scope<'_>, site: &Split, copies: &'c [Copy]) -> BTreeMap<Name, &'c Lives> {
    let moving = site.moving(scope);
    let passing = passing(scope, &moving);
    let names = scope.component.relations.iter().map(|relation| relation.name.clone());
    let lives = |name: &Name| {
        let table = passing.carrier(name)?.table;
        copies.iter().find(|copy| copy.relation == table)?.lives.as_ref()
    };
    names.filter_map(|name| Some((name.clone(), lives(&name)?))).collect()
}

/// A moved rule that reads copies, and is about one life where what it reads has lives.
fn read_copies(rule: &mut Rule, copies: &[Copy], with_lives: &BTreeMap<Name, &Lives>) {
    let life = |name: &Name| with_lives.get(name).and_then(|lives| lives.life());
    if rule.kind != RuleKind::Async
        && let Some(life) = life(&rule.head.relation)
    {
        rule.head.args.insert(0, HeadArg::Expr(life));
    }
    for literal in &mut rule.body {
        let Literal::Atom(atom) = literal else { continue };
        atom.args.splice(0..0, life(&atom.relation));
        if let Some(copy) = copies.iter().find(|copy| copy.relation == atom.relation) {
            atom.relation = copy.copy.clone();
        }
    }
}

impl Copy {
    /// The columns of what is sent, and of the copy.
    fn columns(&self) -> Vec<Column> {
        let life = self.lives.iter().filter_map(Lives::column);
        life.chain(self.forward.columns.iter().cloned()).collect()
    }

    fn values(&self) -> Vec<Expr> {
        self.columns().into_iter().map(|column| variable(column.name)).collect()
    }

    /// Adds what sends the facts on, which stays, and what keeps them, which moves.
    fn add_to(&self, component: &mut Component, moved: &mut BTreeSet<usize>) {
        let life = self.lives.as_ref().and_then(Lives::literal);
        let body = [Literal::Atom(self.forward.literal.clone())].into_iter().chain(life).collect();
        component.rules.push(rule(&self.channel, plain(self.values()), RuleKind::Async, body));
        let told = Literal::Atom(atom(&self.channel, self.values()));
        let mut keeping = vec![rule(&self.copy, plain(self.values()), RuleKind::Now, vec![told])];
        component.relations.push(table(&self.copy, self.columns(), self.storage.clone()));
        if let Some(lives) = &self.lives {
            component.rules.extend(lives.sender_rules());
            component.relations.extend(lives.tables());
            keeping.extend(lives.receiver_rules());
        }
        moved.extend((component.rules.len()..).take(keeping.len()));
        component.rules.extend(keeping);
    }
}
