//! **D3, monotonic decoupling**: rules that only ever conclude more from more run on a node of their own, and read copies of the state that stays.
//!
//! *When allowed.* C2 is the rules for the handles, C1 the rest.
//! * D3.1 C1 reads nothing that C2 derives.
//! * D3.2 What C2 reads of C1's state is [logically persisted](crate::analysis::persisted): it holds for ever, or is the greatest value of a key. Or it [passes](crate::analysis::passing):
//!   all facts of a key go at once, and lives of a key are apart.
//! * D3.3 C2 is monotone: what its rules conclude from state holds for ever as well. No negation and no aggregates but of constants, and but for thresholds of
//!   what grows; nothing is deleted, and no window and no keyed table filled but one that keeps the greatest value of a key, which is asked for thresholds.
//! * D3.4 A rule of C2 with an event has only that one to read, besides constants: `new` of something that lasts, or, if it fills a table, any
//!   event. Two that meet in one step of the original need not meet here.
//! * D3.5 What a rule of C2 sends by `new` tells the fact that is new, and rules that send on one channel are told apart by a constant. Otherwise
//!   several facts that come about in one step of the original, and give one message, would give several.
//! * D3.6 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//! * D3.7 A rule of C2 that reads what passes reads nothing else that changes, and that of one key. A view that it fills tells the key, and has no other rules; a message
//!   is sent by `new`. What else there is may come when the key is gone at C1, but not yet at C2.
//! * D3.8 What is sent of a key that may come again is sent on no serial channel: equal messages of two lives may become one.
//! * D3.9 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//! * D3.10 Where nodes restart, C2 fills no durable table: what stays would be on disk, and said to others, when what was told is lost.
//!
//! *Mechanism.* C1 sends on every fact of a table or view that C2 reads when it is new, and C2 keeps it in a table of the same name. Events are
//! forwarded, or their channel is redirected, as in functional decoupling. When a key goes, C1 says how many facts it had; C2
//! [forgets](super::lives) them when all have arrived. Lives of a key that may come again are numbered, and C2's rules keep them apart.
//!
//! *Example.* `decouple replica { matched, answer } into matcher using monotonic`.
//!
//! *Why it is correct.* At any time C2 knows a part of what it would know in the original (D3.2), so concludes a part of it (D3.3), and
//! everything in the end. What it sends, the original has sent, once as well (D3.4, D3.5), or holds. Of a key that passes, C2 comes to know all that held in one
//! life, and nothing else that could matter to it (D3.7). All that held at the end of a life, together, so the original has concluded all that C2 does; and each life anew, since
//! between two lives there was nothing of the key (D3.2).
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", monotonic decoupling. That each fact is sent on once is the technical report's permitted
//! optimization; that inputs have to be persisted in the original already is how its condition has to be read. D3.4 and D3.5 are ours: `new` tells
//! what one step brings about, which is not monotone. So is what passes: the report lets its user declare a deletion harmless.

use std::collections::BTreeSet;

use menard_lang::ir::{Name, Program, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::copies::{Copies, passing};
use super::monotone::{Monotone, is_greatest, is_state, why_not_lasting};
use super::split::one_of;
use super::{Misfit, Rewrite, Split, VERIFIED, decide, is_serial, reads_nothing_that_moves};
use crate::analysis::fault_model::{moves_no_disk, starts_alike, verified_channels};
use crate::analysis::passing::{key_of, merging_lives};
use crate::analysis::persisted::Persisted;
use crate::analysis::scope::{Scope, atoms, fills, sends};
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleMonotonic;

/// What was proved, and what is copied.
pub struct Permit {
    proofs: Proofs,
    copies: Copies,
    lifting: Lifting,
    /// Those on which they tell of keys that may come again.
    inexact: BTreeSet<Name>,
}

impl Rewrite for DecoupleMonotonic {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "monotonic"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/monotonic.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D3.6")
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        Split::of_every_head(program)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let copies = Copies::new(program, site);
        let lifting = Lifting::new(program, &site.into, &site.component, copies.channels(), site.channels(program));
        Permit { proofs, copies, lifting, inexact: inexact(program, site) }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, _: &Program, permit: &Permit) -> Program {
        permit.copies.separated()
    }

    /// C2 sends what the original sends, when it has heard of all that it follows from.
    fn late(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.late()
    }

    /// Lives of one key may begin in one step of C2, which then sends once what the original sent twice.
    fn inexact(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.inexact.clone()
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        permit.lifting.schedule(run)
    }

    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.moved()
    }
}

