//! **P1, partitioning with co-hashing**: a component becomes several nodes with the same rules, and facts that meet go to the same node.
//!
//! *When allowed.* For component C:
//! * P1.1 No external or native role sends to C: their nodes know one address.
//! * P1.2 Every rule of C reads something that is not constant (rules that derive constants aside): otherwise every partition would do
//!   what one node did.
//! * P1.3 There are keys: a column for each relation that C reads, such that literals which meet in a rule, deletions and heads that C
//!   reads included, have the same term there.
//! * P1.4 Facts that are aggregated together have the same key: the key is among the arguments that the aggregate groups by.
//! * P1.5 A `:~` rule over state alone tells its key in its message: such a rule sends when its body begins to hold, and would send once
//!   at every partition. If several such rules send on one channel, all tell it by the same argument: otherwise two partitions could hold
//!   the same message, each by another rule.
//! * P1.6 Nodes of the role lose messages at worst, and no node is Byzantine.
//! * P1.7 The key of a keyed table is among the columns of the table's own key, since candidates for one key meet. So a table without such
//!   columns, the floor of a window among them, is not partitioned, unless it is constant.
//!
//! *Mechanism.* The component gets a number of partitions, and every channel that it receives the key by which its messages are routed.
//! Rules do not change; constants are derived at every partition.
//!
//! *Example.* `partition collector by id into 3`: all votes for a request go to the same collector.
//!
//! *Why it is correct.* Let a step of any partition be a step of the original with the same messages. Facts that can meet the new ones
//! have the same key, so they are on this partition; all others are as they were.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", partitioning with co-hashing; constants, rules without input (P1.2)
//! and repetition (P1.5) are ours.

use std::collections::BTreeSet;

use menard_lang::ir::{Channel, Expr, Name, Program, Relation, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::key_choice::{
    AGGREGATES, HELD, JOINS, all_keys, are_keys, choose, choose_or_explain, choose_within_keys, columns, inputs, list,
    name_keys,
};
use super::split::{foreign_kind, foreign_role, one_of, suggest, unknown_component, within_limit};
use super::{Misfit, Rewrite};
use crate::analysis::fault_model::only_omission;
use crate::analysis::keys::{Demand, Demands};
use crate::analysis::scope::{START, Scope, aggregates, atoms, sends};
use crate::edit::{integer, variable};
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct PartitionCoHash;

/// A component, the columns to partition it by (none: any that work), and into how many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partitioning {
    /// The component.
    pub component: Name,
    /// Names of columns of the channels that it receives.
    pub by: Vec<Name>,
    /// The number of partitions.
    pub parts: u32,
}

/// What was proved, and the keys.
pub struct Permit {
    site: Partitioning,
    proofs: Proofs,
    /// For each channel that the component receives, its key columns.
    keys: Vec<(Name, Vec<Name>)>,
}

impl Rewrite for PartitionCoHash {
    type Site = Partitioning;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "co-hash"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/co_hash.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Partitioning>] {
        PRECONDITIONS
    }

    fn on_faults(&self) -> &'static str {
        "P1.6"
    }

    fn sites(&self, program: &Program) -> Vec<Partitioning> {
        let mut sites = Vec::new();
        for component in program.components.iter().filter(|component| component.count.is_none()) {
            let scope = Scope::new(program, component);
            let names: BTreeSet<Name> = columns(&scope).into_iter().map(Name::from).collect();
            let site = |by| Partitioning { component: component.name.clone(), by: vec![by], parts: 2 };
            sites.extend(names.into_iter().map(site).filter(|site| are_keys(&scope, &site.by)));
        }
        sites
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Partitioning, Misfit>> {
        let LineKind::Partition { component, by, into } = line else { return None };
        let site = Partitioning { component: component.clone(), by: by.clone(), parts: *into };
        Some(fits(program, &site).map(|()| site))
    }

    fn permit(&self, program: &Program, site: &Partitioning, proofs: Proofs) -> Permit {
        let scope = Scope::of(program, &site.component);
        let demands = Demands {
            joins: !proofs.skipped("P1.3"),
            aggregates: !proofs.skipped("P1.4"),
            held: !proofs.skipped("P1.5"),
            keyed: !proofs.skipped("P1.7"),
        };
        let keys = choose(&scope, &site.by, demands).unwrap_or_default();
        Permit { site: site.clone(), proofs, keys: name_keys(&scope, &site.by, &keys) }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        let mut rewritten = program.clone();
        for channel in &mut rewritten.channels {
            if let Some((_, key)) = permit.keys.iter().find(|(name, _)| *name == channel.name) {
                channel.by = key.iter().map(|column| variable(column.clone())).collect::<Vec<Expr>>();
            }
        }
        let component = rewritten.components.iter_mut().find(|component| component.name == permit.site.component);
        let component = component.expect("the component of a site is in its program");
        component.count = Some(integer(permit.site.parts));
        component.parts = permit.site.parts;
        rewritten
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        let component = permit.site.component.clone();
        Lifting { original: component.clone(), component, internal: BTreeSet::new() }.schedule(run)
    }
}

