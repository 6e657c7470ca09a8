//! Random programs, random plans: whatever is allowed must refine. What the preconditions overlook shows here.

mod common;

use common::{apply_without, refine};
use menard_lang::{Program, Source, compile};
use menard_opt::{PlanError, Stage};
use menard_sim::Config;

/// A small generator of numbers (splitmix64): the seed is the test case.
struct Random(u64);

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

const HEADER: &str = "protocol random
role client external
role a[2]
role b
FAULT
channel put(k: int, v: int)   client -> a
channel drop(k: int)          client -> a
channel m(k: int, v: int)     a -> b
channel q(k: int)             a -> b
channel n(k: int, v: int)     b -> a
channel p(k: int, v: int)     a -> a
channel done(k: int, v: int)  b -> client
channel told(k: int)          a -> client
";

/// A relation that rules of a component can read or fill, with its number of columns.
type Relation = (&'static str, usize);

struct Side {
    name: &'static str,
    tables: &'static [Relation],
    events: &'static [Relation],
    received: &'static [Relation],
    /// Channels with what can be addressed.
    sent: &'static [(&'static str, usize, &'static str)],
}

const SIDES: [Side; 2] = [
    Side {
        name: "a",
        tables: &[("t", 2), ("u", 1)],
        events: &[("e", 2), ("f", 1), ("w", 2)],
        received: &[("put", 2), ("put", 2), ("drop", 1), ("n", 2), ("p", 2)],
        sent: &[("m", 2, "b"), ("m", 2, "b"), ("q", 1, "b"), ("p", 2, "a"), ("told", 1, "client")],
    },
    Side {
        name: "b",
        tables: &[("t", 2), ("u", 1)],
        events: &[("e", 2), ("w", 2)],
        received: &[("m", 2), ("m", 2), ("q", 1)],
        sent: &[("n", 2, "a"), ("n", 2, "a"), ("done", 2, "client")],
    },
];

const PAIRS: [&str; 12] =
    ["x, y", "x, y", "x, y", "x, y", "x, y", "y, x", "x, _", "x, x", "_, y", "x, z", "z, y", "x, 1"];
const SINGLES: [&str; 6] = ["x", "x", "x", "y", "z", "_"];
const HEAD_PAIRS: [&str; 12] =
    ["x, y", "x, y", "x, y", "x, y", "y, x", "x, z", "x, x", "x, 0", "0, y", "y, 2", "x, count(y)", "y, max(x)"];
const HEAD_SINGLES: [&str; 8] = ["x", "x", "x", "y", "y", "z", "0", "count(x)"];

fn atom(random: &mut Random, relation: Relation) -> String {
    let args = if relation.1 == 2 { random.pick::<&str>(&PAIRS) } else { random.pick::<&str>(&SINGLES) };
    format!("{}({args})", relation.0)
}

fn head(random: &mut Random, relation: Relation) -> String {
    let args = if relation.1 == 2 { random.pick::<&str>(&HEAD_PAIRS) } else { random.pick::<&str>(&HEAD_SINGLES) };
    format!("{}({args})", relation.0)
}

fn body(random: &mut Random, side: &Side, filled: &[Relation]) -> Vec<String> {
    let is_table = |relation: &Relation| side.tables.contains(relation);
    let mut literals = Vec::new();
    for _ in 0..*random.pick(&[1, 1, 2, 2]) {
        let relation = *random.pick(filled);
        let new = if is_table(&relation) && random.percent(50) { "new " } else { "" };
        literals.push(format!("{new}{}", atom(random, relation)));
    }
    if random.percent(15) {
        let relation = *random.pick(filled);
        literals.push(format!("!{}", atom(random, relation)));
    }
    if random.percent(15) {
        literals.push((*random.pick(&["x < 2", "x != y", "x == y", "y > 0"])).to_owned());
    }
    if random.percent(6) {
        literals.push((*random.pick(&["start()", "new i(x)", "new j(z)"])).to_owned());
    }
    if random.percent(12) {
        literals.push((*random.pick(&["i(x)", "j(y)", "!j(x)", "i(z)"])).to_owned());
    }
    literals
}

/// A rule; whether it is one is for the checker to say.
fn rule(random: &mut Random, side: &Side, filled: &[Relation]) -> String {
    if filled.is_empty() {
        return "u(7) :- start()".to_owned();
    }
    let mut body = body(random, side, filled);
    match random.below(10) {
        0..=2 => {
            let relation = *random.pick(side.tables);
            let kind = if random.percent(70) { ":-" } else { ":+" };
            format!("{} {kind} {}", head(random, relation), body.join(", "))
        }
        3..=4 => {
            let relation = *random.pick(side.events);
            let kind = if random.percent(75) { ":-" } else { ":+" };
            format!("{} {kind} {}", head(random, relation), body.join(", "))
        }
        5 => {
            let table = *random.pick(side.tables);
            format!("delete {} :+ {}", atom(random, table), body.join(", "))
        }
        _ => {
            let (channel, arity, to) = *random.pick(side.sent);
            if to == "client" {
                let source = if side.name == "a" { *random.pick(&[("put", 2), ("drop", 1)]) } else { ("m", 2) };
                body.push(format!("{} from o", atom(random, source)));
            } else if to == side.name && random.percent(50) {
                return format!("{}@me :~ {}", head(random, (channel, arity)), body.join(", "));
            } else {
                body.push(format!("{to}(o)"));
            }
            format!("{}@o :~ {}", head(random, (channel, arity)), body.join(", "))
        }
    }
}

/// One of two sets of relations; the other is the rest.
const HALF: [&str; 6] = ["u", "f", "drop", "q", "p", "n"];

fn own_relations(side: &Side) -> impl Iterator<Item = &'static Relation> + use<> {
    side.tables.iter().chain(side.events)
}

