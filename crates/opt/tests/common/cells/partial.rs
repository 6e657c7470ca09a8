//! What partial partitioning makes of each construct: stores that note things by key, and are told of epochs, which have none.

use super::{Cell, DISK, Verdict};

const EPOCH: &str = "channel epoch(e: int)         server -> store\n";

/// The stores are partitioned; what they know of epochs, all partitions have.
fn cell(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    let components = format!(
        "component server {{
           note(k, v)@s :~ put(k, v), store(s)
           gone(k)@s    :~ drop(k), store(s)
           epoch(k)@s   :~ drop(k), store(s)
           known(k, v)  :- seen(k, v)
           known(k, 0)  :- lost(k)
         }}
         component store {{
           {rules}
         }}"
    );
    Cell {
        construct,
        rewrite: "partial",
        name,
        program: super::program(&format!("{EPOCH}{channels}"), &components),
        line: "partition store by k into 2 with coordinator",
        verdict: Verdict::Allowed,
        heard: "seen",
    }
}

/// All of them.
pub fn cells() -> Vec<Cell> {
    let mut cells = tables();
    cells.extend(disks());
    cells.extend(channels());
    cells.extend(absences());
    cells.extend(aggregates());
    cells.extend(values());
    cells
}

/// A register that all partitions have.
const CURRENT: &str = "table current(=> e: int) replace
           current(0)   :- start()
           current(e)   :- epoch(e)";

fn tables() -> Vec<Cell> {
    const KEYED: &str = "keyed table";
    const WINDOW: &str = "window";
    vec![
        cell(
            KEYED,
            "by its own key, beside a register that all have",
            "",
            &format!(
                "{CURRENT}
                 table kept(k: int => v: int) first
                 kept(k, v)   :- note(k, v)
                 delete kept(k, _) :+ gone(k)
                 seen(k, e)@s :~ note(k, v), kept(k, v), current(e), server(s)"
            ),
        ),
        cell(
            KEYED,
            "by a value",
            "",
            "table kept(v: int => k: int) replace
             kept(v, k)   :- note(k, v)
             seen(k, v)@s :~ note(k, v), kept(v, k), epoch(_), server(s)",
        )
        .refused("P3.8"),
        cell(
            WINDOW,
            "above a floor that all have",
            "",
            "table low(=> n: int) max
             window table kept(k: int, v: int) above low
             low(-1)      :- start()
             low(e)       :- epoch(e)
             kept(k, v)   :- note(k, v)
             seen(k, v)@s :~ gone(k), kept(k, v), server(s)",
        ),
        cell(
            WINDOW,
            "a window that all have",
            "",
            "table low(=> n: int) max
             window table kept(e: int) above low
             low(-1)      :- start()
             low(e - 2)   :- epoch(e)
             kept(e)      :- epoch(e)
             seen(k, e)@s :~ note(k, _), kept(e), server(s)",
        ),
        cell(
            WINDOW,
            "every partition would have a floor of its own",
            "",
            &format!(
                "{CURRENT}
                 table low(=> n: int) max
                 window table kept(k: int, v: int) above low
                 kept(k, v)   :- note(k, v)
                 low(k)       :- gone(k)
                 seen(k, e)@s :~ note(k, v), kept(k, v), current(e), server(s)"
            ),
        )
        .refused("P3.8"),
        cell(
            "durable table",
            "it stays durable",
            "",
            "durable table current(=> e: int) replace
             current(0)   :- start()
             current(e)   :- epoch(e)
             durable table kept(k: int => v: int) first
             kept(k, v)   :- note(k, v)
             seen(k, e)@s :~ note(k, v), kept(k, v), current(e), server(s)",
        ),
    ]
}

