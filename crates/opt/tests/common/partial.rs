//! Near misses of partial partitioning: stores that note things by key, and are told of epochs, which have none.

use super::cases::{Case, Killed, program};
use super::liars::{Liar, Without};

const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel epoch(e: int)         server -> store
channel seen(k: int, v: int)  store -> server
channel total(n: int)         store -> server
";

const SERVER: &str = "component server {
  note(k, v)@s :~ put(k, v), store(s)
  epoch(e)@s   :~ drop(e), store(s)
  got(k, v)    :- seen(k, v)
  got(n, n)    :- total(n)
}";

const LINE: &str = "partition store by k into 2 with coordinator";

/// The stores with these rules.
pub fn noted(faults: &str, channels: &str, rules: &str) -> String {
    let store = format!("component store {{ table current(=> e: int) max  current(e) :- epoch(e) {rules} }}");
    program(faults, &format!("{CHANNELS}{channels}"), &format!("{SERVER}\n{store}"))
}

const KEPT: &str = "table kept(k: int, v: int)  kept(k, v) :- note(k, v)";

fn case(precondition: &'static str, name: &'static str, rules: &str, mend: (&'static str, &'static str)) -> Case {
    let broken = noted("", "", rules);
    Case { precondition, name, line: LINE, broken, mend, killed: Killed::Refinement }
}

pub fn cases() -> Vec<Case> {
    let mut cases = state();
    cases.extend(keys());
    cases.extend(channels());
    cases.extend(faults());
    cases.extend(restarts());
    cases
}

fn state() -> Vec<Case> {
    vec![
        case(
            "P3.2",
            "every partition misses what the others have",
            &format!(
                "{KEPT} slot(k) :- store(s), k = index_of(s) seen(k, e)@s :~ epoch(e) from s, slot(k), !kept(k, _)"
            ),
            ("slot(k), !kept(k, _)", "kept(k, _)"),
        ),
        case(
            "P3.3",
            "an event that is there one step later",
            "late(e) :+ epoch(e)  seen(k, e)@s :~ note(k, _) from s, late(e)",
            ("late(e) :+ epoch(e)", "late(e) :- epoch(e)"),
        ),
        case(
            "P3.4",
            "a floor that rises one step later",
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(0)       :- start()
             low(k)       :+ epoch(k)
             kept(k, v)   :- note(k, v)
             seen(k, v)@s :~ note(k, _) from s, kept(k, v)",
            (":+ epoch(k)", ":- epoch(k)"),
        ),
    ]
}

fn keys() -> Vec<Case> {
    vec![
        case(
            "P3.5",
            "a join on another column",
            &format!("{KEPT} seen(k, e)@s :~ note(k, v) from s, kept(v, _), current(e)"),
            ("kept(v, _)", "kept(k, _)"),
        ),
        case(
            "P3.6",
            "a count over keys",
            &format!("{KEPT} n(v, count(k)) :- kept(k, v)  seen(v, n)@s :~ new n(v, n), server(s)"),
            ("n(v, count(k)) :- kept(k, v)", "n(k, count(v)) :- kept(k, v)"),
        ),
        case(
            "P3.7",
            "a message that several partitions send",
            &format!("{KEPT} seen(0, v)@s :~ epoch(_) from s, kept(_, v)"),
            ("seen(0, v)@s :~ epoch(_) from s, kept(_, v)", "seen(k, v)@s :~ epoch(_) from s, kept(k, v)"),
        ),
        case(
            "P3.7",
            "an event that several partitions have",
            &format!("{KEPT} found(k) :- epoch(_), kept(k, _)  seen(0, 0)@s :~ found(_), server(s)"),
            ("seen(0, 0)@s :~ found(_)", "seen(k, 0)@s :~ found(k)"),
        ),
        case(
            "P3.7",
            "what becomes true at several partitions",
            &format!("{KEPT} old(k) :- kept(k, _), current(e), e > k  seen(0, 0)@s :~ new old(_), server(s)"),
            ("seen(0, 0)@s :~ new old(_)", "seen(k, 0)@s :~ new old(k)"),
        ),
        case(
            "P3.8",
            "a table keyed by another column",
            "table last(v: int => k: int) max
             last(v, k)   :- note(k, v)
             seen(k, v)@s :~ note(k, v) from s, last(v, k)",
            ("last(v: int => k: int) max", "last(v: int, k: int)"),
        ),
    ]
}

fn channels() -> Vec<Case> {
    let plain = format!("{KEPT} seen(k, e)@s :~ note(k, _) from s, current(e)");
    let checked = |precondition, name, broken: String, mend, code| Case {
        precondition,
        name,
        line: LINE,
        broken,
        mend,
        killed: Killed::Checker(code),
    };
    vec![
        checked(
            "P3.1",
            "clients know one address",
            noted("", "channel fix(k: int, v: int)  client -> store", &format!("{plain} kept(k, v) :- fix(k, v)")),
            ("fix(k: int, v: int)  client", "fix(k: int, v: int)  store"),
            "E0609",
        ),
        checked(
            "P3.10",
            "what state sends may come again",
            noted("", "", &format!("{KEPT} seen(k, e)@s :~ new kept(k, _), current(e), server(s)")).replace(
                "note(k, v)@s :~ put(k, v), store(s)",
                "table asked(k: int, v: int) asked(k, v) :- put(k, v) note(k, v)@s :~ asked(k, v), store(s)",
            ),
            (":~ asked(k, v)", ":~ new asked(k, v)"),
            "E0620",
        ),
        Case {
            precondition: "P3.11",
            name: "one message at a time",
            line: LINE,
            broken: noted("", "", &plain)
                .replace("note(k: int, v: int)  server -> store", "note(k: int, v: int)  server -> store serial"),
            mend: (" serial", ""),
            killed: Killed::Refinement,
        },
        checked(
            "P3.12",
            "a message of both sides",
            noted("", "", &format!("{plain} seen(0, e)@s :~ epoch(e) from s")),
            ("seen(0, e)@s :~ epoch(e) from s", ""),
            "E0605",
        ),
        checked(
            "P4.1",
            "a partition that has to know what all have",
            noted(
                "",
                "",
                &format!(
                    "{plain} found(k) :- epoch(_), kept(k, _)  all(list(k)) :- found(k)  table sizes(n: int)  sizes(size(l)) :- all(l)"
                ),
            ),
            ("table sizes(n: int)  sizes(size(l)) :- all(l)", "total(size(l))@s :~ all(l), server(s)"),
            "E0209",
        ),
    ]
}

