//! Decoupling behind a prefix: what it makes of each construct.

use super::{Cell, DISK, noting};

/// The rules for this stay, and all others move.
const FIRST: &str = "decouple server { first } into core using prefix";

/// All that the server does moves behind a door.
fn cell(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    noting::cell(("prefix", "decouple server { put } into core using prefix"), construct, name, channels, rules)
}

/// The server does all of it behind what it computes of a message, and that is refused.
fn in_front(construct: &'static str, name: &'static str, rules: &str) -> Cell {
    cell(construct, name, "", rules).line(FIRST).refused("D2b.1")
}

pub fn cells() -> Vec<Cell> {
    let mut cells = tables();
    cells.extend(channels());
    cells.extend(values());
    cells
}

fn tables() -> Vec<Cell> {
    let keeping = |construct, table: &str| {
        let rules = format!(
            "{table}
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)"
        );
        cell(construct, "what is kept moves", "", &rules)
    };
    let in_front = |construct, table: &str| {
        let rules = format!(
            "{table}
             first(k, v)  :- put(k, v)
             note(k, v)@s :~ drop(k), first(k, v), store(s)"
        );
        in_front(construct, "a prefix keeps nothing", &rules)
    };
    vec![
        keeping("keyed table", "table kept(k: int => v: int) first"),
        in_front("keyed table", "table first(k: int => v: int) first"),
        cell(
            "window",
            "it moves, and its floor",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :+ drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        ),
        cell(
            "window",
            "one that nothing fills moves, and its floor",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             low(k)       :+ drop(k)
             note(k, v)@s :~ put(k, v), !kept(k, _), store(s)",
        ),
        in_front(
            "window",
            "table low(=> n: int) max
             low(0) :- start()
             window table first(k: int, v: int) above low",
        ),
        keeping("durable table", "durable table kept(k: int, v: int)"),
        in_front("durable table", "durable table first(k: int, v: int)"),
    ]
}

fn channels() -> Vec<Cell> {
    const SERIAL: &str = "
channel one(k: int, v: int)   store -> server serial
channel each(k: int, v: int)  server -> store serial
channel ask(k: int, v: int)   client -> server serial
";
    vec![
        cell(
            "timer",
            "it moves, or is handed on when it fires",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table kept(k: int)
             kept(k)      :- put(k, _)
             delete kept(k) :+ drop(k)
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), kept(k), store(s)",
        ),
        cell(
            "timer",
            "it is handed on when it fires",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), !drop(k), store(s)",
        )
        .line("decouple server { retry } into core using prefix"),
        cell(
            "timer that repeats",
            "with what it wakes",
            "",
            "timer tick() every 1 s
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ tick(), kept(k, v), store(s)",
        ),
        cell(
            "serial channel",
            "what comes one by one is handed on one by one",
            SERIAL,
            "table kept(=> v: int) replace
             kept(v)      :+ ask(_, v)
             note(k, v)@s :~ ask(k, _), kept(v), store(s)
             each(k, v)@s :~ ask(k, v), store(s)
             known(k, v)  :- one(k, v)",
        )
        .line("decouple server { one } into core using prefix")
        .one_each(),
        cell(
            "ordered channel",
            "it comes in order behind the door",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "gone(k)@s    :~ drop(k), store(s)
             note(n, v)@s :~ turn(n, v), store(s)",
        )
        .line("decouple server { turn } into core using prefix")
        .in_turn(),
        cell(
            "ordered channel",
            "what is due waits for others",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "gone(k)@s    :~ drop(k), store(s)
             note(n, v)@s :~ turn(n, v), store(s)",
        )
        .line("decouple server { turn_in_order } into core using prefix")
        .in_turn()
        .refused("D2b.1"),
        cell(
            "native role",
            "what it sends is handed on",
            DISK,
            "write(k, v)@d :~ put(k, v), disk(d)
             table kept(k: int, v: int)
             kept(k, v)   :+ written(k, v)
             note(k, v)@s :~ written(k, _), kept(k, v), store(s)",
        ),
    ]
}

fn values() -> Vec<Cell> {
    let aggregate = |construct, function: &str, result: &str| {
        let rules = |relation: &str| {
            format!(
                "{relation}(k, {function}) :- put(k, v)
                 note(k, {result})@s :~ {relation}(k, r), store(s)"
            )
        };
        [
            cell(construct, "it is about what is handed on", "", &rules("all")),
            in_front(construct, "it puts messages together", &rules("first")),
        ]
    };
    let mut cells = Vec::new();
    for function in ["list(v)", "set(v)", "map(v, k)"] {
        cells.extend(aggregate("`list`, `set`, `map`", function, "size(r)"));
    }
    for function in ["argmax(v, v)", "argmin(v, v)"] {
        cells.extend(aggregate("`argmax`, `argmin`", function, "r"));
    }
    cells.extend(aggregate("`quorum`", "quorum(2, v)", "first(r)"));
    cells.extend(aggregate("`choose`", "choose(v)", "r"));
    cells.extend(aggregate("`index`", "index(v)", "r"));
    cells.extend([
        cell("`!( ... )`", "it moves", "", "note(k, v)@s :~ put(k, v), !(put(k, w), w > v), store(s)"),
        in_front(
            "`!( ... )`",
            "it asks for what comes besides",
            "first(k, v)  :- put(k, v), !(put(k, w), w > v)
             note(k, v)@s :~ first(k, v), store(s)",
        ),
        cell("`x in e`", "it moves", "", "note(x, 0)@s :~ put(k, _), x in range(0, k), store(s)"),
        in_front(
            "`x in e`",
            "several of one message",
            "first(x)     :- put(k, _), x in range(0, k)
             note(x, 0)@s :~ first(x), store(s)",
        ),
        cell(
            "values with parts",
            "they are made and taken apart in front",
            "record pair(k: int, v: int)",
            "first(pair { k: k, v: v }, (k, v).1) :- put(k, v)
             note(p.k, w)@s :~ first(p, w), !drop(p.v), store(s)",
        )
        .line(FIRST),
    ]);
    cells
}
