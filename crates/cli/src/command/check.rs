//! `menard check`: all diagnostics of protocols, of their properties and of their plans.

use std::path::Path;

use menard_lang::Program;
use menard_lang::diagnostic::{Diagnostic, Diagnostics};
use menard_lang::include::is_part;
use menard_lang::operations::operations;
use menard_lang::source::Source;
use menard_lang::{plan, properties};
use serde_json::json;

use crate::arguments::Check;
use crate::failure::{Failure, Result, diagnostics_json};
use crate::folder::{Folder, protocol_in};
use crate::header::Header;
use crate::library;
use crate::output::{Output, colour};
use crate::rewriting::diagnostics;
use crate::text::{counted, read};
use crate::walk;

/// What was found in one text.
struct Checked {
    file: String,
    /// What it is, in a few words; `None` if it has errors.
    summary: Option<String>,
    diagnostics: Vec<Diagnostic>,
}

/// Checks each file.
pub fn run(arguments: &Check, output: Output) -> Result<()> {
    let mut all = Vec::new();
    for path in &arguments.paths {
        match library::find(path).filter(|_| !Path::new(path).exists()) {
            Some(_) => all.extend(check_folder(&Folder::open(path)?)?),
            None => {
                for file in walk::files(Path::new(path), &["ded", "plan"])? {
                    all.push(check_file(&file)?);
                }
            }
        }
    }
    for checked in &all {
        report(checked, output);
    }
    let json = json!({
        "files": all.iter().map(|checked| json!({ "file": checked.file, "ok": checked.summary.is_some() })).collect::<Vec<_>>(),
        "diagnostics": diagnostics_json(all.iter().flat_map(|checked| &checked.diagnostics)),
    });
    let wrong = all.iter().filter(|checked| checked.summary.is_none()).count();
    if wrong > 0 {
        return Err(Failure::No { text: format!("{wrong} of {} files have errors", all.len()), json });
    }
    output.result(&json);
    Ok(())
}

fn report(checked: &Checked, output: Output) {
    for diagnostic in &checked.diagnostics {
        output.complain(diagnostic.render(colour()));
    }
    if let Some(summary) = &checked.summary {
        output.say(format!("{}: {summary}", checked.file));
    }
}

fn check_folder(folder: &Folder) -> Result<Vec<Checked>> {
    let mut all = vec![check_protocol(&folder.program)];
    all.extend(folder.properties.as_ref().map(|source| check_properties(source, &folder.program)));
    all.extend(folder.plans.iter().map(|source| check_plan(source, &folder.program)));
    Ok(all)
}

fn check_file(path: &Path) -> Result<Checked> {
    let source = read(path)?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("plan") => check_plan_file(path, &source),
        Some("ded") => match Header::of(&source.text) {
            Header::Properties(name) => Ok(check_properties(&source, &protocol_in(path, name)?)),
            Header::Other if is_part(&source) => Ok(check_part(&source)),
            Header::Protocol(_) | Header::Other => Ok(check_protocol(&source)),
        },
        _ => {
            let message = format!("{} is neither Dedalus nor a plan", path.display());
            Err(Failure::environment(message, "name a folder, or a file that ends in .ded or .plan"))
        }
    }
}

fn check_plan_file(path: &Path, source: &Source) -> Result<Checked> {
    match plan::parse(source, &[]) {
        Ok(plan) => Ok(check_plan(source, &protocol_in(path, &plan.protocol)?)),
        Err(errors) => Ok(checked(source, Err(errors))),
    }
}

fn check_protocol(source: &Source) -> Checked {
    let result = menard_lang::compile(source, &[]);
    checked(source, result.map(|compiled| (summary(&compiled.program), compiled.warnings)))
}

/// Of a text that others include, only the form can be told.
fn check_part(source: &Source) -> Checked {
    let result = menard_lang::format(source);
    checked(
        source,
        result.map(|_| ("a text to be included, only its form is checked".to_owned(), Diagnostics::default())),
    )
}

fn check_properties(source: &Source, protocol: &Source) -> Checked {
    let result =
        menard_lang::compile(protocol, &[]).and_then(|compiled| properties::compile(source, &compiled.program));
    let summary = |observer: Program| {
        let number =
            properties::violations(&observer).len() + properties::goals(&observer).len() + operations(&observer).len();
        counted(number, "property", "properties")
    };
    checked(source, result.map(|observer| (summary(observer), Diagnostics::default())))
}

/// A plan is right if it can be applied.
fn check_plan(source: &Source, protocol: &Source) -> Checked {
    let result = plan::parse(source, &[]).and_then(|plan| {
        let program = menard_lang::compile(protocol, &[])?.program;
        let stages = menard_opt::apply_plan(&program, &plan).map_err(|error| Diagnostics::new(diagnostics(&error)))?;
        let nodes = stages.last().map_or(program.physical_nodes(), |stage| stage.program.physical_nodes());
        let asked_for = stages.iter().filter(|stage| !stage.implied).count();
        let lines = counted(asked_for, "rewrite", "rewrites");
        Ok((format!("{lines}, {} nodes instead of {}", nodes, program.physical_nodes()), Diagnostics::default()))
    });
    checked(source, result)
}

fn checked(source: &Source, result: std::result::Result<(String, Diagnostics), Diagnostics>) -> Checked {
    let file = source.name.to_string();
    match result {
        Ok((summary, warnings)) => {
            Checked { file, summary: Some(summary), diagnostics: warnings.iter().cloned().collect() }
        }
        Err(errors) => Checked { file, summary: None, diagnostics: errors.iter().cloned().collect() },
    }
}

/// The size of a program, in words.
pub fn summary(program: &Program) -> String {
    let rules = program.components.iter().map(|component| component.rules.len()).sum();
    [
        counted(rules, "rule", "rules"),
        counted(program.channels.len(), "channel", "channels"),
        counted(program.components.len(), "component", "components"),
        counted(program.physical_nodes() as usize, "node", "nodes"),
    ]
    .join(", ")
}
