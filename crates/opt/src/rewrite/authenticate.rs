//! **A1, authenticating fewer columns**: the MACs of a channel cover some columns, and receivers check that the others follow from them.
//!
//! *When allowed.* The *checks* are equations between columns, `d == hash(what)`.
//! * A1.1 The channel goes between components, and is no timer: both ends have rules, and there is a wire.
//! * A1.2 What correct nodes send passes checks by which the columns that are covered determine the others: every rule that sends makes them so, given
//!   what is [known](crate::analysis::sent) of what it reads.
//! * A1.3 No rule asks for the absence of a message: a changed one would be there.
//! * A1.4 Where somebody who may lie sends to a rule, the rule has the checks already. To add them would be to drop what the original takes.
//! * A1.5 Where a column gets a name because of a check, no aggregate looks at all names of its rule.
//!
//! *Mechanism.* Rules that read the channel and do not have the checks get them; the channel says what is covered.
//!
//! *Example.* `authenticate keep by id, d`.
//!
//! *Why it is correct.* A message that somebody has changed has other values in columns that are not covered. Those of the message that was sent pass the
//! checks (A1.2), and are the only ones that do, so the changed message does not, and no rule takes it. What else arrives is taken as before: messages of correct
//! nodes pass the checks, and liars are heard only by rules that had them.
//!
//! *Source.* "Bigger, not Badder: Safely Scaling BFT Protocols" (PaPoC 2024), signing fewer fields by dependencies. That the receiver's check has to be one that the *sender*
//! sees to, A1.3 and A1.4 are ours.

use std::collections::BTreeSet;

use menard_lang::authentication::{unchecked, unchecked_by};
use menard_lang::determined::close;
use menard_lang::ir::{
    Aggregate, Atom, Channel, Comparison, Expr, ExprKind, HeadArg, Literal, Name, Program, Rule, RuleKind,
};
use menard_lang::plan::LineKind;
use menard_lang::print;
use menard_lang::run::{Event, Schedule, Trace};
use menard_lang::source::Span;

use super::split::{one_of, suggest};
use super::{Misfit, Rewrite, decide};
use crate::analysis::dependencies::Dependency;
use crate::analysis::equations::{Class, Equations};
use crate::analysis::fault_model::declares_liars;
use crate::analysis::sent::sent;
use crate::analysis::terms::{as_column, column, size, with_names};
use crate::edit::{self, fresh, is_declared, variable};
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct Authenticate;

/// A channel, and the columns that its MACs go on to cover.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    channel: Name,
    covered: Vec<Name>,
}

/// What was proved, and what is checked.
pub struct Permit {
    site: Site,
    proofs: Proofs,
    checks: Vec<Dependency>,
}

impl Rewrite for Authenticate {
    type Site = Site;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "authenticate"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/authenticate.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Site>] {
        PRECONDITIONS
    }

    fn sites(&self, program: &Program) -> Vec<Site> {
        let all_but_one = |channel: &Channel| {
            let names: Vec<Name> = channel.columns.iter().map(|column| column.name.clone()).collect();
            let without = |left_out: &Name| names.iter().filter(|name| *name != left_out).cloned().collect();
            let site = |left_out: &Name| Site { channel: channel.name.clone(), covered: without(left_out) };
            names.iter().filter(|_| names.len() > 1).map(site).collect::<Vec<Site>>()
        };
        program.channels.iter().filter(|channel| channel.authenticated.is_empty()).flat_map(all_but_one).collect()
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Site, Misfit>> {
        let LineKind::Authenticate { channel, columns } = line else { return None };
        Some(find(program, channel, columns))
    }

    fn permit(&self, program: &Program, site: &Site, proofs: Proofs) -> Permit {
        // Only where A1.2 was skipped there are none.
        let checks = site.checks(program).unwrap_or_default();
        Permit { site: site.clone(), proofs, checks }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        let mut rewritten = program.clone();
        let uncovered = permit.site.uncovered(program);
        for rule in rewritten.components.iter_mut().flat_map(|component| &mut component.rules) {
            add_checks(program, rule, &permit.site, &uncovered, &permit.checks);
        }
        for channel in rewritten.channels.iter_mut().filter(|channel| channel.name == permit.site.channel) {
            channel.authenticated.clone_from(&permit.site.covered);
        }
        rewritten
    }

    /// The original does the same. What was changed on the wire is no part of the run.
    fn lift(&self, _: &Permit, run: &Trace) -> Schedule {
        let mut events = run.events.clone();
        for event in &mut events {
            if let Event::Step { outputs, .. } = event {
                outputs.clear();
            }
        }
        Schedule { events, choice_seed: run.choice_seed }
    }
}

