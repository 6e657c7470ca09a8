//! Refused lines, applied nevertheless: how often can a run be found that is none of the original? A precondition that no such run is ever found
//! for may be over-cautious, or this generator does not reach what it is there for.

use std::collections::BTreeMap;
use std::rc::Rc;

use menard_lang::plan::LineKind;
use menard_opt::Stage;
use menard_opt::rules::{AnyRewrite, Denied, REWRITES};

use super::common::{line, refine};
use super::{Program, Random, limits, nearly, random_line, setting, settled};
use menard_lang::Source;

/// Programs that one run of the tests looks at.
const SEEDS: u64 = 250;
/// Lines that are tried for each.
const LINES: usize = 6;
/// Runs that look for a difference.
const RUNS: u64 = 40;

/// What became of refusals by one precondition.
#[derive(Default)]
struct Tally {
    /// Another precondition refuses as well, so that nothing is told of this one.
    together: u32,
    /// The checker does not accept what comes of it.
    ill_formed: u32,
    /// Some run is none of the original.
    differs: u32,
    /// What the line is about never sent a message.
    silent: u32,
    /// No run was found that is none of the original.
    equal: u32,
    /// The seed and the line of one of these.
    example: Option<(u64, String)>,
}

enum Outcome {
    Together,
    IllFormed,
    Differs,
    Silent,
    Equal,
}

/// `cargo xtask refusals` looks at more seeds, and reads the lines that begin with `refusal`.
#[test]
fn refused_lines_do_what_the_original_does_not() {
    let first = setting("RANDOM_FIRST").unwrap_or(0);
    let count = setting("RANDOM_COUNT").unwrap_or(SEEDS);
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for seed in first..first + count {
        for (original, text) in lines_of(seed).into_iter().chain(nearly::lines_of(seed)) {
            for (id, outcome) in REWRITES.iter().filter_map(|rewrite| refused(*rewrite, &original, &text)) {
                tallies.entry(id).or_default().add(outcome, seed, &text);
            }
        }
    }
    for (id, Tally { together, ill_formed, differs, silent, equal, example }) in &tallies {
        println!("refusal: {id} | {together} | {ill_formed} | {differs} | {silent} | {equal}");
        if let Some((seed, line)) = example {
            println!("    no difference found, for instance, with seed {seed} and `{line}`");
        }
    }
    let shown = tallies.values().filter(|tally| tally.ill_formed + tally.differs > 0).count();
    assert!(shown >= 12 || count < SEEDS, "only {shown} preconditions are shown to be needed");
}

impl Tally {
    fn add(&mut self, outcome: Outcome, seed: u64, line: &str) {
        match outcome {
            Outcome::Together => self.together += 1,
            Outcome::IllFormed => self.ill_formed += 1,
            Outcome::Differs => self.differs += 1,
            Outcome::Silent => self.silent += 1,
            Outcome::Equal => {
                self.equal += 1;
                self.example.get_or_insert((seed, line.to_owned()));
            }
        }
    }
}

/// A random program with random lines.
fn lines_of(seed: u64) -> Vec<(Rc<Program>, String)> {
    let mut random = Random(seed);
    let Some((_, original)) = settled(&mut random) else { return Vec::new() };
    let original = Rc::new(original);
    let lines = (0..LINES).filter_map(|_| random_line(&mut random, &original));
    lines.map(|line| (Rc::clone(&original), line)).collect()
}

/// The precondition by which a rewrite refuses a line, and what comes of the line without it.
fn refused(rewrite: &dyn AnyRewrite, original: &Program, text: &str) -> Option<(&'static str, Outcome)> {
    let kind: LineKind = line(text).kind;
    let Err(Denied::Refusal(refusal)) = rewrite.attempt(original, &kind, None)? else { return None };
    let id = refusal.precondition;
    let Ok(applied) = rewrite.attempt(original, &kind, Some(id))? else { return Some((id, Outcome::Together)) };
    let source = Source::new("<refused>", menard_lang::print(&applied.program));
    let Ok(compiled) = menard_lang::compile(&source, &[]) else { return Some((id, Outcome::IllFormed)) };
    let stage = Stage {
        implied: false,
        line: text.to_owned(),
        rewrite: rewrite.name(),
        proofs: applied.proofs,
        program: compiled.program,
        lift: applied.lift,
    };
    let component = match &kind {
        LineKind::Decouple { into, .. } => into.clone(),
        LineKind::Partition { component, .. } => component.clone(),
        LineKind::Authenticate { channel, .. } => {
            original.channel(channel).map_or_else(|| channel.clone(), |found| found.sender.clone())
        }
    };
    let sent = stage.program.channels.iter().filter(|channel| channel.sender == component);
    let sent: Vec<_> = sent.map(|channel| channel.name.clone()).collect();
    let report = refine::check_with(original, &[stage], RUNS, limits());
    let heard = sent.iter().any(|name| report.channels.get(name).is_some_and(|messages| *messages > 0));
    let differs = report.violations.iter().any(|found| matches!(found.what, menard_sim::Wrong::Refinement(_)));
    Some((
        id,
        if differs {
            Outcome::Differs
        } else if heard {
            Outcome::Equal
        } else {
            Outcome::Silent
        },
    ))
}