const PRECONDITIONS: &[Precondition<Partitioning>] = &[
    Precondition { id: "P1.1", statement: "no external or native role sends to the component", check: unaddressed },
    Precondition { id: "P1.2", statement: "every rule reads something that is not constant", check: driven },
    Precondition {
        id: "P1.3",
        statement: "every relation that is read has a key, and facts that meet in a rule have equal keys",
        check: co_hashed,
    },
    Precondition { id: "P1.4", statement: "aggregates group by the key", check: grouped },
    Precondition {
        id: "P1.5",
        statement: "a message sent for as long as state holds tells the key of that state",
        check: told,
    },
    Precondition {
        id: "P1.6",
        statement: "faults of the role lose messages at worst, and no node is Byzantine",
        check: faults,
    },
    Precondition {
        id: "P1.7",
        statement: "the key is among the key columns of every keyed table that is read, and windows are not partitioned",
        check: within_keys,
    },
];

fn fits(program: &Program, site: &Partitioning) -> Result<(), Misfit> {
    let component = program.component(&site.component).ok_or_else(|| unknown_component(program, &site.component))?;
    let misfit =
        |word: &str, message: String, help: Option<String>| Err(Misfit { word: word.to_owned(), message, help });
    if component.count.is_some() {
        return misfit(&component.name, format!("`{}` is partitioned already", component.name), None);
    }
    if site.parts == 0 {
        return misfit("0", "a component has at least one partition".to_owned(), None);
    }
    within_limit(program, &component.role, site.parts - 1, &site.parts.to_string())?;
    let scope = Scope::new(program, component);
    let known = columns(&scope);
    match site.by.iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => {
            let message = format!("no channel that `{}` receives has a column `{name}`", component.name);
            misfit(name, message, Some(suggest(name, "the columns of its channels are", known.into_iter().collect())))
        }
        None => Ok(()),
    }
}

fn unaddressed(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let outside = |name: &&str| scope.is_from_outside(name);
    let obstacles: Vec<Obstacle> = inputs(&scope)
        .into_iter()
        .filter(outside)
        .filter_map(|name| program.channel(name))
        .map(|channel| {
            Obstacle::new(
                program,
                channel.span,
                format!("`{}` is {}, which cannot be changed", channel.sender, foreign_role(program, &channel.name)),
            )
        })
        .collect();
    if obstacles.is_empty() {
        return Ok(format!("only components of the program send to `{}`", site.component));
    }
    let outsiders = inputs(&scope).into_iter().filter(outside);
    let kind = outsiders.map(|channel| foreign_kind(program, channel)).next().unwrap_or_default();
    let because = format!(
        "{kind} nodes address `{}`, and do not know which partition they would have to send to",
        site.component
    );
    Err(Broken::new(because, obstacles).help("decouple what makes the work, and partition that"))
}