/// The rewritten program, in which channels of the original are authenticated as a whole again if some rule does not check what is not covered: rules that
/// hand on what they receive do not. That covers more, which is always right.
pub fn covered_where_unchecked(original: &Program, mut rewritten: Program) -> Program {
    let is_covered = |channel: &Channel| {
        let was_so = original.channel(&channel.name).is_some_and(|old| old.authenticated == channel.authenticated);
        was_so && !unchecked(&rewritten, channel, &channel.uncovered()).is_empty()
    };
    let covered: Vec<bool> = rewritten.channels.iter().map(is_covered).collect();
    for (channel, _) in rewritten.channels.iter_mut().zip(covered).filter(|(_, is_covered)| *is_covered) {
        channel.authenticated.clear();
    }
    rewritten
}

/// What a line means.
fn find(program: &Program, channel: &Name, columns: &[Name]) -> Result<Site, Misfit> {
    let misfit = |word: &Name, message: String, help: Option<String>| Misfit { word: word.to_string(), message, help };
    let Some(found) = program.channel(channel) else {
        let names = program.channels.iter().map(|channel| channel.name.as_str()).collect();
        let message = format!("`{}` has no channel `{channel}` at this line", program.name);
        return Err(misfit(channel, message, Some(suggest(channel, "its channels are", names))));
    };
    if !program.roles.iter().any(|role| declares_liars(program, &role.name)) {
        let message = "no node may be Byzantine, so nobody changes messages".to_owned();
        return Err(misfit(channel, message, Some("declare `fault byzantine` of a role".into())));
    }
    for (position, name) in columns.iter().enumerate() {
        if !found.columns.iter().any(|column| column.name == *name) {
            let names = found.columns.iter().map(|column| column.name.as_str()).collect();
            let message = format!("`{channel}` has no column `{name}`");
            return Err(misfit(name, message, Some(suggest(name, "its columns are", names))));
        }
        if columns[..position].contains(name) {
            return Err(misfit(name, format!("`{name}` is authenticated twice"), None));
        }
        if !found.authenticated.is_empty() && !found.authenticated.contains(name) {
            let message = format!("MACs of `{channel}` do not cover `{name}` at this line");
            let help = one_of("they cover", found.authenticated.iter().map(Name::as_str));
            return Err(misfit(name, message, Some(help)));
        }
    }
    let site = Site { channel: channel.clone(), covered: columns.to_vec() };
    if site.uncovered(program) == found.uncovered() {
        return Err(misfit(channel, format!("MACs of `{channel}` cover no more than that at this line"), None));
    }
    Ok(site)
}

impl Site {
    /// A channel of a program, and which of its columns are to be covered.
    pub(super) fn new(channel: &Channel, covered: Vec<Name>) -> Site {
        Site { channel: channel.name.clone(), covered }
    }

    /// Whether every rule that reads the channel has the checks, so that none is added.
    pub(super) fn is_checked(&self, program: &Program) -> bool {
        let uncovered = self.uncovered(program);
        let is_checked = |checks: Vec<Dependency>| {
            self.readers(program).iter().all(|(rule, atom)| is_checked(rule, atom, &uncovered, &checks))
        };
        self.checks(program).is_ok_and(is_checked)
    }

