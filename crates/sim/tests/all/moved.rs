//! Lifts that move deliveries: what a node has and does not look at might as well be on its way. And mechanisms that never come to an end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use menard_lang::ir::Name;
use menard_lang::run::{Address, Event, Lift, Message, Schedule, Trace};
use menard_sim::{
    CampaignReport, Config, Difference, Found, Groups, Scope, Stage, Wrong, campaign, explore_lifts, includes,
};
use menard_value::Node;

use crate::programs::{observe, prepare};

/// A server that numbers what it is given, and notes what it is told besides.
const NUMBERS: &str = "protocol numbers
    role client external
    role server
    channel put(x: int)             client -> server
    channel note(x: int)            client -> server
    channel number(x: int, n: int)  server -> client
    channel noted(x: int, n: int)   server -> client
    component server {
      table next(=> n: int) max
      next(0)         :- start()
      next(n + 1)     :+ next(n), put(_)
      number(x, n)@c  :~ put(x) from c, next(n)
      noted(x, n)@c   :~ note(x) from c, next(n)
    }";

/// The same behind a doorman, who takes what comes from outside and hands it on.
const BEHIND_A_DOOR: &str = "protocol numbers
    role client external
    role server
    channel put(x: int)                   client -> server
    channel note(x: int)                  client -> server
    channel put_to_core(c: node, x: int)  server -> core
    channel note_to_core(c: node, x: int) server -> core
    channel number(x: int, n: int)        core -> client
    channel noted(x: int, n: int)         core -> client
    component server {
      put_to_core(c, x)@me  :~ put(x) from c
      note_to_core(c, x)@me :~ note(x) from c
    }
    component core of server {
      table next(=> n: int) max
      next(0)         :- start()
      next(n + 1)     :+ next(n), put_to_core(_, _)
      number(x, n)@c  :~ put_to_core(c, x), next(n)
      noted(x, n)@c   :~ note_to_core(c, x), next(n)
    }";

