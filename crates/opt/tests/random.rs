//! Random programs, random plans: whatever is allowed must refine. What the preconditions overlook shows here.

#[path = "random/authenticated.rs"]
mod authenticated;
#[path = "random/behind.rs"]
mod behind;
mod common;
#[path = "random/macs.rs"]
mod macs;
#[path = "random/nearly.rs"]
mod nearly;
#[path = "random/pieces.rs"]
mod pieces;
#[path = "random/plans.rs"]
mod plans;
#[path = "random/programs.rs"]
mod programs;
#[path = "random/refusals.rs"]
mod refusals;
#[path = "random/restarted.rs"]
mod restarted;
#[path = "random/rules.rs"]
mod rules;
#[path = "random/themes.rs"]
mod themes;

use common::refine;
use menard_lang::Program;
use menard_lang::ir::{Channel, Component, Literal, Rule, RuleKind};
use menard_opt::Stage;
use menard_sim::Config;
use plans::{random_line, random_plan, skipped, stages, stages_without};
use programs::{Rules, program, text};
use rules::random_rules;

/// A small generator of numbers (splitmix64): the seed is the test case.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("small numbers")
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Random programs may talk for ever. By hand, more may be asked of them.
fn limits() -> Config {
    let requests = setting("RANDOM_REQUESTS").and_then(|requests| u32::try_from(requests).ok());
    Config { requests: requests.unwrap_or(8), max_steps: 200, ..Config::default() }
}

/// What goes wrong, if anything does.
fn failure(rules: &Rules, lines: &[String]) -> Option<String> {
    failure_without(rules, lines, skipped().as_deref())
}

/// The same if a precondition is left out.
fn failure_without(rules: &Rules, lines: &[String], skip: Option<&str>) -> Option<String> {
    let original = program(rules)?;
    let stages = stages_without(&original, lines, skip)?;
    let report = refine::check_with(&original, &stages, setting("RANDOM_RUNS").unwrap_or(12), limits());
    let refines = |found: &&menard_sim::Found| matches!(found.what, menard_sim::Wrong::Refinement(_));
    let found = report.violations.iter().find(refines)?;
    let last = stages.last().map_or_else(String::new, |stage| stage.program.source.text.to_string());
    Some(format!("{:?}\n{}\n{}\n{last}", found, text(rules), lines.join("\n")))
}

/// Leaves out lines and rules as long as something goes wrong.
fn shrink(mut rules: Rules, mut lines: Vec<String>, mut message: String) -> String {
    loop {
        let mut smaller = None;
        for index in (0..lines.len()).rev() {
            let mut fewer = lines.clone();
            fewer.remove(index);
            smaller = smaller.or_else(|| failure(&rules, &fewer).map(|message| (rules.clone(), fewer, message)));
        }
        for side in 0..2 {
            for index in (0..rules.of[side].len()).rev() {
                let mut fewer = rules.clone();
                fewer.of[side].remove(index);
                smaller = smaller.or_else(|| failure(&fewer, &lines).map(|message| (fewer, lines.clone(), message)));
            }
        }
        match smaller {
            Some(found) => (rules, lines, message) = found,
            None => return message,
        }
    }
}

/// Constructs, and what rules that use them mention.
const CONSTRUCTS: [(&str, &[&str]); 11] = [
    ("keyed table", &["g", "h"]),
    ("window", &["l"]),
    ("timer", &["ra", "rb"]),
    ("timer that repeats", &["ta", "tb"]),
    ("serial channel", &["s", "z"]),
    ("collection", &["c"]),
    ("sender", &["who"]),
    ("record", &["rec", "rc"]),
    ("ordered channel", &["oc_in_order"]),
    ("absence of several", &[]),
    ("MAC", &["vouch", "echo", "seal", "proofs", "tell"]),
];

