//! Plans applied to programs, with the refusals that may come of it.

use menard_lang::plan::Plan;
use menard_lang::{Diagnostic, Program};
use menard_opt::channels::{Verification, classify};
use menard_opt::{Obstacle, PlanError, Proof, Refusal, Stage};
use serde_json::{Value, json};

use crate::failure::{Failure, Result, diagnostics_json};
use crate::output::colour;

/// Applies a plan line by line.
pub fn apply(program: &Program, plan: &Plan) -> Result<Vec<Stage>> {
    menard_opt::apply_plan(program, plan).map_err(|error| refused(&error))
}

/// Why a plan does not apply, for people and for programs.
pub fn refused(error: &PlanError) -> Failure {
    let (text, diagnostics) = (error.render(colour()), diagnostics(error));
    let refused: Vec<Value> = match error {
        PlanError::Refused { refusals, .. } => refusals.iter().map(refusal_json).collect(),
        PlanError::Misfit(_) | PlanError::Unanswered(_) | PlanError::IllFormed { .. } => Vec::new(),
    };
    Failure::No { text, json: json!({ "refused": refused, "diagnostics": diagnostics_json(&diagnostics) }) }
}

/// What is wrong with a plan, as diagnostics.
pub fn diagnostics(error: &PlanError) -> Vec<Diagnostic> {
    match error {
        PlanError::Misfit(diagnostics) | PlanError::Unanswered(diagnostics) => diagnostics.iter().cloned().collect(),
        PlanError::Refused { refusals, .. } => refusals.iter().map(Refusal::diagnostic).collect(),
        PlanError::IllFormed { errors, .. } => errors.iter().cloned().collect(),
    }
}

fn refusal_json(refusal: &Refusal) -> Value {
    let rule = |rule: &Obstacle| json!({ "text": rule.text, "reason": rule.why });
    json!({
        "rewrite": refusal.rewrite,
        "precondition": refusal.precondition,
        "reason": refusal.because,
        "rules": refusal.rules.iter().map(rule).collect::<Vec<_>>(),
        "help": refusal.help,
    })
}

/// The program that a plan made: what its last line gave.
pub fn result<'a>(program: &'a Program, stages: &'a [Stage]) -> &'a Program {
    stages.last().map_or(program, |stage| &stage.program)
}

/// A line of a plan with the reasons why it is allowed.
pub fn reasons(number: usize, stage: &Stage) -> String {
    let is_named = stage.line.ends_with(&format!(" using {}", stage.rewrite));
    let rewrite = match stage.implied {
        true => "   (implied: nodes may lie, and receivers check the rest already)".to_owned(),
        false if is_named => String::new(),
        false => format!("   ({})", stage.rewrite),
    };
    let mut text = format!("  {number}. {}{rewrite}\n", stage.line);
    for proof in &stage.proofs {
        text.push_str(&format!("       {}: {}\n", proof.precondition, proof.sentence));
    }
    text
}

/// What became of the channels of a program by a plan, and what receivers verify because of that, line by line.
pub fn channel_classes(program: &Program, stages: &[Stage]) -> String {
    let lines = classify(program, result(program, stages)).into_iter().map(|found| {
        let channel = found.channel;
        let ends = format!("{} -> {}", channel.sender, channel.receiver);
        let verified = match found.verified {
            Verification::None => String::new(),
            verified => format!(", with {}", verified.name()),
        };
        (channel.name.to_string(), ends, format!("{}{verified}", found.class.name()))
    });
    let lines: Vec<(String, String, String)> = lines.collect();
    let [name, ends] = [0, 1].map(|column| {
        let width = |line: &(String, String, String)| if column == 0 { line.0.len() } else { line.1.len() };
        lines.iter().map(width).max().unwrap_or(0)
    });
    lines.iter().map(|(channel, between, class)| format!("  {channel:<name$}  {between:<ends$}  {class}\n")).collect()
}

/// The same for programs.
pub fn channel_classes_json(program: &Program, stages: &[Stage]) -> Value {
    let channels = classify(program, result(program, stages)).into_iter().map(|found| {
        json!({
            "channel": found.channel.name.as_str(),
            "from": found.channel.sender.as_str(),
            "to": found.channel.receiver.as_str(),
            "class": found.class.name(),
            "verified": found.verified.name(),
        })
    });
    channels.collect()
}

/// The same for programs.
pub fn reasons_json(stage: &Stage) -> Value {
    let proof = |proof: &Proof| json!({ "precondition": proof.precondition, "reason": proof.sentence });
    json!({
        "line": stage.line,
        "rewrite": stage.rewrite,
        "implied": stage.implied,
        "proofs": stage.proofs.iter().map(proof).collect::<Vec<_>>(),
        "nodes": stage.program.physical_nodes(),
    })
}
