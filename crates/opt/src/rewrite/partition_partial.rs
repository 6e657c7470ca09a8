//! **P3, partial partitioning**, and **P4, sealing**: a component becomes several nodes that share its work by a key, and all have what has no key; a
//! coordinator sees to it that they get to know of it at one moment, and puts together what all of them have.
//!
//! *When allowed.* Channels of C that have the columns of the key are partitioned, the others are replicated, and relations with them
//! ([`Replication`]).
//! * P3.1 No external or native role sends to C: their nodes know one address.
//! * P3.2 Rules that partitions evaluate, those aside that derive what is replicated, read something partitioned that is there.
//! * P3.3 C is a [state machine](crate::analysis::state_machine), as in D4.3: steps without inputs come between others in one program and not in
//!   the other.
//! * P3.4 What a table of C takes does not depend on such steps, as in D4.5.
//! * P3.5, P3.6, P3.8 What is partitioned has keys, as in P2.3, P2.4 and P2.7. Whatever meets what is replicated meets it everywhere.
//! * P3.7 A message that partitions send because of something replicated, [at whatever remove](crate::analysis::together), tells the key: all
//!   of them act, and would send it each.
//! * P3.9 Where nodes may lie, what the coordinator and the partitions tell each other is [verified](super::verify_sender).
//! * P3.10 C receives nothing that may come again because state alone sends it: it would be counted in batches.
//! * P3.11 No partitioned channel is serial: what waits while a partition is frozen is taken in one step.
//! * P3.12 No channel is sent on by the coordinator and by partitions.
//! * P3.13 What a node of C writes to its disk when it starts is always the same.
//! * P3.14 Where nodes restart with something on disk, nothing partitioned or sealed happens at a start: partitions have not been told what is replicated.
//! * P3.15 Then partitions write to their disks because of something partitioned: they may lose the turn in which they took a batch that the coordinator
//!   has on disk.
//! * P3.16 Then what replicated tables take at a start does not depend on what is on disk: where that is told or copied, it comes in the same step.
//! * P4.1 What rules derive that are sealed, sealed rules read.
//! * P3.17 Of channels on which nodes may lie, partitions are told what changes something, and nothing else: each batch freezes all of them for a round. So
//!   such a channel does nothing but fill tables that grow.
//!
//! *Mechanism.* [`Coordination`]: what replicated channels bring in one step of the coordinator is a batch. It tells all partitions, which freeze; when all
//! are frozen it says go, and they take the batch. Messages of what is replicated alone come from a copy at the coordinator. Rules are *sealed*
//! that put together what partitions have because of a batch: partitions send their shares, and the coordinator evaluates these rules when all are there.
//!
//! *Example.* `partition acceptor by slot into 3 with coordinator`: ballots are promised by all partitions of an acceptor at once.
//!
//! *Why it is correct.* The original takes a batch when the coordinator says go. All partitions are frozen then: what they took before, they took before
//! it, and what they take later, after it. What a partition or the coordinator sends for a batch comes later than in the original, and of what it looks
//! at nothing has changed in between. When the node stops, the original takes last what has not taken effect, what waits, and what disks have lost.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", partial partitioning and partitioning with sealing. The moment of a batch, one sender of
//! what several partitions derive, and receivers that need not know are ours, and so are P3.2, P3.4, P3.7 and P3.10 to P3.16.

use std::collections::BTreeSet;
use std::sync::Arc;

use menard_lang::ir::{Channel, Expr, Name, Program, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::coordination::Coordination;
use super::key_choice::term_of;
use super::partial_restarts::{nothing_at_start, starts_from_nothing, writes_for_partitioned};
use super::partition::{self, Partitioning, co_hashed, driven, grouped, told, unaddressed, within_keys};
use super::split::{belongs_to_the_language, one_of, within_limit};
use super::{Misfit, Rewrite, VERIFIED, decide};
use crate::analysis::dependencies::Dependencies;
use crate::analysis::fault_model::{declares_liars, starts_alike, verified_channels};
use crate::analysis::repeated::repeated_events;
use crate::analysis::replication::{Place, Replication};
use crate::analysis::scope::{Scope, atoms, fills, sends};
use crate::analysis::state_machine::StateMachine;
use crate::channels::is_read_from_me;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct PartitionPartial;

/// A component, what of it is replicated, and how the rest is partitioned.
#[derive(Clone, Debug)]
pub struct Site {
    coordinator: Name,
    replication: Replication,
    partitioning: Partitioning,
}

/// What was proved, and what it takes.
pub struct Permit {
    proofs: Proofs,
    coordination: Coordination,
    keys: Vec<(Name, Vec<Expr>)>,
    late: BTreeSet<Name>,
}

impl Site {
    fn scope<'a>(&self, program: &'a Program) -> Scope<'a> {
        Scope::of(program, &self.partitioning.component)
    }

    /// The component as its partitions see it: without what the coordinator does.
    fn of_partitions(&self, program: &Program) -> Program {
        let scope = self.scope(program);
        let mut view = program.clone();
        for channel in &mut view.channels {
            if self.replication.channels.contains(&channel.name) {
                channel.receiver = self.coordinator.clone();
            }
        }
        let rules = scope.rules().filter(|(index, _)| self.replication.place(&scope, *index) != Place::Coordinator);
        let rules: Vec<Rule> = rules.map(|(_, rule)| rule.clone()).collect();
        let component = view.components.iter_mut().find(|found| found.name == self.partitioning.component);
        component.expect("the component of a site is in its program").rules = rules;
        view
    }

    fn can_be_keyed(&self, program: &Program) -> bool {
        let view = self.of_partitions(program);
        let demands = [driven, co_hashed, grouped, told, within_keys];
        demands.iter().all(|holds| holds(&view, &self.partitioning).is_ok()) && one_sided(program, self).is_ok()
    }
}

