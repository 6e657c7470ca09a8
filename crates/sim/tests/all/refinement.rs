//! Refinement: accepts what the original can do, refuses what it cannot.

use menard_lang::run::{Address, Event, Lift, Message, Schedule, Trace};
use menard_sim::{
    Config, Difference, Mismatch, Obstacle, Prepared, RefineStats, Refiner, Stage, campaign, refine, schedule_of,
    shrink, simulate, space_time,
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

/// Every step of a part of the leader is a step of the leader.
pub struct ToLeader;

impl Lift for ToLeader {
    fn lift(&self, run: &Trace) -> Schedule {
        let mut schedule = schedule_of(run);
        for event in &mut schedule.events {
            if let Event::Step { at, .. } = event
                && at.component == "collector"
            {
                *at = Address { component: "leader".into(), part: 0, ..at.clone() };
            }
        }
        schedule
    }
}

/// The part takes forwarded questions; the original takes them when the part does.
struct Forwarding;

impl Lift for Forwarding {
    fn lift(&self, run: &Trace) -> Schedule {
        let mut schedule = schedule_of(run);
        for event in &mut schedule.events {
            match event {
                Event::Step { at, inputs, .. } if at.component == "part" => {
                    *at = Address { component: "server".into(), ..at.clone() };
                    for input in inputs {
                        let from = input.args[0].as_node().expect("a forwarded question says who asked");
                        *input = Message { channel: "a".into(), from, to: input.to, args: input.args[1..].to_vec() };
                    }
                }
                Event::Step { inputs, .. } => inputs.retain(|input| input.channel != "a"),
                Event::Crash { at } | Event::Restart { at } => {
                    *at = Address { component: "server".into(), ..at.clone() };
                }
                _ => {}
            }
        }
        schedule
    }

    fn exact(&self) -> bool {
        false
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
fn a_part_that_forgets_alone_is_noticed() {
    // Two answers, each from a memory of its own: a restart of the original loses both.
    let memory = "protocol memory
        role client external
        role server
        fault restart 1 of server
        channel a(x: int)    client -> server
        channel b(x: int)    client -> server
        channel na(x: int)   server -> client
        channel nb(x: int)   server -> client
        component server {
          table sa(x: int)
          table sb(x: int)
          sa(x)   :+ a(x)
          na(x)@c :~ a(x) from c, !sa(x)
          sb(x)   :+ b(x)
          nb(x)@c :~ b(x) from c, !sb(x)
        }";
    let split = memory
        .replace(
            "channel a(x: int)    client -> server",
            "channel a(x: int) client -> server channel fa(c: node, x: int) server -> part",
        )
        .replace("na(x: int)   server", "na(x: int) part")
        .replace(
            "          sa(x)   :+ a(x)\n          na(x)@c :~ a(x) from c, !sa(x)\n",
            "fa(c, x)@me :~ a(x) from c\n",
        )
        .replace("          table sa(x: int)\n", "")
        + "component part of server { table sa(x: int)  sa(x) :+ fa(_, x)  na(x)@c :~ fa(c, x), !sa(x) }";
    let config = Config { requests: 12, ..Config::default() };
    let (_, original) = prepare(memory, config.clone());
    let (_, rewritten) = prepare(&split, config);
    let report = campaign(&rewritten, None, &[Stage { original: &original, lift: &Forwarding }], 300, 0, &mut |_| {});
    assert!(report.wrong_runs > 0);
    let fair = Config { faults: false, requests: 12, ..Config::default() };
    let (_, original) = prepare(memory, fair.clone());
    let (_, rewritten) = prepare(&split, fair);
    let report = campaign(&rewritten, None, &[Stage { original: &original, lift: &Forwarding }], 300, 0, &mut |_| {});
    assert_eq!(report.violations, [], "without restarts it is a refinement");
}

#[test]
fn voting_decoupled_by_hand_refines_voting() {
    let (_, original) = prepare(VOTING, Config::default());
    let (program, rewritten) = prepare(&decoupled_voting(), Config::default());
    assert_eq!(program.physical_nodes(), 1 + 3 + 3);
    let stages = [Stage { original: &original, lift: &ToLeader }];
    let report = campaign(&rewritten, None, &stages, 300, 0, &mut |_| {});
    assert_eq!(report.violations, []);
}

#[test]
fn counting_too_few_votes_is_no_refinement() {
    let hasty = decoupled_voting()
        .replace("reply(id)@c            :~ new votes(c, id, participants)", "reply(id)@c :~ new votes(c, id, 2)");
    let (_, original) = prepare(VOTING, Config::default());
    let (_, rewritten) = prepare(&hasty, Config::default());
    let stages = [Stage { original: &original, lift: &ToLeader }];
    let report = campaign(&rewritten, None, &stages, 20, 0, &mut |_| {});
    assert!(report.wrong_runs > 10, "{report:?}");
}

#[test]
fn a_run_that_is_no_refinement_is_shrunk() {
    let hasty = decoupled_voting()
        .replace("reply(id)@c            :~ new votes(c, id, participants)", "reply(id)@c :~ new votes(c, id, 2)");
    let (_, original) = prepare(VOTING, Config::default());
    let (_, rewritten) = prepare(&hasty, Config::default());
    let mut refiner = Refiner::new(&[Stage { original: &original, lift: &ToLeader }]);
    let mut traces = (0..50).map(|seed| simulate(&rewritten, None, seed).trace);
    let trace = traces.find(|trace| refiner.check(trace).is_err()).expect("some run is no refinement");
    let small = shrink(&rewritten, None, &trace, &mut |run| refiner.check(&run.trace).is_err());
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
    trace.drained = false;
    check(&prepared, &Identity, &trace).expect("a message may be on its way for long");
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
            Schedule { events: others }
        }
    }
    let (prepared, trace) = run_of_voting();
    let mismatch = check(&prepared, &Reordering, &trace).expect_err("the order of replies differs");
    assert_eq!(mismatch.difference, Difference::Outside);
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
    let at = prepared.addresses()[0].clone();
    trace.events.insert(prepared.addresses().len(), Event::Crash { at });
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
