//! What independent, functional and co-hash rewrites make of what is absent, counted, numbered, computed, or native.

use super::{Cell, DISK, co_hash, functional, independent};

pub fn absences() -> Vec<Cell> {
    const ABSENCE: &str = "`!( ... )`";
    vec![
        independent(
            ABSENCE,
            "it moves with what it asks about",
            "",
            "table open(k: int, v: int)
             open(k, v)   :- seen(k, v)
             delete open(k, _) :+ lost(k)
             done(k, v)@s :~ seen(k, v), !(open(k, w), w > v), store(s)",
        ),
        independent(
            ABSENCE,
            "what it asks about would stay",
            "",
            "table open(k: int, v: int)
             open(k, v)   :- put(k, v)
             delete open(k, _) :+ drop(k)
             done(k, v)@s :~ seen(k, v), !(open(k, w), w > v), store(s)",
        )
        .refused("D1.1"),
        functional(
            ABSENCE,
            "it asks about constants",
            "",
            "low(n)       :- store(s), n = index_of(s)
             note(k, v)@s :~ put(k, v), !(low(v), v > 0), store(s)",
        ),
        functional(
            ABSENCE,
            "it asks about something that changes",
            "",
            "table open(k: int, v: int)
             open(k, v)   :- put(k, v)
             delete open(k, _) :+ drop(k)
             note(k, v)@s :~ put(k, v), !(open(k, w), w > v), store(s)",
        )
        .refused("D2.2"),
        co_hash(
            ABSENCE,
            "it asks about its own key",
            "",
            "table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)
             seen(k, v)@s :~ note(k, v), !(open(k, w), w > v), server(s)",
        ),
        co_hash(
            ABSENCE,
            "it asks about all keys",
            "",
            "table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)
             seen(k, v)@s :~ note(k, v), !(open(j, _), j > k), server(s)",
        )
        .refused("P1.3"),
    ]
}

/// For each construct: how it is written of a value `v`, with a number of the result, and as a fact about constants.
pub fn aggregates() -> Vec<Cell> {
    let collections = [("`list`, `set`, `map`", ["list(v)", "set(v)", "map(v, k)"].as_slice(), "size(r)")];
    let of_values = [
        ("`argmax`, `argmin`", ["argmax(v, v)", "argmin(v, v)"].as_slice(), "r"),
        ("`quorum`", ["quorum(2, v)"].as_slice(), "first(r)"),
        ("`choose`", ["choose(v)"].as_slice(), "r"),
    ];
    let mut cells = Vec::new();
    for (construct, functions, result) in collections.into_iter().chain(of_values) {
        for function in functions {
            cells.extend(aggregate(construct, function, result));
        }
    }
    cells
}

fn aggregate(construct: &'static str, function: &'static str, result: &str) -> Vec<Cell> {
    let of_all = function.replace(", k)", ", 0)");
    let of_stores = of_all.replace('v', "index_of(o)");
    vec![
        independent(
            construct,
            "it moves with what it is about",
            "",
            &format!(
                "table open(k: int, v: int)
                 open(k, v)   :- seen(k, v)
                 delete open(k, _) :+ lost(k)
                 all(k, {function}) :- open(k, v)
                 done(k, {result})@s :~ new all(k, r), store(s)"
            ),
        ),
        functional(
            construct,
            "it is about constants",
            "",
            &format!(
                "all({of_stores}) :- store(o)
                 note(k, {result})@s :~ put(k, _), all(r), store(s)"
            ),
        ),
        functional(
            construct,
            "it is about what is forwarded",
            "",
            &format!(
                "all(k, {function}) :- put(k, v)
                 note(k, {result})@s :~ all(k, r), store(s)"
            ),
        )
        .line("decouple server { all, note } into noter using functional")
        .refused("D2.4"),
        co_hash(
            construct,
            "it groups by the key",
            "",
            &format!(
                "table open(k: int, v: int)
                 open(k, v)   :- note(k, v)
                 delete open(k, _) :+ gone(k)
                 all(k, {function}) :- open(k, v)
                 seen(k, {result})@s :~ new all(k, r), server(s)"
            ),
        ),
        co_hash(
            construct,
            "it puts all keys together",
            "",
            &format!(
                "table open(k: int, v: int)
                 open(k, v)   :- note(k, v)
                 delete open(k, _) :+ gone(k)
                 all({of_all}) :- open(_, v)
                 seen(0, {result})@s :~ new all(r), server(s)"
            ),
        )
        .refused("P1.4"),
    ]
}

