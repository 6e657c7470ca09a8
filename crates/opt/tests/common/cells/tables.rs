//! What independent, functional and co-hash rewrites make of tables.

use super::{Cell, co_hash, functional, independent};

pub fn tables() -> Vec<Cell> {
    const KEYED: &str = "keyed table";
    const WINDOW: &str = "window";
    const DURABLE: &str = "durable table";
    vec![
        independent(
            KEYED,
            "the first one stays",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- seen(k, v)
             done(k, v)@s :~ new kept(k, v), store(s)",
        ),
        independent(
            KEYED,
            "a register that reads itself",
            "",
            "table size(=> n: int) max
             size(1)      :- seen(_, _)
             size(n + 1)  :+ size(n), seen(_, _)
             done(n, k)@s :~ seen(k, _), size(n), store(s)",
        ),
        independent(
            KEYED,
            "the table would be in two places",
            "",
            "table kept(k: int => v: int) replace
             kept(k, v)   :- seen(k, v)
             kept(k, v)   :- put(k, v)
             kept(k, 0)   :- drop(k)
             done(k, v)@s :~ new kept(k, v), store(s)",
        )
        .refused("D1.1"),
        functional(
            KEYED,
            "one that stays says what begins to hold",
            "",
            "table kept(k: int => v: int) replace
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        ),
        functional(
            KEYED,
            "one that moves competes with what comes later",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { kept, note } into noter using functional")
        .refused("D2.7"),
        functional(
            KEYED,
            "one that stays is state",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ kept(k, v), store(s)",
        )
        .refused("D2.3"),
        co_hash(
            KEYED,
            "by its own key",
            "",
            "table kept(k: int => v: int) first
             kept(k, v)   :- note(k, v)
             delete kept(k, _) :+ gone(k)
             seen(k, v)@s :~ new kept(k, v), server(s)",
        ),
        co_hash(
            KEYED,
            "by a part of its own key",
            "",
            "table kept(k: int, w: int => v: int) max
             kept(k, v / 2, v) :- note(k, v)
             seen(k, v)@s :~ new kept(k, _, v), server(s)",
        ),
        co_hash(
            KEYED,
            "by a value",
            "",
            "table kept(v: int => k: int) replace
             kept(v, k)   :- note(k, v)
             seen(k, v)@s :~ new kept(v, k), server(s)",
        )
        .refused("P1.7"),
        co_hash(
            KEYED,
            "one value for the node",
            "",
            "table most(=> k: int) max
             most(k)      :- note(k, _)
             seen(k, 0)@s :~ new most(k), server(s)",
        )
        .refused("P1.7"),
        independent(
            WINDOW,
            "it moves with its floor",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- seen(k, v)
             low(k)       :- lost(k)
             done(k, v)@s :~ new kept(k, v), store(s)",
        ),
        independent(
            WINDOW,
            "its floor would stay",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             done(k, v)@s :~ new kept(k, v), store(s)",
        )
        .refused("D1.1"),
        functional(
            WINDOW,
            "one that stays says what begins to hold",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        ),
        functional(
            WINDOW,
            "its floor stays",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- put(k, v)
             low(k)       :- drop(k)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { kept, note } into noter using functional")
        .refused("D2.7"),
        co_hash(
            WINDOW,
            "every partition would have a floor of its own",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- note(k, v)
             low(k)       :- gone(k)
             seen(k, v)@s :~ new kept(k, v), server(s)",
        )
        .refused("P1.7"),
        co_hash(
            WINDOW,
            "the floor is constant",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             kept(k, v)   :- note(k, v)
             low(0)       :- start()
             seen(k, v)@s :~ new kept(k, v), server(s)",
        ),
        independent(
            DURABLE,
            "it stays durable",
            "",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- seen(k, v)
             done(k, v)@s :~ new kept(k, v), store(s)",
        ),
        functional(
            DURABLE,
            "it stays durable",
            "",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
        )
        .line("decouple server { kept, note } into noter using functional"),
        co_hash(
            DURABLE,
            "it stays durable",
            "",
            "durable table kept(k: int => v: int) first
             kept(k, v)   :- note(k, v)
             seen(k, v)@s :~ new kept(k, v), server(s)",
        ),
    ]
}
