//! Voting on loopback with 100, 1,000 and 4,000 closed-loop clients: `cargo bench -p menard-node`.

use std::sync::atomic::AtomicBool;

use menard_lang::compile_text;
use menard_node::{Config, run};

fn main() {
    let program = compile_text(include_str!("../../../protocols/voting/voting.ded"));
    println!("clients  commands/s  p50 us  p99 us  messages/command  busiest node  CPU us/command  bound/s");
    for clients in [1, 100, 1_000, 4_000] {
        let config = Config { clients, warmup_s: 0.5, duration_s: 3.0, ..Config::default() };
        match run(&program, &config, &mut |_| {}, &AtomicBool::new(false)) {
            Ok(report) => {
                println!(
                    "{clients:>7}  {:>10.0}  {:>6}  {:>6}  {:>16.2}  {:>12}  {:>14.2}  {:>7.0}",
                    report.throughput_per_s,
                    report.latency_us.p50,
                    report.latency_us.p99,
                    report.messages_per_command,
                    report.busiest.node,
                    report.busiest.cpu_us_per_command,
                    report.bound_per_s,
                );
                for node in &report.nodes {
                    let per_step = node.messages_in as f64 / node.steps.max(1) as f64;
                    println!(
                        "         {}: {:.2} us, {per_step:.1} messages a step",
                        node.node, node.cpu_us_per_command
                    );
                }
            }
            Err(error) => println!("{clients:>7}  {error}"),
        }
    }
}