impl Rewrite for PartitionPartial {
    type Site = Site;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "partial"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/partial.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Site>] {
        PRECONDITIONS
    }

    fn on_liars(&self) -> Option<&'static str> {
        Some("P3.9")
    }

    fn sites(&self, _: &Program) -> Vec<Site> {
        Vec::new()
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Site, Misfit>> {
        let LineKind::Partition { component, by, into, with: Some(with) } = line else { return None };
        Some(site(program, component, by, *into, with))
    }

    fn permit(&self, program: &Program, site: &Site, proofs: Proofs) -> Permit {
        let Partitioning { component, parts, .. } = &site.partitioning;
        let coordination = Coordination::new(program, component, &site.coordinator, *parts, &site.replication);
        let view = site.of_partitions(program);
        let keys = partition::keys(&view, &site.partitioning, &proofs, ["P3.5", "P3.6", "P3.7", "P3.8"]);
        let late = coordination.late(program);
        Permit { proofs, coordination, keys, late }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        permit.coordination.apply(program, &permit.keys)
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        permit.coordination.lift(run)
    }

    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.coordination.received()
    }

    fn late(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.late.clone()
    }
}

/// The site that a line means.
fn site(program: &Program, component: &Name, by: &[Expr], parts: u32, with: &Name) -> Result<Site, Misfit> {
    let misfit =
        |word: &str, message: String, help: &str| Misfit { word: word.to_owned(), message, help: Some(help.into()) };
    let plain = LineKind::Partition { component: component.clone(), by: by.to_vec(), into: parts, with: None };
    let dependencies = Some(Arc::new(Dependencies::of(program)));
    let fitted = partition::site(program, &plain, dependencies).expect("the line partitions");
    let mut partitioning = fitted?;
    if by.is_empty() {
        let help = "`by` columns that some of its channels have and others have not";
        return Err(misfit(component, "it is not said by what to partition".to_owned(), help));
    }
    if program.component(with).is_some() || program.role(with).is_some() || belongs_to_the_language(with) {
        let help = "give the coordinator a name of its own";
        return Err(misfit(with, format!("there is a `{with}` already"), help));
    }
    within_limit(program, &Scope::of(program, component).component.role, parts, with)?;
    let scope = Scope::of(program, component);
    let received = program.channels.iter().filter(|channel| channel.receiver == *component);
    let lacks = |channel: &str| partitioning.by.iter().any(|key| term_of(&scope, channel, key).is_none());
    let replicated: BTreeSet<Name> =
        received.map(|channel| &channel.name).filter(|channel| lacks(channel)).cloned().collect();
    if replicated.is_empty() {
        let help = format!("without `with {with}` this is a partition like any other");
        return Err(misfit(with, format!("nothing that `{component}` receives lacks such columns"), &help));
    }
    let replication = Replication::new(&scope, replicated);
    partitioning.replicated = replication.names();
    let mut site = Site { coordinator: with.clone(), replication, partitioning };
    if !site.can_be_keyed(program) {
        site.replication = site.replication.sealing(&scope);
    }
    Ok(site)
}

