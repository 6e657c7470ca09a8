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
    /// The texts that it includes, by the paths in them.
    pub included: &'static [(&'static str, &'static str)],
    pub properties: &'static str,
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
    /// The first column of the violation that convicts it, or the beginning of the `eventually` that is not met.
    pub violates: &'static str,
}

impl Protocol {
    /// Nothing is violated, and every channel is used.
    pub fn keeps_its_properties(&self) {
        let report = run(self.text, self, 1, RUNS);
        assert_eq!(report.violations, []);
        let silent: Vec<_> =
            report.channels.iter().filter(|(_, messages)| **messages == 0).map(|(name, _)| name).collect();
        assert!(silent.is_empty(), "nothing was ever sent on {silent:?}");
    }

    /// Nothing is violated by a variant either, which has another text in one place.
    pub fn keeps_its_properties_with(&self, original: &str, other: &str) {
        let report = run(&self.variant(original, other), self, 1, RUNS);
        assert_eq!(report.violations, [], "{other}");
    }

    /// The mistake is found, as the violation that it should be.
    pub fn convicts(&self, bug: &Bug) {
        self.convicts_from(1, bug);
    }

    /// The same for a mistake that shows in one of thousands of runs, beginning with a seed near which a longer campaign has found it.
    pub fn convicts_from(&self, first_seed: u64, bug: &Bug) {
        let text = self.variant(bug.original, bug.broken);
        let mut found = Vec::new();
        for done in (0..RUNS_TO_CONVICT).step_by(usize::try_from(RUNS_AT_ONCE).expect("it is small")) {
            let report = run(&text, self, first_seed + done, RUNS_AT_ONCE);
            if report.violations.iter().any(|found| self.is_expected(&found.what, bug)) {
                return;
            }
            found.extend(report.violations);
        }
        panic!("{} is not convicted of {}: {found:?}", bug.broken, bug.violates);
    }

    fn variant(&self, original: &str, other: &str) -> String {
        assert_eq!(self.text.matches(original).count(), 1, "one place to change: {original}");
        self.text.replace(original, other)
    }

    fn is_expected(&self, wrong: &Wrong, bug: &Bug) -> bool {
        let expected = Value::string(bug.violates);
        let mut goals = self.properties.lines().filter(|line| line.starts_with("eventually"));
        match wrong {
            Wrong::Property(violation) => violation.facts.iter().any(|fact| fact.first() == Some(&expected)),
            Wrong::Unmet(unmet) => Some(unmet.goal) == goals.position(|line| line.starts_with(bug.violates)),
            _ => false,
        }
    }
}

fn run(text: &str, protocol: &Protocol, first_seed: u64, runs: u64) -> CampaignReport {
    let read = |name: &str| {
        let found = protocol.included.iter().find(|(path, _)| *path == name);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "it is not on the bench".to_owned())
    };
    let source = gather(&Source::new("protocol.ded", text), read);
    let program = compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).program;
    let observer = properties::compile(&Source::new("properties.ded", protocol.properties), &program);
    let observer = PreparedObserver::new(&observer.unwrap_or_else(|errors| panic!("{errors}")));
    let Load { clients, requests } = protocol.load;
    let config = Config { clients, requests, ..Config::default() };
    campaign(&Prepared::new(&program, config), Some(&observer), &[], runs, first_seed, &mut |_| {})
}
