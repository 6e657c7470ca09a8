//! What the ways to partition a component have in common: where, which preconditions, and what is done. They differ in what can be a key.

use std::collections::BTreeSet;
use std::sync::Arc;

use menard_lang::ir::{Channel, Component, Expr, ExprKind, Name, Program, Relation, Role, Rule};
use menard_lang::plan::LineKind;
use menard_lang::print::expr;
use menard_lang::{Source, Span, compile, print};

use super::Misfit;
use super::key_choice::{
    AGGREGATES, HELD, JOINS, all_keys, are_keys, choose, choose_or_explain, choose_within_keys, columns, inputs, list,
    name_keys, suggestions, term_of, wanted,
};
use super::split::{foreign_kind, foreign_role, one_of, suggest, unknown_component, within_limit};
use crate::analysis::demands::{Demand, Demands};
use crate::analysis::dependencies::Dependencies;
use crate::analysis::fault_model::{starts_alike, verified_partitions};
use crate::analysis::keys::{Assignment, Keys, column_name};
use crate::analysis::scope::{START, Scope, aggregates, atoms, sends};
use crate::analysis::terms::{column, columns as columns_of, with_names};
use crate::analysis::together::sends_together;
use crate::edit::{fresh, integer, is_used, variable};
use crate::lifting::Lifting;
use crate::precondition::Proofs;
use crate::refusal::{Broken, Obstacle};

/// A component, the key to partition it by (none: any that works), and into how many.
#[derive(Clone, PartialEq, Debug)]
pub struct Partitioning {
    /// The component.
    pub component: Name,
    /// Expressions over names of columns of the channels that it receives.
    pub by: Vec<Expr>,
    /// The number of partitions.
    pub parts: u32,
    /// The dependencies of the program; without them only columns are keys.
    pub(super) dependencies: Option<Arc<Dependencies>>,
    /// What all partitions have.
    pub(super) replicated: BTreeSet<Name>,
}

/// What was proved, and the keys.
pub struct Permit {
    site: Partitioning,
    pub(super) proofs: Proofs,
    /// For each channel that the component receives, its key.
    keys: Vec<(Name, Vec<Expr>)>,
    pub(super) lifting: Lifting,
}

/// The single keys that work, for every component that is not partitioned.
pub fn sites(program: &Program, dependencies: Option<&Arc<Dependencies>>) -> Vec<Partitioning> {
    let mut sites = Vec::new();
    for component in program.components.iter().filter(|component| component.count.is_none()) {
        let scope = Scope::new(program, component);
        let keys = Keys::new(&scope, dependencies.map(|known| &**known), &[]);
        let by: Vec<Expr> = columns(&scope).into_iter().map(variable).chain(suggestions(&keys)).collect();
        let by = by.into_iter().filter(|one| are_keys(&keys, std::slice::from_ref(one)));
        sites.extend(by.map(|one| Partitioning {
            component: component.name.clone(),
            by: vec![one],
            parts: 2,
            dependencies: dependencies.cloned(),
            replicated: BTreeSet::new(),
        }));
    }
    sites
}

/// The site that a line means.
pub fn site(
    program: &Program,
    line: &LineKind,
    dependencies: Option<Arc<Dependencies>>,
) -> Option<Result<Partitioning, Misfit>> {
    let LineKind::Partition { component, by, into, with: None } = line else { return None };
    let replicated = BTreeSet::new();
    let site = Partitioning { component: component.clone(), by: by.clone(), parts: *into, dependencies, replicated };
    Some(fitted(program, site))
}

/// The permit of a site, which leaves out one of the demands on keys if a test does: that of P.3, P.4, P.5 or P.7.
pub fn permit(program: &Program, site: &Partitioning, proofs: Proofs, demands: [&str; 4]) -> Permit {
    let keys = keys(program, site, &proofs, demands);
    let lifting = Lifting::new(program, &site.component, &site.component, BTreeSet::new(), BTreeSet::new());
    Permit { site: site.clone(), proofs, keys, lifting }
}

/// The keys of the channels that the component receives, likewise.
pub fn keys(program: &Program, site: &Partitioning, proofs: &Proofs, demands: [&str; 4]) -> Vec<(Name, Vec<Expr>)> {
    let scope = site.scope(program);
    let [joins, aggregates, held, keyed] = demands.map(|id| !proofs.skipped(id));
    let keys = site.keys(&scope);
    let chosen = choose(&keys, &site.by, Demands { joins, aggregates, held, keyed }).unwrap_or_default();
    name_keys(&keys, &site.by, &chosen)
}