fn faults() -> Vec<Case> {
    let rules = format!("{KEPT} seen(k, e)@s :~ note(k, _) from s, current(e)  total(e)@s :~ epoch(e) from s");
    vec![Case {
        precondition: "P3.17",
        name: "epochs that are answered, and may be repeated by a liar",
        line: LINE,
        broken: noted("fault byzantine 1 of server", "", &rules),
        mend: ("fault byzantine", "fault omission"),
        killed: Killed::Untested("a partition that a liar freezes does nothing wrong, but late"),
    }]
}

/// What the coordinator and the partitions tell each other: of what is replicated, of what is sealed, and of what is on disk.
pub fn liars() -> [Liar; 3] {
    const KEPT_ON_DISK: &str = "durable table limit(=> e: int) max  limit(e) :- epoch(e)
        durable table kept(k: int, v: int)  kept(k, v) :- note(k, v)  seen(k, e)@s :~ note(k, _) from s, limit(e)";
    let liar = |name, faults: &str, rules: &str| Liar {
        precondition: "P3.9",
        name,
        line: LINE,
        text: noted(&format!("{faults}fault byzantine 1 of store\n"), "", rules),
        without: Without::Sender,
    };
    [
        liar("what is replicated", "", &format!("{KEPT} seen(k, e)@s :~ note(k, _) from s, current(e)")),
        liar(
            "what is sealed",
            "",
            &format!(
                "{KEPT} found(k) :- epoch(_), kept(k, _)  all(list(k)) :- found(k)  total(size(l))@s :~ all(l), server(s)"
            ),
        ),
        liar("what is on disk", "fault restart 2 of store\n", KEPT_ON_DISK),
    ]
}

/// Stores that restart, with tables on disk.
fn restarts() -> Vec<Case> {
    const DURABLE: &str = "durable table limit(=> e: int) max  limit(e) :- epoch(e)
        durable table kept(k: int, v: int)  kept(k, v) :- note(k, v)";
    let case = |precondition, name, rules: &str, mend| Case {
        precondition,
        name,
        line: LINE,
        broken: noted("fault restart 2 of store", "", &format!("{DURABLE} {rules}")),
        mend,
        killed: Killed::Refinement,
    };
    vec![
        case(
            "P3.13",
            "how often a node has started",
            "durable table starts(=> n: int) max
             starts(1)     :- start()
             starts(n + 1) :+ start(), starts(n)
             seen(k, n)@s  :~ note(k, _) from s, starts(n)",
            ("starts(n + 1) :+ start(), starts(n)", ""),
        ),
        case(
            "P3.14",
            "a partition that says what is on its disk, and has not been told the limit",
            "seen(k, e)@s :~ new kept(k, _), limit(e), server(s)",
            ("new kept(k, _)", "note(k, _)"),
        ),
        case(
            "P3.14",
            "what all partitions have on disk, counted at the start",
            "found(e, k)  :- new limit(e), kept(k, _)
             n(e, count(k)) :- found(e, k)
             seen(e, n)@s :~ n(e, n), server(s)",
            ("new limit(e)", "epoch(e)"),
        ),
        case(
            "P3.15",
            "a deletion that one disk has, and another one may have lost",
            "delete kept(k, v) :+ epoch(v), kept(k, _)
             seen(k, v)@s :~ note(k, _) from s, kept(k, v)",
            ("epoch(v), kept(k, _)", "note(k, v)"),
        ),
        case(
            "P3.16",
            "a window that a start fills, before it is told its floor",
            "window table fresh(e: int, v: int) above limit
             table early(v: int)
             fresh(1, 7)   :- start()
             early(v)      :- start(), fresh(_, v)
             seen(k, v)@s  :~ note(k, _) from s, early(v)",
            ("fresh(1, 7)   :- start()", "fresh(1, 7)   :- epoch(_)"),
        ),
        case(
            "P3.16",
            "a window that a start fills, where what answers is copied from the disk",
            "window table fresh(e: int, v: int) above limit
             fresh(1, 7)   :- start()
             total(v)@s    :~ start(), fresh(_, v), server(s)
             found(e, k)   :- epoch(e), kept(k, _)
             n(e, count(k)) :- found(e, k)
             seen(e, n)@s  :~ n(e, n), server(s)",
            ("fresh(1, 7)   :- start()", "fresh(1, 7)   :- epoch(_)"),
        ),
        case(
            "P3.16",
            "what is the first again after a deletion, unless a start comes",
            "durable table chosen(n: int => e: int) first
             chosen(0, 0)   :- start()
             chosen(0, e)   :- epoch(e), e % 2 == 1
             delete chosen(0, e) :+ epoch(n), n % 2 == 0, chosen(0, e)
             seen(k, e)@s   :~ note(k, _) from s, chosen(_, e)",
            ("=> e: int) first", "=> e: int) max"),
        ),
    ]
}
