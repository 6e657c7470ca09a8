//! What has to be there in the end, when faults are over and timers have fired.

use menard_sim::{
    Brevity, CampaignReport, Config, Prepared, PreparedObserver, Wrong, campaign, shrink_unmet, simulate, space_time,
};

use crate::programs::{observe, prepare};

/// Passes questions on, and asks until it is told.
const INSISTENT: &str = "protocol insistent
    role client external
    role asker
    role knower
    fault omission 1 of knower
    channel question(id: int)   client -> asker
    channel ask(id: int)        asker -> knower
    channel tell(id: int)       knower -> asker
    channel answer(id: int)     asker -> client
    component asker {
      timer retry(id: int) after 50 ms
      table asked(c: node, id: int)
      table told(id: int)
      event open(id: int)
      asked(c, id)  :- question(id) from c
      told(id)      :- tell(id)
      open(id)      :- question(id)
      open(id)      :- retry(id), !told(id)
      ask(id)@k     :~ open(id), knower(k)
      retry(id)     :~ open(id)
      answer(id)@c  :~ tell(id), asked(c, id)
      answer(id)@c  :~ question(id) from c, told(id)
    }
    component knower { tell(id)@a :~ ask(id) from a }";

const ANSWERED: &str = "properties of insistent
    eventually answer(id) to c :- question(id) from c";

fn check(text: &str, properties: &str, config: Config) -> (Prepared, PreparedObserver, CampaignReport) {
    let (program, prepared) = prepare(text, config);
    let observer = observe(&program, properties);
    let report = campaign(&prepared, Some(&observer), &[], 300, 0, &mut |_| {});
    (prepared, observer, report)
}

#[test]
fn who_asks_until_it_is_told_is_told() {
    let (.., report) = check(INSISTENT, ANSWERED, Config::default());
    assert_eq!(report.violations, []);
    assert_eq!(report.rested_runs, 300);
    assert!(report.lost > 500);
}

