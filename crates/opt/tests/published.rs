//! The published shapes, from the texts and plans of the library alone.

use menard_lang::ir::Name;
use menard_lang::plan::{self, Plan};
use menard_lang::{Source, compile_text};
use menard_opt::{Stage, apply_plan, why_not};
use menard_value::Value;

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const SCALABLE: &str = include_str!("../../../protocols/voting/scalable.plan");

fn scalable(partitions: i64) -> Plan {
    let overrides = [(Name::from("partitions"), Value::Int(partitions))];
    plan::parse(&Source::new("scalable.plan", SCALABLE), &overrides).expect("the plan is well-formed")
}

fn stages(partitions: i64) -> Vec<Stage> {
    apply_plan(&compile_text(VOTING), &scalable(partitions)).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

#[test]
fn voting_has_the_published_numbers_of_nodes() {
    for (partitions, nodes) in [(1, 6), (3, 16), (5, 26)] {
        let stages = stages(partitions);
        let last = stages.last().expect("the plan has lines");
        assert_eq!(last.program.physical_nodes(), nodes, "{partitions} partitions");
    }
}

/// What the book's page on published protocols says of the store.
#[test]
fn the_replicated_store_has_a_plan_for_each_figure() {
    let kvs = compile_text(include_str!("../../../protocols/kvs/kvs.ded"));
    let figures = [
        (include_str!("../../../protocols/kvs/collected.plan"), 5),
        (include_str!("../../../protocols/kvs/detached.plan"), 6),
        (include_str!("../../../protocols/kvs/broadcast.plan"), 5),
        (include_str!("../../../protocols/kvs/scalable.plan"), 19),
        (include_str!("../../../protocols/kvs/by_hash.plan"), 10),
    ];
    for (text, nodes) in figures {
        let plan = plan::parse(&Source::new("figure.plan", text), &[]).expect("the plan is well-formed");
        let stages = apply_plan(&kvs, &plan).unwrap_or_else(|error| panic!("{}", error.render(false)));
        assert_eq!(stages.last().expect("the plan has lines").program.physical_nodes(), nodes, "{}", plan.name);
    }
}

#[test]
fn every_stage_is_named_after_its_line() {
    let stages = stages(3);
    let rewrites: Vec<&str> = stages.iter().map(|stage| stage.rewrite).collect();
    assert_eq!(rewrites, ["independent", "functional", "co-hash", "co-hash", "co-hash"]);
    assert_eq!(&*stages[1].program.source.name, "<voting after line 2 of scalable>");
}

#[test]
fn the_rewritten_program_and_its_proofs_read_well() {
    let stages = stages(3);
    let mut text = String::new();
    for stage in &stages {
        text += &format!("{}  [{}]\n", stage.line, stage.rewrite);
        for proof in &stage.proofs {
            text += &format!("  {} {}\n", proof.precondition, proof.sentence);
        }
    }
    text += "\n";
    text += &stages.last().expect("the plan has lines").program.source.text;
    insta::assert_snapshot!(text);
}

#[test]
fn the_leader_cannot_be_partitioned() {
    let plan = Plan { lines: Vec::new(), ..scalable(3) };
    let Err(refusal) = why_not(&compile_text(VOTING), &plan, "partition leader by id into 3") else {
        panic!("clients address the leader")
    };
    insta::assert_snapshot!(refusal.render(false));
}

#[test]
fn a_rule_with_negation_cannot_be_decoupled_functionally() {
    let text = VOTING.replace(
        "ballot(c, id, cmd)@p   :~ request(id, cmd) from c, participant(p)",
        "asked(c, id)           :- request(id, _) from c\n  ballot(c, id, cmd)@p   :~ request(id, cmd) from c, participant(p), !voted(c, id, p)",
    );
    let plan = Plan { lines: Vec::new(), ..scalable(3) };
    let Err(refusal) = why_not(&compile_text(&text), &plan, "decouple leader { ballot } into broadcaster") else {
        panic!("a negation cannot be forwarded")
    };
    insta::assert_snapshot!(refusal.render(false));
}
