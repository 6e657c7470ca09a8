//! `menard explain PROTOCOL --as html`: a protocol and what a plan makes of it, as one page that needs nothing else: no script, no network.
//!
//! It is for somebody who knows the protocol but not Menard. Everything on it is computed from the program and the plan; the same program
//! and plan make the same page.

mod book;
mod channels;
mod code;
mod difference;
mod hops;
mod line;

use std::fmt::Write;

use menard_lang::Program;
use menard_lang::plan::Plan;
use menard_opt::{PlanError, Stage};

use crate::graph::{self, Graph, drawing};
use crate::markup::escape;
use crate::text::counted;

use code::highlighted;
use hops::quickest_ways;

const STYLE: &str = include_str!("page.css");

/// What a page is about.
pub struct Subject<'a> {
    /// The protocol.
    pub program: &'a Program,
    /// The plan, if there is one.
    pub plan: Option<&'a Plan>,
    /// Its lines, as far as they are allowed.
    pub stages: &'a [Stage],
    /// Why the line after them is not.
    pub refusal: Option<&'a PlanError>,
    /// Plans that stand beside the protocol, by name.
    pub plans: &'a [String],
}

impl Subject<'_> {
    fn result(&self) -> &Program {
        self.stages.last().map_or(self.program, |stage| &stage.program)
    }
}

/// The page.
pub fn page(subject: &Subject<'_>) -> String {
    let name = escape(&subject.program.name);
    let title = match subject.plan {
        Some(plan) => format!("{name}, by the plan {}", escape(&plan.name)),
        None => name.clone(),
    };
    let body = match subject.plan {
        Some(plan) => with_plan(subject, plan),
        None => without_plan(subject),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n\
         <footer>Made by menard {} from the text of the protocol{}.</footer>\n</body>\n</html>\n",
        graph::STYLE,
        env!("CARGO_PKG_VERSION"),
        if subject.plan.is_some() { " and of the plan" } else { "" }
    )
}

fn without_plan(subject: &Subject<'_>) -> String {
    let program = subject.program;
    let plans = match subject.plans {
        [] => "No plan stands beside it.".to_owned(),
        plans => {
            let named: Vec<String> = plans.iter().map(|plan| format!("<code>{}</code>", escape(plan))).collect();
            format!(
                "Plans that stand beside it: {}. With one of them, this page shows what it does and why it may.",
                named.join(", ")
            )
        }
    };
    format!(
        "<p class=\"lead\">The protocol runs on {}. {plans}</p>\n{}{}{}{}",
        counted(program.physical_nodes() as usize, "node", "nodes"),
        ways(program, None),
        figure(program, program, "components and channels"),
        words(false),
        text("The protocol", program, true)
    )
}

fn with_plan(subject: &Subject<'_>, plan: &Plan) -> String {
    let (program, result) = (subject.program, subject.result());
    let mut body = introduction(subject, plan);
    if let Some(error) = subject.refusal {
        body += &refused(subject, plan, error);
    }
    body += &ways(program, Some(result));
    body += "<h2>Before</h2>\n";
    body += &figure(program, program, "before");
    if !subject.stages.is_empty() {
        let what = if subject.refusal.is_some() { "after the lines that are allowed" } else { "after" };
        write!(body, "<h2>{}</h2>\n{}{LEGEND}", capital(what), figure(result, program, what))
            .expect("a String takes any text");
    }
    body += &words(true);
    body += "<h2>Line by line</h2>\n<p>Every line of the plan is a rewrite: a change of the program that is known to be correct if certain \
             preconditions hold. Each of them was decided from the text of the program, and below stands why it holds.</p>\n";
    let mut before = program;
    for (index, stage) in subject.stages.iter().enumerate() {
        body += &line::section(index + 1, before, stage);
        before = &stage.program;
    }
    body += "<h2>The texts</h2>\n";
    body += &text("The protocol before", program, false);
    if !subject.stages.is_empty() {
        body += &text("The protocol after", result, false);
    }
    body
}

fn introduction(subject: &Subject<'_>, plan: &Plan) -> String {
    let (program, result) = (subject.program, subject.result());
    let proofs: usize = subject.stages.iter().map(|stage| stage.proofs.len()).sum();
    let lead = match subject.refusal {
        None => format!(
            "This page shows how the protocol <code>{}</code> is spread over {} instead of {}, and why what comes of it does nothing that the \
             protocol could not do: every precondition of each line of the plan was proved from the program's text, {} in all.",
            escape(&program.name),
            counted(result.physical_nodes() as usize, "node", "nodes"),
            program.physical_nodes(),
            proofs
        ),
        Some(_) => format!(
            "This page shows how far the plan <code>{}</code> can be applied to the protocol <code>{}</code>, and why no further.",
            escape(&plan.name),
            escape(&program.name)
        ),
    };
    let mut html = format!("<p class=\"lead\">{lead}</p>\n<ol class=\"plan\">\n");
    let mut before = program.physical_nodes();
    for (index, stage) in subject.stages.iter().enumerate() {
        let nodes = stage.program.physical_nodes();
        let more = if nodes == before { format!("{nodes} nodes") } else { format!("{before} → {nodes} nodes") };
        writeln!(
            html,
            "<li><a href=\"#line-{}\"><code>{}</code></a> <span class=\"note\">{}, {more}</span></li>",
            index + 1,
            highlighted(&stage.line),
            if stage.implied { "implied: nodes may lie" } else { stage.rewrite }
        )
        .expect("a String takes any text");
        before = nodes;
    }
    for (number, line) in plan.lines.iter().enumerate().skip(subject.stages.len()) {
        let refused = number == subject.stages.len();
        writeln!(
            html,
            "<li class=\"{}\"><code>{}</code> <span class=\"note\">{}</span></li>",
            if refused { "refused" } else { "unreached" },
            highlighted(&line.kind.to_string()),
            if refused { "refused, see below" } else { "not reached" }
        )
        .expect("a String takes any text");
    }
    html + "</ol>\n"
}

