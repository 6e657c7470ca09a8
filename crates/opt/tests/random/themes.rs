//! What programs are made of that a rewrite is made for, but for a rule here and there.

use super::behind::{BEHIND, HEARD};
use super::pieces::BY_VALUE;
use super::restarted::RESTARTED;

/// What rules of `b` are made from.
pub struct Theme {
    pub rewrite: &'static str,
    /// Lists of rules, and how many of each are taken at least. `T` stands for a table.
    pub parts: &'static [(&'static [&'static str], usize)],
    /// Which tables `T` may be.
    pub tables: &'static [&'static str],
    /// What the lines decouple; or whole lines.
    pub handles: &'static [&'static str],
    /// What all its programs declare, the component `a` aside.
    pub declares: &'static [&'static str],
    /// Preconditions that programs break which are made so, and no other.
    pub breaks: &'static [&'static str],
}

/// A table that loses all that it has of a key, and what is said of one key.
const OF_A_KEY: Theme = Theme {
    rewrite: "monotonic",
    parts: &[(FILLS, 1), (DELETIONS, 1), (VIEWS, 2), (SAID, 1)],
    tables: &["t", "t", "g"],
    handles: &["e, n", "e, n, z", "n", "w, e, n", "w, e, u, n", "w, e, n, z", "u, n"],
    declares: &[],
    breaks: &["D3.2", "D3.7"],
};
/// The same of a window.
const OF_A_WINDOW: Theme =
    Theme { parts: &[(FILLS, 1), (FLOORS, 1), (VIEWS, 2), (SAID, 1)], tables: &["l"], breaks: &["D3.7"], ..OF_A_KEY };
const FILLS: &[&str] = &[
    "T(x, y) :- m(x, y)",
    "T(x, y) :- m(x, y)",
    "T(x, y) :- m(x, y)",
    "T(x, x) :- q(x)",
    "T(x, y % 3) :- m(x, y)",
    "T(x, y) :+ m(x, y)",
    "T(x, 0) :- u(x)",
];
const DELETIONS: &[&str] = &[
    "delete T(x, _) :+ q(x)",
    "delete T(x, _) :+ q(x)",
    "delete T(x, _) :+ m(x, 0)",
    "delete T(x, _) :+ m(x, 0)",
    "delete T(x, _) :+ m(_, x)",
    "delete T(_, _) :+ q(_)",
    "delete T(_, x) :+ q(x)",
    "delete T(x, _) :+ new w(x, 2)",
    "delete T(x, _) :+ u(x)",
];
const FLOORS: &[&str] = &["h(x) :- q(x)", "h(y) :- m(_, y)", "h(x) :+ q(x)", "h(x) :- new T(x, _)"];
const VIEWS: &[&str] = &[
    "e(x, z) :- T(x, y), T(x, z), y < z",
    "e(x, z) :- T(x, y), T(x, z), y < z",
    "e(x, y) :- T(x, y), y > 0",
    "e(x, x) :- T(x, _)",
    "e(0, y) :- T(_, y)",
    "e(x, y) :- T(x, y), u(x)",
    "e(x, y) :- T(x, y), T(y, _)",
    "w(x, count(y)) :- T(x, y)",
    "w(x, count(y)) :- T(x, y)",
    "e(x, 2) :- w(x, n), n >= 2",
    "u(x) :- e(x, _)",
    "u(x) :- q(x)",
];
const SAID: &[&str] = &[
    "n(x, y)@o :~ new e(x, y), a(o)",
    "n(x, y)@o :~ new e(x, y), a(o)",
    "n(x, y)@o :~ new T(x, y), a(o)",
    "n(x, 0)@o :~ new e(x, _), a(o)",
    "n(x, y)@o :~ e(x, y), a(o)",
    "n(x, 2)@o :~ new w(x, 2), a(o)",
    "n(x, 1)@o :~ new u(x), a(o)",
    "z(x, y)@o :~ new e(x, y), a(o)",
];

