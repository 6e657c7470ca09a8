//! For every numbered precondition two programs: one where it holds, and a near miss where it alone is broken.

/// What shows that a precondition is needed: what happens to the near miss when the precondition is skipped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Killed {
    /// Some run of the rewritten program is no run of the original.
    Refinement,
    /// The rewritten program is not well-formed: the checker's code.
    Checker(&'static str),
    /// No test does: why.
    Untested(&'static str),
}

/// A pair of programs.
pub struct Case {
    pub precondition: &'static str,
    /// What distinguishes it from other cases of the same precondition.
    pub name: &'static str,
    pub line: &'static str,
    /// The near miss.
    pub broken: String,
    /// The change of the near miss that mends it: text and replacement.
    pub mend: (&'static str, &'static str),
    pub killed: Killed,
}

impl Case {
    /// The program where all preconditions hold.
    pub fn holds(&self) -> String {
        assert!(self.broken.contains(self.mend.0), "{}: `{}` is part of the near miss", self.name, self.mend.0);
        self.broken.replace(self.mend.0, self.mend.1)
    }
}

const ROLES: &str = "
protocol near_miss
role client external
role server
role store[2]
";

pub fn program(faults: &str, channels: &str, components: &str) -> String {
    format!("{ROLES}{faults}\n{channels}\n{components}\n")
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases = independent();
    cases.extend(functional());
    cases.extend(super::monotonic::cases());
    cases.extend(super::mutual::cases());
    cases.extend(super::state_machine::cases());
    cases.extend(super::asymmetric::cases());
    cases.extend(super::prefix::cases());
    cases.extend(co_hash());
    cases.extend(dependencies());
    cases.extend(super::partial::cases());
    cases.extend(super::restarts::cases());
    cases
}

/// A server whose two tasks, `note` and `done`, are independent.
const TWO_TASKS: &str = "
channel put(k: int)   client -> server
channel note(k: int)  server -> store
channel seen(k: int)  store -> server
channel done(k: int)  server -> store
";

const STORE: &str = "component store { seen(k)@s :~ note(k) from s  done_at(k) :- done(k)  echo(k) :- done_at(k) }";

fn independent() -> Vec<Case> {
    let two_tasks = |note: &str, more: &str| {
        let server = format!(
            "component server {{
               table known(k: int)
               {note}
               known(k)   :- seen(k)
               done(k)@s  :~ new known(k), store(s)
               {more}
             }}"
        );
        format!("{server}\n{STORE}")
    };
    vec![
        Case {
            precondition: "D1.1",
            name: "a table that both sides read",
            line: "decouple server { done } into other using independent",
            broken: program("", TWO_TASKS, &two_tasks("note(k)@s  :~ put(k), store(s), !known(k)", "")),
            mend: (", !known(k)", ""),
            killed: Killed::Checker("E0209"),
        },
        Case {
            precondition: "D1.2",
            name: "a channel from clients",
            line: "decouple server { note } into other using independent",
            broken: program("", TWO_TASKS, &two_tasks("note(k)@s  :~ put(k), store(s)", "")),
            mend: ("put(k: int)   client", "put(k: int)   store"),
            killed: Killed::Checker("E0609"),
        },
        Case {
            precondition: "D1.3",
            name: "a channel that both sides send on",
            line: "decouple server { known } into other using independent",
            broken: program(
                "",
                TWO_TASKS,
                &two_tasks("note(k)@s  :~ put(k), store(s)", "done(k)@s  :~ put(k), store(s), k > 2"),
            ),
            mend: ("done(k)@s  :~ put(k), store(s), k > 2", ""),
            killed: Killed::Checker("E0605"),
        },
    ]
}

