//! Asymmetric decoupling: what it makes of each construct.

use super::{Cell, Verdict};

/// The server hears from the stores what it has noted, and is done with it; that moves. It tells the rest, which notes nothing twice.
fn cell(construct: &'static str, name: &'static str, line: &'static str, channels: &str, rules: &str) -> Cell {
    let components = format!(
        "component server {{
           table heard(k: int)
           heard(k)     :- told(k)
           note(k, v)@s :~ put(k, v), !heard(k), store(s)
           gone(k)@s    :~ drop(k), store(s)
           {rules}
         }}
         component store {{
           seen(k, v)@s :~ note(k, v) from s
           lost(k)@s    :~ gone(k) from s
           got(k, v)    :- done(k, v)
         }}"
    );
    let program = super::program(channels, &components);
    Cell { construct, rewrite: "asymmetric", name, program, line, verdict: Verdict::Allowed, heard: "done" }
}

const TOLD: &str = "decouple server { told, done } into other using asymmetric";
const WITH_KEPT: &str = "decouple server { kept, told, done } into other using asymmetric";

pub fn cells() -> Vec<Cell> {
    let mut cells = tables();
    cells.extend(channels());
    cells.extend(values());
    cells
}

fn tables() -> Vec<Cell> {
    let keeping = |construct, table: &str, told: &str| {
        let rules = format!(
            "{table}
             kept(k, v)   :- seen(k, v)
             delete kept(k, _) :+ lost(k)
             told(k)      :- {told}
             done(k, v)@s :~ seen(k, _), kept(k, v), store(s)"
        );
        cell(construct, "it moves, and what is new of it is told", WITH_KEPT, "", &rules)
    };
    vec![
        keeping("keyed table", "table kept(k: int => v: int) replace", "new kept(k, _)"),
        keeping("keyed table", "table kept(k: int => v: int) first", "lost(_), kept(k, _)"),
        cell(
            "window",
            "it moves with its floor",
            "decouple server { low, kept, told, done } into other using asymmetric",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             low(k)       :+ lost(k)
             kept(k, v)   :- seen(k, v)
             told(k)      :- new kept(k, _)
             done(k, v)@s :~ new kept(k, v), store(s)",
        ),
        cell(
            "window",
            "its floor would stay",
            WITH_KEPT,
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             low(k)       :- drop(k)
             kept(k, v)   :- seen(k, v)
             told(k)      :- new kept(k, _)
             done(k, v)@s :~ new kept(k, v), store(s)",
        )
        .refused("D5b.1"),
        keeping("durable table", "durable table kept(k: int, v: int)", "seen(k, _)"),
    ]
}

fn channels() -> Vec<Cell> {
    const SERIAL: &str = "
channel one(k: int, v: int)   store -> server serial
channel each(k: int, v: int)  server -> store serial
";
    vec![
        cell(
            "timer",
            "what it wakes is told",
            "decouple server { retry, told, done } into other using asymmetric",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ seen(k, v)
             told(k)      :- retry(k, _)
             done(k, v)@s :~ retry(k, v), store(s)",
        ),
        cell(
            "timer that repeats",
            "what it wakes is told",
            "decouple server { kept, tick, told, done } into other using asymmetric",
            "",
            "timer tick() every 1 s
             table kept(k: int, v: int)
             kept(k, v)   :- seen(k, v)
             told(k)      :- tick(), kept(k, _)
             done(k, v)@s :~ tick(), kept(k, v), store(s)",
        ),
        cell(
            "serial channel",
            "a step of the original has one of its messages, too",
            "decouple server { kept, told, done, each } into other using asymmetric",
            SERIAL,
            "table kept(=> v: int) replace
             kept(v)      :+ one(_, v)
             told(k)      :- one(k, _)
             each(k, v)@s :~ seen(k, v), store(s)
             done(k, v)@s :~ one(k, _), kept(v), store(s)",
        )
        .one_each(),
        cell(
            "ordered channel",
            "what comes in order comes a step later",
            "decouple server { turn_done, turn_waiting, turn_due, turn_in_order, told, done } into other using asymmetric",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "told(k)      :- turn(_, k)
             done(n, k)@s :~ turn(n, k), store(s)",
        )
        .in_turn()
        .refused("D5b.2"),
        cell(
            "ordered channel",
            "it moves, and is not told",
            "decouple server { turn_done, turn_waiting, turn_due, turn_in_order, told, done } into other using asymmetric",
            "channel turn(n: int, v: int)  store -> server ordered by n",
            "told(k)      :- seen(k, _)
             done(n, k)@s :~ turn(n, k), store(s)",
        )
        .in_turn(),
        cell(
            "native role",
            "its nodes know one address",
            TOLD,
            super::DISK,
            "write(k, v)@d :~ put(k, v), disk(d)
             told(k)      :- written(k, _)
             done(k, v)@s :~ written(k, v), store(s)",
        )
        .refused("D5b.4"),
    ]
}

fn values() -> Vec<Cell> {
    let aggregate = |construct, function: &str, result: &str| {
        let rules = format!(
            "told(k)      :- all(k, _)
             all(k, {function}) :- seen(k, v)
             done(k, {result})@s :~ all(k, r), store(s)"
        );
        let line = "decouple server { all, told, done } into other using asymmetric";
        cell(construct, "it is about what one step has", line, "", &rules)
    };
    let mut cells: Vec<Cell> = ["list(v)", "set(v)", "map(v, k)"]
        .into_iter()
        .map(|function| aggregate("`list`, `set`, `map`", function, "size(r)"))
        .collect();
    cells.extend(["argmax(v, v)", "argmin(v, v)"].map(|function| aggregate("`argmax`, `argmin`", function, "r")));
    cells.extend([
        aggregate("`quorum`", "quorum(1, v)", "first(r)"),
        aggregate("`choose`", "choose(v)", "r"),
        aggregate("`index`", "index(v)", "r"),
        cell(
            "`!( ... )`",
            "it asks about what moves",
            "decouple server { told, told_unless, done } into other using asymmetric",
            "",
            "told(k)      :- seen(k, v), !(seen(k, w), w > v)
             done(k, v)@s :~ seen(k, v), store(s)",
        ),
        cell(
            "`x in e`",
            "several of one message",
            TOLD,
            "",
            "told(x)      :- seen(k, _), x in range(0, k)
             done(x, 0)@s :~ seen(k, _), x in range(0, k), store(s)",
        ),
        cell(
            "values with parts",
            "they are told as they are",
            "decouple server { both, told, done } into other using asymmetric",
            "record pair(k: int, v: int)",
            "both(pair { k: k, v: v }) :- seen(k, v)
             told(p.k)    :- both(p)
             done(p.k, q.v)@s :~ both(p), both(q), store(s)",
        ),
    ]);
    cells
}
