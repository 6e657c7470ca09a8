//! Partial partitioning and sealing: what printed rules of the literature get wrong, and ours do not; what senders can do to partitions.

mod common;

use common::{apply_all, program, refine};
use menard_lang::{Program, Source, properties};
use menard_opt::Stage;
use menard_sim::{Config, Prepared, PreparedObserver, campaign};

/// Replicas work by `id`, and say in which epoch; an audit of what they have worked on is sealed.
const ORIGINAL: &str = "
protocol epochs
role client external
role clock
role leader[2]
role replica[2]
FAULT
channel put(id: int)                client -> leader
channel look(n: int)                client -> leader
channel advance(e: int)             client -> clock
channel forbid(e: int)              client -> clock
channel work(id: int)               leader -> replica
channel audit(n: int)               leader -> replica
channel epoch(e: int)               clock -> replica
channel stop(e: int)                clock -> replica
channel done(id: int, e: int)       replica -> leader
channel report(n: int, all: list<int>)  replica -> leader
component clock {
  epoch(e)@r :~ advance(e), replica(r)
  stop(e)@r  :~ forbid(e), replica(r)
}
component leader {
  work(id)@r  :~ put(id), replica(r)
  audit(n)@r  :~ look(n), replica(r)
  got(id, e)  :- done(id, e)
  heard(n, l) :- report(n, l)
}
component replica {
  table current(=> e: int) replace
  table worked(id: int)
  current(e)           :- epoch(e)
  current(-e)          :- stop(e)
  done(id, e)@l        :~ work(id) from l, current(e)
  worked(id)           :- work(id)
  found(n, l, id)      :- audit(n) from l, worked(id)
  report(n, list(i))@l :~ found(n, l, i)
  report(n, [])@l      :~ audit(n) from l, !found(n, l, _)
}
";

const LINE: &str = "partition replica by id into 2 with coordinator";

fn original() -> Program {
    program(&ORIGINAL.replace("FAULT", ""))
}

/// How often a changed form of the mechanism does what the original does not. Each change is a text and its replacement.
fn violations(changes: &[(&str, &str)]) -> usize {
    violations_of(&original(), changes)
}

fn violations_of(original: &Program, changes: &[(&str, &str)]) -> usize {
    let ours = apply_all(original, &[LINE]).remove(0);
    let mut text = ours.program.source.text.to_string();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}\n{text}");
        text = text.replace(from, to);
    }
    let stage = Stage { program: program(&text), ..ours };
    refine::check(original, &[stage], 400, 12).violations.len()
}

#[test]
fn ours_refines() {
    assert_eq!(violations(&[]), 0);
    let original = original();
    let report = refine::check(&original, &apply_all(&original, &[LINE]), 400, 12);
    let silent: Vec<_> = report.channels.iter().filter(|(_, messages)| **messages < 300).collect();
    assert!(silent.is_empty() && report.drained_runs > 300, "{silent:?}");
}

/// E6: whoever opens only when the highest batch is the one that it took does not open before the first.
#[test]
fn partitions_that_are_closed_before_the_first_batch_never_work() {
    assert!(
        violations(&[("released(batch), requested(batch)\n", "released(batch), requested(batch), batch > 0\n")]) > 0
    );
}

/// E7: a request without a number that is kept is not processed a second time.
#[test]
fn a_request_that_is_repeated_is_answered_again() {
    let once = [
        (
            "table batches(=> batch: int) max",
            "table batches(=> batch: int) max
             table told(l: node, n: int)
             told(l, n)  :+ audit(n) from l
             first(l, n) :- audit(n) from l, !told(l, n)",
        ),
        (":~ audit(n) from sender,", ":~ first(sender, n),"),
        (":+ audit(n) from sender,", ":+ first(sender, n),"),
        (":- audit(n) from sender\n", ":- first(sender, n)\n"),
    ];
    assert!(violations(&once) > 0);
}

