//! `menard bench`: throughput-latency curves of a protocol and of what its plans make of it, measured side by side.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use menard_lang::Program;
use menard_lang::plan::Plan;
use menard_node::{Config, Report};
use serde_json::{Value, json};

use crate::arguments::Bench;
use crate::bystanders::Ticks;
use crate::curves::{Curve, Point, csv, svg};
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::measure::{ONE_MACHINE, config, measure, milliseconds, validate};
use crate::output::Output;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::table::{Table, rounded};
use crate::text::{counted, read};

/// The share of the processors' time that others may take before it is said that figures suffer.
const MOST_OTHERS_PERCENT: f64 = 5.0;

/// A program that is measured: the original, or what a plan makes of it.
struct Contender {
    name: String,
    program: Program,
}

/// What is measured.
struct Measurement<'a> {
    contenders: &'a [Contender],
    clients: &'a [u32],
    rounds: u32,
    /// Settings of all runs but for the number of clients.
    config: Config,
}

/// One run: which program, at which point of its curve, in which round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Turn {
    round: usize,
    point: usize,
    contender: usize,
}

/// Measures the curves.
pub fn run(arguments: &Bench, output: Output) -> Result<()> {
    let session = Session::open(&arguments.which)?;
    let plans = session.plans_or_all(&arguments.plan)?;
    session.all_settings_are_used(&plans)?;
    let contenders = contenders(&session, &plans)?;
    let deploy = arguments.deploy.as_deref().map(read).transpose()?.or_else(|| session.folder.deploy.clone());
    let config = Config { duration_s: arguments.seconds, ..config(deploy.as_ref())? };
    let measurement =
        Measurement { contenders: &contenders, clients: &arguments.clients.0, rounds: arguments.rounds, config };
    measurement.validate()?;
    // Found out now rather than after minutes of measuring.
    arguments.output.as_deref().map(make_folder).transpose()?;
    let summary = format!("{}: {}", session.program.name, measurement.summary());
    output.say(format!("{summary}, {}\n", measurement.time(measurement.runs())));
    let before = Ticks::now();
    let curves = measurement.curves(interrupt::watch()?, output)?;
    let others_percent = before.zip(Ticks::now()).and_then(|(before, after)| after.others_percent_since(before));
    let table = table(&curves);
    output.say(table.render());
    let others = others_percent.map_or(String::new(), others);
    output.say(format!("\n{}{others}\n{ONE_MACHINE}", peaks(&curves)));
    if let Some(folder) = &arguments.output {
        let title = format!("{}: latency over throughput", session.program.name);
        let markdown = format!("{}\n{summary}\n{others}", table.markdown());
        let files = [("curves.csv", csv(&curves)), ("curves.svg", svg(&title, &curves)), ("curves.md", markdown)];
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
            output.say(format!("wrote {}", path.display()));
        }
    }
    let mut json = measurement.json(&session, &curves);
    json["others_cpu_percent"] = json!(others_percent);
    output.result(&json);
    Ok(())
}

/// The original and what each plan makes of it. Curves are told apart by name.
fn contenders(session: &Session, plans: &[Plan]) -> Result<Vec<Contender>> {
    let mut contenders = vec![Contender { name: "base".to_owned(), program: session.program.clone() }];
    for plan in plans {
        if contenders.iter().any(|contender| contender.name == plan.name.as_str()) {
            let message = format!("two programs would have the name `{}`", plan.name);
            return Err(Failure::environment(message, "name each plan once, and none `base`, which is the original"));
        }
        let stages = apply(&session.program, plan)?;
        let program = result(&session.program, &stages).clone();
        contenders.push(Contender { name: plan.name.to_string(), program });
    }
    Ok(contenders)
}

fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, &error))
}