fn driven(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    for (_, rule) in scope.rules().filter(|(_, rule)| !scope.derives_constant(rule)) {
        if !scope.literals(rule).any(|atom| !atom.negated) {
            obstacles.push(Obstacle::new(program, rule.span, "every partition would do this"));
        }
    }
    if obstacles.is_empty() {
        return Ok(format!("every rule of `{}` begins with something that arrives", site.component));
    }
    let broken = Broken::new("a rule does not depend on anything that arrives", obstacles);
    let is_timer =
        |rule: &Rule| sends(rule).and_then(|name| program.channel(name)).is_some_and(Channel::is_local_timer);
    let armed = scope.rules().any(|(_, rule)| is_timer(rule) && atoms(rule).any(|atom| atom.relation == START));
    Err(if armed {
        broken.help("a timer for each key, `timer retry(key: int) after 1 s`, goes with its key")
    } else {
        broken
    })
}

fn co_hashed(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    no_empty_channel(&scope)?;
    let why = |demand: &Demand<'_>, keys: &str| {
        let met: BTreeSet<&str> = demand.met.iter().map(|(name, _)| *name).collect();
        format!("{} meet here, and {keys} is not the same for all", one_of("facts of", met))
    };
    let keys = choose_or_explain(&scope, &site.by, JOINS, "facts that meet would be on different partitions", why)?;
    let named = name_keys(&scope, &site.by, &keys);
    let key = named.iter().map(|(channel, key)| format!("`{channel}` by {}", list(key)));
    let own = all_keys(&scope, &keys);
    let inside = if own.is_empty() { String::new() } else { format!(", inside {}", own.join(", ")) };
    Ok(format!("facts that meet have equal keys: {}{inside}", key.collect::<Vec<_>>().join(", ")))
}

/// Every channel needs a column to be routed by, also one that nobody reads.
fn no_empty_channel(scope: &Scope<'_>) -> Result<(), Broken> {
    let channels = inputs(scope).into_iter().filter_map(|name| scope.program.channel(name));
    let empty: Vec<Obstacle> = channels
        .filter(|channel| channel.columns.is_empty())
        .map(|channel| Obstacle::new(scope.program, channel.span, "this has no columns"))
        .collect();
    if empty.is_empty() { Ok(()) } else { Err(Broken::new("there is nothing to route a message by", empty)) }
}

fn grouped(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let why = |_: &Demand<'_>, keys: &str| format!("this puts facts together that differ in {keys}");
    choose_or_explain(&scope, &site.by, AGGREGATES, "an aggregate would see the facts of one partition only", why)?;
    let rules = scope.rules().filter(|(_, rule)| aggregates(rule) && !scope.derives_constant(rule));
    let names: BTreeSet<&str> = rules.map(|(_, rule)| rule.head.relation.as_str()).collect();
    Ok(match names.is_empty() {
        true => "there are no aggregates".into(),
        false => one_of("these aggregates group by the key:", names),
    })
}

fn told(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let why = |demand: &Demand<'_>, keys: &str| match demand.is_shared() {
        true => format!("other rules send the same, and {keys} is not told at the same place by all of them"),
        false => format!("every partition with such state sends this: it does not tell {keys}"),
    };
    choose_or_explain(&scope, &site.by, HELD, "a message would be sent once by each of several partitions", why)?;
    let rules = scope.rules().filter(|(_, rule)| scope.is_state_only(rule));
    let names: BTreeSet<&str> = rules.filter_map(|(_, rule)| sends(rule)).collect();
    Ok(match names.is_empty() {
        true => "no message is sent for as long as state holds".into(),
        false => one_of("no two partitions hold the same", names),
    })
}

fn within_keys(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    choose_within_keys(&scope, &site.by)?;
    let is_keyed = |relation: &&Relation| relation.storage.key.is_some() && !scope.is_constant(&relation.name);
    let names: Vec<&str> =
        scope.component.relations.iter().filter(is_keyed).map(|relation| relation.name.as_str()).collect();
    Ok(match names.is_empty() {
        true => "there are no keyed tables".into(),
        false => one_of("candidates for one key are on one partition:", names),
    })
}

fn faults(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    only_omission(program, &Scope::of(program, &site.component).component.role)
}
