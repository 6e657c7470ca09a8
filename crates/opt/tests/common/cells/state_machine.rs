//! State-machine decoupling: what it makes of each construct.

use super::{Cell, DISK, noting};

/// The server notes, gets things back, and is done with them; what it notes moves.
fn cell(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    noting::cell(
        ("state_machine", "decouple server { note } into noter using state_machine"),
        construct,
        name,
        channels,
        rules,
    )
}

const WITH_KEPT: &str = "decouple server { kept, note } into noter using state_machine";
const WITH_ALL: &str = "decouple server { all, note } into noter using state_machine";

pub fn cells() -> Vec<Cell> {
    let mut cells = kept();
    cells.extend(events());
    cells.extend(values());
    cells
}

fn kept() -> Vec<Cell> {
    vec![
        cell(
            "keyed table",
            "it takes what a batch has for it",
            "",
            "table kept(k: int => v: int) replace
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
        cell(
            "keyed table",
            "a register that counts",
            "",
            "table kept(=> n: int) max
             kept(0)      :- start()
             kept(n + 1)  :+ kept(n), put(_, _)
             note(k, n)@s :~ put(k, _), kept(n), store(s)",
        )
        .line(WITH_KEPT),
        cell(
            "keyed table",
            "it takes what comes at once and what comes later",
            "",
            "table kept(k: int => v: int) replace
             kept(k, v)   :- put(k, v)
             kept(k, 0)   :+ drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
        )
        .line(WITH_KEPT)
        .refused("D4.5"),
        cell(
            "window",
            "it moves with its floor",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
        )
        .line("decouple server { low, kept, note } into noter using state_machine"),
        cell(
            "window",
            "its floor would stay",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
        )
        .line(WITH_KEPT)
        .refused("D4.5"),
        cell(
            "window",
            "what begins to hold may depend on when",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { low, kept, note } into noter using state_machine")
        .refused("D4.3"),
        cell(
            "durable table",
            "it stays durable",
            "",
            "durable table kept(k: int, v: int)
             kept(k, v)   :+ put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
    ]
}

fn events() -> Vec<Cell> {
    const SERIAL: &str = "
channel one(k: int, v: int)   store -> server serial
channel each(k: int, v: int)  server -> store serial
channel ask(k: int, v: int)   client -> server serial
";
    vec![
        cell(
            "timer",
            "it may be cancelled in between",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table kept(k: int)
             kept(k)      :- put(k, _)
             delete kept(k) :+ drop(k)
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), kept(k), store(s)",
        )
        .line("decouple server { kept, retry, note } into noter using state_machine"),
        cell(
            "timer that repeats",
            "with what it wakes",
            "",
            "timer tick() every 1 s
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ tick(), kept(k, v), store(s)",
        )
        .line("decouple server { kept, tick, note } into noter using state_machine"),
        cell(
            "serial channel",
            "a batch has one of its messages",
            SERIAL,
            "table kept(=> v: int) replace
             kept(v)      :+ ask(_, v)
             note(k, v)@s :~ ask(k, _), kept(v), store(s)
             each(k, v)@s :~ ask(k, v), store(s)
             known(k, v)  :- one(k, v)",
        )
        .line("decouple server { kept, note, each } into noter using state_machine")
        .one_each(),
        cell(
            "ordered channel",
            "what comes in order is told",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "gone(k)@s    :~ drop(k), store(s)
             table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(n, v)@s :~ turn(n, k), kept(k, v), store(s)",
        )
        .line(WITH_KEPT)
        .in_turn(),
        cell(
            "ordered channel",
            "its window would move",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "gone(k)@s    :~ drop(k), store(s)
             note(n, v)@s :~ turn(n, v), store(s)",
        )
        .line(
            "decouple server { turn_done, turn_waiting, turn_due, turn_in_order, note } into noter using state_machine",
        )
        .in_turn()
        .refused("D4.3"),
        cell(
            "`!( ... )`",
            "it asks about what moves",
            "",
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, v), !(kept(k, w), w > v), store(s)",
        )
        .line("decouple server { kept, note, note_unless } into noter using state_machine"),
        cell(
            "`!( ... )`",
            "it asks about what comes in the same step",
            "",
            "note(k, v)@s :~ put(k, v), !(put(k, w), w > v), store(s)",
        )
        .line("decouple server { note, note_unless } into noter using state_machine"),
        cell(
            "`!( ... )`",
            "it asks about state that stays",
            "",
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, v), !(kept(k, w), w > v), store(s)",
        )
        .line("decouple server { note, note_unless } into noter using state_machine")
        .refused("D4.2"),
        cell(
            "native role",
            "what it sends is told",
            DISK,
            "write(k, v)@d :~ put(k, v), disk(d)
             table kept(k: int, v: int)
             kept(k, v)   :+ written(k, v)
             note(k, v)@s :~ written(k, _), kept(k, v), store(s)",
        )
        .line(WITH_KEPT),
    ]
}

fn values() -> Vec<Cell> {
    let aggregate = |construct, function: &str, result: &str| {
        let of_event = format!(
            "all(k, {function}) :- put(k, v)
             note(k, {result})@s :~ all(k, r), store(s)"
        );
        let of_state = format!(
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             all(k, {function}) :- kept(k, v)
             note(k, {result})@s :~ new all(k, r), store(s)"
        );
        [
            cell(construct, "it is about what comes in one step", "", &of_event).line(WITH_ALL),
            cell(construct, "it is about what moves", "", &of_state)
                .line("decouple server { kept, all, note } into noter using state_machine"),
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
    cells.extend([
        cell(
            "`quorum`",
            "what it remembers may be deleted",
            "",
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             all(k, quorum(2, v)) :- kept(k, v)
             note(k, first(r))@s  :~ put(k, _), all(k, r), store(s)",
        )
        .line("decouple server { kept, all, note } into noter using state_machine")
        .refused("D4.3"),
        cell("`index`", "it numbers what comes in one step", "", "note(k, index(v))@s :~ put(k, v), store(s)"),
        cell("`x in e`", "a member may come of several", "", "note(x, 0)@s :~ put(k, _), x in range(0, k), store(s)"),
        cell(
            "values with parts",
            "they are told as they are",
            "record pair(k: int, v: int)",
            "both(pair { k: k, v: v }) :- put(k, v)
             note(p.k, 0)@s :~ both(p), !drop(p.v), store(s)",
        ),
    ]);
    cells
}
