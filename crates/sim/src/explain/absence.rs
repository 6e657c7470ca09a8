//! Why something does not hold: for each rule that could derive it, the first literal that fails.

use menard_lang::ir::{Component, Expr, ExprKind, HeadArg, Name, Rule, RuleKind};
use menard_lang::print;
use menard_value::Value;

use super::chronicle::{Chronicle, place};
use super::matching::{Reader, Solution, bind};
use super::notation::Spoken;
use super::query::{Pattern, is_of, matches};
use super::reason::Reason;
use super::storage::kept_out;

/// Messages or facts that are named; there may be many.
const MAX_NAMED: usize = 5;

/// Why a fact does not hold in an event, or why no such message is sent or taken there.
pub(super) fn absent(chronicle: &Chronicle<'_>, event: usize, spoken: &Spoken, pattern: &Pattern) -> Reason {
    let end = |word: &str, node: Option<menard_value::Node>| {
        node.map(|node| format!(" {word} {}", chronicle.names.node(node))).unwrap_or_default()
    };
    let fact = shown(chronicle, &spoken.relation, pattern) + &end("from", spoken.from) + &end("to", spoken.to);
    let mut reason = Reason::leaf(format!("{fact} does not hold in event {}", chronicle.label(event)));
    let because = &mut reason.because;
    if chronicle.program.channel(&spoken.relation).is_some() {
        let flights = (0..chronicle.flights.len()).filter(|f| is_of(&chronicle.flights[*f], spoken, pattern));
        because.extend(flights.take(MAX_NAMED).map(|flight| Reason::leaf(chronicle.fate(flight))));
        if because.is_empty() {
            because.push(Reason::leaf("no such message is sent in this run"));
        }
    }
    because.extend(deleted(chronicle, event, &spoken.relation, pattern));
    because.extend(kept_out(chronicle, event, &spoken.relation, pattern));
    let component = place(&chronicle.moments[event].event).and_then(|at| chronicle.component(at));
    let Some((component, step)) = component.zip(chronicle.step(event)) else { return reason };
    let to = spoken.to.map(Value::Node);
    for rule in rules(component, &spoken.relation) {
        // What `:+` says takes effect in the next step.
        let when = if rule.kind == RuleKind::Next { step.previous } else { Some(event) };
        let Some((when, reader)) = when.and_then(|when| Some((when, chronicle.reader(when, u32::MAX)?))) else {
            continue;
        };
        because.push(fails(chronicle, when, reader, rule, (pattern, to.as_ref())));
    }
    if because.is_empty() {
        because.push(Reason::leaf("no rule derives it"));
    }
    reason
}

fn rules<'a>(component: &'a Component, relation: &'a Name) -> impl Iterator<Item = &'a Rule> {
    component.rules.iter().filter(move |rule| !rule.delete && rule.head.relation == *relation)
}

/// Facts of a table that were there before, and the rule that deleted them.
fn deleted(chronicle: &Chronicle<'_>, event: usize, relation: &Name, pattern: &Pattern) -> Option<Reason> {
    let mut step = chronicle.step(event)?;
    while let Some(previous) = step.previous {
        step = chronicle.step(previous)?;
        let mut rows = step.deleted.get(relation).into_iter().flatten();
        let Some(row) = rows.find(|row| matches(pattern, row)) else { continue };
        let text = format!("{} was deleted in event {}", chronicle.fact(relation, row), chronicle.label(previous));
        let component = chronicle.component(place(&chronicle.moments[previous].event)?)?;
        let reader = chronicle.reader(previous, u32::MAX)?;
        let deletes = |rule: &&Rule| {
            rule.delete
                && rule.head.relation == *relation
                && reader.patterns(rule).iter().any(|pattern| matches(pattern, row))
        };
        let rule = component.rules.iter().find(deletes)?;
        return Some(chronicle.by_rule(rule, text));
    }
    None
}

/// Why a rule does not derive a fact in a step.
fn fails(
    chronicle: &Chronicle<'_>,
    event: usize,
    reader: Reader<'_>,
    rule: &Rule,
    (pattern, to): (&Pattern, Option<&Value>),
) -> Reason {
    let text = match head(reader, rule, pattern, to) {
        Err(problem) => problem,
        Ok(given) => {
            let search = reader.solve(rule, given);
            match search.furthest {
                Some((_, literal, solution)) if search.solutions.is_empty() => {
                    let literal = chronicle.literal(event, &rule.body[literal], &solution);
                    format!("in event {}, this fails: {literal}", chronicle.label(event))
                }
                _ => {
                    let heads = reader.heads(rule, search.solutions);
                    let skip = usize::from(rule.head.at.is_some());
                    let heads = heads.keys().take(MAX_NAMED);
                    let heads: Vec<String> =
                        heads.map(|row| chronicle.names.fact(&rule.head.relation, &row[skip..])).collect();
                    format!("in event {}, it gives {}", chronicle.label(event), heads.join(", "))
                }
            }
        }
    };
    chronicle.by_rule(rule, text)
}

/// The values that a head gives to variables if it is to be this fact.
fn head(reader: Reader<'_>, rule: &Rule, pattern: &Pattern, to: Option<&Value>) -> Result<Solution, String> {
    let mut solution = Solution::new();
    let args = rule.head.args.iter().zip(pattern).filter_map(|(arg, wanted)| match arg {
        HeadArg::Expr(expr) => Some((expr, wanted.as_ref()?)),
        HeadArg::Aggregate { .. } => None,
    });
    for (expr, wanted) in args.chain(rule.head.at.as_ref().zip(to)) {
        let different = || format!("its head has {} there", print::expr(expr));
        solution = match expr {
            Expr { kind: ExprKind::Variable(name), .. } => bind(solution, name, wanted).ok_or_else(different)?,
            _ => match reader.evaluate(expr, &Solution::new()) {
                Some(value) if value != *wanted => return Err(different()),
                _ => solution,
            },
        };
    }
    Ok(solution)
}

/// A fact with `_` for values that do not matter.
fn shown(chronicle: &Chronicle<'_>, relation: &str, pattern: &Pattern) -> String {
    let value = |value: &Option<Value>| match value {
        Some(value) => chronicle.names.value(value),
        None => "_".to_owned(),
    };
    format!("{relation}({})", pattern.iter().map(value).collect::<Vec<_>>().join(", "))
}
