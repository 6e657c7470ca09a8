//! **D4, state-machine decoupling**: rules that act only when they are told something run on a node of their own, and are told in batches
//! what one step had for them.
//!
//! *When allowed.* C2 is the rules for the handles, C1 the rest. The inputs of C2 are all that its rules read and do not derive themselves:
//! channels, `start()`, what C1 derives.
//! * D4.1 C1 reads nothing that C2 derives.
//! * D4.2 The inputs are events; `new r(...)` of a table or view that stays is one. A batch has what one step brings about.
//! * D4.3 C2 is a [state machine](crate::analysis::state_machine): what it does in a step with inputs does not depend on how many without came
//!   before. Rules that send, fill tables or events, or delete, have an event in their body; `:+` fills tables only; `new`, and `quorum`
//!   over state, are about tables that `:-` fills and nothing is deleted from, and views over such.
//! * D4.4 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//! * D4.5 What a table of C2 takes does not depend on whether a step without inputs came between: a window moves with its floor, which is filled by `:-`, and
//!   a keyed table other than `max` is filled by `:-` alone or by `:+` alone.
//! * D4.6 What C2 is told comes of no message that may come again because state alone sends it: each repetition would be a fact of another
//!   batch, and batches are counted.
//! * D4.7 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//! * D4.8 Where nodes restart, C2 fills no durable table: what stays would be on disk, and said to others, when what was told is lost.
//!
//! *Mechanism.* C1 sends on whatever a step has for C2, with the number of the batch, and one message with the number of facts in
//! it. Batches that are empty have no number. C2 keeps them in windows above the last batch that it released, and releases the next
//! one when all its facts are there: they are events of one step. Everything goes through C1, also channels that only C2 reads: it alone knows
//! what came together, and in which order.
//!
//! *Example.* `decouple server { stored, reply } into store using state_machine`.
//!
//! *Why it is correct.* C2 gets the same inputs, grouped into steps and ordered as in the original; only the number of steps without inputs between them differs,
//! and that C2 cannot tell (D4.3, D4.5). So it sends the same, later, which a slower network would do as well. C1 does not notice C2 (D4.1).
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", state-machine decoupling. Its batches are numbered by C1's steps and name the one before,
//! which the technical report's rules do not get right; numbers without gaps need no such name. The condition on C2 is wider than the
//! literature's, D4.5 is about tables that it does not have, and D4.6 about messages of state, which it would send at every step.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Name, Program, RelationKind};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::batches::{Batches, told};
use super::separate::separate;
use super::split::one_of;
use super::{Misfit, Rewrite, Split, VERIFIED, decide, reads_nothing_that_moves};
use crate::analysis::fault_model::{moves_no_disk, starts_alike, verified_channels};
use crate::analysis::repeated::repeated_events;
use crate::analysis::scope::{Reads, Scope, fills};
use crate::analysis::state_machine::StateMachine;
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleStateMachine;

/// What was proved, and what is told in batches.
pub struct Permit {
    site: Split,
    proofs: Proofs,
    batches: Batches,
    lifting: Lifting,
}

impl Rewrite for DecoupleStateMachine {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "state_machine"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/state_machine.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D4.4")
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        Split::of_every_head(program)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let batches = Batches::new(program, site);
        let lifting = Lifting::new(program, &site.into, &site.component, batches.channels(), site.channels(program));
        Permit { site: site.clone(), proofs, batches, lifting }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        let (cut, moved) = permit.batches.cut(program, &permit.site);
        separate(&cut, &permit.site.component, &permit.site.into, &moved)
    }

    /// C2 sends what the original sends, when it has its batch.
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
    Precondition { id: "D4.1", statement: "rules that stay read nothing that moved rules derive", check: one_way },
    Precondition { id: "D4.2", statement: "moved rules read no state of what stays", check: events_only },
    Precondition {
        id: "D4.3",
        statement: "what moved rules do does not depend on steps in which they are told nothing",
        check: state_machine,
    },
    Precondition { id: "D4.4", statement: VERIFIED, check: faults },
    Precondition {
        id: "D4.5",
        statement: "what a moved table takes does not depend on steps in which moved rules are told nothing",
        check: decisive_tables,
    },
    Precondition {
        id: "D4.6",
        statement: "moved rules are told nothing that may come again because state alone sends it",
        check: no_repetitions,
    },
    Precondition {
        id: "D4.7",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
    Precondition { id: "D4.8", statement: "where nodes restart, no moved rule fills a durable table", check: no_disk },
];

fn one_way(program: &Program, site: &Split) -> Result<String, Broken> {
    reads_nothing_that_moves(program, site)
}

fn events_only(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let mut obstacles = Vec::new();
    let mut names = BTreeSet::new();
    for atom in moving.iter().flat_map(|rule| told(&scope, &filled, rule)) {
        names.insert(atom.relation.as_str());
        if !atom.new && matches!(scope.reads(atom), Reads::Own(RelationKind::Table | RelationKind::View)) {
            let why =
                format!("`{}` is state of `{}`: it holds for longer than one step", atom.relation, site.component);
            obstacles.push(Obstacle::new(program, atom.span, why));
        }
    }
    let sentence = match names.is_empty() {
        true => "the moved rules are told nothing".into(),
        false => one_of("what the moved rules are told are events:", names),
    };
    let help = "`new r(...)` is an event; a rule that stays can make an event of state and what it is wanted for";
    decide(obstacles, sentence, "a moved rule reads state that stays", Some(help))
}

fn state_machine(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let machine = StateMachine::new(&scope, &moving);
    let objection = |rule| machine.objection(rule).map(|why| Obstacle::new(program, rule.span, why));
    let obstacles = moving.iter().copied().filter_map(objection).collect();
    let because = "what a moved rule does would depend on when it is told the next thing";
    decide(
        obstacles,
        "the moved rules are a state machine: they act only when they are told something".into(),
        because,
        None,
    )
}

fn decisive_tables(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let machine = StateMachine::new(&scope, &moving);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let mut inputs = moving.iter().flat_map(|rule| told(&scope, &filled, rule));
    let from_first_step = inputs.any(|atom| program.channel(&atom.relation).is_none());
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for rule in moving.iter().copied() {
        if let Some(why) = machine.indecision(rule, from_first_step) {
            obstacles.push(Obstacle::new(program, rule.span, why));
        }
    }
    let sentence = "no moved table depends on how long ago the last facts came".to_owned();
    decide(obstacles, sentence, "a moved table would depend on when it is told the next thing", None)
}

fn no_repetitions(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let repeated = repeated_events(program, scope.component);
    let inputs = moving.iter().flat_map(|rule| told(&scope, &filled, rule));
    let again = inputs.filter(|atom| !atom.new && repeated.contains(atom.relation.as_str()));
    let obstacle = |atom: &Atom| {
        let why = format!("`{}` may come again, since state alone sends what it comes of", atom.relation);
        Obstacle::new(program, atom.span, why)
    };
    let obstacles = again.map(obstacle).collect();
    let sentence = "nothing that the moved rules are told comes again".to_owned();
    let help = "sent once, by `new r(...)` instead of `r(...)`, it can be told";
    decide(obstacles, sentence, "repetitions would be counted in batches", Some(help))
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
