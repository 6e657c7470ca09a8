//! What a campaign has reached: a campaign in which nothing goes wrong tells little if nothing happened in it.

use crate::sketch::Sketch;

/// What is counted in the runs of a campaign beside what goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Counting {
    /// Nothing.
    #[default]
    Nothing,
    /// Which rules fire.
    Rules,
    /// This, and in which states nodes are.
    RulesAndStates,
}

/// What the runs of a campaign have reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage {
    /// For each component in the order of the program, for each of its rules; empty if they are not counted.
    pub rules: Vec<Vec<Firings>>,
    /// States of nodes at the end of one turn in [`SAMPLED_TURNS`]: equal states of nodes of one component count once.
    pub states: Option<Sketch>,
}

/// States of nodes are looked at once in so many turns.
pub const SAMPLED_TURNS: u32 = 16;

/// How often a rule fired: its body was satisfied in a new way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Firings {
    /// In how many runs.
    pub runs: u64,
    /// In all of them together.
    pub times: u64,
}

impl Coverage {
    /// Adds what other runs have reached.
    pub fn merge(&mut self, other: &Coverage) {
        if self.rules.is_empty() {
            self.rules.clone_from(&other.rules);
        } else {
            for (ours, theirs) in self.rules.iter_mut().flatten().zip(other.rules.iter().flatten()) {
                ours.runs += theirs.runs;
                ours.times += theirs.times;
            }
        }
        match (&mut self.states, &other.states) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (ours, theirs) => *ours = ours.take().or_else(|| theirs.clone()),
        }
    }

    /// Adds a run in which these rules fired so often, by component and rule.
    pub(crate) fn add_run(&mut self, fired: &[Vec<u64>]) {
        if self.rules.is_empty() {
            self.rules = fired.iter().map(|rules| vec![Firings::default(); rules.len()]).collect();
        }
        for (rule, times) in self.rules.iter_mut().flatten().zip(fired.iter().flatten()) {
            rule.runs += u64::from(*times > 0);
            rule.times += times;
        }
    }
}