fn functional() -> Vec<Case> {
    const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel again(k: int)         server -> store
";
    const STORE: &str =
        "component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v)  kept(k, 0) :- again(k) }";
    let server = |rules: &str| program("", CHANNELS, &format!("component server {{\n{rules}\n}}\n{STORE}"));
    let line = "decouple server { note } into noter using functional";
    let case = |precondition, name, rules: &str, mend| Case {
        precondition,
        name,
        line,
        broken: server(rules),
        mend,
        killed: Killed::Refinement,
    };
    vec![
        case(
            "D2.1",
            "two events that must meet",
            "high(k, v) :- put(k, v), v > 0
             odd(k)     :- put(k, v), v % 2 == 1
             note(k, v)@s :~ high(k, v), odd(k), store(s)",
            (", odd(k)", ""),
        ),
        case(
            "D2.1",
            "an event of the first step",
            "first(0, 1) :- start()
             note(k, v)@s :~ first(k, v), start(), store(s)",
            (", start(), store(s)", ", store(s)"),
        ),
        case(
            "D2.1",
            "a constant that is new in the first step",
            "first(0, 1) :- start()
             some(x)     :- store(s), x = index_of(s)
             note(k, v)@s :~ first(k, v), new some(k), store(s)",
            ("new some(k)", "some(k)"),
        ),
        case(
            "D2.2",
            "an event that must be absent",
            "all(k, v)  :- put(k, v)
             odd(k)     :- put(k, v), v % 2 == 1
             note(k, v)@s :~ all(k, v), !odd(k), store(s)",
            (", !odd(k)", ""),
        ),
        case(
            "D2.3",
            "state that comes and goes",
            "table held(k: int, v: int)
             held(k, v) :- put(k, v)
             delete held(k, _) :+ drop(k)
             note(k, v)@s :~ held(k, v), store(s)",
            (":~ held(k, v)", ":~ new held(k, v)"),
        ),
        case(
            "D2.4",
            "a head that does not tell its source",
            "note(k, 0)@s :~ put(k, v), v > 0, store(s)",
            ("note(k, 0)", "note(k, v)"),
        ),
        case(
            "D2.4",
            "two rules for one channel",
            "note(k, v)@s :~ put(k, v), store(s)
             note(k, 0)@s :~ drop(k), store(s)",
            ("note(k, 0)@s :~ drop(k), store(s)", ""),
        ),
        case(
            "D2.4",
            "two rules for one channel without different tags",
            "note(k, 1)@s :~ put(k, 1), store(s)
             note(k, 1)@s :~ drop(k), store(s)",
            ("note(k, 1)@s :~ drop(k)", "note(k, 2)@s :~ drop(k)"),
        ),
        case(
            "D2.4",
            "two rules for one channel that read the same and tell it at different places",
            "note(k, v)@s :~ put(k, v), store(s)
             note(v, k)@s :~ put(k, v), store(s)",
            ("note(v, k)@s", "note(k, v)@s"),
        ),
        case(
            "D2.4",
            "numbers of what comes in one step",
            "note(k, index())@s :~ put(k, _), store(s)",
            ("index()", "0"),
        ),
        case(
            "D2.4",
            "a member that does not tell what it is in",
            "note(x, 0)@s :~ put(k, _), x in range(0, k), store(s)",
            ("note(x, 0)", "note(k, x)"),
        ),
        case("D2.4", "an aggregate", "note(k, count(v))@s :~ put(k, v), store(s)", ("count(v)", "v")),
        case(
            "D2.4",
            "an intermediate event that does not tell its source",
            "small(k)     :- put(k, v), v < 3
             note(k, 0)@s :~ small(k), store(s)",
            ("small(k)     :- put(k, v), v < 3", "small(k)     :- put(k, _)"),
        )
        .with_line("decouple server { small, note } into noter using functional"),
        Case {
            precondition: "D2.5",
            name: "an event that a staying rule reads",
            line: "decouple server { high } into noter using functional",
            broken: server(
                "high(k, v) :- put(k, v), v > 0
                 note(k, v)@s :~ high(k, v), store(s)",
            ),
            mend: (":~ high(k, v)", ":~ put(k, v)"),
            killed: Killed::Checker("E0209"),
        },
        case(
            "D2.7",
            "a table that takes the least of what comes in one step",
            "table kept(k: int => v: int) first
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
            ("kept(k: int => v: int) first", "kept(k: int, v: int)"),
        )
        .with_line("decouple server { kept, note } into noter using functional"),
        case(
            "D2.7",
            "a register that what is forwarded raises in another order",
            "table top(=> k: int) max
             top(k)       :- put(k, _)
             note(k, 0)@s :~ new top(k), store(s)",
            ("table top(=> k: int) max", "table top(k: int)"),
        )
        .with_line("decouple server { top, note } into noter using functional"),
        case(
            "D2.7",
            "a window whose floor stays",
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(k)       :- drop(k)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)",
            ("window table kept(k: int, v: int) above low", "table kept(k: int, v: int)"),
        )
        .with_line("decouple server { kept, note } into noter using functional")
        .with_killed(Killed::Checker("E0513")),
        Case {
            broken: server("note(k, v)@s :~ put(k, v), store(s)")
                .replace("server -> store\n", "server -> store serial\n"),
            ..case("D2.8", "messages that come one by one", "", (" serial", ""))
        },
    ]
}