/// State that only grows, and what is concluded from it.
const GROWING: Theme = Theme {
    rewrite: "monotonic",
    parts: &[
        (&["t(x, y) :- m(x, y)", "t(y, x) :- m(x, y)", "t(x, y) :+ m(x, y)"], 1),
        (&["u(x) :- q(x)", "h(x) :- q(x)", "u(x) :+ q(x)"], 1),
        (
            &[
                "e(x, y) :- t(x, y), !u(x)",
                "e(x, y) :- t(x, y), u(y)",
                "e(x, y) :- t(x, y), w(x, n), n >= 2",
                "e(x, y) :- t(x, y), w(x, n), n < 2",
                "e(x, y) :- t(x, y), h(n), n >= y",
                "e(x, y) :- t(x, y), h(n), n < y",
                "e(x, n) :- t(x, _), h(n)",
                "w(x, count(y)) :- t(x, y)",
                "w(x, max(y)) :- t(x, y)",
                "g(x, y) :- new t(x, y)",
                "g(x, y) :- m(x, y)",
                "l(x, y) :- m(x, y)",
            ],
            2,
        ),
        (
            &[
                "n(x, y)@o :~ new e(x, y), a(o)",
                "n(x, y)@o :~ e(x, y), a(o)",
                "n(x, y)@o :~ w(x, y), a(o)",
                "n(x, y)@o :~ new g(x, y), a(o)",
                "n(x, y)@o :~ g(x, n), n >= 1, t(x, y), a(o)",
                "n(x, y)@o :~ new t(x, y), a(o)",
            ],
            1,
        ),
    ],
    tables: &["t"],
    handles: &["e, n", "w, e, n", "w, e, g, n", "g, n", "n"],
    declares: &[],
    breaks: &["D3.3", "D3.4"],
};

/// State that grows by turns: what one half concludes the other one reads.
const BY_TURNS: Theme = Theme {
    rewrite: "mutual",
    parts: &[
        (&["t(x, y) :- m(x, y)", "t(y, x) :- m(x, y)", "t(x, y) :+ m(x, y)"], 1),
        (&["u(x) :- q(x)", "u(x) :- q(x)", "u(x) :+ q(x)", "u(y) :- m(_, y)"], 1),
        (&["e(x, x) :- u(x)", "e(x, y) :- t(x, y), u(x)", "h(x) :- q(x)"], 1),
        (
            &[
                "e(y, x) :- w(x, _), t(x, y)",
                "e(y, y) :- w(x, y), t(x, y)",
                "e(x, y) :- g(x, n), n >= 1, t(x, y)",
                "e(x, x) :- w(x, y), !u(y)",
                "w(y, x) :- e(x, _), t(x, y)",
                "w(y, x) :- e(x, _), t(x, y)",
                "w(x, y) :- e(x, y), u(y)",
                "w(x, x) :- h(n), n >= x, e(x, _)",
                "w(x, x) :- h(n), n < x, e(x, _)",
                "w(x, count(y)) :- e(x, y)",
                "w(x, 2) :- t(x, y), g(y, 2)",
                "g(x, y) :- new e(x, y)",
                "g(x, y) :- new w(x, y)",
                "t(x, y) :- new w(x, y)",
                "u(y) :- new e(_, y)",
                "u(y) :- w(_, y)",
                "h(x) :- new w(x, _)",
                "delete u(x) :+ q(x)",
                "delete t(x, _) :+ q(x)",
            ],
            3,
        ),
        (
            &[
                "n(x, y)@o :~ new e(x, y), a(o)",
                "n(x, y)@o :~ new w(x, y), a(o)",
                "n(x, y)@o :~ w(x, y), a(o)",
                "n(x, 7)@o :~ e(x, _), a(o)",
                "n(x, 8)@o :~ q(x), e(x, _), a(o)",
                "n(x, 9)@o :~ q(x), a(o)",
                "z(x, y)@o :~ new w(x, y), a(o)",
                "z(x, y)@o :~ new e(x, y), a(o)",
                "z(x, 7)@o :~ e(x, _), u(x), a(o)",
                "z(x, 8)@o :~ new t(x, _), a(o)",
            ],
            2,
        ),
    ],
    tables: &["t"],
    handles: &["w", "e", "w, n", "e, n", "w, z", "e, z", "t, e, n", "u, w, z", "g, w", "g, e, z", "h, e", "h, w, n"],
    declares: &[],
    breaks: &["D5a.1", "D5a.2", "D5a.3", "D5a.4"],
};

