//! Monotonic decoupling: near misses of each precondition, and what it makes of each construct.

use super::cases::{Case, Killed, program};
use super::cells::{Cell, DISK};
use super::liars::{Liar, Without, two_servers};
use super::noting::{self, CHANNELS, STORE, case};

pub fn cases() -> Vec<Case> {
    let mut cases = state();
    cases.extend(conclusions());
    cases.extend(events());
    cases.extend(merging());
    cases.extend(one_key());
    cases
}

const NOTE: &str = "decouple server { note } into noter using monotonic";
const BOTH: &str = "decouple server { both, note } into noter using monotonic";

/// The server keeps what is put, and marks what is dropped; nothing is forgotten.
const KEPT: &str = "table kept(k: int, v: int)
             table mark(k: int)
             kept(k, v)   :- put(k, v)
             mark(k)      :- drop(k)
";

fn with_kept(rules: &str) -> String {
    format!("{KEPT}{rules}")
}

fn state() -> Vec<Case> {
    vec![
        case(
            "D3.1",
            "a table that a staying rule reads",
            "decouple server { kept, note } into noter using monotonic",
            &with_kept(
                "note(k, v)@s :~ new kept(k, v), store(s)
             again(k)@s   :~ drop(k), kept(k, _), store(s)",
            ),
            ("drop(k), kept(k, _)", "drop(k)"),
        )
        .with_killed(Killed::Checker("E0209")),
        case(
            "D3.2",
            "a value that is replaced",
            BOTH,
            "table kept(k: int => v: int) replace
             kept(0, v)   :- put(_, v)
             table mark(v: int)
             mark(v)      :- put(v, _)
             both(k, v)   :- kept(k, v), mark(v)
             note(k, v)@s :~ both(k, v), store(s)",
            ("table kept(k: int => v: int) replace", "table kept(k: int, v: int)"),
        ),
    ]
}

fn conclusions() -> Vec<Case> {
    vec![
        case(
            "D3.3",
            "a negation",
            BOTH,
            &with_kept(
                "both(k, v)   :- kept(k, v), !mark(k)
             note(k, v)@s :~ both(k, v), store(s)",
            ),
            ("!mark(k)", "mark(k)"),
        ),
        case(
            "D3.3",
            "a register that is not too high yet",
            BOTH,
            &with_kept(
                "table top(=> k: int) max
             top(k)       :- drop(k)
             both(k, v)   :- kept(k, v), top(n), n <= v
             note(k, v)@s :~ both(k, v), store(s)",
            ),
            ("n <= v", "n >= v"),
        ),
        case(
            "D3.3",
            "the value of a register that rises",
            "decouple server { top, both, note } into noter using monotonic",
            &with_kept(
                "table top(k: int => v: int) max
             top(k, v)    :- put(k, v)
             both(k, v)   :- kept(k, _), top(k, v), v >= 1
             note(k, v)@s :~ both(k, v), store(s)",
            ),
            ("both(k, v)   :- kept(k, _), top(k, v), v >= 1", "both(k, v)   :- kept(k, v), top(k, w), w >= 1"),
        ),
        case(
            "D3.3",
            "a threshold from above",
            "decouple server { number, few, note } into noter using monotonic",
            &with_kept(
                "number(count(k)) :- kept(k, _)
             few(n)       :- mark(n), number(m), m < 2
             note(n, 0)@s :~ few(n), store(s)",
            ),
            ("m < 2", "m >= 2"),
        ),
        case(
            "D3.3",
            "a count that may grow on",
            "decouple server { number, two, note } into noter using monotonic",
            &with_kept(
                "number(k, count(v)) :- kept(k, v)
             two(k)       :- number(k, 1)
             note(k, 0)@s :~ two(k), mark(k), store(s)",
            ),
            ("number(k, 1)", "number(k, m), m >= 1"),
        ),
        case(
            "D3.3",
            "a table that is deleted from",
            BOTH,
            &with_kept(
                "table both(k: int)
             both(k)      :- new kept(k, _)
             delete both(k) :+ new mark(k)
             note(k, 0)@s :~ both(k), store(s)",
            ),
            ("delete both(k) :+ new mark(k)", ""),
        ),
        case(
            "D3.3",
            "a table that keeps what comes first",
            BOTH,
            "table both(k: int => v: int) first
             both(0, v)   :- put(_, v)
             note(k, v)@s :~ new both(k, v), store(s)",
            ("table both(k: int => v: int) first", "table both(k: int, v: int)"),
        ),
        case(
            "D3.3",
            "the value of an aggregate",
            NOTE,
            &with_kept("note(0, count(k))@s :~ kept(k, _), store(s)"),
            ("note(0, count(k))", "note(0, k)"),
        ),
    ]
}

