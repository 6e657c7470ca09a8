//! Plans that do not fit the program: each says where in the plan, what, and what would be right.

use menard_lang::{Source, compile_text, plan};
use menard_opt::{PlanError, apply_plan, why_not};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");

fn error(lines: &str) -> PlanError {
    let text = format!("plan test for voting\n\n{lines}\n");
    let plan = plan::parse(&Source::new("test.plan", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    match apply_plan(&compile_text(VOTING), &plan) {
        Err(error @ PlanError::Misfit(_)) => error,
        Err(error) => panic!("not a misfit: {}", error.render(false)),
        Ok(_) => panic!("`{lines}` fits"),
    }
}

#[test]
fn misfits_are_explained() {
    let lines = [
        "decouple leadr { voted } into collector",
        "decouple leader { voted } into collector\ndecouple leader { votes } into counter",
        "decouple leader { balot } into broadcaster",
        "decouple leader { vote } into collector",
        "decouple leader { voted } into participant",
        "decouple leader { voted } into client",
        "decouple leader { voted } into collector using independant",
        "decouple leader { voted } into collector using monotone",
        "decouple leader { voted } into collector using co_hash",
        "partition voter by id into 3",
        "partition participant by ids into 3",
        "partition participant by ids % 3 into 3",
        "partition participant by hash(id) % 3 into 3",
        "partition participant by sign(c, id) into 3",
        "partition participant by id.round into 3",
        "partition participant by hash(7) into 3",
        "partition participant by id into 3\npartition participant by id into 3",
        "partition participant by id into 3\ndecouple participant { vote } into voter",
        "partition participant by id into 9999",
    ];
    let mut text = String::new();
    for line in lines {
        text += &error(line).render(false);
        text += "\n";
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_for_another_protocol_does_not_fit() {
    let text = "plan test for paxos\n\npartition acceptor by slot into 3\n";
    let plan = plan::parse(&Source::new("test.plan", text), &[]).expect("the plan is well-formed");
    let Err(error) = apply_plan(&compile_text(VOTING), &plan) else { panic!("it is for another protocol") };
    insta::assert_snapshot!(error.render(false));
}

#[test]
fn a_plan_without_lines_does_nothing() {
    let plan = plan::parse(&Source::new("test.plan", "plan test for voting\n"), &[]).expect("the plan is well-formed");
    assert!(apply_plan(&compile_text(VOTING), &plan).is_ok_and(|stages| stages.is_empty()));
}

#[test]
fn one_line_of_several_partitions_is_several_stages() {
    let plan =
        plan::parse(&Source::new("test.plan", "plan test for voting\ndecouple leader { voted } into collector"), &[]);
    let plan = plan.expect("the plan is well-formed");
    let stages = why_not(&compile_text(VOTING), &plan, "partition collector, participant by id into 2");
    let stages = stages.unwrap_or_else(|error| panic!("{}", error.render(false)));
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[1].program.physical_nodes(), 1 + 2 + 6);
}

#[test]
fn a_line_that_is_none_is_an_error() {
    let plan = plan::parse(&Source::new("test.plan", "plan test for voting\n"), &[]).expect("the plan is well-formed");
    assert!(matches!(why_not(&compile_text(VOTING), &plan, "decouple leader into"), Err(PlanError::Misfit(_))));
    assert!(matches!(why_not(&compile_text(VOTING), &plan, ""), Err(PlanError::Misfit(_))));
}

#[test]
fn whatever_the_new_component_is_called_the_program_is_well_formed_or_the_line_does_not_fit() {
    let names = [
        "start",
        "int",
        "count",
        "min",
        "hash",
        "length",
        "node",
        "protocol",
        "component",
        "new",
        "me",
        "from",
        "vote",
        "voted",
        "participants",
        "votes",
        "c",
        "id",
        "decouple",
        "table",
        "true",
        "violation",
        "observer",
        "delete",
        "of",
        "by",
        "client",
    ];
    for name in names {
        for line in ["decouple leader { voted } into NAME", "decouple leader { ballot } into NAME"] {
            let text = format!("plan test for voting\n{}\n", line.replace("NAME", name));
            let Ok(plan) = plan::parse(&Source::new("test.plan", text), &[]) else { continue };
            if let Err(error @ PlanError::IllFormed { .. }) = apply_plan(&compile_text(VOTING), &plan) {
                panic!("{}", error.render(false));
            }
        }
    }
}

/// Lines that authenticate fewer columns.
#[test]
fn authentication_that_does_not_fit_is_explained() {
    const NOTES: &str = "protocol voting role client external role server role store[3] fault byzantine 1 of store
        channel put(k: int, v: int) client -> server channel note(k: int, v: int, d: digest) server -> store authenticated(k, d)
        component server { note(k, v, hash(v))@s :~ put(k, v), store(s) }
        component store { got(k, v) :- note(k, v, d), d == hash(v) }";
    let mut text = String::new();
    for (protocol, line) in [
        (VOTING, "authenticate vote by id"),
        (NOTES, "authenticate not by k"),
        (NOTES, "authenticate note by k, e"),
        (NOTES, "authenticate note by k, k"),
        (NOTES, "authenticate note by k, v"),
        (NOTES, "authenticate note by d, k"),
    ] {
        let plan = plan::parse(&Source::new("test.plan", format!("plan test for voting\n\n{line}\n")), &[]);
        let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
        let Err(error @ PlanError::Misfit(_)) = apply_plan(&compile_text(protocol), &plan) else {
            panic!("`{line}` is no misfit")
        };
        text += &error.render(false);
        text += "\n";
    }
    insta::assert_snapshot!(text);
}

/// Three of four members are enough for a client, but the example of the error's page waits for all.
#[test]
fn what_answers_nobody_is_not_rewritten() {
    let page = include_str!("../../../book/src/errors/E0707.md");
    let examples: Vec<&str> =
        page.split("```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1)).collect();
    let [waiting, answering] = examples[..] else { panic!("the page has two examples") };
    let plan = plan::parse(&Source::new("test.plan", "plan test for votes\npartition member by id into 2\n"), &[]);
    let plan = plan.expect("the plan is well-formed");
    let Err(error @ PlanError::Unanswered(_)) = apply_plan(&compile_text(waiting), &plan) else {
        panic!("one liar is enough")
    };
    insta::assert_snapshot!(error.render(false));
    let empty = plan::parse(&Source::new("test.plan", "plan test for votes\n"), &[]).expect("the plan is well-formed");
    let why_not = why_not(&compile_text(waiting), &empty, "partition member by id into 2");
    assert!(matches!(why_not, Err(PlanError::Unanswered(_))));
    assert!(apply_plan(&compile_text(answering), &plan).is_ok());
    assert!(apply_plan(&compile_text(waiting), &empty).is_ok());
    let honest = waiting.replace("byzantine", "crash");
    assert!(apply_plan(&compile_text(&honest), &plan).is_ok());
}
