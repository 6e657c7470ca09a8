//! Rewritten programs run as the original does: more nodes, the same answers, nothing dropped.

mod common;

use common::{measure, short, voting};
use menard_lang::source::Source;
use menard_lang::{Program, plan};
use menard_node::Config;
use menard_opt::apply_plan;
use menard_value::Value;

fn scaled(partitions: i64) -> Program {
    let source = Source::new("scalable.plan", include_str!("../../../protocols/voting/scalable.plan"));
    let overrides = [("partitions".into(), Value::Int(partitions))];
    let plan = plan::parse(&source, &overrides).unwrap_or_else(|errors| panic!("{errors}"));
    let stages = apply_plan(&voting(), &plan).unwrap_or_else(|error| panic!("{error:?}"));
    stages.into_iter().next_back().expect("the plan has lines").program
}

#[test]
fn the_published_shapes_run() {
    for (partitions, nodes) in [(1, 6), (3, 16), (5, 26)] {
        let config = Config { duration_s: 0.5, ..short() };
        let report = measure(&scaled(partitions), &config).expect("scaled voting runs");
        assert_eq!(report.nodes.len(), nodes);
        assert!(report.commands > 100, "{report:#?}");
        assert_eq!((report.unexpected_replies, report.duplicate_replies, report.unanswered), (0, 0, 0));
        assert!(report.dropped().is_empty(), "{:?}", report.dropped());
        // As before, and one from the leader to the broadcaster.
        assert!((report.messages_per_command - 9.0).abs() < 0.6, "{}", report.messages_per_command);
        assert!(report.nodes.iter().all(|node| node.messages_in > 0), "every node takes part: {report:#?}");
    }
}
