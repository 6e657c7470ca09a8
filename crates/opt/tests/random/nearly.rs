//! Programs that a rewrite is made for, but for a rule here and there: wholly random ones seldom come near to what decoupling of state asks for, so
//! they show neither that what is allowed refines nor that what is refused would not.

use std::rc::Rc;

use super::programs::text;
use super::themes::{THEMES, Theme};
use super::{Program, Random, Rules, failure, failure_without, program, setting, settles, shrink, stages};

impl Theme {
    /// A program.
    fn rules(&self, random: &mut Random) -> Rules {
        let first = vec!["m(x, y)@o :~ put(x, y), b(o)".to_owned(), "q(x)@o :~ drop(x), b(o)".to_owned()];
        let mut rules = Rules { setting: random.next(), of: [first, Vec::new()] };
        if !self.declares.is_empty() {
            rules.of[0].push("s(x, x)@o :~ drop(x), b(o)".to_owned());
        }
        while !self.is_declared(&rules) {
            rules.setting = random.next();
        }
        let table = format!("{}(", random.pick(self.tables));
        for (list, least) in self.parts {
            for _ in 0..least + random.below(2 + least / 2) {
                rules.of[1].push(random.pick(list).replace("T(", &table));
                if program(&rules).is_none() {
                    rules.of[1].pop();
                }
            }
        }
        rules
    }

    fn is_declared(&self, rules: &Rules) -> bool {
        let text = text(rules);
        let (head, components) = text.split_once("component a").expect("it is in every text");
        let (_, of_b) = components.split_once("component b").expect("it is in every text");
        self.declares.iter().all(|wanted| head.contains(wanted) || of_b.contains(wanted))
    }

    /// Lines that may be allowed. Heads that a program does not have are left out.
    fn lines(&self, original: &Program) -> Vec<String> {
        let rules = &original.component("b").expect("it is in every text").rules;
        let receives =
            |name: &str| self.rewrite == "prefix" && original.channel(name).is_some_and(|found| found.receiver == "b");
        let has = |handle: &&str| receives(handle) || rules.iter().any(|rule| rule.head.relation == **handle);
        let mut lines: Vec<String> = Vec::new();
        for handles in self.handles {
            if handles.starts_with("partition ") {
                lines.push((*handles).to_owned());
                continue;
            }
            let handles: Vec<&str> = handles.split(", ").filter(has).collect();
            let line = format!("decouple b {{ {} }} into c using {}", handles.join(", "), self.rewrite);
            if !handles.is_empty() && !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

/// A program of each theme that settles, with one of its lines.
pub fn lines_of(seed: u64) -> Vec<(Rc<Program>, String)> {
    let mut random = Random(seed);
    let mut found = Vec::new();
    for theme in THEMES {
        let Some(original) = program(&theme.rules(&mut random)) else { continue };
        let lines = theme.lines(&original);
        if !lines.is_empty() && settles(&original) {
            found.push((Rc::new(original), random.pick(&lines).clone()));
        }
    }
    found
}

#[test]
fn what_is_allowed_of_nearly_legal_programs_refines() {
    let first = setting("RANDOM_FIRST").unwrap_or(0);
    let count = setting("RANDOM_COUNT").unwrap_or(250);
    // By hand: those of one rewrite.
    let wanted = std::env::var("RANDOM_THEME").ok();
    for theme in THEMES.into_iter().filter(|theme| wanted.as_ref().is_none_or(|name| name == theme.rewrite)) {
        let mut allowed = 0;
        for seed in first..first + count {
            let mut random = Random(seed);
            let rules = theme.rules(&mut random);
            let Some(original) = program(&rules) else { continue };
            for line in theme.lines(&original) {
                let lines = [line];
                if stages(&original, &lines).is_none() {
                    continue;
                }
                allowed += 1;
                if let Some(message) = failure(&rules, &lines) {
                    panic!("seed {seed}: {}", shrink(rules, lines.to_vec(), message));
                }
            }
        }
        println!("{allowed} lines allowed, of {}", theme.handles.join("; "));
        assert!(allowed > 0 || count < 100, "nothing is allowed of {}", theme.handles.join("; "));
    }
}

/// Without a precondition something goes wrong, and is found soon.
#[test]
fn each_precondition_on_state_is_missed() {
    for theme in THEMES {
        for id in theme.breaks {
            let seeds = 0..2_000;
            let found = seeds.into_iter().find(|seed| is_wrong_without(theme, *seed, id));
            assert!(found.is_some(), "nothing that {id} refuses goes wrong");
            println!("{id}: {found:?}");
        }
    }
}

fn is_wrong_without(theme: &Theme, seed: u64, id: &str) -> bool {
    let rules = theme.rules(&mut Random(seed));
    let Some(original) = program(&rules) else { return false };
    let refused = |line: &String| stages(&original, std::slice::from_ref(line)).is_none();
    let lines = theme.lines(&original).into_iter().filter(refused);
    lines.into_iter().any(|line| failure_without(&rules, &[line], Some(id)).is_some())
}
