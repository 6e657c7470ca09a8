//! What random programs are written in, and how their text is put together.

use menard_lang::{Program, Source, compile};

use super::Random;

const HEADER: &str = "protocol random
record pair(x: int, y: int)
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

/// Channels that few programs have.
const MORE_CHANNELS: [(&str, &str); 5] = [
    ("rc", "channel rc(c: pair)           a -> b\n"),
    ("oc", "channel oc(k: int, v: int)    a -> b ordered by k\n"),
    ("vouch", "channel vouch(k: int, v: int, s: mac)    a -> b\n"),
    ("echo", "channel echo(k: int, s: mac)  b -> a\n"),
    ("tell", "channel tell(k: int, l: map<node, mac>)  a -> a\n"),
];

/// Tables that few components have.
const MORE_TABLES: [(&str, &str); 3] =
    [("who", "x: int, o: node"), ("rec", "x: int, c: pair"), ("seal", "x: int, s: mac")];

/// A relation that rules of a component can read or fill, with its number of columns.
pub type Relation = (&'static str, usize);

/// Stands for the number of columns of a relation with a collection as its second.
pub const COLLECTION: usize = 9;

pub struct Side {
    pub name: &'static str,
    pub tables: &'static [Relation],
    pub events: &'static [Relation],
    pub received: &'static [Relation],
    /// Channels with what can be addressed; timers with nothing.
    pub sent: &'static [(&'static str, usize, &'static str)],
}

pub const SIDES: [Side; 2] = [
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

/// What is declared, and the rules of both components.
#[derive(Clone)]
pub struct Rules {
    /// What goes on about declarations.
    pub setting: u64,
    /// The rules of each side.
    pub of: [Vec<String>; 2],
}

impl Rules {
    /// One of these, for each name another one.
    fn choose<'a>(&self, what: u64, from: &[&'a str]) -> &'a str {
        from[Random(self.setting ^ what.wrapping_mul(0x9e37_79b9)).below(from.len())]
    }
}

pub const FAULTS: [&str; 10] = [
    "",
    "fault omission 1 of a",
    "fault omission 1 of b",
    "fault crash 1 of b",
    "fault restart 1 of a",
    "fault restart 1 of b",
    "fault restart 2 of a fault restart 1 of b",
    "fault restart 1 of b fault crash 1 of a",
    "fault restart 1 of b fault crash 1 of b",
    "fault omission 1 of b fault restart 2 of a",
];
/// Those who lie, in two programs of five; what is sent in their names is drawn anew for each run.
const LIARS: [&str; 5] = ["", "", "", "\nfault byzantine 1 of a", "\nfault byzantine 1 of b"];
const GATHER: [&str; 5] = ["list(y)", "set(y)", "quorum(2, y)", "quorum(2, y)", "map(y, x)"];
const DURABLE: [&str; 4] = ["", "", "", "durable "];
/// Tables of a component with durable ones that are not.
const VOLATILE: [&str; 6] = ["", "", "tg", "u", "uhl", "gl"];

pub fn text(rules: &Rules) -> String {
    let faults = [rules.choose(0, &FAULTS), rules.choose(2, &LIARS)].concat();
    let mut text = HEADER.replace("FAULT", &faults).replace("SERIAL", rules.choose(1, &["", " serial"]));
    let mentions = |rules: &[String], name: &str| rules.iter().any(|rule| rule.contains(&format!("{name}(")));
    for (name, declaration) in MORE_CHANNELS {
        if rules.of.iter().any(|own| mentions(own, name)) {
            text += declaration;
        }
    }
    for (number, (side, own)) in (10..).step_by(10).zip(SIDES.iter().zip(&rules.of)) {
        let choose = |what: u64, from: &[&'static str]| rules.choose(number + what, from);
        text += &format!("component {} {{\n", side.name);
        // A durable window has a durable floor.
        let (durable, volatile) = (choose(1, &DURABLE), choose(6, &VOLATILE));
        let kind = |table: char| if volatile.contains(table) { "" } else { durable };
        text += &format!("  {}table t(x: int, y: int)\n  {}table u(x: int)\n", kind('t'), kind('u'));
        let kept = choose(2, &["x: int => y: int", "x: int => y: int", "x: int, y: int =>", "=> x: int, y: int"]);
        text += &format!("  {}table g({kept}) {}\n", kind('g'), choose(3, &["first", "max", "replace"]));
        text += &format!("  {}table h(=> x: int) max\n", kind('h'));
        let window = choose(4, &["x: int, y: int)", "x: int => y: int) first", "x: int => y: int) replace"]);
        text += &format!("  {}window table l({window} above h\n", kind('l'));
        text += &format!("  timer r{0}(k: int, v: int) after 50 ms\n", side.name);
        if own.iter().any(|rule| rule.contains(&format!("t{}()", side.name))) {
            text += &format!("  timer t{}() every 1 s\n", side.name);
        }
        for (name, columns) in MORE_TABLES {
            if mentions(own, name) {
                text += &format!("  {durable}table {name}({columns})\n");
            }
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

pub fn program(rules: &Rules) -> Option<Program> {
    compile(&Source::new("random.ded", text(rules)), &[]).ok().map(|compiled| compiled.program)
}
