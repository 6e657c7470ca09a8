//! **D2, functional decoupling**: rules that look at one fact at a time run on a node of their own, and what they read is forwarded to them.
//!
//! *When allowed.* C2 is the rules for the handles, C1 the rest.
//! * D2.1 Every rule of C2 reads at most one relation that is not constant, `start()` included: two that meet in one step at C1 would
//!   be forwarded as two messages, which need not meet.
//! * D2.2 C2 negates nothing but constants: absence cannot be forwarded.
//! * D2.3 What is forwarded are events; `new r(...)` of a table that stays is one. State would be forwarded at least once, perhaps again
//!   after it has ceased to hold.
//! * D2.4 Whatever C2 derives from something forwarded tells which fact that was: the arguments of the head determine it, and heads of
//!   several rules differ in a constant, or tell the same facts at the same places. Otherwise two facts of one step, which give one message in the original, would give two.
//! * D2.5 C1 reads nothing that C2 derives.
//! * D2.6 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//! * D2.7 C2 fills no keyed table and no window from what is forwarded: which fact such a table takes depends on what else arrives in that
//!   step, and in which order steps come.
//! * D2.8 What C2 derives from something forwarded is not sent on a serial channel: where two equal messages become one, the original's
//!   second is delivered with its first, but on a serial channel one comes after the other.
//! * D2.9 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//! * D2.10 Where nodes restart, C2 fills no durable table: what stays would be on disk, and said to others, when what was forwarded is
//!   lost.
//!
//! *Mechanism.* A channel that only C2 reads, and no external role sends on, goes to the new component. For everything else that C2
//! reads, C1 gets a forwarding rule, `request_to_broadcaster(c, id, cmd)@me :~ request(id, cmd) from c`, and C2 reads the new channel.
//! Sender and constants become columns or stay in the forwarding rule's literal; columns that nobody looks at are not sent.
//!
//! *Example.* `decouple leader { ballot } into broadcaster`.
//!
//! *Why it is correct.* What C2 derives from a forwarded fact, the original derives at once when the fact arises, and from nothing else
//! (D2.1 to D2.4). So the run is one of the original in which the network delivers C2's messages later. Where two equal facts arrive in
//! one step, C2 sends once what the original sent twice, and the original's second message is delivered with its first.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", functional decoupling. D2.4 is ours: the literature's argument
//! overlooks that facts of one step form a set, and messages arrive one by one. With it two demands of the literature are not needed:
//! aggregates (one that passes D2.4 has only constants to aggregate; `index`, which puts all facts together, does not pass) and statelessness (every fact in a table of C2 tells its source, and
//! no rule deletes it). The forwarding of `new r(...)` is ours too.

use std::collections::BTreeSet;

