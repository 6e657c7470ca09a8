//! What clients believe where nodes may lie, and what they notice.

mod common;

use std::sync::atomic::AtomicBool;

use common::{measure, short};
use menard_lang::compile_text;
use menard_node::{Believe, Config, Progress, RunError, run, trusted};

/// Four replicas of which one may lie: they tell each other of requests, and answer as the rules of `answer` say.
fn replicas(columns: &str, answer: &str) -> menard_lang::Program {
    compile_text(&format!(
        "protocol answers
         role client external
         role replica[4]
         fault byzantine 1 of replica
         record proof(s: signature)
         channel request(id: int)          client -> replica
         channel fan(c: node, id: int)     replica -> replica
         channel reply(id: int, {columns}) replica -> client
         component replica {{
           fan(c, id)@r :~ request(id) from c, replica(r)
           {answer}
         }}"
    ))
}

#[test]
fn halves_that_answer_differently_contradict_each_other() {
    let program = replicas("half: int", "reply(id, index_of(me) / 2)@c :~ fan(c, id)");
    let report = measure(&program, &short()).expect("two agree");
    assert!(report.contradictions > 0, "{report:#?}");
}

#[test]
fn a_contradiction_that_comes_later_is_noticed_too() {
    let answer = "timer later(c: node, id: int) after 20 ms
                  reply(id, 0)@c :~ fan(c, id), index_of(me) < 2
                  later(c, id)   :~ fan(c, id), index_of(me) >= 2
                  reply(id, 1)@c :~ later(c, id)";
    let report = measure(&replicas("half: int", answer), &short()).expect("two agree");
    // All but a few: those at the end for which the answers of the slow ones come too late.
    assert!(report.contradictions >= report.commands, "{} of {}", report.contradictions, report.commands);
}

#[test]
fn signatures_within_records_and_lists_are_left_out() {
    let cases =
        [("p: proof", "proof { s: s }"), ("p: list<proof>", "[proof { s: s }]"), ("p: (int, signature)", "(id, s)")];
    for (columns, value) in cases {
        let answer = format!("reply(id, {value})@c :~ fan(c, id), s = sign(me, id)");
        let report = measure(&replicas(columns, &answer), &short()).expect("all say the same");
        assert_eq!((report.contradictions, report.unanswered), (0, 0), "{columns}");
        assert!(report.outvoted.is_empty(), "{columns}: {:?}", report.outvoted);
    }
}

#[test]
fn answers_on_two_channels_are_two_questions() {
    let program = compile_text(
        "protocol two
         role client external
         role replica[4]
         role clerk
         fault byzantine 1 of replica
         channel request(id: int)           client -> replica
         channel order(c: node, id: int)    replica -> replica
         channel note(id: int)              client -> clerk
         channel accepted(id: int)          replica -> client
         channel done(id: int, what: int)   replica -> client
         channel noted(id: int)             clerk -> client
         component replica {
           order(c, id)@r  :~ request(id) from c, replica(r)
           accepted(id)@c  :~ order(c, id)
           done(id, 7)@c   :~ order(c, id)
         }
         component clerk { noted(id)@c :~ note(id) from c }",
    );
    let report = measure(&program, &short()).expect("all answer");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.contradictions, report.unanswered), (0, 0), "{report:#?}");
    assert!(report.outvoted.is_empty(), "{:?}", report.outvoted);
}

/// Proxies answer what a replica tells one of them.
const PROXIES: &str = "protocol proxies
     role client external
     role replica[4]
     role proxy[3]
     fault byzantine 1 of replica
     channel request(id: int)        client -> replica
     channel done(c: node, id: int)  replica -> proxy
     channel reply(id: int)          proxy -> client
     component replica { done(c, id)@r :~ request(id) from c, proxy(r), index_of(r) == id % 3 }
     component proxy { reply(id)@c :~ done(c, id) }";

#[test]
fn clients_that_believe_nobody_say_why() {
    let config = Config { resend_after_ms: 50, ..short() };
    let mut stalled = None;
    let mut notice = |progress| {
        if let Progress::Stalled(why) = progress {
            stalled = Some(why);
        }
    };
    let error = run(&compile_text(PROXIES), &config, &mut notice, &AtomicBool::new(false));
    let error = error.expect_err("one proxy answers each command, and it may have it from a liar");
    let why = "at most 1 of 3 nodes of `proxy` answer the same and a client believes 2";
    assert!(matches!(&error, RunError::NoReply { .. }) && error.to_string().contains(why), "{error}");
    assert!(stalled.is_some_and(|stalled| stalled.to_string().contains(why)), "it is told after the warm-up");
}