    fn channel<'p>(&self, program: &'p Program) -> &'p Channel {
        program.channel(&self.channel).expect("the channel of a site is one of its program")
    }

    /// The positions of the columns that are left out.
    fn uncovered(&self, program: &Program) -> Vec<usize> {
        let columns = self.channel(program).columns.iter().enumerate();
        columns.filter(|(_, column)| !self.covered.contains(&column.name)).map(|(position, _)| position).collect()
    }

    /// As few of the dependencies of what is sent as determine what is left out; else the columns that none of them determine.
    fn checks(&self, program: &Program) -> Result<Vec<Dependency>, Vec<usize>> {
        let uncovered = self.uncovered(program);
        let mut checks = sent(program, self.channel(program));
        let open: Vec<usize> = undetermined(&checks, &uncovered, self.channel(program));
        if !open.is_empty() {
            return Err(open);
        }
        checks.sort_by_key(|check| size(&check.term));
        for position in (0..checks.len()).rev() {
            let without: Vec<Dependency> = [&checks[..position], &checks[position + 1..]].concat();
            if undetermined(&without, &uncovered, self.channel(program)).is_empty() {
                checks = without;
            }
        }
        Ok(checks)
    }

    /// The rules that read the channel, with the literals that do.
    fn readers<'p>(&self, program: &'p Program) -> Vec<(&'p Rule, &'p Atom)> {
        let rules = program.components.iter().flat_map(|component| &component.rules);
        let atoms = rules.flat_map(|rule| rule.atoms().map(move |atom| (rule, atom)));
        atoms.filter(|(_, atom)| atom.relation == self.channel).collect()
    }

    /// A check as it is written.
    fn text(&self, program: &Program, check: &Dependency) -> String {
        let name = |position: usize| self.channel(program).columns[position].name.as_str();
        format!("{} == {}", name(check.column), print::expr(&with_names(&check.term, name)))
    }

    fn texts(&self, program: &Program, checks: &[Dependency]) -> String {
        checks.iter().map(|check| format!("`{}`", self.text(program, check))).collect::<Vec<_>>().join(", ")
    }
}

/// The columns that do not follow by these dependencies from those that are covered.
fn undetermined(checks: &[Dependency], uncovered: &[usize], channel: &Channel) -> Vec<usize> {
    let name = |position: usize| Name::from(position.to_string());
    let covered = (0..channel.columns.len()).filter(|position| !uncovered.contains(position));
    let mut known: BTreeSet<Name> = covered.map(name).collect();
    let equations = checks.iter().map(|check| equation(column(check.column), check.term.clone())).collect();
    close(&edit::rule(&channel.name, Vec::new(), RuleKind::Now, equations), &mut known);
    uncovered.iter().copied().filter(|position| !known.contains(&name(*position))).collect()
}

fn equation(left: Expr, right: Expr) -> Literal {
    Literal::Compare { op: Comparison::Equal, left, right, span: Span::default() }
}

/// Whether a rule takes only messages that pass the checks, and says so in a way that determines what is not covered.
fn is_checked(rule: &Rule, atom: &Atom, uncovered: &[usize], checks: &[Dependency]) -> bool {
    let mut equations = Equations::of_body(rule);
    let args: Vec<Class> = atom.args.iter().map(|arg| equations.computed(arg)).collect();
    let terms: Vec<Class> = checks.iter().map(|check| equations.instance(&check.term, &args)).collect();
    equations.close();
    let mut pairs = checks.iter().zip(terms);
    pairs.all(|(check, term)| equations.same(args[check.column], term))
        && unchecked_by(rule, atom, uncovered).is_empty()
}