/// E8: a channel with numbers of its own is taken in another order than the others, at each partition in one of its own.
#[test]
fn replicated_channels_share_their_numbers() {
    let apart = [(":- new ready(batch), stop_waiting(batch, e)\n", ":- stop_to_replica(_, _, e)\n")];
    assert!(violations(&apart) > 0);
}

/// E9: a count of nothing is no fact, so it has to be said.
#[test]
fn a_partition_that_has_nothing_says_so() {
    let rule = "  replica_share(batch, part, 0)@me";
    let changed = "  ignored(batch, part, 0)";
    let text = apply_all(&original(), &[LINE]).remove(0).program.source.text.to_string();
    let line = text.lines().find(|line| line.starts_with(rule)).expect("zero is said").to_owned();
    let silent = line.replace(rule, changed).replace(":~", ":-");
    assert!(violations(&[(&line, &silent)]) > 0);
}

/// E10: a count without its destination is of what all of several receivers get. Here the coordinator gets all of it.
#[test]
fn two_audits_at_once_get_an_answer_each() {
    let original = original();
    let stages = apply_all(&original, &[LINE]);
    let text = &stages[0].program.source.text;
    assert!(
        text.contains("channel report(n: int, all: list<int>)") && text.contains("coordinator -> leader"),
        "{text}"
    );
    let report = refine::check(&original, &stages, 400, 12);
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    assert!(report.channels["report"] > 1000);
}

/// E10, to the letter: shares are counted for all receivers together, and each of them waits until it has as much. One receiver has all; of two, none has.
#[test]
fn what_several_receivers_get_together_none_of_them_gets() {
    const COUNTED: (&str, &str) = (
        "expected(last + 1, 2, total), gathered(last + 1, total)\n",
        "expected(last + 1, 2, total), gathered_by(last + 1, _, total)
         gathered_by(batch, l, count(part, n, id)) :- found_waiting(batch, part, n, l, id)\n",
    );
    assert!(violations_of(&original(), &[COUNTED]) > 0);
    let alone = program(&ORIGINAL.replace("FAULT", "").replace("role leader[2]", "role leader"));
    assert_eq!(violations_of(&alone, &[COUNTED]), 0);
}

/// Without the vote, partitions that take a batch and partitions that have not yet heard of it work at the same time.
#[test]
fn a_batch_waits_for_all_partitions() {
    assert!(violations(&[("frozen_for(last + 1, 2)", "frozen_for(last + 1, _n)")]) > 0);
}

/// The clock tells both partitions of each epoch itself: the form that its authors withdrew.
const WITHDRAWN: &str = "
protocol withdrawn
role client external
role clock
role leader
role replica
fault omission 1 of clock
channel put(id: int)                             client -> leader
channel advance(e: int)                          client -> clock
channel work(id: int)                            leader -> worker by id
channel epoch(part: int, batch: int, e: int)     clock -> worker by part
channel frozen(batch: int, part: int)            worker -> replica
channel go(part: int, batch: int)                replica -> worker by part
channel done(id: int, e: int)                    worker -> leader
component clock {
  table batches(=> batch: int) max
  batches(0)                :- start()
  news(max(e))              :- advance(e)
  epoch(part, last + 1, e)@r :~ news(e), batches(last), replica(r), part in [1, 0]
  batches(last + 1)         :+ news(_), batches(last)
}
component leader {
  work(id)@r :~ put(id), replica(r)
  got(id, e) :- done(id, e)
}
component replica {
  table voted(batch: int, part: int)
  voted(batch, part)        :- frozen(batch, part)
  votes(batch, count(part)) :- voted(batch, part)
  go(part, batch)@me        :~ new votes(batch, 2), part in [1, 0]
}
component worker of replica [2] {
  table current(batch: int => e: int) first
  table taken(batch: int)
  table held(l: node, id: int)
  current(0, 0)              :- start()
  taken(0)                   :- start()
  current(batch, e)          :- epoch(_, batch, e)
  frozen(batch, part)@me     :~ epoch(part, batch, _)
  taken(batch)               :- go(_, batch)
  waits()                    :- current(batch, _), !taken(batch)
  open()                     :- taken(0), !waits()
  works(l, id)               :- work(id) from l, open()
  held(l, id)                :- work(id) from l, !open()
  works(l, id)               :- new open(), held(l, id)
  delete held(_, _)          :+ new open()
  last(max(batch))           :- taken(batch)
  done(id, e)@l              :~ works(l, id), last(batch), current(batch, e)
}
";

