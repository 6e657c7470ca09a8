//! The command line, as the user sees it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use menard_node::Faulty;
use menard_sim::Descent;

/// A compiler, a checker and a runtime for distributed protocols.
#[derive(Parser, Debug)]
#[command(name = "menard", version, max_term_width = 100)]
pub struct Arguments {
    /// Print one JSON object on standard output, and everything else on standard error
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check a protocol, apply its plans, simulate it, run it for real, and compare
    Scale(Scale),
    /// Check protocols, properties and plans, and show all diagnostics
    Check(Check),
    /// Format protocols, properties and plans
    Fmt(Fmt),
    /// Show a stage of a protocol, why a rewrite is refused, or the page of an error code or rewrite
    Explain(Explain),
    /// Print the program that a plan makes of a protocol
    Rewrite(Rewrite),
    /// Simulate a protocol under many schedules and faults, and check what must hold
    Sim(Sim),
    /// Simulate protocols with ever more faulty nodes: as many as they declare, and one more
    Ladder(Ladder),
    /// Walk through a simulated run step by step: inputs, derivations and why, tables, messages
    Step(Step),
    /// Run a protocol on real sockets of this machine, and measure it
    Run(Run),
    /// Run one logical node of a deployment as this process
    Node(Node),
    /// Draw the keys of a deployment: key pairs of logical nodes, certificates of physical ones
    Keys(Keys),
    /// Measure throughput-latency curves of a protocol and of what its plans make of it, side by side
    Bench(Bench),
    /// Hunt for known bugs with the simulator, and run their fixes
    Bugs(Bugs),
    /// Serve an editor: the language server, on standard input and output
    Lsp,
}

