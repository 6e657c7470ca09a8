//! `menard explain`: a stage of a protocol, a page about it and its plan, why a line of a plan is not allowed, or the page of an error code or of
//! a rewrite.

use std::fmt::Write;

use menard_lang::Program;
use menard_lang::ir::RelationKind;
use menard_lang::plan::Plan;
use menard_lang::source::Source;
use menard_lang::syntax;
use menard_opt::{BorgesError, Stage as Rewritten};
use serde_json::json;

use crate::arguments::{Explain, Form, Stage, Which};
use crate::failure::{Failure, Result};
use crate::folder::Folder;
use crate::graph;
use crate::html::{self, Subject};
use crate::output::Output;
use crate::pages;
use crate::rewriting::{apply, channel_classes, channel_classes_json, reasons, reasons_json, refused, result};
use crate::session::Session;
use crate::text::counted;

/// Explains.
pub fn run(arguments: &Explain, output: Output) -> Result<()> {
    if let Some(page) = pages::find(&arguments.what) {
        output.result(&json!({ "name": arguments.what, "page": page }));
        if !output.is_json() {
            output.say(page);
        }
        return Ok(());
    }
    if !Folder::exists(&arguments.what) {
        return Err(pages::unknown(&arguments.what));
    }
    let session = Session::open(&Which { protocol: arguments.what.clone(), set: arguments.set.clone() })?;
    let plan = arguments.plan.as_ref().map(|plan| session.plan(plan)).transpose()?;
    session.all_settings_are_used(plan.as_slice())?;
    if arguments.form == Form::Html && arguments.stage.is_none() {
        return page(&session, plan.as_ref(), output);
    }
    let stages = plan.as_ref().map(|plan| apply(&session.program, plan)).transpose()?.unwrap_or_default();
    match (&arguments.why_not, arguments.stage, arguments.form) {
        (Some(line), _, _) => why_not(&session, plan.as_ref(), &stages, line, output),
        (None, None, Form::Text) if plan.is_some() => every_line(&session.program, &stages, output),
        (None, stage, form) => {
            let stage = stage.unwrap_or(if plan.is_some() { Stage::Rewritten } else { Stage::Checked });
            let text = show(&session, plan.as_ref(), &stages, stage, form)?;
            output.result(&json!({ "protocol": session.program.name.as_str(), "stage": name(stage), "text": text }));
            if !output.is_json() {
                output.say(text);
            }
            Ok(())
        }
    }
}

/// Everything on one page. A plan that is refused has a page as well, which shows how far it goes; but the answer is no.
fn page(session: &Session, plan: Option<&Plan>, output: Output) -> Result<()> {
    let program = &session.program;
    let (stages, refusal) = plan.map_or((Vec::new(), None), |plan| menard_opt::apply_while_allowed(program, plan));
    let plans: Vec<String> = session.plans()?.into_iter().map(|plan| plan.name.to_string()).collect();
    let page = html::page(&Subject { program, plan, stages: &stages, refusal: refusal.as_ref(), plans: &plans });
    if !output.is_json() {
        output.say(&page);
    }
    let json = json!({ "protocol": program.name.as_str(), "plan": plan.map(|plan| plan.name.as_str()), "html": page });
    match refusal.map(|error| refused(&error)) {
        Some(Failure::No { text, json: refusal }) => {
            let all = [json, refusal].into_iter().filter_map(|part| part.as_object().cloned()).flatten();
            Err(Failure::No { text, json: all.collect() })
        }
        Some(failure) => Err(failure),
        None => {
            output.result(&json);
            Ok(())
        }
    }
}

/// The program after each line of a plan, with the reasons why the line is allowed.
fn every_line(program: &Program, stages: &[Rewritten], output: Output) -> Result<()> {
    for (index, stage) in stages.iter().enumerate() {
        output.say(reasons(index + 1, stage));
        output.say(format!("{}\n", menard_lang::print(&stage.program)));
    }
    output.say(format!("channels:\n{}", channel_classes(program, stages)));
    let json = |stage: &Rewritten| {
        let mut json = reasons_json(stage);
        json["text"] = json!(menard_lang::print(&stage.program));
        json
    };
    output.result(&json!({
        "protocol": program.name.as_str(),
        "lines": stages.iter().map(json).collect::<Vec<_>>(),
        "channels": channel_classes_json(program, stages),
    }));
    Ok(())
}

/// Why a line is not allowed after the lines of the plan. That it is allowed is an answer too.
fn why_not(session: &Session, plan: Option<&Plan>, stages: &[Rewritten], line: &str, output: Output) -> Result<()> {
    let nothing = || Plan {
        name: session.program.name.clone(),
        protocol: session.program.name.clone(),
        params: Vec::new(),
        lines: Vec::new(),
        source: Source::new("<no plan>", ""),
    };
    match menard_opt::why_not(&session.program, &plan.cloned().unwrap_or_else(nothing), line) {
        Err(error) => Err(refused(&error)),
        Ok(allowed) => {
            output.say("it is allowed:");
            let next = stages.iter().filter(|stage| !stage.implied).count() + 1;
            output.say(allowed.iter().map(|stage| reasons(next, stage)).collect::<String>());
            output.result(&json!({ "allowed": allowed.iter().map(reasons_json).collect::<Vec<_>>() }));
            Ok(())
        }
    }
}

