//! Which keys a line of a plan means, and if there are none, which rule is in the way.

use std::collections::BTreeSet;

use menard_lang::ir::{Column, Expr, Keyed, Name};
use menard_lang::print::expr;
use menard_value::Type;

use super::split::one_of;
use crate::analysis::demands::{Demand, Demands};
use crate::analysis::keys::{Assignment, Group, Keys, column_name};
use crate::analysis::scope::Scope;
use crate::analysis::terms::{as_column, column, columns as columns_of, of_names, size, with_names};
use crate::edit::variable;
use crate::refusal::{Broken, Obstacle};

/// Adds a demand to others.
type Add = fn(Demands) -> Demands;

/// The demand that facts which meet have equal keys.
pub const JOINS: usize = 0;
/// The demand that aggregates group by the key.
pub const AGGREGATES: usize = 1;
/// The demand that messages which state holds tell the key.
pub const HELD: usize = 2;
/// The demand that keyed tables have the key among their own.
const KEYED: usize = 3;

/// The most terms that a refusal tries in order to say which keys would do.
const MAX_SUGGESTED: usize = 12;

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

/// Whether these expressions give keys that meet all demands.
pub fn are_keys(keys: &Keys<'_>, by: &[Expr]) -> bool {
    choose(keys, by, all_demands()).is_ok()
}

/// The demand at this position with all before it. One of those that cannot be met is left out: it is not this demand that is broken.
fn demands_up_to(keys: &Keys<'_>, by: &[Expr], last: usize) -> Demands {
    let met = DEMANDS[..last].iter().fold(Demands::default(), |demands, add| {
        let more = add(demands);
        if choose(keys, by, more).is_ok() { more } else { demands }
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

/// An expression over names of columns as a term over the columns of a channel; `None` if the channel lacks one.
pub fn term_of(scope: &Scope<'_>, channel: &str, wanted: &Expr) -> Option<Expr> {
    let columns = &scope.program.channel(channel)?.columns;
    of_names(wanted, |name| columns.iter().position(|column| column.name == *name))
}

/// These expressions as keys of each channel that has their columns.
pub fn wanted<'a>(scope: &Scope<'a>, by: &[Expr]) -> Vec<(&'a str, Expr)> {
    let terms = |channel: &'a str| by.iter().filter_map(move |one| Some((channel, term_of(scope, channel, one)?)));
    inputs(scope).into_iter().flat_map(terms).collect()
}

/// A key of a relation with the names of its columns.
fn named<'a>(scope: &Scope<'a>, relation: &str, term: &Expr) -> Expr {
    with_names(term, |column| column_name(scope, relation, column))
}

/// The keys of one position: a candidate for every relation that is read.
pub type Position<'a> = Assignment<'a>;

/// For every position of the key an assignment of all relations, the one that has the named columns; an error if there is none. Of several
/// the first that is the least coarse, and then the least to compute.
pub fn choose<'a>(keys: &Keys<'a>, by: &[Expr], demands: Demands) -> Result<Vec<Position<'a>>, usize> {
    let groups = keys.groups(demands);
    let position = |wanted: Option<&Expr>| -> Result<Position<'a>, usize> {
        let mut whole = Position::new();
        for (index, group) in groups.iter().enumerate() {
            let fits = |found: &&Assignment<'_>| wanted.is_none_or(|wanted| has_key(keys, found, wanted));
            let fitting = group.assignments.iter().filter(fits).min_by_key(|found| cost(keys, found));
            whole.extend(fitting.ok_or(index)?.iter().map(|(relation, key)| (*relation, *key)));
        }
        Ok(whole)
    };
    let mut positions: Vec<Position<'_>> = Vec::new();
    let wanted: Vec<Option<&Expr>> = if by.is_empty() { vec![None] } else { by.iter().map(Some).collect() };
    for wanted in wanted {
        let position = position(wanted)?;
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    Ok(positions)
}

/// How many channels an assignment routes by what has few values, nodes or truth values: most partitions might get nothing. Then, how much
/// senders compute.
fn cost(keys: &Keys<'_>, found: &Assignment<'_>) -> (usize, usize) {
    let channels = found.iter().filter_map(|(name, key)| {
        let term = &keys.candidates(name)[*key];
        Some((&keys.scope.program.channel(name)?.columns, term))
    });
    channels.fold((0, 0), |(coarse, sizes), (columns, term)| {
        let is_coarse = columns_of(term).iter().all(|column| is_coarse(&columns[*column]));
        (coarse + usize::from(is_coarse), sizes + size(term))
    })
}