impl Measurement<'_> {
    /// Whether all runs can be made, as far as one can tell beforehand.
    fn validate(&self) -> Result<()> {
        self.contenders.iter().try_for_each(|contender| {
            self.clients.iter().try_for_each(|clients| validate(&contender.program, &self.config(*clients)))
        })
    }

    /// Measures all points of all curves.
    fn curves(&self, stop: &AtomicBool, output: Output) -> Result<Vec<Curve>> {
        let mut reports: Vec<Vec<Vec<Report>>> = vec![vec![Vec::new(); self.clients.len()]; self.contenders.len()];
        let turns = turns(self.rounds as usize, self.clients.len(), self.contenders.len());
        for (done, turn) in turns.iter().enumerate() {
            let (contender, clients) = (&self.contenders[turn.contender], self.clients[turn.point]);
            let which = format!("{}, {}", contender.name, counted(clients as usize, "client", "clients"));
            let left = self.time(turns.len() - done);
            let name = format!("{which}, round {} of {}, {left} left", turn.round + 1, self.rounds);
            let report = measure(&contender.program, &self.config(clients), &name, stop, output)
                .map_err(|failure| failure.during(&which))?;
            if stop.load(Ordering::SeqCst) {
                let help = "nothing is left running; start again, with fewer rounds or points if it took too long";
                return Err(Failure::environment("interrupted", help));
            }
            reports[turn.contender][turn.point].push(report);
        }
        let curve = |(contender, reports): (&Contender, &Vec<Vec<Report>>)| Curve {
            name: contender.name.clone(),
            nodes: contender.program.physical_nodes(),
            points: reports.iter().map(|rounds| Point::of(rounds)).collect(),
        };
        Ok(self.contenders.iter().zip(&reports).map(curve).collect())
    }

    fn config(&self, clients: u32) -> Config {
        Config { clients, ..self.config.clone() }
    }

    fn runs(&self) -> usize {
        self.contenders.len() * self.clients.len() * self.rounds as usize
    }

    /// How long so many runs take, in words.
    fn time(&self, runs: usize) -> String {
        let seconds = runs as f64 * (self.config.warmup_s + self.config.duration_s);
        if seconds < 90.0 { format!("about {seconds:.0} s") } else { format!("about {:.0} min", seconds / 60.0) }
    }

    fn summary(&self) -> String {
        let names: Vec<String> = self
            .contenders
            .iter()
            .map(|contender| {
                let nodes = counted(contender.program.physical_nodes() as usize, "node", "nodes");
                format!("{} ({nodes})", contender.name)
            })
            .collect();
        format!(
            "{}; {}, {} of {} s each",
            names.join(", "),
            counted(self.clients.len(), "point", "points"),
            counted(self.rounds as usize, "round", "rounds"),
            self.config.duration_s
        )
    }

    fn json(&self, session: &Session, curves: &[Curve]) -> Value {
        json!({
            "protocol": session.program.name.as_str(),
            "rounds": self.rounds,
            "duration_s": self.config.duration_s,
            "warmup_s": self.config.warmup_s,
            "payload_bytes": self.config.payload_bytes,
            "commands": self.config.commands,
            "keys": self.config.keys,
            "programs": curves,
        })
    }
}

/// In which order runs are made. In a round the programs take turns at each number of clients, and each round begins with another one: so
/// what else happens on the machine meets all of them alike.
fn turns(rounds: usize, points: usize, contenders: usize) -> Vec<Turn> {
    let of_point = move |round: usize, point: usize| {
        (0..contenders).map(move |place| Turn { round, point, contender: (place + round) % contenders })
    };
    (0..rounds).flat_map(|round| (0..points).flat_map(move |point| of_point(round, point))).collect()
}

/// One row for each point of each curve. Of disks nothing is said where none was waited for.
fn table(curves: &[Curve]) -> Table {
    let syncs = curves.iter().flat_map(|curve| &curve.points).any(|point| point.syncs_per_command > 0.0);
    let heads = ["", "clients", "commands/s", "of rounds", "p50", "p99", "us/command", "of all", "bound/s", "messages"];
    let mut table = Table::new(heads.into_iter().chain(syncs.then_some("syncs")));
    for curve in curves {
        for point in &curve.points {
            let row = [
                curve.name.clone(),
                point.clients.to_string(),
                rounded(point.throughput_per_s),
                format!("{} to {}", rounded(point.throughput_min_per_s), rounded(point.throughput_max_per_s)),
                milliseconds(point.latency_us.p50),
                milliseconds(point.latency_us.p99),
                format!("{:.2}", point.cpu_us_per_command),
                format!("{:.2}", point.all_nodes_cpu_us_per_command),
                rounded(point.bound_per_s),
                format!("{:.1}", point.messages_per_command),
            ];
            table.row(row.into_iter().chain(syncs.then(|| format!("{:.2}", point.syncs_per_command))));
        }
    }
    table
}

/// The highest throughput of each program, and what it is to that of the first.
fn peaks(curves: &[Curve]) -> String {
    let base = curves[0].peak().throughput_per_s;
    let peak = |curve: &Curve| {
        let peak = curve.peak();
        let clients = counted(peak.clients as usize, "client", "clients");
        let factor = peak.throughput_per_s / base;
        format!(
            "highest of {}: {} commands/s with {clients}, x {factor:.2}\n",
            curve.name,
            rounded(peak.throughput_per_s)
        )
    };
    curves.iter().map(peak).collect()
}

/// What else the machine did, and whether that is too much.
fn others(percent: f64) -> String {
    let advice = if percent < MOST_OTHERS_PERCENT { "" } else { ": measure again when the machine is quiet" };
    format!("others took {percent:.0} % of the processors' time{advice}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_take_turns_and_begin_in_turns() {
        let turns: Vec<_> = turns(2, 2, 3).iter().map(|turn| (turn.round, turn.point, turn.contender)).collect();
        let first = [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2)];
        let second = [(1, 0, 1), (1, 0, 2), (1, 0, 0), (1, 1, 1), (1, 1, 2), (1, 1, 0)];
        assert_eq!(turns, [first, second].concat());
    }
}