/// Stores that restart, with an epoch on disk.
fn disks() -> Vec<Cell> {
    const EPOCHS: &str = "durable table current(=> e: int) max
             current(0)   :- start()
             current(e)   :- epoch(e)";
    let restarting =
        |name, rules: &str| cell("durable table", name, "fault restart 2 of store", &format!("{EPOCHS}\n{rules}"));
    vec![
        restarting(
            "what all have is on the disk of the coordinator, and told at a start",
            "durable table kept(k: int => v: int) first
             kept(k, v)   :- note(k, v)
             seen(k, e)@s :~ note(k, v), kept(k, v), current(e), server(s)",
        ),
        restarting(
            "it is there when shares are gathered",
            "durable window table kept(k: int, v: int) above current
             kept(k, v)   :- note(k, v)
             found(e, k)  :- epoch(e), kept(k, _)
             seen(h, size(l))@s :~ all(l), current(h), server(s)
             all(list(k)) :- found(_, k)",
        ),
        restarting(
            "a start that one disk has, and another may not",
            "current(e + 1) :+ start(), current(e), e < 9
             seen(k, e)@s :~ note(k, _), current(e), server(s)",
        )
        .refused("P3.13"),
        restarting(
            "partitions do not know at the start what all have",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             seen(k, e)@s :~ new kept(k, _), current(e), server(s)",
        )
        .refused("P3.14"),
        restarting(
            "one disk has the epoch, and another may have lost what it did",
            "durable table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             kept(k, e)   :- epoch(e), kept(k, _)
             seen(k, v)@s :~ note(k, _), kept(k, v), server(s)",
        )
        .refused("P3.15"),
        restarting(
            "where they are told the epoch, a window has no floor yet",
            "window table fresh(e: int, v: int) above current
             table early(v: int)
             fresh(1, 7)  :- start()
             early(v)     :- start(), fresh(_, v)
             seen(k, v)@s :~ note(k, _), early(v), server(s)",
        )
        .refused("P3.16"),
    ]
}

fn channels() -> Vec<Cell> {
    const TIMER: &str = "timer";
    const EVERY: &str = "timer that repeats";
    const SERIAL: &str = "serial channel";
    const ORDERED: &str = "ordered channel";
    vec![
        cell(
            TIMER,
            "it has the key",
            "",
            &format!(
                "{CURRENT}
                 timer retry(k: int, v: int) after 50 ms
                 retry(k, v)  :~ note(k, v)
                 seen(k, e)@s :~ retry(k, _), current(e), server(s)"
            ),
        ),
        cell(
            TIMER,
            "the coordinator has it",
            "",
            &format!(
                "{CURRENT}
                 timer late(e: int) after 50 ms
                 late(e)      :~ epoch(e)
                 current(-e)  :- late(e)
                 seen(k, e)@s :~ note(k, _), current(e), server(s)"
            ),
        ),
        cell(
            TIMER,
            "partitions arm what the coordinator has",
            "",
            &format!(
                "{CURRENT}
                 timer late(e: int) after 50 ms
                 late(v)      :~ note(_, v)
                 current(-e)  :- late(e)
                 seen(k, e)@s :~ note(k, _), current(e), server(s)"
            ),
        ),
        cell(
            EVERY,
            "the coordinator has it",
            "",
            "timer tick() every 1 s
             table turns(=> n: int) max
             turns(0)     :- start()
             turns(n + 1) :+ turns(n), tick()
             seen(k, n)@s :~ note(k, _), turns(n), server(s)",
        ),
        cell(
            EVERY,
            "partitions look what they have",
            "",
            "timer tick() every 1 s
             table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)
             seen(k, v)@s :~ tick(), open(k, v), server(s)",
        ),
        cell(
            SERIAL,
            "all have what it brings",
            "channel each(v: int)  server -> store serial",
            &format!(
                "{CURRENT}
                 current(-v)  :- each(v)
                 seen(k, e)@s :~ note(k, _), current(e), server(s)"
            ),
        )
        .with_each("each(v)@s :~ put(_, v), store(s)"),
        cell(
            SERIAL,
            "what waits at a partition is taken together",
            "channel each(k: int, v: int)  server -> store serial",
            &format!(
                "{CURRENT}
                 seen(k, e)@s :~ each(k, _), current(e), server(s)"
            ),
        )
        .with_each("each(k, v)@s :~ put(k, v), store(s)")
        .refused("P3.11"),
        cell(
            ORDERED,
            "whether it is its turn depends on the step before",
            "channel turn(n: int, v: int)  server -> store ordered by n",
            &format!(
                "{CURRENT}
                 current(-v)  :- turn(_, v)
                 seen(k, e)@s :~ note(k, _), current(e), server(s)"
            ),
        )
        .numbered()
        .refused("P3.3"),
        cell(
            ORDERED,
            "one order for the node",
            "channel turn(k: int, v: int)  server -> store ordered by k",
            &format!("{CURRENT}\n seen(k, e)@s :~ turn(k, _), current(e), server(s)"),
        )
        .numbered()
        .refused("P3.2"),
        cell(
            "native role",
            "it sends to the stores",
            &DISK.replace("disk -> server", "disk -> store"),
            &format!("{CURRENT}\n seen(k, e)@s :~ written(k, _), current(e), server(s)"),
        )
        .refused("P3.1"),
    ]
}

