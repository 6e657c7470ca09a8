//! What a campaign has reached, by name: rules, thresholds, states, channels; and what it has not. A campaign in which nothing goes wrong tells
//! nothing where nothing happened.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{Component, Expr, ExprKind, HeadArg, Literal, Name, Rule};
use menard_lang::print;
use menard_lang::properties;
use menard_sim::{CampaignReport, Firings, SAMPLED_TURNS};
use serde_json::{Value, json};

use crate::table::{Table, grouped};

/// So many of what was not reached are named; the rest is counted.
const MAX_NAMED: usize = 4;
/// A rule is shown up to so many letters.
const RULE_WIDTH: usize = 72;

/// What a campaign of a program has reached.
pub struct Reach<'a> {
    program: &'a Program,
    report: &'a CampaignReport,
    rules: Vec<Reached<'a>>,
}

/// A rule, and how often it fired.
struct Reached<'a> {
    component: &'a Component,
    rule: &'a Rule,
    fired: Firings,
    /// The literals by which it waits until enough has come together: `new` ones, and aggregates compared with a bound.
    thresholds: Vec<String>,
}

impl<'a> Reach<'a> {
    /// What this campaign reached, if rules were counted in it.
    pub fn new(program: &'a Program, report: &'a CampaignReport) -> Option<Self> {
        let counts = &report.coverage.rules;
        let fits = |(component, counts): (&Component, &Vec<Firings>)| component.rules.len() == counts.len();
        if counts.len() < program.components.len() || !program.components.iter().zip(counts).all(fits) {
            return None;
        }
        let of = |(component, counts): (&'a Component, &'a Vec<Firings>)| {
            component.rules.iter().zip(counts).map(move |(rule, fired)| Reached {
                component,
                rule,
                fired: *fired,
                thresholds: thresholds(component, rule),
            })
        };
        let rules = program.components.iter().zip(counts).flat_map(of).collect();
        Some(Reach { program, report, rules })
    }

    /// One line: which rules never fired.
    pub fn line(&self) -> String {
        let told = self.never_fired().unwrap_or_else(|| format!("all {} rules fired", self.rules.len()));
        format!("coverage: {told}")
    }

    /// Which rules never fired, and where they stand; `None` if all did.
    pub fn never_fired(&self) -> Option<String> {
        self.never_fired_but_for(&BTreeMap::new())
    }

    /// The same of those rules that are not for one of these relations.
    pub fn never_fired_but_for(&self, rare: &BTreeMap<String, String>) -> Option<String> {
        let is_rare = |rule: &&Reached<'_>| rare.contains_key(rule.rule.head.relation.as_str());
        let silent: Vec<String> = self.silent().filter(|rule| !is_rare(rule)).map(|rule| self.name(rule)).collect();
        self.told(&silent)
    }

    /// The runs in which that of the rules for a relation fired that did so in the fewest; 0 if there are none.
    pub fn fewest_runs(&self, relation: &str) -> u64 {
        let rules = self.rules.iter().filter(|rule| rule.rule.head.relation == relation);
        rules.map(|rule| rule.fired.runs).min().unwrap_or(0)
    }

    fn told(&self, silent: &[String]) -> Option<String> {
        let all = self.rules.len();
        (!silent.is_empty()).then(|| format!("{} of {all} rules never fired: {}", silent.len(), few(silent)))
    }

    /// The rules that never fired, for programs.
    pub fn never_fired_json(&self) -> Value {
        self.silent().map(|rule| self.place_json(rule)).collect()
    }

    fn silent(&self) -> impl Iterator<Item = &Reached<'a>> {
        self.rules.iter().filter(|rule| rule.fired.runs == 0)
    }

    /// Everything, as tables.
    pub fn tables(&self) -> String {
        let mut rules = Table::new(["rule", "line", "runs", "times"]);
        for reached in &self.rules {
            let text = shortened(&print::rule(reached.rule));
            let Firings { runs, times } = reached.fired;
            rules.row([text, self.line_of(reached).to_string(), grouped(runs), grouped(times)]);
        }
        let mut channels = Table::new(["channel", "messages"]);
        for (name, count) in &self.report.channels {
            channels.row([name.to_string(), grouped(*count)]);
        }
        format!("{}\n{}\n{}", rules.render(), channels.render(), self.sums())
    }

    /// Thresholds and states.
    fn sums(&self) -> String {
        let thresholds = self.rules.iter().flat_map(|rule| rule.thresholds.iter().map(move |text| (rule, text)));
        let thresholds: Vec<_> = thresholds.collect();
        let missed: Vec<String> = thresholds
            .iter()
            .filter(|(rule, _)| rule.fired.runs == 0)
            .map(|(rule, text)| format!("`{text}` ({})", self.place(rule)))
            .collect();
        let not = if missed.is_empty() { String::new() } else { format!("; not {}", few(&missed)) };
        let reached = thresholds.len() - missed.len();
        let states = self.report.coverage.states.as_ref().map(|states| {
            let about = grouped(states.estimate());
            format!("states: about {about} different ones of nodes, at the end of one turn in {SAMPLED_TURNS} (a sketch, off by about 3 %)\n")
        });
        let all = thresholds.len();
        format!("thresholds: {reached} of {all} reached{not}\n{}", states.unwrap_or_default())
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let rule = |reached: &Reached<'_>| {
            let mut rule = self.place_json(reached);
            rule["runs"] = json!(reached.fired.runs);
            rule["times"] = json!(reached.fired.times);
            rule["thresholds"] = json!(reached.thresholds);
            rule
        };
        json!({
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            "rules_never_fired": self.silent().count(),
            "states_about": self.report.coverage.states.as_ref().map(|states| states.estimate()),
        })
    }

    /// A rule and where it stands.
    fn place_json(&self, reached: &Reached<'_>) -> Value {
        json!({
            "component": reached.component.name.as_str(),
            "rule": print::rule(reached.rule),
            "file": self.program.source.place(reached.rule.span.start).name,
            "line": self.line_of(reached),
        })
    }

    fn name(&self, reached: &Reached<'_>) -> String {
        let delete = if reached.rule.delete { "delete " } else { "" };
        format!("`{delete}{}` of {} ({})", reached.rule.head.relation, reached.component.name, self.place(reached))
    }

    fn place(&self, reached: &Reached<'_>) -> String {
        let place = self.program.source.place(reached.rule.span.start);
        format!("{}:{}", place.name, place.line())
    }

    fn line_of(&self, reached: &Reached<'_>) -> usize {
        self.program.source.place(reached.rule.span.start).line()
    }
}

