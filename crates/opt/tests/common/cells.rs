//! What rewrites make of each construct of the language: for every cell of the table in the book, programs that are rewritten or refused.

/// What becomes of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is rewritten, and does what the original does.
    Allowed,
    /// It is refused by this precondition.
    Refused(&'static str),
}

/// A program with a construct, and a line of a plan.
pub struct Cell {
    /// The construct, as the book's table names it.
    pub construct: &'static str,
    /// The column of the table: `independent`, `functional`, `monotonic`, `mutual`, `state_machine`, `asymmetric`, `prefix`, `co-hash`,
    /// `dependencies` or `partial`.
    pub rewrite: &'static str,
    /// What it shows.
    pub name: &'static str,
    pub program: String,
    pub line: &'static str,
    pub verdict: Verdict,
    /// The channel that must have been used, or nothing was tested.
    pub heard: &'static str,
}

const HEADER: &str = "
protocol cell
role client external
role server
role store[2]
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel gone(k: int)          server -> store
channel seen(k: int, v: int)  store -> server
channel lost(k: int)          store -> server
channel done(k: int, v: int)  server -> store
";

pub fn program(channels: &str, components: &str) -> String {
    format!("{HEADER}{channels}\n{components}\n")
}

/// The server has two tasks; the second is done with the construct, and moves.
fn independent(construct: &'static str, name: &'static str, channels: &str, task: &str) -> Cell {
    let components = format!(
        "component server {{
           note(k, v)@s :~ put(k, v), store(s)
           gone(k)@s    :~ drop(k), store(s)
           {task}
         }}
         component store {{
           seen(k, v)@s :~ note(k, v) from s
           lost(k)@s    :~ gone(k) from s
           got(k, v)    :- done(k, v)
         }}"
    );
    Cell {
        construct,
        rewrite: "independent",
        name,
        program: program(channels, &components),
        line: "decouple server { done } into other using independent",
        verdict: Verdict::Allowed,
        heard: "done",
    }
}

/// The server notes; the rules for that move, and are told what clients send.
fn functional(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    super::noting::cell(
        ("functional", "decouple server { note } into noter using functional"),
        construct,
        name,
        channels,
        rules,
    )
}

/// The stores are partitioned.
fn co_hash(construct: &'static str, name: &'static str, channels: &str, rules: &str) -> Cell {
    let components = format!(
        "component server {{
           note(k, v)@s :~ put(k, v), store(s)
           gone(k)@s    :~ drop(k), store(s)
           known(k, v)  :- seen(k, v)
         }}
         component store {{
           {rules}
         }}"
    );
    Cell {
        construct,
        rewrite: "co-hash",
        name,
        program: program(channels, &components),
        line: "partition store by k into 2",
        verdict: Verdict::Allowed,
        heard: "seen",
    }
}

impl Cell {
    pub fn refused(self, precondition: &'static str) -> Cell {
        Cell { verdict: Verdict::Refused(precondition), ..self }
    }

    pub fn line(self, line: &'static str) -> Cell {
        Cell { line, ..self }
    }
}

/// All of them.
pub fn cells() -> Vec<Cell> {
    let mut cells = tables();
    cells.extend(timers());
    cells.extend(serial());
    cells.extend(ordered());
    cells.extend(absences());
    cells.extend(natives());
    cells.extend(aggregates());
    cells.extend(numbering());
    cells.extend(values());
    cells.extend(super::monotonic::cells());
    let in_both_directions: Vec<Cell> = cells.iter().filter_map(super::mutual::of_monotonic).collect();
    cells.extend(in_both_directions);
    cells.extend(super::mutual::cells());
    cells.extend(super::state_machine::cells());
    cells.extend(super::asymmetric::cells());
    cells.extend(super::prefix::cells());
    cells.extend(super::partial_cells::cells());
    let computed: Vec<Cell> = cells.iter().filter_map(by_what_is_computed).collect();
    cells.extend(computed);
    cells.extend(dependencies());
    cells
}

/// What goes for a column as key goes for what is computed from it.
fn by_what_is_computed(cell: &Cell) -> Option<Cell> {
    let line = match cell.line {
        "partition store by k into 2" => "partition store by k % 2 into 2",
        "partition store by p into 2" => "partition store by p.0 into 2",
        _ => return None,
    };
    let verdict = match cell.verdict {
        Verdict::Refused("P1.1") => Verdict::Refused("P2.1"),
        Verdict::Refused("P1.2") => Verdict::Refused("P2.2"),
        Verdict::Refused("P1.3") => Verdict::Refused("P2.3"),
        Verdict::Refused("P1.4") => Verdict::Refused("P2.4"),
        Verdict::Refused("P1.5") => Verdict::Refused("P2.5"),
        Verdict::Refused("P1.7") => Verdict::Refused("P2.7"),
        verdict => verdict,
    };
    // A part of a key is a key here.
    let verdict = if cell.name == "a part of one is not yet" { Verdict::Allowed } else { verdict };
    let heard = if verdict == Verdict::Allowed { cell.heard } else { "" };
    Some(Cell { rewrite: "dependencies", program: cell.program.clone(), line, verdict, heard, ..*cell })
}

