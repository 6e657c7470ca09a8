//! Random programs with a channel of which some columns follow from others, for some senders and some receivers; and lines that authenticate fewer of them,
//! among other lines. Somebody is on the wire in half of the runs.

use std::collections::BTreeMap;

use menard_lang::{Program, Source, compile};
use menard_opt::Stage;
use menard_sim::{Config, Wrong};

use super::common::{apply_without, refine};
use super::plans::skipped;
use super::{Random, setting};

/// Programs that one run of the tests looks at.
const PROGRAMS: u64 = 1_500;
/// Runs of each that is allowed.
const RUNS: u64 = 60;
/// Sets the stream of chance apart from that of other random programs.
const STREAM: u64 = 0x6175_7468;
/// Lines that are tried for each program.
const LINES: usize = 6;

/// What columns of `note` may be, computed of what a rule knows as `k` and `v`.
const TERMS: [&str; 8] = ["k", "v", "v", "k + 1", "v + k", "v % 2", "0", "k"];
const DIGESTS: [&str; 5] = ["hash(v)", "hash(v)", "hash(k, v)", "hash(k)", "hash(v % 2)"];
/// What senders read.
const SOURCES: [&str; 8] = [
    "put(k, v)",
    "put(k, v), v == k + 1",
    "put(k, v), v > 2",
    "new known(k, v)",
    "put(k, _), known(k, v)",
    "told(k, v)",
    "made(k, v)",
    "put(k, v), !known(k, v)",
];
/// What receivers ask for.
const CHECKS: [&str; 8] = [
    "d == hash(v)",
    "d == hash(v)",
    "hash(v) == d",
    "d == hash(k, v)",
    "v == k + 1",
    "d == hash(k)",
    "d == hash(v), v > 1",
    "k < 5",
];
/// What they do with a message.
const READERS: [&str; 10] = [
    "kept(k, v) :- note(k, v, d)",
    "kept(k, v) :- note(k, v, d), !kept(k, _)",
    "done(k, v)@s :~ note(k, v, d) from s",
    "done(k, 0)@s :~ note(k, _, d) from s",
    "done(k, v)@s :~ note(k, v, _) from s",
    "done(k, n)@s :~ put_number(k, n), server(s)",
    "seen(k) :+ note(k, v, d)",
    "noted(k, count()) :- note(k, _, _)",
    "marks(k, d) :- note(k, v, d)",
    "done(k, 7)@s :~ asked(k) from s, !note(k, _, _)",
];

/// A program. Who may lie is drawn, too: stores, the server, or somebody who has no part in it.
fn program(random: &mut Random) -> Option<Program> {
    let liars = *random.pick(&["store", "store", "other", "server"]);
    let servers = if liars == "server" { "[3]" } else { "" };
    let mut text = format!(
        "protocol random\nrole client external\nrole server{servers}\nrole store[3]\nrole other[4]\n\
         fault byzantine 1 of {liars}\n\
         channel put(k: int, v: int) client -> server\n\
         channel asked(k: int) server -> store\n\
         channel note(k: int, v: int, d: digest) server -> store\n\
         channel done(k: int, v: int) store -> server\n\
         channel told(k: int, v: int) store -> server\n\
         channel idle(k: int) other -> other\n\
         component other {{ table nothing(k: int)\n nothing(k) :- idle(k) }}\n\
         component server {{\n table known(k: int, v: int)\n known(k, v) :- {}\n made(k, {}) :- put(k, v)\n\
         asked(k)@s :~ put(k, _), store(s)\n",
        random.pick(&["put(k, v)", "done(k, v)", "told(k, v)", "put(k, v), v == k + 1"]),
        random.pick(&["k + 1", "v", "v % 2"]),
    );
    for _ in 0..*random.pick(&[1, 1, 1, 2]) {
        let (number, value, digest): (&str, &str, &str) =
            (*random.pick(&["k", "k", "k", "v"]), *random.pick(&TERMS), *random.pick(&DIGESTS));
        text += &format!("note({number}, {value}, {digest})@s :~ {}, store(s)\n", random.pick(&SOURCES));
    }
    text += "}\ncomponent store {\n table kept(k: int, v: int)\n table seen(k: int)\n table marks(k: int, d: digest)\n\
         put_number(k, count(v)) :- kept(k, v)\n told(k, v)@s :~ new kept(k, v), server(s)\n\
         done(k, n)@s :~ noted(k, n), server(s)\n noted(k, v) :- asked(k), kept(k, v), kept(v, k)\n";
    for _ in 0..1 + random.below(3) {
        let check = if random.percent(75) { format!(", {}", random.pick(&CHECKS)) } else { String::new() };
        text += &format!("{}{check}\n", random.pick(&READERS));
    }
    text += "}\n";
    compile(&Source::new("random.ded", text), &[]).ok().map(|compiled| compiled.program)
}

