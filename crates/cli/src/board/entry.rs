//! One bug of the board: its programs made ready, hunted, and what came of it.

use std::path::Path;

use menard_lang::Program;
use menard_lang::run::{Event, Trace};
use menard_sim::{CampaignReport, Counting, Found, Layer, PreparedObserver, Run, Wrong};
use menard_value::Value;
use serde_json::{Value as Json, json};

use crate::arguments::Which;
use crate::board::expectation::Expectation;
use crate::board::hunt::{BAR_S, Hunt, MAX_STEPS};
use crate::board::median::median;
use crate::board::rules::{self, RUNS_FOR_ALL_RULES, Tested};
use crate::command::simulate::REQUESTS;
use crate::failure::{Failure, Result};
use crate::laboratory::{Laboratory, Study};
use crate::output::Output;
use crate::reach::Reach;
use crate::session::Session;
use crate::text::read;
use crate::workers::Course;

/// A bug, ready to be looked for.
pub struct Entry {
    /// The name of its folder.
    pub name: String,
    /// What it is, and what is expected.
    pub expectation: Expectation,
    /// Where the program with the bug is, as the user would name it.
    pub path: String,
    buggy: Laboratory,
    fixed: Laboratory,
    /// The programs as they were read, whose rules are counted.
    programs: Programs,
    observer: PreparedObserver,
}

/// The program with the bug, and the one without.
struct Programs {
    buggy: Program,
    fixed: Program,
}

/// What came of the hunts for a bug, and of runs of the fixed program.
pub struct Row {
    /// The hunts, by number.
    pub hunts: Vec<Hunt>,
    /// Runs of the fixed program.
    pub fixed: CampaignReport,
    /// What is not as it has to be, in words.
    pub missed: Vec<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Entry {
    /// Reads and compiles the texts of a bug.
    pub fn open(name: &str, folder: &Path) -> Result<Self> {
        let expected = read(&folder.join("expect.toml"))?;
        let expectation = Expectation::parse(&expected.name, &expected.text)?;
        let open = |file: &str| {
            let protocol = folder.join(file).display().to_string();
            let session = Session::open(&Which { protocol, set: expectation.simulation.set.clone() })?;
            session.all_settings_are_used(&[])?;
            Ok::<_, Failure>(session)
        };
        let (buggy, fixed) = (open("buggy.ded")?, open("fixed.ded")?);
        rules::all_are_derived(&expectation.rare, &fixed.program, &expected.name)?;
        let observer = |session: &Session| {
            let missing =
                || Failure::environment(format!("the bug `{name}` has no properties.ded"), "say what it violates");
            session.observer.as_ref().map(PreparedObserver::new).ok_or_else(missing)
        };
        let laboratory = |session: &Session| {
            let config = expectation.simulation.config(&session.program, REQUESTS);
            let config = config.map_err(|failure| failure.during(&expected.name))?;
            Ok::<_, Failure>(Laboratory::new(&session.program, &[], Some(observer(session)?), false, config))
        };
        Ok(Entry {
            name: name.to_owned(),
            path: folder.join("buggy.ded").display().to_string(),
            buggy: laboratory(&buggy)?,
            fixed: laboratory(&fixed)?,
            observer: observer(&buggy)?,
            programs: Programs { buggy: buggy.program, fixed: fixed.program },
            expectation,
        })
    }

    /// Hunt number `number`.
    pub fn hunt(&self, number: u64, max_runs: u64) -> Hunt {
        Hunt::run(&self.buggy, number, max_runs)
    }

    /// Runs the fixed program.
    pub fn run_fixed(&self, course: Course, output: Output) -> Result<CampaignReport> {
        let study = Study { course, counting: Counting::Rules, is_guided: false, ledger: None };
        Ok(self.fixed.campaign(&study, &format!("the fix of {}", self.name), output)?.report)
    }

    /// A finding made small and drawn.
    pub fn draw(&self, found: &Found, small: &Run) -> String {
        self.buggy.draw(found, small)
    }

    /// Whether a finding is what the bug is expected to violate.
    pub fn is_expected(&self, found: &Found) -> bool {
        let expected = &self.expectation.violates;
        match &found.what {
            Wrong::Property(violation) => {
                violation.facts.iter().any(|fact| fact.first() == Some(&Value::string(expected)))
            }
            Wrong::Unmet(unmet) => {
                let told = self.observer.tell(unmet, self.buggy.subject().names());
                told.split_once("never comes: ").is_some_and(|(_, goal)| goal.starts_with(expected.as_str()))
            }
            Wrong::Endless(_) | Wrong::Refinement(_) => false,
        }
    }

    /// The steps of the shortest finding, if that are more than it may have.
    pub fn too_many_steps(&self, hunts: &[Hunt]) -> Option<usize> {
        let steps = shortest(hunts).map(|(_, run)| run.protocol_steps());
        steps.filter(|steps| *steps > MAX_STEPS && self.expectation.long.is_none())
    }

    /// Judges what came of it.
    pub fn row(&self, hunts: Vec<Hunt>, fixed: CampaignReport) -> Row {
        let mut missed = Vec::new();
        for (number, hunt) in hunts.iter().enumerate() {
            missed.extend(self.missed(number, hunt));
        }
        if let Some(steps) = self.too_many_steps(&hunts) {
            let bar = "without a word in `long` of expect.toml on why";
            missed.push(format!("the run has {steps} steps when it is made small, more than {MAX_STEPS}, {bar}"));
        }
        if let Some(found) = fixed.violations.first() {
            missed.push(format!("something is wrong in the fixed program, too: seed {}", found.descent));
        }
        let reach = Reach::new(&self.programs.fixed, &fixed);
        let tested = reach.map(|reach| rules::tested(&self.expectation.rare, &reach, fixed.runs));
        let Tested { missed: untested, notes } = tested.unwrap_or_default();
        missed.extend(untested);
        Row { hunts, fixed, missed, notes }
    }

    /// Which rules of the fixed program never fired in these runs of it.
    pub fn silent(&self, fixed: &CampaignReport) -> Option<String> {
        Reach::new(&self.programs.fixed, fixed)?.never_fired()
    }

    /// What is wrong with a hunt.
    fn missed(&self, number: usize, hunt: &Hunt) -> Option<String> {
        match &hunt.found {
            None => {
                let silent = Reach::new(&self.programs.buggy, &hunt.silent).and_then(|reach| reach.never_fired());
                let silent = silent.map(|silent| format!("; {silent}")).unwrap_or_default();
                Some(format!("hunt {number} finds nothing in {} runs, {:.0} s{silent}", hunt.runs, hunt.seconds))
            }
            Some((found, _)) if !self.is_expected(found) => {
                Some(format!("hunt {number} finds something else, seed {}", found.descent))
            }
            Some(_) if hunt.seconds >= BAR_S => Some(format!("hunt {number} takes {:.0} s", hunt.seconds)),
            Some(_) => None,
        }
    }
}

impl Row {
    /// The median of the runs that hunts took; `None` if one of them found nothing.
    pub fn runs(&self) -> Option<u64> {
        let runs: Option<Vec<u64>> = self.hunts.iter().map(|hunt| hunt.found.as_ref().map(|_| hunt.runs)).collect();
        median(&runs?)
    }

