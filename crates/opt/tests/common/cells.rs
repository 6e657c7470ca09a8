//! What rewrites make of each construct of the language: for every cell of the table in the book, programs that are rewritten or refused. They are in `tests/cells`,
//! one file for each rewrite.

use serde::Deserialize;

use super::library::root;

/// What becomes of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is rewritten, and does what the original does.
    Allowed,
    /// It is refused by this precondition.
    Refused(String),
}

/// A program with a construct, and a line of a plan.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The construct, as the book's table names it.
    pub construct: String,
    /// The column of the table.
    pub rewrite: &'static str,
    /// What it shows.
    pub name: String,
    pub program: String,
    pub line: String,
    pub verdict: Verdict,
    /// The channel that must have been used, or nothing was tested.
    pub heard: String,
}

/// The columns of the table.
pub const COLUMNS: [&str; 10] = [
    "independent",
    "functional",
    "monotonic",
    "mutual",
    "state_machine",
    "asymmetric",
    "prefix",
    "co-hash",
    "dependencies",
    "partial",
];

/// A file of `tests/cells`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    /// The line of its cells, and the channel that must have been used, but where they say something else.
    line: String,
    heard: String,
    /// The components of its programs, and channels that all have. `RULES` stands for the rules of a cell.
    components: String,
    cell: Vec<Written>,
}

/// A cell as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    construct: String,
    name: String,
    line: Option<String>,
    /// The precondition that refuses the line.
    refused: Option<String>,
    heard: Option<String>,
    /// What the protocol has beside the [`HEADER`].
    #[serde(default)]
    channels: String,
    /// More rules of the server, and of the stores.
    #[serde(default)]
    server: String,
    #[serde(default)]
    store: String,
    rules: String,
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

/// All of them.
pub fn cells() -> Vec<Cell> {
    let mut cells: Vec<Cell> = COLUMNS.into_iter().flat_map(written).collect();
    let in_both_directions: Vec<Cell> = cells.iter().filter_map(mutual_of_monotonic).collect();
    let computed: Vec<Cell> = cells.iter().filter_map(by_what_is_computed).collect();
    cells.extend(in_both_directions);
    cells.extend(computed);
    cells
}

/// Those of a file.
fn written(rewrite: &'static str) -> Vec<Cell> {
    let path = root().join("crates/opt/tests/cells").join(rewrite).with_extension("toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let column: Column = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    column.cell.iter().map(|cell| cell.composed(rewrite, &column)).collect()
}

impl Written {
    fn composed(&self, rewrite: &'static str, column: &Column) -> Cell {
        let with = |text: String, component: &str, rules: &str| {
            let begin = format!("component {component} {{\n");
            text.replace(&begin, &format!("{begin}{rules}"))
        };
        let components = column.components.replace("  RULES\n", &self.rules);
        let components = with(with(components, "server", &self.server), "store", &self.store);
        Cell {
            construct: self.construct.clone(),
            rewrite,
            name: self.name.clone(),
            program: format!("{HEADER}{}{components}", self.channels),
            line: self.line.as_ref().unwrap_or(&column.line).clone(),
            verdict: self.refused.as_ref().map_or(Verdict::Allowed, |id| Verdict::Refused(id.clone())),
            heard: self.heard.as_ref().unwrap_or(&column.heard).clone(),
        }
    }
}

/// What goes for monotonic decoupling goes for both directions, but for what passes: moved rules are told something, and tell it back.
fn mutual_of_monotonic(cell: &Cell) -> Option<Cell> {
    const RING: &str = "component server {
  table told(k: int)
  told(k)      :- put(k, _)
  ring(k)      :- told(k)
  round(k)     :- ring(k)
  back(k)@s    :~ new round(k), store(s)";
    if cell.rewrite != "monotonic" {
        return None;
    }
    let same = |id: &str| match id {
        "D3.2" | "D3.7" => "D5a.1".to_owned(),
        "D3.3" => "D5a.2".to_owned(),
        "D3.4" => "D5a.3".to_owned(),
        "D3.5" => "D5a.4".to_owned(),
        id => id.to_owned(),
    };
    let verdict = match &cell.verdict {
        Verdict::Allowed if cell.construct == "window" => Verdict::Refused("D5a.1".to_owned()),
        Verdict::Allowed => Verdict::Allowed,
        Verdict::Refused(id) => Verdict::Refused(same(id)),
    };
    let line = cell.line.replace("decouple server { ", "decouple server { told, round, ");
    let line = line.replace("using monotonic", "using mutual");
    let program = cell.program.replace("component server {", RING);
    let program = program.replace("channel done(", "channel back(k: int) server -> store\nchannel done(");
    Some(Cell { rewrite: "mutual", program, line, verdict, ..cell.clone() })
}

/// What goes for a column as key goes for what is computed from it.
fn by_what_is_computed(cell: &Cell) -> Option<Cell> {
    let line = match cell.line.as_str() {
        "partition store by k into 2" => "partition store by k % 2 into 2",
        "partition store by p into 2" => "partition store by p.0 into 2",
        _ => return None,
    };
    let verdict = match &cell.verdict {
        // A part of a key is a key here.
        Verdict::Refused(_) if cell.name == "a part of one is not yet" => Verdict::Allowed,
        Verdict::Refused(id) => Verdict::Refused(id.replace("P1.", "P2.")),
        Verdict::Allowed => Verdict::Allowed,
    };
    Some(Cell { rewrite: "dependencies", line: line.to_owned(), verdict, ..cell.clone() })
}