/// The component has partitions, and its channels have keys.
pub fn apply(program: &Program, permit: &Permit) -> Program {
    let mut rewritten = program.clone();
    for channel in &mut rewritten.channels {
        if let Some((_, key)) = permit.keys.iter().find(|(name, _)| *name == channel.name) {
            channel.by.clone_from(key);
        }
    }
    let component = rewritten.components.iter_mut().find(|component| component.name == permit.site.component);
    let component = component.expect("the component of a site is in its program");
    component.count = Some(integer(permit.site.parts));
    component.parts = permit.site.parts;
    rewritten
}

impl Partitioning {
    fn scope<'a>(&self, program: &'a Program) -> Scope<'a> {
        Scope::replicating(program, &self.component, &self.replicated)
    }

    fn keys<'a>(&self, scope: &'a Scope<'a>) -> Keys<'a> {
        Keys::new(scope, self.dependencies.as_deref(), &wanted(scope, &self.by))
    }
}

/// Whether a key is nothing but a name.
pub fn is_name(key: &Expr) -> bool {
    key.as_variable().is_some()
}

/// The site with its key understood, if it fits the program.
fn fitted(program: &Program, mut site: Partitioning) -> Result<Partitioning, Misfit> {
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
    for key in &mut site.by {
        *key = understood(&scope, key)?;
    }
    Ok(site)
}

/// A key with parameters, and fields by their positions: as the checker understands it of a channel that it could be a key of.
fn understood(scope: &Scope<'_>, key: &Expr) -> Result<Expr, Misfit> {
    let known = columns(scope);
    let (mut key, is_alone) = (key.clone(), is_name(key));
    key.visit_mut(&mut |part| {
        if let ExprKind::Variable(name) = &part.kind
            && !is_alone
            && !known.contains(name.as_str())
            && scope.program.param(name).is_some()
        {
            part.kind = ExprKind::Param(name.clone());
        }
    });
    let component = &scope.component.name;
    if let Some((name, _)) = key.variables().into_iter().find(|(name, _)| !known.contains(name.as_str())) {
        let message = format!("no channel that `{component}` receives has a column `{name}`");
        let help = Some(suggest(name, "the columns of its channels are", known.into_iter().collect()));
        return Err(Misfit { word: name.to_string(), message, help });
    }
    if is_alone {
        return Ok(key);
    }
    let misfit = |message: String| {
        let word = key.variables().first().map_or_else(|| expr(&key), |(name, _)| name.to_string());
        Misfit { word, message, help: None }
    };
    if key.variables().is_empty() {
        return Err(misfit(format!("`{}` is the same for all messages", expr(&key))));
    }
    let has_columns = |channel: &&str| term_of(scope, channel, &key).is_some();
    let Some(channel) = inputs(scope).into_iter().find(has_columns) else {
        return Err(misfit(format!("no channel that `{component}` receives has all columns of `{}`", expr(&key))));
    };
    let channel = scope.program.channel(channel).expect("the channels of a component exist");
    checked_key(scope.program, channel, &key)
        .map_err(|problem| misfit(format!("`{}` is no key of `{}`: {problem}", expr(&key), channel.name)))
}

/// The key as the checker sees it, in a program that has nothing but the channel.
fn checked_key(program: &Program, channel: &Channel, key: &Expr) -> Result<Expr, String> {
    let names = ["key_sender", "key_receiver"].map(|name| fresh(name, |name| is_used(program, name)));
    let role = |name: &Name| Role {
        name: name.clone(),
        count: None,
        nodes: 1,
        external: false,
        native: false,
        span: Span::default(),
    };
    let component = |name: &Name, parts: Option<u32>| Component {
        name: name.clone(),
        role: name.clone(),
        count: parts.map(integer),
        parts: parts.unwrap_or(1),
        relations: Vec::new(),
        rules: Vec::new(),
        strata: Vec::new(),
        span: Span::default(),
    };
    let [sender, receiver] = &names;
    let alone = Channel {
        sender: sender.clone(),
        receiver: receiver.clone(),
        by: vec![key.clone()],
        delay: None,
        serial: false,
        authenticated: Vec::new(),
        ..channel.clone()
    };
    let probe = Program {
        roles: names.iter().map(role).collect(),
        channels: vec![alone],
        faults: Vec::new(),
        components: vec![component(sender, None), component(receiver, Some(2))],
        ..program.clone()
    };
    let checked = compile(&Source::new("<a key>", print(&probe)), &[])
        .map_err(|errors| errors.iter().next().map_or_else(String::new, |error| error.message.clone()))?;
    let channel = checked.program.channels.into_iter().next();
    channel.and_then(|channel| channel.by.into_iter().next()).ok_or_else(|| "it has no value".to_owned())
}