const PRECONDITIONS: &[Precondition<Split>] = &[
    Precondition { id: "D3.1", statement: "rules that stay read nothing that moved rules derive", check: one_way },
    Precondition {
        id: "D3.2",
        statement: "the state that moved rules read where it stays holds for ever, or goes key by key",
        check: lasting,
    },
    Precondition { id: "D3.3", statement: "what moved rules conclude from state holds for ever", check: monotone },
    Precondition {
        id: "D3.4",
        statement: "a moved rule with an event reads nothing else that changes, and sends only if that is `new`",
        check: alone,
    },
    Precondition {
        id: "D3.5",
        statement: "what a moved rule sends by `new` tells the fact that is new, and the rule",
        check: no_collapse,
    },
    Precondition { id: "D3.6", statement: VERIFIED, check: faults },
    Precondition {
        id: "D3.7",
        statement: "what goes key by key is read by itself, one key at a time",
        check: by_itself,
    },
    Precondition {
        id: "D3.8",
        statement: "what is sent of a key that may come again is sent on no serial channel",
        check: not_serial,
    },
    Precondition {
        id: "D3.9",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
    Precondition { id: "D3.10", statement: "where nodes restart, no moved rule fills a durable table", check: no_disk },
];

fn one_way(program: &Program, site: &Split) -> Result<String, Broken> {
    reads_nothing_that_moves(program, site)
}

fn lasting(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let persisted = Persisted::new(&scope);
    let moving = site.moving(&scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let mut obstacles = Vec::new();
    let (mut lasting, mut passing, mut is_merging) = (BTreeSet::new(), BTreeSet::new(), false);
    for atom in moving.iter().flat_map(|rule| scope.literals(rule)) {
        let name = atom.relation.as_str();
        if !is_state(&scope, name) || filled.contains(name) {
            continue;
        }
        if persisted.lasts(name) || is_greatest(&scope, &persisted, name) {
            lasting.insert(name);
        } else if let Some(key) = key_of(&scope, name) {
            if passing.insert(name) {
                let merging = merging_lives(&scope, name, &key);
                is_merging |= !merging.is_empty();
                obstacles.extend(merging.into_iter().map(|(span, why)| Obstacle::new(program, span, why)));
            }
        } else {
            obstacles.push(Obstacle::new(program, atom.span, why_not_lasting(&persisted, name)));
        }
    }
    let kept =
        (!lasting.is_empty()).then(|| one_of("what the moved rules read of what stays is never deleted:", lasting));
    let goes = (!passing.is_empty()).then(|| one_of("all facts of a key go at once:", passing));
    let sentence: Vec<String> = kept.into_iter().chain(goes).collect();
    let sentence = match sentence.is_empty() {
        true => "the moved rules read no state of what stays".into(),
        false => sentence.join("; "),
    };
    let help = match is_merging {
        true => "a key goes as a whole if events delete it, and its table is filled by `:-` with messages",
        false => {
            "what nothing is deleted from lasts, and positive views over it; what is deleted by one key goes key by key; an \
             aggregate can move with the rules that read it"
        }
    };
    decide(obstacles, sentence, "a moved rule reads state that may change before it is told", Some(help))
}

/// What lasts if the state that stays does, which is for D3.2 to decide.
fn if_state_lasts<'a>(scope: &'a Scope<'a>, moving: &[&'a Rule]) -> Persisted<'a> {
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let read = moving.iter().flat_map(|rule| scope.literals(rule)).map(|atom| atom.relation.as_str());
    let known = Persisted::new(scope);
    let stays = read.filter(|name| is_state(scope, name) && !filled.contains(name));
    Persisted::assuming(scope, stays.filter(|name| !is_greatest(scope, &known, name)).collect())
}

fn monotone(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    moved(program, &scope, site).conclude_for_ever()
}

fn alone(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    moved(program, &scope, site).read_one_event()
}

fn no_collapse(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    moved(program, &scope, site).tell_what_is_new(Vec::new())
}

fn moved<'a>(program: &'a Program, scope: &'a Scope<'a>, site: &Split) -> Monotone<'a> {
    let rules = site.moving(scope);
    let persisted = if_state_lasts(scope, &rules);
    Monotone { program, scope, rules, persisted, called: "moved" }
}

fn by_itself(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let passing = passing(&scope, &moving);
    let found = moving.iter().filter_map(|rule| passing.objection(&scope, rule));
    let obstacles = found.map(|(span, why)| Obstacle::new(program, span, why)).collect();
    let sentence = match passing.tables().is_empty() {
        true => "the moved rules read nothing that goes".into(),
        false => {
            one_of("moved rules read one key, and nothing else that changes, of", passing.tables().keys().copied())
        }
    };
    let because = "a moved rule could conclude something of a key that is gone where it was told of it";
    decide(
        obstacles,
        sentence,
        because,
        Some("a table that nothing is deleted from may keep what is concluded, and be joined"),
    )
}

/// The rules that send what they know of keys that may come again.
fn recurring<'a>(scope: &Scope<'a>, site: &Split) -> Vec<&'a Rule> {
    let moving = site.moving(scope);
    let passing = passing(scope, &moving);
    let is_one = |rule: &&Rule| sends(rule).is_some() && atoms(rule).any(|atom| passing.comes_again(&atom.relation));
    moving.iter().copied().filter(is_one).collect()
}

fn inexact(program: &Program, site: &Split) -> BTreeSet<Name> {
    let scope = Scope::of(program, &site.component);
    let sent = recurring(&scope, site).into_iter().filter_map(sends);
    sent.filter(|channel| !is_serial(program, channel)).map(Name::from).collect()
}

fn not_serial(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    for rule in recurring(&scope, site) {
        if let Some(channel) = sends(rule).filter(|channel| is_serial(program, channel)) {
            let why = format!("`{channel}` is serial: equal messages are delivered one after the other");
            obstacles.push(Obstacle::new(program, rule.span, why));
        }
    }
    let because = "two equal messages on a serial channel would become one";
    decide(obstacles, "no key that may come again is told on a serial channel".into(), because, None)
}

fn faults(program: &Program, site: &Split) -> Result<String, Broken> {
    verified_channels(program, &site.component)
}

fn starts(program: &Program, site: &Split) -> Result<String, Broken> {
    starts_alike(program, &site.component)
}

fn no_disk(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    moves_no_disk(program, &scope, site.moving(&scope))
}
