//! Random programs, random plans: whatever is allowed must refine. What the preconditions overlook shows here.

mod common;
#[path = "random/nearly.rs"]
mod nearly;
#[path = "random/refusals.rs"]
mod refusals;

use common::{apply_without, refine};
use menard_lang::ir::{Channel, Component, Literal, Rule, RuleKind};
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
channel s(k: int, v: int)     a -> bSERIAL
channel z(k: int, v: int)     b -> aSERIAL
channel done(k: int, v: int)  b -> client
channel told(k: int)          a -> client
";

/// A relation that rules of a component can read or fill, with its number of columns.
type Relation = (&'static str, usize);

/// Stands for the number of columns of a relation with a collection as its second.
const COLLECTION: usize = 9;

struct Side {
    name: &'static str,
    tables: &'static [Relation],
    events: &'static [Relation],
    received: &'static [Relation],
    /// Channels with what can be addressed; timers with nothing.
    sent: &'static [(&'static str, usize, &'static str)],
}

const SIDES: [Side; 2] = [
    Side {
        name: "a",
        tables: &[("t", 2), ("u", 1), ("g", 2), ("l", 2), ("h", 1)],
        events: &[("e", 2), ("f", 1), ("w", 2), ("c", COLLECTION)],
        received: &[("put", 2), ("put", 2), ("drop", 1), ("n", 2), ("p", 2), ("z", 2), ("ra", 2), ("ta", 0)],
        sent: &[
            ("m", 2, "b"),
            ("m", 2, "b"),
            ("q", 1, "b"),
            ("s", 2, "b"),
            ("p", 2, "a"),
            ("ra", 2, ""),
            ("ra", 2, ""),
            ("told", 1, "client"),
        ],
    },
    Side {
        name: "b",
        tables: &[("t", 2), ("u", 1), ("g", 2), ("l", 2), ("h", 1)],
        events: &[("e", 2), ("w", 2), ("c", COLLECTION)],
        received: &[("m", 2), ("m", 2), ("q", 1), ("s", 2), ("rb", 2), ("tb", 0)],
        sent: &[("n", 2, "a"), ("n", 2, "a"), ("z", 2, "a"), ("rb", 2, ""), ("rb", 2, ""), ("done", 2, "client")],
    },
];

const PAIRS: [&str; 15] = [
    "x, y", "x, y", "x, y", "x, y", "x, y", "y, x", "x, _", "x, x", "_, y", "x, z", "z, y", "x, 1", "x % 3, y", "_, x",
    "z, x",
];
const SINGLES: [&str; 6] = ["x", "x", "x", "y", "z", "_"];
const HEAD_PAIRS: [&str; 23] = [
    "x, y",
    "x, y",
    "x, y",
    "x, y",
    "x, y",
    "y, x",
    "x, z",
    "x, x",
    "x, 0",
    "0, y",
    "y, 2",
    "x, count(y)",
    "y, max(x)",
    "x, argmax(y, y)",
    "y, argmin(x, y)",
    "x, choose(y)",
    "x, index(y)",
    "x % 3, y",
    "x % 3, x",
    "x % 3, x",
    "y, y % 3",
    "x, x / y",
    "x % 3, count(y)",
];
const HEAD_SINGLES: [&str; 8] = ["x", "x", "x", "y", "y", "z", "0", "count(x)"];

fn atom(random: &mut Random, relation: Relation) -> String {
    let args = match relation.1 {
        0 => "",
        1 => random.pick::<&str>(&SINGLES),
        COLLECTION => "x, _",
        _ => random.pick::<&str>(&PAIRS),
    };
    format!("{}({args})", relation.0)
}

/// An atom that says something about what is in a collection, if there is one.
fn looked_into(random: &mut Random, relation: Relation) -> String {
    match relation.1 {
        COLLECTION => {
            format!("{}(x, l), {}", relation.0, random.pick(&["y in l", "z in l", "y = size(l)", "!(0 in l)"]))
        }
        _ => atom(random, relation),
    }
}

fn head(random: &mut Random, relation: Relation) -> String {
    let args = match relation.1 {
        COLLECTION => "x, GATHER",
        2 => random.pick::<&str>(&HEAD_PAIRS),
        _ => random.pick::<&str>(&HEAD_SINGLES),
    };
    format!("{}({args})", relation.0)
}

fn body(random: &mut Random, side: &Side, filled: &[Relation]) -> Vec<String> {
    let is_table = |relation: &Relation| side.tables.contains(relation) || relation.1 == COLLECTION;
    let mut literals = Vec::new();
    for _ in 0..*random.pick(&[1, 1, 2, 2]) {
        let relation = *random.pick(filled);
        let new = if is_table(&relation) && random.percent(50) { "new " } else { "" };
        literals.push(format!("{new}{}", looked_into(random, relation)));
    }
    if random.percent(15) {
        let relation = *random.pick(filled);
        literals.push(format!("!{}", atom(random, relation)));
    }
    if random.percent(8) {
        let (one, other) = (*random.pick(filled), *random.pick(filled));
        let test = *random.pick(&["z > 0", "z != x", "z == y"]);
        literals.push(match random.percent(50) {
            true => format!("!({}, {test})", looked_into(random, one)),
            false => format!("!({}, {})", looked_into(random, one), atom(random, other)),
        });
    }
    if random.percent(15) {
        let tests = ["x < 2", "x != y", "x == y", "y > 0", "x % 3 == y % 3", "z == x % 3", "w = y % 3, w == z"];
        literals.push((*random.pick(&tests)).to_owned());
    }
    if random.percent(8) {
        let ranges = ["z in [x, 3]", "y in range(0, x)", "!(x in [0, 1])", "z in [(x, 1), (y, 2)], w == z.0"];
        literals.push((*random.pick(&ranges)).to_owned());
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
            if to.is_empty() {
                return format!("{} :~ {}", head(random, (channel, arity)), body.join(", "));
            } else if to == "client" {
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

/// State in a rule that concludes more from more: tables and views as `atom` has them; of `w`, a count, mostly a threshold.
fn state(random: &mut Random, filled: &[Relation]) -> String {
    let of_state = |relation: &&Relation| ["t", "u", "g", "e", "w", "h"].contains(&relation.0);
    let states: Vec<Relation> = filled.iter().filter(of_state).copied().collect();
    match states.is_empty() {
        true => "i(x)".to_owned(),
        false => match *random.pick(&states) {
            ("w", _) => (*random.pick(&["w(x, n), n >= 2", "w(y, n), n > 1", "w(x, n), 1 < n", "w(x, 2)", "w(x, y)"]))
                .to_owned(),
            ("h", _) => (*random.pick(&["h(n), n >= 2", "h(n), n > 0", "u(x), h(n), x <= n", "h(x)"])).to_owned(),
            ("g", _) if random.percent(50) => {
                (*random.pick(&["g(x, n), n >= 2", "g(x, n), 0 < n", "g(y, n), n >= 1"])).to_owned()
            }
            relation => atom(random, relation),
        },
    }
}

/// A rule of a program in which most rules only conclude more from more.
fn growing_rule(random: &mut Random, side: &Side, filled: &[Relation]) -> String {
    const HEADS: [&str; 6] = ["x, y", "x, y", "y, x", "x, x", "x, 0", "x, z"];
    let one = |random: &mut Random, filled: &[Relation]| {
        let more = if random.percent(40) { format!(", {}", state(random, filled)) } else { String::new() };
        format!("{}{more}", state(random, filled))
    };
    let events: Vec<Relation> = filled.iter().filter(|relation| side.received.contains(relation)).copied().collect();
    let pair = *random.pick(&HEADS);
    match random.below(10) {
        0..=2 if !events.is_empty() => {
            let (table, head) = *random.pick(&[("t", pair), ("t", "x, y"), ("u", "x"), ("g", "x, y"), ("h", "x")]);
            let event = *random.pick(&events);
            let arrow = if random.percent(80) { ":-" } else { ":+" };
            format!("{table}({head}) {arrow} {}", atom(random, event))
        }
        3 => format!("t({pair}) :- {}", one(random, filled)),
        4..=5 => format!("e({pair}) :- {}", one(random, filled)),
        6 => {
            let of_all = *random.pick(&["count(y)", "count(y)", "max(y)", "min(y)"]);
            format!("w(x, {of_all}) :- {}", state(random, filled))
        }
        _ => {
            let (channel, arity, to) = *random.pick(side.sent);
            let args = if arity == 1 { "x" } else { pair };
            let new = random.percent(60);
            let body = if new { format!("new {}", state(random, filled)) } else { one(random, filled) };
            match to {
                "" => format!("{channel}({args}) :~ {body}"),
                "client" => format!("{channel}({args})@me :~ {body}"),
                _ => format!("{channel}({args})@o :~ {body}, {to}(o)"),
            }
        }
    }
}

/// The same message, sent when a fact of a table begins to hold: for receivers that would notice if state sent it again and again.
fn sent_once(rule: &str, side: &Side) -> Option<String> {
    let (head, body) = rule.split_once(":~ ")?;
    let table = side.tables.iter().find(|(name, _)| body.starts_with(&format!("{name}(")))?;
    Some(format!("{head}:~ {}", body.replacen(table.0, &format!("new {}", table.0), 1)))
}

/// One of two sets of relations; the other is the rest.
const HALF: [&str; 10] = ["u", "f", "drop", "q", "p", "n", "g", "z", "ta", "tb"];

fn own_relations(side: &Side) -> impl Iterator<Item = &'static Relation> + use<> {
    side.tables.iter().chain(side.events)
}

/// What is declared, and the rules of both components.
#[derive(Clone)]
struct Rules {
    /// What goes on about declarations.
    setting: u64,
    /// The rules of each side.
    of: [Vec<String>; 2],
}

impl Rules {
    /// One of these, for each name another one.
    fn choose<'a>(&self, what: u64, from: &[&'a str]) -> &'a str {
        from[Random(self.setting ^ what.wrapping_mul(0x9e37_79b9)).below(from.len())]
    }
}

