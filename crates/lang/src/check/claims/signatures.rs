//! A message with a signature or a MAC is believed for that, so somebody has to verify it. What is said here of signatures holds of both.
//!
//! A signature that a suspect's message brings is *pending* in its column. A rule may verify it; or hand it on, into a column of its head, where it is pending
//! again, perhaps in a message, perhaps in a list. Storing first and verifying later is fine. A rule that does neither, and takes
//! something else from the literal, believes what nobody has vouched for. It is a least fixpoint.
//!
//! What a rule that verifies has derived vouches for its variables: a rule may read the message once more beside it. What is only absent, or
//! only deleted from where it is kept, is not believed.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Type;

use super::super::settle::settle;
use super::places::Place;
use super::reader::{Reader, Source};
use super::{Entry, Key, MAC, SIGNATURE, World, coverage, is_only_absent};
use crate::diagnostic::Code;
use crate::ir::{Atom, Component, Name, Rule};
use crate::sink::Sink;
use crate::source::Span;

/// A pending signature in a column of a relation.
#[derive(Clone)]
pub(super) struct Pending<'p> {
    pub entry: Entry<'p>,
    /// The columns that came with it.
    pub claims: BTreeSet<usize>,
    pub sender: Sender,
}

/// The column that has the sender of the message that brought a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Column(usize),
    Unknown,
}

/// The pending signatures of a program.
pub(super) struct Flow<'p> {
    pub world: &'p World<'p>,
    pending: BTreeMap<Key<'p>, BTreeMap<usize, Pending<'p>>>,
}

pub(super) fn warn(world: &World<'_>, sink: &mut Sink) {
    let mut flow = Flow { world, pending: BTreeMap::new() };
    settle(world.program, |component, rule| flow.follow(component, rule));
    let (verified, vouching) = (flow.verified(), flow.vouching());
    let mut found: BTreeMap<(Key<'_>, usize), Unverified<'_>> = BTreeMap::new();
    for (component, rule) in world.rules().filter(|(component, rule)| !is_only_absent(component, rule)) {
        let reader = flow.reader(component, rule);
        for atom in rule.positive_atoms().filter(|atom| !(rule.delete && atom.relation == rule.head.relation)) {
            if let Some(source) = reader.believed(flow.sources(component, atom), atom, &verified, &vouching) {
                let ty = world.program.column_type(component, &atom.relation, source.column);
                let is_signed = ty.is_none_or(|ty| ty.contains(|part| part == Type::Signature));
                let what = if is_signed { SIGNATURE } else { MAC };
                let fresh = || Unverified { what, entry: source.entry, readers: Vec::new() };
                found.entry((source.key, source.column)).or_insert_with(fresh).readers.push(atom.span);
            }
        }
    }
    for unverified in found.values() {
        report(world, unverified, sink);
    }
    coverage::warn(&flow, sink);
}

/// A signature that rules believe though nobody has verified it.
struct Unverified<'p> {
    /// As people call it.
    what: &'static str,
    entry: Entry<'p>,
    readers: Vec<Span>,
}

fn report(world: &World<'_>, unverified: &Unverified<'_>, sink: &mut Sink) {
    let Unverified { what, entry, readers } = unverified;
    let (name, sender) = (&entry.channel.name, world.sender(entry.channel));
    let call = if *what == SIGNATURE { "verify(signature, signer, ...)" } else { "verify_mac(mac, sender, me, ...)" };
    let message = format!("a {what} of `{name}` is not verified before the message is used");
    let others = match readers.len() - 1 {
        0 => String::new(),
        1 => ", and in another place".to_owned(),
        others => format!(", and in {others} other places"),
    };
    let diagnostic = sink.start_warning(Code::E0623, message);
    let diagnostic = diagnostic.label(readers[0], format!("used here without looking at the {what}{others}"));
    let is_here = readers[0].start <= entry.span.start && entry.span.end <= readers[0].end;
    let (place, who) = if is_here {
        (entry.channel.span, format!("sent by a `{sender}` that may lie"))
    } else {
        (entry.span, format!("comes in here, from a `{sender}` that may lie"))
    };
    let help = format!("verify it, `{call}`, in this rule or in the one that it comes from");
    sink.push(diagnostic.label(place, who).help(help));
}

