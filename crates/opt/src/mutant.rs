//! What shows that preconditions are needed: programs with one of them broken, and what would come of a rewrite that does not ask for it.
//!
//! The folder `bugs/preconditions` has a folder for each rewrite, with programs and an `expect.toml` that is a [`Mutants`].

use menard_lang::plan::parse_line;
use menard_lang::{Program, Source};
use serde::Deserialize;

use crate::plan::{PlanError, Stage, apply_line};
use crate::rewrite::Misfit;

/// `expect.toml` of a rewrite.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mutants {
    /// Programs that are refused.
    pub near_miss: Vec<NearMiss>,
    /// Programs with liars, to which verification is added.
    pub verified: Vec<Verified>,
}

/// A program that one precondition keeps from being rewritten. Its mutant is what the rewrite would make of it without that precondition.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// The number of the precondition.
    pub precondition: String,
    /// What distinguishes it from other near misses of the same precondition.
    pub name: String,
    /// The file of the program.
    pub program: String,
    /// The line of a plan that is refused.
    pub line: String,
    /// What has to be different, so that the line is allowed.
    pub mend: Mend,
    /// What is wrong with the mutant.
    pub killed_by: KilledBy,
}

/// A change of a text, told with single spaces and without indentation, whatever the text is aligned to.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mend {
    /// What is there.
    pub from: String,
    /// What is there instead, in all places.
    pub to: String,
}

/// What is wrong with a mutant.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KilledBy {
    /// Some run of it is none of the original.
    Refinement,
    /// The checker refuses it, with this code.
    Checker(String),
    /// Nothing that a test could see: why.
    Nothing(String),
}

/// A program with liars, in which a rewrite verifies what it adds. Its mutant is the same without.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The number of the precondition that holds because verification is added.
    pub precondition: String,
    /// What is verified.
    pub name: String,
    /// The file of the program.
    pub program: String,
    /// The line of a plan.
    pub line: String,
    /// What the mutant leaves out.
    pub without: Without,
}

/// Which verification is left out.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Without {
    /// Rules read what is new from anybody.
    Sender,
    /// Partitions take what is for another one, on this channel.
    Message(String),
}

/// Applies one line of a plan, which decouples or partitions one component, without asking for the precondition in `skip`.
///
/// # Errors
/// As [`apply_plan`](crate::apply_plan).
pub fn apply_without(program: &Program, line: &str, skip: Option<&str>) -> Result<Stage, PlanError> {
    let source = Source::new("<line of a plan>", line);
    let lines = parse_line(line).map_err(PlanError::Misfit)?;
    let [only] = lines.as_slice() else {
        let message = format!("`{line}` has to be one line of a plan, for one component");
        return Err(PlanError::misfit(&source, None, Misfit { word: line.to_owned(), message, help: None }));
    };
    apply_line(program, only, &source, "<rewritten>", skip)
}

impl NearMiss {
    /// Its program, `text`, with the change that makes all preconditions hold. `None` if nothing of the text is changed.
    pub fn mended(&self, text: &str) -> Option<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.lines().map(words).collect::<Vec<_>>().join("\n");
        text.contains(&self.mend.from).then(|| text.replace(&self.mend.from, &self.mend.to))
    }
}

impl Verified {
    /// The precondition that the mutant skips.
    pub fn skipped(&self) -> Option<&str> {
        (self.without == Without::Sender).then_some(self.precondition.as_str())
    }

    /// The channel on which partitions of the mutant take what is for another one.
    pub fn trusted_channel(&self) -> Option<&str> {
        match &self.without {
            Without::Sender => None,
            Without::Message(channel) => Some(channel),
        }
    }
}