/// State that changes when something is told, and what is answered.
const TOLD: Theme = Theme {
    rewrite: "state_machine",
    parts: &[
        (
            &[
                "t(x, y) :- m(x, y)",
                "t(x, y) :+ m(x, y)",
                "t(x, 0) :- q(x)",
                "e(x, y) :+ m(x, y)",
                "t(x, 1) :- new u(x)",
                "delete t(x, _) :+ q(x)",
                "delete u(x) :+ m(x, _)",
                "delete u(x) :+ u(x)",
                "u(x) :- q(x)",
                "u(x) :+ q(x)",
                "g(x, y) :- m(x, y)",
                "g(x, y) :+ m(x, y)",
                "g(x, 0) :+ q(x)",
                "h(x) :- q(x)",
                "h(x) :+ q(x)",
                "h(n + 1) :+ m(_, _), h(n)",
                "l(x, y) :- m(x, y)",
                "w(x, count(y)) :- t(x, y)",
            ],
            3,
        ),
        (
            &[
                "n(x, y)@o :~ q(x), t(x, y), a(o)",
                "n(x, 0)@o :~ q(x), !t(x, _), a(o)",
                "n(x, y)@o :~ m(x, y), t(y, _), a(o)",
                "n(x, y)@o :~ new t(x, y), a(o)",
                "n(x, 1)@o :~ new u(x), a(o)",
                "n(x, y)@o :~ t(x, y), a(o)",
                "n(x, y)@o :~ e(x, y), a(o)",
                "n(x, y)@o :~ q(x), g(x, y), a(o)",
                "n(x, y)@o :~ new g(x, y), a(o)",
                "n(x, n)@o :~ q(x), h(n), a(o)",
                "n(x, y)@o :~ q(_), l(x, y), a(o)",
                "n(x, y)@o :~ new w(x, y), a(o)",
            ],
            2,
        ),
    ],
    tables: &["t"],
    handles: &[
        "t, n",
        "t, u, n",
        "t, u, w, n",
        "g, n",
        "t, g, u, n",
        "h, l, n",
        "h, n",
        "e, t, n",
        "u, t, e, g, h, l, w, n",
    ],
    declares: &[],
    breaks: &["D4.3", "D4.5"],
};