/// The rules of both components.
type Rules = [Vec<String>; 2];

fn text(rules: &Rules) -> String {
    // What may go wrong depends on the rules in any way that is the same for the same rules.
    let faults = ["", "fault omission 1 of a", "fault omission 1 of b", "fault crash 1 of b", "fault restart 1 of a"];
    let mut text = HEADER.replace("FAULT", faults[rules[0].len() % faults.len()]);
    for (side, rules) in SIDES.iter().zip(rules) {
        text += &format!("component {} {{\n  table t(x: int, y: int)\n  table u(x: int)\n", side.name);
        text += "  i(x) :- a(o), x = index_of(o)\n  j(x) :- i(x), x > 0\n";
        for rule in rules {
            text += &format!("  {rule}\n");
        }
        text += "}\n";
    }
    text
}

fn program(rules: &Rules) -> Option<Program> {
    compile(&Source::new("random.ded", text(rules)), &[]).ok().map(|compiled| compiled.program)
}

/// Adds rules one by one, over what is filled already, as long as the program stays well-formed.
fn random_rules(random: &mut Random) -> Rules {
    let mut rules: Rules = [vec!["m(x, y)@o :~ put(x, y), b(o)".to_owned()], Vec::new()];
    // In half of the programs rules keep to two sets of relations, so that something is independent.
    let halves = random.percent(50);
    for _ in 0..4 + random.below(14) {
        let position = random.below(2);
        let side = &SIDES[position];
        let sent = |relation: &Relation| {
            let sends = |rule: &String| rule.starts_with(&format!("{}(", relation.0)) && rule.contains(":~");
            relation.0 == "put" || relation.0 == "drop" || rules.iter().flatten().any(sends)
        };
        let fills = |relation: &Relation| {
            rules[position].iter().any(|rule| rule.starts_with(&format!("{}(", relation.0)) && !rule.contains(":~"))
        };
        let own = own_relations(side).filter(|relation| fills(relation));
        let filled: Vec<Relation> =
            side.received.iter().filter(|relation| sent(relation)).chain(own).copied().collect();
        let half = random.percent(50);
        let is_other = |relation: &Relation| halves && HALF.contains(&relation.0) != half;
        let filled: Vec<Relation> = filled.into_iter().filter(|relation| !is_other(relation)).collect();
        let rule = rule(random, side, &filled);
        let head = rule.trim_start_matches("delete ").split('(').next().unwrap_or_default().to_owned();
        if !own_relations(side).any(|relation| relation.0 == head && is_other(relation)) {
            rules[position].push(rule);
            if program(&rules).is_none() {
                rules[position].pop();
            }
        }
    }
    rules
}

