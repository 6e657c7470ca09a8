//! `expect.toml`: what a bug is, where it is from, how it is simulated, and what has to be found.

use std::collections::BTreeMap;

use menard_lang::Program;
use menard_sim::Config;
use serde::Deserialize;

use crate::failure::{Failure, Result};
use crate::without::leave_out;

/// A bug in words and figures.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The bug in a few words.
    pub title: String,
    /// Where it was published or comes from: the paper or specification, with the section.
    pub source: String,
    /// What goes wrong, step by step, as the literature tells it.
    pub wrong: String,
    /// The violation that shows it: the first column of `violation(...)`, or the beginning of an `eventually` with its head.
    pub violates: String,
    /// Why the run may have more steps than others when it is made small: given where the trace in the literature is long.
    pub long: Option<String>,
    /// Relations of the fix whose rules need not fire in each campaign, and why.
    #[serde(default)]
    pub rare: BTreeMap<String, String>,
    /// How it is simulated.
    #[serde(default)]
    pub simulation: Simulation,
}

/// How a bug is simulated, as the options of `menard sim` of the same names say it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulation {
    /// Requests of clients in each run.
    pub requests: Option<u32>,
    /// Clients, of roles whose number of nodes the protocol leaves open.
    pub clients: Option<u32>,
    /// The most steps of a run.
    pub steps: Option<u32>,
    /// Parameters, as NAME=VALUE.
    pub set: Vec<String>,
    /// What is left out that would protect the programs.
    pub without: Vec<String>,
}

impl Expectation {
    /// Reads `expect.toml`; `name` is how errors call it.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or_default());
            let line = before.lines().count().max(1);
            let help = "the keys are title, source, wrong, violates, long, rules by relation in [rare], and in [simulation] requests, clients, steps, set, without";
            Failure::environment(format!("{name}:{line}: {message}"), help)
        })
    }
}

impl Simulation {
    /// What runs are made of.
    pub fn config(&self, program: &Program, requests: u32) -> Result<Config> {
        let default = Config::default();
        let mut config = Config {
            requests: self.requests.unwrap_or(requests),
            clients: self.clients.unwrap_or(default.clients),
            max_steps: self.steps.unwrap_or(default.max_steps),
            ..default
        };
        for what in &self.without {
            leave_out(what, program, &mut config)?;
        }
        Ok(config)
    }

    /// The options of `menard sim` that say the same, each with a space in front.
    pub fn options(&self) -> String {
        let figures = [("requests", self.requests), ("clients", self.clients), ("steps", self.steps)];
        let figures = figures.into_iter().filter_map(|(name, figure)| Some(format!(" --{name} {}", figure?)));
        let without = self.without.iter().map(|what| format!(" --without {what}"));
        self.set.iter().map(|setting| format!(" --set {setting}")).chain(figures).chain(without).collect()
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    const SHORT: &str = "title = \"t\"\nsource = \"s\"\nwrong = \"w\"\nviolates = \"v\"\n";

    fn program() -> Program {
        compile_text(
            "protocol t role a role b channel tell(x: int, y: int) a -> b component a { tell(1, 2)@n :~ start(), b(n) } component b { got(x) :- tell(x, _) }",
        )
    }

    #[test]
    fn what_is_left_out_is_as_in_sim() {
        let expectation = Expectation::parse("expect.toml", SHORT).expect("it is whole");
        let Expectation { long, simulation, .. } = expectation;
        assert_eq!((long, simulation.options().as_str()), (None, ""));
        let config = simulation.config(&program(), 10).ok();
        assert_eq!(config, Some(Config { requests: 10, ..Config::default() }));
    }

    #[test]
    fn options_are_those_of_sim() {
        let text =
            format!("{SHORT}[simulation]\nclients = 3\nset = [\"f=2\"]\nwithout = [\"authentication:tell.y\"]\n");
        let simulation = Expectation::parse("expect.toml", &text).expect("it is whole").simulation;
        assert_eq!(simulation.options(), " --set f=2 --clients 3 --without authentication:tell.y");
        let config = simulation.config(&program(), 10).ok();
        let left_out = config.map(|config| (config.clients, config.without_authentication));
        assert_eq!(left_out, Some((3, vec![("tell".into(), 1)])));
    }

    #[test]
    fn what_only_a_plan_adds_is_neither_left_out_nor_offered() {
        let refused = |what: &str| {
            let text = format!("{SHORT}[simulation]\nwithout = [\"{what}\"]\n");
            let simulation = Expectation::parse("expect.toml", &text).expect("it is whole").simulation;
            match simulation.config(&program(), 10) {
                Err(Failure::Environment { message, help }) => (message, help),
                other => panic!("{what} is left out: {other:?}"),
            }
        };
        let (message, help) = refused("sender-verification:tell");
        assert!(message.starts_with("`sender-verification` is added by plans, and a bug has none"), "{message}");
        assert!(help.starts_with("take `from me` out of the rules of buggy.ded; `without` takes"), "{help}");
        let (message, help) = refused("verification");
        assert!(message.starts_with("nothing is known of `verification`"), "{message}");
        assert!(help.contains("authentication[") && !help.contains("sender-verification"), "{help}");
    }

    #[test]
    fn mistakes_have_a_line() {
        let Err(Failure::Environment { message, .. }) =
            Expectation::parse("expect.toml", &format!("{SHORT}when = 1\n"))
        else {
            panic!("there is no such key")
        };
        assert!(message.starts_with("expect.toml:4: unknown field `when`"), "{message}");
    }
}