/// What others listen to, and what they do when they hear of it.
const LISTENED_TO: Theme = Theme {
    rewrite: "asymmetric",
    parts: &[
        (
            &[
                "t(x, y) :- m(x, y)",
                "t(x, y) :- m(x, y)",
                "t(x, y) :+ m(x, y)",
                "u(x) :- q(x)",
                "u(x) :+ q(x)",
                "who(x, o) :- m(x, _) from o",
                "l(x, y) :- m(x, y)",
                "w(x, count(y)) :- t(x, y)",
                "w(x, count(o)) :- who(x, o)",
                "delete t(x, _) :+ q(x)",
                "delete u(x) :+ m(x, _)",
                "delete who(x, _) :+ new w(x, 2)",
            ],
            3,
        ),
        (
            &[
                "e(x, y) :- m(x, y), !t(x, _)",
                "e(x, y) :- m(x, y), u(y)",
                "e(x, y) :- new t(x, y)",
                "e(x, 2) :- new w(x, 2)",
                "e(x, n) :- new w(x, n)",
                "e(x, 0) :- new u(x)",
                "e(x, y) :+ m(x, y)",
                "e(x, y) :- q(x), t(x, y)",
                "e(x, y) :- new l(x, y)",
                "e(x, index(y)) :- m(x, y)",
                "e(0, count(y)) :- m(_, y)",
                "e(3, 3) :- start()",
            ],
            1,
        ),
        (
            &[
                "n(x, y)@o :~ m(x, y) from o",
                "n(x, y)@o :~ q(x) from o, t(x, y)",
                "n(x, 0)@o :~ q(x) from o, !t(x, _)",
                "n(x, y)@o :~ new t(x, y), a(o)",
                "n(x, 7)@o :~ new w(x, 2), a(o)",
                "n(x, index(y))@o :~ m(x, y) from o",
                "n(x, 1)@o :~ new u(x), a(o)",
                "n(x, 1)@o :~ who(x, o)",
                "rb(x, y) :~ m(x, y)",
                "t(x, 5) :- rb(x, _)",
            ],
            1,
        ),
        (
            &[
                "g(x, y) :- e(x, y)",
                "g(y, x) :+ e(x, y)",
                "h(x) :- e(x, _)",
                "h(0) :- start()",
                "h(x + 1) :+ h(x), e(_, _)",
                "h(x + 1) :+ h(x), q(_)",
                "delete g(x, _) :+ e(_, x)",
                "g(x, 4) :- q(x)",
            ],
            1,
        ),
        (
            &[
                "z(x, y)@o :~ e(x, y), a(o)",
                "z(x, y)@o :~ e(x, y), a(o)",
                "z(x, y)@o :~ e(x, _), g(x, y), a(o)",
                "z(x, n)@o :~ e(x, _), h(n), a(o)",
                "z(x, 1)@o :~ m(x, _) from o, !e(x, _)",
                "z(x, y)@o :~ m(x, _) from o, g(x, y)",
                "z(x, n)@o :~ q(x) from o, h(n)",
                "z(x, y)@o :~ new g(x, y), a(o)",
                "z(x, y)@o :~ g(x, y), a(o)",
                "z(x, count(y))@o :~ e(x, y), a(o)",
            ],
            1,
        ),
    ],
    tables: &["t"],
    handles: &["t, u, w, l, e, n, who, rb", "t, u, w, l, who, n, rb", "e, n", "t, u, w, l, e, who", "t, e, n, u, rb"],
    declares: &[],
    breaks: &["D5b.2", "D5b.3"],
};

/// Values by which a component is partitioned, and what all partitions have to know.
const SHARED: Theme = Theme {
    rewrite: "partial",
    parts: &[
        (&BY_VALUE, 5),
        (
            &[
                "n(x, y)@o :~ e(x, y), a(o)",
                "n(x, 0)@o :~ e(x, _), a(o)",
                "f(x, y) :- t(x, y), u(x)",
                "f(x, y) :- t(x, y), h(n), n >= x",
                "n(x, y)@o :~ new f(x, y), a(o)",
                "n(0, 0)@o :~ new f(_, _), a(o)",
                "z(x, y)@o :~ new t(x, y), a(o)",
                "z(0, 1)@o :~ new t(_, _), a(o)",
                "t(x, y) :- e(x, y)",
                "l(x, y) :- m(x, y)",
                "l(x, y) :- m(y, x)",
                "z(x, y)@o :~ m(x, y) from o, l(x, y)",
                "who(y, o) :- m(_, y) from o",
                "n(x, y)@o :~ q(x), who(y, o)",
                "rb(x, y) :~ m(x, y)",
                "n(x, y)@o :~ rb(x, y), u(x), a(o)",
                "rb(x, y) :~ e(x, y)",
            ],
            2,
        ),
    ],
    tables: &["t"],
    handles: &["partition b by v into 2 with c", "partition b by v into 1 with c"],
    declares: &[],
    breaks: &["P3.7"],
};

pub const THEMES: [&Theme; 10] =
    [&OF_A_KEY, &OF_A_WINDOW, &GROWING, &BY_TURNS, &TOLD, &LISTENED_TO, &HEARD, &BEHIND, &SHARED, &RESTARTED];
