//! A protocol on the bench: as it is, and with one rule broken.

use menard_lang::include::gather;
use menard_lang::{Source, compile, properties};
use menard_sim::{CampaignReport, Config, Prepared, PreparedObserver, Wrong, campaign};
use menard_value::Value;

/// Runs of a protocol as it is. The command line runs many more.
const RUNS: u64 = 500;

/// Runs in which a broken protocol has to be convicted.
const RUNS_TO_CONVICT: u64 = 2_000;

/// After so many runs one looks whether it is.
const RUNS_AT_ONCE: u64 = 100;

/// The texts of a protocol, and how much is asked of it in a run.
pub struct Protocol {
    pub text: &'static str,
    pub properties: &'static str,
    /// Texts that these include, by their paths, without the folders in front or with them.
    pub included: &'static [(&'static str, &'static str)],
    pub load: Load,
}

/// What clients do in a run.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: u32,
    pub requests: u32,
}

/// What the command line asks of a protocol.
pub const LIGHT: Load = Load { clients: 2, requests: 10 };

/// One mistake.
pub struct Bug {
    /// A part of the protocol's text.
    pub original: &'static str,
    /// What stands there by mistake.
    pub broken: &'static str,
    /// The first column of the violation that convicts it, the beginning of the `eventually` that is not met, or [`LINEARIZABLE`].
    pub violates: &'static str,
}

/// What a mistake violates where clients see that there is no order.
pub const LINEARIZABLE: &str = "linearizable";

impl Protocol {
    /// Nothing is violated, and every channel is used.
    pub fn keeps_its_properties(&self) {
        let report = self.run(&[], 1, RUNS);
        assert_eq!(report.violations, []);
        assert_eq!(report.undecided_runs, 0);
        let silent: Vec<_> =
            report.channels.iter().filter(|(_, messages)| **messages == 0).map(|(name, _)| name).collect();
        assert!(silent.is_empty(), "nothing was ever sent on {silent:?}");
    }

    /// Nothing is violated by a variant either, which has another text in one place.
    pub fn keeps_its_properties_with(&self, original: &str, other: &str) {
        let report = self.run(&[(original, other)], 1, RUNS);
        assert_eq!(report.violations, [], "{other}");
    }

    /// The mistake is found, as the violation that it should be.
    pub fn convicts(&self, bug: &Bug) {
        self.convicts_from(1, bug);
    }

    /// The same for a mistake that shows in one of thousands of runs, beginning with a seed near which a longer campaign has found it.
    pub fn convicts_from(&self, first_seed: u64, bug: &Bug) {
        self.convicts_with(first_seed, &[(bug.original, bug.broken)], bug.violates);
    }

    /// The same for a mistake in several places.
    pub fn convicts_with(&self, first_seed: u64, edits: &[(&str, &str)], violates: &str) {
        let mut found = Vec::new();
        for done in (0..RUNS_TO_CONVICT).step_by(usize::try_from(RUNS_AT_ONCE).expect("it is small")) {
            let report = self.run(edits, first_seed + done, RUNS_AT_ONCE);
            if report.violations.iter().any(|found| self.is_expected(&found.what, violates)) {
                return;
            }
            found.extend(report.violations);
        }
        panic!("{edits:?} is not convicted of {violates}: {found:?}");
    }

    fn is_expected(&self, wrong: &Wrong, violates: &str) -> bool {
        let expected = Value::string(violates);
        let mut goals = self.lines_of_properties().filter(|line| line.starts_with("eventually"));
        match wrong {
            Wrong::Property(violation) if violation.disorder.is_some() => violates == LINEARIZABLE,
            Wrong::Property(violation) => violation.facts.iter().any(|fact| fact.first() == Some(&expected)),
            Wrong::Unmet(unmet) => Some(unmet.goal) == goals.position(|line| line.starts_with(violates)),
            _ => false,
        }
    }

    /// The lines of the properties, with those of included texts in their places.
    fn lines_of_properties(&self) -> impl Iterator<Item = &str> {
        self.properties.lines().flat_map(|line| {
            let path = line.strip_prefix("include ").map(|path| path.trim_matches('"'));
            let text = path.and_then(|path| self.included.iter().find(|(end, _)| path.ends_with(end)));
            text.map_or(line, |(_, text)| text).lines()
        })
    }

    /// Simulates a variant with other texts in some places, each of which is the only one like it in the first text that has one.
    fn run(&self, edits: &[(&str, &str)], first_seed: u64, runs: u64) -> CampaignReport {
        let mut texts: Vec<(&str, String)> = vec![("main.ded", self.text.to_owned())];
        texts.extend(self.included.iter().map(|(name, text)| (*name, (*text).to_owned())));
        for (original, other) in edits {
            let text = texts.iter_mut().find(|(_, text)| text.contains(original));
            let (_, text) = text.unwrap_or_else(|| panic!("a place to change: {original}"));
            assert_eq!(text.matches(original).count(), 1, "one place to change: {original}");
            *text = text.replace(original, other);
        }
        let read = |name: &str| {
            let found = texts.iter().find(|(path, _)| name.ends_with(path.trim_start_matches("../")));
            found.map(|(_, text)| text.clone()).ok_or_else(|| "the bench does not have it".to_owned())
        };
        let main = gather(&Source::new("protocol/main.ded", texts[0].1.as_str()), read);
        let program = compile(&main, &[]).unwrap_or_else(|errors| panic!("{errors}")).program;
        let properties = gather(&Source::new("protocol/properties.ded", self.properties), read);
        let observer = properties::compile(&properties, &program).unwrap_or_else(|errors| panic!("{errors}"));
        let Load { clients, requests } = self.load;
        let config = Config { clients, requests, ..Config::default() };
        let prepared = Prepared::new(&program, config);
        campaign(&prepared, Some(&PreparedObserver::new(&observer)), &[], runs, first_seed, &mut |_| {})
    }
}
