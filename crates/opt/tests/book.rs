//! The pages of rewrites are true: a protocol, a plan, and what comes of it, or which precondition refuses it.

mod common;

use common::refine;
use menard_lang::{Source, compile_text, plan, print};
use menard_opt::rules::REWRITES;
use menard_opt::{PlanError, apply_plan};

/// The code blocks of a page: what they say after the back-quotes, and their text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            blocks.push((info, text.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn examples_do_what_the_pages_say() {
    // Sealing is part of another rewrite, and has a page of its own.
    let sealing = ("partial", include_str!("../../../book/src/rewrites/sealing.md"));
    let pages = REWRITES.iter().map(|rewrite| (rewrite.name(), rewrite.page())).chain([sealing]);
    for (name, page) in pages {
        let (mut shown, mut refused) = (0, 0);
        let blocks = blocks(page);
        for (index, (info, text)) in blocks.iter().enumerate() {
            if !info.starts_with("plan") {
                continue;
            }
            let original = compile_text(&blocks[index - 1].1);
            let plan =
                plan::parse(&Source::new("page.plan", text.as_str()), &[]).expect("plans of pages are well-formed");
            match (apply_plan(&original, &plan), info.strip_prefix("plan refused ")) {
                (Ok(stages), None) => {
                    let last = stages.last().expect("plans of pages have lines");
                    assert_eq!(last.rewrite, name);
                    assert_eq!(blocks[index + 1].1, print(&last.program), "of the page on {}", name);
                    assert!(refine::check(&original, &stages, 100, 8).violations.is_empty());
                    shown += 1;
                }
                (Err(PlanError::Refused { refusals, .. }), Some(precondition)) => {
                    assert_eq!(refusals[0].precondition, precondition);
                    assert_eq!(refusals[0].rewrite, name);
                    refused += 1;
                }
                (Err(error), _) => panic!("{}", error.render(false)),
                (Ok(_), Some(precondition)) => panic!("{precondition} should refuse\n{text}"),
            }
        }
        assert!(shown > 0 && refused > 0, "the page on {} shows what it does and when it is refused", name);
    }
}
