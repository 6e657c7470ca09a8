//! Cuts rules from what they read, inside of one component: what does not come by itself is forwarded over a channel (pass N3 of the
//! calculus). After that the rules share nothing with the rest, and can be [separated](super::separate).

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, ExprKind, Head, HeadArg, Literal, Name, Program, Rule, RuleKind};
use menard_lang::source::Span;

use super::Split;
use crate::analysis::forwards::{Forward, Supply, forward, same_pattern};
use crate::analysis::scope::{Reads, Scope};
use crate::edit::{expr, fresh, inner_channel, is_used, variable};

/// What is forwarded, each with the name of its channel.
pub type Forwards = Vec<(Name, Forward)>;

/// All that is forwarded, each with the name of its channel; literals with the same pattern share one.
pub fn find_forwards(program: &Program, site: &Split) -> Forwards {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let mut forwards: Forwards = Vec::new();
    for rule in &moving {
        for atom in supply.forwarded(rule) {
            let found = forward(&scope, rule, atom);
            if !forwards.iter().any(|(_, known)| same_pattern(known, &found)) {
                let base = format!("{}_to_{}", atom.relation, site.into);
                let is_taken = |name: &str| is_used(program, name) || forwards.iter().any(|(known, _)| known == name);
                forwards.push((fresh(&base, is_taken), found));
            }
        }
    }
    forwards
}

/// The program with the forwarding channels and rules, all still in the one component, and the positions of the rules to move.
pub fn cut(program: &Program, site: &Split, forwards: &Forwards) -> (Program, BTreeSet<usize>) {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let mut rules = Vec::new();
    let mut moved = BTreeSet::new();
    let mut written: BTreeSet<&str> = BTreeSet::new();
    for (index, original) in scope.rules() {
        let mut rule = original.clone();
        if site.moved.contains(&index) {
            for literal in &mut rule.body {
                let Literal::Atom(atom) = literal else { continue };
                if matches!(scope.reads(atom), Reads::Channel | Reads::Own(_)) && supply.is_forwarded(atom) {
                    let own = forward(&scope, original, atom);
                    let shared = forwards.iter().find(|(_, known)| same_pattern(known, &own));
                    let (channel, shared) = shared.expect("every forwarded literal was found");
                    if written.insert(channel) {
                        rules.push(forwarding_rule(channel, shared));
                    }
                    *atom = Atom { new: false, relation: channel.clone(), args: own.args, from: None, ..atom.clone() };
                }
            }
            moved.insert(rules.len());
        }
        rules.push(rule);
    }
    let mut cut = program.clone();
    cut.channels
        .extend(forwards.iter().map(|(name, forward)| inner_channel(name, forward.columns.clone(), &site.component)));
    let component = cut.components.iter_mut().find(|component| component.name == site.component);
    component.expect("the component of a site is in its program").rules = rules;
    (cut, moved)
}

fn forwarding_rule(channel: &Name, forward: &Forward) -> Rule {
    let args = forward.columns.iter().map(|column| HeadArg::Expr(variable(column.name.clone()))).collect();
    let span = Span::default();
    Rule {
        delete: false,
        head: Head { relation: channel.clone(), args, at: Some(expr(ExprKind::Me)), span },
        kind: RuleKind::Async,
        body: vec![Literal::Atom(forward.literal.clone())],
        variables: forward.columns.iter().map(|column| (column.name.clone(), column.ty)).collect(),
        span,
    }
}