fn is_coarse(column: &Column) -> bool {
    matches!(column.ty, Type::Node | Type::Bool)
}

/// Whether an assignment of a group keys its channels by this expression: all that have its columns, and one at least. A group without
/// channels can be keyed in any way.
fn has_key(keys: &Keys<'_>, found: &Assignment<'_>, wanted: &Expr) -> bool {
    let is_channel = |(name, _): &(&&str, &usize)| keys.scope.program.channel(name).is_some();
    let channels: Vec<Option<bool>> = found
        .iter()
        .filter(is_channel)
        .map(|(name, key)| Some(term_of(keys.scope, name, wanted)? == keys.candidates(name)[*key]))
        .collect();
    channels.is_empty() || (channels.contains(&Some(true)) && !channels.contains(&Some(false)))
}

/// As [`choose`], with the rule in the way if there are no keys.
pub fn choose_or_explain<'a>(
    keys: &Keys<'a>,
    by: &[Expr],
    last: usize,
    because: &str,
    why: impl Fn(&Demand<'_>, &str) -> String,
) -> Result<Vec<Position<'a>>, Broken> {
    let demands = demands_up_to(keys, by, last);
    let index = match choose(keys, by, demands) {
        // What is said of the keys is said of those that are taken, if there are some.
        Ok(chosen) => return Ok(choose(keys, by, all_demands()).unwrap_or(chosen)),
        Err(index) => index,
    };
    let obstacles = obstacles(keys, &keys.groups(demands)[index], by, demands, why);
    Err(Broken::new(because, obstacles).help(help(keys, by, demands)))
}

/// As [`choose`] with all demands, with the keyed tables in the way if it is they that leave no keys.
pub fn choose_within_keys(keys: &Keys<'_>, by: &[Expr]) -> Result<(), Broken> {
    let demands = demands_up_to(keys, by, KEYED);
    let Err(index) = choose(keys, by, demands) else { return Ok(()) };
    let scope = keys.scope;
    let group = &keys.groups(demands)[index];
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for wanted in tried(scope, by) {
        let Some(table) = group.misplaced(&seed(keys, group, &wanted), demands) else { continue };
        let span = scope.component.relation(table).expect("a keyed table is a relation of the component").span;
        if !obstacles.iter().any(|obstacle| obstacle.span.start == span.start) {
            obstacles.push(Obstacle::new(scope.program, span, why_misplaced(scope, table, &expr(&wanted))));
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
    Err(Broken::new(because, obstacles).help(help(keys, by, demands)))
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

/// The rules of a group that keep the wanted keys, or any, from being keys.
fn obstacles<'a>(
    keys: &Keys<'a>,
    group: &Group<'a, '_>,
    by: &[Expr],
    demands: Demands,
    why: impl Fn(&Demand<'_>, &str) -> String,
) -> Vec<Obstacle> {
    let scope = keys.scope;
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for wanted in tried(scope, by) {
        let seed = seed(keys, group, &wanted);
        let Some(demand) = group.conflict(&seed, demands).filter(|_| !seed.is_empty()) else { continue };
        let rule = scope.rule(demand.rule);
        if !obstacles.iter().any(|obstacle| obstacle.span.start == rule.span.start) {
            let key = format!("the key `{}`", expr(&wanted));
            obstacles.push(Obstacle::new(scope.program, rule.span, why(demand, &key)));
        }
    }
    if obstacles.is_empty() {
        let is_shared = |demand: &&&Demand<'_>| demands.held && demand.is_shared();
        let only_shared = group.demands.iter().any(|demand| is_shared(&demand));
        let concerned = |demand: &&&Demand<'_>| !demand.met.is_empty() && (!only_shared || is_shared(demand));
        let rules = group.demands.iter().filter(concerned);
        let why = |demand: &Demand<'_>| why(demand, "the key");
        obstacles =
            rules.map(|demand| Obstacle::new(scope.program, scope.rule(demand.rule).span, why(demand))).collect();
    }
    obstacles
}

/// The keys that a line asks for, or all columns that it could.
fn tried(scope: &Scope<'_>, by: &[Expr]) -> Vec<Expr> {
    if by.is_empty() { columns(scope).into_iter().map(variable).collect() } else { by.to_vec() }
}

/// The wanted key of the channels of a group.
fn seed<'a>(keys: &Keys<'a>, group: &Group<'a, '_>, wanted: &Expr) -> Assignment<'a> {
    let key = |relation: &&'a str| {
        let term = term_of(keys.scope, relation, wanted)?;
        Some((*relation, keys.candidates(relation).iter().position(|candidate| *candidate == term)?))
    };
    group.relations.iter().filter_map(key).collect()
}

