//! Shrinking: what is left is short as papers count, and happened.

use menard_lang::run::{Address, Event, Message, Schedule, Struck};
use menard_sim::{
    Brevity, Config, Prepared, PreparedObserver, Replayer, Run, schedule_of, shrink, simulate, space_time,
};
use menard_value::{Node, Value};

use crate::programs::{VOTING_PROPERTIES, hasty_voting, observe, prepare};

/// A watcher is sure of what two members tell it, if somebody tells the opposite, which no honest member does.
const ALARM: &str = "protocol alarm
    role client[1] external
    role member[3]
    role watcher
    fault byzantine 1 of member
    channel put(id: int)   client -> member
    channel tell(id: int)  member -> watcher
    channel sure(id: int)  watcher -> client
    component member {
      tell(id)@w :~ put(id), id > 0, watcher(w)
    }
    component watcher {
      table told(id: int, m: node)
      told(id, m)          :- tell(id) from m
      number(id, count(m)) :- told(id, m)
      sure(id)@c           :~ new number(id, 2), told(0 - id, _), client(c)
    }";

const QUIET: &str = "properties of alarm\n violation(\"an alarm\", id) :- sure(id)";

/// Shrinks a run that violates something, and replays what comes out to the letter.
fn shortened(prepared: &Prepared, observer: &PreparedObserver, run: &Run, brevity: Brevity) -> Run {
    let small = shrink(prepared, Some(observer), &run.trace, brevity, &mut |run| run.violation.is_some());
    let again = Replayer::new(prepared, Some(observer)).replay(&schedule_of(&small.trace));
    assert_eq!(again.expect("what is left can happen"), small.violation);
    assert!(small.violation.is_some());
    small
}

#[test]
fn messages_taken_at_once_are_one_step() {
    let (program, prepared) = prepare(&hasty_voting(), Config::default());
    let observer = observe(&program, VOTING_PROPERTIES);
    let mut runs = (0..50).map(|seed| simulate(&prepared, Some(&observer), seed));
    let run = runs.find(|run| run.violation.is_some()).expect("some run replies before it has all votes");
    let [one_by_one, at_once] = [Brevity::Messages, Brevity::Steps]
        .map(|brevity| shortened(&prepared, &observer, &run, brevity).protocol_steps());
    assert_eq!((one_by_one, at_once), (5, 4), "both votes are taken in one step");
}

#[test]
fn a_liar_says_what_an_honest_node_need_not_say_then() {
    let (program, prepared) = prepare(ALARM, Config::default());
    let observer = observe(&program, QUIET);
    let (client, watcher) = (Node { role: 0, index: 0 }, Node { role: 2, index: 0 });
    let member = |index| Node { role: 1, index };
    let message = |channel: &str, from, to| Message { channel: channel.into(), from, to, args: vec![Value::Int(7)] };
    let step = |component: &str, node, input| {
        let at = Address { node, component: component.into(), part: 0 };
        Event::Step { at, inputs: vec![input], outputs: Vec::new() }
    };
    let (liar, at) = (member(0), Address { node: watcher, component: "watcher".into(), part: 0 });
    let lie = Message { args: vec![Value::Int(-7)], ..message("tell", liar, watcher) };
    let mut events = vec![Event::Corrupt { whom: Struck::Whole(liar) }, Event::Forge { message: lie.clone(), at }];
    events.push(step("watcher", watcher, lie));
    for honest in [member(1), member(2)] {
        let put = message("put", client, honest);
        events.push(Event::Inject { message: put.clone() });
        events.push(step("member", honest, put));
        events.push(step("watcher", watcher, message("tell", honest, watcher)));
    }
    events.push(Event::Take { message: message("sure", watcher, client), lost: false });
    let mut replayer = Replayer::new(&prepared, Some(&observer));
    let violation = replayer.replay(&Schedule { events, choice_seed: 0 }).expect("it can happen");
    let run = replayer.run(violation);
    assert_eq!(run.protocol_steps(), 5);
    let small = shortened(&prepared, &observer, &run, Brevity::Steps);
    let text = space_time(prepared.names(), &small.trace, small.violation.as_ref());
    let lies = small.trace.events.iter().filter(|event| matches!(event, Event::Forge { .. })).count();
    assert_eq!((small.protocol_steps(), lies), (2, 2), "{text}");
}
