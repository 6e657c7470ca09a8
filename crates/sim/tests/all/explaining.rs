//! Chronicles: what they say held is what the engine has, and every reason is one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use menard_engine::{Inputs, Node, Outputs, lower};
use menard_lang::Program;
use menard_lang::ir::RelationKind;
use menard_lang::run::{Address, Event, Trace};
use menard_sim::explain::{Chronicle, Reason, Unfit, message, message_text};
use menard_sim::{Config, simulate};

use crate::programs::{VOTING, decoupled_voting, hasty_voting, prepare};

/// Something of everything: recursion, aggregates over aggregates, deferred events, deletion, held messages, restarts.
const TOUR: &str = "protocol tour
    role client external
    role place[2]
    fault restart 1 of place
    fault omission 1 of place
    channel link(id: int, a: int, b: int)  client -> place
    channel known(id: int, n: int)         place -> client
    channel gossip(a: int, b: int)         place -> place
    component place {
      table edge(a: int, b: int)
      table last(id: int)
      edge(a % 4, b % 4)     :- link(_, a, b)
      edge(a, b)             :- gossip(a, b)
      path(a, c)             :- path(a, b), edge(b, c)
      path(a, b)             :- edge(a, b)
      reach(a, count(b))     :- path(a, b)
      best(max(n), sum(n))   :- reach(_, n)
      known(id, n)@c         :~ link(id, a, _) from c, reach(x, n), x == a % 4, !last(id)
      known(0 - id, n + all)@c :~ link(id, _, _) from c, best(n, all)
      gossip(a, b)@p         :~ edge(a, b), place(p), p != me
      later(id)              :+ link(id, _, _)
      last(id)               :+ later(id)
      delete last(old)       :+ later(id), last(old), old < id
    }";

/// Keyed tables of all policies, windows, and what reads them.
const TABLES: &str = "protocol tables
    role client external
    role place
    channel put(id: int, a: int, b: int)   client -> place
    channel got(id: int, n: int)           place -> client
    component place {
      table next(=> n: int) max
      table first_of(a: int => b: int) first
      table most(a: int => b: int) max
      table last(a: int => b: int) replace
      table later(a: int, b: int => id: int) replace
      table low(=> n: int) max
      window table slot(n: int => id: int, a: int) first above low
      window table seen(n: int, a: int, id: int) above low
      next(0)                :- start()
      next(n + 1)            :+ next(n), put(_, _, _)
      first_of(a % 4, b % 4) :- put(_, a, b)
      most(a % 4, b % 4)     :- put(_, a, b)
      most(a % 4, n % 8)     :+ put(_, a, _), next(n)
      last(a % 4, b % 4)     :- put(_, a, b)
      later(a % 2, b % 2, id) :+ put(id, a, b)
      slot(n, id, a % 4)     :- next(n), put(id, a, _)
      slot(n + 1, id, 9)     :+ next(n), put(id, _, _)
      seen(n - 1, a % 4, id) :- next(n), put(id, a, _)
      seen(n - 2, 7, id)     :+ next(n), put(id, _, _)
      low(n - 2)             :- next(n), n % 3 == 0, put(_, _, _)
      low(n - 1)             :+ new slot(n, _, 9)
      size(count())          :- seen(_, _, _)
      gone(a)                :+ put(_, a, b), b % 3 == 0
      delete first_of(a % 4, _) :+ gone(a)
      got(id, b)@c           :~ put(id, a, _) from c, last(a % 4, b)
      got(id, b)@c           :~ put(id, a, _) from c, most(a % 4, b), !first_of(b, _)
      got(id, s + n)@c       :~ put(id, _, _) from c, size(s), slot(n, _, _), new last(_, _)
    }";

fn programs() -> Vec<String> {
    vec![TABLES.to_owned(), VOTING.to_owned(), hasty_voting(), decoupled_voting(), TOUR.to_owned()]
}

fn start(program: &Program, at: &Address, choice_seed: u64) -> Node {
    let mut node = Node::new(Arc::new(lower(program, &at.component)), at.node);
    node.set_choice_seed(choice_seed);
    node
}

/// The engine's tables and views after each step are those of the chronicle.
pub fn compare(program: &Program, chronicle: &Chronicle<'_>, trace: &Trace) {
    let mut engines: BTreeMap<Address, Node> = BTreeMap::new();
    let mut outputs = Outputs::default();
    for (position, event) in trace.events.iter().enumerate() {
        match event {
            Event::Step { at, inputs: messages, .. } => {
                let mut inputs = Inputs::default();
                inputs.start = !engines.contains_key(at);
                for message in messages {
                    let channel = program.channels.iter().position(|channel| channel.name == message.channel);
                    let channel = u16::try_from(channel.expect("a channel")).expect("few channels");
                    inputs.push(channel, message.from, message.args.iter().cloned());
                }
                let engine = engines.entry(at.clone()).or_insert_with(|| start(program, at, trace.choice_seed));
                engine.step(&inputs, &mut outputs);
                let kept = chronicle.tables(at, position);
                let component = program.component(&at.component).expect("a component");
                for relation in component.relations.iter().filter(|relation| relation.kind == RelationKind::Table) {
                    let told: Vec<_> = kept[&relation.name].iter().cloned().collect();
                    assert_eq!(engine.facts(&relation.name), told, "{} in event {position}", relation.name);
                }
            }
            Event::Restart { whom } => engines.retain(|at, _| !whom.strikes(at)),
            _ => {}
        }
    }
}

