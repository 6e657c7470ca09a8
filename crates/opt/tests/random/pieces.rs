//! Lists of rules of which some together are what a rewrite is made for.

use super::Random;
use super::programs::{Rules, program};

/// Rules of `b` that keep things by what is computed of a message, and say what they have: some together can be partitioned.
pub const BY_REMAINDER: [&str; 24] = [
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

/// Adds rules of a list to a side, but those that make the program ill-formed.
pub fn add_some(random: &mut Random, rules: &mut Rules, side: usize, list: &[&str], count: usize) {
    for _ in 0..count {
        rules.of[side].push((*random.pick(list)).to_owned());
        if program(rules).is_none() {
            rules.of[side].pop();
        }
    }
}

/// Rules of `b` that keep values of `m`, and look at them, at all or at one, when `q` comes: some together can be partitioned by value, with `q`
/// replicated.
pub const BY_VALUE: [&str; 28] = [
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

/// Rules of `a` about who said what, with records, and what goes over an ordered channel.
pub const RICH_AT_A: [&str; 19] = [
    "who(x, o) :- put(x, _) from o",
    "who(x, o) :- p(x, _) from o",
    "who(y, o) :- n(_, y) from o",
    "told(x)@o :~ new e(x, _), who(x, o)",
    "told(x)@o :~ n(x, _), who(x, o)",
    "told(x)@o :~ new who(x, o)",
    "delete who(x, _) :+ drop(x)",
    "w(x, count(o)) :- who(x, o)",
    "q(x)@o :~ new w(x, 2), b(o)",
    "e(x, 2) :- w(x, n), n >= 2",
    "rc(pair { x: x, y: y })@o :~ put(x, y), b(o)",
    "rc(pair { x: x, y: y })@o :~ put(x, y), b(o)",
    "rc(pair { x: y, y: x })@o :~ new t(x, y), b(o)",
    "oc(x, y)@o :~ put(x, y), b(o)",
    "p(x, index_of(me))@o :~ put(x, _), a(o)",
    "t(x, index_of(o)) :- p(x, _) from o",
    "e(x, index_of(o)) :- p(x, _) from o",
    "q(x)@o :~ drop(x), b(o)",
    "q(x)@o :~ put(x, _), !new u(x), b(o)",
];

/// The same of `b`.
pub const RICH_AT_B: [&str; 37] = [
    "who(x, o) :- m(x, _) from o",
    "who(x, o) :- m(x, _) from o",
    "who(x, o) :- q(x) from o",
    "who(y, o) :+ m(_, y) from o",
    "w(x, count(o)) :- who(x, o)",
    "w(x, count(o)) :- who(x, o)",
    "e(x, 2) :- w(x, n), n >= 2",
    "e(x, y) :- t(x, y), w(x, 2)",
    "e(x, index_of(o)) :- m(x, _) from o",
    "e(x, index_of(o)) :- who(x, o)",
    "n(x, 2)@o :~ new w(x, 2), a(o)",
    "n(x, 1)@o :~ new who(x, o)",
    "n(x, i)@o :~ q(x), who(x, s), i = index_of(s), a(o)",
    "n(x, y)@o :~ m(x, y) from o, !who(x, o)",
    "n(x, 3)@o :~ m(x, _), who(x, o)",
    "n(x, y)@o :~ new e(x, y), a(o)",
    "delete who(x, _) :+ q(x)",
    "delete who(_, o) :+ q(_) from o",
    "g(x, index_of(o)) :- m(x, _) from o",
    "n(x, y)@o :~ q(x) from o, g(x, y)",
    "n(x, 5)@o :~ m(x, _), !new u(x), a(o)",
    "rec(x, pair { x: x, y: y }) :- m(x, y)",
    "rec(c.x, c) :- rc(c)",
    "t(c.x, c.y) :- rc(c)",
    "t(c.x % 3, c.y) :- rc(c)",
    "e(c.x, c.y) :- rec(_, c)",
    "n(c.x, c.y)@o :~ rc(c) from o",
    "n(c.x, c.y)@o :~ new rec(_, c), a(o)",
    "n(x, c.y)@o :~ q(x), rec(x, c), a(o)",
    "delete rec(x, _) :+ q(x)",
    "t(x, y) :- oc(x, y)",
    "e(x, y) :- oc(x, y)",
    "n(x, y)@o :~ oc(x, y) from o",
    "h(x) :- oc(x, _)",
    "h(0) :- start()",
    "h(x + 1) :+ h(x), m(_, _)",
    "n(x, z)@o :~ q(x) from o, t(x, y), z = y / x",
];
