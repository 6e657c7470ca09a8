//! The mutants of one rewrite: what would come of it without each of its preconditions.

use std::ops::ControlFlow;
use std::path::Path;

use menard_opt::mutant::Mutants;
use menard_sim::CampaignReport;
use serde_json::{Value, json};

use crate::arguments::Bugs;
use crate::board::entry::shortest;
use crate::board::hunt::{BAR_S, Hunt};
use crate::board::median::median;
use crate::board::mutant::{Fate, Mutant};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::text::read;
use crate::workers::in_order;

/// The mutants of a rewrite.
pub struct Family {
    /// The rewrite, as plans name it.
    pub rewrite: String,
    mutants: Vec<Mutant>,
}

/// What came of a mutant.
#[derive(Default)]
struct Outcome {
    hunts: Vec<Hunt>,
    sound: CampaignReport,
}

/// What came of all mutants of a rewrite.
pub struct FamilyRow {
    outcomes: Vec<Outcome>,
    /// What is not as it has to be, in words.
    pub missed: Vec<String>,
}

impl Family {
    /// Reads and rewrites the programs in the folder of a rewrite.
    pub fn open(rewrite: &str, folder: &Path) -> Result<Self> {
        let expected = read(&folder.join("expect.toml"))?;
        let mutants: Mutants = toml::from_str(&expected.text).map_err(|error| {
            let help = "every [[near_miss]] has precondition, name, program, line, mend, killed_by; every [[verified]] has precondition, name, program, line, without";
            Failure::environment(format!("{}: {}", expected.name, error.message()), help)
        })?;
        let refused = mutants.near_miss.iter().map(|near_miss| Mutant::of_near_miss(folder, near_miss));
        let verified = mutants.verified.iter().map(|verified| Mutant::of_verified(folder, verified));
        let mutants = refused.chain(verified).collect::<Result<_>>()?;
        Ok(Family { rewrite: rewrite.to_owned(), mutants })
    }

    /// The mutant of this name.
    pub fn mutant(&self, name: &str) -> Option<&Mutant> {
        self.mutants.iter().find(|mutant| mutant.name == name)
    }

    /// The names of its mutants.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mutants.iter().map(|mutant| mutant.name.as_str())
    }

    /// Hunts for all mutants, and runs what the rewrite makes of programs that it may be asked for.
    pub fn row(&self, arguments: &Bugs, output: Output) -> Result<FamilyRow> {
        let pieces = self.mutants.len() as u64;
        let bar = output.progress(pieces, &format!("hunting mutants of {}", self.rewrite));
        let mut outcomes = Vec::new();
        let work = |(): &mut (), piece: u64| {
            let index = usize::try_from(piece).expect("mutants are counted by usize");
            Outcome::of(&self.mutants[index], arguments)
        };
        in_order(arguments.jobs.count(), pieces, &|| (), &work, &mut |outcome| {
            bar.inc(1);
            outcomes.push(outcome);
            Ok(ControlFlow::Continue(()))
        })?;
        bar.finish_and_clear();
        let missed = self.mutants.iter().zip(&outcomes).flat_map(|(mutant, outcome)| {
            outcome.missed().map(|missed| format!("{}/{}: {missed}", self.rewrite, mutant.name))
        });
        let missed = missed.collect();
        Ok(FamilyRow { outcomes, missed })
    }

    /// How many programs there are, how many mutants are no programs, and how many are not wrong in a way that refinement could see.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |is: fn(&Fate) -> bool| self.mutants.iter().filter(|mutant| is(&mutant.fate)).count();
        (
            self.mutants.len(),
            count(|fate| matches!(fate, Fate::IllFormed(_))),
            count(|fate| matches!(fate, Fate::Unseen(_))),
        )
    }

    /// The row for programs.
    pub fn json(&self, row: &FamilyRow) -> Value {
        let (programs, ill_formed, unseen) = self.counts();
        json!({
            "rewrite": self.rewrite,
            "ok": row.missed.is_empty(),
            "missed": row.missed,
            "programs": programs,
            "checker": ill_formed,
            "refinement": programs - ill_formed - unseen,
            "unseen": unseen,
            "runs": row.runs(),
            "cpu_s": row.seconds().map(|(median, _)| median),
            "cpu_max_s": row.seconds().map(|(_, most)| most),
            "steps": row.steps(),
            "fixed_runs": row.sound_runs(),
            "fixed_violations": row.alarms(),
        })
    }
}

impl Outcome {
    fn of(mutant: &Mutant, arguments: &Bugs) -> Self {
        let Fate::Wrong(study) = &mutant.fate else { return Outcome::default() };
        let mut hunts: Vec<Hunt> = Vec::new();
        for number in 0..u64::from(arguments.seeds) {
            hunts.push(study.hunt(number, arguments.runs));
            // The bar is missed, and further hunts would take as long.
            if hunts.last().is_some_and(|hunt| hunt.found.is_none()) {
                break;
            }
        }
        Outcome { hunts, sound: study.run_sound(arguments.fixed, arguments.seed) }
    }

    fn missed(&self) -> impl Iterator<Item = String> {
        let lost = self.hunts.iter().enumerate().filter_map(|(number, hunt)| match &hunt.found {
            None => Some(format!("hunt {number} finds nothing in {} runs, {:.0} s", hunt.runs, hunt.seconds)),
            Some(_) if hunt.seconds >= BAR_S => Some(format!("hunt {number} takes {:.0} s", hunt.seconds)),
            Some(_) => None,
        });
        let alarms = self.sound.violations.first();
        let alarms =
            alarms.map(|found| format!("something is wrong with the precondition, too: seed {}", found.descent));
        lost.chain(alarms).collect::<Vec<_>>().into_iter()
    }
}

impl FamilyRow {
    fn hunts(&self) -> impl Iterator<Item = &Hunt> {
        self.outcomes.iter().flat_map(|outcome| &outcome.hunts)
    }

    /// The median of the runs that hunts took; `None` if one of them found nothing, or there are none.
    pub fn runs(&self) -> Option<u64> {
        let runs: Option<Vec<u64>> = self.hunts().map(|hunt| hunt.found.as_ref().map(|_| hunt.runs)).collect();
        median(&runs?)
    }

    /// The median of the seconds that hunts took, and the most.
    pub fn seconds(&self) -> Option<(f64, f64)> {
        let seconds: Vec<f64> = self.hunts().map(|hunt| hunt.seconds).collect();
        median(&seconds).map(|median| (median, seconds.iter().copied().fold(0.0, f64::max)))
    }

    /// The median of the steps of the shortest finding of each mutant.
    pub fn steps(&self) -> Option<usize> {
        let found = self.outcomes.iter().filter_map(|outcome| shortest(&outcome.hunts));
        median(&found.map(|(_, run)| run.protocol_steps()).collect::<Vec<_>>())
    }

    /// Runs with all preconditions.
    pub fn sound_runs(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.sound.runs).sum()
    }

    /// In how many of these something is wrong.
    pub fn alarms(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.sound.wrong_runs).sum()
    }
}