use menard_lang::determined::is_known;
use menard_lang::ir::{Atom, ExprKind, Name, Program, RelationKind, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::cut::{Forwards, cut, find_forwards};
use super::split::one_of;
use super::{
    Misfit, Rewrite, Split, VERIFIED, decide, differ, is_serial, reads_nothing_that_moves, separate::separate,
};
use crate::analysis::determined::determined;
use crate::analysis::fault_model::{moves_no_disk, starts_alike, verified_channels};
use crate::analysis::forwards::{Supply, forward, tell_alike};
use crate::analysis::scope::{Reads, Scope, aggregates, atoms, fills, numbers, sends};
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleFunctional;

/// What was proved, and what is forwarded.
pub struct Permit {
    site: Split,
    proofs: Proofs,
    forwards: Forwards,
    lifting: Lifting,
}

impl Rewrite for DecoupleFunctional {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "functional"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/functional.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D2.6")
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        Split::of_every_head(program)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let forwards = find_forwards(program, site);
        let internal = forwards.iter().map(|(channel, _)| channel.clone()).collect();
        let lifting = Lifting::new(program, &site.into, &site.component, internal, late(program, site));
        Permit { site: site.clone(), proofs, forwards, lifting }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        let (cut, moved) = cut(program, &permit.site, &permit.forwards);
        separate(&cut, &permit.site.component, &permit.site.into, &moved)
    }

    /// What depends on forwarded facts is sent later, and two equal ones may arrive in one step: C2 then sends once what the original
    /// sent twice.
    fn inexact(&self, permit: &Permit) -> BTreeSet<Name> {
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
    Precondition {
        id: "D2.1",
        statement: "every moved rule reads at most one relation that is not constant",
        check: one_input,
    },
    Precondition { id: "D2.2", statement: "moved rules negate nothing but constants", check: positive },
    Precondition { id: "D2.3", statement: "moved rules read no state of what stays", check: events_only },
    Precondition {
        id: "D2.4",
        statement: "what a moved rule derives tells which forwarded fact it comes from",
        check: no_collapse,
    },
    Precondition { id: "D2.5", statement: "rules that stay read nothing that moved rules derive", check: one_way },
    Precondition { id: "D2.6", statement: VERIFIED, check: faults },
    Precondition {
        id: "D2.7",
        statement: "moved rules fill no keyed table and no window from what is forwarded",
        check: no_competition,
    },
    Precondition {
        id: "D2.8",
        statement: "what depends on something forwarded is sent on no serial channel",
        check: not_serial,
    },
    Precondition {
        id: "D2.9",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
    Precondition { id: "D2.10", statement: "where nodes restart, no moved rule fills a durable table", check: no_disk },
];

fn one_input(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    let mut inputs = BTreeSet::new();
    for rule in site.moving(&scope) {
        let counts = |atom: &&Atom| !atom.negated && scope.reads(atom) != Reads::Constant;
        let read: Vec<&str> = atoms(rule).filter(counts).map(|atom| atom.relation.as_str()).collect();
        inputs.extend(read.iter().copied());
        if read.len() > 1 {
            obstacles.push(Obstacle::new(program, rule.span, one_of("this joins", read)));
        }
    }
    let sentence = match inputs.is_empty() {
        true => "the moved rules read constants only".into(),
        false => one_of("each moved rule reads one relation:", inputs),
    };
    decide(obstacles, sentence, "forwarded facts arrive one by one, and need not meet", None)
}

fn positive(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    for rule in site.moving(&scope) {
        for atom in atoms(rule).filter(|atom| atom.negated && scope.reads(atom) != Reads::Constant) {
            obstacles.push(Obstacle::new(program, atom.span, "that there is no such fact cannot be forwarded"));
        }
    }
    decide(obstacles, "no moved rule negates anything that changes".into(), "a moved rule asks what is absent", None)
}

fn events_only(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let mut obstacles = Vec::new();
    let mut names = BTreeSet::new();
    for atom in moving.iter().flat_map(|rule| supply.forwarded(rule)) {
        names.insert(atom.relation.as_str());
        if !atom.new && matches!(scope.reads(atom), Reads::Own(kind) if is_state(kind)) {
            let why =
                format!("`{}` is state of `{}`: it holds for longer than one step", atom.relation, site.component);
            obstacles.push(Obstacle::new(program, atom.span, why));
        }
    }
    let sentence = match names.is_empty() {
        true => "nothing has to be forwarded".into(),
        false => one_of("what is forwarded are events:", names),
    };
    let help = "`new r(...)` is an event: it says once that `r(...)` begins to hold";
    decide(obstacles, sentence, "a moved rule reads state that stays", Some(help))
}

fn is_state(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Table | RelationKind::View)
}

fn no_collapse(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let fed = supply.fed(&moving);
    let mut obstacles = Vec::new();
    let mut heads = BTreeSet::new();
    for rule in moving.iter().filter(|rule| supply.is_fed(rule, &fed)) {
        let head = rule.head.relation.as_str();
        heads.insert(head);
        let is_other = |other: &&&Rule| !std::ptr::eq(**other, *rule) && other.head.relation == head;
        if moving.iter().filter(is_other).any(|other| !differ(rule, other) && !tell_alike(&supply, rule, other)) {
            let why = format!("another moved rule derives `{head}` too: both may derive the same from different facts");
            obstacles.push(Obstacle::new(program, rule.span, why));
            continue;
        }
        if numbers(rule) {
            obstacles.push(Obstacle::new(program, rule.span, "this numbers all that one step derives"));
            continue;
        }
        if let Some(lost) = lost_value(&scope, &supply, rule) {
            let verb =
                if aggregates(rule) { "this puts facts together that differ in" } else { "the head does not tell" };
            obstacles.push(Obstacle::new(program, rule.span, format!("{verb} {lost}")));
        }
    }
    let because = "two facts of one step that give one message here would give two when forwarded one by one";
    decide(obstacles, one_of("different forwarded facts give different", heads), because, None)
}

/// The channels on which moved rules send what depends on something forwarded; not the serial ones, which D2.8 excludes.
fn late(program: &Program, site: &Split) -> BTreeSet<Name> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let fed = supply.fed(&moving);
    let sent = moving.iter().filter(|rule| supply.is_fed(rule, &fed)).filter_map(|rule| sends(rule));
    sent.filter(|channel| !is_serial(program, channel)).map(Name::from).collect()
}

