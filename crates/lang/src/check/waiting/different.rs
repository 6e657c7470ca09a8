//! Whether a rule asks for more different nodes than answer: `voted(id, a), voted(id, b), a < b` asks for two.

use std::collections::BTreeSet;

use super::scope::Scope;
use super::{Counted, Wait};
use crate::ir::{Comparison, Literal, Name};
use crate::source::Span;

/// With more nodes than this nobody joins them; more are not looked at.
const MOST: usize = 12;

/// What a rule waits for that names so many nodes which have said something, all of them different.
pub(super) fn different<'p>(scope: &Scope<'_, 'p>) -> Option<Wait<'p>> {
    let speakers = scope.silent_speakers();
    speakers.iter().find_map(|(_, role)| {
        let of_role = speakers.iter().filter(|(_, other)| other.name == role.name);
        let names: Vec<&Name> = of_role.map(|(name, _)| *name).take(MOST).collect();
        let (pairs, at) = pairs(scope, &names)?;
        let needed = largest(&pairs, &(0..names.len()).collect::<Vec<usize>>());
        let counted = Counted { role, span: at, is_number: true };
        let answering = scope.flow.speakers(role, counted);
        let needed = i64::try_from(needed).unwrap_or(i64::MAX);
        (needed > answering.high).then_some(Wait { counted: Some(counted), needed, at })
    })
}

/// The pairs of these variables, by their positions, that have to be different, the smaller position first; and where that is said last.
fn pairs(scope: &Scope<'_, '_>, names: &[&Name]) -> Option<(BTreeSet<(usize, usize)>, Span)> {
    let (mut less, mut unequal, mut last) = (BTreeSet::new(), BTreeSet::new(), None);
    for literal in &scope.rule.body {
        let Literal::Compare { op, left, right, span } = literal else { continue };
        let position = |name: Option<&Name>| names.iter().position(|known| Some(*known) == name);
        let (Some(a), Some(b)) = (position(left.as_variable()), position(right.as_variable())) else { continue };
        match op {
            Comparison::Less => less.insert((a, b)),
            Comparison::Greater => less.insert((b, a)),
            Comparison::NotEqual => unequal.insert((a, b)),
            Comparison::Equal | Comparison::LessEqual | Comparison::GreaterEqual => continue,
        };
        last = Some(*span);
    }
    // What is less than something less is different, too.
    for middle in 0..names.len() {
        let below: Vec<usize> = less.iter().filter(|(_, b)| *b == middle).map(|(a, _)| *a).collect();
        let above: Vec<usize> = less.iter().filter(|(a, _)| *a == middle).map(|(_, b)| *b).collect();
        less.extend(below.iter().flat_map(|a| above.iter().map(|b| (*a, *b))));
    }
    let sorted = less.into_iter().chain(unequal).map(|(a, b)| (a.min(b), a.max(b)));
    Some((sorted.collect(), last?))
}

/// How many of these, in ascending order, are pairwise different.
fn largest(pairs: &BTreeSet<(usize, usize)>, among: &[usize]) -> usize {
    let with = |position: usize| {
        let others = among[position + 1..].iter().filter(|other| pairs.contains(&(among[position], **other)));
        1 + largest(pairs, &others.copied().collect::<Vec<usize>>())
    };
    (0..among.len()).map(with).max().unwrap_or(0)
}