#[test]
fn recomputed_steps_are_those_of_the_engine() {
    for text in programs() {
        let (program, prepared) = prepare(&text, Config::default());
        for seed in 0..60 {
            let trace = simulate(&prepared, None, seed).trace;
            let chronicle = Chronicle::new(&program, &prepared, &trace).expect("a simulated run is one of the program");
            compare(&program, &chronicle, &trace);
        }
    }
}

fn leaves<'r>(reason: &'r Reason, found: &mut Vec<&'r str>) {
    if reason.because.is_empty() {
        found.push(&reason.text);
    }
    reason.because.iter().for_each(|reason| leaves(reason, found));
}

/// Reasons end in messages from outside, starts, constants and tests, and not with a rule that nobody found.
#[test]
fn every_message_has_a_reason_that_ends_outside() {
    for text in programs() {
        let (program, prepared) = prepare(&text, Config { requests: 6, ..Config::default() });
        for seed in 0..15 {
            let trace = simulate(&prepared, None, seed).trace;
            let chronicle = Chronicle::new(&program, &prepared, &trace).expect("a simulated run is one of the program");
            for (position, event) in trace.events.iter().enumerate() {
                let sent: &[_] = match event {
                    Event::Step { outputs, .. } => outputs,
                    Event::Repeat { message, .. } => std::slice::from_ref(message),
                    _ => &[],
                };
                for message in sent {
                    check_reason(&chronicle, position, &message_text(prepared.names(), message));
                }
            }
        }
    }
}

/// Nothing is among its own reasons.
fn assert_well_founded<'r>(reason: &'r Reason, above: &mut Vec<&'r str>) {
    let text = reason.text.trim_end_matches(" (see above)");
    assert!(!above.contains(&text), "{text} is a reason for itself");
    above.push(text);
    reason.because.iter().for_each(|reason| assert_well_founded(reason, above));
    above.pop();
}

fn check_reason(chronicle: &Chronicle<'_>, event: usize, message: &str) {
    let answer = chronicle.why(event, message, 1000).expect("the message is one of the program");
    assert!(answer.holds && answer.reason.rule.is_some(), "{}", answer.reason.tree());
    assert_well_founded(&answer.reason, &mut Vec::new());
    let mut ends = Vec::new();
    leaves(&answer.reason, &mut ends);
    let is_end = |text: &str| {
        ["sent from outside", "always holds", "see above", "starts", " and ", " more solutions"]
            .iter()
            .any(|end| text.contains(end))
            || text.starts_with('!')
    };
    let odd: Vec<_> = ends.iter().filter(|text| !is_end(text)).collect();
    assert!(odd.is_empty(), "{odd:?} in\n{}", answer.reason.tree());
    assert!(ends.iter().any(|text| text.contains("sent from outside")), "{}", answer.reason.tree());
}

#[test]
fn what_is_absent_has_a_reason_too() {
    let (program, prepared) = prepare(&hasty_voting(), Config { requests: 1, faults: false, ..Config::default() });
    let trace = simulate(&prepared, None, 3).trace;
    let chronicle = Chronicle::new(&program, &prepared, &trace).expect("a simulated run is one of the program");
    let is_vote = |event: &Event| {
        let Event::Step { inputs, .. } = event else { return false };
        inputs.iter().any(|message| message.channel == "vote")
    };
    let event = trace.events.iter().position(is_vote).expect("somebody votes");
    let answer = chronicle.why(event, "votes(client[0], 99, _)", 5).expect("it is a fact");
    assert!(!answer.holds);
    let because = &answer.reason.because;
    assert!(because[0].text.ends_with("this fails: voted(client[0], 99, p)"), "{}", answer.reason.tree());
    let answer = chronicle.why(event, "reply(99)", 5).expect("it is a message");
    assert!(!answer.holds);
    assert!(answer.reason.tree().contains("no such message is sent in this run"), "{}", answer.reason.tree());
    assert!(answer.reason.tree().contains("this fails: new votes(c, 99, 2)"), "{}", answer.reason.tree());
}

#[test]
fn a_trace_of_another_program_is_refused() {
    let (_, prepared) = prepare(&hasty_voting(), Config::default());
    let trace = simulate(&prepared, None, 0).trace;
    let (program, prepared) = prepare(VOTING, Config::default());
    assert!(matches!(
        Chronicle::new(&program, &prepared, &trace),
        Err(Unfit::Impossible { .. } | Unfit::Different { .. })
    ));
}