const FAULTS: [&str; 8] = [
    "",
    "fault omission 1 of a",
    "fault omission 1 of b",
    "fault crash 1 of b",
    "fault restart 1 of a",
    "fault restart 1 of b",
    "fault restart 2 of a fault restart 1 of b",
    "fault restart 1 of b fault crash 1 of a",
];
const GATHER: [&str; 5] = ["list(y)", "set(y)", "quorum(2, y)", "quorum(2, y)", "map(y, x)"];
const DURABLE: [&str; 4] = ["", "", "", "durable "];

fn text(rules: &Rules) -> String {
    let mut text =
        HEADER.replace("FAULT", rules.choose(0, &FAULTS)).replace("SERIAL", rules.choose(1, &["", " serial"]));
    for (number, (side, own)) in (10..).step_by(10).zip(SIDES.iter().zip(&rules.of)) {
        let choose = |what: u64, from: &[&'static str]| rules.choose(number + what, from);
        text += &format!("component {} {{\n", side.name);
        // All tables of a component are durable, or none: a durable window has a durable floor.
        let durable = choose(1, &DURABLE);
        text += &format!("  {durable}table t(x: int, y: int)\n  {durable}table u(x: int)\n");
        let kept = choose(2, &["x: int => y: int", "x: int => y: int", "x: int, y: int =>", "=> x: int, y: int"]);
        text += &format!("  {durable}table g({kept}) {}\n", choose(3, &["first", "max", "replace"]));
        text += &format!("  {durable}table h(=> x: int) max\n");
        let window = choose(4, &["x: int, y: int)", "x: int => y: int) first", "x: int => y: int) replace"]);
        text += &format!("  {durable}window table l({window} above h\n");
        text += &format!("  timer r{0}(k: int, v: int) after 50 ms\n", side.name);
        if own.iter().any(|rule| rule.contains(&format!("t{}()", side.name))) {
            text += &format!("  timer t{}() every 1 s\n", side.name);
        }
        text += "  i(x) :- a(o), x = index_of(o)\n  j(x) :- i(x), x > 0\n";
        let gather = choose(5, &GATHER);
        for rule in own {
            text += &format!("  {}\n", rule.replace("GATHER", gather));
        }
        text += "}\n";
    }
    text
}

fn program(rules: &Rules) -> Option<Program> {
    compile(&Source::new("random.ded", text(rules)), &[]).ok().map(|compiled| compiled.program)
}

/// Rules of `b` that keep things by what is computed of a message, and say what they have: some together can be partitioned.
const BY_REMAINDER: [&str; 24] = [
    "t(x % 3, y) :- m(x, y)",
    "t(x % 3, x) :- m(x, _)",
    "t(z, x) :+ m(x, _), z = x % 3",
    "t(x % 3, x) :+ q(x)",
    "g(x % 3, y) :- m(x, y)",
    "g(y, x % 3) :- m(x, y)",
    "u(x % 3) :- m(x, _)",
    "u(z) :- new t(z, _)",
    "h(x % 3) :- q(x)",
    "e(x % 3, y) :- m(x, y)",
    "w(z, count(y)) :- t(z, y)",
    "w(z / 2, count(y)) :- t(z, y)",
    "delete t(x % 3, _) :+ q(x)",
    "delete t(_, x) :+ q(x)",
    "n(x, y)@o :~ q(x), t(x % 3, y), a(o)",
    "n(x, y)@o :~ m(x, y), t(_, x), a(o)",
    "n(x, 0)@o :~ m(x, _), !t(x % 3, _), a(o)",
    "n(x, 1)@o :~ q(x), !t(_, x), a(o)",
    "n(z, y)@o :~ t(z, y), a(o)",
    "n(0, y)@o :~ t(_, y), a(o)",
    "n(y, z)@o :~ t(z, y), a(o)",
    "n(z, y)@o :~ new g(z, y), a(o)",
    "n(z, y)@o :~ new w(z, y), a(o)",
    "n(z, 2)@o :~ new u(z), a(o)",
];

/// Adds rules of a list to `b`, but those that make the program ill-formed.
fn add_some(random: &mut Random, rules: &mut Rules, list: &[impl ToString], count: usize) {
    for _ in 0..count {
        rules.of[1].push(random.pick(list).to_string());
        if program(rules).is_none() {
            rules.of[1].pop();
        }
    }
}

/// Rules of `b` that keep values of `m`, and look at them, at all or at one, when `q` comes: some together can be partitioned by value, with `q`
/// replicated.
const BY_VALUE: [&str; 28] = [
    "t(x, y) :- m(x, y)",
    "t(x, y) :- m(x, y)",
    "t(x, y) :+ m(x, y)",
    "t(x, y) :- m(x, y), u(x)",
    "t(x, y) :- m(x, y), h(z), x >= z",
    "delete t(x, _) :+ q(x)",
    "delete t(_, y) :+ m(_, y), u(y)",
    "u(x) :- q(x)",
    "u(x) :- q(x)",
    "u(x) :+ q(x)",
    "delete u(x + 1) :+ q(x)",
    "h(x) :- q(x)",
    "h(x) :- q(x)",
    "h(x) :+ q(x)",
    "g(x, x) :- q(x)",
    "n(x, y)@o :~ m(x, y) from o, u(x)",
    "n(x, y)@o :~ m(x, y) from o, !u(y)",
    "n(x, y)@o :~ m(_, y) from o, h(x)",
    "n(x, y)@o :~ q(x) from o, t(x, y)",
    "n(0, y)@o :~ q(_) from o, t(_, y), a(o)",
    "n(x, y)@o :~ new u(x), t(_, y), a(o)",
    "e(x, y) :- q(x), t(_, y)",
    "e(x, y) :- new u(x), t(x, y)",
    "w(x, count(y)) :- e(x, y)",
    "z(x, count(y))@o :~ q(x) from o, e(x, y)",
    "z(x, 0)@o :~ q(x) from o, !e(x, _)",
    "z(x, y)@o :~ w(x, y), h(_), a(o)",
    "z(x, 7)@o :~ q(x) from o, h(x)",
];

/// Adds rules one by one, over what is filled already, as long as the program stays well-formed.
fn random_rules(random: &mut Random) -> Rules {
    let first = vec!["m(x, y)@o :~ put(x, y), b(o)".to_owned()];
    let mut rules = Rules { setting: random.next(), of: [first, Vec::new()] };
    // Few programs have timers that repeat, since they never fall silent, and windows, since their floors cannot be partitioned.
    let (repeats, slides) = (random.percent(10), random.percent(30));
    // In half of the programs rules keep to two sets of relations, so that something is independent.
    let halves = random.percent(50);
    let grows = random.percent(30);
    if random.percent(40) {
        rules.of[0].push("q(x)@o :~ drop(x), b(o)".to_owned());
        let count = 3 + random.below(6);
        let pieces: &[&str] = if random.percent(50) { &BY_REMAINDER } else { &BY_VALUE };
        add_some(random, &mut rules, pieces, count);
    }
    for _ in 0..*random.pick(&[2, 4, 4, 4]) + random.below(14) {
        let position = random.below(2);
        let side = &SIDES[position];
        let sent = |relation: &Relation| {
            let sends = |rule: &String| rule.starts_with(&format!("{}(", relation.0)) && rule.contains(":~");
            let repeated = relation.1 == 0 && repeats;
            relation.0 == "put" || relation.0 == "drop" || repeated || rules.of.iter().flatten().any(sends)
        };
        let fills = |relation: &Relation| {
            rules.of[position].iter().any(|rule| rule.starts_with(&format!("{}(", relation.0)) && !rule.contains(":~"))
        };
        let own = own_relations(side).filter(|relation| fills(relation));
        let filled: Vec<Relation> =
            side.received.iter().filter(|relation| sent(relation)).chain(own).copied().collect();
        let half = random.percent(50);
        let is_other = |relation: &Relation| halves && HALF.contains(&relation.0) != half;
        let filled: Vec<Relation> = filled.into_iter().filter(|relation| !is_other(relation)).collect();
        let rule = match grows && random.percent(92) {
            true => growing_rule(random, side, &filled),
            false => rule(random, side, &filled),
        };
        if !slides && !grows && (rule.contains("h(") || rule.contains("l(")) {
            continue;
        }
        let head = rule.trim_start_matches("delete ").split('(').next().unwrap_or_default().to_owned();
        if !own_relations(side).any(|relation| relation.0 == head && is_other(relation)) {
            let once = sent_once(&rule, side);
            for rule in [Some(rule), once].into_iter().flatten() {
                rules.of[position].push(rule);
                if program(&rules).is_some() {
                    break;
                }
                rules.of[position].pop();
            }
        }
    }
    rules
}

fn random_line(random: &mut Random, program: &Program) -> Option<String> {
    let component = random.pick(&program.components);
    if random.percent(40) {
        let keys = [
            " by k",
            " by v",
            " by k, v",
            " by k % 3",
            " by k % 3",
            " by k % 3",
            " by v % 3",
            " by k / v",
            " by k, v % 3",
        ];
        let by = if random.percent(80) { *random.pick(&keys) } else { "" };
        // What lacks `v` is replicated.
        if random.percent(25) {
            return Some(format!("partition {} by v into 2 with c{}", component.name, program.components.len()));
        }
        return Some(format!("partition {}{by} into {}", component.name, 2 + random.below(2)));
    }
    let heads: Vec<&str> = component.rules.iter().map(|rule| rule.head.relation.as_str()).collect();
    if heads.is_empty() {
        return None;
    }
    if random.percent(20) {
        let received = program.channels.iter().filter(|channel| channel.receiver == component.name);
        let received: Vec<&str> = received.map(|channel| channel.name.as_str()).collect();
        let mut handles = vec![*random.pick(if received.is_empty() { &heads } else { &received })];
        handles.push(*random.pick::<&str>(&heads));
        if random.percent(60) {
            handles.remove(random.below(2));
        }
        let number = program.components.len();
        return Some(format!("decouple {} {{ {} }} into c{number} using prefix", component.name, handles.join(", ")));
    }
    let mut handles = vec![*random.pick::<&str>(&heads)];
    if random.percent(30) {
        handles.push(*random.pick::<&str>(&heads));
    }
    // Rules that stay must not read what moves: then all that depends on it moves.
    while random.percent(60) {
        let reads = |rule: &&Rule| {
            !handles.contains(&&*rule.head.relation) && mentioned(rule).any(|name| handles.contains(&name))
        };
        let Some(reader) = component.rules.iter().find(reads) else { break };
        handles.push(&reader.head.relation);
    }
    if random.percent(30) {
        // Rules that move must not read what stays: then all that it depends on moves.
        let reads = |name: &str, handles: &[&str]| {
            let mut rules = component.rules.iter().filter(|rule| handles.contains(&rule.head.relation.as_str()));
            rules.any(|rule| mentioned(rule).any(|read| read == name))
        };
        while let Some(more) = heads.iter().find(|name| !handles.contains(name) && reads(name, &handles)) {
            handles.push(more);
        }
        let number = program.components.len();
        return Some(format!(
            "decouple {} {{ {} }} into c{number} using asymmetric",
            component.name,
            handles.join(", ")
        ));
    }
    let using = [
        "",
        " using independent",
        " using independent",
        " using functional",
        " using monotonic",
        " using monotonic",
        " using mutual",
        " using mutual",
        " using state_machine",
        " using asymmetric",
    ];
    let using = *random.pick(&using);
    Some(format!("decouple {} {{ {} }} into c{}{using}", component.name, handles.join(", "), program.components.len()))
}

/// A precondition to leave out, by hand: then something has to go wrong.
fn skipped() -> Option<String> {
    std::env::var("RANDOM_SKIP").ok()
}

/// Up to four random lines that are allowed.
fn random_plan(random: &mut Random, original: &Program) -> Vec<String> {
    let mut current = original.clone();
    let mut lines = Vec::new();
    for _ in 0..16 {
        let Some(line) = random_line(random, &current) else { continue };
        match apply_without(&current, &line, skipped().as_deref()) {
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
    stages_without(original, lines, skipped().as_deref())
}

/// The same but for a precondition.
fn stages_without(original: &Program, lines: &[String], skip: Option<&str>) -> Option<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in lines {
        let current = stages.last().map_or(original, |stage| &stage.program);
        stages.push(apply_without(current, line, skip).ok()?);
    }
    Some(stages)
}

/// Random programs may talk for ever.
fn limits() -> Config {
    Config { requests: 8, max_steps: 120, ..Config::default() }
}

/// What goes wrong, if anything does.
fn failure(rules: &Rules, lines: &[String]) -> Option<String> {
    failure_without(rules, lines, skipped().as_deref())
}

/// The same if a precondition is left out.
fn failure_without(rules: &Rules, lines: &[String], skip: Option<&str>) -> Option<String> {
    let original = program(rules)?;
    let stages = stages_without(&original, lines, skip)?;
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
const CONSTRUCTS: [(&str, &[&str]); 7] = [
    ("keyed table", &["g", "h"]),
    ("window", &["l"]),
    ("timer", &["ra", "rb"]),
    ("timer that repeats", &["ta", "tb"]),
    ("serial channel", &["s", "z"]),
    ("collection", &["c"]),
    ("absence of several", &[]),
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
    assert!(
        applied.len() == menard_opt::rules::REWRITES.len() || pairs < 1_000,
        "every rewrite is applied somewhere: {applied:?}"
    );
}