/// A clock that fails half way leaves one partition frozen and the other without a reason to be. Ours is told of an epoch, or is not.
#[test]
fn senders_that_tell_partitions_themselves_freeze_them_for_ever() {
    let fault = "fault omission 1 of clock";
    assert!(unanswered(&program(WITHDRAWN)) > 0);
    assert_eq!(unanswered(&program(&WITHDRAWN.replace(fault, ""))), 0);
    let ours = apply_all(&program(&ORIGINAL.replace("FAULT", fault)), &[LINE]).remove(0);
    assert_eq!(unanswered(&ours.program), 0);
}

/// In how many runs some work is not done in the end.
fn unanswered(program: &Program) -> usize {
    broken(
        &format!("properties of {} eventually done(id, _) from r to l :- work(id) from l to r", program.name),
        program,
    )
}

/// How many runs violate properties.
fn broken(wish: &str, program: &Program) -> usize {
    let observer = properties::compile(&Source::new("properties.ded", wish), program).expect("the wish compiles");
    let prepared = Prepared::new(program, Config { requests: 12, ..Config::default() });
    let report = campaign(&prepared, Some(&PreparedObserver::new(&observer)), &[], 300, 0, &mut |_| {});
    report.violations.len()
}

/// F2: whoever says the same again and again does not freeze anybody: the partitions are told of what changes something.
#[test]
fn what_changes_nothing_is_not_told() {
    let text =
        ORIGINAL.replace("FAULT", "").replace("table current(=> e: int) replace", "table current(=> e: int) max");
    let original = program(&text);
    let stages = apply_all(&original, &[LINE]);
    let report = refine::check(&original, &stages, 400, 12);
    assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    let sent = |channel: &str| report.channels[channel];
    // Each of two partitions would be told of every message. Many are not the greatest so far.
    for channel in ["epoch", "stop"] {
        assert!(sent(&format!("{channel}_to_replica")) < 2 * sent(channel) * 4 / 5, "{:?}", report.channels);
    }
    // To the letter, each of them freezes all partitions.
    let mut letter = stages[0].program.source.text.to_string();
    for news in [", !current(_)", ", current(known), e > known", ", 0 - e > known"] {
        letter = letter.replace(news, "");
    }
    let letter = refine::check(&original, &[Stage { program: program(&letter), ..stages[0].clone() }], 400, 12);
    assert!(letter.violations.is_empty(), "{:?}", letter.violations.first());
    assert!(letter.channels["go_to_replica"] > sent("go_to_replica") * 6 / 5, "{:?}", letter.channels);
}

/// C4: a choice is a function of what is chosen from, so each copy of what is replicated chooses the same.
#[test]
fn copies_choose_alike() {
    for (choice, chosen) in [("choose(e)", "c"), ("quorum(1, e)", "first(c)")] {
        let rule = format!("chosen({choice}) :- epoch(e)  current({chosen}) :- chosen(c)");
        let text = ORIGINAL.replace("FAULT", "").replace("current(e)           :- epoch(e)", &rule);
        let original = program(&text);
        let report = refine::check(&original, &apply_all(&original, &[LINE]), 400, 12);
        assert!(report.violations.is_empty(), "{choice}: {:?}", report.violations.first());
    }
}