fn events() -> Vec<Case> {
    vec![
        case(
            "D3.4",
            "an event that must meet state",
            NOTE,
            &with_kept("note(k, v)@s :~ put(k, v), kept(k, v), store(s)"),
            ("put(k, v), kept(k, v)", "new kept(k, v)"),
        ),
        case(
            "D3.4",
            "an event that may come again",
            NOTE,
            &with_kept("note(k, v)@s :~ put(k, v), store(s)"),
            (":~ put(k, v)", ":~ new kept(k, v)"),
        ),
        case(
            "D3.4",
            "two facts that must begin to hold together",
            NOTE,
            &with_kept("note(k, v)@s :~ new kept(k, v), new mark(k), store(s)"),
            (", new mark(k)", ""),
        ),
        case(
            "D3.4",
            "a count on its way",
            "decouple server { number, note } into noter using monotonic",
            &with_kept(
                "number(count(k)) :- kept(k, _)
             note(n, 0)@s :~ new number(n), store(s)",
            ),
            (":~ new number(n)", ":~ new mark(n)"),
        ),
        case(
            "D3.5",
            "a head that does not tell what is new",
            NOTE,
            &with_kept("note(0, k)@s :~ new kept(k, v), v > 0, store(s)"),
            ("note(0, k)", "note(v, k)"),
        ),
        case(
            "D3.5",
            "two rules for one channel",
            NOTE,
            &with_kept(
                "note(k, 1)@s :~ new kept(k, 1), store(s)
             note(j, 1)@s :~ new mark(j), store(s)",
            ),
            ("note(j, 1)", "note(j, 2)"),
        ),
        case(
            "D3.5",
            "a member that does not tell what it is in",
            NOTE,
            &with_kept("note(x, 0)@s :~ new mark(k), x in range(0, k), store(s)"),
            ("note(x, 0)", "note(x, k)"),
        ),
    ]
}

/// What is kept in a copy.
pub fn liar() -> Liar {
    let rules = with_kept(
        "note(k, v)@s :~ new kept(k, v), store(s)
             again(k)@s   :~ drop(k), mark(k), store(s)",
    );
    Liar {
        precondition: "D3.6",
        name: "what is kept in a copy",
        line: NOTE,
        text: two_servers(program("", CHANNELS, &format!("component server {{\n{rules}\n}}\n{STORE}"))),
        without: Without::Sender,
    }
}

/// What is put is kept until its key is dropped.
const PASSES: &str = "table kept(k: int, v: int)
             table mark(k: int)
             kept(k, v)   :- put(k, v)
             mark(k)      :- drop(k)
             delete kept(k, _) :+ drop(k)
";

/// Two of a key are noted.
const TWO: &str = "both(k, v)   :- kept(k, v), kept(k, w), v < w
             note(k, v)@s :~ new both(k, v), store(s)";

/// Tables that lose facts, but not all of a key at once, or not for a step.
fn merging() -> Vec<Case> {
    let passes = |change: (&str, &str), name, mend| {
        assert!(PASSES.contains(change.0), "{name}: `{}` is changed", change.0);
        let rules = format!("{}{TWO}", PASSES.replace(change.0, change.1));
        case("D3.2", name, BOTH, &rules, mend)
    };
    let fill = "kept(k, v)   :- put(k, v)";
    vec![
        passes(
            ("delete kept", "delete kept(_, v) :+ put(_, v), mark(v)\n delete kept"),
            "facts that leave their key alone",
            ("delete kept(_, v) :+ put(_, v), mark(v)", ""),
        ),
        passes((fill, "kept(k, v)   :+ put(k, v)"), "a deletion that is beaten", (":+ put", ":- put")),
        passes(
            (fill, "late(k, v) :+ put(k, v)\n kept(k, v) :- late(k, v)"),
            "what comes without messages, after a deletion",
            ("late(k, v) :+", "late(k, v) :-"),
        ),
        passes(
            (fill, "kept(k, v) :- put(k, v)\n kept(k, 9) :- mark(k)"),
            "what state puts back",
            ("kept(k, 9) :- mark(k)", ""),
        ),
        passes(
            ("delete kept(k, _) :+ drop(k)", "delete kept(k, _) :+ mark(k)"),
            "a deletion for as long as state holds",
            (":+ mark(k)", ":+ drop(k)"),
        )
        .with_killed(Killed::Checker("E0512")),
        case(
            "D3.2",
            "a window that is deleted from",
            BOTH,
            &format!("{WINDOW}delete kept(_, v) :+ drop(v)\n{TWO}"),
            ("delete kept(_, v) :+ drop(v)", ""),
        ),
    ]
}

