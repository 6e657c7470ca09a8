//! Plans: rewrites line by line, the program printed and its text checked anew after each.

mod error;

use std::sync::Arc;

use menard_lang::diagnostic::Diagnostics;
use menard_lang::ir::{Name, Program};
use menard_lang::plan::{Line, LineKind, Plan};
use menard_lang::run::Lift;
use menard_lang::source::{Source, Span};

use crate::precondition::Proof;
use crate::refusal::Refusal;
use crate::rewrite::implied::implied;
use crate::rewrite::{Misfit, suggest};
use crate::rules::{AnyRewrite, Applied, Denied, REWRITES};

pub use error::PlanError;

/// One line of a plan, applied.
#[derive(Clone)]
pub struct Stage {
    /// The line as a plan has it.
    pub line: String,
    /// Whether no line of the plan asks for it: it is [what liars add](crate::rewrite::implied).
    pub implied: bool,
    /// The rewrite's name.
    pub rewrite: &'static str,
    /// Why it was allowed, precondition by precondition.
    pub proofs: Vec<Proof>,
    /// The program after the line, checked; its source is its printed text.
    pub program: Program,
    /// Runs of this program as runs of the program before the line.
    pub lift: Arc<dyn Lift + Send + Sync>,
}

/// Applies the lines of a plan in their order, and then those that its liars [imply](crate::rewrite::implied). Empty for a plan without lines.
///
/// # Errors
/// If the plan is for another protocol, if a line does not fit the program at that line, or if it is refused; or if nobody is answered while those that may lie keep silent.
pub fn apply_plan(program: &Program, plan: &Plan) -> Result<Vec<Stage>, PlanError> {
    match apply_while_allowed(program, plan) {
        (stages, None) => Ok(stages),
        (_, Some(error)) => Err(error),
    }
}

/// The same as far as the plan goes: the lines before the first that does not fit or is refused, and what is wrong with that one.
pub fn apply_while_allowed(program: &Program, plan: &Plan) -> (Vec<Stage>, Option<PlanError>) {
    let mut stages: Vec<Stage> = Vec::new();
    if plan.protocol != program.name {
        let message = format!("`{}` is a plan for `{}`, not for `{}`", plan.name, plan.protocol, program.name);
        let misfit = Misfit { word: plan.protocol.to_string(), message, help: None };
        return (stages, Some(PlanError::misfit(&plan.source, None, misfit)));
    }
    if let Err(error) = answer(program, plan.lines.is_empty()) {
        return (stages, Some(error));
    }
    for (index, line) in plan.lines.iter().enumerate() {
        let current = stages.last().map_or(program, |stage| &stage.program);
        let name = format!("<{} after line {} of {}>", program.name, index + 1, plan.name);
        match apply_line(current, line, &plan.source, &name, None) {
            Ok(stage) => stages.push(stage),
            Err(error) => return (stages, Some(error)),
        }
    }
    while let Some(kind) = stages.last().and_then(|stage| implied(program, &stage.program)) {
        let current = &stages.last().expect("there is one").program;
        let name = format!("<{} after {} and `{kind}`>", program.name, plan.name);
        let line = Line { kind, span: Span::default() };
        match apply_line(current, &line, &plan.source, &name, None) {
            Ok(stage) => stages.push(Stage { implied: true, ..stage }),
            Err(error) => return (stages, Some(error)),
        }
    }
    (stages, None)
}

/// What one more line would do after a plan: its stages (a partition of several components has several), or why not.
///
/// # Errors
/// As [`apply_plan`], or if the line is none.
pub fn why_not(program: &Program, so_far: &Plan, line: &str) -> Result<Vec<Stage>, PlanError> {
    let mut stages = apply_plan(program, so_far)?;
    stages.retain(|stage| !stage.implied);
    let lines = menard_lang::plan::parse_line(line).map_err(PlanError::Misfit)?;
    let source = Source::new("<line of a plan>", line);
    if lines.is_empty() {
        let misfit = Misfit { word: line.to_owned(), message: "there is no rewrite in this line".into(), help: None };
        return Err(PlanError::misfit(&source, None, misfit));
    }
    answer(program, false)?;
    let mut more: Vec<Stage> = Vec::new();
    for line in &lines {
        let current = more.last().or(stages.last()).map_or(program, |stage| &stage.program);
        let name = format!("<{} after {} and `{}`>", program.name, so_far.name, line.kind);
        more.push(apply_line(current, line, &source, &name, None)?);
    }
    Ok(more)
}

