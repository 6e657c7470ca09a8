//! Programs of which one part takes what another one hears of later, where nodes restart or crash in between.

use super::themes::Theme;

/// What is heard, kept and said, and what others keep of it, who hear something else as well.
pub const HEARD: Theme = Theme {
    rewrite: "asymmetric",
    parts: &[
        (&["t(x, y) :- m(x, y)", "t(x, y) :+ m(x, y)", "delete t(x, _) :+ m(x, 0)", "e(x, y) :- m(x, y), y > 0"], 2),
        (&["e(x, y) :- new t(x, y)", "e(x, x) :- m(x, _), t(_, x)", "e(x, y) :+ m(x, y)", "e(x, y) :- m(x, y)"], 1),
        (
            &[
                "z(x, y)@o :~ m(x, y), t(_, x), a(o)",
                "z(x, y)@o :~ new t(x, y), a(o)",
                "z(x, y)@o :~ e(x, y), a(o)",
                "z(x, 7)@o :~ m(x, _) from o",
            ],
            1,
        ),
        (
            &[
                "h(0) :- start()",
                "h(n + 1) :+ e(_, _), h(n)",
                "h(n + 1) :+ q(_), h(n)",
                "g(x, y) :- e(x, y)",
                "u(x) :- e(x, _)",
                "u(x) :- q(x)",
                "delete u(x) :+ e(_, x)",
                "delete u(x) :+ q(x)",
            ],
            2,
        ),
        (
            &[
                "n(x, n)@o :~ e(x, _), h(n), a(o)",
                "n(x, n)@o :~ q(x), h(n), a(o)",
                "n(x, y)@o :~ q(x), g(x, y), a(o)",
                "n(x, y)@o :~ e(x, y), u(y), a(o)",
                "n(x, 9)@o :~ q(x), !u(x), a(o)",
                "n(x, 8)@o :~ new u(x), a(o)",
            ],
            2,
        ),
    ],
    tables: &["t"],
    handles: &["t, e, z", "t, e, z", "e", "t, z", "t, e"],
    declares: &["restart 1 of b"],
    breaks: &["D5b.2", "D5b.8"],
};

/// What is computed of one message, and anything behind it.
pub const BEHIND: Theme = Theme {
    rewrite: "prefix",
    parts: &[
        (
            &[
                "e(x, y) :- m(x, y)",
                "e(x, y % 3) :- m(x, y), x > 0",
                "e(x, x) :- q(x)",
                "e(x, y) :- m(x, y), q(y)",
                "w(x, x) :- q(x)",
                "w(x, y) :- m(x, y), y > 1",
            ],
            1,
        ),
        (
            &[
                "t(x, y) :- e(x, y)",
                "t(x, y) :+ m(x, y)",
                "delete t(x, _) :+ q(x)",
                "delete t(x, _) :+ w(x, _)",
                "u(x) :- w(x, _)",
                "u(x) :- q(x)",
                "g(x, y) :- m(x, y)",
                "g(x, y) :- e(x, y)",
                "h(0) :- start()",
                "h(n + 1) :+ e(_, _), h(n)",
                "h(n + 1) :+ q(_), h(n)",
                "rb(x, y) :~ e(x, y)",
                "t(x, 5) :- rb(x, _)",
            ],
            3,
        ),
        (
            &[
                "n(x, n)@o :~ e(x, _), h(n), a(o)",
                "n(x, y)@o :~ q(x), t(x, y), a(o)",
                "n(x, y)@o :~ m(x, y), g(_, x), a(o)",
                "n(x, y)@o :~ new t(x, y), a(o)",
                "z(x, 9)@o :~ q(x), !u(x), a(o)",
                "z(x, 8)@o :~ new u(x), a(o)",
                "z(x, y)@o :~ rb(x, y), g(x, _), a(o)",
            ],
            2,
        ),
    ],
    tables: &["t"],
    handles: &["m", "q", "m, q", "e", "e, w", "e, q", "w, m"],
    declares: &[" 1 of b"],
    breaks: &["D2b.2"],
};