const PRECONDITIONS: &[Precondition<Site>] = &[
    Precondition {
        id: "P3.1",
        statement: "no external or native role sends to the component",
        check: |program, site| unaddressed(program, &site.partitioning),
    },
    // Before those that look at partitions, to which what sealed rules derive is nothing.
    Precondition { id: "P4.1", statement: "what is made of sealed facts is sealed, too", check: all_sealed },
    Precondition {
        id: "P3.2",
        statement: "rules for what is partitioned read something that is partitioned",
        check: partition_driven,
    },
    Precondition {
        id: "P3.3",
        statement: "what the component does does not depend on steps in which it receives nothing",
        check: state_machine,
    },
    Precondition {
        id: "P3.4",
        statement: "what a table takes does not depend on steps in which the component receives nothing",
        check: decisive_tables,
    },
    Precondition {
        id: "P3.5",
        statement: "what is partitioned has keys, and facts that meet in a rule have equal keys",
        check: |program, site| co_hashed(&site.of_partitions(program), &site.partitioning),
    },
    Precondition {
        id: "P3.6",
        statement: "aggregates of partitions group by the key",
        check: |program, site| grouped(&site.of_partitions(program), &site.partitioning),
    },
    Precondition {
        id: "P3.7",
        statement: "a message that partitions send because of something replicated tells the key",
        check: |program, site| told(&site.of_partitions(program), &site.partitioning),
    },
    Precondition {
        id: "P3.8",
        statement: "the key is among the key columns of every keyed table that is partitioned",
        check: |program, site| within_keys(&site.of_partitions(program), &site.partitioning),
    },
    Precondition {
        id: "P3.9",
        statement: VERIFIED,
        check: |program, site| verified_channels(program, &site.partitioning.component),
    },
    Precondition {
        id: "P3.10",
        statement: "the component receives nothing that may come again because state alone sends it",
        check: no_repetitions,
    },
    Precondition {
        id: "P3.11",
        statement: "what is partitioned does not have to be taken one by one",
        check: not_serial,
    },
    Precondition {
        id: "P3.12",
        statement: "the coordinator and the partitions do not send on the same channel",
        check: one_sided,
    },
    Precondition {
        id: "P3.13",
        statement: "if nodes restart, what one writes to its disk at the start is always the same",
        check: |program, site| starts_alike(program, &site.partitioning.component),
    },
    Precondition {
        id: "P3.14",
        statement: "if nodes restart and find something on disk, nothing partitioned or sealed happens at the start",
        check: |program, site| nothing_at_start(program, &site.partitioning.component, &site.replication),
    },
    Precondition {
        id: "P3.15",
        statement: "if nodes restart, what partitions write to their disks they write because of something partitioned",
        check: |program, site| writes_for_partitioned(program, &site.partitioning.component, &site.replication),
    },
    Precondition {
        id: "P3.16",
        statement: "if nodes restart, what replicated tables take at the start does not depend on what is on disk",
        check: |program, site| starts_from_nothing(program, &site.partitioning.component, &site.replication),
    },
    Precondition {
        id: "P3.17",
        statement: "what all partitions have, and nodes that may lie send, fills tables that grow, and does nothing else",
        check: no_freezing_at_will,
    },
];

fn partition_driven(program: &Program, site: &Site) -> Result<String, Broken> {
    let because = "a rule for what is partitioned reads nothing that is partitioned";
    driven(&site.of_partitions(program), &site.partitioning)
        .map_err(|broken| Broken { because: because.into(), ..broken })
}

fn state_machine(program: &Program, site: &Site) -> Result<String, Broken> {
    let scope = site.scope(program);
    let rules = changing(&scope);
    let machine = StateMachine::new(&scope, &rules);
    let objection = |rule| machine.objection(rule).map(|why| Obstacle::new(program, rule.span, why));
    let obstacles = rules.iter().copied().filter_map(objection).collect();
    let sentence = format!("`{}` is a state machine: it acts only when it receives something", scope.component.name);
    decide(obstacles, sentence, "what a rule does would depend on when the next thing comes", None)
}

fn decisive_tables(program: &Program, site: &Site) -> Result<String, Broken> {
    let scope = site.scope(program);
    let rules = changing(&scope);
    let machine = StateMachine::new(&scope, &rules);
    let indecision = |rule| machine.indecision(rule, false).map(|why| Obstacle::new(program, rule.span, why));
    let obstacles = rules.iter().copied().filter_map(indecision).collect();
    let sentence = "no table depends on how long ago the last facts came".to_owned();
    decide(obstacles, sentence, "a table would depend on when the next thing comes", None)
}

/// The rules that derive no constants.
fn changing<'a>(scope: &Scope<'a>) -> Vec<&'a Rule> {
    scope.rules().filter(|(_, rule)| !scope.derives_constant(rule)).map(|(_, rule)| rule).collect()
}

