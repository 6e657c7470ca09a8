//! **D5b, asymmetric decoupling**: rules that the others read move, and tell them in batches; what they send waits until it was told.
//!
//! *When allowed.* C2 is the rules for the handles, which move; C1 is what stays. What both receive goes to C2.
//! * D5b.1 C2 reads nothing that C1 derives.
//! * D5b.2 What C1 reads of C2 are events that a [message brings about in the same step](crate::analysis::prompted).
//! * D5b.3 What C2 sends depends on an event: what state alone sends may come again, and is held once. C2 numbers no messages by `index`, since
//!   which number one has depends on the addressees, too.
//! * D5b.4 What C2 receives comes from nodes that can be told a new address.
//! * D5b.5 Where nodes may lie, what is told between C1 and C2 is [verified](super::verify_sender); the two crash and restart as one.
//! * D5b.6 What C2 receives does not come again because state alone sends it: each time it would make another batch.
//! * D5b.7 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start.
//! * D5b.8 Where nodes restart, C1 fills no durable table, or C2 fills none: C2's disk may have what C1 was not told before a restart.
//!
//! *Mechanism.* C2 tells C1 in [batches](super::batches) what its steps have for C1, and C1 releases each batch in a turn of its own, which a
//! message to itself begins, and acknowledges it. C2 [holds](super::holds) what it sends in a step until the batches made up to then are
//! acknowledged.
//!
//! *Example.* `decouple proposer { accepted, chosen } into collector using asymmetric`.
//!
//! *Why it is correct.* The original does a step of C2 where C1 is told of it: there C1 has its own messages and what C2 has for it, and C2's messages
//! are still on their way as far as anybody can tell, since nothing that follows from them has left. Steps of C2 that have nothing for C1 come
//! in their order in between; those that C1 is not told of before the node crashes or restarts come just before that. C2 does the same steps in the same order, so it may be anything; C1 is told in steps with messages, alone of
//! what the original would have told it then (D5b.2), so it may be anything, too.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", asymmetric decoupling. There C2 has to be monotone and a state machine, as its inputs are
//! grouped anew; here its steps are kept as they are. The printed rules that hold outputs are wrong; D5b.3 and D5b.6 are ours.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Name, Program, RelationKind, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::batches::Batches;
use super::holds::Holds;
use super::separate::separate;
use super::split::{foreign_kind, one_of};
use super::{Misfit, Rewrite, Split, VERIFIED, decide};
use crate::analysis::fault_model::{forgets, starts_alike, verified_channels};
use crate::analysis::prompted::Prompted;
use crate::analysis::repeated::repeated_events;
use crate::analysis::scope::{Reads, Scope, fills, numbers, sends};
use crate::lifting::{Lifting, Replayed};
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleAsymmetric;

/// What was proved, and how C1 is told.
pub struct Permit {
    site: Split,
    proofs: Proofs,
    telling: Telling,
    lifting: Lifting,
    /// Whether durable tables move.
    moves_disk: bool,
}

impl Rewrite for DecoupleAsymmetric {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "asymmetric"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/asymmetric.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("D5b.5")
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        Split::of_every_head(program)
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line)
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let telling = Telling::new(program, site);
        let (internal, sent) = (telling.internal.clone(), telling.sent.clone());
        let lifting = Lifting::catching_up(program, &site.into, &site.component, internal, sent);
        let scope = Scope::of(program, &site.component);
        let moves_disk = durable_rules(&scope, &site.moving(&scope)).next().is_some();
        Permit { site: site.clone(), proofs, telling, lifting, moves_disk }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, _: &Program, permit: &Permit) -> Program {
        separate(&permit.telling.cut, &permit.site.component, &permit.site.into, &permit.telling.moved)
    }

    /// C2 sends what the original sends, when C1 was told of what came before.
    fn late(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.late()
    }

    /// The original takes C2's messages where C1 is told of them.
    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.telling.received.union(&permit.lifting.moved()).cloned().collect()
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        let batches = permit.telling.batches.as_ref();
        let batches = batches.and_then(|batches| Some((batches.size(), batches.turn()?)));
        Replayed { home: &permit.lifting, batches, first_writes: permit.moves_disk }.schedule(run)
    }
}

/// How C1 is told, and the program in which it is, all still in one component.
struct Telling {
    /// None if C1 reads nothing of C2.
    batches: Option<Batches>,
    cut: Program,
    moved: BTreeSet<usize>,
    internal: BTreeSet<Name>,
    sent: BTreeSet<Name>,
    received: BTreeSet<Name>,
}

