//! The book's page of all rewrites is what the code says: where the library uses them, their preconditions, and what tests these.
//! `cargo xtask rewrites` writes the page anew.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;

use common::CELL_RUNS;
use common::cases::{Case, Liar, cases, liars};
use common::cells::{Verdict, cells};
use common::library::{self, root};
use menard_opt::mutant::KilledBy;
use menard_opt::rules::{AnyRewrite, REWRITES};

/// Set, the page is written instead of compared.
const WRITE: &str = "MENARD_WRITE_BOOK";

/// What `menard bugs` runs of each mended near miss, unless it is told otherwise.
const MENDED_RUNS: u64 = 5_000;

/// Longer changes of a near miss are not shown.
const SHOWN_CHANGE: usize = 64;

#[test]
fn the_page_of_all_rewrites_is_what_the_code_says() {
    let path = root().join("book/src/rewrites.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, page).expect("the book can be written");
        return;
    }
    let known = std::fs::read_to_string(&path).expect("the book has the page");
    let differs = known.lines().zip(page.lines()).find(|(known, now)| known != now);
    assert!(known == page, "book/src/rewrites.md is not what the code says: run `cargo xtask rewrites`\n{differs:#?}");
}

fn page() -> String {
    let (cases, liars, uses) = (cases(), liars(), uses());
    let mut page = String::from(
        "# All rewrites\n\nEvery rewrite of Menard, where the library uses it, what it asks for, and what shows that each precondition is needed. A test compares \
         this page with the code, and `cargo xtask rewrites` writes it anew.\n\n\
         | rewrite | preconditions | near misses | runs of refinement | plans of the library that use it |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    let (mut preconditions, mut near_misses) = (0, 0);
    for rewrite in REWRITES {
        let own = of(rewrite.preconditions(), &cases);
        let is_tested = |id: &str| {
            cases.iter().any(|case| case.precondition == id && !matches!(case.killed_by, KilledBy::Nothing(_)))
        };
        preconditions += rewrite.preconditions().iter().filter(|(id, _)| is_tested(id)).count();
        near_misses += own.len();
        let plans = uses.get(rewrite.name()).map_or("none".to_owned(), |plans| plans.join(", "));
        writeln!(
            page,
            "| [`{}`](rewrites/{}) | {} | {} | {} | {plans} |",
            rewrite.name(),
            file(*rewrite),
            rewrite.preconditions().len(),
            own.len(),
            grouped(runs(rewrite.name(), own.len())),
        )
        .expect("a String takes any text");
    }
    let untested = cases.iter().filter(|case| matches!(case.killed_by, KilledBy::Nothing(_))).count();
    write!(
        page,
        "\nRuns of refinement are those of continuous integration on near misses that are mended ({MENDED_RUNS} of each) and on allowed programs of the \
         [table of constructs](analyses.md) ({CELL_RUNS} of each); plans of protocols and random programs come on top.\n\n\
         ## Preconditions and their tests\n\n\
         A *near miss* is a program of `bugs/preconditions` in which one precondition does not hold: it is refused, and the precondition is named. Mended by a small change it is \
         rewritten, and every run of the result is a run of the original. Its *mutant* is the near miss rewritten as if the precondition were not there: either some \
         run of it is none of the original, or the checker does not accept it. `menard bugs` [hunts for all of them](bugs.md#preconditions), and `menard bugs --show preconditions/REWRITE/PROGRAM` shows one.\n\n\
         Score: each of {preconditions} preconditions that refinement can show has a mutant that is killed, {} mutants of {near_misses} near misses in \
         all. {untested} near miss is about being late, which refinement does not see.\n\n\
         What liars could do to a rewritten program is prevented, not refused. There a program with liars is rewritten, and refines its original under \
         an adversary; its mutant is the same without what is added.\n",
        near_misses - untested
    )
    .expect("a String takes any text");
    for rewrite in REWRITES {
        page += &section(*rewrite, &cases, &liars);
    }
    page + &errata()
}

/// Errors of printed rules (E), what their preconditions leave out (C) and faults (F).
const ERRATA: [(char, u32); 3] = [('E', 10), ('C', 8), ('F', 2)];

/// The tests that show them, as the page that describes them says.
fn errata() -> String {
    let text = std::fs::read_to_string(root().join("book/src/errata.md")).expect("the book has the page");
    let tests = |number: &str| {
        let row = text.lines().find(|line| line.starts_with(&format!("| {number} |")))?;
        row.trim_matches('|').rsplit(" | ").next().map(|tests| tests.trim().to_owned())
    };
    let numbers = ERRATA.iter().flat_map(|(class, last)| (1..=*last).map(move |number| format!("{class}{number}")));
    let mut rows = String::new();
    let mut missing = Vec::new();
    for number in numbers {
        match tests(&number) {
            Some(tests) => writeln!(rows, "| {number} | {tests} |").expect("a String takes any text"),
            None => missing.push(number),
        }
    }
    let missing = match missing.is_empty() {
        true => String::new(),
        false => format!("\nWithout a test so far: {}.\n", missing.join(", ")),
    };
    format!(
        "\n## Where published rules are wrong\n\nErrors of printed rules (E), what their preconditions leave out (C), and faults (F) are described on a \
         [page of their own](errata.md). These tests show them:\n\n| | tests |\n| --- | --- |\n{rows}{missing}"
    )
}

/// The near misses of these preconditions.
fn of(preconditions: Vec<(&str, &str)>, cases: &[Case]) -> Vec<usize> {
    let own = |case: &Case| preconditions.iter().any(|(id, _)| *id == case.precondition);
    (0..cases.len()).filter(|&number| own(&cases[number])).collect()
}

fn section(rewrite: &dyn AnyRewrite, cases: &[Case], liars: &[Liar]) -> String {
    let title = rewrite.page().lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
    let mut text = format!(
        "\n### {title}\n\n| | it asks that | near miss, refused | mended by | the mutant is killed by |\n| --- | --- | --- | --- | --- |\n"
    );
    for (id, statement) in rewrite.preconditions() {
        let own: Vec<&Case> = cases.iter().filter(|case| case.precondition == id).collect();
        for (number, liar) in liars.iter().filter(|liar| liar.precondition == id).enumerate() {
            let (id, statement) = if number == 0 { (format!("**{id}**"), cell(statement)) } else { Default::default() };
            writeln!(text, "| {id} | {statement} | liars are allowed: {} | what is added | refinement |", liar.name)
                .expect("a String takes any text");
        }
        for (number, case) in own.into_iter().enumerate() {
            let (id, statement) = if number == 0 { (format!("**{id}**"), cell(statement)) } else { Default::default() };
            let killed = killed_by(&case.killed_by);
            writeln!(text, "| {id} | {statement} | {} | {} | {killed} |", cell(&case.name), change(case))
                .expect("a String takes any text");
        }
    }
    text
}

fn killed_by(killed: &KilledBy) -> String {
    match killed {
        KilledBy::Refinement => "refinement".to_owned(),
        KilledBy::Checker(code) => format!("[{code}](errors/{code}.md)"),
        KilledBy::Nothing(why) => format!("not tested: {why}"),
    }
}

/// What mends a near miss.
fn change(case: &Case) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (from, to) = (words(&case.mend.from), words(&case.mend.to));
    match (from.len() + to.len() <= SHOWN_CHANGE, to.is_empty()) {
        (false, _) => "other rules".to_owned(),
        (true, true) => format!("without {}", code(&from)),
        (true, false) => format!("{} for {}", code(&to), code(&from)),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// Text within a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The file of a rewrite's page, whose text the rewrite has.
fn file(rewrite: &dyn AnyRewrite) -> String {
    let folder = root().join("book/src/rewrites");
    let files =
        std::fs::read_dir(folder).expect("the book has pages of rewrites").map(|entry| entry.expect("an entry").path());
    let mut own = files.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text == rewrite.page()));
    let path = own.next().expect("the page of a rewrite is a file of the book");
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

fn runs(rewrite: &str, near_misses: usize) -> u64 {
    let allowed = cells().iter().filter(|cell| cell.rewrite == rewrite && cell.verdict == Verdict::Allowed).count();
    near_misses as u64 * MENDED_RUNS + allowed as u64 * CELL_RUNS
}

fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}

/// The plans of the library that use each rewrite, with how many of their lines do.
fn uses() -> BTreeMap<&'static str, Vec<String>> {
    let mut uses: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (program, plan, stages) in library::plans() {
        let mut lines: BTreeMap<&'static str, usize> = BTreeMap::new();
        for stage in stages {
            *lines.entry(stage.rewrite).or_default() += 1;
        }
        for (rewrite, lines) in lines {
            let times = if lines == 1 { String::new() } else { format!(" × {lines}") };
            uses.entry(rewrite).or_default().push(format!("{} `{plan}`{times}", program.name));
        }
    }
    uses
}