fn no_repetitions(program: &Program, site: &Site) -> Result<String, Broken> {
    let scope = site.scope(program);
    let repeated = repeated_events(program, scope.component);
    let received = program.channels.iter().filter(|channel| channel.receiver == scope.component.name);
    let again = received.filter(|channel| repeated.contains(channel.name.as_str()));
    let why = "this may come again, since state alone sends what it comes of";
    let obstacles = again.map(|channel| Obstacle::new(program, channel.span, why)).collect();
    let sentence = "nothing that it receives comes again".to_owned();
    let help = "sent once, by `new r(...)` instead of `r(...)`, it can be received";
    decide(obstacles, sentence, "repetitions would be counted in batches", Some(help))
}

/// Each batch freezes all partitions for a round, so who repeats itself must not make one.
fn no_freezing_at_will(program: &Program, site: &Site) -> Result<String, Broken> {
    let Partitioning { component, parts, .. } = &site.partitioning;
    let coordination = Coordination::new(program, component, &site.coordinator, *parts, &site.replication);
    let always: BTreeSet<&Name> = coordination.told_always().collect();
    let is_suspect = |channel: &&Channel| {
        let role = program.role_of_endpoint(&channel.sender);
        let lies = role.is_some_and(|role| declares_liars(program, &role.name));
        lies && channel.delay.is_none() && !is_read_from_me(program, channel)
    };
    let why = "this may come again and again, and does more than to fill tables that grow";
    let told = program.channels.iter().filter(|channel| always.contains(&channel.name)).filter(is_suspect);
    let obstacles = told.map(|channel| Obstacle::new(program, channel.span, why)).collect();
    let sentence = match program.channels.iter().any(|channel| is_suspect(&channel)) {
        true => "what nodes that may lie send is told to partitions only if it changes something".to_owned(),
        false => "no node that may lie sends anything that all partitions have".to_owned(),
    };
    let because = "a liar could freeze all partitions at will";
    decide(
        obstacles,
        sentence,
        because,
        Some("what changes nothing is not told if all that a message does is to fill such tables"),
    )
}

fn not_serial(program: &Program, site: &Site) -> Result<String, Broken> {
    let component = &site.partitioning.component;
    let partitioned = program
        .channels
        .iter()
        .filter(|channel| channel.receiver == *component && !site.replication.channels.contains(&channel.name));
    let why = "a step takes one message of this at most";
    let serial = partitioned.filter(|channel| channel.serial);
    let obstacles = serial.map(|channel| Obstacle::new(program, channel.span, why)).collect();
    let sentence = "a partition may take together what came while it waited".to_owned();
    decide(obstacles, sentence, "a partition takes together what came while it waited", None)
}

fn one_sided(program: &Program, site: &Site) -> Result<String, Broken> {
    let scope = site.scope(program);
    let sent_at = |place| {
        let rules = scope.rules().filter(|(index, _)| site.replication.place(&scope, *index) == place);
        rules.filter_map(|(_, rule)| sends(rule)).collect::<BTreeSet<&str>>()
    };
    let (here, there) = (sent_at(Place::Coordinator), sent_at(Place::Partition));
    let both: BTreeSet<&str> = here.intersection(&there).copied().collect();
    let rules = scope.rules().filter(|(_, rule)| sends(rule).is_some_and(|channel| both.contains(channel)));
    let why = |index| match site.replication.place(&scope, index) {
        Place::Partition => "a partition would send this",
        _ => "the coordinator would send this",
    };
    let obstacles = rules.map(|(index, rule)| Obstacle::new(program, rule.span, why(index))).collect();
    let sentence = match here.is_empty() {
        true => "the coordinator sends nothing of its own".to_owned(),
        false => one_of("the coordinator alone sends", here.iter().copied()),
    };
    decide(obstacles, sentence, "a channel would be sent on by the coordinator and by partitions", None)
}

fn all_sealed(program: &Program, site: &Site) -> Result<String, Broken> {
    let scope = site.scope(program);
    let derived = site.replication.derived_sealed(&scope);
    let is_sealed = |index: &usize| site.replication.sealed.contains(index);
    let concerned = |rule: &Rule| {
        let reads = atoms(rule).any(|atom| derived.contains(atom.relation.as_str()));
        reads || fills(rule).is_some_and(|name| derived.contains(name))
    };
    let why = "this is needed at a partition, and made of what several partitions have";
    let left = scope.rules().filter(|(index, rule)| !is_sealed(index) && concerned(rule));
    let obstacles = left.map(|(_, rule)| Obstacle::new(program, rule.span, why)).collect();
    let gathered = site.replication.gathered(&scope);
    let sentence = match gathered.is_empty() {
        true => "nothing is sealed".to_owned(),
        false => one_of("the coordinator gathers", gathered.iter().copied()),
    };
    decide(obstacles, sentence, "a partition would have to know what the others have", None)
}