/// Replicas number what they choose, and tell it with their work.
const CHOICES: &str = "
protocol choices
role client external
role clock
role leader
role replica
channel put(id: int)                   client -> leader
channel advance(e: int)                client -> clock
channel work(id: int)                  leader -> replica
channel epoch(e: int)                  clock -> replica
channel done(id: int, n: int, e: int)  replica -> leader
component clock {
  epoch(x)@r :~ advance(e), replica(r), x in [e, e + 1, e + 2]
}
component leader {
  work(id)@r    :~ put(id), replica(r)
  got(id, n, e) :- done(id, n, e)
}
component replica {
  table turns(=> n: int) max
  table current(=> e: int) replace
  turns(0)         :- start()
  turns(n + 1)     :+ epoch(_), turns(n)
  chosen(CHOICE)   :- epoch(e)
  current(e)       :- chosen(e)
  done(id, n, e)@l :~ work(id) from l, current(e), turns(n)
}
";

/// C4, to the letter: each copy of what is replicated makes a choice of its own, so one epoch has two. Whatever is chosen, the original has one.
#[test]
fn copies_that_choose_for_themselves_disagree() {
    let original = |choice| program(&CHOICES.replace("CHOICE", choice));
    let disagreements = |program: &Program| {
        let never = "violation(\"two choices\", n) :- done(_, n, e) from r, done(_, n, f) from r, e < f";
        broken(&format!("properties of choices {never}"), program)
    };
    for choice in ["argmax(e, e)", "argmin(e, e)", "choose(e)"] {
        let ours = apply_all(&original(choice), &[LINE]).remove(0);
        assert_eq!(disagreements(&ours.program), 0);
    }
    let text = apply_all(&original("choose(e)"), &[LINE]).remove(0).program.source.text.to_string();
    let (head, partition) = text.split_once("component replica [2] {").expect("there are partitions");
    let (alike, own) = (
        "chosen(choose(e))",
        "most(argmax(e, e))   :- epoch_released(e)
         least(argmin(e, e))  :- epoch_released(e)
         chosen(e)            :- most(e), new ready(batch), batch_size(batch, 0, _)
         chosen(e)            :- least(e), new ready(batch), batch_size(batch, 1, _)
         ignored(choose(e))",
    );
    assert!(partition.contains(alike), "{partition}");
    let letter = program(&format!("{head}component replica [2] {{{}", partition.replace(alike, own)));
    assert!(disagreements(&letter) > 0);
}

/// Paxos whose acceptors share their promises.
fn acceptors(parts: u32, nodes: u32) -> (Program, Vec<Stage>) {
    let original = program(include_str!("../../../protocols/paxos/paxos.ded"));
    let stages = apply_all(&original, &[&format!("partition acceptor by slot into {parts} with coordinator")]);
    assert_eq!((original.physical_nodes(), stages[0].program.physical_nodes()), (8, nodes));
    (original, stages)
}

/// The acceptors of Paxos, which restart and have everything on disk: promises are replicated, slots are partitioned, and what a promise tells is sealed.
#[test]
fn acceptors_of_paxos_share_their_promises() {
    for (parts, nodes) in [(3, 17), (1, 11)] {
        let (original, stages) = acceptors(parts, nodes);
        let report = refine::check(&original, &stages, 60, 6);
        assert!(report.violations.is_empty(), "{parts}: {:?}", report.violations.first());
        assert!(report.channels["p1b"] > 100 && report.channels["found_share"] > 30 && report.lost > 0);
        assert!(report.channels["promised_to_acceptor"] > 60 * 3 * u64::from(parts), "{:?}", report.channels);
    }
}

/// Whoever forgets a promise, or accepts before it has been told of it, is not the acceptor that there was.
#[test]
fn promises_are_on_disk_and_told_at_a_start() {
    let (original, stages) = acceptors(2, 14);
    let changes = [
        ("a promise that is not on disk", "durable table promised_decided", "table promised_decided"),
        ("a promise that is not told", "start(), promised_decided(b)", "start(), promised_decided(b), b.round < 0"),
        ("a partition that does not wait for what it is told", "released(-1) ", "released(0) "),
    ];
    for (what, from, to) in changes {
        let text = stages[0].program.source.text.to_string();
        assert!(text.contains(from), "{what}\n{text}");
        let stage = Stage {
            program: program(&text.replacen(from, to, 1)),
            ..apply_all(&original, &[&stages[0].line]).remove(0)
        };
        let report = refine::check(&original, &[stage], 200, 6);
        assert!(!report.violations.is_empty(), "{what}");
    }
}

