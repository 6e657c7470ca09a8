//! Sender verification: behind every rewrite of a program with liars, what the machines of a node tell each other is believed of the node itself alone.
//!
//! A channel that a rewrite makes is between machines of one logical node. But all nodes of the role have it, so one of them that is Byzantine
//! may send on it to another, and what arrives would be taken for what that node has told itself. `from` is authentic; so every rule
//! that reads such a channel reads it `from me`. That is text like any other: printed, checked, seen by all analyses, and kept by later rewrites.
//!
//! Other channels need nothing. What goes between nodes went there before; whoever may lie on it now, could lie on it in the original. (That a
//! message is taken by the partition that it is for, and by no other one, is for all receivers to see to, [always](menard_lang::ir::Channel::by).) Timers are the node's own.
//!
//! *Source.* "Bigger, not Badder: Safely Scaling BFT Protocols" (PaPoC 2024), sender verification. That it is a literal, and not a signature in each message, is ours.

use std::collections::BTreeSet;

use menard_lang::diagnostic::Diagnostics;
use menard_lang::ir::{Channel, ExprKind, Literal, Name, Program};
use menard_lang::source::Source;

use crate::analysis::fault_model::declares_liars;
use crate::edit::expr;

/// The channels of the rewritten program that only exist between machines of one node, and on which a liar could send: those that the original does not have.
pub fn unverified(original: &Program, rewritten: &Program) -> BTreeSet<Name> {
    let is_new = |channel: &&Channel| original.channel(&channel.name).is_none() && channel.delay.is_none();
    let lies = |channel: &&Channel| {
        let role = rewritten.role_of_endpoint(&channel.sender);
        role.is_some_and(|role| declares_liars(rewritten, &role.name))
    };
    let channels = rewritten.channels.iter().filter(is_new).filter(lies);
    channels.map(|channel| channel.name.clone()).collect()
}

/// The rewritten program, in which these channels are read `from me`.
pub fn verify(mut rewritten: Program, channels: &BTreeSet<Name>) -> Program {
    let rules = rewritten.components.iter_mut().flat_map(|component| &mut component.rules);
    for literal in rules.flat_map(|rule| &mut rule.body) {
        let Literal::Atom(atom) = literal else { continue };
        if channels.contains(&atom.relation) {
            assert!(atom.from.is_none(), "no rule asks who sent what machines of one node tell each other");
            atom.from = Some(expr(ExprKind::Me));
        }
    }
    rewritten
}

/// The program in which rules believe anybody on these channels: for studies, to show what verification is good for. Printed and checked anew.
///
/// # Errors
/// If the checker does not take the result.
pub fn leave_out(mut program: Program, channels: &BTreeSet<Name>) -> Result<Program, Diagnostics> {
    let rules = program.components.iter_mut().flat_map(|component| &mut component.rules);
    for literal in rules.flat_map(|rule| &mut rule.body) {
        let Literal::Atom(atom) = literal else { continue };
        if channels.contains(&atom.relation) {
            atom.from = None;
        }
    }
    let source = Source::new(program.source.name.clone(), menard_lang::print(&program));
    menard_lang::compile(&source, &[]).map(|compiled| compiled.program)
}