/// A server that notes at the stores what clients put; the stores have these rules.
pub fn noted(faults: &str, line_of_server: &str, rules: &str) -> String {
    const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel note(k: int, v: int)  server -> store
channel done(k: int, n: int)  store -> server
";
    let server = format!(
        "component server {{
           note(k, v)@s :~ put(k, v), store(s)
           table known(k: int, n: int)
           known(k, n) :- done(k, n)
           {line_of_server}
         }}"
    );
    program(faults, CHANNELS, &format!("{server}\ncomponent store {{\n{rules}\n}}"))
}

fn co_hash() -> Vec<Case> {
    let line = "partition store by k into 2";
    let parts = noted;
    let case = |precondition, name, rules: &str, mend| Case {
        precondition,
        name,
        line,
        broken: parts("", "", rules),
        mend,
        killed: Killed::Refinement,
    };
    vec![
        Case {
            precondition: "P1.1",
            name: "clients know one address",
            line: "partition server by k into 2",
            broken: parts("", "", "done(k, v)@s :~ note(k, v), server(s)"),
            mend: ("put(k: int, v: int)   client", "put(k: int, v: int)   store"),
            killed: Killed::Checker("E0609"),
        },
        case(
            "P1.2",
            "what everyone does at the start",
            "done(k, v)@s :~ note(k, v), server(s)
             done(0, 0)@s :~ start(), server(s)",
            ("done(0, 0)@s :~ start(), server(s)", ""),
        ),
        case(
            "P1.2",
            "what nobody knows",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             done(1, 0)@s :~ !kept(1, 1), server(s)",
            (":~ !kept(1, 1), server(s)", ":~ new kept(1, 1), server(s)"),
        ),
        case(
            "P1.3",
            "a join on another column",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             done(k, j)@s :~ note(k, v), kept(j, v), server(s)",
            ("kept(j, v)", "kept(k, j)"),
        ),
        case(
            "P1.3",
            "a negation of another key",
            "table kept(k: int, v: int)
             kept(k, v)   :+ note(k, v)
             done(k, v)@s :~ note(k, v), !kept(v, k), server(s)",
            ("!kept(v, k)", "!kept(k, v)"),
        ),
        case(
            "P1.3",
            "a deletion of other keys",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v), v > 0
             delete kept(_, v) :+ note(_, 0), new kept(_, v)
             delete kept(_, _) :+ note(_, 0)
             done(k, v)@s :~ new kept(k, v), server(s)",
            (
                "delete kept(_, v) :+ note(_, 0), new kept(_, v)
             delete kept(_, _) :+ note(_, 0)",
                "delete kept(k, _) :+ note(k, 0)",
            ),
        ),
        case(
            "P1.3",
            "a fact that is derived elsewhere",
            "table kept(k: int, v: int)
             kept(v, k)   :- note(k, v)
             done(k, v)@s :~ kept(k, v), note(k, _), server(s)",
            ("kept(v, k)", "kept(k, v)"),
        ),
        case(
            "P1.4",
            "a count over all keys",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             total(count(k, v)) :- kept(k, v)
             done(0, n)@s :~ new total(n), server(s)",
            (
                "total(count(k, v)) :- kept(k, v)
             done(0, n)@s :~ new total(n), server(s)",
                "total(k, count(v)) :- kept(k, v)
             done(k, n)@s :~ new total(k, n), server(s)",
            ),
        ),
        case(
            "P1.4",
            "a choice among all keys",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             one(0, choose(v)) :- kept(k, v)
             done(k, n)@s :~ new one(k, n), server(s)",
            ("one(0, choose(v))", "one(k, choose(v))"),
        ),
        case(
            "P1.5",
            "an alarm that every partition raises",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             done(0, 0)@s :~ kept(_, 3), server(s)",
            ("done(0, 0)@s :~ kept(_, 3)", "done(k, 0)@s :~ kept(k, 3)"),
        ),
        case(
            "P1.5",
            "a message that two rules hold for different keys",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             done(k, v)@s :~ kept(k, v), server(s)
             done(v, k)@s :~ kept(k, v), server(s)",
            ("done(v, k)@s", "done(k, v + 1)@s"),
        ),
        case(
            "P1.7",
            "candidates of different partitions",
            "table kept(v: int => k: int) first
             kept(v, k)   :- note(k, v)
             done(k, v)@s :~ new kept(v, k), server(s)",
            ("kept(v: int => k: int) first", "kept(v: int, k: int)"),
        ),
        case(
            "P1.7",
            "a register of the node",
            "table top(=> k: int) max
             top(k)       :- note(k, _)
             done(k, 0)@s :~ new top(k), server(s)",
            ("table top(=> k: int) max", "table top(k: int)"),
        ),
        case(
            "P1.7",
            "a window with a floor at every partition",
            "table low(=> k: int) max
             window table kept(k: int, v: int) above low
             low(k)       :- note(k, 1)
             kept(k, v)   :- note(k, v)
             done(k, v)@s :~ new kept(k, v), server(s)",
            ("low(k)       :- note(k, 1)", "low(0) :- start()"),
        ),
    ]
}