fn random_line(random: &mut Random, program: &Program) -> Option<String> {
    let component = random.pick(&program.components);
    if random.percent(40) {
        let by = if random.percent(70) { *random.pick(&[" by k", " by v", " by k, v"]) } else { "" };
        return Some(format!("partition {}{by} into {}", component.name, 2 + random.below(2)));
    }
    let heads: Vec<&str> = component.rules.iter().map(|rule| rule.head.relation.as_str()).collect();
    if heads.is_empty() {
        return None;
    }
    let mut handles = vec![*random.pick::<&str>(&heads)];
    if random.percent(30) {
        handles.push(*random.pick::<&str>(&heads));
    }
    let using = *random.pick(&["", " using independent", " using independent", " using functional"]);
    Some(format!("decouple {} {{ {} }} into c{}{using}", component.name, handles.join(", "), program.components.len()))
}

/// Up to four random lines that are allowed.
fn random_plan(random: &mut Random, original: &Program) -> Vec<String> {
    let mut current = original.clone();
    let mut lines = Vec::new();
    for _ in 0..16 {
        let Some(line) = random_line(random, &current) else { continue };
        match apply_without(&current, &line, None) {
            Ok(stage) => {
                current = stage.program;
                lines.push(line);
            }
            Err(error @ PlanError::IllFormed { .. }) => panic!("{}{}", error.render(false), current.source.text),
            Err(_) => {}
        }
        if lines.len() == 3 {
            break;
        }
    }
    lines
}

/// The stages of a plan; `None` if a line is not allowed.
fn stages(original: &Program, lines: &[String]) -> Option<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in lines {
        let current = stages.last().map_or(original, |stage| &stage.program);
        stages.push(apply_without(current, line, None).ok()?);
    }
    Some(stages)
}

/// Random programs may talk for ever.
fn limits() -> Config {
    Config { requests: 8, max_steps: 120, ..Config::default() }
}

/// What goes wrong, if anything does.
fn failure(rules: &Rules, lines: &[String]) -> Option<String> {
    let original = program(rules)?;
    let stages = stages(&original, lines)?;
    let report = refine::check_with(&original, &stages, 12, limits());
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
            for index in (0..rules[side].len()).rev() {
                let mut fewer = rules.clone();
                fewer[side].remove(index);
                smaller = smaller.or_else(|| failure(&fewer, &lines).map(|message| (fewer, lines.clone(), message)));
            }
        }
        match smaller {
            Some(found) => (rules, lines, message) = found,
            None => return message,
        }
    }
}

#[test]
fn whatever_is_allowed_refines() {
    let setting = |name, default| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (first, count): (u64, u64) = (setting("RANDOM_FIRST", 0), setting("RANDOM_COUNT", 400));
    let mut applied: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
    for seed in first..first + count {
        let mut random = Random(seed);
        let rules = random_rules(&mut random);
        let Some(original) = program(&rules) else { continue };
        // A program that does not settle is given up by every world in its own way.
        if refine::check_with(&original, &[], 2, limits()).wrong_runs > 0 {
            continue;
        }
        let lines = random_plan(&mut random, &original);
        for stage in stages(&original, &lines).unwrap_or_default() {
            *applied.entry(stage.rewrite).or_default() += 1;
        }
        if let Some(message) = failure(&rules, &lines) {
            panic!("seed {seed}: {}", shrink(rules, lines, message));
        }
    }
    assert!(applied.len() == 3 || count < 100, "every rewrite is applied somewhere: {applied:?}");
}
