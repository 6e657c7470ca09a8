//! `menard ladder`: each protocol with ever more faulty nodes. As many as it declares must do no harm; one more must, or the checks would prove nothing.

use menard_lang::Program;
use menard_lang::ir::FaultKind;
use menard_lang::plan::Plan;
use menard_opt::Stage;
use menard_sim::{CampaignReport, Config, Counting, Faulty, Found, PreparedObserver, Until, Wrong};
use serde_json::{Value, json};

use crate::arguments::{Ladder, Which};
use crate::failure::{Failure, Result};
use crate::faults;
use crate::laboratory::{Laboratory, Study};
use crate::library;
use crate::output::Output;
use crate::reach::Reach;
use crate::rewriting::{apply, result};
use crate::session::Session;
use crate::table::{Table, grouped};
use crate::workers::Course;

/// What has to come of a rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expected {
    /// Nothing goes wrong in any run.
    Nothing,
    /// Some run comes to rest without what `eventually` asks for, and none does what must never be.
    Stall,
    /// Some run does what must never be.
    Violation,
}

impl Expected {
    fn word(self) -> &'static str {
        match self {
            Expected::Nothing => "nothing",
            Expected::Stall => "a stall",
            Expected::Violation => "a violation",
        }
    }
}

/// So many nodes of a role fail in every run.
struct Rung {
    /// Nobody fails on the lowest one.
    faulty: Option<Faulty>,
    expected: Expected,
}

/// What came of a rung.
struct Climbed {
    rung: Rung,
    report: CampaignReport,
}

/// A program with what is needed to climb.
struct Subject<'a> {
    session: &'a Session,
    stages: Vec<Stage>,
    name: String,
}

/// Climbs the ladders of some protocols, or of all of the library.
pub fn run(arguments: &Ladder, output: Output) -> Result<()> {
    let named = !arguments.protocols.is_empty();
    let all = library::LIBRARY.iter().map(|entry| entry.name.to_owned());
    let protocols: Vec<String> = if named { arguments.protocols.clone() } else { all.collect() };
    let (mut programs, mut broken) = (Vec::new(), 0);
    for protocol in &protocols {
        let session = Session::open(&Which { protocol: protocol.clone(), set: arguments.set.clone() })?;
        if session.program.faults.iter().all(|fault| fault.nodes == 0) {
            if named {
                output.say(format!("{protocol}: declares no faults, so there is no ladder"));
            }
            continue;
        }
        let plans = plans(&session, arguments)?;
        session.all_settings_are_used(&plans)?;
        for plan in std::iter::once(None).chain(plans.iter().map(Some)) {
            let stages = plan.map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
            let name = plan.map_or_else(|| protocol.clone(), |plan| format!("{protocol} --plan {}", plan.name));
            let subject = Subject { session: &session, stages, name };
            let climbed = climb(&subject, arguments, output)?;
            broken += climbed.iter().filter(|climbed| !climbed.holds(&session)).count();
            output.say(format!("{}\n\n{}\n", subject.name, subject.table(&climbed)));
            programs.push(subject.json(protocol, plan, &climbed));
        }
    }
    let json = json!({ "runs": arguments.runs, "seed": arguments.seed, "broken": broken, "programs": programs });
    if broken > 0 {
        let text = if broken == 1 { "1 rung is broken".to_owned() } else { format!("{broken} rungs are broken") };
        return Err(Failure::No { text, json });
    }
    output.result(&json);
    Ok(())
}

fn plans(session: &Session, arguments: &Ladder) -> Result<Vec<Plan>> {
    match &arguments.plan {
        Some(plan) => Ok(vec![session.plan(plan)?]),
        None => session.plans(),
    }
}

/// The rungs of a program, from the lowest one of each fault to the highest.
fn rungs(program: &Program) -> Vec<Rung> {
    let mut rungs = vec![Rung { faulty: None, expected: Expected::Nothing }];
    let mut tried: Vec<(FaultKind, &str)> = Vec::new();
    for fault in program.faults.iter().filter(|fault| fault.nodes > 0) {
        // Whatever a role declares, how many nodes of it may crash is worth knowing: if none, the first is one too many.
        for kind in [fault.kind, FaultKind::Crash] {
            if tried.contains(&(kind, &fault.role)) {
                continue;
            }
            tried.push((kind, &fault.role));
            let declared = Faulty::declared(kind, &fault.role, program);
            let faulty = |nodes| Some(Faulty { kind, nodes, role: fault.role.clone() });
            let is_said = program.faults.iter().any(|other| other.kind == kind && other.role == fault.role);
            let harmless = if is_said { declared } else { 0 };
            rungs.extend((1..=harmless).map(|nodes| Rung { faulty: faulty(nodes), expected: Expected::Nothing }));
            let too_many = match kind {
                FaultKind::Crash => Some(Expected::Stall),
                FaultKind::Byzantine => Some(Expected::Violation),
                FaultKind::Omission | FaultKind::Restart => None,
            };
            let has_more = program.role(&fault.role).is_some_and(|role| declared < role.nodes);
            let highest = too_many.filter(|_| has_more);
            rungs.extend(highest.map(|expected| Rung { faulty: faulty(declared + 1), expected }));
        }
    }
    rungs
}

