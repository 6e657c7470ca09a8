//! A rewrite that does not ask for one of its preconditions: a program that it goes wrong with, and what comes of that.

use std::path::Path;

use menard_lang::ir::Name;
use menard_lang::{Program, Source};
use menard_opt::mutant::{KilledBy, NearMiss, Verified, apply_without};
use menard_opt::{PlanError, Stage};
use menard_sim::{CampaignReport, Config, Counting, Found, Run, Until};

use crate::board::hunt::Hunt;
use crate::command::simulate::REQUESTS;
use crate::failure::{Failure, Result};
use crate::laboratory::Laboratory;
use crate::text::read;

/// A mutant, ready to be looked for.
pub struct Mutant {
    /// The number of the precondition.
    pub precondition: String,
    /// What is broken.
    pub title: String,
    /// The file of its program without the extension.
    pub name: String,
    /// Where that is, as the user would name it.
    pub path: String,
    /// The line of a plan that makes the mutant.
    pub line: String,
    /// What the program that the rewrite is asked for is, and what says that it is refused; nothing where liars are kept at bay.
    pub refused: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a rewrite that does not ask.
pub enum Fate {
    /// The result is no program: what the checker says.
    IllFormed(String),
    /// The result is a program.
    Wrong(Box<Study>),
    /// It is not wrong in a way that refinement could see: why.
    Unseen(String),
}

/// A mutant and the same with the precondition.
pub struct Study {
    mutant: Laboratory,
    /// What the mutant is, as text.
    pub text: String,
    sound: Laboratory,
}

impl Mutant {
    /// Makes the mutant of a near miss in this folder. An error if it is not refused, or not for the reason that is said.
    pub fn of_near_miss(folder: &Path, near_miss: &NearMiss) -> Result<Self> {
        let path = folder.join(&near_miss.program);
        let source = read(&path)?;
        let broken = compile(&source)?;
        let wrong = |what: String| {
            Failure::environment(format!("{}: {what}", path.display()), "mend expect.toml or the program")
        };
        let refused = match apply_without(&broken, &near_miss.line, None) {
            Err(error @ PlanError::Refused { .. }) => error,
            Err(error) => return Err(wrong(format!("the line does not fit\n{}", error.render(false)))),
            Ok(_) => return Err(wrong("it is not refused".to_owned())),
        };
        let is_reason = matches!(&refused, PlanError::Refused { refusals, .. } if refusals.first().is_some_and(|first| first.precondition == near_miss.precondition));
        if !is_reason {
            return Err(wrong(format!("it is refused for another reason\n{}", refused.render(false))));
        }
        let mended =
            near_miss.mended(&source.text).ok_or_else(|| wrong("what is to be mended is not there".to_owned()))?;
        let mended = compile(&Source::new(format!("<{}, mended>", path.display()), mended))?;
        let sound = apply_without(&mended, &near_miss.line, None)
            .map_err(|error| wrong(format!("it is refused, though mended\n{}", error.render(false))))?;
        let mutant = apply_without(&broken, &near_miss.line, Some(&near_miss.precondition));
        let fate = match (&near_miss.killed_by, mutant) {
            (KilledBy::Nothing(why), Ok(_)) => Fate::Unseen(why.clone()),
            (KilledBy::Refinement, Ok(stage)) => Fate::wrong((&broken, stage), (&mended, sound), Config::default()),
            (KilledBy::Checker(code), Err(error @ PlanError::IllFormed { .. })) if is_said(&error, code) => {
                Fate::IllFormed(error.render(false))
            }
            (_, Ok(_)) => return Err(wrong("the mutant is a program".to_owned())),
            (_, Err(error)) => {
                return Err(wrong(format!("something else is wrong with the mutant\n{}", error.render(false))));
            }
        };
        let refused = Some(refused.render(false));
        Ok(Mutant::new(&path, (&near_miss.precondition, &near_miss.name, &near_miss.line), refused, fate))
    }

    /// Makes the mutant of a program with liars in this folder: without verification.
    pub fn of_verified(folder: &Path, verified: &Verified) -> Result<Self> {
        let path = folder.join(&verified.program);
        let program = compile(&read(&path)?)?;
        let apply = |skip| {
            let wrong = |error: PlanError| {
                Failure::environment(format!("{}: it is refused", path.display()), error.render(false))
            };
            apply_without(&program, &verified.line, skip).map_err(wrong)
        };
        let without_message_verification = verified.trusted_channel().into_iter().map(Name::from).collect();
        let config = Config { without_message_verification, ..Config::default() };
        let fate = Fate::wrong((&program, apply(verified.skipped())?), (&program, apply(None)?), config);
        Ok(Mutant::new(&path, (&verified.precondition, &verified.name, &verified.line), None, fate))
    }

    fn new(path: &Path, (precondition, title, line): (&str, &str, &str), refused: Option<String>, fate: Fate) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let [precondition, title, line] = [precondition, title, line].map(str::to_owned);
        Mutant { precondition, title, name, path: path.display().to_string(), line, refused, fate }
    }
}

impl Fate {
    /// `config` is for the mutant.
    fn wrong(mutant: (&Program, Stage), sound: (&Program, Stage), config: Config) -> Self {
        let laboratory = |(program, stage): (&Program, Stage), config: Config| {
            Laboratory::new(program, std::slice::from_ref(&stage), None, true, Config { requests: REQUESTS, ..config })
        };
        let text = mutant.1.program.source.text.to_string();
        let (mutant, sound) = (laboratory(mutant, config), laboratory(sound, Config::default()));
        Fate::Wrong(Box::new(Study { mutant, text, sound }))
    }
}

impl Study {
    /// Hunt number `number` for a run of the mutant that is none of the original.
    pub fn hunt(&self, number: u64, max_runs: u64) -> Hunt {
        Hunt::run(&self.mutant, number, max_runs)
    }

    /// Runs what the rewrite makes of a program that it may be asked for.
    pub fn run_sound(&self, runs: u64, first_seed: u64) -> CampaignReport {
        self.sound.runner(Counting::Nothing).run(first_seed, runs, Until::Done, &mut |_| {})
    }

    /// A finding, made small and drawn.
    pub fn draw(&self, found: &Found, small: &Run) -> String {
        self.mutant.draw(found, small)
    }
}

fn compile(source: &Source) -> Result<Program> {
    Ok(menard_lang::compile(source, &[])?.program)
}

/// Whether the checker names this code.
fn is_said(error: &PlanError, code: &str) -> bool {
    matches!(error, PlanError::IllFormed { errors, .. } if errors.iter().any(|error| error.code.name() == code))
}