/// What the head of a fed rule does not tell of the fact that its body reads.
fn lost_value(scope: &Scope<'_>, supply: &Supply<'_>, rule: &Rule) -> Option<String> {
    let known = determined(rule);
    for atom in scope.literals(rule).filter(|atom| !atom.negated) {
        let args = match supply.is_forwarded(atom) {
            true => forward(scope, rule, atom).args,
            false => atom.args.clone(),
        };
        if let Some(arg) = args.iter().find(|arg| !is_known(arg, &known)) {
            return Some(match &arg.kind {
                ExprKind::Variable(name) => format!("`{name}` of `{}`", atom.relation),
                _ => format!("all of `{}`", atom.relation),
            });
        }
    }
    None
}

fn one_way(program: &Program, site: &Split) -> Result<String, Broken> {
    reads_nothing_that_moves(program, site)
}

fn no_competition(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let fed = supply.fed(&moving);
    let mut obstacles = Vec::new();
    for rule in &moving {
        let Some(storage) = fills(rule).and_then(|name| scope.storage(name)) else { continue };
        let stays = |floor: &&Name| !supply.fills(floor) && !scope.is_constant(floor);
        let why = match (&storage.key, &storage.above) {
            (_, Some(floor)) if stays(&floor) => format!("this moves a window, but not its floor `{floor}`"),
            (Some(_), _) if supply.is_fed(rule, &fed) => {
                "this depends on something forwarded, and competes for a key with what comes in the same step"
                    .to_owned()
            }
            (_, Some(_)) if supply.is_fed(rule, &fed) => {
                "this depends on something forwarded, which the window's floor may overtake".to_owned()
            }
            _ => continue,
        };
        obstacles.push(Obstacle::new(program, rule.span, why));
    }
    let because = "what is forwarded arrives one by one, and a table would take something else";
    decide(obstacles, "no keyed table and no window depends on anything forwarded".into(), because, None)
}

fn not_serial(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let supply = Supply::new(&scope, &moving, &staying);
    let fed = supply.fed(&moving);
    let mut obstacles = Vec::new();
    for rule in moving.iter().filter(|rule| supply.is_fed(rule, &fed)) {
        if let Some(channel) = sends(rule).filter(|channel| is_serial(program, channel)) {
            let why = format!("`{channel}` is serial: equal messages are delivered one after the other");
            obstacles.push(Obstacle::new(program, rule.span, why));
        }
    }
    let because = "two equal messages on a serial channel would become one";
    decide(obstacles, "what depends on something forwarded is sent on no serial channel".into(), because, None)
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