/// Which protocol, with which parameters.
#[derive(Args, Debug)]
pub struct Which {
    /// A protocol of the library by name, a folder, or a .ded file
    pub protocol: String,
    /// Set a parameter of the protocol or of its plan
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Scale {
    #[command(flatten)]
    pub which: Which,
    /// A plan, by name or as a file; may be repeated [default: all plans of the protocol]
    #[arg(long)]
    pub plan: Vec<String>,
    /// Simulated runs of each program
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// Measured seconds of each real run
    #[arg(long, value_name = "S", default_value_t = 4.0, value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: f64,
    /// Clients of the real runs, each with one request at a time
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub clients: u32,
    /// The seed of the first simulated run
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub jobs: Jobs,
    /// Run with the stand-ins of simulated runs for what rules call: `sign` and `verify`, `mac` and `verify_mac`, `encrypt` and `decrypt`. They
    /// cost next to nothing and protect nothing; connections keep their MACs
    #[arg(long)]
    pub stand_ins: bool,
}

#[derive(Args, Debug)]
pub struct Check {
    /// Files, folders (with all that is in them), or protocols of the library by name
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Fmt {
    /// Change nothing; exit with 1 if a file is not formatted
    #[arg(long)]
    pub check: bool,
    /// Files, or folders (with all that is in them)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Explain {
    /// A protocol, an error code such as E0101, or the name of a rewrite
    #[arg(value_name = "PROTOCOL|CODE|REWRITE")]
    pub what: String,
    /// Set a parameter of the protocol or of its plan
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// A plan, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// The stage to show: parsed, checked, after:K (after line K of the plan), rewritten, lowered, or borges (with liars as rules)
    #[arg(long, value_parser = stage)]
    pub stage: Option<Stage>,
    /// How to show it; dot, mermaid and svg are graphs of components and channels, html is a page with everything
    #[arg(long = "as", value_enum, default_value_t = Form::Text)]
    pub form: Form,
    /// A line of a plan: why is it not allowed here?
    #[arg(long, value_name = "LINE", conflicts_with_all = ["stage", "form"])]
    pub why_not: Option<String>,
}

/// A stage of the compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Parsed,
    Checked,
    After(usize),
    Rewritten,
    Lowered,
    /// The program in which Byzantine nodes are rules.
    Borges,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Form {
    Text,
    Dot,
    Mermaid,
    Svg,
    Html,
}

#[derive(Args, Debug)]
pub struct Rewrite {
    #[command(flatten)]
    pub which: Which,
    /// The plan, by name or as a file
    #[arg(long)]
    pub plan: String,
    /// Write to this file rather than to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Sim {
    #[command(flatten)]
    pub which: Which,
    /// Simulate the program that this plan makes, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// The number of runs
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// The most steps of a run [default: 2000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Requests of clients in each run [default: 10; 2 if exhaustive]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub requests: Option<u32>,
    /// Clients in each run, of roles whose number of nodes the protocol leaves open [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub clients: Option<u32>,
    /// The seed of the first run, or what is told of a guided one; run K has seed N + K
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: Descent,
    #[command(flatten)]
    pub lies: Lies,
    /// What to check [default: all that there is to check]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub check: Vec<CheckOf>,
    /// Choose runs by what earlier ones have reached: half of them go on from there
    #[arg(long, conflicts_with = "exhaustive")]
    pub guided: bool,
    /// Visit everything that can happen in a small scope, rather than drawing runs by chance
    #[arg(long, conflicts_with_all = ["runs", "seed", "steps"])]
    pub exhaustive: bool,
    /// Write the trace of the run that is shown to this file, for `menard step`
    #[arg(long, value_name = "FILE", conflicts_with = "exhaustive")]
    pub trace: Option<PathBuf>,
    /// What fails in every run, as in 'crash 2 of acceptor'; may be repeated [default: what the protocol declares may fail]
    #[arg(long, value_name = "FAULT", conflicts_with = "exhaustive")]
    pub fault: Vec<String>,
    #[command(flatten)]
    pub jobs: Jobs,
    /// Keep account in this file: a campaign that was stopped goes on where it was. If it is guided, up to 16,383 runs are made again first
    #[arg(long, value_name = "FILE", conflicts_with = "exhaustive")]
    pub ledger: Option<PathBuf>,
    /// Show what the runs reached: rules, thresholds, channels, states
    #[arg(long, conflicts_with = "exhaustive")]
    pub coverage: bool,
}

/// On how many threads runs are made.
#[derive(Args, Clone, Copy, Debug)]
pub struct Jobs {
    /// Make runs on so many threads at once; the results are the same
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: u32,
}

impl Jobs {
    /// The number of threads.
    pub fn count(self) -> usize {
        self.jobs as usize
    }
}

#[derive(Args, Debug)]
pub struct Ladder {
    /// Protocols of the library by name, folders, or .ded files [default: all of the library that declare faults]
    #[arg(value_name = "PROTOCOL")]
    pub protocols: Vec<String>,
    /// Set a parameter of the protocols or of their plans
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Beside each protocol, what this plan makes of it, by name or as a file [default: all of its plans]
    #[arg(long)]
    pub plan: Option<String>,
    /// Runs on each rung
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// The seed of the first run on each rung
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub jobs: Jobs,
}

#[derive(Args, Debug)]
pub struct Step {
    #[command(flatten)]
    pub which: Which,
    /// Walk through a run of the program that this plan makes, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// The run that `menard sim` shows for this seed; if something is wrong in it, made small
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: Descent,
    /// Requests of clients in the run [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub requests: Option<u32>,
    /// Clients in the run, also in one of a trace, of roles whose number of nodes the protocol leaves open [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub clients: Option<u32>,
    /// The most steps of the run [default: 2000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    #[command(flatten)]
    pub lies: Lies,
    /// The run that `menard sim --trace FILE` has written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "requests", "steps", "adversary"])]
    pub trace: Option<PathBuf>,
    /// Show this event, by its number in the space-time diagram, and end [default: read commands]
    #[arg(long, value_name = "EVENT")]
    pub at: Option<String>,
    /// Show the tables of this node after the event
    #[arg(long, value_name = "NODE", requires = "at", conflicts_with = "why")]
    pub node: Option<String>,
    /// Show why this fact holds in the event, or why not, for instance 'reply(7)'
    #[arg(long, value_name = "FACT", requires = "at")]
    pub why: Option<String>,
    /// How many rules deep the reasons go
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub depth: u32,
}

/// What corrupt nodes do in simulated runs.
#[derive(Args, Debug)]
pub struct Lies {
    /// How corrupt nodes lie, where the program declares Byzantine faults [default: each run in one of these ways]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LAYER")]
    pub adversary: Vec<LayerOf>,
    /// For studies: leave out what protects a program, of one channel or of all: that partitions drop what is not for them
    /// (`message-verification[:CHANNEL]`), that machines of a node believe the node itself alone (`sender-verification[:CHANNEL]`),
    /// or that MACs cover columns (`authentication[:CHANNEL[.COLUMN]]`)
    #[arg(long, value_name = "WHAT")]
    pub without: Vec<String>,
}

/// A way to lie.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum LayerOf {
    /// Random facts of the right types on every channel, and what was received, changed or not
    Borges,
    /// What honest nodes would say, with a few messages changed, withheld, repeated, sent elsewhere or late
    SmallScope,
    /// Two honest nodes with one key, which see different parts of the network
    Twins,
    /// Honest until something is decided; then what it hangs on is late elsewhere, and denied
    Lineage,
    /// Several honest nodes with one key, which have received different things; now this one speaks, now that one
    Pasts,
}

/// What a simulation checks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum CheckOf {
    /// What `properties.ded` says, but for operations of clients
    Properties,
    /// What `properties.ded` says of operations of clients
    Linearizable,
    /// That the original can do what the rewritten program did
    Refinement,
}