fn absences() -> Vec<Cell> {
    const ABSENCE: &str = "`!( ... )`";
    const OPEN: &str = "table open(k: int, v: int)
             open(k, v)   :- note(k, v)
             delete open(k, _) :+ gone(k)";
    vec![
        cell(
            ABSENCE,
            "it asks about its own key",
            "",
            &format!("{CURRENT}\n{OPEN}\n seen(k, e)@s :~ note(k, v), !(open(k, w), w > v), current(e), server(s)"),
        ),
        cell(
            ABSENCE,
            "it asks about what all have",
            "",
            "table had(e: int)
             had(e)       :- epoch(e)
             seen(k, v)@s :~ note(k, v), !(had(e), e > k), server(s)",
        ),
        cell(
            ABSENCE,
            "it asks about all keys",
            "",
            &format!("{CURRENT}\n{OPEN}\n seen(k, e)@s :~ note(k, v), !(open(j, _), j > k), current(e), server(s)"),
        )
        .refused("P3.5"),
    ]
}

/// For each construct: how it is written of a value `v`, and a number of the result.
fn aggregates() -> Vec<Cell> {
    let of = |construct, functions: &[&str], result: &str| {
        functions.iter().flat_map(|function| aggregate(construct, function, result)).collect::<Vec<_>>()
    };
    let mut cells = of("`list`, `set`, `map`", &["list(v)", "set(v)", "map(v, k)"], "size(r)");
    cells.extend(of("`argmax`, `argmin`", &["argmax(v, v)", "argmin(v, v)"], "r"));
    cells.extend(of("`quorum`", &["quorum(2, v)"], "first(r)"));
    cells.extend(of("`choose`", &["choose(v)"], "r"));
    cells.extend([
        cell(
            "`quorum`",
            "it remembers facts that are deleted",
            "",
            &format!(
                "{CURRENT}
                 table open(k: int, v: int)
                 open(k, v)   :- note(k, v)
                 delete open(k, _) :+ gone(k)
                 all(k, quorum(2, v)) :- open(k, v)
                 seen(k, first(r))@s :~ note(k, _), all(k, r), current(_), server(s)"
            ),
        )
        .refused("P3.3"),
        cell(
            "`index`",
            "it numbers what all have",
            "",
            "table had(e: int, n: int)
             had(e, index(e)) :- epoch(e)
             seen(k, n)@s :~ note(k, _), had(_, n), server(s)",
        ),
        cell(
            "`index`",
            "it numbers the facts of all keys",
            "",
            &format!("{CURRENT}\n seen(k, index())@s :~ note(k, _), current(_), server(s)"),
        )
        .refused("P3.6"),
    ]);
    cells
}