#[test]
fn messages_are_read_as_they_are_written() {
    let text = "protocol all
        role client external
        role server
        channel all(a: int, b: bool, c: bytes, d: string, e: node, f: digest)  client -> server
        channel ok(f: digest)  server -> client
        component server { ok(f)@c :~ all(_, _, _, _, _, f) from c }";
    let (program, prepared) = prepare(text, Config { requests: 20, ..Config::default() });
    for seed in 0..20 {
        for event in &simulate(&prepared, None, seed).trace.events {
            let Event::Inject { message: sent } = event else { continue };
            let text = message_text(prepared.names(), sent);
            assert_eq!(message(&program, &text).as_ref(), Ok(sent), "{text}");
        }
    }
    let strange =
        r#"all(-9223372036854775808, true, 0x, "a, \"b\") \\ \n \u{1f600}", server, 0x00) from client[3] to server"#;
    assert!(message(&program, strange).is_err(), "a digest has 32 bytes");
    let digest = format!("0x{}", "5f".repeat(32));
    let fine = strange.replace("0x00)", &format!("{digest})"));
    let read = message(&program, &fine).expect("everything has its type");
    assert_eq!(message(&program, &message_text(prepared.names(), &read)), Ok(read));
    for wrong in ["all", "all(", "all()", "all(1,)", "ok(0x00) from x", "1(2)", "all(1) by server"] {
        assert!(message(&program, wrong).is_err(), "{wrong}");
    }
}

/// A hand-made trace in which a node does what its rules do not say.
#[test]
fn a_forged_step_is_refused() {
    let (program, prepared) = prepare(VOTING, Config::default());
    let mut trace = simulate(&prepared, None, 0).trace;
    let forged = trace.events.iter_mut().find_map(|event| match event {
        Event::Step { outputs, .. } if !outputs.is_empty() => Some(outputs),
        _ => None,
    });
    forged.expect("somebody sends something").pop();
    let refused = Chronicle::new(&program, &prepared, &trace).err();
    assert!(matches!(refused, Some(Unfit::Different { .. } | Unfit::Impossible { .. })), "{refused:?}");
}

/// Of each fact that a table had, and that it has no more in the last step of its node, it is said what became of it.
#[test]
fn what_left_a_table_has_a_reason() {
    let (program, prepared) = prepare(TABLES, Config { requests: 25, ..Config::default() });
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..20 {
        let trace = simulate(&prepared, None, seed).trace;
        let chronicle = Chronicle::new(&program, &prepared, &trace).expect("a simulated run is one of the program");
        let Some(at) = chronicle.nodes().first().cloned() else { continue };
        let is_step = |event: &usize| matches!(&trace.events[*event], Event::Step { .. });
        let steps: Vec<usize> = (0..trace.events.len()).filter(is_step).collect();
        let last = *steps.last().expect("the node starts");
        for pair in steps.windows(2) {
            let before = chronicle.tables(&at, pair[0]);
            for (name, rows) in chronicle.tables(&at, pair[1]) {
                let now = chronicle.tables(&at, last).remove(&name).unwrap_or_default();
                for row in before[&name].difference(&rows).filter(|row| !now.contains(*row)) {
                    let fact =
                        format!("{name}({})", row.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", "));
                    let answer = chronicle.why(last, &fact, 3).expect("it is a fact");
                    if answer.holds {
                        continue;
                    }
                    let tree = answer.reason.tree();
                    let whys = ["was replaced by", "left the window", "was deleted in"];
                    let why = whys.into_iter().find(|why| tree.contains(why));
                    *told.entry(why.unwrap_or_else(|| panic!("{tree}"))).or_default() += 1;
                }
            }
        }
    }
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn a_candidate_that_lost_is_told() {
    let text = "protocol one
        role client external
        role place
        channel put(id: int)       client -> place
        channel ok(id: int)        place -> client
        component place {
          durable table one(=> id: int) first
          table low(=> n: int) max
          window table w(n: int, id: int) above low
          one(id)     :- put(id)
          low(7)      :- start()
          w(5, id)    :- put(id)
          w(9, id)    :- put(id)
          ok(id)@c    :~ put(id) from c, one(id), w(9, _)
        }";
    let (program, prepared) = prepare(text, Config { requests: 9, ..Config::default() });
    let mut told = BTreeSet::new();
    for seed in 0..20 {
        let trace = simulate(&prepared, None, seed).trace;
        let chronicle = Chronicle::new(&program, &prepared, &trace).expect("a simulated run is one of the program");
        for (position, event) in trace.events.iter().enumerate() {
            let Event::Step { inputs, .. } = event else { continue };
            for id in inputs.iter().map(|message| message.args[0].to_string()) {
                let why = |fact: &str| chronicle.why(position, fact, 3).expect("it is a fact");
                let one = why(&format!("one({id})"));
                if !one.holds {
                    let tree = one.reason.tree();
                    let whys = ["was there first", "is the least candidate"];
                    told.insert(whys.into_iter().find(|why| tree.contains(why)).unwrap_or_else(|| panic!("{tree}")));
                }
                // In the first step there is no bound yet, and afterwards what is not above it is gone.
                let below = why(&format!("w(5, {id})"));
                let text = below.reason.tree();
                assert!(below.holds || text.contains("is not above low(7), which held before"), "{text}");
            }
        }
    }
    assert_eq!(told.len(), 2, "{told:?}");
}
