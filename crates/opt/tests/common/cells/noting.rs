//! Cells of decoupling: a server that notes things at a store, of which the rules that note move.

use super::{Cell, Verdict};

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
    let program = super::program(channels, &components);
    Cell { construct, rewrite, name, program, line, verdict: Verdict::Allowed, heard: "note" }
}
