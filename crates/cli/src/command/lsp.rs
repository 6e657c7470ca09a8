//! `menard lsp`: the language server, on standard input and output.

use menard_lang::plan::Plan;
use menard_lang::source::Span;
use menard_lang::{Code, Diagnostic, Program};
use menard_opt::{PlanError, Refusal};
use serde_json::json;

use crate::failure::{Failure, Result};

/// Serves an editor until it ends the session.
pub fn run() -> Result<()> {
    menard_lsp::serve_stdio(check_plan)
        .map_err(|error| Failure::No { text: format!("error: {error}"), json: json!({ "error": error.to_string() }) })
}

/// A plan is right if it can be applied. What is wrong is said at the line of the plan.
fn check_plan(program: &Program, plan: &Plan) -> Vec<Diagnostic> {
    match menard_opt::apply_plan(program, plan) {
        Ok(_) => Vec::new(),
        Err(PlanError::Misfit(diagnostics)) => diagnostics.iter().cloned().collect(),
        Err(PlanError::Unanswered(errors)) => {
            // They stand in another text.
            let here = |error: &Diagnostic| Diagnostic::error(error.code, &plan.source, error.message.clone());
            errors.iter().map(|error| Diagnostic { help: error.help.clone(), ..here(error) }).collect()
        }
        Err(PlanError::Refused { line, refusals }) => {
            refusals.iter().map(|refusal| at_line(refusal, plan, &line)).collect()
        }
        Err(error @ PlanError::IllFormed { .. }) => {
            vec![Diagnostic::error(Code::E0801, &plan.source, error.to_string())]
        }
    }
}

/// A refusal, with the rules in its way in words: they stand in another text, or in one that only the plan makes.
fn at_line(refusal: &Refusal, plan: &Plan, line: &str) -> Diagnostic {
    let span = plan
        .lines
        .iter()
        .find(|planned| planned.kind.to_string() == line)
        .map_or(Span::new(0, 0), |planned| planned.span);
    let shown = refusal.diagnostic();
    let rules: Vec<String> = refusal.rules.iter().map(|rule| format!("{}: `{}`", rule.why, rule.text)).collect();
    let diagnostic = Diagnostic::error(shown.code, &plan.source, shown.message).label(span, rules.join("\n"));
    Diagnostic { help: shown.help, ..diagnostic }
}
