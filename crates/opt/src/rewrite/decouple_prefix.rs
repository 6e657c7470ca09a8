//! **D2b, decoupling behind a prefix**: rules that only compute stay in front, where messages arrive, and all others move behind them.
//!
//! *When allowed.* C1 is the rules for the handles, which stay; C2 is all others. A handle may be a channel: C1 hands it on as it is. So it does with channels
//! that C2 reads and whose senders know one address only.
//! * D2b.1 Every rule of C1 reads one channel, and nothing else, and computes from it an event of the same step.
//! * D2b.2 Of each message C1 makes at most one event: a channel that a rule of C1 reads is read by no other one, handed on as it is, or read by C2.
//! * D2b.3 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//!
//! *Mechanism.* C1 hands on every event that C2 reads, `checked_to_core(who, what)@me :~ checked(who, what)`, and C2 reads the new channel. If what it
//! comes from is serial, so is the new channel. All else goes where it is read.
//!
//! *Example.* `decouple leader { checked } into core using prefix`.
//!
//! *Why it is correct.* C2 may be anything. A message is handed on as one message or not at all (D2b.1, D2b.2), so the original can take it in
//! the very step in which C2 takes what was made of it: its event is there then, and only then. Messages of which nothing is made are taken
//! where they are. Until C2 takes it, a message might as well be on its way; what it has not taken when the node crashes or restarts, the original takes just before. C2
//! has all the state, so its disk is the original's.
//!
//! *Source.* Ours. It is functional decoupling with the roles changed: there the consequences are late, here the inputs.

use std::collections::BTreeSet;

use menard_lang::ir::{Literal, Name, Program, RelationKind, Rule, RuleKind};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::prefix::{NAME, Prefix, split_behind};
use super::separate::separate;
use super::split::one_of;
use super::{Misfit, Rewrite, Split, VERIFIED, decide};
use crate::analysis::fault_model::verified_channels;
use crate::analysis::scope::{Reads, Scope, aggregates, atoms};
use crate::edit::{fresh, is_used};
use crate::lifting::{HandedOn, Lifting};
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecouplePrefix;

/// What was proved, and what is handed on.
pub struct Permit {
    site: Split,
    proofs: Proofs,
    prefix: Prefix,
    lifting: Lifting,
}

impl Rewrite for DecouplePrefix {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        NAME
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/prefix.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D2b.3")
    }

    /// One for each channel that a component receives, behind which all else can move.
    fn sites(&self, program: &Program) -> Vec<Split> {
        let doors = program.channels.iter().map(|channel| LineKind::Decouple {
            component: channel.receiver.clone(),
            handles: vec![channel.name.clone()],
            into: fresh(&format!("{}_core", channel.receiver), |name| is_used(program, name)),
            using: Some(Name::new_static(NAME)),
        });
        doors.filter_map(|line| split_behind(program, &line)?.ok()).collect()
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        split_behind(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let prefix = Prefix::new(program, site);
        let lifting = Lifting::catching_up(program, &site.into, &site.component, prefix.channels(), BTreeSet::new());
        Permit { site: site.clone(), proofs, prefix, lifting }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        let (cut, moved) = permit.prefix.cut(program, &permit.site);
        separate(&cut, &permit.site.component, &permit.site.into, &moved)
    }

    /// When nodes crash or restart, the original sends what follows from a message that C2 does not take any more, and it is lost with the node.
    fn late(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.late()
    }

    /// The original takes a message when C2 takes what C1 has made of it.
    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.prefix.inputs.clone()
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        HandedOn { home: &permit.lifting, made_of: &|message| permit.prefix.made_of(message) }.schedule(run)
    }
}

const PRECONDITIONS: &[Precondition<Split>] = &[
    Precondition {
        id: "D2b.1",
        statement: "every rule that stays computes an event from one message, and does nothing else",
        check: computing,
    },
    Precondition { id: "D2b.2", statement: "of each message at most one event is made", check: one_each },
    Precondition { id: "D2b.3", statement: VERIFIED, check: faults },
];

fn computing(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    for rule in site.staying(&scope) {
        if let Some(why) = more_than_computing(&scope, rule) {
            obstacles.push(Obstacle::new(program, rule.span, why));
        }
    }
    let sentence = match site.staying(&scope).is_empty() {
        true => one_of("messages are handed on as they are:", site.handles.iter().map(Name::as_str)),
        false => "every rule that stays computes an event from one message".into(),
    };
    let because = "what stays has to make an event of a message, by itself, at once";
    decide(obstacles, sentence, because, Some("what else it does can move, and read what this makes"))
}

/// What a rule does besides making an event of one message.
fn more_than_computing(scope: &Scope<'_>, rule: &Rule) -> Option<String> {
    let head = &rule.head.relation;
    let is_event = scope.component.relation(head).is_some_and(|relation| relation.kind == RelationKind::Event);
    if rule.delete || !is_event {
        return Some(format!("`{head}` holds for longer than this step"));
    }
    if rule.kind == RuleKind::Next {
        return Some(format!("`{head}` holds one step later, where no messages are"));
    }
    let mut read = atoms(rule);
    let (first, second) = (read.next(), read.next());
    if first.is_none_or(|atom| atom.negated || scope.reads(atom) != Reads::Channel) || second.is_some() {
        return Some(one_of("this reads more than one message:", atoms(rule).map(|atom| atom.relation.as_str())));
    }
    if aggregates(rule) {
        return Some("this puts messages together".to_owned());
    }
    let chooses = rule.body.iter().any(|literal| matches!(literal, Literal::In { .. }));
    chooses.then(|| "this may make several of one message".to_owned())
}

fn one_each(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let mut obstacles = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for atom in site.staying(&scope).into_iter().flat_map(|rule| scope.literals(rule)) {
        let name = &atom.relation;
        if program.channel(name).is_none() {
            continue;
        }
        if site.handles.contains(name) {
            obstacles.push(Obstacle::new(
                program,
                atom.span,
                format!("`{name}` is a handle, too, and handed on as it is"),
            ));
        } else if !taken.insert(name) {
            obstacles.push(Obstacle::new(
                program,
                atom.span,
                format!("another rule that stays reads `{name}` as well"),
            ));
        }
    }
    for atom in
        moving.iter().flat_map(|rule| scope.literals(rule)).filter(|atom| taken.contains(atom.relation.as_str()))
    {
        let why = format!("this moves, and reads `{}`, which a rule that stays takes", atom.relation);
        obstacles.push(Obstacle::new(program, atom.span, why));
    }
    let because = "the original would have to take a message twice, for each event that is made of it";
    let help = "one rule can take the message, and those that move can read what it makes";
    decide(obstacles, "at most one event is made of each message".into(), because, Some(help))
}

fn faults(program: &Program, site: &Split) -> Result<String, Broken> {
    verified_channels(program, &site.component)
}
