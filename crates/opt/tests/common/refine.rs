//! Refinement over many seeds.

use std::collections::BTreeSet;

use menard_engine::{Inputs, Native, Natives, Outputs, Wiring};
use menard_lang::Program;
use menard_opt::Stage;
use menard_sim::{CampaignReport, Config, Prepared, campaign};

/// Runs the last program of the stages and checks every run against all programs before it.
pub fn check(original: &Program, stages: &[Stage], runs: u64, requests: u32) -> CampaignReport {
    check_with(original, stages, runs, Config { requests, ..Config::default() })
}

/// The same with other limits.
pub fn check_with(original: &Program, stages: &[Stage], runs: u64, config: Config) -> CampaignReport {
    let programs = std::iter::once(original).chain(stages.iter().map(|stage| &stage.program));
    let prepared: Vec<Prepared> =
        programs.map(|program| Prepared::with_natives(program, config.clone(), &natives())).collect();
    let lifts: Vec<menard_sim::Stage<'_>> = stages
        .iter()
        .zip(&prepared)
        .map(|(stage, original)| menard_sim::Stage { original, lift: &*stage.lift })
        .rev()
        .collect();
    let last = prepared.last().expect("there is the original at least");
    campaign(last, None, &lifts, runs, 1, &mut |_| {})
}

/// The native roles of tests: a `disk` that says of everything it is told to `write` that it is `written`.
fn natives() -> Natives {
    Natives::new().with("disk", |program, _| Box::new(Disk { wiring: Wiring::new(program) }))
}

#[derive(Clone)]
struct Disk {
    wiring: Wiring,
}

impl Native for Disk {
    fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        let written = self.wiring.channel("written").expect("programs with a disk have the channel");
        let told: BTreeSet<_> = inputs.iter().map(|message| (message.from, message.args.to_vec())).collect();
        for (from, args) in told {
            self.wiring.send(outputs, written, from, &args);
        }
    }

    fn reset(&mut self) {}

    fn fingerprint(&self) -> u128 {
        0
    }

    fn boxed_clone(&self) -> Box<dyn Native> {
        Box::new(self.clone())
    }
}
