//! The ledger of a campaign: what its runs gave so far, in a file, so that it can be stopped at any moment and go on later.
//!
//! What went wrong is written down by where the runs come from alone: they show it again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menard_sim::{CampaignReport, Coverage, Descent, Firings, Found, Layer, Sketch};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::failure::{Failure, Result};

/// The file is written so often: no more than that is lost with a campaign that is killed.
const SAVED_EVERY: Duration = Duration::from_secs(1);

/// What tells builds apart that make something else of a seed; it differs, too, where anything else does.
pub const BUILD: &str = "build";
/// The version of menard.
pub const VERSION: &str = "version";

/// A ledger, open.
pub struct Ledger {
    path: PathBuf,
    about: Map<String, Value>,
    /// When it was written last.
    saved: Option<Instant>,
}

/// What a ledger says of a campaign that was begun.
#[derive(Debug)]
pub struct Begun {
    /// What was done. What went wrong is not among it.
    pub report: CampaignReport,
    /// Where the runs come from in which that was.
    pub wrong: Vec<Descent>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerFile {
    /// What decides what the runs give.
    campaign: Map<String, Value>,
    seconds: f64,
    runs: u64,
    wrong_runs: u64,
    wrong_descents: Vec<String>,
    drained_runs: u64,
    rested_runs: u64,
    restless_runs: u64,
    undecided_runs: u64,
    unsettled_runs: u64,
    steps: u64,
    messages: u64,
    requests: u64,
    replies: u64,
    forged: u64,
    simulated_us: u64,
    layers: Vec<(String, u64)>,
    lost: u64,
    blows: u64,
    channels: Vec<(String, u64)>,
    /// Runs and times of each rule, by component.
    rules: Vec<Vec<(u64, u64)>>,
    states: Option<Vec<u8>>,
    hash: u64,
}

impl Ledger {
    /// Opens a ledger, which need not be there yet. `about` is all that decides what the runs give: a ledger of anything else is refused.
    pub fn open(path: &Path, about: Map<String, Value>) -> Result<(Ledger, Option<Begun>)> {
        let ledger = Ledger { path: path.to_owned(), about, saved: None };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((ledger, None)),
            Err(error) => return Err(Failure::file("read", path, &error)),
        };
        let json: Value = serde_json::from_str(&text).map_err(|error| ledger.no_ledger(&error))?;
        let campaign = json.get("campaign").and_then(Value::as_object).filter(|campaign| campaign.contains_key(BUILD));
        ledger.is_of(campaign.ok_or_else(|| ledger.no_ledger(&"nothing in it says of which"))?)?;
        // It is of this campaign, so whatever in it is not as this build writes it, another one has written.
        let file: LedgerFile = serde_json::from_value(json).map_err(|error| ledger.of_other_build(&error))?;
        let begun = file.begun().ok_or_else(|| ledger.of_other_build(&"its figures do not fit together"))?;
        Ok((ledger, Some(begun)))
    }

    /// Complains if a ledger with this heading is not the one of this campaign and this build.
    fn is_of(&self, campaign: &Map<String, Value>) -> Result<()> {
        let differs = |key: &&String| campaign.get(*key) != self.about.get(*key);
        let keys: BTreeSet<&String> = self.about.keys().chain(campaign.keys()).collect();
        let mut other: Vec<&str> = keys.into_iter().filter(differs).map(String::as_str).collect();
        let is_known = |key: &&str| campaign.contains_key(*key) && self.about.contains_key(*key);
        if other.contains(&VERSION) || other == [BUILD] || !other.iter().all(is_known) {
            return Err(self.of_other_build(&format!("not the same {}", other.join(", "))));
        }
        other.retain(|key| *key != BUILD);
        if other.is_empty() {
            return Ok(());
        }
        let message =
            format!("{} is the ledger of another campaign: not the same {}", self.path.display(), other.join(", "));
        Err(Failure::environment(message, "name another file, or go on with the campaign that it is of"))
    }

    fn no_ledger(&self, why: &dyn std::fmt::Display) -> Failure {
        let message = format!("{} is no ledger of a campaign: {why}", self.path.display());
        Failure::environment(message, "name another file, or a new one")
    }