fn climb(subject: &Subject<'_>, arguments: &Ladder, output: Output) -> Result<Vec<Climbed>> {
    let climbed = rungs(&subject.session.program).into_iter().map(|rung| {
        let observer = subject.session.observer.as_ref().map(PreparedObserver::new);
        let observer = match rung.expected {
            Expected::Violation => observer.map(PreparedObserver::without_goals),
            Expected::Nothing | Expected::Stall => observer,
        };
        let config = Config { faulty: Some(rung.faulty.iter().cloned().collect()), ..Config::default() };
        let laboratory = Laboratory::new(&subject.session.program, &subject.stages, observer, false, config);
        let course = Course {
            first: arguments.seed.into(),
            runs: arguments.runs,
            until: Until::Wrong,
            jobs: arguments.jobs.count(),
        };
        let counting = if rung.faulty.is_none() { Counting::Rules } else { Counting::Nothing };
        let study = Study { course, counting, is_guided: false, ledger: None };
        let name = format!("{}, {}", subject.name, rung.text());
        let report = laboratory.campaign(&study, &name, output)?.report;
        Ok(Climbed { rung, report })
    });
    climbed.collect()
}

impl Rung {
    fn text(&self) -> String {
        self.faulty.as_ref().map_or_else(|| "no faults".to_owned(), faults::text)
    }
}

impl Climbed {
    fn found(&self) -> Option<&Found> {
        self.report.violations.first()
    }

    /// Whether it came as it has to. What nobody asks for cannot fail to come.
    fn holds(&self, session: &Session) -> bool {
        match (self.rung.expected, self.found().map(|found| &found.what)) {
            (Expected::Nothing, None)
            | (Expected::Stall, Some(Wrong::Unmet(_)))
            | (Expected::Violation, Some(Wrong::Property(_))) => true,
            (Expected::Stall, None) => !asks(session),
            _ => false,
        }
    }

    /// What was found, in a word.
    fn word(&self) -> Option<&'static str> {
        self.found().map(|found| match found.what {
            Wrong::Property(_) => "a violation",
            Wrong::Unmet(_) => "a stall",
            Wrong::Endless(_) => "a node that does not settle",
            Wrong::Refinement(_) => "no run of the original",
        })
    }
}

/// Whether properties ask for something in the end.
fn asks(session: &Session) -> bool {
    session.observer.as_ref().is_some_and(|observer| PreparedObserver::new(observer).has_goals())
}

impl Subject<'_> {
    fn table(&self, climbed: &[Climbed]) -> String {
        let mut table = Table::new(["faulty in every run", "expected", "found", "runs", ""]);
        let mut again = String::new();
        for one in climbed {
            let holds = one.holds(self.session);
            let found = match one.word() {
                None if one.rung.expected == Expected::Stall && !asks(self.session) => "nobody asks",
                word => word.unwrap_or("nothing"),
            };
            let verdict = if holds { "" } else { "BROKEN" };
            table.row([&one.rung.text(), one.rung.expected.word(), found, &grouped(one.report.runs), verdict]);
            match one.found() {
                Some(found) if !holds => again += &format!("to see it: {}\n", self.command(one, found.descent.seed)),
                None if !holds => again += &format!("with {}: more --runs may find it\n", one.rung.text()),
                _ => {}
            }
            if let Some(silent) = self.reach(one).and_then(|reach| reach.never_fired()) {
                again += &format!("with {}, {silent}\n", one.rung.text());
            }
        }
        table.render() + &again
    }

    /// What the runs of a rung have reached, where that is counted: on the lowest one.
    fn reach<'c>(&'c self, climbed: &'c Climbed) -> Option<Reach<'c>> {
        Reach::new(result(&self.session.program, &self.stages), &climbed.report)
    }

    /// The command that shows a run.
    fn command(&self, climbed: &Climbed, seed: u64) -> String {
        let fault = climbed.rung.faulty.as_ref();
        let fault = fault.map(|faulty| format!(" --fault '{}'", faults::text(faulty))).unwrap_or_default();
        format!("menard sim {}{fault} --seed {seed} --runs 1", self.name)
    }

    fn json(&self, protocol: &str, plan: Option<&Plan>, climbed: &[Climbed]) -> Value {
        let rung = |one: &Climbed| {
            let faulty = one.rung.faulty.as_ref();
            json!({
                "kind": faulty.map(|faulty| faults::word(faulty.kind)),
                "nodes": faulty.map_or(0, |faulty| faulty.nodes),
                "role": faulty.map(|faulty| faulty.role.as_str()),
                "expected": one.rung.expected.word(),
                "found": one.word().unwrap_or("nothing"),
                "seed": one.found().map(|found| found.descent.seed),
                "runs": one.report.runs,
                "rules_never_fired": self.reach(one).map(|reach| reach.never_fired_json()),
                "holds": one.holds(self.session),
            })
        };
        json!({
            "protocol": protocol,
            "plan": plan.map(|plan| plan.name.as_str()),
            "rungs": climbed.iter().map(rung).collect::<Vec<_>>(),
        })
    }
}