/// Where keys are not the same columns, but tell each other.
fn dependencies() -> Vec<Cell> {
    let cell = |construct, name, rules: &str| Cell {
        rewrite: "dependencies",
        line: "partition store by k % 3 into 2",
        ..co_hash(construct, name, "", rules)
    };
    vec![
        cell(
            "keyed table",
            "its key is computed from that of the message",
            "table kept(z: int => v: int) max
             kept(k % 3, v) :- note(k, v)
             seen(z, v)@s :~ new kept(z, v), server(s)",
        ),
        cell(
            "keyed table",
            "its value does not tell where the others are",
            "table kept(v: int => z: int) max
             kept(v, k % 3) :- note(k, v)
             seen(z, v)@s :~ new kept(v, z), server(s)",
        )
        .refused("P2.7"),
        cell(
            "window",
            "what it keeps is computed from the key of the message",
            "table low(=> n: int) max
             window table kept(z: int, k: int) above low
             kept(k % 3, k) :- note(k, v)
             low(-1)      :- start()
             seen(z, v)@s :~ note(k, v), kept(z, k), z < 2, server(s)",
        ),
        cell(
            "`!( ... )`",
            "what it asks about has the key by a dependency",
            "table open(z: int, k: int, v: int)
             open(k % 3, k, v) :- note(k, v)
             delete open(_, k, _) :+ gone(k)
             seen(k, v)@s :~ note(k, v), !(open(_, k, w), w > v), server(s)",
        ),
        cell(
            "values with parts",
            "a whole tells its parts",
            "table open(p: (int, int))
             open((k % 3, v)) :- note(k, v)
             delete open(p) :+ gone(k), open(p), p.0 == k % 3
             seen(p.0, p.1)@s :~ new open(p), server(s)",
        ),
    ]
}

fn tables() -> Vec<Cell> {
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

fn timers() -> Vec<Cell> {
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

fn serial() -> Vec<Cell> {
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

fn ordered() -> Vec<Cell> {
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

fn absences() -> Vec<Cell> {
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
fn aggregates() -> Vec<Cell> {
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

fn numbering() -> Vec<Cell> {
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

fn values() -> Vec<Cell> {
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

/// A disk, which brings back what it is told.
pub const DISK: &str = "
role disk native
channel write(k: int, v: int)    server -> disk
channel written(k: int, v: int)  disk -> server
";

fn natives() -> Vec<Cell> {
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

impl Cell {
    /// The stores take pairs.
    pub fn both(self) -> Cell {
        let program = self.program.replace("component store {", "component store {\n had(p) :- both(p)\n");
        Cell { program, heard: "both", ..self }
    }

    /// The server sends pairs.
    fn with_both(self) -> Cell {
        let sent = "component server {\n both((k, v))@s :~ put(k, v), store(s)\n";
        Cell { program: self.program.replace("component server {", sent), ..self }
    }

    /// The stores number what they send to the server.
    pub fn in_turn(self) -> Cell {
        let numbered = "component store {
           table next(=> n: int) max
           next(0)      :- start()
           next(n + 1)  :+ next(n), gone(_)
           turn(n, k)@s :~ gone(k) from s, next(n)
        ";
        Cell { program: self.program.replace("component store {", numbered), ..self }
    }

    /// The stores send back what is sent to them one by one.
    pub fn one_each(self) -> Cell {
        let program =
            self.program.replace("component store {", "component store {\n one(k, v)@s :~ each(k, v) from s\n");
        Cell { program, ..self }
    }

    /// The server numbers what it sends to the stores.
    fn each_in_turn(self) -> Cell {
        let numbered = "component server {\n turn(k, v)@s :~ put(k, v), store(s)\n";
        Cell { program: self.program.replace("component server {", numbered), ..self }
    }

    /// The server sends what it is told one by one as well.
    fn each(self) -> Cell {
        let program =
            self.program.replace("component server {", "component server {\n each(k, v)@s :~ put(k, v), store(s)\n");
        Cell { program, ..self }
    }
}
