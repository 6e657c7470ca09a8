//! Rules of random programs, over the relations that are filled already.

use super::Random;
use super::macs::add_macs;
use super::pieces::{BY_REMAINDER, BY_VALUE, RICH_AT_A, RICH_AT_B, add_some};
use super::programs::{COLLECTION, Relation, Rules, SIDES, Side, program};

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

/// Adds rules one by one, over what is filled already, as long as the program stays well-formed.
pub fn random_rules(random: &mut Random) -> Rules {
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
        add_some(random, &mut rules, 1, pieces, count);
    }
    if random.percent(35) {
        for (side, pieces) in [RICH_AT_A.as_slice(), &RICH_AT_B].into_iter().enumerate() {
            let count = 2 + random.below(6);
            add_some(random, &mut rules, side, pieces, count);
        }
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
    add_macs(&mut rules);
    rules
}
