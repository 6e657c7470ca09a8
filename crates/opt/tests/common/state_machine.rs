//! State-machine decoupling: near misses of each precondition, and what it makes of each construct.

use super::cases::{Case, Killed, program};
use super::cells::{Cell, DISK};
use super::liars::{Liar, Without, two_servers};
use super::noting::{self, CHANNELS, STORE, case};

pub fn cases() -> Vec<Case> {
    let mut cases = one_way_and_events();
    cases.extend(steps());
    cases.extend(tables());
    cases.push(repetition());
    cases
}

const KEPT: &str = "decouple server { kept, note } into noter using state_machine";

fn one_way_and_events() -> Vec<Case> {
    vec![
        case(
            "D4.1",
            "a table that a staying rule reads",
            KEPT,
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ drop(k), kept(k, v), store(s)
             again(k)@s   :~ drop(k), kept(k, _), store(s)",
            ("again(k)@s   :~ drop(k), kept(k, _)", "again(k)@s   :~ drop(k)"),
        )
        .with_killed(Killed::Checker("E0209")),
        case(
            "D4.1",
            "a window that nothing fills, whose floor moves",
            "decouple server { low, note } into noter using state_machine",
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(k)       :- drop(k)
             note(k, v)@s :~ put(k, v), store(s)
             note(k, v)@s :~ new kept(k, v), store(s)",
            ("window table kept(k: int, v: int) above low", "table kept(k: int, v: int)"),
        )
        .with_killed(Killed::Checker("E0513")),
        case(
            "D4.2",
            "state that stays",
            "decouple server { note } into noter using state_machine",
            "table held(k: int, v: int)
             held(k, v)   :- put(k, v)
             delete held(k, _) :+ drop(k)
             note(k, v)@s :~ drop(k), held(k, v), store(s)",
            ("drop(k), held(k, v)", "drop(k), new held(k, v)"),
        )
        .with_killed(Killed::Checker("E0501")),
    ]
}

fn steps() -> Vec<Case> {
    vec![
        case(
            "D4.3",
            "a message for as long as state holds",
            KEPT,
            "table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             delete kept(k, _) :+ drop(k)
             note(k, v)@s :~ kept(k, v), store(s)",
            (":~ kept(k, v)", ":~ put(k, v), kept(k, v)"),
        ),
        case(
            "D4.3",
            "a table that state fills later",
            "decouple server { held, kept, note } into noter using state_machine",
            "table held(k: int)
             held(k)      :+ put(k, _)
             table kept(k: int)
             kept(k)      :+ held(k)
             note(k, 0)@s :~ drop(k), kept(k), store(s)",
            ("kept(k)      :+ held(k)", "kept(k)      :+ held(k), put(k, _)"),
        ),
        case(
            "D4.3",
            "an event one step later",
            "decouple server { later, note } into noter using state_machine",
            "later(k)     :+ put(k, _)
             note(k, 0)@s :~ later(k), drop(_), store(s)",
            ("later(k)     :+", "later(k)     :-"),
        ),
        case(
            "D4.3",
            "what is new after a deletion",
            KEPT,
            "table kept(k: int)
             later(k)     :+ put(k, _)
             kept(k)      :- drop(k)
             kept(k)      :- later(k)
             delete kept(k) :+ put(k, _)
             note(k, 0)@s :~ new kept(k), store(s)",
            ("delete kept(k) :+ put(k, _)", ""),
        ),
        case(
            "D4.3",
            "what is new one step later",
            KEPT,
            "table kept(k: int)
             kept(k)      :+ drop(k)
             note(k, v)@s :~ new kept(k), put(_, v), store(s)",
            ("kept(k)      :+ drop(k)", "kept(k)      :- drop(k)"),
        ),
        case(
            "D4.3",
            "what is new in the first step",
            "decouple server { kept, free, note } into noter using state_machine",
            "first(0, 1)  :- start()
             table kept(k: int, v: int)
             kept(k, v)   :- first(k, v)
             kept(k, v)   :- put(k, v)
             free(n)      :- store(s), n = index_of(s), !kept(n, _)
             note(n, 0)@s :~ new free(n), store(s)",
            ("new free(n)", "put(n, _), free(n)"),
        ),
        case(
            "D4.3",
            "who was chosen before a deletion",
            "decouple server { kept, chosen, note } into noter using state_machine",
            "later()      :+ drop(_)
             table kept(k: int)
             kept(1)      :- put(_, _)
             kept(2)      :- put(_, _)
             kept(1)      :- later()
             kept(0)      :- later()
             delete kept(1) :+ drop(_)
             chosen(quorum(2, k)) :- kept(k)
             note(k, first(q))@s  :~ put(k, _), chosen(q), store(s)",
            ("delete kept(1) :+ drop(_)", ""),
        ),
    ]
}

fn tables() -> Vec<Case> {
    const LOW: &str = "decouple server { low, kept, note } into noter using state_machine";
    vec![
        case(
            "D4.5",
            "a window whose floor stays",
            KEPT,
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(k)       :- drop(k)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
            ("window table kept(k: int, v: int) above low", "table kept(k: int, v: int)"),
        )
        .with_killed(Killed::Checker("E0513")),
        case(
            "D4.5",
            "a floor that rises one step later",
            LOW,
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(k)       :+ drop(k)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ put(k, v), kept(k, v), store(s)",
            ("low(k)       :+", "low(k)       :-"),
        ),
        case(
            "D4.5",
            "a floor that bounds nothing in the first step",
            KEPT,
            "first(0, 1)  :- start()
             table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(7)       :- start()
             kept(k, v)   :- first(k, v)
             note(k, v)@s :~ first(k, v), kept(k, v), store(s)",
            ("window table kept(k: int, v: int) above low", "table kept(k: int, v: int)"),
        ),
        case(
            "D4.5",
            "candidates of this step and of the one before",
            KEPT,
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             kept(k, 100) :+ drop(k)
             note(k, v)@s :~ put(k, _), kept(k, v), store(s)",
            ("kept(k, 100) :+", "kept(k, 100) :-"),
        ),
    ]
}

/// What is told in batches.
pub fn liar() -> Liar {
    let rules = "note(k, v)@s :~ put(k, v), store(s)
                 table gone(k: int)
                 gone(k)      :+ drop(k)
                 again(k)@s   :~ drop(k), gone(k), store(s)";
    Liar {
        precondition: "D4.4",
        name: "what is told in batches",
        line: "decouple server { note } into noter using state_machine",
        text: two_servers(program("", CHANNELS, &format!("component server {{\n{rules}\n}}\n{STORE}"))),
        without: Without::Sender,
    }
}

fn repetition() -> Case {
    let components = "component server {
          table known(k: int)
          table late(k: int)
          note(k, v)@s :~ put(k, v), store(s)
          now(k)       :- seen(k)
          known(k)     :- now(k)
          late(k)      :+ drop(k)
        }
        component store {
          table kept(k: int)
          kept(k)      :- note(k, _)
          seen(k)@s    :~ kept(k), server(s)
        }";
    Case {
        precondition: "D4.6",
        name: "batches of what state sends again",
        line: "decouple server { known } into knower using state_machine",
        broken: program("", &format!("{CHANNELS}channel seen(k: int)  store -> server\n"), components),
        mend: (":~ kept(k), server(s)", ":~ new kept(k), server(s)"),
        killed: Killed::Checker("E0620"),
    }
}

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
