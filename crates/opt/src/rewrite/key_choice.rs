//! Which keys a line of a plan means, and if there are none, which rule is in the way.

use std::collections::BTreeSet;

use menard_lang::ir::{Column, Keyed, Name};
use menard_value::Type;

use super::split::one_of;
use crate::analysis::keys::{Assignment, Demand, Demands, Group, column_name, groups};
use crate::analysis::scope::Scope;
use crate::refusal::{Broken, Obstacle};

/// Adds a demand to others.
type Add = fn(Demands) -> Demands;

/// The demand of P1.3.
pub const JOINS: usize = 0;
/// The demand of P1.4.
pub const AGGREGATES: usize = 1;
/// The demand of P1.5.
pub const HELD: usize = 2;

/// The demand of P1.7.
const KEYED: usize = 3;

/// The demands on keys, in the order of the preconditions that decide them.
const DEMANDS: [Add; 4] = [
    |demands| Demands { joins: true, ..demands },
    |demands| Demands { aggregates: true, ..demands },
    |demands| Demands { held: true, ..demands },
    |demands| Demands { keyed: true, ..demands },
];

/// All demands.
fn all_demands() -> Demands {
    DEMANDS.iter().fold(Demands::default(), |demands, add| add(demands))
}

/// Whether these names give keys that meet all demands.
pub fn are_keys(scope: &Scope<'_>, by: &[Name]) -> bool {
    choose(scope, by, all_demands()).is_ok()
}

/// The demand at this position with all before it. One of those that cannot be met is left out: it is not this demand that is broken.
fn demands_up_to(scope: &Scope<'_>, by: &[Name], last: usize) -> Demands {
    let met = DEMANDS[..last].iter().fold(Demands::default(), |demands, add| {
        let more = add(demands);
        if choose(scope, by, more).is_ok() { more } else { demands }
    });
    DEMANDS[last](met)
}

/// The channels that the component receives.
pub fn inputs<'a>(scope: &Scope<'a>) -> Vec<&'a str> {
    let received = scope.program.channels.iter().filter(|channel| channel.receiver == scope.component.name);
    received.map(|channel| channel.name.as_str()).collect()
}

/// The names of columns of these.
pub fn columns<'a>(scope: &Scope<'a>) -> BTreeSet<&'a str> {
    let received = scope.program.channels.iter().filter(|channel| channel.receiver == scope.component.name);
    received.flat_map(|channel| &channel.columns).map(|column| column.name.as_str()).collect()
}

/// The keys of one position: a column for every relation that is read.
pub type Position<'a> = Assignment<'a>;

/// For every position of the key an assignment of all relations, the one that has the named columns; an error if there is none. Of several
/// the first that is the least coarse.
pub fn choose<'a>(scope: &Scope<'a>, by: &[Name], demands: Demands) -> Result<Vec<Position<'a>>, usize> {
    let groups = groups(scope, demands);
    let position = |name: Option<&Name>| -> Result<Position<'a>, usize> {
        let mut whole = Position::new();
        for (index, group) in groups.iter().enumerate() {
            let fits = |keys: &&Assignment<'_>| name.is_none_or(|name| has_columns(scope, keys, name));
            let fitting = group.assignments.iter().filter(fits).min_by_key(|keys| coarseness(scope, keys));
            whole.extend(fitting.ok_or(index)?.iter().map(|(relation, column)| (*relation, *column)));
        }
        Ok(whole)
    };
    let mut positions: Vec<Position<'_>> = Vec::new();
    let wanted: Vec<Option<&Name>> = if by.is_empty() { vec![None] } else { by.iter().map(Some).collect() };
    for name in wanted {
        let position = position(name)?;
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    Ok(positions)
}

/// How many channels an assignment routes by a column with few values, a node or a truth value: most partitions might get nothing.
fn coarseness(scope: &Scope<'_>, keys: &Assignment<'_>) -> usize {
    let columns = keys.iter().filter_map(|(name, key)| Some(&scope.program.channel(name)?.columns[*key]));
    columns.filter(|column| is_coarse(column)).count()
}

