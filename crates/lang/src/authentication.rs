//! What the MACs of messages cover, and what receivers have to check because of that.
//!
//! Whoever is on the wire may change columns of a message that its MAC does not cover. That has no effect if every rule that reads the message takes
//! it with one value only for these columns, which follows from those that are covered: the message is then the one that was
//! sent, or nothing comes of it. The receiver's checks say so: `d == hash(cmd)`, in a rule that knows `d`, is of one `cmd` alone.

use std::collections::BTreeSet;

use crate::determined::{close, invert, is_known};
use crate::ir::{Atom, Channel, Name, Program, Rule};
use crate::source::Span;

impl Channel {
    /// The positions of the columns that the MAC does not cover.
    pub fn uncovered(&self) -> Vec<usize> {
        let is_covered = |name: &Name| self.authenticated.is_empty() || self.authenticated.contains(name);
        (0..self.columns.len()).filter(|column| !is_covered(&self.columns[*column].name)).collect()
    }
}

/// A rule that takes a message whatever is in a column that the MAC does not cover.
#[derive(Clone, PartialEq, Debug)]
pub struct Unchecked {
    /// The column.
    pub column: usize,
    /// Where the rule reads it.
    pub span: Span,
    /// Where the rule reads the message.
    pub atom: Span,
    /// Whether the rule asks that there is no such message.
    pub negated: bool,
}

/// Where a program reads a channel and does not check what these columns are; not all other columns are known to be as they were sent.
pub fn unchecked(program: &Program, channel: &Channel, uncovered: &[usize]) -> Vec<Unchecked> {
    let rules = program.components.iter().flat_map(|component| &component.rules);
    let atoms = rules.flat_map(|rule| rule.atoms().map(move |atom| (rule, atom)));
    let readers = atoms.filter(|(_, atom)| atom.relation == channel.name);
    readers.flat_map(|(rule, atom)| unchecked_by(rule, atom, uncovered)).collect()
}

/// The uncovered columns of a message that a rule reads, and whose values do not follow from those of the others.
pub fn unchecked_by(rule: &Rule, atom: &Atom, uncovered: &[usize]) -> Vec<Unchecked> {
    let mut known = BTreeSet::new();
    for end in atom.from.iter().chain(&atom.to) {
        invert(end, &mut known);
    }
    for (column, arg) in atom.args.iter().enumerate() {
        if !uncovered.contains(&column) {
            invert(arg, &mut known);
        }
    }
    close(rule, &mut known);
    let negated = atom.negated;
    let follows = |column: usize| !negated && atom.args.get(column).is_some_and(|arg| is_known(arg, &known));
    let unchecked = |column: usize| {
        let span = atom.args.get(column).map_or(atom.span, |arg| arg.span);
        Unchecked { column, span, atom: atom.span, negated }
    };
    uncovered.iter().filter(|column| !follows(**column)).map(|column| unchecked(*column)).collect()
}