/// What is put is kept as long as it is above the greatest that was dropped.
const WINDOW: &str = "table low(=> k: int) max
             low(k)       :- drop(k)
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             table mark(k: int)
             mark(k)      :- drop(k)
";

/// Rules about what passes, and something else.
fn one_key() -> Vec<Case> {
    let of_key = |name, line, rules: &str, mend| case("D3.7", name, line, &format!("{PASSES}{rules}"), mend);
    let serial = case(
        "D3.8",
        "equal messages of two lives, one by one",
        NOTE,
        "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ put(k, _)
             note(k, v)@s :~ new kept(k, v), store(s)",
        (" serial", ""),
    );
    vec![
        of_key(
            "state that may come when the key is gone",
            BOTH,
            "both(k, v)   :- kept(k, v), mark(v)
             note(k, v)@s :~ new both(k, v), store(s)",
            (", mark(v)", ""),
        ),
        of_key(
            "another key",
            BOTH,
            "both(k, v)   :- kept(k, v), kept(v, _)
             note(k, v)@s :~ new both(k, v), store(s)",
            ("kept(v, _)", "kept(k, _)"),
        ),
        case(
            "D3.7",
            "state that may come when the window has gone on",
            BOTH,
            &format!(
                "{WINDOW}both(k, v)   :- kept(k, v), mark(v)
             note(k, v)@s :~ new both(k, v), store(s)"
            ),
            (", mark(v)", ""),
        ),
        case(
            "D3.7",
            "windows that go on by themselves",
            BOTH,
            &format!(
                "{WINDOW}table other(=> k: int) max
             other(k)     :- put(_, k)
             window table also(k: int, v: int) above other
             also(k, k)   :- drop(k)
             both(k, v)   :- kept(k, v), also(k, _)
             note(k, v)@s :~ new both(k, v), store(s)"
            ),
            ("above other", "above low"),
        ),
        of_key(
            "a view that does not tell the key",
            BOTH,
            "both(0, v)   :- kept(_, v)
             note(k, v)@s :~ new both(k, v), store(s)",
            ("both(0, v)   :- kept(_, v)", "both(k, v)   :- kept(k, v)"),
        ),
        of_key(
            "a count of several keys",
            "decouple server { number, both, note } into noter using monotonic",
            "number(count(k)) :- kept(k, _)
             both(0, 2)   :- number(n), n >= 2
             note(k, v)@s :~ new both(k, v), store(s)",
            (
                "number(count(k)) :- kept(k, _)\n             both(0, 2)   :- number(n)",
                "number(k, count(v)) :- kept(k, v)\n             both(k, 2)   :- number(k, n)",
            ),
        ),
        of_key(
            "a view that holds for another reason",
            BOTH,
            "both(k, v)   :- kept(k, v)
             both(k, 0)   :- mark(k)
             note(k, v)@s :~ new both(k, v), store(s)",
            ("both(k, 0)   :- mark(k)", ""),
        )
        .with_killed(Killed::Checker("E0401")),
        of_key(
            "a message for as long as there is the key",
            BOTH,
            "both(k, v)   :- kept(k, v)
             note(k, v)@s :~ both(k, v), store(s)",
            (":~ both", ":~ new both"),
        ),
        Case {
            broken: serial.broken.replace("server -> store\nchannel again", "server -> store serial\nchannel again"),
            ..serial
        },
    ]
}

