//! What rewrites make of each construct of the language: for every cell of the table in the book, programs that are rewritten or refused.

mod asymmetric;
mod channels;
mod monotonic;
mod mutual;
mod noting;
mod partial;
mod prefix;
mod state_machine;
mod tables;
mod values;

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
    noting::cell(
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
    let mut cells = tables::tables();
    cells.extend(channels::timers());
    cells.extend(channels::serial());
    cells.extend(channels::ordered());
    cells.extend(values::absences());
    cells.extend(values::natives());
    cells.extend(values::aggregates());
    cells.extend(values::numbering());
    cells.extend(values::values());
    cells.extend(monotonic::cells());
    let in_both_directions: Vec<Cell> = cells.iter().filter_map(mutual::of_monotonic).collect();
    cells.extend(in_both_directions);
    cells.extend(mutual::cells());
    cells.extend(state_machine::cells());
    cells.extend(asymmetric::cells());
    cells.extend(prefix::cells());
    cells.extend(partial::cells());
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

/// A disk, which brings back what it is told.
pub const DISK: &str = "
role disk native
channel write(k: int, v: int)    server -> disk
channel written(k: int, v: int)  disk -> server
";

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
