//! Schedules that hurt: what a decision hangs on is denied and late, who leads is cut off, and nodes restart at the worst moment.

use menard_lang::run::{Event, Trace};
use menard_sim::{Config, Layer, Simulator, simulate};
use menard_value::Node;

use crate::programs::{members_with_tickets, observe, prepare};

/// Members who have got a ticket acknowledge an order or, if they are asked before it comes, say for ever that they lack it.
fn tickets() -> String {
    members_with_tickets(
        "tickets",
        "channel put(n: int)                  client -> front
         channel audit(n: int)                client -> front
         channel order(n: int)                front -> member
         channel ask(n: int)                  front -> member
         channel ack(n: int, s: signature)    member -> watcher
         channel lacks(n: int, s: signature)  member -> watcher
         channel done(n: int)                 watcher -> client
         channel void(n: int)                 watcher -> client",
        "component front {
           order(n)@m :~ put(n), member(m)
           ask(n)@m   :~ audit(n), member(m)
         }
         component member {
           table holds(s: signature)
           table has(n: int)
           table denied(n: int)
           holds(s)      :- ticket(s)
           has(n)        :- order(n), holds(_), !denied(n)
           denied(n)     :+ ask(n), holds(_), !has(n)
           ack(n, s)@w   :~ has(n), holds(s), watcher(w)
           lacks(n, s)@w :~ ask(n), holds(s), !has(n), watcher(w)
         }
         component watcher {
           table acks(n: int, m: node)
           table lack(n: int, m: node)
           acks(n, m)          :- ack(n, s) from m, registrar(r), verify(s, r, m)
           lack(n, m)          :- lacks(n, s) from m, registrar(r), verify(s, r, m)
           acked(n, count(m))  :- acks(n, m)
           lacked(n, count(m)) :- lack(n, m)
           done(n)@c           :~ new acked(n, 2), client(c)
           void(n)@c           :~ new lacked(n, 2), client(c)
         }",
    )
}

/// The front of [`tickets`].
const FRONT: Node = Node { role: 2, index: 0 };
/// Its watcher.
const WATCHER: Node = Node { role: 4, index: 0 };

/// In how many of the first runs something is violated.
fn violated(text: &str, properties: &str, config: Config, runs: u64) -> usize {
    let (program, prepared) = prepare(text, config);
    let observer = observe(&program, properties);
    let mut simulator = Simulator::new(&prepared, Some(&observer));
    (0..runs).filter(|seed| simulator.run(*seed).violation.is_some()).count()
}

#[test]
fn a_liar_denies_what_a_decision_hangs_on_and_nothing_else() {
    // Who denies everything has no ticket either; who denies what it has said denies no order.
    let both = "properties of tickets violation(\"both\", n) :- done(n), void(n)";
    let config = Config { layers: vec![Layer::Lineage], requests: 6, ..Config::default() };
    assert!(violated(&tickets(), both, config.clone(), 4_000) >= 3);
    let careful = tickets().replace("new lacked(n, 2)", "new lacked(n, 3)");
    assert_eq!(violated(&careful, both, config, 4_000), 0);
}

/// How often the watcher is followed at once by a cut, after it has told the client something; and how often the front is alone on its side then.
fn cuts_after_decisions(trace: &Trace) -> (usize, usize) {
    let (mut after, mut around_front) = (0, 0);
    for pair in trace.events.windows(2) {
        if let [Event::Step { at, outputs, .. }, Event::Cut { nodes }] = pair
            && at.node == WATCHER
            && !outputs.is_empty()
        {
            after += 1;
            around_front += usize::from(nodes[..] == [FRONT]);
        }
    }
    (after, around_front)
}

#[test]
fn who_leads_is_cut_off_when_something_is_decided() {
    let count = |text: &str| {
        let (_, prepared) = prepare(text, Config { requests: 6, ..Config::default() });
        let counts = (0..3_000).map(|seed| cuts_after_decisions(&simulate(&prepared, None, seed).trace));
        counts.fold((0, 0), |(after, front), (more, fronts)| (after + more, front + fronts))
    };
    let ((after, around_front), (blind, blind_around_front)) =
        (count(&tickets()), count(&tickets().replace("fault byzantine 1 of member", "")));
    assert!(after > 3 * blind, "{after} cuts, and {blind} if nobody lies");
    assert!(around_front > 3 * blind_around_front, "{around_front} around the front, and {blind_around_front}");
}

/// Voters vote once. They remember that at once, but it reaches their disks only when a note to themselves has come; and all of them have to forget.
const FORGETFUL: &str = "protocol forgetful
    role client[2] external
    role front
    role voter[4]
    role bystander
    fault restart 4 of voter
    fault byzantine 1 of bystander
    channel put(n: int)    client -> front
    channel ask(n: int)    front -> voter
    channel vote(n: int)   voter -> client
    channel note(n: int)   voter -> voter
    channel hello(n: int)  bystander -> voter
    component bystander { hello(1)@v :~ start(), voter(v) }
    component front { ask(n)@v :~ put(n), voter(v) }
    component voter {
      table given(=> n: int) first
      durable table kept(n: int)
      given(n)   :- ask(n), !kept(_)
      given(n)   :- start(), kept(n)
      vote(n)@c  :~ new given(n), client(c)
      note(n)@me :~ new given(n)
      kept(n)    :+ note(n) from me
    }";

#[test]
fn nodes_restart_right_after_they_have_voted() {
    let twice = "properties of forgetful
        decided(n, count(v))     :- vote(n) from v
        violation(\"two\", a, b) :- decided(a, 4), decided(b, 4), a < b";
    let config = Config { requests: 6, ..Config::default() };
    assert!(violated(FORGETFUL, twice, config.clone(), 2_000) >= 2);
    // Where nobody lies restarts come at any time, and the moment is missed four times.
    let blind = FORGETFUL.replace("fault byzantine 1 of bystander", "");
    assert_eq!(violated(&blind, twice, config, 20_000), 0);
}