/// The terms, other than columns, that channels may be keyed by, the smallest first.
pub fn suggestions(keys: &Keys<'_>) -> Vec<Expr> {
    let mut terms: Vec<Expr> = Vec::new();
    for channel in inputs(keys.scope) {
        let candidates = keys.candidates(channel).iter().filter(|term| as_column(term).is_none());
        let named = candidates.map(|term| named(keys.scope, channel, term));
        terms.extend(named.filter(|term| !terms.contains(term)).collect::<Vec<_>>());
    }
    terms.sort_by_key(size);
    terms.truncate(MAX_SUGGESTED);
    terms
}

/// Which keys would do. If there are none, whoever asked for columns is told of columns.
fn help(keys: &Keys<'_>, by: &[Expr], demands: Demands) -> String {
    let columns = columns(keys.scope).into_iter().map(variable);
    let possible: Vec<String> = columns
        .chain(suggestions(keys))
        .filter(|one| choose(keys, std::slice::from_ref(one), demands).is_ok())
        .map(|one| expr(&one))
        .collect();
    match possible.is_empty() {
        true => {
            let asked_for_columns = by.iter().all(|one| one.as_variable().is_some());
            let what = if keys.computed && !asked_for_columns {
                "no column, and nothing that rules compute,"
            } else {
                "no column"
            };
            format!("{what} keeps together what meets in the rules of `{}`", keys.scope.component.name)
        }
        false => {
            let possible = possible.iter().map(String::as_str);
            format!("{}, or by several of these", one_of("it can be partitioned by", possible))
        }
    }
}

/// The keys of every channel that the component receives, over its columns: as many for each, even if one occurs twice, since keys of
/// different channels are compared. A channel that no rule reads is routed by what it has.
pub fn name_keys(keys: &Keys<'_>, by: &[Expr], positions: &[Position<'_>]) -> Vec<(Name, Vec<Expr>)> {
    let scope = keys.scope;
    let key = |channel: &str| -> Vec<Expr> {
        let terms = positions.iter().filter_map(|found| found.get(channel));
        let mut key: Vec<Expr> = terms.map(|term| named(scope, channel, &keys.candidates(channel)[*term])).collect();
        if key.is_empty() {
            let all = scope.program.channel(channel).map(|channel| channel.columns.as_slice()).unwrap_or_default();
            let wanted = by.iter().filter_map(|one| as_column(&term_of(scope, channel, one)?)).min();
            let some = || all.iter().position(|column| !is_coarse(column)).or((!all.is_empty()).then_some(0));
            key.extend(wanted.or_else(some).map(|position| named(scope, channel, &column(position))));
        }
        key
    };
    inputs(scope).into_iter().map(|channel| (Name::from(channel), key(channel))).collect()
}

/// The keys of the component's own relations, for a person.
pub fn all_keys(keys: &Keys<'_>, positions: &[Position<'_>]) -> Vec<String> {
    let first = positions.first();
    let is_own = |name: &&&str| keys.scope.program.channel(name).is_none();
    let own = first.into_iter().flat_map(|found| found.keys()).filter(is_own);
    own.map(|name| {
        let key = |found: &Position<'_>| Some(named(keys.scope, name, &keys.candidates(name)[*found.get(name)?]));
        let key: Vec<Expr> = positions.iter().filter_map(key).collect();
        format!("`{name}` by {}", list(&key))
    })
    .collect()
}

/// "`a`, `b`".
pub fn list(key: &[Expr]) -> String {
    key.iter().map(|one| format!("`{}`", expr(one))).collect::<Vec<_>>().join(", ")
}
