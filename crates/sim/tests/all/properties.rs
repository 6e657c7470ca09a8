//! Properties: a broken program is convicted, and its run becomes small and readable.

use menard_sim::{Brevity, Config, Run, Wrong, campaign, shrink, simulate, space_time};

use crate::programs::{VOTING, VOTING_PROPERTIES, hasty_voting, observe, prepare};

#[test]
fn voting_keeps_its_properties() {
    let (program, prepared) = prepare(VOTING, Config::default());
    let observer = observe(&program, VOTING_PROPERTIES);
    let report = campaign(&prepared, Some(&observer), &[], 500, 0, &mut |_| {});
    assert_eq!(report.violations, []);
    assert!(report.channels.values().all(|messages| *messages > 0));
}

/// The first violating run of the broken program.
fn convict() -> (menard_sim::Prepared, menard_sim::PreparedObserver, Run) {
    let (program, prepared) = prepare(&hasty_voting(), Config::default());
    let observer = observe(&program, VOTING_PROPERTIES);
    let report = campaign(&prepared, Some(&observer), &[], 50, 0, &mut |_| {});
    let found = report.violations.first().expect("some run replies before it has all votes");
    assert!(matches!(&found.what, Wrong::Property(violation) if violation.rule == 0));
    let run = simulate(&prepared, Some(&observer), &found.descent);
    assert!(run.violation.is_some(), "a seed shows its violation again");
    (prepared, observer, run)
}

#[test]
fn a_reply_without_all_votes_is_convicted_and_shrunk() {
    let (prepared, observer, run) = convict();
    let rule = run.violation.as_ref().map(|violation| violation.rule);
    let small = shrink(&prepared, Some(&observer), &run.trace, Brevity::Messages, &mut |run| {
        run.violation.as_ref().map(|violation| violation.rule) == rule
    });
    assert!(small.trace.events.len() < run.trace.events.len());
    insta::assert_snapshot!(space_time(prepared.names(), &small.trace, small.violation.as_ref()), @r#"
       ┌ client[0]
       │  ┌ leader
       │  │  ┌ participant[1]
       │  │  │  ┌ participant[2]
    1  ●  │  │  │  client[0] sends m1 ▸ request(7, 0x63) to leader
    2  ├─▶●  │  │  leader takes m1 request(7, 0x63) from client[0]
       │  │  │  │      m2 ▸ ballot(client[0], 7, 0x63) to participant[0]
       │  │  │  │      m3 ▸ ballot(client[0], 7, 0x63) to participant[1]
       │  │  │  │      m4 ▸ ballot(client[0], 7, 0x63) to participant[2]
    3  │  ├─▶●  │  participant[1] takes m3 ballot(client[0], 7, 0x63) from leader
       │  │  │  │      m5 ▸ vote(client[0], 7) to leader
    4  │  ├──┼─▶●  participant[2] takes m4 ballot(client[0], 7, 0x63) from leader
       │  │  │  │      m6 ▸ vote(client[0], 7) to leader
    5  │  ●◀─┼──┤  leader takes m6 vote(client[0], 7) from participant[2]
    6  │  ●◀─┤  │  leader takes m5 vote(client[0], 7) from participant[1]
       │  │  │  │      m7 ▸ reply(7) to client[0]
    7  ●◀─┤  │  │  client[0] takes m7 reply(7) from leader
    ✗  violation("reply without a vote", client[0], 7, participant[0])
    "#);
}

#[test]
fn a_run_without_the_property_comes_back_as_it_is() {
    let (prepared, observer, run) = convict();
    let same = shrink(&prepared, Some(&observer), &run.trace, Brevity::Messages, &mut |_| false);
    assert_eq!(same.trace, run.trace);
}