impl Telling {
    fn new(program: &Program, site: &Split) -> Telling {
        let scope = Scope::of(program, &site.component);
        let (moving, staying) = (site.moving(&scope), site.staying(&scope));
        let received = moving.iter().flat_map(|rule| scope.literals(rule)).map(|atom| &atom.relation);
        let received: BTreeSet<Name> = received.filter(|name| program.channel(name).is_some()).cloned().collect();
        let sent = site.channels(program);
        let is_told = |atom: &Atom| tells(&scope, &moving, atom);
        let batches = Batches::telling(&scope, &staying, &is_told, &site.component, true);
        if batches.kinds.is_empty() {
            let (cut, moved, internal) = (program.clone(), site.moved.clone(), BTreeSet::new());
            return Telling { batches: None, cut, moved, internal, sent, received };
        }
        let mut cut = program.clone();
        cut.channels.extend(batches.declarations(&site.component));
        let position = cut.components.iter().position(|component| component.name == site.component);
        let position = position.expect("the component of a site is in its program");
        cut.components[position].relations.extend(batches.tables());
        let (told, telling) = (batches.receiver_rules(), batches.sender_rules());
        let mut rules: Vec<Rule> = told;
        let stays = scope.rules().filter(|(index, _)| !site.moved.contains(index));
        rules.extend(stays.map(|(_, rule)| batches.retell(&scope, &is_told, rule)));
        // Names of what is held have to be free in the program with batches.
        cut.components[position].rules = [rules.clone(), telling.clone()].concat();
        let mut internal = batches.channels();
        let mut moves = telling;
        if sent.is_empty() {
            moves.extend(moving.iter().map(|rule| (*rule).clone()));
        } else {
            let holds = Holds::new(&cut, &moving, &site.into);
            let turn = batches.turn().expect("batches of this rewrite have turns");
            rules.push(holds.acknowledging_rule(turn));
            let acknowledge = holds.channel(&site.component);
            internal.insert(acknowledge.name.clone());
            cut.channels.push(acknowledge);
            cut.components[position].relations.extend(holds.tables());
            moves.extend(holds.rules(&batches));
            moves.extend(moving.iter().map(|rule| holds.hold(rule)));
        }
        let moved = (rules.len()..rules.len() + moves.len()).collect();
        rules.extend(moves);
        cut.components[position].rules = rules;
        Telling { batches: Some(batches), cut, moved, internal, sent, received }
    }
}

/// Whether an atom of a rule that stays is about what moved rules fill, or about a message that they take.
fn tells(scope: &Scope<'_>, moving: &[&Rule], atom: &Atom) -> bool {
    let name = atom.relation.as_str();
    let is_filled = moving.iter().any(|rule| fills(rule) == Some(name));
    let is_taken =
        || scope.reads(atom) == Reads::Channel && moving.iter().any(|rule| scope.references(rule).contains(name));
    is_filled || is_taken()
}

