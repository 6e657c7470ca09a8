//! Lines that may be allowed, and plans of some that are.

use menard_lang::Program;
use menard_lang::ir::Rule;
use menard_opt::{PlanError, Stage};

use super::common::apply_without;
use super::{Random, mentioned};

pub fn random_line(random: &mut Random, program: &Program) -> Option<String> {
    let component = random.pick(&program.components);
    if random.percent(40) {
        let keys = [
            " by k",
            " by v",
            " by k, v",
            " by k % 3",
            " by k % 3",
            " by k % 3",
            " by v % 3",
            " by k / v",
            " by k, v % 3",
            " by c.x",
        ];
        let by = if random.percent(80) { *random.pick(&keys) } else { "" };
        // What lacks `v` is replicated.
        if random.percent(25) {
            return Some(format!("partition {} by v into 2 with c{}", component.name, program.components.len()));
        }
        return Some(format!("partition {}{by} into {}", component.name, 2 + random.below(2)));
    }
    let heads: Vec<&str> = component.rules.iter().map(|rule| rule.head.relation.as_str()).collect();
    if heads.is_empty() {
        return None;
    }
    if random.percent(20) {
        let received = program.channels.iter().filter(|channel| channel.receiver == component.name);
        let received: Vec<&str> = received.map(|channel| channel.name.as_str()).collect();
        let mut handles = vec![*random.pick(if received.is_empty() { &heads } else { &received })];
        handles.push(*random.pick::<&str>(&heads));
        if random.percent(60) {
            handles.remove(random.below(2));
        }
        let number = program.components.len();
        return Some(format!("decouple {} {{ {} }} into c{number} using prefix", component.name, handles.join(", ")));
    }
    let mut handles = vec![*random.pick::<&str>(&heads)];
    if random.percent(30) {
        handles.push(*random.pick::<&str>(&heads));
    }
    // Rules that stay must not read what moves: then all that depends on it moves.
    while random.percent(60) {
        let reads = |rule: &&Rule| {
            !handles.contains(&&*rule.head.relation) && mentioned(rule).any(|name| handles.contains(&name))
        };
        let Some(reader) = component.rules.iter().find(reads) else { break };
        handles.push(&reader.head.relation);
    }
    if random.percent(30) {
        // Rules that move must not read what stays: then all that it depends on moves.
        let reads = |name: &str, handles: &[&str]| {
            let mut rules = component.rules.iter().filter(|rule| handles.contains(&rule.head.relation.as_str()));
            rules.any(|rule| mentioned(rule).any(|read| read == name))
        };
        while let Some(more) = heads.iter().find(|name| !handles.contains(name) && reads(name, &handles)) {
            handles.push(more);
        }
        let number = program.components.len();
        return Some(format!(
            "decouple {} {{ {} }} into c{number} using asymmetric",
            component.name,
            handles.join(", ")
        ));
    }
    let using = [
        "",
        " using independent",
        " using independent",
        " using functional",
        " using monotonic",
        " using monotonic",
        " using mutual",
        " using mutual",
        " using state_machine",
        " using asymmetric",
    ];
    let using = *random.pick(&using);
    Some(format!("decouple {} {{ {} }} into c{}{using}", component.name, handles.join(", "), program.components.len()))
}

/// A precondition to leave out, by hand: then something has to go wrong.
pub fn skipped() -> Option<String> {
    std::env::var("RANDOM_SKIP").ok()
}

/// Up to four random lines that are allowed.
pub fn random_plan(random: &mut Random, original: &Program) -> Vec<String> {
    let mut current = original.clone();
    let mut lines = Vec::new();
    for _ in 0..16 {
        let Some(line) = random_line(random, &current) else { continue };
        match apply_without(&current, &line, skipped().as_deref()) {
            Ok(stage) => {
                current = stage.program;
                lines.push(line);
            }
            Err(error @ PlanError::IllFormed { .. }) => panic!("{}{}", error.render(false), current.source.text),
            Err(_) => {}
        }
        if lines.len() == 3 {
            break;
        }
    }
    lines
}

/// The stages of a plan; `None` if a line is not allowed.
pub fn stages(original: &Program, lines: &[String]) -> Option<Vec<Stage>> {
    stages_without(original, lines, skipped().as_deref())
}

/// The same but for a precondition.
pub fn stages_without(original: &Program, lines: &[String], skip: Option<&str>) -> Option<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in lines {
        let current = stages.last().map_or(original, |stage| &stage.program);
        stages.push(apply_without(current, line, skip).ok()?);
    }
    Some(stages)
}
