//! One line of a plan on the page: what the rewrite does, why it was allowed, what it changed.

use menard_lang::Program;
use menard_opt::Stage;

use super::book::{Rewrite, inline};
use super::channels;
use super::code::highlighted;
use super::difference::{Line, Section, difference};
use crate::markup::escape;
use crate::text::counted;

/// More lines than these that did not change are folded; so many stay at either end.
const CONTEXT: usize = 2;

/// The section of a line, which is the program before it and what came of it.
pub fn section(number: usize, before: &Program, stage: &Stage) -> String {
    let about = Rewrite::named(stage.rewrite);
    let (old, new) = (before.physical_nodes(), stage.program.physical_nodes());
    let nodes = match old == new {
        true => format!("as many nodes as before, {new}"),
        false => format!("{} instead of {old}", counted(new as usize, "node", "nodes")),
    };
    let mut html = format!(
        "<section class=\"line\" id=\"line-{number}\">\n<h3><span class=\"count\">{number}</span> <code>{}</code></h3>\n\
         <p><b>{}</b>, <code>{}</code>. {} After it there are {nodes}.</p>\n",
        highlighted(&stage.line),
        escape(&about.title),
        escape(stage.rewrite),
        about.summary,
    );
    html += &proofs(&about, stage);
    let channels = channels::changed(before, &stage.program);
    if !channels.is_empty() {
        html += &format!("<h4>Channels</h4>\n{channels}");
    }
    html += "<h4>What changed in the text</h4>\n";
    html += &difference(before, &stage.program).iter().map(changes).collect::<String>();
    html += &format!(
        "<details class=\"page\"><summary>All about this rewrite, with the reason why it is correct</summary>\n{}</details>\n</section>\n",
        about.page
    );
    html
}

fn proofs(about: &Rewrite, stage: &Stage) -> String {
    let proof = |proof: &menard_opt::Proof| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
            proof.precondition,
            about.asks(proof.precondition),
            inline(&proof.sentence)
        )
    };
    let rows: String = stage.proofs.iter().map(proof).collect();
    format!(
        "<h4>Why it is allowed</h4>\n<div class=\"wide\"><table class=\"proofs\">\n<thead><tr><th></th><th>it asks that</th><th>here</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// The lines of a component, with marks before those that came or went.
fn changes(section: &Section) -> String {
    let mut html = format!("<pre class=\"diff\"><code><span class=\"title\">{}</span>\n", highlighted(&section.title));
    let kept = |line: Option<&Line>| matches!(line, Some(Line::Kept(_)));
    let mut at = 0;
    while at < section.lines.len() {
        let run = section.lines[at..].iter().take_while(|line| kept(Some(line))).count();
        let (head, tail) =
            (if at == 0 { 0 } else { CONTEXT }, if at + run == section.lines.len() { 0 } else { CONTEXT });
        if run > head + tail + 1 {
            html += &section.lines[at..at + head].iter().map(line).collect::<String>();
            let lines = counted(run - head - tail, "line", "lines");
            html += &format!("<span class=\"skip\">  ⋯ {lines} as before</span>\n");
            html += &section.lines[at + run - tail..at + run].iter().map(line).collect::<String>();
            at += run;
        } else {
            html += &section.lines[at..=at + run.saturating_sub(1)].iter().map(line).collect::<String>();
            at += run.max(1);
        }
    }
    html + "</code></pre>\n"
}

fn line(line: &Line) -> String {
    match line {
        Line::Kept(text) => format!("<span>  {}</span>\n", highlighted(text)),
        Line::Removed(text) => format!("<del>- {}</del>\n", highlighted(text)),
        Line::Added(text) => format!("<ins>+ {}</ins>\n", highlighted(text)),
    }
}