/// The server notes, and keeps what is put; the rules for what it notes move.
fn cell(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    noting::cell(("monotonic", NOTE), construct, name, channels, rules)
}

const WITH_KEPT: &str = "decouple server { kept, note } into noter using monotonic";

pub fn cells() -> Vec<Cell> {
    let mut cells = tables();
    cells.extend(sources());
    cells.extend(absences_and_natives());
    cells.extend(aggregates());
    cells.extend(values());
    cells
}

fn tables() -> Vec<Cell> {
    vec![
        cell(
            "keyed table",
            "what came first stays",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             both(k, v)   :- kept(k, v), kept(v, _)
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line(BOTH),
        cell(
            "keyed table",
            "the greatest is asked whether it is high enough",
            "",
            "table kept(k: int => v: int) max
             table mark(k: int)
             kept(k, v)   :- put(k, v)
             mark(k)      :- drop(k)
             both(k, w)   :- mark(k), kept(w, v), v >= k
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line(BOTH),
        cell(
            "keyed table",
            "what came last goes again",
            "",
            "table kept(k: int => v: int) replace
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .refused("D3.2"),
        cell(
            "keyed table",
            "the rules that fill it would move",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line(WITH_KEPT)
        .refused("D3.3"),
        cell(
            "window",
            "its facts go, with all of their number",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        ),
        cell(
            "window",
            "another above the same floor is joined",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             window table also(n: int => v: int) first above low
             kept(k, v)   :- put(k, v)
             also(v, k)   :- put(k, v)
             low(k)       :- drop(k)
             both(k, w)   :- kept(k, v), also(k, w)
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line(BOTH),
        cell(
            "window",
            "what it is joined with comes later",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             table mark(k: int)
             kept(k, v)   :- put(k, v)
             mark(k)      :- put(k, _)
             low(k)       :- drop(k)
             both(k, v)   :- kept(k, v), mark(v)
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line(BOTH)
        .refused("D3.7"),
        cell(
            "window",
            "it would move",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { low, kept, note } into noter using monotonic")
        .refused("D3.3"),
        cell(
            "durable table",
            "it stays, and what is told of it is not durable",
            "",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             both(k, v)   :- kept(k, v), kept(v, _)
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line(BOTH),
        cell(
            "durable table",
            "it moves, and stays durable",
            "",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             both(k, v)   :- kept(k, v), kept(v, _)
             note(k, v)@s :~ new both(k, v), store(s)",
        )
        .line("decouple server { kept, both, note } into noter using monotonic"),
    ]
}

fn sources() -> Vec<Cell> {
    const SERIAL: &str = "
channel one(k: int, v: int)   store -> server serial
channel each(k: int, v: int)  server -> store serial
channel ask(k: int, v: int)   client -> server serial
";
    const TURN: &str = "channel turn(n: int, v: int)  store -> server ordered by n";
    vec![
        cell(
            "timer",
            "what it wakes is a table",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table kept(k: int, v: int)
             retry(k, v)  :~ put(k, v)
             kept(k, v)   :- retry(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
        cell(
            "timer",
            "what arms it moves",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             retry(k, v)  :~ new kept(k, v)
             note(k, v)@s :~ retry(k, v), store(s)",
        )
        .line("decouple server { retry } into noter using monotonic"),
        cell(
            "timer",
            "it wakes a message",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), store(s)",
        )
        .refused("D3.4"),
        cell(
            "timer that repeats",
            "what it wakes is a table",
            "",
            "timer tick() every 1 s
             table kept(k: int, v: int)
             kept(0, 0)   :- tick()
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
        cell(
            "timer that repeats",
            "it wakes a message each time",
            "",
            "timer tick() every 1 s
             note(0, 0)@s :~ tick(), store(s)",
        )
        .refused("D3.4"),
        cell(
            "serial channel",
            "what it brings is kept",
            SERIAL,
            "table kept(k: int, v: int)
             kept(k, v)   :- ask(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)
             each(k, v)@s :~ kept(k, v), store(s)
             known(k, v)  :- one(k, v)",
        )
        .line("decouple server { kept, note, each } into noter using monotonic")
        .one_each(),
        cell(
            "ordered channel",
            "what comes in order is kept",
            TURN,
            "gone(k)@s    :~ drop(k), store(s)
             table kept(k: int, v: int)
             kept(n, v)   :- turn(n, v)
             note(n, v)@s :~ new kept(n, v), store(s)",
        )
        .line(WITH_KEPT)
        .in_turn(),
        cell(
            "ordered channel",
            "what comes in order is sent on",
            TURN,
            "gone(k)@s    :~ drop(k), store(s)
             note(n, v)@s :~ turn(n, v), store(s)",
        )
        .in_turn()
        .refused("D3.4"),
    ]
}

fn absences_and_natives() -> Vec<Cell> {
    const ABSENCE: &str = "`!( ... )`";
    vec![
        cell(
            ABSENCE,
            "it asks about constants",
            "",
            "low(n)       :- store(s), n = index_of(s)
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), !(low(v), v > 0), store(s)",
        ),
        cell(
            ABSENCE,
            "it asks about what is not known yet",
            "",
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ kept(k, v), !(kept(k, w), w > v), store(s)",
        )
        .line("decouple server { note, note_unless } into noter using monotonic")
        .refused("D3.3"),
        cell(
            "native role",
            "what it sends is kept",
            DISK,
            "write(k, v)@d :~ put(k, v), disk(d)
             table kept(k: int, v: int)
             kept(k, v)   :- written(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
    ]
}

/// Each as it is written of a value `v`, with a number of the result.
fn aggregates() -> Vec<Cell> {
    const AGGREGATES: [(&str, &str, &str); 7] = [
        ("`list`, `set`, `map`", "list(v)", "size(r)"),
        ("`list`, `set`, `map`", "set(v)", "size(r)"),
        ("`list`, `set`, `map`", "map(v, 0)", "size(r)"),
        ("`argmax`, `argmin`", "argmax(v, v)", "r"),
        ("`argmax`, `argmin`", "argmin(v, v)", "r"),
        ("`quorum`", "quorum(2, v)", "first(r)"),
        ("`choose`", "choose(v)", "r"),
    ];
    let mut cells = Vec::new();
    for (construct, function, result) in AGGREGATES {
        let of_stores = function.replace('v', "index_of(o)");
        let of_constants = format!(
            "all({of_stores}) :- store(o)
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), all(r), {result} < 5, store(s)"
        );
        let of_state = format!(
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             all(k, {function}) :- kept(k, v)
             note(k, {result})@s :~ all(k, r), store(s)"
        );
        cells.push(cell(construct, "it is about constants", "", &of_constants));
        cells.push(
            cell(construct, "its value depends on how much is known", "", &of_state)
                .line("decouple server { all, note } into noter using monotonic")
                .refused("D3.3"),
        );
    }
    cells.push(cell(
        "`index`",
        "it numbers constants",
        "",
        "table slot(o: node, n: int)
         slot(o, index()) :- start(), store(o)
         table kept(k: int, v: int)
         kept(k, v)   :- put(k, v)
         note(k, v)@o :~ new kept(k, v), slot(o, _)",
    ));
    cells.push(
        cell(
            "`index`",
            "it numbers what begins to hold together",
            "",
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, index(v))@s :~ new kept(k, v), store(s)",
        )
        .refused("D3.3"),
    );
    cells
}

fn values() -> Vec<Cell> {
    const KEPT: &str = "table kept(k: int)
             kept(k)      :- put(k, _)";
    const PAIRS: &str = "channel both(p: (int, int))  server -> store";
    vec![
        cell(
            "`x in e`",
            "what it ranges over is told as well",
            "",
            &format!("{KEPT}\n note(k, x)@s :~ new kept(k), x in range(0, k), store(s)"),
        ),
        cell(
            "`x in e`",
            "a member does not tell what it is in",
            "",
            &format!("{KEPT}\n note(x, 0)@s :~ new kept(k), x in range(0, k), store(s)"),
        )
        .refused("D3.5"),
        cell(
            "values with parts",
            "they tell their parts",
            PAIRS,
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             both((k, v))@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { both } into noter using monotonic")
        .both(),
        cell(
            "values with parts",
            "a part does not tell the whole",
            PAIRS,
            "table kept(p: (int, int))
             kept((k, v)) :- put(k, v)
             both((p.0, 0))@s :~ new kept(p), store(s)",
        )
        .line("decouple server { both } into noter using monotonic")
        .both()
        .refused("D3.5"),
    ]
}
