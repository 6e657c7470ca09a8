//! Plans.

use menard_lang::plan::{LineKind, Plan, parse, parse_line};
use menard_lang::{Source, parse_override};

const SCALABLE: &str = include_str!("../../../protocols/voting/scalable.plan");

fn plan(text: &str) -> Plan {
    parse(&Source::new("test.plan", text), &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn codes(text: &str) -> Vec<&'static str> {
    let errors = parse(&Source::new("test.plan", text), &[]).expect_err("the plan has errors");
    errors.iter().map(|error| error.code.name()).collect()
}

#[test]
fn the_plan_of_voting_is_read() {
    let plan = plan(SCALABLE);
    assert_eq!((plan.name.as_str(), plan.protocol.as_str()), ("scalable", "voting"));
    let lines: Vec<String> = plan.lines.iter().map(|line| line.kind.to_string()).collect();
    assert_eq!(
        lines,
        [
            "decouple leader { voted } into collector",
            "decouple leader { ballot } into broadcaster",
            "partition broadcaster by id into 3",
            "partition participant by id into 3",
            "partition collector by id into 3",
        ]
    );
    let first = plan.lines[0].span;
    assert_eq!(&plan.source.text[first.start as usize..first.end as usize], lines[0]);
}

#[test]
fn parameters_are_overridden() {
    let given = parse_override("partitions=5").unwrap_or_else(|errors| panic!("{errors}"));
    let plan = parse(&Source::new("test.plan", SCALABLE), &[given]).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(plan.lines.iter().skip(2).all(|line| matches!(line.kind, LineKind::Partition { into: 5, .. })));
    let unknown = parse_override("partition = 5").unwrap_or_else(|errors| panic!("{errors}"));
    let errors = parse(&Source::new("test.plan", SCALABLE), &[unknown]).expect_err("no such parameter");
    assert_eq!(errors.iter().map(|error| error.code.name()).collect::<Vec<_>>(), ["E0210"]);
}

#[test]
fn a_partition_of_several_components_is_several_lines() {
    let lines = parse_line("partition a, b by x, y into 2 + 1").unwrap_or_else(|errors| panic!("{errors}"));
    let lines: Vec<String> = lines.iter().map(|line| line.kind.to_string()).collect();
    assert_eq!(lines, ["partition a by x, y into 3", "partition b by x, y into 3"]);
    let lines = parse_line("partition a by hash(x % (2 + 1)), y.z into 2").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(lines[0].kind.to_string(), "partition a by hash(x % (2 + 1)), y.z into 2");
    let lines = parse_line("partition a by x into 3 with c").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(lines[0].kind.to_string(), "partition a by x into 3 with c");
    let lines = parse_line("decouple a { b, c } into d using functional").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(lines[0].kind.to_string(), "decouple a { b, c } into d using functional");
}

#[test]
fn malformed_plans_are_refused() {
    assert_eq!(codes(""), ["E0107"]);
    assert_eq!(codes("partition a into 2"), ["E0107"]);
    assert_eq!(codes("plan p for q\npartition a into 0"), ["E0701"]);
    assert_eq!(codes("plan p for q\npartition a into 1_000_000_000_000"), ["E0701"]);
    assert_eq!(codes("plan p for q\npartition a into \"2\""), ["E0701"]);
    assert_eq!(codes("plan p for q\npartition a into n"), ["E0303"]);
    assert_eq!(codes("plan p for q\npartition a by _ into 2"), ["E0402"]);
    assert_eq!(codes("plan p for q\npartition a by hash(me) into 2"), ["E0402"]);
    assert_eq!(codes("plan p for q\npartition a by hsh(x) into 2"), ["E0203"]);
    assert_eq!(codes("plan p for q\ndecouple a {} into b\ndecouple a b into c\nsplit a"), ["E0101", "E0101", "E0101"]);
    assert!(parse_line("partition a into 2 partition b into 2").is_err());
    assert!(parse_override("x").is_err());
    assert!(parse_override("x = y").is_err());
    assert!(parse_override("1 = 1").is_err());
}

/// A name that stands alone is a column, whatever the plan calls its parameters.
#[test]
fn parameters_of_a_plan_are_constants_in_keys() {
    let plan = plan("plan p for q\nparam n: int = 4\npartition a by x % n, n into n");
    assert_eq!(plan.lines[0].kind.to_string(), "partition a by x % 4, n into 4");
}