/// Why the plan ends where it ends.
fn refused(subject: &Subject<'_>, plan: &Plan, error: &PlanError) -> String {
    let line = plan.lines.get(subject.stages.len()).map(|line| line.kind.to_string()).unwrap_or_default();
    let why = match error {
        PlanError::Refused { .. } => "A precondition does not hold. The program is as the lines before have made it.",
        PlanError::Misfit(_) => "It does not fit the program.",
        PlanError::Unanswered(_) => {
            "The program answers nobody as long as those that may lie keep silent, and rewrites do not change that."
        }
        PlanError::IllFormed { .. } => "This is an error of Menard; please report it.",
    };
    format!(
        "<section class=\"refusal\">\n<h2>Refused: <code>{}</code></h2>\n<p>{why}</p>\n<pre><code>{}</code></pre>\n</section>\n",
        highlighted(&line),
        escape(error.render(false).trim_end())
    )
}

/// A figure that scrolls if it is wide.
fn figure(program: &Program, before: &Program, what: &str) -> String {
    let graph = Graph::of(program, before);
    let title = format!("{}: {what}", program.name);
    let nodes = counted(program.physical_nodes() as usize, "node", "nodes");
    format!(
        "<figure><div class=\"wide\">{}</div><figcaption>{nodes}</figcaption></figure>\n",
        drawing(&graph, &title, None)
    )
}

const LEGEND: &str = "<ul class=\"legend\">\n\
    <li><svg class=\"graph\" width=\"44\" height=\"12\" aria-hidden=\"true\"><path class=\"arrow same\" d=\"M2 6H42\"/></svg> a channel as it was</li>\n\
    <li><svg class=\"graph\" width=\"44\" height=\"12\" aria-hidden=\"true\"><path class=\"arrow redirected\" d=\"M2 6H42\"/></svg> redirected: \
    another component sends or receives it</li>\n\
    <li><svg class=\"graph\" width=\"44\" height=\"12\" aria-hidden=\"true\"><path class=\"arrow new\" d=\"M2 6H42\"/></svg> new: made by a rewrite</li>\n\
    <li><code>name <b><i>by key</i></b></code> partitioned: the key picks the partition</li>\n\
    <li><span class=\"thick\"></span> a component that is new, or has partitions now</li>\n</ul>\n";

/// How many messages there are between a command and its answer.
fn ways(before: &Program, after: Option<&Program>) -> String {
    let old = quickest_ways(before);
    let new = after.map(quickest_ways);
    let ends = |way: &hops::Way| (way.first().cloned(), way.last().cloned());
    let mut rows = String::new();
    for way in &old {
        let later = new.iter().flatten().find(|other| ends(other) == ends(way));
        let chain = |way: &hops::Way| {
            let names: Vec<String> = way.iter().map(|name| format!("<code>{}</code>", escape(name))).collect();
            names.join(" → ")
        };
        let (count, shown) = match later {
            Some(later) if later.len() != way.len() => (format!("{} → {}", way.len(), later.len()), later),
            _ => (way.len().to_string(), way),
        };
        let (first, last) = (way.first().map_or("", |name| name), way.last().map_or("", |name| name));
        writeln!(
            rows,
            "<tr><td><code>{}</code> … <code>{}</code></td><td class=\"number\">{count}</td><td>{}</td></tr>",
            escape(first),
            escape(last),
            chain(shown)
        )
        .expect("a String takes any text");
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<div class=\"wide\"><table class=\"ways\">\n<thead><tr><th>from a command to its answer</th><th>messages</th>\
         <th>each sets off the next</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// Words that a reader may not know.
fn words(with_plan: bool) -> String {
    let mut words = vec![
        (
            "role",
            "a list of <i>logical nodes</i>, which are what the protocol talks about: they send, receive and fail. In the picture, a frame.",
        ),
        (
            "component",
            "a set of rules that run together. In the picture, a box. Each logical node of the role has one of each of the frame's boxes.",
        ),
        (
            "[n]",
            "<i>partitions</i>: the component runs on n machines for each logical node, and each of them gets a part of the messages. Whatever one \
             logical node has, all its machines together, fails as one.",
        ),
        (
            "channel",
            "a kind of message. Who sends it and which component receives it is said once, where it is declared.",
        ),
        (
            "rule",
            "<code>:-</code> holds at once, <code>:+</code> from the node's next step on, <code>:~</code> is a message, sent to the node after \
             <code>@</code>.",
        ),
    ];
    if with_plan {
        words.extend([
            ("rewrite", "a way to split what a node does (<i>decouple</i>) or what it knows (<i>partition</i>) over several machines."),
            (
                "precondition",
                "what has to be true of the rules for a rewrite to be correct. Menard decides it; if it cannot prove it, it refuses the line.",
            ),
        ]);
    }
    let rows: String = words.iter().map(|(word, what)| format!("<dt>{word}</dt><dd>{what}</dd>\n")).collect();
    format!("<details><summary>Words</summary>\n<dl>\n{rows}</dl>\n</details>\n")
}

/// The text of a program, folded or not.
fn text(title: &str, program: &Program, open: bool) -> String {
    format!(
        "<details{}><summary>{title}</summary>\n<pre><code>{}</code></pre>\n</details>\n",
        if open { " open" } else { "" },
        highlighted(&menard_lang::print(program))
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