/// The columns of a literal that get a name if checks are added.
fn unnamed(atom: &Atom, checks: &[Dependency]) -> BTreeSet<usize> {
    let mentioned = checks.iter().flat_map(|check| {
        let mut columns = crate::analysis::terms::columns(&check.term);
        columns.insert(check.column);
        columns
    });
    mentioned.filter(|position| atom.args[*position].is_wildcard()).collect()
}

fn add_checks(program: &Program, rule: &mut Rule, site: &Site, uncovered: &[usize], checks: &[Dependency]) {
    let mut added = Vec::new();
    for position in 0..rule.body.len() {
        let Literal::Atom(atom) = &rule.body[position] else { continue };
        if atom.relation != site.channel || atom.negated || is_checked(rule, atom, uncovered, checks) {
            continue;
        }
        let mut args = atom.args.clone();
        for unnamed in unnamed(atom, checks) {
            let is_taken = |name: &str| is_declared(program, name) || has_variable(rule, &args, name);
            args[unnamed] = variable(fresh(&site.channel(program).columns[unnamed].name, is_taken));
        }
        added.extend(checks.iter().map(|check| equation(args[check.column].clone(), substituted(&check.term, &args))));
        if let Literal::Atom(atom) = &mut rule.body[position] {
            atom.args = args;
        }
    }
    rule.body.extend(added);
}

fn has_variable(rule: &Rule, args: &[Expr], name: &str) -> bool {
    let binds = |literal: &Literal| matches!(literal, Literal::Bind { variable, .. } if variable == name);
    let mut expressions = rule.expressions().chain(args);
    rule.body.iter().any(binds)
        || expressions.any(|expr| expr.variables().iter().any(|(variable, _)| *variable == name))
}

/// A term with these for its columns.
fn substituted(term: &Expr, args: &[Expr]) -> Expr {
    match as_column(term) {
        Some(position) => args[position].clone(),
        None if term.parts().is_empty() => term.clone(),
        None => term.with_parts(term.parts().iter().map(|part| substituted(part, args)).collect()),
    }
}

const PRECONDITIONS: &[Precondition<Site>] = &[
    Precondition { id: "A1.1", statement: "the channel goes between components, and is no timer", check: between },
    Precondition {
        id: "A1.2",
        statement: "in what correct nodes send, the columns that are left out follow from the others",
        check: follows,
    },
    Precondition { id: "A1.3", statement: "no rule asks for the absence of a message", check: present },
    Precondition {
        id: "A1.4",
        statement: "rules that read what somebody who may lie has sent check it already",
        check: checked,
    },
    Precondition {
        id: "A1.5",
        statement: "no aggregate looks at all names of a rule in which a check gives a column a name",
        check: named,
    },
];

fn between(program: &Program, site: &Site) -> Result<String, Broken> {
    let channel = site.channel(program);
    let foreign = [&channel.sender, &channel.receiver].into_iter().find(|end| program.component(end).is_none());
    let why = match foreign {
        _ if channel.delay.is_some() => Some("a timer is on no wire".to_owned()),
        Some(end) => Some(format!("`{end}` has no rules")),
        None => None,
    };
    let obstacles = why.into_iter().map(|why| Obstacle::new(program, channel.span, why)).collect();
    let sentence = format!("`{}` and `{}` have rules", channel.sender, channel.receiver);
    decide(obstacles, sentence, "there is nobody to check what is not authenticated", None)
}

