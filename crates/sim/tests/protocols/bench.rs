//! A protocol on the bench: as it is, and with one rule broken.

use menard_lang::{Source, compile_text, properties};
use menard_sim::{CampaignReport, Config, Prepared, PreparedObserver, Wrong, campaign};
use menard_value::Value;

/// Runs of a protocol as it is. The command line runs many more.
const RUNS: u64 = 500;

/// Runs in which a broken protocol has to be convicted.
const RUNS_TO_CONVICT: u64 = 2_000;

/// The texts of a protocol.
pub struct Protocol {
    pub text: &'static str,
    pub properties: &'static str,
}

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
        let report = run(self.text, self.properties, RUNS);
        assert_eq!(report.violations, []);
        let silent: Vec<_> =
            report.channels.iter().filter(|(_, messages)| **messages == 0).map(|(name, _)| name).collect();
        assert!(silent.is_empty(), "nothing was ever sent on {silent:?}");
    }

    /// The mistake is found, as the violation that it should be.
    pub fn convicts(&self, bug: &Bug) {
        let pieces = self.text.matches(bug.original).count();
        assert_eq!(pieces, 1, "one place to break: {}", bug.original);
        let report = run(&self.text.replace(bug.original, bug.broken), self.properties, RUNS_TO_CONVICT);
        let expected = Value::string(bug.violates);
        let mut goals = self.properties.lines().filter(|line| line.starts_with("eventually"));
        let goal = goals.position(|line| line.starts_with(bug.violates));
        let convicted = report.violations.iter().any(|found| match &found.what {
            Wrong::Property(violation) => violation.facts.iter().any(|fact| fact.first() == Some(&expected)),
            Wrong::Unmet(unmet) => Some(unmet.goal) == goal,
            _ => false,
        });
        assert!(convicted, "{} is not convicted of {}: {:?}", bug.broken, bug.violates, report.violations);
    }
}

fn run(text: &str, rules: &str, runs: u64) -> CampaignReport {
    let program = compile_text(text);
    let observer = properties::compile(&Source::new("properties.ded", rules), &program);
    let observer = PreparedObserver::new(&observer.unwrap_or_else(|errors| panic!("{errors}")));
    campaign(&Prepared::new(&program, Config::default()), Some(&observer), &[], runs, 1, &mut |_| {})
}
