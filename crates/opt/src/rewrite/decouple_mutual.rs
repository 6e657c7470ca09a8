//! **D5a, mutual decoupling**: rules move that the others read, and that read the others; each side has copies of what the other one has.
//!
//! *When allowed.* C2 is the rules for the handles, which move; C1 is what stays. A rule is *late* if it moves, or stays and depends on what moved
//! rules derive, directly or not.
//! * D5a.1 What C2 reads of C1's state, and all that C1 reads of C2, is [logically persisted](crate::analysis::persisted), or is the greatest value of a key.
//! * D5a.2 Late rules are monotone, as moved ones are for [monotonic decoupling](super::decouple_monotonic) (D3.3): what they conclude from state holds for ever.
//! * D5a.3 A late rule with an event has only that one to read, besides constants: `new` of something that lasts, or, if it fills a table, any
//!   event.
//! * D5a.4 What a late rule sends by `new` tells the fact that is new, and rules that send on its channel are told apart by a constant.
//! * D5a.5 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//! * D5a.6 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//! * D5a.7 Where nodes restart, C2 fills no durable table: what stays would be on disk, and said to others, when what was told is lost. Nor does another late
//!   rule: it may write when a node starts (D5a.6).
//!
//! *Mechanism.* That of monotonic decoupling, in both directions: every fact of a table or view that the other side reads is sent on when it is
//! new, and kept there in a table of the same name. Events that C2 reads are forwarded, or their channel is redirected.
//!
//! *Example.* `decouple node { behind } into follower using mutual`, where `behind` and `ahead` are derived from each other.
//!
//! *Why it is correct.* The original takes each message when one of the sides does. At any time, both sides together know a part of what it knows by then: this holds when
//! a message is taken, and remains so whatever one side tells the other, since that is known to the original already, and late rules conclude from a part a part
//! (D5a.1, D5a.2). Rules that are not late do what they did: they read nothing that is told. So what is sent, the original has sent, once as well (D5a.3, D5a.4), or holds. In the end
//! everything has been told, and both sides together have concluded what the original has: the least that follows from what was taken.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", whose technical report describes it in a sentence as an asymmetric decoupling, and asks that both sides be monotone. That
//! of C1 only late rules have to be, and what the sides may send and read with events, is ours.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Name, Program, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::copies::Copies;
use super::monotone::{Monotone, is_greatest, is_state, why_not_lasting};
use super::split::one_of;
use super::{Misfit, Rewrite, Split, VERIFIED, decide};
use crate::analysis::fault_model::{moves_no_disk, starts_alike, verified_channels};
use crate::analysis::persisted::Persisted;
use crate::analysis::scope::{Scope, fills, sends};
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleMutual;

/// What was proved, and what is copied.
pub struct Permit {
    proofs: Proofs,
    copies: Copies,
    lifting: Lifting,
}

impl Rewrite for DecoupleMutual {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "mutual"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/mutual.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D5a.5")
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        Split::of_every_head(program)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let copies = Copies::of_both(program, site);
        let scope = Scope::of(program, &site.component);
        let sent = late_rules(&scope, site).into_iter().filter_map(sends).map(Name::from).collect();
        let lifting = Lifting::new(program, &site.into, &site.component, copies.channels(), sent);
        Permit { proofs, copies, lifting }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, _: &Program, permit: &Permit) -> Program {
        permit.copies.separated()
    }

    /// Each side sends what the original sends, when it has heard of all that it follows from.
    fn late(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.late()
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        permit.lifting.schedule(run)
    }

    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.moved()
    }
}