fn follows(program: &Program, site: &Site) -> Result<String, Broken> {
    let channel = site.channel(program);
    let open = match site.checks(program) {
        Ok(checks) => {
            let left_out: Vec<String> =
                site.uncovered(program).iter().map(|column| format!("`{}`", channel.columns[*column].name)).collect();
            return Ok(format!(
                "every message of a correct node has {}, which gives {}",
                site.texts(program, &checks),
                left_out.join(", ")
            ));
        }
        Err(open) => open,
    };
    let names: Vec<&str> = open.iter().map(|column| channel.columns[*column].name.as_str()).collect();
    let names = one_of("", names);
    let why = format!("nothing that all senders make gives{names}");
    let sender = program.component(&channel.sender).into_iter().flat_map(|component| &component.rules);
    let sends = sender.filter(|rule| rule.kind == RuleKind::Async && rule.head.relation == channel.name);
    let mut obstacles: Vec<Obstacle> = sends.map(|rule| Obstacle::new(program, rule.span, why.clone())).collect();
    if obstacles.is_empty() {
        obstacles.push(Obstacle::new(program, channel.span, "no rule sends on it"));
    }
    let because = format!("{names} does not follow from what is authenticated").trim_start().to_owned();
    let help = "a column follows if every rule that sends computes it from others, or others from it by a function that is one to one, as a digest is";
    Err(Broken::new(because, obstacles).help(help))
}

fn present(program: &Program, site: &Site) -> Result<String, Broken> {
    let absent = site.readers(program).into_iter().filter(|(_, atom)| atom.negated);
    let why = "a message that somebody has changed makes this false";
    let obstacles = absent.map(|(_, atom)| Obstacle::new(program, atom.span, why)).collect();
    let help = "derive an event from the message, and ask for its absence";
    let sentence = format!("no rule asks whether there is no `{}`", site.channel);
    decide(obstacles, sentence, "the absence of a message would not be what it was", Some(help))
}

fn checked(program: &Program, site: &Site) -> Result<String, Broken> {
    let channel = site.channel(program);
    let Ok(checks) = site.checks(program) else { return Ok("nothing is left out".into()) };
    let uncovered = site.uncovered(program);
    let lies = program.role_of_endpoint(&channel.sender).is_some_and(|role| declares_liars(program, &role.name));
    let is_own = |atom: &Atom| atom.from.as_ref().is_some_and(|from| from.kind == ExprKind::Me);
    let mut suspect = site.readers(program);
    suspect.retain(|(_, atom)| lies && !is_own(atom));
    let unchecked = suspect.iter().filter(|(rule, atom)| !is_checked(rule, atom, &uncovered, &checks));
    let why = format!("this does not ask for {}", site.texts(program, &checks));
    let obstacles = unchecked.map(|(rule, _)| Obstacle::new(program, rule.span, why.clone())).collect();
    let sentence = match (lies, suspect.is_empty()) {
        (true, false) => "every rule that reads what a liar may send has these checks".to_owned(),
        (true, true) => format!("`{}` is read `from me`, so that checks change nothing", channel.name),
        (false, _) => format!("`{}` does not lie, so that checks change nothing", channel.sender),
    };
    let because = "to check what a liar sends would be to drop what is taken now";
    decide(
        obstacles,
        sentence,
        because,
        Some("write the check into the rule, if what does not pass it is worth nothing"),
    )
}

fn named(program: &Program, site: &Site) -> Result<String, Broken> {
    let Ok(checks) = site.checks(program) else { return Ok("nothing is left out".into()) };
    let uncovered = site.uncovered(program);
    let changes = |(rule, atom): &(&Rule, &Atom)| {
        !is_checked(rule, atom, &uncovered, &checks) && !unnamed(atom, &checks).is_empty() && counts_solutions(rule)
    };
    let found = site.readers(program).into_iter().filter(changes);
    let why = "with a name for each column, this would count something else";
    let obstacles = found.map(|(rule, _)| Obstacle::new(program, rule.span, why)).collect();
    let help = "derive an event without these columns, and aggregate that";
    decide(obstacles, "checks change no aggregate".into(), "an aggregate looks at all names of its rule", Some(help))
}

/// Whether an aggregate of the rule is over the solutions of its body, told apart by all named variables.
fn counts_solutions(rule: &Rule) -> bool {
    let over_solutions = |arg: &HeadArg| match arg {
        HeadArg::Aggregate { function, args, .. } => *function == Aggregate::Sum || args.is_empty(),
        HeadArg::Expr(_) => false,
    };
    rule.head.args.iter().any(over_solutions)
}