fn line(random: &mut Random) -> String {
    if random.percent(25) {
        let others = [
            "partition store by k into 2",
            "decouple store { told } into teller using functional",
            "decouple store { done } into teller using functional",
            "decouple server { known } into knower using independent",
            "partition server by k into 2",
        ];
        return (*random.pick(&others)).to_owned();
    }
    let covered = *random.pick(&["k, d", "k, d", "k, v", "k", "d", "v", "v, d"]);
    format!("authenticate note by {covered}")
}

/// The lines of a few that are allowed, but for a precondition that is skipped.
fn plan(random: &mut Random, original: &Program, skip: Option<&str>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for _ in 0..LINES {
        let current = stages.last().map_or(original, |stage| &stage.program);
        if let Ok(stage) = apply_without(current, &line(random), skip) {
            stages.push(stage);
        }
    }
    stages
}

/// What became of a seed.
struct Outcome {
    /// The rewrites of its plan; none if nothing was to be authenticated.
    rewrites: Vec<&'static str>,
    forged: u64,
    /// What went wrong.
    wrong: Option<String>,
}

/// The program and the plan of a seed; nothing if it is no program.
fn outcome(seed: u64, skip: Option<&str>) -> Option<Outcome> {
    let mut random = Random(seed ^ STREAM);
    let original = program(&mut random)?;
    let stages = plan(&mut random, &original, skip);
    let rewrites: Vec<&str> = stages.iter().map(|stage| stage.rewrite).collect();
    if !rewrites.contains(&"authenticate") {
        return Some(Outcome { rewrites: Vec::new(), forged: 0, wrong: None });
    }
    let config = Config { requests: 6, max_steps: 200, ..Config::default() };
    let report = refine::check_with(&original, &stages, RUNS, config);
    let found = report.violations.iter().find(|found| matches!(found.what, Wrong::Refinement(_)));
    let lines: Vec<&str> = stages.iter().map(|stage| stage.line.as_str()).collect();
    let wrong = found.map(|found| format!("{found:?}\n{}\n{}", original.source.text, lines.join("\n")));
    Some(Outcome { rewrites, forged: report.forged, wrong })
}

#[test]
fn columns_that_need_no_mac_change_nothing() {
    let first = setting("RANDOM_FIRST").unwrap_or(0);
    let count = setting("RANDOM_COUNT").unwrap_or(PROGRAMS);
    let mut applied: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut programs, mut forged) = (0, 0);
    for seed in first..first + count {
        let Some(outcome) = outcome(seed, skipped().as_deref()) else { continue };
        programs += 1;
        forged += outcome.forged;
        for rewrite in outcome.rewrites {
            *applied.entry(rewrite).or_default() += 1;
        }
        if let Some(wrong) = outcome.wrong {
            panic!("seed {seed}: {wrong}");
        }
    }
    println!("{programs} programs: {applied:?}, {forged} lies");
    let authenticated = applied.get("authenticate").copied().unwrap_or(0);
    assert!(authenticated > 100 || count < PROGRAMS, "many programs have columns that follow: {applied:?}");
}

/// What A1.1 and A1.3 keep out is no program, which the checker says.
#[test]
fn each_precondition_keeps_something_out() {
    for skip in ["A1.2", "A1.4", "A1.5"] {
        let is_wrong = |seed: u64| outcome(seed, Some(skip)).is_some_and(|outcome| outcome.wrong.is_some());
        assert!((0..PROGRAMS).any(is_wrong), "without {skip} nothing goes wrong");
    }
}