fn aggregate(construct: &'static str, function: &str, result: &str) -> Vec<Cell> {
    let of_all = function.replace(", k)", ", 0)");
    let of_epochs = of_all.replace('v', "e");
    // What a quorum remembers of facts that are deleted depends on idle steps.
    let deletion = if construct == "`quorum`" { "" } else { "delete open(k, _) :+ gone(k)" };
    let open = format!("table open(k: int, v: int)  open(k, v) :- note(k, v)  {deletion}");
    vec![
        cell(
            construct,
            "it groups by the key",
            "",
            &format!(
                "{CURRENT}
                 {open}
                 all(k, {function}) :- open(k, v)
                 seen(k, {result})@s :~ note(k, _), all(k, r), current(_), server(s)"
            ),
        ),
        cell(
            construct,
            "it is about what all have",
            "",
            &format!(
                "table had(e: int)
                 had(e)       :- epoch(e)
                 all({of_epochs}) :- had(e)
                 seen(k, {result})@s :~ note(k, _), all(r), server(s)"
            ),
        ),
        cell(
            construct,
            "it puts all keys together because of something that all have",
            "",
            &format!(
                "{open}
                 found(v)     :- epoch(_), open(_, v)
                 all({of_all}) :- found(v)
                 seen(0, {result})@s :~ all(r), server(s)"
            ),
        ),
        cell(
            construct,
            "it puts all keys together",
            "",
            &format!(
                "{CURRENT}
                 all({of_all}) :- note(_, v)
                 seen(0, {result})@s :~ all(r), current(_), server(s)"
            ),
        )
        .refused("P3.6"),
    ]
}

fn values() -> Vec<Cell> {
    const IN: &str = "`x in e`";
    const PARTS: &str = "values with parts";
    vec![
        cell(
            IN,
            "it is not about the key",
            "",
            &format!("{CURRENT}\n seen(k, x)@s :~ note(k, _), current(e), x in [e, e + 1], server(s)"),
        ),
        cell(
            IN,
            "its members would be on other partitions",
            "",
            &format!(
                "{CURRENT}
                 table open(k: int, x: int)
                 open(x, v)   :- note(k, v), x in range(0, k)
                 seen(k, e)@s :~ note(k, _), open(k, _), current(e), server(s)"
            ),
        )
        .refused("P3.5"),
        cell(
            PARTS,
            "all have a whole, partitions have one by its part",
            "",
            "table current(=> p: (int, int)) max
             current((0, 0)) :- start()
             current((e, e + 1)) :- epoch(e)
             table open(k: int, p: (int, int))
             open(k, (k, v)) :- note(k, v)
             delete open(k, _) :+ gone(k)
             seen(k, q.1)@s :~ note(k, _), open(k, p), current(q), p.1 > q.0, server(s)",
        ),
        cell(
            PARTS,
            "a part is the key",
            "",
            &format!(
                "{CURRENT}
                 table open(p: (int, int))
                 open((k, v)) :- note(k, v)
                 seen(k, e)@s :~ note(k, _), open(p), p.0 == k, current(e), server(s)"
            ),
        ),
        cell(
            PARTS,
            "another part is no key",
            "",
            &format!(
                "{CURRENT}
                 table open(p: (int, int))
                 open((k, v)) :- note(k, v)
                 seen(k, e)@s :~ note(k, _), open(p), p.1 == k, current(e), server(s)"
            ),
        )
        .refused("P3.5"),
    ]
}

impl Cell {
    /// The server sends messages one by one, too.
    fn with_each(self, rule: &str) -> Cell {
        let program = self.program.replace("component server {", &format!("component server {{\n {rule}\n"));
        Cell { program, ..self }
    }

    /// The server numbers what it sends.
    fn numbered(self) -> Cell {
        self.with_each(
            "table next(=> n: int) max
             next(0)      :- start()
             next(n + 1)  :+ next(n), put(_, _)
             turn(n, v)@s :~ put(_, v), next(n), store(s)",
        )
    }
}