const PRECONDITIONS: &[Precondition<Split>] = &[
    Precondition { id: "D5a.1", statement: "what one side reads of the other holds for ever", check: lasting },
    Precondition {
        id: "D5a.2",
        statement: "what late rules, which move or depend on what does, conclude from state holds for ever",
        check: monotone,
    },
    Precondition {
        id: "D5a.3",
        statement: "a late rule, which moves or depends on what does, reads nothing else that changes if it reads an event, and sends only if that is `new`",
        check: alone,
    },
    Precondition {
        id: "D5a.4",
        statement: "what a late rule, which moves or depends on what does, sends by `new` tells the fact that is new, and the rule",
        check: no_collapse,
    },
    Precondition { id: "D5a.5", statement: VERIFIED, check: faults },
    Precondition {
        id: "D5a.6",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
    Precondition { id: "D5a.7", statement: "where nodes restart, no moved rule fills a durable table", check: no_disk },
];

/// The rules that move, and those that stay and depend on what these derive.
fn late_rules<'a>(scope: &Scope<'a>, site: &Split) -> Vec<&'a Rule> {
    let (moving, staying) = (site.moving(scope), site.staying(scope));
    let mut late: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let depends = |rule: &'a Rule, late: &BTreeSet<&str>| {
        !scope.references(rule).is_disjoint(late) || rule.delete && late.contains(rule.head.relation.as_str())
    };
    loop {
        let before = late.len();
        let more: Vec<&str> =
            staying.iter().filter(|rule| depends(rule, &late)).filter_map(|rule| fills(rule)).collect();
        late.extend(more);
        if late.len() == before {
            break;
        }
    }
    moving.into_iter().chain(staying.into_iter().filter(|rule| depends(rule, &late))).collect()
}

/// What is read of one side's state on the other: by rules that move, and by those that stay.
fn told<'a>(scope: &Scope<'a>, site: &Split) -> [Vec<&'a Atom>; 2] {
    let (moving, staying) = (site.moving(scope), site.staying(scope));
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let read = |rules: Vec<&'a Rule>, is_filled: bool| {
        let read = rules.into_iter().flat_map(|rule| scope.literals(rule));
        let is_told = |atom: &&Atom| filled.contains(atom.relation.as_str()) == is_filled;
        read.filter(is_told).filter(|atom| is_state(scope, &atom.relation)).collect()
    };
    [read(moving, false), read(staying, true)]
}

fn lasting(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let persisted = Persisted::new(&scope);
    let told = told(&scope, site);
    let lasts = |name: &str| persisted.lasts(name) || is_greatest(&scope, &persisted, name);
    let changing = told.iter().flatten().filter(|atom| !lasts(&atom.relation));
    let obstacles = changing.map(|atom| Obstacle::new(program, atom.span, why_not_lasting(&persisted, &atom.relation)));
    let [there, here] =
        told.each_ref().map(|atoms| atoms.iter().map(|atom| atom.relation.as_str()).collect::<BTreeSet<_>>());
    let there = (!there.is_empty()).then(|| one_of("moved rules are told", there));
    let here = (!here.is_empty()).then(|| one_of("rules that stay are told", here));
    let both: Vec<String> = there.into_iter().chain(here).collect();
    let sentence = match both.is_empty() {
        true => "no side is told state of the other".into(),
        false => format!("{}; nothing of it is ever deleted", both.join("; ")),
    };
    let help = "what nothing is deleted from lasts, and positive views over it; an aggregate can be with the rules that read it";
    decide(obstacles.collect(), sentence, "one side reads what may change before it is told", Some(help))
}

/// The late rules; what they are told lasts, which is for D5a.1 to decide.
fn late<'a>(program: &'a Program, scope: &'a Scope<'a>, site: &Split) -> Monotone<'a> {
    let known = Persisted::new(scope);
    let told = told(scope, site).into_iter().flatten().map(|atom| atom.relation.as_str());
    let persisted = Persisted::assuming(scope, told.filter(|name| !is_greatest(scope, &known, name)).collect());
    Monotone { program, scope, rules: late_rules(scope, site), persisted, called: "late" }
}

fn monotone(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    late(program, &scope, site).conclude_for_ever()
}

fn alone(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    late(program, &scope, site).read_one_event()
}

fn no_collapse(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let late = late(program, &scope, site);
    let is_late = |rule: &Rule| late.rules.iter().any(|known| std::ptr::eq(*known, rule));
    let others = scope.rules().map(|(_, rule)| rule).filter(|rule| sends(rule).is_some() && !is_late(rule));
    late.tell_what_is_new(others.collect())
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