/// Whoever is told a number is told one that was given.
const GIVEN: &str = "properties of numbers
    puts(count(c, x))             :- put(x) from c
    violation(\"out of nowhere\", x) :- noted(x, n), n > 0, !puts(_)
    violation(\"too many\", x)      :- put(x), puts(n), n > 4";

/// What the doorman has taken, the original takes when the core does.
struct WhenTheCoreDoes {
    moved: &'static [&'static str],
}

impl Lift for WhenTheCoreDoes {
    fn lift(&self, run: &Trace) -> Schedule {
        // What is inside, with what of one step it was made of: equal messages are handed on once.
        let mut inside: BTreeMap<(Node, Message), VecDeque<Vec<Message>>> = BTreeMap::new();
        let mut events = Vec::new();
        for event in &run.events {
            match event {
                Event::Step { at, inputs, .. } if at.component == "server" => {
                    let mut step: BTreeMap<Message, Vec<Message>> = BTreeMap::new();
                    inputs.iter().for_each(|taken| step.entry(handed_on(taken)).or_default().push(taken.clone()));
                    for (message, taken) in step {
                        inside.entry((at.node, message)).or_default().push_back(taken);
                    }
                }
                Event::Step { at, inputs, .. } => {
                    let taken = inputs.iter().map(|message| {
                        let waiting = inside.get_mut(&(at.node, message.clone()));
                        waiting.and_then(VecDeque::pop_front).expect("it was handed on")
                    });
                    let inputs: Vec<Message> = taken.flatten().collect();
                    let at = Address { component: "server".into(), ..at.clone() };
                    events.push(Event::Step { at, inputs, outputs: Vec::new() });
                }
                other => events.push(other.clone()),
            }
        }
        Schedule { events, choice_seed: run.choice_seed }
    }

    fn moved(&self) -> BTreeSet<Name> {
        self.moved.iter().copied().map(Name::from).collect()
    }
}

fn handed_on(message: &Message) -> Message {
    let args = [menard_value::Value::Node(message.from)].into_iter().chain(message.args.iter().cloned()).collect();
    Message { channel: format!("{}_to_core", message.channel).into(), from: message.to, to: message.to, args }
}

/// Few messages, of which few are equal.
fn few() -> Config {
    Config { resend_percent: 0, reuse_percent: 0, requests: 6, ..Config::default() }
}

fn refines(rewritten: &str, lift: &dyn Lift) -> CampaignReport {
    let (_, original) = prepare(NUMBERS, few());
    let (_, rewritten) = prepare(rewritten, few());
    campaign(&rewritten, None, &[Stage { original: &original, lift }], 300, 0, &mut |_| {})
}

const BOTH: WhenTheCoreDoes = WhenTheCoreDoes { moved: &["put", "note"] };

#[test]
fn what_is_handed_on_counts_as_delivered_later() {
    let report = refines(BEHIND_A_DOOR, &BOTH);
    assert_eq!(report.violations, []);
    assert_eq!(report.drained_runs, 300);
}

#[test]
fn only_what_the_lift_says_may_move() {
    for moved in [&["put"][..], &["note"], &[]] {
        let report = refines(BEHIND_A_DOOR, &WhenTheCoreDoes { moved });
        let Wrong::Refinement(mismatch) = &report.violations[0].what else { panic!("{moved:?}: {report:?}") };
        assert_eq!(mismatch.difference, Difference::History);
    }
}

/// What a doorman has taken, the original could have been given as well: what never has been delivered to it was not delivered to him.
#[test]
fn properties_hold_of_both_or_of_neither() {
    let wrong_rules = |text: &str| -> BTreeSet<usize> {
        let (program, prepared) = prepare(text, few());
        let observer = observe(&program, GIVEN);
        let report = campaign(&prepared, Some(&observer), &[], 300, 0, &mut |_| {});
        let rule = |found: &Found| match &found.what {
            Wrong::Property(violation) => violation.rule,
            other => panic!("{other:?}"),
        };
        report.violations.iter().map(rule).collect()
    };
    assert_eq!(wrong_rules(NUMBERS), BTreeSet::from([1]));
    assert_eq!(wrong_rules(BEHIND_A_DOOR), BTreeSet::from([1]));
}

/// A delivery moves in one direction only.
#[test]
fn a_delivery_that_the_original_is_given_earlier_is_noticed() {
    struct TooEarly;
    impl Lift for TooEarly {
        fn lift(&self, run: &Trace) -> Schedule {
            let mut schedule = menard_sim::schedule_of(run);
            let takes = |channel: &str, event: &Event| matches!(event, Event::Step { inputs, .. } if inputs.iter().any(|message| message.channel == channel));
            let events = &mut schedule.events;
            // Both are in flight before the first is taken; then the original takes the second before it.
            let first = events.iter().position(|event| takes("put", event));
            let later = events.iter().rposition(|event| takes("note", event));
            if let (Some(first), Some(later)) = (first, later)
                && first < later
                && !events[first..later].iter().any(|event| matches!(event, Event::Inject { .. }))
            {
                let event = events.remove(later);
                events.insert(first, event);
            }
            schedule
        }

        fn moved(&self) -> BTreeSet<Name> {
            BTreeSet::from(["note".into()])
        }
    }
    let silent = |text: &str| text.replace("noted(x, n)@c   :~ note(x) from c, next(n)", "seen(x) :- note(x)");
    let (_, original) = prepare(&silent(NUMBERS), few());
    let stages = [Stage { original: &original, lift: &TooEarly }];
    let report = campaign(&original, None, &stages, 300, 0, &mut |_| {});
    let earlier = report.violations.iter().filter(
        |found| matches!(&found.what, Wrong::Refinement(mismatch) if mismatch.difference == Difference::History),
    );
    assert!(earlier.count() > 0, "{report:?}");
}

/// What is taken and never looked at is noticed where nothing else is left to happen.
#[test]
fn what_is_kept_for_ever_is_noticed() {
    let forgetful = BEHIND_A_DOOR
        .replace("note_to_core(c, x)@me :~ note(x) from c", "put_to_core(c, x)@me :~ note(x) from c, x < 0");
    let report = refines(&forgetful, &BOTH);
    let Wrong::Refinement(mismatch) = &report.violations[0].what else { panic!("{report:?}") };
    assert_eq!(mismatch.difference, Difference::History);
    assert!(report.wrong_runs > 200, "{report:?}");
}

#[test]
fn moved_lifts_agree_with_a_search_for_witnesses() {
    let config = || Config { clients: 1, ..few() };
    let (_, original) = prepare(NUMBERS, config());
    let (_, rewritten) = prepare(BEHIND_A_DOOR, config());
    let scope = Scope { requests: original.sample_requests(2, 1), groups: Groups::All, max_states: 10_000 };
    let lifts = explore_lifts(&rewritten, &[Stage { original: &original, lift: &BOTH }], &scope);
    assert!(lifts.complete && lifts.mismatch.is_none(), "{lifts:?}");
    let inclusion = includes(&original, &rewritten, &BTreeSet::new(), &scope);
    assert!(inclusion.complete && inclusion.counterexample.is_none() && inclusion.unfinished.is_none());
}

/// A run of some components as a run of the server, without what they say to each other; what it sends may be late, and equal
/// answers be one.
struct Home;

impl Lift for Home {
    fn lift(&self, run: &Trace) -> Schedule {
        let inner = |message: &Message| message.channel.contains("_to_");
        let mut schedule = menard_sim::schedule_of(run);
        for event in &mut schedule.events {
            if let Event::Step { at, inputs, .. } = event {
                inputs.retain(|message| !inner(message));
                if at.component == "holder" {
                    at.component = "server".into();
                }
            }
        }
        schedule
    }

    fn inexact(&self) -> BTreeSet<Name> {
        BTreeSet::from(["done".into()])
    }
}

/// The server answers at once, and asks a store that may not hear it.
const ASKING: &str = "protocol asking
    role client external
    role server
    role store
    fault omission 1 of store
    channel put(x: int)   client -> server
    channel done(x: int)  server -> client
    channel note(x: int)  server -> store
    channel seen(x: int)  store -> server
    component server {
      table kept(x: int)
      done(x)@c :~ put(x) from c
      note(x)@s :~ put(x), store(s)
      kept(x)   :- seen(x)
    }
    component store { seen(x)@s :~ note(x) from s }";

/// Here the answer is held; `released` says until when, by rules of the holder.
fn holding(released: &str) -> String {
    format!(
        "protocol asking
        role client external
        role server
        role store
        fault omission 1 of store
        channel put(x: int)                     client -> server
        channel put_to_holder(c: node, x: int)  server -> holder
        channel ping_to_server(x: int)          holder -> server
        channel pong_to_holder(x: int)          server -> holder
        channel done(x: int)                    holder -> client
        channel note(x: int)                    server -> store
        channel seen(x: int)                    store -> holder
        component server {{
          note(x)@s               :~ put(x), store(s)
          put_to_holder(c, x)@me  :~ put(x) from c
          pong_to_holder(x)@me    :~ ping_to_server(x)
        }}
        component holder of server {{
          table kept(x: int)
          table held(c: node, x: int)
          kept(x)    :- seen(x)
          held(c, x) :- put_to_holder(c, x)
          done(x)@c  :~ new released(c, x)
          {released}
        }}
        component store {{ seen(x)@s :~ note(x) from s }}"
    )
}

fn holds(released: &str, faults: bool) -> CampaignReport {
    let config = Config { faults, ..few() };
    let (_, original) = prepare(ASKING, config.clone());
    let (_, rewritten) = prepare(&holding(released), config);
    campaign(&rewritten, None, &[Stage { original: &original, lift: &Home }], 200, 0, &mut |_| {})
}

#[test]
fn an_output_that_waits_for_a_message_that_may_be_lost_is_noticed() {
    assert_eq!(holds("released(c, x) :- held(c, x)", true).violations, []);
    let starving = "released(c, x) :- held(c, x), kept(x)";
    assert_eq!(holds(starving, false).violations, [], "as long as nothing is lost, it is only late");
    let report = holds(starving, true);
    let Wrong::Refinement(mismatch) = &report.violations[0].what else { panic!("{report:?}") };
    assert_eq!(mismatch.difference, Difference::Missing);
}

#[test]
fn parts_that_talk_to_each_other_for_ever_are_noticed() {
    let chatty = "released(c, x) :- held(c, x)
        ping_to_server(x)@me :~ put_to_holder(_, x)
        ping_to_server(x)@me :~ pong_to_holder(x)";
    let report = holds(chatty, false);
    assert!(report.drained_runs == 0 && report.wrong_runs > 20, "{report:?}");
    let Wrong::Refinement(mismatch) = &report.violations[0].what else { panic!("{report:?}") };
    assert_eq!(mismatch.difference, Difference::Restless);
    let brief =
        chatty.replace("pong_to_holder(x)\"", "").replace(":~ pong_to_holder(x)", ":~ pong_to_holder(x), x < 0");
    assert_eq!(holds(&brief, false).violations, []);
}

/// A store whose timers set more and more timers: there is no end to them, but nothing else is left to do, in the original as in what was made of it.
#[test]
fn timers_that_set_timers_for_ever_are_nothing_left_to_do() {
    let multiplying = |text: &str| {
        let timers = "timer again(x: int, y: int) after 1 ms
            table all(x: int)
            all(x + y)  :- note(x), y in [0, 100, 200]
            again(x, x) :~ note(x)
            again(x, y) :~ again(x, _), all(y)";
        text.replace("component store {", &format!("component store {{ {timers}"))
    };
    let config = Config { faults: false, ..few() };
    let (_, original) = prepare(&multiplying(ASKING), config.clone());
    let (_, rewritten) = prepare(&multiplying(&holding("released(c, x) :- held(c, x)")), config);
    let report = campaign(&rewritten, None, &[Stage { original: &original, lift: &Home }], 5, 0, &mut |_| {});
    assert!(report.restless_runs > 1, "{report:?}");
    assert_eq!(report.violations, []);
}