fn is_coarse(column: &Column) -> bool {
    matches!(column.ty, Type::Node | Type::Bool)
}

/// Whether an assignment of a group keys its channels by this name: all that have such a column, and one at least. A group without
/// channels can be keyed in any way.
fn has_columns(scope: &Scope<'_>, keys: &Assignment<'_>, name: &str) -> bool {
    let channels: Vec<(&str, usize)> = keys
        .iter()
        .filter(|(relation, _)| scope.program.channel(relation).is_some())
        .map(|(name, key)| (*name, *key))
        .collect();
    let has = |channel: &str| {
        scope.program.channel(channel).is_some_and(|channel| channel.columns.iter().any(|column| column.name == name))
    };
    let named = |(channel, key): &(&str, usize)| column_name(scope, channel, *key) == name;
    channels.is_empty() || (channels.iter().any(named) && channels.iter().all(|entry| named(entry) || !has(entry.0)))
}

/// As [`choose`], with the rule in the way if there are no keys.
pub fn choose_or_explain<'a>(
    scope: &Scope<'a>,
    by: &[Name],
    last: usize,
    because: &str,
    why: impl Fn(&Demand<'_>, &str) -> String,
) -> Result<Vec<Position<'a>>, Broken> {
    let demands = demands_up_to(scope, by, last);
    let index = match choose(scope, by, demands) {
        // What is said of the keys is said of those that are taken, if there are some.
        Ok(keys) => return Ok(choose(scope, by, all_demands()).unwrap_or(keys)),
        Err(index) => index,
    };
    let obstacles = obstacles(scope, &groups(scope, demands)[index], by, demands, why);
    Err(Broken::new(because, obstacles).help(help(scope, demands)))
}

/// As [`choose`] with all demands, with the keyed tables in the way if it is they that leave no keys.
pub fn choose_within_keys(scope: &Scope<'_>, by: &[Name]) -> Result<(), Broken> {
    let demands = demands_up_to(scope, by, KEYED);
    let Err(index) = choose(scope, by, demands) else { return Ok(()) };
    let group = &groups(scope, demands)[index];
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for name in tried(scope, by) {
        let Some(table) = group.misplaced(scope, &seed(scope, group, &name), demands) else { continue };
        let span = scope.component.relation(table).expect("a keyed table is a relation of the component").span;
        if !obstacles.iter().any(|obstacle| obstacle.span.start == span.start) {
            obstacles.push(Obstacle::new(scope.program, span, why_misplaced(scope, table, &name)));
        }
    }
    if obstacles.is_empty() {
        let keyed = scope.component.relations.iter().filter(|relation| relation.storage.key.is_some());
        let concerned = keyed.filter(|relation| group.relations.contains(&relation.name.as_str()));
        obstacles.extend(
            concerned.map(|relation| Obstacle::new(scope.program, relation.span, "no column of this would do")),
        );
    }
    let because = "candidates for one key of a table would be on different partitions";
    Err(Broken::new(because, obstacles).help(help(scope, demands)))
}

fn why_misplaced(scope: &Scope<'_>, table: &str, name: &str) -> String {
    let relations = || scope.component.relations.iter();
    if let Some(window) = relations().find(|relation| relation.storage.above.as_deref() == Some(table)) {
        return format!(
            "the window `{}` needs this at every partition, and it has one value for the node",
            window.name
        );
    }
    match scope.storage(table).and_then(|storage| storage.key) {
        Some(Keyed { columns: 0, .. }) => "this has one value for the node".into(),
        _ => format!("`{name}` is not in the key of this table"),
    }
}

