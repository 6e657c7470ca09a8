//! Refinement: accepts what the original can do, refuses what it cannot.

use std::collections::BTreeSet;

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Lift, Message, Schedule, Struck, Trace};
use menard_sim::{
    Brevity, Config, Difference, Mismatch, Obstacle, Prepared, RefineStats, Refiner, Stage, campaign, refine,
    schedule_of, shrink, simulate, space_time,
};
use menard_value::Value;

use crate::programs::{VOTING, decoupled_voting, fair, prepare};

/// A run of a program is a run of the same program.
struct Identity;

impl Lift for Identity {
    fn lift(&self, run: &Trace) -> Schedule {
        schedule_of(run)
    }
}

/// A run of a program is a run of the same program, in which messages of this channel are sent late.
struct Late(&'static str);

impl Lift for Late {
    fn lift(&self, run: &Trace) -> Schedule {
        schedule_of(run)
    }

    fn inexact(&self) -> BTreeSet<Name> {
        BTreeSet::from([self.0.into()])
    }
}

/// What happens at the component `collector` happened at this component of the original.
pub struct To(pub &'static str);

impl Lift for To {
    fn lift(&self, run: &Trace) -> Schedule {
        let mut schedule = schedule_of(run);
        for event in &mut schedule.events {
            if let Event::Step { at, .. }
            | Event::Repeat { at, .. }
            | Event::Crash { whom: Struck::Part(at) }
            | Event::Restart { whom: Struck::Part(at) } = event
                && at.component == "collector"
            {
                *at = Address { component: self.0.into(), part: 0, ..at.clone() };
            }
        }
        schedule
    }
}

fn check(original: &Prepared, lift: &dyn Lift, trace: &Trace) -> Result<RefineStats, Box<Mismatch>> {
    refine(&[Stage { original, lift }], trace)
}

/// A drained run of voting.
fn run_of_voting() -> (Prepared, Trace) {
    let (_, prepared) = prepare(VOTING, Config { requests: 3, ..fair() });
    let trace = simulate(&prepared, None, 3).trace;
    assert!(trace.drained);
    (prepared, trace)
}

fn difference(original: &Prepared, trace: &Trace) -> Difference {
    check(original, &Identity, trace).expect_err("the original cannot do that").difference
}

#[test]
fn a_program_refines_itself() {
    let (_, prepared) = prepare(VOTING, Config::default());
    let stages = [Stage { original: &prepared, lift: &Identity }; 3];
    let report = campaign(&prepared, None, &stages, 200, 0, &mut |_| {});
    assert_eq!(report.violations, []);
    assert!(report.drained_runs > 80 && report.lost > 0);
}

#[test]
fn a_program_refines_itself_whatever_fails() {
    for fault in ["fault crash 2", "fault restart 3", "fault omission 3"] {
        let text = VOTING.replace("fault omission 1", fault);
        for text in
            [text.clone(), text.replace("of participant", "of leader").replace(" 2 ", " 1 ").replace(" 3 ", " 1 ")]
        {
            let (_, prepared) = prepare(&text, Config::default());
            let report =
                campaign(&prepared, None, &[Stage { original: &prepared, lift: &Identity }], 200, 0, &mut |_| {});
            assert_eq!(report.violations, []);
            assert!(report.lost + report.blows > 50, "{fault}: {report:?}");
        }
    }
}

#[test]
fn nothing_is_claimed_where_a_node_of_the_original_does_not_settle() {
    let restless = "protocol restless
        role client external
        role a
        channel go() client -> a
        component a { event tick(n: int)   tick(0) :+ go()   tick(n + 1) :+ tick(n) }";
    let (_, original) = prepare(restless, fair());
    let (_, calm) = prepare(&restless.replace("tick(n + 1) :+ tick(n)", ""), fair());
    let report = campaign(&calm, None, &[Stage { original: &original, lift: &Identity }], 20, 0, &mut |_| {});
    assert_eq!((report.violations, report.unsettled_runs), (Vec::new(), 20));
}

#[test]
fn halves_that_forget_at_once_refine_a_node_that_forgets() {
    // Two answers, each from a memory of its own: a restart loses both.
    let memory = "protocol memory
        role client external
        role front
        role server
        fault restart 1 of server
        channel ask_a(x: int)           client -> front
        channel ask_b(x: int)           client -> front
        channel a(c: node, x: int)      front -> server
        channel b(c: node, x: int)      front -> server
        channel new_a(x: int)           server -> client
        channel new_b(x: int)           server -> client
        component front {
          a(c, x)@s :~ ask_a(x) from c, server(s)
          b(c, x)@s :~ ask_b(x) from c, server(s)
        }
        component server {
          table seen_a(x: int)
          table seen_b(x: int)
          seen_a(x)  :+ a(_, x)
          new_a(x)@c :~ a(c, x), !seen_a(x)
          seen_b(x)  :+ b(_, x)
          new_b(x)@c :~ b(c, x), !seen_b(x)
        }";
    let mut split = memory.replace("b(c: node, x: int)      front -> server", "b(c: node, x: int) front -> collector");
    split = split.replace("new_b(x: int)           server", "new_b(x: int) collector");
    for line in ["table seen_b(x: int)", "seen_b(x)  :+ b(_, x)", "new_b(x)@c :~ b(c, x), !seen_b(x)"] {
        split = split.replace(line, "");
    }
    split += "component collector of server { table seen_b(x: int)  seen_b(x) :+ b(_, x)  new_b(x)@c :~ b(c, x), !seen_b(x) }";
    let config = Config { requests: 12, ..Config::default() };
    let (_, original) = prepare(memory, config.clone());
    let (_, rewritten) = prepare(&split, config);
    let lift = To("server");
    let stages = [Stage { original: &original, lift: &lift }];
    let report = campaign(&rewritten, None, &stages, 300, 0, &mut |_| {});
    assert_eq!(report.violations, [], "a node that restarts whole");
    assert!(report.blows > 100);
}

#[test]
fn voting_decoupled_by_hand_refines_voting() {
    let (_, original) = prepare(VOTING, Config::default());
    let (program, rewritten) = prepare(&decoupled_voting(), Config::default());
    assert_eq!(program.physical_nodes(), 1 + 3 + 3);
    let stages = [Stage { original: &original, lift: &To("leader") }];
    let report = campaign(&rewritten, None, &stages, 300, 0, &mut |_| {});
    assert_eq!(report.violations, []);
}

#[test]
fn counting_too_few_votes_is_no_refinement() {
    let hasty = decoupled_voting()
        .replace("reply(id)@c            :~ new votes(c, id, participants)", "reply(id)@c :~ new votes(c, id, 2)");
    let (_, original) = prepare(VOTING, Config::default());
    let (_, rewritten) = prepare(&hasty, Config::default());
    let stages = [Stage { original: &original, lift: &To("leader") }];
    let report = campaign(&rewritten, None, &stages, 20, 0, &mut |_| {});
    assert!(report.wrong_runs > 10, "{report:?}");
}

#[test]
fn a_run_that_is_no_refinement_is_shrunk() {
    let hasty = decoupled_voting()
        .replace("reply(id)@c            :~ new votes(c, id, participants)", "reply(id)@c :~ new votes(c, id, 2)");
    let (_, original) = prepare(VOTING, Config::default());
    let (_, rewritten) = prepare(&hasty, Config::default());
    let mut refiner = Refiner::new(&[Stage { original: &original, lift: &To("leader") }]);
    let mut traces = (0..50).map(|seed| simulate(&rewritten, None, seed).trace);
    let trace = traces.find(|trace| refiner.check(trace).is_err()).expect("some run is no refinement");
    let small = shrink(&rewritten, None, &trace, Brevity::Messages, &mut |run| refiner.check(&run.trace).is_err());
    // A request, its arrival, two ballots, two votes.
    assert_eq!(schedule_of(&small.trace).events.len(), 6, "{}", space_time(rewritten.names(), &small.trace, None));
}

#[test]
fn a_dropped_output_is_noticed() {
    let (prepared, mut trace) = run_of_voting();
    let reply = last_reply(&trace);
    for event in &mut trace.events {
        if let Event::Step { outputs, .. } = event {
            outputs.retain(|output| *output != reply);
        }
    }
    trace.events.retain(|event| !matches!(event, Event::Take { message, .. } if *message == reply));
    assert_eq!(difference(&prepared, &trace), Difference::Missing);
    assert_eq!(
        check(&prepared, &Late("reply"), &trace).expect_err("nothing is left to do").difference,
        Difference::Missing
    );
    // Heartbeats may keep a run from ever being drained; where turns are turns of the original, that is no excuse.
    trace.drained = false;
    assert_eq!(difference(&prepared, &trace), Difference::Missing);
    assert!(check(&prepared, &Late("ballot"), &trace).is_err());
    check(&prepared, &Late("reply"), &trace).expect("what makes the reply may be on its way for long");
}

/// One stage that is lax about a channel makes no other stage lax.
#[test]
fn what_one_stage_drops_is_noticed_whatever_other_stages_may_delay() {
    let silent = VOTING.replace("new votes(c, id, participants)", "new votes(c, id, participants), id > 1_000_000");
    assert_ne!(silent, VOTING);
    let (_, original) = prepare(VOTING, fair());
    let (_, rewritten) = prepare(&silent, fair());
    for delayed in ["ballot", "reply"] {
        let lax = Late(delayed);
        let stages = [Stage { original: &rewritten, lift: &lax }, Stage { original: &original, lift: &Identity }];
        let mut refiner = Refiner::new(&stages);
        let mismatches: Vec<_> =
            (0..20).filter_map(|seed| refiner.check(&simulate(&rewritten, None, seed).trace).err()).collect();
        assert!(mismatches.len() > 10, "{mismatches:?}");
        assert!(mismatches.iter().all(|found| (found.stage, &found.difference) == (1, &Difference::Missing)));
    }
}

#[test]
fn an_invented_message_is_noticed() {
    let (prepared, mut trace) = run_of_voting();
    let reply = Message { args: vec![Value::Int(77)], ..last_reply(&trace) };
    let step = trace.events.iter_mut().rev().find_map(|event| match event {
        Event::Step { outputs, .. } => Some(outputs),
        _ => None,
    });
    step.expect("there are steps").push(reply.clone());
    assert_eq!(difference(&prepared, &trace), Difference::Invented);
    trace.events.push(Event::Take { message: reply, lost: false });
    assert_eq!(difference(&prepared, &trace), Difference::Blocked(Obstacle::NotInFlight));
}

#[test]
fn a_message_delivered_twice_is_noticed() {
    let (prepared, mut trace) = run_of_voting();
    let again =
        trace.events.iter().rev().find(|event| matches!(event, Event::Step { inputs, .. } if !inputs.is_empty()));
    let again = again.expect("there are steps").clone();
    trace.events.push(again);
    assert_eq!(difference(&prepared, &trace), Difference::Blocked(Obstacle::NotInFlight));
}

#[test]
fn deliveries_to_external_nodes_in_another_order_are_noticed() {
    struct Reordering;
    impl Lift for Reordering {
        fn lift(&self, run: &Trace) -> Schedule {
            let mut schedule = schedule_of(run);
            let (takes, mut others): (Vec<Event>, Vec<Event>) =
                schedule.events.drain(..).partition(|event| matches!(event, Event::Take { .. }));
            others.extend(takes.into_iter().rev());
            Schedule { events: others, choice_seed: run.choice_seed }
        }
    }
    let (prepared, trace) = run_of_voting();
    let mismatch = check(&prepared, &Reordering, &trace).expect_err("the order of replies differs");
    assert_eq!(mismatch.difference, Difference::History);
}

#[test]
fn messages_taken_together_instead_of_apart_are_noticed() {
    struct Merging;
    impl Lift for Merging {
        fn lift(&self, run: &Trace) -> Schedule {
            let mut schedule = schedule_of(run);
            let takes_two = |pair: &[Event]| match pair {
                [Event::Step { at, .. }, Event::Step { at: next, .. }] => at == next,
                _ => false,
            };
            let Some(position) = schedule.events.windows(2).position(takes_two) else { return schedule };
            if let Event::Step { inputs: taken, .. } = schedule.events.remove(position + 1)
                && let Event::Step { inputs, .. } = &mut schedule.events[position]
            {
                inputs.extend(taken);
            }
            schedule
        }
    }
    let (_, prepared) = prepare(VOTING, fair());
    let runs = (0..20).map(|seed| simulate(&prepared, None, seed).trace);
    let differences: Vec<Difference> =
        runs.filter_map(|trace| check(&prepared, &Merging, &trace).err()).map(|mismatch| mismatch.difference).collect();
    assert!(differences.contains(&Difference::History), "{differences:?}");
}

#[test]
fn a_lift_that_leaves_work_undone_is_noticed() {
    struct Forgetful;
    impl Lift for Forgetful {
        fn lift(&self, run: &Trace) -> Schedule {
            let mut schedule = schedule_of(run);
            let last = schedule.events.iter().rposition(|event| matches!(event, Event::Step { .. }));
            schedule.events.truncate(last.expect("there are steps"));
            schedule
        }
    }
    let (prepared, trace) = run_of_voting();
    assert!(check(&prepared, &Forgetful, &trace).is_err());
}

#[test]
fn steps_of_a_crashed_node_cannot_be_lifted() {
    let (prepared, mut trace) = run_of_voting();
    let node = prepared.addresses()[0].node;
    trace.events.insert(prepared.addresses().len(), Event::Crash { whom: Struck::Whole(node) });
    trace.drained = false;
    assert_eq!(difference(&prepared, &trace), Difference::Blocked(Obstacle::Crashed));
}

#[test]
fn mismatches_read_well() {
    let (prepared, mut trace) = run_of_voting();
    let reply = Message { args: vec![Value::Int(77)], ..last_reply(&trace) };
    trace.events.push(Event::Take { message: reply, lost: false });
    let mismatch = check(&prepared, &Identity, &trace).expect_err("the reply was never sent");
    insta::assert_snapshot!(mismatch, @"not a run of the original: at reply(77) from leader to client[1] the message is not in flight");
}

fn last_reply(trace: &Trace) -> Message {
    let reply = trace.events.iter().rev().find_map(|event| match event {
        Event::Take { message, lost: false } => Some(message.clone()),
        _ => None,
    });
    reply.expect("a drained run of voting has replies")
}