    /// The median of the seconds that hunts took, and the most.
    pub fn seconds(&self) -> Option<(f64, f64)> {
        let seconds: Vec<f64> = self.hunts.iter().map(|hunt| hunt.seconds).collect();
        median(&seconds).map(|median| (median, seconds.iter().copied().fold(0.0, f64::max)))
    }

    /// The steps of the shortest finding.
    pub fn steps(&self) -> Option<usize> {
        shortest(&self.hunts).map(|(_, run)| run.protocol_steps())
    }

    /// What it took to find it: ways to lie, those that found it in most hunts first; or other faults; or nothing but the network's freedom to
    /// be late.
    pub fn layer(&self) -> Option<String> {
        let (_, run) = shortest(&self.hunts)?;
        if !run.trace.events.iter().any(|event| matches!(event, Event::Corrupt { .. })) {
            return Some(layer(&run.trace).to_owned());
        }
        let found = || self.hunts.iter().filter_map(|hunt| hunt.found.as_ref().map(|(found, _)| found));
        let found_by = |layer: &Layer| found().filter(|found| found.layer == Some(*layer)).count();
        let mut layers: Vec<Layer> = Layer::ALL.into_iter().filter(|layer| found_by(layer) > 0).collect();
        layers.sort_by_key(|layer| std::cmp::Reverse(found_by(layer)));
        Some(layers.into_iter().map(Layer::name).collect::<Vec<_>>().join(", "))
    }

    /// What each hunt found.
    fn found(&self) -> impl Iterator<Item = Option<&Found>> {
        self.hunts.iter().map(|hunt| hunt.found.as_ref().map(|(found, _)| found))
    }

    /// The row for programs.
    pub fn json(&self, entry: &Entry) -> Json {
        json!({
            "name": entry.name,
            "title": entry.expectation.title,
            "ok": self.missed.is_empty(),
            "missed": self.missed,
            "layer": self.layer(),
            "runs": self.runs(),
            "cpu_s": self.seconds().map(|(median, _)| median),
            "cpu_max_s": self.seconds().map(|(_, most)| most),
            "steps": self.steps(),
            "long": entry.expectation.long,
            "seeds": self.found().map(|found| found.map(|found| found.descent.seed)).collect::<Vec<_>>(),
            "descents": self.found().map(|found| found.map(|found| found.descent.to_string())).collect::<Vec<_>>(),
            "fixed_runs": self.fixed.runs,
            "fixed_violations": self.fixed.wrong_runs,
            "fixed_rules_asked_for": self.fixed.runs >= RUNS_FOR_ALL_RULES,
            "notes": self.notes,
            "fixed_rules_never_fired": Reach::new(&entry.programs.fixed, &self.fixed).map(|reach| reach.never_fired_json()),
        })
    }
}

/// The finding that is shortest when it is made small, of several the first.
pub fn shortest(hunts: &[Hunt]) -> Option<&(Found, Run)> {
    hunts.iter().filter_map(|hunt| hunt.found.as_ref()).min_by_key(|(_, run)| run.protocol_steps())
}

/// What a run without liars needs to go wrong.
fn layer(trace: &Trace) -> &'static str {
    let is_fault = |event: &Event| {
        matches!(
            event,
            Event::Crash { .. } | Event::Restart { .. } | Event::Take { lost: true, .. } | Event::Redeliver { .. }
        )
    };
    if trace.events.iter().any(is_fault) { "faults" } else { "network" }
}