/// The rules of a group that keep the named columns, or any, from being keys.
fn obstacles<'a>(
    scope: &Scope<'a>,
    group: &Group<'a>,
    by: &[Name],
    demands: Demands,
    why: impl Fn(&Demand<'_>, &str) -> String,
) -> Vec<Obstacle> {
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for name in tried(scope, by) {
        let seed = seed(scope, group, &name);
        let Some(demand) = group.conflict(&seed, demands).filter(|_| !seed.is_empty()) else { continue };
        let rule = scope.rule(demand.rule);
        if !obstacles.iter().any(|obstacle| obstacle.span.start == rule.span.start) {
            obstacles.push(Obstacle::new(scope.program, rule.span, why(demand, &format!("the key `{name}`"))));
        }
    }
    if obstacles.is_empty() {
        let is_shared = |demand: &&Demand<'_>| demands.held && demand.is_shared();
        let only_shared = group.demands.iter().any(|demand| is_shared(&demand));
        let concerned = |demand: &&Demand<'_>| !demand.met.is_empty() && (!only_shared || is_shared(demand));
        let rules = group.demands.iter().filter(concerned);
        let why = |demand: &Demand<'_>| why(demand, "the key");
        obstacles =
            rules.map(|demand| Obstacle::new(scope.program, scope.rule(demand.rule).span, why(demand))).collect();
    }
    obstacles
}

/// The names that a line asks for, or all that it could.
fn tried(scope: &Scope<'_>, by: &[Name]) -> Vec<Name> {
    if by.is_empty() { columns(scope).into_iter().map(Name::from).collect() } else { by.to_vec() }
}

/// The columns with this name of the channels of a group.
fn seed<'a>(scope: &Scope<'a>, group: &Group<'a>, name: &str) -> Assignment<'a> {
    let channels = group.relations.iter().filter_map(|relation| Some((*relation, scope.program.channel(relation)?)));
    channels
        .filter_map(|(relation, channel)| {
            Some((relation, channel.columns.iter().position(|column| column.name == name)?))
        })
        .collect()
}

/// Which keys would do.
fn help(scope: &Scope<'_>, demands: Demands) -> String {
    let possible: Vec<&str> = columns(scope)
        .into_iter()
        .filter(|name| choose(scope, std::slice::from_ref(&Name::from(*name)), demands).is_ok())
        .collect();
    match possible.is_empty() {
        true => format!("no column keeps together what meets in the rules of `{}`", scope.component.name),
        false => format!("{}, or by several of these", one_of("it can be partitioned by", possible)),
    }
}

/// The key columns of every channel that the component receives, by name: as many for each, even if one occurs twice, since keys of
/// different channels are compared. A channel that no rule reads is routed by what it has.
pub fn name_keys(scope: &Scope<'_>, by: &[Name], positions: &[Position<'_>]) -> Vec<(Name, Vec<Name>)> {
    let key = |channel: &str| -> Vec<Name> {
        let columns = positions.iter().filter_map(|keys| keys.get(channel));
        let mut key: Vec<Name> = columns.map(|column| Name::from(column_name(scope, channel, *column))).collect();
        if key.is_empty() {
            let all = scope.program.channel(channel).map(|channel| channel.columns.as_slice()).unwrap_or_default();
            let named = all
                .iter()
                .find(|column| by.contains(&column.name))
                .or_else(|| all.iter().find(|column| !is_coarse(column)))
                .or(all.first());
            key.extend(named.map(|column| column.name.clone()));
        }
        key
    };
    inputs(scope).into_iter().map(|channel| (Name::from(channel), key(channel))).collect()
}

/// The keys of the component's own relations, for a person.
pub fn all_keys(scope: &Scope<'_>, positions: &[Position<'_>]) -> Vec<String> {
    let first = positions.first();
    let own = first.into_iter().flat_map(|keys| keys.keys()).filter(|name| scope.program.channel(name).is_none());
    own.map(|name| {
        let columns: Vec<Name> =
            positions.iter().filter_map(|keys| Some(Name::from(column_name(scope, name, *keys.get(name)?)))).collect();
        format!("`{name}` by {}", list(&columns))
    })
    .collect()
}

/// "`a`, `b`".
pub fn list(names: &[Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
