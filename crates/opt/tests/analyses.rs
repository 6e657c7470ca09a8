//! Every cell of the book's table of constructs and rewrites: what is allowed refines, what is refused says why.

mod common;

use common::cells::{COLUMNS, Cell, Verdict, cells};
use common::{CELL_RUNS, apply_by, apply_without, program, refine};
use menard_opt::PlanError;

const PAGE: &str = include_str!("../../../book/src/analyses.md");

#[test]
fn what_is_allowed_refines() {
    for cell in cells().iter().filter(|cell| cell.verdict == Verdict::Allowed) {
        let original = program(&cell.program);
        let stage = match apply_without(&original, &cell.line, None) {
            Ok(stage) => stage,
            Err(error) => panic!("{}\n{}", title(cell), error.render(false)),
        };
        assert_eq!(stage.rewrite, cell.rewrite, "{}", title(cell));
        let report = refine::check(&original, std::slice::from_ref(&stage), CELL_RUNS, 10);
        let text = &stage.program.source.text;
        assert!(report.violations.is_empty(), "{}: {:?}\n{text}", title(cell), report.violations.first());
        let heard = report.channels.get(cell.heard.as_str()).copied().unwrap_or_default();
        assert!(heard > CELL_RUNS / 3, "{}: {heard} messages on `{}`\n{text}", title(cell), cell.heard);
    }
}

#[test]
fn what_is_refused_says_why() {
    let mut text = String::new();
    for cell in cells() {
        let Verdict::Refused(precondition) = &cell.verdict else { continue };
        let error = match apply_by(&program(&cell.program), &cell.line, cell.rewrite) {
            Err(error) => error,
            Ok(proofs) => panic!("{}: allowed\n{proofs:?}", title(&cell)),
        };
        let PlanError::Refused { refusals, .. } = &error else { panic!("{}: {}", title(&cell), error.render(false)) };
        let first = refusals.first().expect("a refused line has a refusal");
        assert_eq!(first.precondition, *precondition, "{}\n{}", title(&cell), error.render(false));
        text += &format!("## {}\n{}\n{}\n", title(&cell), cell.line, error.render(false));
    }
    insta::assert_snapshot!(text);
}

/// A cell that says `yes` has a program that is rewritten, and one that names preconditions has a program that each of them refuses.
#[test]
fn the_page_says_what_is_tested() {
    let cells = cells();
    let rows = rows();
    for (construct, verdicts) in &rows {
        for (rewrite, verdict) in COLUMNS.iter().zip(verdicts) {
            let here = || cells.iter().filter(|cell| cell.construct == *construct && cell.rewrite == *rewrite);
            let allowed = here().any(|cell| cell.verdict == Verdict::Allowed);
            assert_eq!(verdict.starts_with("yes"), allowed, "{construct} under {rewrite}: {verdict}");
            let refused: Vec<&str> = here().filter_map(|cell| refusing(cell)).collect();
            let named: Vec<&str> = verdict
                .split(|c: char| !c.is_alphanumeric() && c != '.')
                .filter(|word| is_precondition(word))
                .collect();
            for id in &named {
                assert!(refused.contains(id), "no program with a {construct} is refused by {id}");
            }
            for id in &refused {
                assert!(
                    named.contains(id),
                    "{construct} under {rewrite}: a program is refused by {id}, which the page does not say"
                );
            }
        }
    }
    for cell in &cells {
        assert!(rows.iter().any(|(construct, _)| *construct == cell.construct), "{} is not on the page", title(cell));
    }
}

fn refusing(cell: &Cell) -> Option<&str> {
    match &cell.verdict {
        Verdict::Refused(id) => Some(id),
        Verdict::Allowed => None,
    }
}

fn is_precondition(word: &str) -> bool {
    let known = |id: &str| {
        menard_opt::rules::REWRITES.iter().any(|rewrite| rewrite.preconditions().iter().any(|(known, _)| *known == id))
    };
    known(word)
}

/// The rows of the page's table: a construct, and what becomes of it under each rewrite.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let lines = PAGE.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    let rows = lines.skip(1).map(cells).map(|row| (row[0], row[1..].to_vec()));
    rows.collect()
}

fn title(cell: &Cell) -> String {
    format!("{}, {}: {}", cell.construct, cell.rewrite, cell.name)
}