/// The program in which liars are rules. `has_plan` tells whether it was made by the plan of the command line.
fn with_liars(program: &Program, has_plan: bool) -> Result<Program> {
    menard_opt::borges(program).map_err(|error| match &error {
        BorgesError::Honest => Failure::environment(error.to_string(), "declare `fault byzantine N of ROLE`"),
        BorgesError::Ruleless(_) => {
            Failure::environment(error.to_string(), "write a role with rules that lie as these nodes might")
        }
        BorgesError::Rewritten(_) if has_plan => Failure::environment(error.to_string(), "leave out --plan"),
        BorgesError::Rewritten(_) => {
            Failure::environment(error.to_string(), "take the program that this one was made of, without its plan")
        }
        BorgesError::IllFormed(errors) => Failure::environment(error.to_string(), errors.to_string()),
    })
}

fn show(session: &Session, plan: Option<&Plan>, stages: &[Rewritten], stage: Stage, form: Form) -> Result<String> {
    let lying;
    let program = match stage {
        Stage::Parsed | Stage::Checked => &session.program,
        Stage::Borges => {
            lying = with_liars(result(&session.program, stages), plan.is_some())?;
            &lying
        }
        Stage::Lowered => result(&session.program, stages),
        Stage::Rewritten => {
            plan.ok_or_else(|| Failure::environment("without a plan nothing is rewritten", "add --plan PLAN"))?;
            result(&session.program, stages)
        }
        Stage::After(line) => after(&session.program, stages, line)?,
    };
    Ok(match (form, stage) {
        (Form::Dot, _) => graph::dot(program),
        (Form::Mermaid, _) => graph::mermaid(program),
        (Form::Svg, _) => graph::picture(program, &session.program),
        (Form::Html, _) => {
            return Err(Failure::environment("a page shows all stages", "leave out --stage, or take --as svg"));
        }
        (Form::Text, Stage::Parsed) => format!("{:#?}", syntax::parse_program(&session.folder.program).root),
        (Form::Text, Stage::Lowered) => lowered(program),
        (Form::Text, Stage::Checked) => menard_lang::print(program) + &findings(program),
        (Form::Text, Stage::After(_) | Stage::Rewritten | Stage::Borges) => menard_lang::print(program),
    })
}

fn after<'a>(program: &'a Program, stages: &'a [Rewritten], line: usize) -> Result<&'a Program> {
    match (line, stages.len()) {
        (0, _) => Ok(program),
        (_, 0) => Err(Failure::environment("without a plan there are no lines", "add --plan PLAN")),
        (line, lines) if line > lines => {
            Err(Failure::environment(format!("the plan has no line {line}"), format!("it has lines 1 to {lines}")))
        }
        (line, _) => Ok(&stages[line - 1].program),
    }
}

/// The name of a stage, as the command line has it.
fn name(stage: Stage) -> String {
    match stage {
        Stage::Parsed => "parsed".to_owned(),
        Stage::Checked => "checked".to_owned(),
        Stage::After(line) => format!("after:{line}"),
        Stage::Rewritten => "rewritten".to_owned(),
        Stage::Lowered => "lowered".to_owned(),
        Stage::Borges => "borges".to_owned(),
    }
}

/// What the checker found out, as comments, so that the whole is still a program.
fn findings(program: &Program) -> String {
    let mut text = String::new();
    for component in &program.components {
        let nodes = program.role(&component.role).map_or(0, |role| role.nodes) * component.parts;
        let nodes = counted(nodes as usize, "node", "nodes");
        writeln!(text, "\n// component {} of {}: {nodes}", component.name, component.role)
            .expect("a String takes any text");
        for relation in &component.relations {
            let kind = match relation.kind {
                RelationKind::Table => "table",
                RelationKind::View => "view",
                RelationKind::Event => "event",
            };
            let columns: Vec<String> =
                relation.columns.iter().map(|column| format!("{}: {}", column.name, column.ty)).collect();
            writeln!(text, "//   {kind} {}({})", relation.name, columns.join(", ")).expect("a String takes any text");
        }
        let strata: Vec<String> = component.strata.iter().map(|stratum| stratum.join(" and ")).collect();
        if !strata.is_empty() {
            writeln!(text, "//   evaluated in the order {}", strata.join(", ")).expect("a String takes any text");
        }
    }
    text
}

/// What the engine makes of each component.
fn lowered(program: &Program) -> String {
    let plans = program.components.iter().map(|component| menard_engine::lower(program, &component.name).to_string());
    plans.collect::<Vec<_>>().join("\n")
}
