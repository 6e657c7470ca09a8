//! Moved rules read copies of the state that stays: every fact of it is sent on when it begins to hold, and kept.
//!
//! All still happens in one component; after what else moved rules read was [cut](super::cut) and all was [separated](super::separate), the
//! copies get the names of what they are copies of, so that moved rules read as before.

use std::collections::BTreeSet;

use menard_lang::ir::{Literal, Name, Program, RelationKind, Rule, RuleKind, Storage};

use super::Split;
use super::cut::{Forwards, cut, find_forwards};
use super::separate::separate;
use crate::analysis::forwards::{Forward, forward_whole};
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
}

/// All that is sent on to moved rules.
#[derive(Clone, Debug)]
pub struct Copies {
    copies: Vec<Copy>,
    /// The program with copies, all still in one component, and the site there.
    program: Program,
    site: Split,
    /// Events, which are forwarded as they come.
    forwards: Forwards,
}

impl Copies {
    /// For the rules of a site that move.
    pub fn new(program: &Program, site: &Split) -> Copies {
        let copies = find_copies(program, site);
        let (program, site) = with_copies(program, site, &copies);
        let forwards = find_forwards(&program, &site);
        Copies { copies, program, site, forwards }
    }

    /// The channels between the two components.
    pub fn channels(&self) -> BTreeSet<Name> {
        let forwards = self.forwards.iter().map(|(channel, _)| channel);
        self.copies.iter().map(|copy| &copy.channel).chain(forwards).cloned().collect()
    }

    /// The program with the new component.
    pub fn separated(&self) -> Program {
        let (cut, moved) = cut(&self.program, &self.site, &self.forwards);
        let mut separated = separate(&cut, &self.site.component, &self.site.into, &moved);
        let component = separated.components.iter_mut().find(|component| component.name == self.site.into);
        let component = component.expect("the new component is in the program");
        for copy in &self.copies {
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

fn find_copies(program: &Program, site: &Split) -> Vec<Copy> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let mut copies: Vec<Copy> = Vec::new();
    for read in moving.iter().flat_map(|rule| scope.literals(rule)) {
        let is_state = matches!(scope.reads_name(&read.relation), Reads::Own(RelationKind::Table | RelationKind::View));
        let is_known = copies.iter().any(|copy| copy.relation == read.relation);
        if !is_state || is_known || filled.contains(read.relation.as_str()) {
            continue;
        }
        let relation = read.relation.clone();
        let is_taken = |name: &str| is_used(program, name) || name == site.into;
        let named = |base: String| fresh(&base, |name| is_taken(name));
        let channel = named(format!("{relation}_to_{}", site.into));
        let copy = named(format!("{relation}_in_{}", site.into));
        let mut forward = forward_whole(&scope, read, false);
        forward.literal.new = true;
        copies.push(Copy { relation, copy, channel, forward });
    }
    copies
}

/// The program with rules that fill copies, and moved rules that read them.
fn with_copies(program: &Program, site: &Split, copies: &[Copy]) -> (Program, Split) {
    let (mut program, mut site) = (program.clone(), site.clone());
    let component = program.components.iter_mut().find(|component| component.name == site.component);
    let component = component.expect("the component of a site is in its program");
    for index in &site.moved {
        for literal in &mut component.rules[*index].body {
            let Literal::Atom(atom) = literal else { continue };
            if let Some(copy) = copies.iter().find(|copy| copy.relation == atom.relation) {
                atom.relation = copy.copy.clone();
            }
        }
    }
    for copy in copies {
        let columns = || copy.forward.columns.iter().map(|column| variable(column.name.clone())).collect::<Vec<_>>();
        component.rules.push(forwarding(copy, columns()));
        site.moved.insert(component.rules.len());
        let told = Literal::Atom(atom(&copy.channel, columns()));
        component.rules.push(rule(&copy.copy, plain(columns()), RuleKind::Now, vec![told]));
        component.relations.push(table(&copy.copy, copy.forward.columns.clone(), Storage::default()));
    }
    let channels =
        copies.iter().map(|copy| inner_channel(&copy.channel, copy.forward.columns.clone(), &site.component));
    program.channels.extend(channels);
    (program, site)
}

fn forwarding(copy: &Copy, columns: Vec<menard_lang::ir::Expr>) -> Rule {
    rule(&copy.channel, plain(columns), RuleKind::Async, vec![Literal::Atom(copy.forward.literal.clone())])
}
