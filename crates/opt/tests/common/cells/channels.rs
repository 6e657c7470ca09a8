//! What independent, functional and co-hash rewrites make of timers and of channels with an order.

use super::{Cell, co_hash, functional, independent};

pub fn timers() -> Vec<Cell> {
    const TIMER: &str = "timer";
    const EVERY: &str = "timer that repeats";
    vec![
        independent(
            TIMER,
            "both ends move",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ seen(k, v)
             done(k, v)@s :~ retry(k, v), store(s)",
        )
        .line("decouple server { done, retry } into other using independent"),
        independent(
            TIMER,
            "its ends are separated",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             done(k, v)@s :~ retry(k, v), store(s)",
        ),
        independent(
            TIMER,
            "both sides would arm it",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             retry(k, v)  :~ retry(k, v), v > 3
             done(k, v)@s :~ retry(k, v), store(s)",
        )
        .refused("D1.3"),
        functional(
            TIMER,
            "what it wakes moves",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), store(s)",
        ),
        functional(
            TIMER,
            "what arms it moves",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), store(s)",
        )
        .line("decouple server { retry } into noter using functional"),
        functional(
            TIMER,
            "it is forwarded where it wakes several",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(k, v)  :~ put(k, v)
             gone(k)@s    :~ retry(k, _), store(s)
             note(k, v)@s :~ retry(k, v), store(s)",
        ),
        functional(
            TIMER,
            "it may be cancelled in between",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table open(k: int)
             open(k)      :- put(k, _)
             delete open(k) :+ drop(k)
             retry(k, v)  :~ put(k, v)
             note(k, v)@s :~ retry(k, v), open(k), store(s)",
        )
        .refused("D2.1"),
        co_hash(
            TIMER,
            "it keeps its key",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)
             retry(k, v)  :~ note(k, v)
             seen(k, v)@s :~ retry(k, v), open(k, v), server(s)",
        ),
        co_hash(
            TIMER,
            "it goes to another partition",
            "",
            "timer retry(k: int, v: int) after 50 ms
             retry(v, k)  :~ note(k, v)
             seen(k, v)@s :~ retry(k, v), server(s)",
        ),
        co_hash(
            TIMER,
            "it is armed for as long as state holds",
            "",
            "timer retry(k: int, v: int) after 50 ms
             table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)
             retry(0, v)  :~ open(_, v)
             seen(k, v)@s :~ retry(k, v), server(s)",
        )
        .refused("P1.5"),
        independent(
            EVERY,
            "it moves with what it wakes",
            "",
            "timer tick() every 1 s
             table open(k: int, v: int)
             open(k, v)   :- seen(k, v)
             done(k, v)@s :~ tick(), open(k, v), store(s)",
        )
        .line("decouple server { done, tick } into other using independent"),
        functional(
            EVERY,
            "what it wakes moves",
            "",
            "timer tick() every 1 s
             note(0, 0)@s :~ tick(), store(s)",
        ),
        co_hash(
            EVERY,
            "one for the node is not one for each partition",
            "",
            "timer tick() every 1 s
             table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             seen(k, v)@s :~ tick(), open(k, v), server(s)",
        )
        .refused("P1.2"),
        co_hash(
            EVERY,
            "a timer without columns has no key",
            "",
            "timer tick() after 1 s
             tick()       :~ note(_, _)
             seen(0, 0)@s :~ tick(), server(s)",
        )
        .refused("P1.3"),
    ]
}

pub fn serial() -> Vec<Cell> {
    const SERIAL: &str = "serial channel";
    const CHANNELS: &str = "
channel one(k: int, v: int)   store -> server serial
channel each(k: int, v: int)  server -> store serial
channel ask(k: int, v: int)   client -> server serial
";
    vec![
        independent(
            SERIAL,
            "its readers move whole",
            CHANNELS,
            "table last(=> v: int) replace
             last(v)      :+ one(_, v)
             done(k, v)@s :~ one(k, _), last(v), store(s)
             each(k, v)@s :~ ask(k, v), store(s)",
        )
        .one_each(),
        functional(
            SERIAL,
            "what it brings is forwarded",
            CHANNELS,
            "note(k, v)@s :~ ask(k, v), store(s)
             each(k, v)@s :~ ask(k, v), store(s)
             known(k, v)  :- one(k, v)",
        )
        .one_each(),
        functional(
            SERIAL,
            "what is sent on it would be late",
            CHANNELS,
            "note(k, v)@s :~ ask(k, v), store(s)
             each(k, v)@s :~ ask(k, v), store(s)
             known(k, v)  :- one(k, v)",
        )
        .one_each()
        .line("decouple server { each } into noter using functional")
        .refused("D2.8"),
        co_hash(
            SERIAL,
            "each partition takes one at a time",
            "channel each(k: int, v: int)  server -> store serial",
            "table last(k: int => v: int) replace
             last(k, v)   :+ each(k, v)
             seen(k, v)@s :~ each(k, _), last(k, v), server(s)",
        )
        .each(),
    ]
}

pub fn ordered() -> Vec<Cell> {
    const ORDERED: &str = "ordered channel";
    const CHANNEL: &str = "channel turn(n: int, v: int)  store -> server ordered by n";
    vec![
        independent(
            ORDERED,
            "its tables move with it",
            CHANNEL,
            "table total(=> n: int) replace
             total(0)     :- start()
             total(n + v) :+ total(n), turn(_, v)
             done(n, k)@s :~ turn(n, _), total(k), store(s)",
        )
        .in_turn(),
        functional(
            ORDERED,
            "what comes in order is forwarded",
            CHANNEL,
            "gone(k)@s    :~ drop(k), store(s)
             note(k, v)@s :~ turn(k, v), store(s)",
        )
        .in_turn(),
        co_hash(
            ORDERED,
            "one order for the node",
            "channel turn(n: int, v: int)  server -> store ordered by n",
            "seen(n, v)@s :~ turn(n, v), server(s)",
        )
        .each_in_turn()
        .refused("P1.2"),
    ]
}
