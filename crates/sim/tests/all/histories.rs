//! What clients of a service see in a run has to have an order.

use menard_sim::{
    Brevity, CampaignReport, Config, Groups, Scope, Wrong, campaign, explore, shrink, simulate, space_time,
};

use crate::programs::{observe, prepare};

const REGISTER: &str = "
protocol register

role client external
role server

channel put(id: int, value: int)            client -> server
channel get(id: int)                        client -> server
channel done(id: int)                       server -> client
channel found(id: int, value: option<int>)  server -> client

component server {
  table taken(c: node, id: int)
  table current(=> value: int) replace
  timer late(value: int) after 10 ms

  fresh(v)             :- put(id, v) from c, !taken(c, id)
  taken(c, id)         :+ put(id, _) from c
  late(v)              :~ fresh(v), v < 0
  current(v)           :+ fresh(v)
  done(id)@c           :~ put(id, _) from c
  found(id, some(v))@c :~ get(id) from c, current(v)
  found(id, none())@c  :~ get(id) from c, !current(_)
}
";

const REGISTER_PROPERTIES: &str = "
properties of register
linearizable put(0, v) :- put(id, v) from c until done(id) to c
linearizable get(0) = v :- get(id) from c until found(id, v) to c
";

/// It says that a write is done, and does it later.
fn hasty() -> String {
    REGISTER.replace(":~ fresh(v), v < 0", ":~ fresh(v)").replace(":+ fresh(v)", ":- late(v)")
}

const TICKETS: &str = "
protocol tickets

role client external
role server

channel take(id: int)         client -> server serial
channel got(id: int, n: int)  server -> client

component server {
  table next(=> n: int) max

  next(0)      :- start()
  next(n + 1)  :+ next(n), take(_)
  got(id, n)@c :~ take(id) from c, next(n)
}
";

const TICKETS_PROPERTIES: &str = "
properties of tickets
linearizable append(id) = n :- take(id) from c until got(id, n) to c
";

fn run(text: &str, properties: &str, runs: u64) -> CampaignReport {
    let (program, prepared) = prepare(text, Config { requests: 14, ..Config::default() });
    campaign(&prepared, Some(&observe(&program, properties)), &[], runs, 1, &mut |_| {})
}

#[test]
fn a_register_is_linearizable() {
    let report = run(REGISTER, REGISTER_PROPERTIES, 2_000);
    assert_eq!((report.violations, report.undecided_runs), (vec![], 0));
    assert!(report.replies > 10_000, "there are histories to check: {}", report.replies);
}

#[test]
fn a_hasty_register_is_not() {
    let (program, prepared) = prepare(&hasty(), Config::default());
    let observer = observe(&program, REGISTER_PROPERTIES);
    let report = campaign(&prepared, Some(&observer), &[], 200, 1, &mut |_| {});
    let found = report.violations.first().expect("reads are stale in some runs");
    let Wrong::Property(violation) = &found.what else { panic!("{found:?}") };
    let run = simulate(&prepared, Some(&observer), &found.descent);
    let keeps = &mut |run: &menard_sim::Run| run.violation.as_ref().is_some_and(|other| other.rule == violation.rule);
    let small = shrink(&prepared, Some(&observer), &run.trace, Brevity::Messages, keeps);
    insta::assert_snapshot!(space_time(prepared.names(), &small.trace, small.violation.as_ref()));
    let alone = observe(&program, REGISTER_PROPERTIES).without_operations();
    assert_eq!(campaign(&prepared, Some(&alone), &[], 200, 1, &mut |_| {}).violations, []);
}

/// Clients ask again, and the second time is not their doing.
#[test]
fn a_register_that_writes_twice_is_not() {
    let twice = REGISTER.replace(", !taken(c, id)", ", !taken(c, id - 1_000)");
    assert!(!run(&twice, REGISTER_PROPERTIES, 200).violations.is_empty());
}

#[test]
fn tickets_are_in_order() {
    assert_eq!(run(TICKETS, TICKETS_PROPERTIES, 1_000).violations, []);
    let at_once = TICKETS.replace("server serial", "server");
    assert!(!run(&at_once, TICKETS_PROPERTIES, 200).violations.is_empty(), "two get one number");
}

/// Which of two operations was first makes a difference to what may come, so histories are part of what states are told apart by.
#[test]
fn small_scopes_are_searched_for_histories_too() {
    for (text, is_right) in [(REGISTER.to_owned(), true), (hasty(), false)] {
        let (program, prepared) = prepare(&text, Config::default());
        let observer = observe(&program, REGISTER_PROPERTIES);
        let requests = (1..).map(|seed| prepared.sample_requests(3, seed)).find(|requests| {
            let puts = requests.iter().filter(|request| request.channel == "put").count();
            (1..3).contains(&puts)
        });
        let scope =
            Scope { requests: requests.expect("some requests are mixed"), groups: Groups::All, max_states: 100_000 };
        let exploration = explore(&prepared, Some(&observer), &scope);
        assert!(exploration.complete || !is_right);
        assert_eq!(exploration.violation.is_none(), is_right);
    }
}

/// What a client does under one number may be one thing or the other, and is not held against the service.
#[test]
fn numbers_that_are_used_twice_are_not_relied_on() {
    let (program, prepared) = prepare(REGISTER, Config { reuse_percent: 60, requests: 14, ..Config::default() });
    let report = campaign(&prepared, Some(&observe(&program, REGISTER_PROPERTIES)), &[], 1_000, 1, &mut |_| {});
    assert_eq!(report.violations, []);
}