#[test]
fn what_one_liar_can_make_all_say_is_warned_of() {
    let program = compile_text(PROXIES);
    let told = trusted(&program, &short()).expect("it can be run");
    assert!(told.len() == 1 && told[0].contains("`proxy` answers on `reply`"), "{told:?}");
    let told = trusted(&program, &Config { believe: 1.into(), ..short() }).expect("it can be run");
    assert!(told.is_empty(), "who says how many knows: {told:?}");
    let pbft = compile_text(include_str!("../../../protocols/pbft_critical_path/pbft_critical_path.ded"));
    assert!(trusted(&pbft, &short()).expect("it can be run").is_empty(), "machines hear their own replica");
}

#[test]
fn clients_believe_as_few_as_the_settings_say() {
    let config = Config { believe: 1.into(), ..short() };
    let report = measure(&compile_text(PROXIES), &config).expect("one is believed");
    assert!(report.commands > 0 && report.stalled.is_none(), "{report:#?}");
    let error = measure(&compile_text(PROXIES), &Config { believe: 4.into(), ..short() }).expect_err("there are three");
    assert!(error.to_string().contains("`believe` is 4, and only 3 of `proxy` can answer `reply`"), "{error}");
}

fn by_name(channel: &str, nodes: u32) -> Config {
    Config { believe: Believe::Channels([(channel.to_owned(), nodes)].into()), ..short() }
}

#[test]
fn clients_believe_as_few_as_is_said_of_a_channel() {
    let and_more = PROXIES
        .replace("channel reply", "channel seen(id: int) proxy -> client channel reply")
        .replace("{ reply(id)@c", "{ seen(id)@c :~ done(c, id), id < 0 reply(id)@c");
    let program = compile_text(&and_more);
    let report = measure(&program, &by_name("reply", 1)).expect("one is believed");
    assert!(report.commands > 0 && report.stalled.is_none(), "{report:#?}");
    let told = trusted(&program, &by_name("reply", 1)).expect("it can be run");
    assert!(told.len() == 1 && told[0].contains("`believe.seen`"), "nothing is said of the other channel: {told:?}");
}

#[test]
fn only_channels_of_answers_have_somebody_to_believe() {
    for other in ["done", "request", "repyl"] {
        let error = trusted(&compile_text(PROXIES), &by_name(other, 1)).expect_err("it answers nothing");
        let why = format!("`believe` names `{other}`, but the channels that answer commands are `reply`");
        assert!(matches!(error, RunError::Settings(_)) && error.to_string().contains(&why), "{error}");
    }
}

/// Two replicas, of which either is believed: each answers what it says in `answer`, to a command of which both know.
fn twins(answer: &str) -> menard_lang::Program {
    compile_text(&format!(
        "protocol twins
         role client external
         role replica[2]
         fault crash 1 of replica
         channel request(id: int)          client -> replica
         channel fan(c: node, id: int)     replica -> replica
         channel reply(id: int, half: int) replica -> client
         component replica {{
           timer later(c: node, id: int) after 20 ms
           fan(c, id)@r      :~ request(id) from c, replica(r)
           later(c, id)      :~ fan(c, id), index_of(me) == 1
           {answer}
         }}"
    ))
}

#[test]
fn who_is_believed_alone_is_contradicted_by_another() {
    let at_once = "reply(id, index_of(me))@c :~ fan(c, id)";
    let later = "reply(id, 0)@c :~ fan(c, id), index_of(me) == 0 reply(id, 1)@c :~ later(c, id)";
    for answer in [at_once, later] {
        let one = Config { believe: 1.into(), ..short() };
        let report = measure(&twins(answer), &one).expect("one is believed");
        // All but a few at the end: what is late may be too late.
        assert!(report.contradictions >= report.commands, "{} of {}", report.contradictions, report.commands);
        assert!(report.duplicate_replies > 0, "{report:#?}");
    }
}

#[test]
fn who_is_believed_alone_is_not_contradicted_by_those_who_agree_and_by_itself() {
    let agree = "reply(id, 7)@c :~ fan(c, id)";
    let itself = "reply(id, 0)@c :~ fan(c, id), index_of(me) == 1 reply(id, 1)@c :~ later(c, id)";
    for answer in [agree, itself] {
        let one = Config { believe: 1.into(), ..short() };
        let report = measure(&twins(answer), &one).expect("one is believed");
        assert!(report.commands > 0 && report.duplicate_replies > 0, "{report:#?}");
        assert_eq!((report.contradictions, report.outvoted.len()), (0, 0), "{report:#?}");
    }
}

#[test]
fn nodes_may_answer_differently_where_nobody_lies() {
    let report = measure(&twins("reply(id, index_of(me))@c :~ fan(c, id)"), &short()).expect("any is believed");
    assert!(report.commands > 0, "{report:#?}");
    assert_eq!((report.contradictions, report.outvoted.len()), (0, 0), "{report:#?}");
}
