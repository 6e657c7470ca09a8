//! Voting and its scaled forms on loopback, with more and more closed-loop clients: `cargo bench -p menard-node`.

use std::sync::atomic::AtomicBool;

use menard_lang::source::Source;
use menard_lang::{Program, compile_text, plan};
use menard_node::{Config, run};
use menard_opt::apply_plan;
use menard_value::Value;

fn scaled(program: &Program, partitions: i64) -> Program {
    let source = Source::new("scalable.plan", include_str!("../../../protocols/voting/scalable.plan"));
    let overrides = [("partitions".into(), Value::Int(partitions))];
    let plan = plan::parse(&source, &overrides).unwrap_or_else(|errors| panic!("{errors}"));
    let stages = apply_plan(program, &plan).unwrap_or_else(|error| panic!("{error:?}"));
    stages.into_iter().next_back().expect("the plan has lines").program
}

fn main() {
    let voting = compile_text(include_str!("../../../protocols/voting/voting.ded"));
    println!("nodes  clients  commands/s  p50 us  p99 us  messages/command  busiest node  CPU us/command   bound/s");
    for program in [&voting, &scaled(&voting, 1), &scaled(&voting, 3), &scaled(&voting, 5)] {
        for clients in [1, 100, 1_000, 4_000] {
            let config = Config { clients, warmup_s: 0.5, duration_s: 3.0, ..Config::default() };
            match run(program, &config, &mut |_| {}, &AtomicBool::new(false)) {
                Ok(report) => println!(
                    "{:>5}  {clients:>7}  {:>10.0}  {:>6}  {:>6}  {:>16.2}  {:>12}  {:>14.2}  {:>8.0}",
                    report.nodes.len(),
                    report.throughput_per_s,
                    report.latency_us.p50,
                    report.latency_us.p99,
                    report.messages_per_command,
                    report.busiest.node,
                    report.busiest.cpu_us_per_command,
                    report.bound_per_s,
                ),
                Err(error) => println!("{:>5}  {clients:>7}  {error}", program.physical_nodes()),
            }
        }
    }
}