fn dependencies() -> Vec<Case> {
    let line = "partition store by k % 3 into 2";
    let case = |precondition, name, rules: &str, mend| Case {
        precondition,
        name,
        line,
        broken: noted("", "", rules),
        mend,
        killed: Killed::Refinement,
    };
    vec![
        Case {
            precondition: "P2.1",
            name: "clients know one address, and compute nothing",
            line: "partition server by k % 3 into 2",
            broken: noted("", "", "done(k, v)@s :~ note(k, v), server(s)"),
            mend: ("put(k: int, v: int)   client", "put(k: int, v: int)   store"),
            killed: Killed::Checker("E0609"),
        },
        case(
            "P2.2",
            "what everyone does at the start",
            "done(k, v)@s :~ note(k, v), server(s)
             done(0, 0)@s :~ start(), server(s)",
            ("done(0, 0)@s :~ start(), server(s)", ""),
        ),
        case(
            "P2.3",
            "a join on another term",
            "table kept(z: int, v: int)
             kept(k % 3, v) :- note(k, v)
             done(k, v)@s :~ note(k, _), kept((k + 1) % 3, v), server(s)",
            ("(k + 1) % 3", "k % 3"),
        ),
        case(
            "P2.3",
            "a column that two rules compute in different ways",
            "table kept(z: int, k: int)
             table held(z: int)
             kept(k % 3, k) :- note(k, _)
             kept(0, k)   :- note(k, 1)
             held(z)      :- new kept(z, _)
             done(z, 0)@s :~ new held(z), server(s)
             done(k, v)@s :~ note(k, v), kept(_, k), server(s)",
            ("kept(0, k)   :- note(k, 1)", "kept(j % 3, k) :- note(k, 1), j = k"),
        ),
        case(
            "P2.3",
            "what is known of an absent fact says nothing of others",
            "table kept(z: int, v: int)
             table gone(z: int, k: int)
             kept(k % 3, v) :- note(k, v)
             gone(k % 3, k) :+ note(k, v), v > 1
             done(k, v)@s :~ note(k, _), kept(z, v), !gone(z, k), server(s)",
            ("!gone(z, k)", "gone(z, k)"),
        ),
        case(
            "P2.3",
            "a deletion of other keys",
            "table kept(z: int, k: int)
             kept(k % 3, k) :- note(k, 1)
             delete kept(_, v) :+ note(_, v), v > 1
             done(k, 0)@s :~ note(k, 0), kept(_, k), server(s)",
            ("delete kept(_, v) :+ note(_, v), v > 1", "delete kept(_, k) :+ note(k, v), v > 1"),
        ),
        case(
            "P2.3",
            "what clients send has no dependencies",
            "table kept(k: int, v: int)
             kept(k, v)   :- note(k, v)
             done(k, j)@s :~ note(k, v), kept(j, v), server(s)",
            ("kept(j, v), server(s)", "kept(j, v), j % 3 == k % 3, server(s)"),
        ),
        case(
            "P2.4",
            "a count over all keys",
            "table kept(z: int, v: int)
             kept(k % 3, v) :- note(k, v)
             total(count(z, v)) :- kept(z, v)
             done(0, n)@s :~ new total(n), server(s)",
            (
                "total(count(z, v)) :- kept(z, v)
             done(0, n)@s :~ new total(n), server(s)",
                "total(z, count(v)) :- kept(z, v)
             done(z, n)@s :~ new total(z, n), server(s)",
            ),
        ),
        case(
            "P2.4",
            "groups that do not tell the key",
            "table kept(z: int, v: int)
             kept(k % 3, v) :- note(k, v)
             total(z / 2, count(v)) :- kept(z, v)
             done(z, n)@s :~ new total(z, n), server(s)",
            ("total(z / 2, count(v))", "total(z, count(v))"),
        ),
        case(
            "P2.5",
            "an alarm that every partition raises",
            "table kept(z: int, v: int)
             kept(k % 3, v) :- note(k, v)
             done(0, 0)@s :~ kept(_, 3), server(s)",
            ("done(0, 0)@s :~ kept(_, 3)", "done(z, 0)@s :~ kept(z, 3)"),
        ),
        case(
            "P2.5",
            "a message that two rules hold for different keys",
            "table kept(z: int, v: int)
             kept(k % 3, v) :- note(k, v)
             done(z, v)@s :~ kept(z, v), server(s)
             done(v, z)@s :~ kept(z, v), server(s)",
            ("done(v, z)@s", "done(z, v + 1)@s"),
        ),
        case(
            "P2.7",
            "candidates of different partitions",
            "table kept(v: int => z: int) first
             kept(v, k % 3) :- note(k, v)
             done(z, v)@s :~ new kept(v, z), server(s)",
            ("kept(v: int => z: int) first", "kept(v: int, z: int)"),
        ),
        case(
            "P2.7",
            "a register of the node",
            "table top(=> z: int) max
             top(k % 3)   :- note(k, _)
             done(z, 0)@s :~ new top(z), server(s)",
            ("table top(=> z: int) max", "table top(z: int)"),
        ),
    ]
}

impl Case {
    pub fn with_killed(self, killed: Killed) -> Case {
        Case { killed, ..self }
    }

    fn with_line(self, line: &'static str) -> Case {
        Case { line, ..self }
    }
}