#[test]
fn who_asks_once_may_wait_for_ever() {
    // Clients retry, but that is no help where a question that is known is not passed on.
    let once = INSISTENT.replace("open(id)      :- retry(id), !told(id)", "").replace(
        "open(id)      :- question(id)",
        "open(id) :- question(id), !asked_before(id)  asked_before(id) :+ question(id)  table asked_before(id: int)",
    );
    let (prepared, observer, report) = check(&once, ANSWERED, Config::default());
    assert!(report.wrong_runs > 50 && report.wrong_runs < 200, "{}", report.wrong_runs);
    let Wrong::Unmet(unmet) = &report.violations[0].what else { panic!("{:?}", report.violations[0]) };
    assert!(!unmet.facts.is_empty());
    let run = simulate(&prepared, Some(&observer), &report.violations[0].descent);
    assert_eq!(run.unmet.as_ref(), Some(unmet));
    let small = shrink_unmet(&prepared, &observer, &run, Brevity::Messages, unmet.goal);
    let text = space_time(prepared.names(), &small.trace, None);
    let told = observer.tell(&small.unmet.expect("it is still not met"), prepared.names());
    insta::assert_snapshot!(format!("{text}   ✗  {told}"), @r"
       ┌ client[1]
       │  ┌ asker
    1  ●  │  client[1] sends m1 ▸ question(3) to asker
    2  ├─▶●  asker takes m1 question(3) from client[1]
       │  │      m2 ▸ ask(3) to knower
       │  │      m3 ▸ timer retry(3)
    3  │  │  lost: m2 ask(3) from asker to knower
    4  ●  │  client[1] sends m4 ▸ question(3) to asker
    5  │  ●  asker: timer m3 retry(3) fires
    6  ├─▶●  asker takes m4 question(3) from client[1]
    7  ●  │  client[1] sends m5 ▸ question(3) to asker
    8  ├─▶●  asker takes m5 question(3) from client[1]
    ✗  never comes: eventually answer(id) to c :- question(id) from c, for id = 3, c = client[1]
    ");
}

#[test]
fn clients_that_retry_are_enough_where_questions_are_passed_on_again() {
    let patient = INSISTENT.replace("open(id)      :- retry(id), !told(id)", "");
    let (.., report) = check(&patient, ANSWERED, Config::default());
    assert_eq!(report.violations, []);
}

#[test]
fn nobody_owes_anything_to_a_role_that_is_gone() {
    let crashing = INSISTENT.replace("fault omission 1", "fault crash 1");
    let (.., report) = check(&crashing, ANSWERED, Config::default());
    assert!(report.blows > 50);
    assert_eq!(report.violations, []);
}

#[test]
fn what_names_a_crashed_node_is_not_owed() {
    let greeting = "protocol greeting
        role client external
        role host[3]
        fault crash 1 of host
        channel hello(id: int)          client -> host
        channel pass(id: int, h: node)  host -> host
        channel bye(id: int, h: node)   host -> host
        channel met(id: int)            host -> client
        component host {
          pass(id, h)@h :~ hello(id), host(h)
          bye(id, h)@p  :~ pass(id, h) from p
        }";
    let all = "properties of greeting
        eventually bye(id, h) to g :- pass(id, h) from g to h";
    let (.., report) = check(greeting, all, Config::default());
    assert_eq!(report.violations, []);
    let from_anybody = "properties of greeting
        eventually bye(id, h) to g :- pass(id, h) from g";
    let (.., report) = check(greeting, from_anybody, Config::default());
    assert_eq!(report.violations, [], "h is named");
    let to_anybody = "properties of greeting
        eventually bye(id, _) :- hello(id)";
    let (.., report) = check(greeting, to_anybody, Config::default());
    assert!(report.wrong_runs > 0, "who was greeted has crashed, but nothing says that it is owed by it");
}

#[test]
fn a_clock_that_only_ticks_comes_to_rest() {
    let clock = "protocol insistent
        role client external
        role a[3]
        channel question(id: int) client -> a
        channel answer(id: int)   a -> client
        component a {
          timer tick() every 1 s
          table n(=> x: int) max
          n(0)         :+ start()
          n(x + 1)     :+ n(x), tick()
          table asked(c: node, id: int)
          asked(c, id) :- question(id) from c
          answer(id)@c :~ tick(), asked(c, id), n(x), x > 12
        }";
    let (.., report) = check(clock, ANSWERED, Config { requests: 3, ..Config::default() });
    assert_eq!(report.violations, [], "answers come after 12 rounds");
    assert_eq!((report.rested_runs, report.drained_runs), (300, 300));
    let never = clock.replace("x > 12", "x < 0");
    let (program, prepared) = prepare(&never, Config { requests: 1, ..Config::default() });
    let observer = observe(&program, ANSWERED);
    assert!((0..5).all(|seed| simulate(&prepared, Some(&observer), seed).unmet.is_some()));
}

#[test]
fn a_run_is_made_small_though_its_state_never_comes_again() {
    let counting = "protocol insistent
        role client external
        role a
        channel question(id: int) client -> a
        channel answer(id: int)   a -> client
        component a {
          timer tick() every 1 s
          table n(=> x: int) max
          n(0)         :+ start()
          n(x + 1)     :+ n(x), question(_)
          answer(id)@c :~ question(id) from c, n(x), x < 0
        }";
    let (program, prepared) = prepare(counting, Config::default());
    let observer = observe(&program, ANSWERED);
    let run = simulate(&prepared, Some(&observer), 0);
    let goal = run.unmet.as_ref().expect("no answer ever comes").goal;
    assert!(run.rounds.len() > 100, "only the number of rounds tells that nothing comes");
    let small = shrink_unmet(&prepared, &observer, &run, Brevity::Messages, goal);
    assert_eq!(small.unmet.as_ref().map(|unmet| unmet.facts.len()), Some(1));
    let (shown, hidden) = small.shown();
    assert_eq!(hidden + 4, small.rounds.len());
    insta::assert_snapshot!(space_time(prepared.names(), &shown, None), @r"
       ┌ client[1]
       │  ┌ a
    1  │  ●  a steps
       │  │      m1 ▸ timer tick()
    2  ●  │  client[1] sends m2 ▸ question(3) to a
    3  ├─▶●  a takes m2 question(3) from client[1]
    4  ●  │  client[1] sends m3 ▸ question(3) to a
    5  │  ●  a: timer m1 tick() fires
       │  │      m4 ▸ timer tick()
    6  ├─▶●  a takes m3 question(3) from client[1]
    7  ●  │  client[1] sends m5 ▸ question(3) to a
    8  │  ●  a: timer m4 tick() fires
       │  │      m6 ▸ timer tick()
    9  ├─▶●  a takes m5 question(3) from client[1]
   10  ●  │  client[1] sends m7 ▸ question(3) to a
   11  │  ●  a: timer m6 tick() fires
       │  │      m8 ▸ timer tick()
   12  ├─▶●  a takes m7 question(3) from client[1]
    ");
}

#[test]
fn runs_that_something_ended_are_not_called_restless() {
    let violated = format!("{ANSWERED}\n violation(id) :- answer(id)");
    let (.., report) = check(INSISTENT, &violated, Config::default());
    assert!(report.wrong_runs > 100 && report.rested_runs < 200);
    assert_eq!(report.restless_runs, 0);
    let (.., report) = check(INSISTENT, ANSWERED, Config { max_steps: 10, ..Config::default() });
    assert_eq!((report.wrong_runs, report.restless_runs + report.rested_runs), (0, 300));
    assert!(report.restless_runs > 100);
}
