//! Asymmetric decoupling: near misses of each precondition, and what it makes of each construct.

use super::cases::{Case, Killed, program};
use super::cells::{Cell, Verdict};
use super::liars::{Liar, Without, two_servers};

/// The server asks the stores, counts what they answer, and numbers what it is asked meanwhile.
const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel ask(k: int, v: int)   server -> store
channel got(k: int, v: int)   store -> server
channel lost(k: int)          store -> server
channel note(k: int, v: int)  server -> store
channel done(k: int, v: int)  server -> client
";

const STORE: &str = "component store {
  got(k, v)@s  :~ ask(k, v) from s
  lost(v)@s    :~ ask(_, v) from s, v > 1
  kept(k, v)   :- note(k, v)
  seen(k)      :- kept(k, _)
}";

/// What the server does besides.
const REST: &str = "ask(k, v)@s   :~ put(k, v), store(s)
  table last(=> n: int) max
  last(0)       :- start()
  last(n + 1)   :+ last(n), drop(_)";

/// The rules for these move.
const COUNTED: &str = "decouple server { had, full, note } into counter using asymmetric";

/// They remember answers, send what they make of each, and tell what is new; the rest answers with what else it knows.
const RULES: &str = "table had(k: int, v: int)
  had(k, v)     :- got(k, v)
  full(k, v)    :- new had(k, v)
  note(k, v)@s  :~ got(k, v), store(s)
  done(k, n)@c  :~ full(k, _), last(n), client_of(c)
  table client_of(c: node)
  client_of(c)  :- put(_, _) from c";

fn case(
    precondition: &'static str,
    name: &'static str,
    line: &'static str,
    rules: &str,
    mend: (&'static str, &'static str),
) -> Case {
    let broken = program("", CHANNELS, &format!("component server {{\n  {REST}\n  {rules}\n}}\n{STORE}"));
    Case { precondition, name, line, broken, mend, killed: Killed::Refinement }
}

/// The same with one rule in the place of another.
fn changed(precondition: &'static str, name: &'static str, from: &'static str, to: &'static str) -> Case {
    assert!(RULES.contains(from), "{name}: `{from}` is one of the rules");
    case(precondition, name, COUNTED, &RULES.replace(from, to), (to, from))
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        changed(
            "D5b.1",
            "state that stays",
            "note(k, v)@s  :~ got(k, v), store(s)",
            "note(k, n)@s  :~ got(k, _), last(n), store(s)",
        )
        .with_killed(Killed::Checker("E0209")),
        changed(
            "D5b.2",
            "state of what moves",
            "done(k, n)@c  :~ full(k, _), last(n), client_of(c)",
            "done(k, n)@c  :~ drop(_), had(k, _), last(n), client_of(c)",
        )
        .with_killed(Killed::Checker("E0512")),
        changed("D5b.2", "an event one step later", "full(k, v)    :- new had(k, v)", "full(k, v)    :+ got(k, v)"),
        changed("D5b.2", "what is new one step later", "had(k, v)     :- got(k, v)", "had(k, v)     :+ got(k, v)"),
        changed(
            "D5b.2",
            "what the first step has",
            "had(k, v)     :- got(k, v)",
            "had(k, v)     :- got(k, v)  had(0, 0) :- start()",
        ),
        changed(
            "D5b.3",
            "what state sends",
            "note(k, v)@s  :~ got(k, v), store(s)",
            "note(k, v)@s  :~ had(k, v), store(s)",
        )
        .with_killed(Killed::Checker("E0512")),
        changed(
            "D5b.3",
            "numbers of what is sent",
            "note(k, v)@s  :~ got(k, v), store(s)",
            "note(k, index(v))@s :~ got(k, v), store(s)",
        ),
        changed("D5b.4", "what clients send", "full(k, v)    :- new had(k, v)", "full(k, 0)    :- drop(k)")
            .with_killed(Killed::Checker("E0609")),
        repetition(),
    ];
    cases.extend(restarts());
    cases
}

fn repetition() -> Case {
    let answers = "got(k, v)@s  :~ ask(k, v) from s";
    let case = case(
        "D5b.6",
        "batches of what state sends again",
        COUNTED,
        RULES,
        ("asked(k, v), server", "new asked(k, v), server"),
    );
    let broken = case.broken.replace(
        answers,
        "table asked(k: int, v: int) asked(k, v) :- ask(k, v)  got(k, v)@s :~ asked(k, v), server(s)",
    );
    Case { broken, killed: Killed::Checker("E0620"), ..case }
}

/// What is told in batches, and acknowledged.
pub fn liar() -> Liar {
    Liar {
        precondition: "D5b.5",
        name: "what is told in batches, and acknowledged",
        line: COUNTED,
        text: two_servers(program("", CHANNELS, &format!("component server {{\n  {REST}\n  {RULES}\n}}\n{STORE}"))),
        without: Without::Sender,
    }
}

fn restarts() -> Vec<Case> {
    let of_rules = |precondition, name, rules: &str, mend| {
        let broken =
            program("fault restart 1 of server", CHANNELS, &format!("component server {{\n  {rules}\n}}\n{STORE}"));
        Case { precondition, name, line: COUNTED, broken, mend, killed: Killed::Refinement }
    };
    let both_durable = |name, mend| of_rules("D5b.8", name, &format!("{REST}\n  {BOTH_DURABLE}"), mend);
    vec![
        of_rules(
            "D5b.2",
            "what is new when a node starts",
            &format!("{REST}\n  durable {RULES}"),
            ("durable table had", "table had"),
        ),
        of_rules(
            "D5b.7",
            "a start that one disk has, and nobody waits for",
            &format!(
                "{REST}\n  {RULES}
  durable table starts(=> n: int) max
  starts(1)     :- start()
  starts(n + 1) :+ start(), starts(n)
  done(n, n)@c  :~ drop(_) from c, starts(n)"
            ),
            ("starts(n + 1) :+ start(), starts(n)", ""),
        ),
        both_durable("what one disk has, and the other was not told", ("durable table known", "table known")),
        both_durable("what is told to a disk, by who has one", ("durable table had", "table had")),
    ]
}

/// What is heard is written where it is heard, and where it is told.
const BOTH_DURABLE: &str = "durable table had(k: int, v: int)
  durable table known(k: int)
  had(k, v)     :- got(k, v)
  full(k, v)    :- got(k, v)
  note(k, v)@s  :~ got(_, _), had(k, v), store(s)
  known(k)      :- full(k, _)
  done(k, 0)@c  :~ drop(_) from c, known(k)";

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
    let program = super::cells::program(channels, &components);
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
            super::cells::DISK,
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