/// Whether a program answers while those that may lie keep silent, as one must to which rewrites are applied: they add speed, and nothing that is waited for. What they
/// make of it hears of the same nodes.
fn answer(program: &Program, is_unchanged: bool) -> Result<(), PlanError> {
    let mut unanswered = if is_unchanged { Vec::new() } else { menard_lang::unanswered(program) };
    for diagnostic in &mut unanswered {
        let help = diagnostic.help.take().unwrap_or_default();
        diagnostic.help = Some(format!("no plan is applied to a program that a liar stops by saying nothing; {help}"));
    }
    if unanswered.is_empty() { Ok(()) } else { Err(PlanError::Unanswered(Diagnostics::new(unanswered))) }
}

/// Applies a line by the first rewrite that allows it, except for the precondition in `skip`, which only tests leave out.
#[doc(hidden)]
pub fn apply_line(
    program: &Program,
    line: &Line,
    source: &Source,
    name: &str,
    skip: Option<&str>,
) -> Result<Stage, PlanError> {
    let using = match &line.kind {
        LineKind::Decouple { using, .. } => using.as_deref(),
        LineKind::Partition { .. } | LineKind::Authenticate { .. } => None,
    };
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut misfit = None;
    for rewrite in REWRITES {
        let Some(attempt) = rewrite.attempt(program, &line.kind, skip) else { continue };
        if using.is_some_and(|using| using != rewrite.name()) {
            continue;
        }
        match attempt {
            Ok(applied) => return check(applied, rewrite.name(), &line.kind, name),
            Err(Denied::Misfit(found)) => misfit = Some(found),
            // A rewrite that is refused for the same reason as an earlier one has nothing to add.
            Err(Denied::Refusal(refusal)) if refusals.iter().any(|other| other.says_the_same(&refusal)) => {}
            Err(Denied::Refusal(refusal)) => refusals.push(*refusal),
        }
    }
    if let Some(misfit) = misfit {
        return Err(PlanError::misfit(source, Some(line.span), misfit));
    }
    match using {
        Some(using) if refusals.is_empty() => {
            Err(PlanError::misfit(source, Some(line.span), unknown_rewrite(using, program, &line.kind)))
        }
        _ => {
            refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.proven));
            Err(PlanError::Refused { line: line.kind.to_string(), refusals })
        }
    }
}

fn unknown_rewrite(using: &str, program: &Program, line: &LineKind) -> Misfit {
    let asked_for = |rewrite: &dyn AnyRewrite| match line.clone() {
        LineKind::Decouple { component, handles, into, .. } => {
            LineKind::Decouple { component, handles, into, using: Some(Name::new_static(rewrite.name())) }
        }
        line => line,
    };
    let fits = |rewrite: &&dyn AnyRewrite| rewrite.attempt(program, &asked_for(*rewrite), None).is_some();
    let names = REWRITES.iter().copied().filter(fits).map(|rewrite| rewrite.name()).collect();
    Misfit {
        word: using.to_owned(),
        message: format!("no rewrite for such a line is called `{using}`"),
        help: Some(suggest(using, "there are", names)),
    }
}

/// Prints the rewritten program and checks its text; errors there are errors of the rewrite.
fn check(applied: Applied, rewrite: &'static str, line: &LineKind, name: &str) -> Result<Stage, PlanError> {
    let text = menard_lang::print(&applied.program);
    let source = Source::new(name, text);
    match menard_lang::compile(&source, &[]) {
        Ok(compiled) => Ok(Stage {
            line: line.to_string(),
            implied: false,
            rewrite,
            proofs: applied.proofs,
            program: compiled.program,
            lift: applied.lift,
        }),
        Err(errors) => Err(PlanError::IllFormed { rewrite, line: line.to_string(), errors }),
    }
}
