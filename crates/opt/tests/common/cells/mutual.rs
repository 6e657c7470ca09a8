//! Mutual decoupling: what it makes of each construct.

use super::{Cell, Verdict};

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
        program: super::program("channel back(k: int)  server -> store", &components),
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
