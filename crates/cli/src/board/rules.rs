//! Whether runs of a fix have tested all of it: each of its rules has to fire, but for those that `[rare]` of `expect.toml` excuses, which has to say it of
//! rules that there are, and that are rare.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;

use crate::failure::{Failure, Result};
use crate::reach::Reach;
use crate::table::grouped;
use crate::text::did_you_mean;

/// In so many runs of a fix each of its rules has to fire, but for those that are said to be rare: one that does not, was tested by none of them.
pub const RUNS_FOR_ALL_RULES: u64 = 5_000;

/// A rule that fires in one of so many runs is not rare: that none of [`RUNS_FOR_ALL_RULES`] has it happens twice in a thousand million times.
const OFTEN: u64 = 250;

/// What runs of a fix say of its rules.
#[derive(Default)]
pub struct Tested {
    /// What is not as it has to be, in words.
    pub missed: Vec<String>,
    /// What the user should know: what is excused, and was not needed this time.
    pub notes: Vec<String>,
}

/// Complains of a relation that is said to be rare and that no rule of the fixed program derives. `name` is how errors call `expect.toml`.
pub fn all_are_derived(rare: &BTreeMap<String, String>, fixed: &Program, name: &str) -> Result<()> {
    let rules = fixed.components.iter().flat_map(|component| &component.rules);
    let derived: BTreeSet<&str> = rules.map(|rule| rule.head.relation.as_str()).collect();
    let Some(other) = rare.keys().find(|relation| !derived.contains(relation.as_str())) else { return Ok(()) };
    let message = format!("{name}: [rare] names `{other}`, and no rule of fixed.ded is for it");
    let help = match did_you_mean(other, derived.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "leave it out, or name the relation in the head of a rule that seldom fires".to_owned(),
    };
    Err(Failure::environment(message, help))
}

/// Judges what so many runs of a fix have reached. Fewer than [`RUNS_FOR_ALL_RULES`] tell nothing.
pub fn tested(rare: &BTreeMap<String, String>, reach: &Reach<'_>, runs: u64) -> Tested {
    let mut tested = Tested::default();
    if runs < RUNS_FOR_ALL_RULES {
        return tested;
    }
    if let Some(silent) = reach.never_fired_but_for(rare) {
        let runs = grouped(runs);
        tested.missed.push(format!(
            "{runs} runs of the fixed program have not tested all of it: {silent}; mend it, or say in [rare] of expect.toml why"
        ));
    }
    for relation in rare.keys() {
        let fewest = reach.fewest_runs(relation);
        let told = || {
            let (of, fewest) = (grouped(runs), grouped(fewest));
            format!(
                "[rare] of expect.toml excuses `{relation}`, but each rule for it fired in at least {fewest} of {of} runs"
            )
        };
        match fewest {
            0 => {}
            // With other seeds it might not.
            _ if fewest.saturating_mul(OFTEN) < runs => tested.notes.push(told()),
            _ => tested.missed.push(format!("{}: leave that out", told())),
        }
    }
    tested
}
