//! What a rewrite changed in a program, line by line and component by component. Lines are printed alone, not aligned with their neighbours:
//! otherwise a longer name would change them all.

use menard_lang::Program;
use menard_lang::ir::{Channel, Component};
use menard_lang::print;

/// A line on its way from one text to the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// In both.
    Kept(String),
    /// Only in the text before.
    Removed(String),
    /// Only in the text after.
    Added(String),
}

/// The lines of a component, or the channels of the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// `channels`, or the component's first line.
    pub title: String,
    /// Its lines; some are not kept.
    pub lines: Vec<Line>,
}

/// The sections in which the programs differ: components in the order of the program after, then those that are gone, then channels.
pub fn difference(before: &Program, after: &Program) -> Vec<Section> {
    let gone = before.components.iter().filter(|old| after.component(&old.name).is_none());
    let components = after.components.iter().chain(gone).map(|one| {
        let lines = |program| program_lines(program, &one.name);
        Section { title: title(one), lines: compare(&lines(before), &lines(after)) }
    });
    let channels = |program: &Program| {
        let across = program.channels.iter().filter(|channel| !channel.is_local_timer());
        across.map(print::channel).collect::<Vec<_>>()
    };
    let channels = Section { title: "channels".into(), lines: compare(&channels(before), &channels(after)) };
    components.chain([channels]).filter(Section::differs).collect()
}

impl Section {
    fn differs(&self) -> bool {
        self.lines.iter().any(|line| !matches!(line, Line::Kept(_)))
    }
}

fn title(component: &Component) -> String {
    let of = if component.role == component.name { String::new() } else { format!(" of {}", component.role) };
    format!("component {}{of}", component.name)
}

/// The declarations and rules of a component, none if there is no such component.
fn program_lines(program: &Program, name: &str) -> Vec<String> {
    let Some(component) = program.component(name) else { return Vec::new() };
    let is_own = |channel: &&Channel| channel.is_local_timer() && channel.sender == component.name;
    let nodes = (component.parts > 1).then(|| format!("// {} partitions", component.parts));
    let tables = component.relations.iter().filter(|relation| relation.declared).map(print::relation);
    let timers = program.channels.iter().filter(is_own).map(print::channel);
    nodes.into_iter().chain(tables).chain(timers).chain(component.rules.iter().map(print::rule)).collect()
}

/// A shortest way from one text to the other (a longest common subsequence is kept); what is removed comes before what is added.
fn compare(before: &[String], after: &[String]) -> Vec<Line> {
    // How many lines the rests of both texts have in common, from each pair of places on.
    let mut common = vec![vec![0; after.len() + 1]; before.len() + 1];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            common[old][new] = match before[old] == after[new] {
                true => common[old + 1][new + 1] + 1,
                false => common[old + 1][new].max(common[old][new + 1]),
            };
        }
    }
    let (mut old, mut new) = (0, 0);
    let mut lines = Vec::new();
    while old < before.len() || new < after.len() {
        if old < before.len() && new < after.len() && before[old] == after[new] {
            lines.push(Line::Kept(before[old].clone()));
            (old, new) = (old + 1, new + 1);
        } else if old < before.len() && (new == after.len() || common[old + 1][new] >= common[old][new + 1]) {
            lines.push(Line::Removed(before[old].clone()));
            old += 1;
        } else {
            lines.push(Line::Added(after[new].clone()));
            new += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_shortest_and_removes_first() {
        let text = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let shown = |lines: Vec<Line>| {
            let sign = |line: &Line| match line {
                Line::Kept(text) => text.clone(),
                Line::Removed(text) => format!("-{text}"),
                Line::Added(text) => format!("+{text}"),
            };
            lines.iter().map(sign).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(compare(&text("a b c d"), &text("a x c e d"))), "a -b +x c +e d");
        assert_eq!(shown(compare(&[], &text("a"))), "+a");
        assert_eq!(shown(compare(&text("a b"), &[])), "-a -b");
    }
}
