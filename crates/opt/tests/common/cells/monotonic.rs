//! Monotonic decoupling: what it makes of each construct.

use super::{Cell, DISK, noting};

const NOTE: &str = "decouple server { note } into noter using monotonic";
const BOTH: &str = "decouple server { both, note } into noter using monotonic";

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
