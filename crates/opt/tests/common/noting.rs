//! Near misses and cells of decoupling: a server that notes things at a store, of which the rules that note move.

use super::cases::{Case, Killed, program};
use super::cells::{Cell, Verdict};

pub const CHANNELS: &str = "
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel again(k: int)         server -> store
";
pub const STORE: &str =
    "component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v)  kept(k, 0) :- again(k) }";

/// A near miss: these rules of the server are refused, and mended are not.
pub fn case(
    precondition: &'static str,
    name: &'static str,
    line: &'static str,
    rules: &str,
    mend: (&'static str, &'static str),
) -> Case {
    let broken = program("", CHANNELS, &format!("component server {{\n{rules}\n}}\n{STORE}"));
    Case { precondition, name, line, broken, mend, killed: Killed::Refinement }
}

/// A cell: the rules of the server that note move, by a line that names the rewrite.
pub fn cell(
    (rewrite, line): (&'static str, &'static str),
    construct: &'static str,
    name: &'static str,
    channels: &str,
    rules: &str,
) -> Cell {
    let components = format!(
        "component server {{
           {rules}
         }}
         component store {{
           seen(k, v)@s :~ note(k, v) from s
         }}"
    );
    let program = super::cells::program(channels, &components);
    Cell { construct, rewrite, name, program, line, verdict: Verdict::Allowed, heard: "note" }
}