#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    pub which: Which,
    /// Run the program that this plan makes, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// Settings of the run [default: deploy.toml of the protocol, if there is one]
    #[arg(long, value_name = "FILE")]
    pub deploy: Option<PathBuf>,
    /// Clients, each with one request at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub clients: Option<u32>,
    /// Measured seconds
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: Option<f64>,
    /// Keep durable tables in this folder [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run each logical node as a process of its own
    #[arg(long)]
    pub processes: bool,
    /// Kill a process so often, one of those that may restart by the protocol's `fault restart`, and start it again
    #[arg(long, value_name = "MS", requires = "processes", value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub kill_every: Option<u64>,
    /// A node that is faulty on purpose, or one of its machines: `replica[3]=silent` sends nothing, `replica[3]=lies` sends what it should
    /// not; may be repeated
    #[arg(long, value_name = "NODE=CONDUCT")]
    pub faulty: Vec<Faulty>,
    /// What nodes that lie draw from
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Run with the stand-ins of simulated runs for what rules call: `sign` and `verify`, `mac` and `verify_mac`, `encrypt` and `decrypt`. They
    /// cost next to nothing and protect nothing; connections keep their MACs
    #[arg(long, conflicts_with_all = ["faulty", "processes"])]
    pub stand_ins: bool,
}

#[derive(Args, Debug)]
pub struct Node {
    #[command(flatten)]
    pub which: Which,
    /// Run a node of the program that this plan makes, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// Settings of the deployment: all its processes need the same, with a `base_port`
    #[arg(long, value_name = "FILE")]
    pub deploy: PathBuf,
    /// Which logical node this is, for instance `leader` or `participant[2]`
    #[arg(long, value_name = "NODE")]
    pub at: String,
    /// Keep durable tables, and the count of starts, in this folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The folder of keys that `menard keys` has written; needed where nodes may be Byzantine
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Take orders of `menard run` on standard input, and answer on standard output
    #[arg(long, hide = true)]
    pub in_fleet: bool,
    /// A node that is faulty on purpose
    #[arg(long, hide = true, value_name = "NODE=CONDUCT")]
    pub faulty: Vec<Faulty>,
    /// What nodes that lie draw from
    #[arg(long, hide = true, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args, Debug)]
pub struct Keys {
    #[command(flatten)]
    pub which: Which,
    /// Keys for the physical nodes of the program that this plan makes, by name or as a file
    #[arg(long)]
    pub plan: Option<String>,
    /// Settings of the deployment: how many clients get keys
    #[arg(long, value_name = "FILE")]
    pub deploy: PathBuf,
    /// Write them to this folder, which must have none yet
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

#[derive(Args, Debug)]
pub struct Bench {
    #[command(flatten)]
    pub which: Which,
    /// A plan, by name or as a file; may be repeated [default: all plans of the protocol]
    #[arg(long)]
    pub plan: Vec<String>,
    /// Clients of each point of a curve, ascending; each has one request at a time
    #[arg(long, value_name = "N,...", default_value = "1,2,4,8,16,32,64,128,256", value_parser = ascending, allow_negative_numbers = true)]
    pub clients: Ascending,
    /// Measured seconds of each point in each round
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: f64,
    /// How often each point is measured; figures are medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Settings of the runs [default: deploy.toml of the protocol, if there is one]
    #[arg(long, value_name = "FILE")]
    pub deploy: Option<PathBuf>,
    /// Write curves.csv, curves.svg and curves.md to this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Bugs {
    /// Bugs by the names of their folders in `bugs` [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Hunts for each bug, each with seeds of its own; figures are medians
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// The most runs of a hunt
    #[arg(long, value_name = "N", default_value_t = 100_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub runs: u64,
    /// Runs of each fixed program
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub fixed: u64,
    /// The seed of the first run of the fixed programs
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Show the shortest run in which this bug is found
    #[arg(long, value_name = "NAME", conflicts_with_all = ["names", "fixed", "seed"])]
    pub show: Option<String>,
    #[command(flatten)]
    pub jobs: Jobs,
}

/// Numbers of clients, each greater than the one before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ascending(pub Vec<u32>);

fn ascending(text: &str) -> Result<Ascending, String> {
    let mut numbers: Vec<u32> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let number = match part.parse() {
            Ok(number @ 1..=100_000) => number,
            _ => return Err(format!("`{part}` is no number of clients; they are from 1 to 100000, such as 1,2,4,8")),
        };
        if let Some(last) = numbers.last().filter(|last| number <= **last) {
            return Err(format!("{number} comes after {last}; the list has to ascend"));
        }
        numbers.push(number);
    }
    Ok(Ascending(numbers))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 86400 is expected".to_owned()),
    }
}

fn stage(text: &str) -> Result<Stage, String> {
    match text {
        "parsed" => Ok(Stage::Parsed),
        "checked" => Ok(Stage::Checked),
        "rewritten" => Ok(Stage::Rewritten),
        "lowered" => Ok(Stage::Lowered),
        "borges" => Ok(Stage::Borges),
        _ => match text.strip_prefix("after:").map(str::parse) {
            Some(Ok(line)) => Ok(Stage::After(line)),
            _ => Err("one of parsed, checked, after:K, rewritten, lowered, borges is expected".to_owned()),
        },
    }
}