/// What has not taken effect when a node stops, and what waits at its partitions, is gone.
#[test]
fn nodes_may_stop_in_the_midst_of_a_batch() {
    for fault in [
        "fault crash 1 of replica",
        "fault restart 2 of replica",
        "fault crash 1 of replica fault restart 1 of replica",
    ] {
        let durable = |text: &str| text.replace("table worked", "durable table worked");
        let partly = |text: &str| {
            durable(text).replace("table current(=> e: int) replace", "durable table current(=> e: int) replace")
        };
        let texts = [ORIGINAL.to_owned(), durable(ORIGINAL), partly(ORIGINAL)];
        for (number, text) in texts.iter().enumerate() {
            let original = program(&text.replace("FAULT", fault));
            let stages = apply_all(&original, &[LINE]);
            let report = refine::check(&original, &stages, 400, 12);
            assert!(report.violations.is_empty(), "{fault}, {number}: {:?}", report.violations.first());
            assert!(report.channels["done"] > 1000 && report.channels["report"] > 1000, "{:?}", report.channels);
            assert!(report.drained_runs > 390, "{fault}, {number}: {}", report.drained_runs);
        }
    }
}

/// Stores that tell each other what they are told.
const TALKING: &str = "
protocol talking
role client external
role server
role store[2]
FAULT
channel put(k: int, v: int)   client -> server
channel raise(e: int)         client -> server
channel note(k: int, v: int)  server -> store
channel limit(e: int)         server -> store
channel echo(k: int, v: int)  store -> store
channel next(e: int)          store -> store
channel seen(k: int, v: int)  store -> server
component server {
  note(k, v)@s :~ put(k, v), store(s)
  limit(e)@s   :~ raise(e), store(s)
  got(k, v)    :- seen(k, v)
}
component store {
  timer later(e: int) after 50 ms
  durable table top(=> e: int) max
  durable table kept(k: int, v: int)
  top(e)       :- limit(e)
  top(e)       :- next(e)
  top(e + 1)   :- later(e)
  next(e + 1)@s :~ limit(e), e < 4, store(s)
  later(e)     :~ limit(e)
  echo(v, k)@s :~ note(k, v), store(s)
  kept(k, v)   :- echo(k, v), top(e), e > v
  seen(k, e)@s :~ note(k, _) from s, top(e)
  seen(k, v)@s :~ note(k, _) from s, kept(k, v)
}
";

/// What one node has got from another one that stops, it may take when that has stopped.
#[test]
fn nodes_that_stop_may_have_told_others_of_their_role() {
    for fault in ["fault crash 1 of store", "fault restart 2 of store", "fault omission 1 of store"] {
        let original = program(&TALKING.replace("FAULT", fault));
        let stages = apply_all(&original, &["partition store by k into 2 with coordinator"]);
        let report = refine::check(&original, &stages, 400, 12);
        assert!(report.violations.is_empty(), "{fault}: {:?}", report.violations.first());
        assert!(report.channels["next"] > 1000 && report.channels["seen"] > 1000, "{:?}", report.channels);
    }
}

#[test]
fn a_window_that_nobody_mentions_needs_no_floor_at_partitions() {
    let original = program(
        "protocol idle
         role client external
         role clock
         role replica
         fault restart 1 of replica
         channel put(id: int)   client -> clock
         channel work(id: int)  clock -> replica
         channel epoch(e: int)  clock -> replica
         channel done(id: int)  replica -> clock
         component clock {
           work(id)@r  :~ put(id), replica(r)
           epoch(id)@r :~ put(id), replica(r)
           got(id)     :- done(id)
         }
         component replica {
           durable table low(=> e: int) max
           durable window table idle(e: int) above low
           low(e)     :- epoch(e)
           done(id)@l :~ work(id) from l
         }",
    );
    let stages = apply_all(&original, &[LINE]);
    assert_eq!(refine::check(&original, &stages, 100, 8).violations.len(), 0);
}