impl<'p> Flow<'p> {
    /// The pending signatures that a literal reads.
    pub fn sources(&self, component: &'p Component, atom: &'p Atom) -> Vec<Source<'p>> {
        let key = self.world.key(component, &atom.relation);
        if let Some(channel) =
            self.world.program.channel(&atom.relation).filter(|found| self.world.is_suspect(found, atom))
        {
            let columns = 0..channel.columns.len();
            let signed = columns.clone().filter(|column| carries_signature(channel.columns[*column].ty));
            let source = |column: usize| Source {
                key,
                column,
                entry: Entry { channel, span: atom.args[column].span },
                claims: columns.clone().filter(|other| *other != column).collect(),
                sender: atom.from.as_ref().and_then(Place::of),
            };
            return signed.map(source).collect();
        }
        let pending = self.pending.get(&key).into_iter().flatten();
        let source = |(column, pending): (&usize, &Pending<'p>)| Source {
            key,
            column: *column,
            entry: pending.entry,
            claims: pending.claims.clone(),
            sender: match pending.sender {
                Sender::Column(column) => Place::of(&atom.args[column]),
                Sender::Unknown => None,
            },
        };
        pending.map(source).collect()
    }

    pub fn reader(&self, component: &'p Component, rule: &'p Rule) -> Reader<'p> {
        Reader::new(self.world, component, rule)
    }

    /// Takes note of what a rule hands on; whether there is news.
    fn follow(&mut self, component: &'p Component, rule: &'p Rule) -> bool {
        let reader = self.reader(component, rule);
        let mut changed = false;
        for atom in rule.positive_atoms() {
            for source in self.sources(component, atom) {
                if reader.is_verified(atom, &source) {
                    continue;
                }
                for column in reader.handed_on(atom, &source) {
                    let pending = reader.pending(atom, &source, column);
                    changed |= self.add(self.world.key(component, &rule.head.relation), column, pending);
                }
            }
        }
        changed
    }

    fn add(&mut self, key: Key<'p>, column: usize, pending: Pending<'p>) -> bool {
        let columns = self.pending.entry(key).or_default();
        let Some(known) = columns.get_mut(&column) else {
            columns.insert(column, pending);
            return true;
        };
        let before = (known.claims.len(), known.sender);
        known.claims.extend(pending.claims);
        if known.sender != pending.sender {
            known.sender = Sender::Unknown;
        }
        before != (known.claims.len(), known.sender)
    }

    /// The columns whose signatures somebody verifies, at once or later, or that leave the program.
    fn verified(&self) -> BTreeSet<(Key<'p>, usize)> {
        let mut verified = BTreeSet::new();
        let mut sources: BTreeMap<(Key<'p>, usize), Vec<(Key<'p>, usize)>> = BTreeMap::new();
        for (component, rule) in self.world.rules() {
            let reader = self.reader(component, rule);
            let head = &rule.head.relation;
            let leaves = self
                .world
                .program
                .channel(head)
                .is_some_and(|channel| self.world.program.component(&channel.receiver).is_none());
            for atom in rule.positive_atoms() {
                for source in self.sources(component, atom) {
                    let from = (source.key, source.column);
                    let handed_on = reader.handed_on(atom, &source);
                    if reader.is_verified(atom, &source) || leaves && !handed_on.is_empty() {
                        verified.insert(from);
                    }
                    let to = handed_on.into_iter().map(|column| (self.world.key(component, head), column));
                    to.for_each(|to| sources.entry(to).or_default().push(from));
                }
            }
        }
        let mut waiting: Vec<_> = verified.iter().copied().collect();
        while let Some(column) = waiting.pop() {
            let news = sources.get(&column).into_iter().flatten().filter(|from| verified.insert(**from));
            waiting.extend(news.copied());
        }
        verified
    }

    /// For each channel, the relations derived by rules that verify a signature of it.
    fn vouching(&self) -> BTreeMap<&'p Name, BTreeSet<Key<'p>>> {
        let mut vouching: BTreeMap<&'p Name, BTreeSet<Key<'p>>> = BTreeMap::new();
        for (component, rule) in self.world.rules().filter(|(_, rule)| !rule.delete) {
            let reader = self.reader(component, rule);
            for atom in rule.positive_atoms() {
                let sources = self.sources(component, atom);
                for source in sources.iter().filter(|source| reader.is_verified(atom, source)) {
                    let head = self.world.key(component, &rule.head.relation);
                    vouching.entry(&source.entry.channel.name).or_default().insert(head);
                }
            }
        }
        vouching
    }
}

/// Whether values of the type have signatures or MACs somewhere in them.
pub(super) fn carries_signature(ty: Type) -> bool {
    ty.contains(is_proof)
}

/// Whether values of the type are signatures or MACs.
pub(super) fn is_proof(ty: Type) -> bool {
    matches!(ty, Type::Signature | Type::Mac)
}