    fn of_other_build(&self, why: &dyn std::fmt::Display) -> Failure {
        let message = format!("{} is a ledger that another build of menard has written: {why}", self.path.display());
        let help = "name a new file to begin anew with this build, or go on with the build that has written it";
        Failure::environment(message, help)
    }

    /// Writes down what was done so far, if the last time is long ago.
    pub fn keep(&mut self, report: &CampaignReport, seconds: f64) -> Result<()> {
        match self.saved {
            Some(saved) if saved.elapsed() < SAVED_EVERY => Ok(()),
            _ => self.save(report, seconds),
        }
    }

    /// Writes down what was done so far. Whenever this is interrupted, the old file is there, or the new one.
    pub fn save(&mut self, report: &CampaignReport, seconds: f64) -> Result<()> {
        let file = LedgerFile::new(self.about.clone(), report, seconds);
        let text = serde_json::to_string_pretty(&file).expect("the keys of all maps are texts");
        self.replace(&text).map_err(|error| Failure::file("write", &self.path, &error))?;
        self.saved = Some(Instant::now());
        Ok(())
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = self.path.with_file_name(name);
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }
}

/// The name of a way to lie, if there is one of this name.
fn layer(name: &str) -> Option<&'static str> {
    Layer::ALL.iter().map(|layer| layer.name()).find(|known| *known == name)
}

impl LedgerFile {
    fn new(campaign: Map<String, Value>, report: &CampaignReport, seconds: f64) -> Self {
        let pair = |rule: &Firings| (rule.runs, rule.times);
        LedgerFile {
            campaign,
            seconds,
            runs: report.runs,
            wrong_runs: report.wrong_runs,
            wrong_descents: report.violations.iter().map(|found: &Found| found.descent.to_string()).collect(),
            drained_runs: report.drained_runs,
            rested_runs: report.rested_runs,
            restless_runs: report.restless_runs,
            undecided_runs: report.undecided_runs,
            unsettled_runs: report.unsettled_runs,
            steps: report.steps,
            messages: report.messages,
            requests: report.requests,
            replies: report.replies,
            forged: report.forged,
            simulated_us: report.simulated_us,
            layers: report.layers.iter().map(|(name, runs)| ((*name).to_owned(), *runs)).collect(),
            lost: report.lost,
            blows: report.blows,
            channels: report.channels.iter().map(|(name, count)| (name.to_string(), *count)).collect(),
            rules: report.coverage.rules.iter().map(|rules| rules.iter().map(pair).collect()).collect(),
            states: report.coverage.states.as_ref().map(|states| states.registers().to_vec()),
            hash: report.hash,
        }
    }

    /// What it says; nothing if that cannot be.
    fn begun(self) -> Option<Begun> {
        let firings = |(runs, times): &(u64, u64)| Firings { runs: *runs, times: *times };
        let states = match self.states {
            Some(registers) => Some(Sketch::from_registers(registers)?),
            None => None,
        };
        let is_sound = self.wrong_descents.len() as u64 <= self.wrong_runs && self.wrong_runs <= self.runs;
        let report = CampaignReport {
            runs: self.runs,
            wrong_runs: self.wrong_runs,
            violations: Vec::new(),
            drained_runs: self.drained_runs,
            rested_runs: self.rested_runs,
            restless_runs: self.restless_runs,
            undecided_runs: self.undecided_runs,
            unsettled_runs: self.unsettled_runs,
            steps: self.steps,
            messages: self.messages,
            requests: self.requests,
            replies: self.replies,
            forged: self.forged,
            simulated_us: self.simulated_us,
            layers: self.layers.iter().map(|(name, runs)| Some((layer(name)?, *runs))).collect::<Option<_>>()?,
            lost: self.lost,
            blows: self.blows,
            channels: self.channels.into_iter().map(|(name, count)| (name.into(), count)).collect(),
            coverage: Coverage {
                rules: self.rules.iter().map(|rules| rules.iter().map(firings).collect()).collect(),
                states,
            },
            hash: self.hash,
        };
        let wrong = self.wrong_descents.iter().map(|descent| descent.parse().ok()).collect::<Option<_>>()?;
        is_sound.then_some(Begun { report, wrong, seconds: self.seconds })
    }
}
