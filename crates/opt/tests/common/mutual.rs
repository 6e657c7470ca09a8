//! Mutual decoupling: near misses of each precondition, and what it makes of each construct.

use super::cases::{Case, Killed, program};
use super::cells::{Cell, Verdict};
use super::liars::{Liar, Without, two_servers};

const CHANNELS: &str = "
channel put(k: int, v: int)    client -> server
channel drop(k: int)           client -> server
channel note(k: int, v: int)   server -> store
channel again(k: int, v: int)  server -> store
";
const STORE: &str =
    "component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v)  kept(k, v) :- again(k, v) }";

const LINE: &str = "decouple server { back, far, note } into other using mutual";

/// One half goes from key to value, the other back; each begins where the other has come to.
const RULES: &str = "table kept(k: int, v: int)
  table back(k: int, v: int)
  table mark(k: int)
  kept(k, v)    :- put(k, v)
  back(v, k)    :- put(k, v)
  mark(k)       :- drop(k)
  near(k)       :- mark(k)
  near(v)       :- far(k), kept(k, v)
  far(v)        :- near(k), back(k, v)
  note(k, 0)@s  :~ new far(k), store(s)
  again(k, 0)@s :~ new near(k), store(s)";

/// The rules, and more of them that break a precondition.
fn added(precondition: &'static str, name: &'static str, rules: &str, mend: (&'static str, &'static str)) -> Case {
    let broken = program("", CHANNELS, &format!("component server {{\n  {RULES}\n  {rules}\n}}\n{STORE}"));
    Case { precondition, name, line: LINE, broken, mend, killed: Killed::Refinement }
}

pub fn cases() -> Vec<Case> {
    let mut cases = state();
    cases.extend(conclusions());
    cases.extend(messages());
    cases
}

fn state() -> Vec<Case> {
    vec![
        added(
            "D5a.1",
            "what stays and is forgotten",
            "table open(k: int)
  open(v)       :- put(v, _)
  delete open(k) :+ drop(k)
  note(k, 1)@s  :~ far(k), open(k), store(s)",
            ("delete open(k) :+ drop(k)", ""),
        ),
        added(
            "D5a.1",
            "a value that is replaced",
            "table last(k: int => v: int) replace
  last(0, v)    :- put(_, v)
  note(v, 1)@s  :~ far(_), last(0, v), store(s)",
            ("(k: int => v: int) replace", "(k: int, v: int)"),
        ),
    ]
}

fn conclusions() -> Vec<Case> {
    vec![
        added(
            "D5a.2",
            "a negation where rules stay",
            "again(k, 1)@s :~ far(k), !mark(k), store(s)",
            ("!mark(k)", "mark(k)"),
        ),
        added(
            "D5a.2",
            "a negation where rules move",
            "note(k, 1)@s  :~ near(k), !back(k, _), store(s)",
            ("!back(k, _)", "back(k, _)"),
        ),
        added(
            "D5a.2",
            "a fact that is told after its deletion",
            "table reached(k: int)
  reached(k)    :- new far(k)
  delete reached(k) :+ drop(k)
  again(k, 1)@s :~ reached(k), store(s)",
            ("delete reached(k) :+ drop(k)", ""),
        ),
        added(
            "D5a.2",
            "a table that keeps what comes first",
            "table reached(k: int => v: int) first
  reached(0, k) :- new far(k)
  again(k, 1)@s :~ new reached(0, k), store(s)",
            ("(k: int => v: int) first", "(k: int, v: int)"),
        ),
        added(
            "D5a.2",
            "a count that goes on",
            "number(count(k)) :- far(k)
  again(n, 1)@s :~ number(n), store(s)",
            ("number(n), store(s)", "number(m), m >= 2, mark(n), store(s)"),
        ),
    ]
}

fn messages() -> Vec<Case> {
    vec![
        added(
            "D5a.3",
            "a question that comes before what it asks about",
            "again(k, 1)@s :~ drop(k), far(k), store(s)",
            (":~ drop(k), far(k)", ":~ new far(k)"),
        ),
        added(
            "D5a.3",
            "a question where rules move",
            "note(k, 1)@s  :~ drop(k), near(k), store(s)",
            (":~ drop(k), near(k)", ":~ new near(k)"),
        ),
        added(
            "D5a.3",
            "two facts that must begin to hold together",
            "again(k, 1)@s :~ new far(k), new mark(k), store(s)",
            (", new mark(k)", ""),
        ),
        added(
            "D5a.4",
            "a head that does not tell what is new",
            "again(0, 1)@s :~ new far(_), store(s)",
            ("again(0, 1)@s :~ new far(_)", "again(k, 1)@s :~ new far(k)"),
        ),
        added(
            "D5a.4",
            "a rule that is not late, for the same channel",
            "again(k, 0)@s :~ drop(k), store(s)",
            ("again(k, 0)@s :~ drop(k)", "again(k, 1)@s :~ drop(k)"),
        ),
    ]
}

/// What both sides keep in copies.
pub fn liar() -> Liar {
    Liar {
        precondition: "D5a.5",
        name: "what both sides keep in copies",
        line: LINE,
        text: two_servers(program("", CHANNELS, &format!("component server {{\n  {RULES}\n}}\n{STORE}"))),
        without: Without::Sender,
    }
}

/// Moved rules are told something, and tell it back.
const RING: &str = "component server {
           table told(k: int)
           told(k)      :- put(k, _)
           ring(k)      :- told(k)
           round(k)     :- ring(k)
           back(k)@s    :~ new round(k), store(s)";

/// What monotonic decoupling copies and forgets, and the other direction would not.
pub fn cells() -> Vec<Cell> {
    let components = format!(
        "{RING}
           table low(=> n: int) max
           window table kept(k: int, v: int) above low
           low(k)       :- drop(k)
           kept(k, v)   :- put(k, v)
           note(k, v)@s :~ new kept(k, v), store(s)
         }}
         component store {{ seen(k, v)@s :~ note(k, v) from s  heard(k) :- back(k) }}"
    );
    vec![Cell {
        construct: "window",
        rewrite: "mutual",
        name: "it stays, and is not told",
        program: super::cells::program("channel back(k: int)  server -> store", &components),
        line: "decouple server { told, round } into other using mutual",
        verdict: Verdict::Allowed,
        heard: "back",
    }]
}

/// What goes for monotonic decoupling goes for both directions, but for what passes.
pub fn of_monotonic(cell: &Cell) -> Option<Cell> {
    let verdict = match cell.verdict {
        _ if cell.rewrite != "monotonic" => return None,
        Verdict::Allowed if cell.construct == "window" => Verdict::Refused("D5a.1"),
        Verdict::Refused("D3.2" | "D3.7") => Verdict::Refused("D5a.1"),
        Verdict::Refused("D3.3") => Verdict::Refused("D5a.2"),
        Verdict::Refused("D3.4") => Verdict::Refused("D5a.3"),
        Verdict::Refused("D3.5") => Verdict::Refused("D5a.4"),
        verdict => verdict,
    };
    let line = cell.line.replace("decouple server { ", "decouple server { told, round, ");
    let line = line.replace("using monotonic", "using mutual").leak();
    let program = cell.program.replace("component server {", RING);
    let program = program.replace("channel done(", "channel back(k: int) server -> store\nchannel done(");
    Some(Cell { rewrite: "mutual", program, line, verdict, ..*cell })
}