/// No external or native role sends to the component.
pub fn unaddressed(program: &Program, site: &Partitioning) -> Result<String, Broken> {
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

/// Every rule reads something that is not constant.
pub fn driven(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = site.scope(program);
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

/// Facts that meet in a rule have equal keys.
pub fn co_hashed(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = site.scope(program);
    no_empty_channel(&scope)?;
    let why = |demand: &Demand<'_>, key: &str| {
        let met: BTreeSet<&str> = demand.met.iter().map(|literal| literal.relation).collect();
        format!("{} meet here, and {key} is not the same for all", one_of("facts of", met))
    };
    let keys = site.keys(&scope);
    let because = "facts that meet would be on different partitions";
    let chosen = choose_or_explain(&keys, &site.by, JOINS, because, why)?;
    let named = name_keys(&keys, &site.by, &chosen);
    let key = named.iter().map(|(channel, key)| format!("`{channel}` by {}", list(key)));
    let own = all_keys(&keys, &chosen);
    let inside = if own.is_empty() { String::new() } else { format!(", inside {}", own.join(", ")) };
    let since = since(&keys, site, &chosen);
    Ok(format!("facts that meet have equal keys: {}{inside}{since}", key.collect::<Vec<_>>().join(", ")))
}

/// The dependencies between a key that was chosen and what else it could be.
fn since(keys: &Keys<'_>, site: &Partitioning, chosen: &[Assignment<'_>]) -> String {
    let Some(dependencies) = &site.dependencies else { return String::new() };
    let scope = keys.scope;
    let mut reasons: Vec<String> = Vec::new();
    for (relation, key) in chosen.iter().flatten() {
        let key = &keys.candidates(relation)[*key];
        for known in dependencies.get(scope.program, &scope.component.name, relation) {
            let is_computed = known.term.as_variable().is_none() && !columns_of(&known.term).is_empty();
            if is_computed && (*key == column(known.column) || *key == known.term) {
                let name = |column| column_name(scope, relation, column);
                let term = expr(&with_names(&known.term, name));
                let reason = format!("`{}` of `{relation}` is `{term}`", name(known.column));
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    if reasons.is_empty() { String::new() } else { format!("; {}", reasons.join(", ")) }
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

/// Aggregates group by the key.
pub fn grouped(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = site.scope(program);
    let why = |_: &Demand<'_>, keys: &str| format!("this puts facts together that differ in {keys}");
    choose_or_explain(
        &site.keys(&scope),
        &site.by,
        AGGREGATES,
        "an aggregate would see the facts of one partition only",
        why,
    )?;
    let rules = scope.rules().filter(|(_, rule)| aggregates(rule) && !scope.derives_constant(rule));
    let names: BTreeSet<&str> = rules.map(|(_, rule)| rule.head.relation.as_str()).collect();
    Ok(match names.is_empty() {
        true => "there are no aggregates".into(),
        false => one_of("these aggregates group by the key:", names),
    })
}

/// Messages that state holds tell the key.
pub fn told(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = site.scope(program);
    let why = |demand: &Demand<'_>, keys: &str| match demand.is_shared() {
        true => format!("other rules send the same, and {keys} is not told at the same place by all of them"),
        false => format!("every partition with such facts sends this: it does not tell {keys}"),
    };
    choose_or_explain(
        &site.keys(&scope),
        &site.by,
        HELD,
        "a message would be sent once by each of several partitions",
        why,
    )?;
    let rules = scope.rules().filter(|(_, rule)| sends_together(&scope, rule));
    let names: BTreeSet<&str> = rules.filter_map(|(_, rule)| sends(rule)).collect();
    Ok(match names.is_empty() {
        true => "no message is sent by several partitions in one turn".into(),
        false => one_of("no two partitions send the same message in one turn:", names),
    })
}

/// The key is among the key columns of keyed tables.
pub fn within_keys(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    let scope = site.scope(program);
    choose_within_keys(&site.keys(&scope), &site.by)?;
    let is_keyed = |relation: &&Relation| relation.storage.key.is_some() && !scope.is_constant(&relation.name);
    let names: Vec<&str> =
        scope.component.relations.iter().filter(is_keyed).map(|relation| relation.name.as_str()).collect();
    Ok(match names.is_empty() {
        true => "there are no keyed tables".into(),
        false => one_of("candidates for one key are on one partition:", names),
    })
}

/// What is for another partition is dropped.
pub fn faults(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    verified_partitions(program, &site.component)
}

/// What a partition writes to its disk when it starts is always the same.
pub fn starts(program: &Program, site: &Partitioning) -> Result<String, Broken> {
    starts_alike(program, &site.component)
}