pub fn numbering() -> Vec<Cell> {
    const INDEX: &str = "`index`";
    vec![
        independent(INDEX, "all that it numbers moves", "", "done(k, index(v))@s :~ seen(k, v), store(s)"),
        functional(
            INDEX,
            "it numbers constants",
            "",
            "table slot(o: node, n: int)
             slot(o, index()) :- start(), store(o)
             note(k, n)@o :~ put(k, _), slot(o, n)",
        ),
        functional(INDEX, "it numbers what is forwarded", "", "note(k, index())@s :~ put(k, _), store(s)")
            .refused("D2.4"),
        co_hash(INDEX, "it numbers the facts of all keys", "", "seen(k, index())@s :~ note(k, _), server(s)")
            .refused("P1.4"),
    ]
}

pub fn values() -> Vec<Cell> {
    const IN: &str = "`x in e`";
    const PARTS: &str = "values with parts";
    vec![
        independent(IN, "it moves with its rule", "", "done(k, x)@s :~ seen(k, v), x in [v, v + 1], store(s)"),
        functional(
            IN,
            "what it ranges over is told as well",
            "",
            "note(k, x)@s :~ put(k, _), x in range(0, k), store(s)",
        ),
        functional(
            IN,
            "a member does not tell what it is in",
            "",
            "note(x, 0)@s :~ put(k, _), x in range(0, k), store(s)",
        )
        .refused("D2.4"),
        co_hash(
            IN,
            "it is not about the key",
            "",
            "table open(k: int, x: int)
             open(k, x)   :- note(k, v), x in [v, v + 1]
             seen(k, x)@s :~ new open(k, x), server(s)",
        ),
        co_hash(
            IN,
            "its members would be on other partitions",
            "",
            "table open(k: int, x: int)
             open(x, v)   :- note(k, v), x in range(0, k)
             seen(k, x)@s :~ note(k, _), open(k, x), server(s)",
        )
        .refused("P1.3"),
        independent(
            PARTS,
            "they move with their rules",
            "record pair(k: int, v: int)",
            "table open(p: pair)
             open(pair { k: k, v: v }) :- seen(k, v)
             done(p.k, p.v)@s :~ new open(p), store(s)",
        ),
        functional(
            PARTS,
            "they tell their parts",
            "channel both(p: (int, int))  server -> store",
            "both((k, v))@s :~ put(k, v), store(s)",
        )
        .line("decouple server { both } into noter using functional")
        .both(),
        functional(
            PARTS,
            "a part does not tell the whole",
            "channel both(p: (int, int))  server -> store",
            "pair((k, v)) :- put(k, v)
             both((p.0, 0))@s :~ pair(p), store(s)",
        )
        .line("decouple server { both } into noter using functional")
        .both()
        .refused("D2.4"),
        co_hash(
            PARTS,
            "a whole is a key",
            "channel both(p: (int, int))  server -> store",
            "table open(p: (int, int))
             open(p)      :- both(p)
             seen(p.0, p.1)@s :~ new open(p), server(s)",
        )
        .line("partition store by p into 2")
        .with_both(),
        co_hash(
            PARTS,
            "a part of one is not yet",
            "channel both(p: (int, int))  server -> store",
            "table open(k: int, p: (int, int))
             open(p.0, p) :- both(p)
             seen(k, p.1)@s :~ note(k, _), open(k, p), server(s)",
        )
        .with_both()
        .refused("P1.3"),
    ]
}

pub fn natives() -> Vec<Cell> {
    const NATIVE: &str = "native role";
    let written = "write(k, v)@d :~ put(k, v), disk(d)";
    vec![
        independent(
            NATIVE,
            "it sends to the server",
            DISK,
            &format!("{written}\n done(k, v)@s :~ written(k, v), store(s)"),
        )
        .refused("D1.2"),
        functional(
            NATIVE,
            "what it sends is forwarded",
            DISK,
            &format!("{written}\n note(k, v)@s :~ written(k, v), store(s)"),
        ),
        co_hash(
            NATIVE,
            "it sends to the stores",
            &DISK.replace("disk -> server", "disk -> store"),
            "seen(k, v)@s :~ written(k, v), server(s)",
        )
        .refused("P1.1"),
    ]
}