/// Counts which constructs the components have that came out of a rewrite.
fn count_constructs(stage: &Stage, counts: &mut std::collections::BTreeMap<(&'static str, &'static str), u32>) {
    let touched = |component: &&Component| match stage.line.strip_prefix("partition ") {
        Some(line) => line.starts_with(component.name.as_str()),
        None => stage.line.contains(&format!(" into {}", component.name)),
    };
    for component in stage.program.components.iter().filter(touched) {
        let mentioned: Vec<&str> = component.rules.iter().flat_map(mentioned).collect();
        for (construct, names) in CONSTRUCTS {
            let uses = |name: &&str| names.contains(name) || names.is_empty() && name.contains("_unless");
            if mentioned.iter().any(uses) {
                *counts.entry((stage.rewrite, construct)).or_default() += 1;
            }
        }
    }
}

/// Whether there are messages that may be repeated.
fn sends_by_state_alone(program: &Program) -> bool {
    let held = |component: &Component, rule: &Rule| {
        let is_timer = program.channel(&rule.head.relation).is_none_or(|channel| channel.delay.is_some());
        rule.kind == RuleKind::Async && !is_timer && !rule.is_event_rule(component, program)
    };
    program.components.iter().any(|component| component.rules.iter().any(|rule| held(component, rule)))
}

fn mentioned(rule: &Rule) -> impl Iterator<Item = &str> {
    let read = rule.body.iter().filter_map(Literal::as_atom).map(|atom| atom.relation.as_str());
    read.chain([rule.head.relation.as_str()])
}

/// Pairs of a program and a plan that one run of the tests looks at.
const PROGRAMS_WITH_PLANS: u64 = 1_000;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// The program of a seed. One that does not settle is given up by every world in its own way, so there is none then.
fn settled(random: &mut Random) -> Option<(Rules, Program)> {
    let rules = random_rules(random);
    let original = program(&rules)?;
    settles(&original).then_some((rules, original))
}

fn settles(program: &Program) -> bool {
    refine::check_with(program, &[], 2, limits()).wrong_runs == 0
}

/// `cargo xtask campaign` looks at other seeds than 0 and those that follow, and reads the line that begins with `campaign`.
#[test]
fn whatever_is_allowed_refines() {
    let first = setting("RANDOM_FIRST").unwrap_or(0);
    let last = setting("RANDOM_COUNT").map(|count| first + count);
    let mut applied: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
    let mut constructs = std::collections::BTreeMap::new();
    let (mut held, mut told, mut pairs, mut seed) = (0, 0, 0, first);
    while last.map_or(pairs < PROGRAMS_WITH_PLANS, |last| seed < last) {
        let mut random = Random(seed);
        seed += 1;
        let Some((rules, original)) = settled(&mut random) else { continue };
        let lines = random_plan(&mut random, &original);
        pairs += u64::from(!lines.is_empty());
        for stage in stages(&original, &lines).unwrap_or_default() {
            held += u32::from(sends_by_state_alone(&stage.program));
            let acknowledges = |channel: &Channel| channel.name.starts_with("acknowledgement_to");
            told += u32::from(stage.rewrite == "asymmetric" && stage.program.channels.iter().any(acknowledges));
            *applied.entry(stage.rewrite).or_default() += 1;
            count_constructs(&stage, &mut constructs);
        }
        if let Some(message) = failure(&rules, &lines) {
            panic!("seed {}: {}", seed - 1, shrink(rules, lines, message));
        }
    }
    println!("{constructs:?}\n{held} with messages that state alone sends, {told} with outputs that wait");
    let counts: Vec<String> = applied.iter().map(|(rewrite, lines)| format!("{rewrite} {lines}")).collect();
    println!("campaign: {first} | {} | {pairs} | {}", seed - 1, counts.join(", "));
    assert!(held > 0 || pairs < 100, "some rewritten program has messages that state alone sends");
    assert!(told > 0 || pairs < 400, "some outputs wait until others were told");
    for (construct, _) in CONSTRUCTS {
        let met = constructs.keys().any(|(_, found)| *found == construct);
        assert!(met || pairs < 5_000, "some rewrite meets `{construct}`: {constructs:?}");
    }
    // These programs have no liars, and so no columns to authenticate: `authenticated` has others.
    let asked = menard_opt::rules::REWRITES.iter().filter(|rewrite| rewrite.name() != "authenticate");
    assert!(applied.len() == asked.count() || pairs < 1_000, "every rewrite is applied somewhere: {applied:?}");
}