/// What of the properties no run can have violated.
pub struct Vacuous {
    /// Their texts: nothing came that they speak of.
    pub properties: Vec<String>,
    /// Whether these are all properties that there are.
    pub is_all: bool,
}

impl Vacuous {
    /// What of these properties could not be violated in this campaign.
    pub fn of(observer: &Program, report: &CampaignReport) -> Self {
        let Some(component) = observer.components.first() else {
            return Vacuous { properties: Vec::new(), is_all: false };
        };
        let possible = possible(observer, component, report);
        let views = properties::violations(observer).into_iter().chain(properties::goals(observer));
        let views: Vec<Name> = views.collect();
        let text = |view: &Name| {
            let rule = component.rules.iter().find(|rule| rule.head.relation == *view)?;
            let text = observer.source.text.get(rule.span.start as usize..rule.span.end as usize)?;
            Some(shortened(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
        };
        let properties: Vec<String> = views.iter().filter(|view| !possible.contains(*view)).filter_map(text).collect();
        Vacuous { is_all: !views.is_empty() && properties.len() == views.len(), properties }
    }
}

/// The relations of an observer that can have had a fact, as far as one can tell from which channels had a message.
fn possible(observer: &Program, component: &Component, report: &CampaignReport) -> BTreeSet<Name> {
    let is_channel = |name: &Name| observer.channel(name).is_some();
    let had = |name: &Name| report.channels.get(name).is_some_and(|count| *count > 0);
    let is_derived = |name: &Name| component.rules.iter().any(|rule| rule.head.relation == *name);
    let mut possible = BTreeSet::new();
    loop {
        let holds = |name: &Name| match (is_channel(name), is_derived(name)) {
            (true, _) => had(name),
            (false, true) => possible.contains(name),
            (false, false) => true,
        };
        let can_fire = |rule: &&Rule| rule.positive_atoms().all(|atom| holds(&atom.relation));
        let found: BTreeSet<Name> =
            component.rules.iter().filter(can_fire).map(|rule| rule.head.relation.clone()).collect();
        if found.len() == possible.len() {
            return possible;
        }
        possible = found;
    }
}

/// The literals of a rule by which it waits until enough has come together.
fn thresholds(component: &Component, rule: &Rule) -> Vec<String> {
    let mut sums: BTreeSet<&Name> = BTreeSet::new();
    let mut found = Vec::new();
    for atom in rule.positive_atoms() {
        let args = atom.args.iter().enumerate();
        let counted: Vec<&Expr> =
            args.filter(|(column, _)| is_counted(component, &atom.relation, *column)).map(|(_, arg)| arg).collect();
        sums.extend(counted.iter().filter_map(|arg| arg.as_variable()));
        let is_bound = |arg: &&Expr| arg.as_variable().is_none() && arg.kind != ExprKind::Wildcard;
        if atom.new || counted.iter().any(is_bound) {
            found.push(print::literal(&Literal::Atom(atom.clone())));
        }
    }
    let compares = |literal: &&Literal| {
        let mut names_sum = false;
        let mut visit = |expr: &Expr| names_sum |= expr.as_variable().is_some_and(|name| sums.contains(name));
        literal.expressions().for_each(|expr| expr.visit(&mut visit));
        matches!(literal, Literal::Compare { .. }) && names_sum
    };
    found.extend(rule.body.iter().filter(compares).map(print::literal));
    found
}

/// Whether a column of a relation is what an aggregate gives.
fn is_counted(component: &Component, relation: &Name, column: usize) -> bool {
    let deriving = component.rules.iter().filter(|rule| rule.head.relation == *relation);
    deriving.map(|rule| rule.head.args.get(column)).any(|arg| matches!(arg, Some(HeadArg::Aggregate { .. })))
}

/// The first few of a list.
fn few(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

fn shortened(text: &str) -> String {
    match text.chars().count() > RULE_WIDTH {
        true => text.chars().take(RULE_WIDTH - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
