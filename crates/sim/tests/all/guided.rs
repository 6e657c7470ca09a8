//! Runs that go on from where others have been, and hunts that are guided by what runs have reached.

use menard_sim::{Config, Counting, Descent, Guide, Prepared, PreparedObserver, Reached, Runner, Until, simulate};

use crate::programs::{VOTING, fair, observe, prepare};

/// A door that opens after four rounds in which all tumblers click in a certain order, in each round in another one.
const SAFE: &str = "protocol safe

role owner[1] external
role tumbler[4]
role door

channel knock(id: int)   owner -> door
channel turn(n: int)     door -> tumbler
channel click(n: int)    tumbler -> door serial
channel opened(n: int)   door -> owner

component tumbler {
  click(n)@d :~ turn(n), door(d)
}

component door {
  table order(n: int, k: int)
  table clicked(n: int => i: int) max

  order(0, 4)       :- start()
  order(1, 3)       :- start()
  order(2, 2)       :- start()
  order(3, 4)       :- start()
  turn(0)@t         :~ knock(_), tumbler(t)
  clicked(n, 0)     :- new order(n, _)
  clicked(n, i + 1) :+ click(n) from t, clicked(n, i), order(n, k), index_of(t) == (i + 1) * k % 5 - 1
  opens(n)          :- clicked(n, 4)
  turn(n + 1)@t     :~ new opens(n), tumbler(t)
  opened(n)@o       :~ new opens(n), owner(o)
}
";

const OPEN: &str = "properties of safe
violation(\"the door is open\") :- opened(3)";

fn safe() -> (Prepared, PreparedObserver) {
    let (program, prepared) = prepare(SAFE, Config { requests: 1, ..Config::default() });
    let observer = observe(&program, OPEN);
    (prepared, observer)
}

fn hunt(prepared: &Prepared, observer: &PreparedObserver, most: u64) -> Option<(u64, Descent)> {
    let mut runner = Runner::new(prepared, Some(observer), &[]).scouting(Some(observer));
    let mut guide = Guide::new(0);
    for round in 0..most / 16 {
        let (report, reached) = runner.run_each(guide.choose(16), Until::Wrong);
        if let Some(found) = report.violations.first() {
            return Some((16 * round + report.runs, found.descent.clone()));
        }
        guide.learn(&reached);
    }
    None
}

#[test]
fn four_unlikely_things_in_sequence_are_found_by_going_on_from_each() {
    let (prepared, observer) = safe();
    let (runs, descent) = hunt(&prepared, &observer, 4_000).expect("it is found");
    println!("{runs} runs: {descent}");
    assert!(descent.forks.len() >= 2, "{descent}");
    assert!(simulate(&prepared, Some(&observer), &descent).violation.is_some());
    let report = Runner::new(&prepared, Some(&observer), &[]).run(0, 10 * runs.max(4_000), Until::Wrong, &mut |_| {});
    assert_eq!(report.wrong_runs, 0, "{:?}", report.violations);
}

#[test]
fn a_run_is_its_descent_and_agrees_with_its_parent_up_to_the_fork() {
    let (_, prepared) = prepare(VOTING, fair());
    let mut differ = 0;
    for seed in 0..20 {
        let parent = simulate(&prepared, None, seed);
        let descent: Descent = format!("{seed}~12:99").parse().expect("it is one");
        let child = simulate(&prepared, None, &descent);
        assert_eq!(child.hash, simulate(&prepared, None, &descent).hash);
        let same = parent.trace.events.iter().zip(&child.trace.events).take_while(|(one, other)| one == other).count();
        assert!(same >= 12, "seed {seed}: {same}");
        differ += usize::from(child.hash != parent.hash);
        let late: Descent = format!("{seed}~1000000:99").parse().expect("it is one");
        assert_eq!(simulate(&prepared, None, &late).hash, parent.hash);
    }
    assert!(differ > 10, "{differ}");
}

#[test]
fn a_guide_begins_to_learn_anew_where_a_new_one_would_begin() {
    let (prepared, observer) = safe();
    let mut runner = Runner::new(&prepared, Some(&observer), &[]).scouting(Some(&observer));
    let mut rounds = |guide: &mut Guide| {
        let mut chosen = Vec::new();
        for _ in 0..4 {
            let descents = guide.choose(32);
            guide.learn(&runner.run_each(descents.clone(), Until::Done).1);
            chosen.extend(descents);
        }
        chosen
    };
    let mut guide = Guide::new(7);
    rounds(&mut guide);
    let rest = guide.choose(u64::MAX);
    assert_eq!(rest.len() as u64, Guide::RUNS - 128);
    assert!(rest.iter().filter(|descent| !descent.forks.is_empty()).count() > 4_000);
    let anew = rounds(&mut guide);
    assert_eq!(anew, rounds(&mut Guide::new(7 + Guide::RUNS)));
    assert!(anew[..32].iter().all(|descent| descent.forks.is_empty()));
    assert!(anew.iter().any(|descent| !descent.forks.is_empty()));
}

#[test]
fn what_is_chosen_depends_on_what_was_reached_alone() {
    let (prepared, observer) = safe();
    let chosen = |parts: usize| {
        let (mut guide, mut all) = (Guide::new(7), Vec::new());
        for _ in 0..4 {
            let descents = guide.choose(64);
            let run = |part: &[Descent]| {
                let runner = Runner::new(&prepared, Some(&observer), &[]).counting(Counting::Rules);
                runner.scouting(Some(&observer)).run_each(part.to_vec(), Until::Done).1
            };
            let reached: Vec<Reached> = descents.chunks(parts).flat_map(run).collect();
            guide.learn(&reached);
            all.extend(descents);
        }
        all
    };
    let all = chosen(64);
    assert_eq!(all, chosen(5));
    let forked = all.iter().filter(|descent| !descent.forks.is_empty()).count();
    assert!((64..192).contains(&forked), "{forked}");
}