const PRECONDITIONS: &[Precondition<Split>] = &[
    Precondition { id: "D5b.1", statement: "moved rules read nothing that rules that stay derive", check: one_way },
    Precondition {
        id: "D5b.2",
        statement: "what rules that stay read of moved ones are events that a message brings about in the same step",
        check: prompt_events,
    },
    Precondition {
        id: "D5b.3",
        statement: "moved rules send nothing for as long as state holds, and number no messages",
        check: sent_once,
    },
    Precondition {
        id: "D5b.4",
        statement: "nothing that moved rules receive comes from an external or native role",
        check: addresses,
    },
    Precondition { id: "D5b.5", statement: VERIFIED, check: faults },
    Precondition {
        id: "D5b.6",
        statement: "moved rules receive nothing that may come again because state alone sends it",
        check: no_repetitions,
    },
    Precondition {
        id: "D5b.7",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
    Precondition {
        id: "D5b.8",
        statement: "where nodes restart, not both moved rules and rules that stay fill durable tables",
        check: one_disk,
    },
];

fn one_way(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let staying = site.staying(&scope);
    let filled: BTreeSet<&str> = staying.iter().filter_map(|rule| fills(rule)).collect();
    let mut obstacles = Vec::new();
    for rule in site.moving(&scope) {
        let read: Vec<&str> = scope.references(rule).intersection(&filled).copied().collect();
        if !read.is_empty() {
            obstacles.push(Obstacle::new(program, rule.span, one_of("this moves, and reads", read)));
        }
    }
    let sentence = format!("no moved rule reads what stays in `{}`", site.component);
    let because = "a moved rule would have to be told what stays, while it tells";
    decide(obstacles, sentence, because, Some("name what it reads as a handle, too"))
}

fn prompt_events(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
    let prompted = Prompted::new(&scope, &moving);
    let mut obstacles = Vec::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for rule in staying {
        let told: Vec<&Atom> = scope.literals(rule).filter(|atom| tells(&scope, &moving, atom)).collect();
        let read: BTreeSet<&str> = told.iter().map(|atom| atom.relation.as_str()).collect();
        names.extend(&read);
        for floor in scope.references(rule).difference(&read).filter(|name| filled.contains(*name)) {
            obstacles.push(Obstacle::new(
                program,
                rule.span,
                format!("this is about a window, whose floor `{floor}` moves"),
            ));
        }
        for atom in told {
            let name = &atom.relation;
            let is_state = matches!(scope.reads(atom), Reads::Own(RelationKind::Table | RelationKind::View));
            let positive = Atom { negated: false, ..atom.clone() };
            let why = match (is_state && !atom.new, prompted.holds(&positive)) {
                (true, _) => format!("`{name}` is state of what moves: it holds for longer than one step"),
                (false, false) if is_state => format!("something of `{name}` may be new without a message"),
                (false, false) => format!("`{name}` may hold without a message"),
                (false, true) => continue,
            };
            obstacles.push(Obstacle::new(program, atom.span, why));
        }
    }
    let sentence = match names.is_empty() {
        true => "the rules that stay are told nothing".into(),
        false => one_of("what the rules that stay are told are events of messages:", names),
    };
    let because = "a rule that stays would be told something in another step than the original's";
    decide(obstacles, sentence, because, Some("an event that follows from a message, by `:-`, can be told"))
}

fn sent_once(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let objection = |rule: &Rule| {
        let channel = sends(rule)?;
        let why = match (scope.is_state_only(rule), numbers(rule)) {
            (true, _) => format!("state alone sends on `{channel}`, again and again"),
            (false, true) => "this numbers messages, and whom they go to makes a difference".to_owned(),
            (false, false) => return None,
        };
        Some(Obstacle::new(program, rule.span, why))
    };
    let obstacles = site.moving(&scope).into_iter().filter_map(objection).collect();
    let sentence = "what moved rules send, they send when something happens".to_owned();
    let because = "what is held is not what would have been sent";
    let help = "`new r(...)` instead of `r(...)` sends once; an event can be numbered before it is sent";
    decide(obstacles, sentence, because, Some(help))
}

fn addresses(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    for atom in site.moving(&scope).into_iter().flat_map(|rule| scope.literals(rule)) {
        if scope.is_from_outside(&atom.relation) {
            let (name, kind) = (&atom.relation, foreign_kind(program, &atom.relation));
            let why = format!("`{name}` comes from {kind} nodes, which know one address");
            obstacles.push(Obstacle::new(program, atom.span, why));
        }
    }
    let sentence = "all that moved rules receive comes from nodes that can be told their new address".to_owned();
    let because = "a channel would have to be forwarded, and could be told too late";
    decide(obstacles, sentence, because, Some("a prefix, `using prefix`, can take it first and hand it on"))
}

fn no_repetitions(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let repeated = repeated_events(program, scope.component);
    let moving = site.moving(&scope);
    let read = moving.iter().flat_map(|rule| scope.literals(rule));
    let again = read.filter(|atom| scope.reads(atom) == Reads::Channel && repeated.contains(atom.relation.as_str()));
    let obstacle = |atom: &Atom| {
        let why = format!("`{}` may come again, since state alone sends what it comes of", atom.relation);
        Obstacle::new(program, atom.span, why)
    };
    let sentence = "nothing that moved rules receive comes again".to_owned();
    let because = "repetitions would be counted in batches";
    decide(
        again.map(obstacle).collect(),
        sentence,
        because,
        Some("sent once, by `new r(...)` instead of `r(...)`, it can be told"),
    )
}

fn faults(program: &Program, site: &Split) -> Result<String, Broken> {
    verified_channels(program, &site.component)
}

fn starts(program: &Program, site: &Split) -> Result<String, Broken> {
    starts_alike(program, &site.component)
}

/// These rules, as far as they fill durable tables.
fn durable_rules<'a>(scope: &Scope<'a>, rules: &[&'a Rule]) -> impl Iterator<Item = &'a Rule> {
    let is_durable =
        |rule: &&Rule| fills(rule).is_some_and(|name| scope.storage(name).is_some_and(|storage| storage.durable));
    rules.iter().copied().filter(is_durable)
}

fn one_disk(program: &Program, site: &Split) -> Result<String, Broken> {
    if !forgets(program, &site.component) {
        return Ok(format!("no node of `{}` finds anything on disk when it starts", site.component));
    }
    let scope = Scope::of(program, &site.component);
    let (moving, staying) = (site.moving(&scope), site.staying(&scope));
    let stays = durable_rules(&scope, &staying).next().is_some();
    let moves: Vec<&Rule> = durable_rules(&scope, &moving).collect();
    let sentence = match moves.is_empty() {
        true => "moved rules fill no durable table",
        false => "only moved rules fill durable tables",
    };
    let obstacle = |rule: &&Rule| {
        let why = format!("this moves, and fills `{}`, which is durable", rule.head.relation);
        Obstacle::new(program, rule.span, why)
    };
    let obstacles = moves.iter().filter(|_| stays).map(obstacle).collect();
    let because = "a restart may come when one disk has what happened and the other has not been told yet";
    let help = "one side can have all durable tables; those that share nothing with the rest move by an independent decoupling";
    decide(obstacles, sentence.into(), because, Some(help))
}
