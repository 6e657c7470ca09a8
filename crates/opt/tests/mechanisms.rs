//! What the mechanisms make of programs that stress them, as text, and that it refines.

mod common;

use common::{apply_all, program, refine};
use menard_lang::print::exprs;
use menard_opt::rewrite::Rewrite;
use menard_opt::rewrite::decouple_functional::DecoupleFunctional;
use menard_opt::rewrite::decouple_independent::DecoupleIndependent;
use menard_opt::rewrite::partition_co_hash::PartitionCoHash;

const CHANNELS: &str = "
protocol example
role client external
role server
role store[2]
channel put(k: int, v: int)   client -> server
channel drop(k: int)          client -> server
channel note(k: int, v: int)  server -> store
channel gone(k: int, c: node) server -> store
channel copy(k: int, v: int)  server -> store
channel ack(k: int)           store -> server
channel done(k: int)          server -> store
component store {
  ack(k)@s :~ note(k, _) from s
  ack(k)@s :~ done(k) from s, k > 100
  table kept(k: int, v: int)
  kept(k, v) :- copy(k, v)
  kept(k, 0) :- gone(k, _)
}
";

/// The server after the last of some lines, and everything that its channels became.
fn server_after(rules: &str, lines: &[&str]) -> String {
    let original = program(&format!("{CHANNELS}\ncomponent server {{\n{rules}\n}}"));
    let stages = apply_all(&original, lines);
    let report = refine::check(&original, &stages, 200, 12);
    let text = &stages.last().expect("there are lines").program.source.text;
    assert!(report.violations.is_empty(), "{:?}\n{text}", report.violations.first());
    let from = text.find("\nchannel").expect("the program has channels");
    text[from + 1..].to_owned()
}

#[test]
fn literals_with_the_same_pattern_share_one_message() {
    let rules = "note(k, v)@s    :~ put(k, v), store(s)
                 copy(a, b)@s    :~ put(a, b), store(s), a > 1
                 done(k)@s       :~ put(k, 3), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { note, copy, done } into noter"]));
}

#[test]
fn senders_become_columns_and_unread_columns_are_not_sent() {
    let rules = "gone(k, c)@s :~ put(k, _) from c, store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { gone } into goner"]));
}

#[test]
fn variables_that_nobody_looks_at_are_not_sent() {
    let rules = "done(k)@s    :~ put(k, v) from c, store(s)
                 note(k, 0)@s :~ put(k, _), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { done, note } into noter"]));
}

#[test]
fn rules_for_one_head_may_tell_the_same_facts_alike() {
    let rules = "note(k, v)@s :~ put(k, v), store(s), k > 1
                 note(i, j)@s :~ put(i, j), store(s), j < 2";
    insta::assert_snapshot!(server_after(rules, &["decouple server { note } into noter"]));
}

#[test]
fn calls_are_computed_where_the_rule_is() {
    let rules = "value(k)     :- drop(k)
                 done(k)@s    :~ value(k + 0), store(s), k = index_of(s)
                 note(k, v)@s :~ put(k, v), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { done } into finisher"]));
}

#[test]
fn constants_are_copied_to_whoever_reads_them() {
    let rules = "even(s)      :- store(s), index_of(s) % 2 == 0
                 odd(s)       :- store(s), !even(s)
                 table known(k: int)
                 known(k)     :- ack(k)
                 done(k)@s    :~ new known(k), even(s)
                 note(k, v)@s :~ put(k, v), odd(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { known } into knower"]));
}

#[test]
fn tables_that_are_filled_in_the_first_step_are_copied() {
    let rules = "table low(k: int)
                 low(2)       :- start()
                 table known(k: int)
                 known(k)     :- ack(k)
                 done(k)@s    :~ new known(k), !low(k), store(s)
                 note(k, v)@s :~ put(k, v), low(k), store(s)";
    let lines = ["decouple server { known } into knower", "partition knower by k into 2"];
    insta::assert_snapshot!(server_after(rules, &lines));
}

#[test]
fn rules_for_the_first_step_can_move() {
    let rules = "done(7)@s    :~ start(), store(s)
                 note(k, v)@s :~ put(k, v), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { done } into starter"]));
}

#[test]
fn a_channel_that_only_moved_rules_read_is_redirected() {
    let rules = "done(k)@s    :~ ack(k), store(s)
                 note(k, v)@s :~ put(k, v), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { done, note } into worker using functional"]));
}

/// Only messages that depend on what is forwarded are late.
#[test]
fn lifts_say_on_which_channels_messages_are_late() {
    let voting = program(include_str!("../../../protocols/voting/voting.ded"));
    let late = |line: &str| apply_all(&voting, &[line])[0].lift.inexact();
    let batched = apply_all(&voting, &["decouple leader { ballot } into broadcaster using state_machine"]).remove(0);
    let lift = &batched.lift;
    assert_eq!((lift.inexact(), lift.late()), ([].into(), ["ballot".into()].into()));
    assert_eq!(late("decouple leader { ballot } into broadcaster using functional"), ["ballot".into()].into());
    assert_eq!(late("decouple participant { vote } into voter using functional"), [].into());
    assert_eq!(late("decouple leader { voted } into collector"), [].into());
    assert_eq!(late("partition participant by id into 3"), [].into());
}

#[test]
fn moved_rules_may_keep_what_they_are_told() {
    let rules = "table seen(k: int, v: int)
                 seen(k, v)   :- put(k, v)
                 note(k, v)@s :~ new seen(k, v), store(s)
                 copy(k, v)@s :~ seen(k, v), store(s)";
    insta::assert_snapshot!(server_after(
        rules,
        &["decouple server { seen, note, copy } into keeper using functional"]
    ));
}

/// State is copied, a channel of external nodes is forwarded, one of stores is redirected; that all of two stores have answered stays so.
#[test]
fn what_only_grows_is_copied() {
    let rules = "table voted(k: int, s: node)
                 table asked(k: int, v: int)
                 table dropped(k: int)
                 asked(k, v)        :- put(k, v)
                 note(k, v)@s       :~ new asked(k, v), store(s)
                 voted(k, s)        :- ack(k) from s
                 votes(k, count(s)) :- voted(k, s)
                 dropped(k)         :- drop(k)
                 all(k)             :- votes(k, 2), asked(k, _), dropped(k)
                 done(k)@s          :~ new all(k), store(s)
                 copy(k, v)@s       :~ asked(k, v), all(k), store(s)";
    let line = "decouple server { voted, votes, dropped, all, done, copy } into ender using monotonic";
    insta::assert_snapshot!(server_after(rules, &[line]));
}

/// What several literals read in different ways is told once; `start()` is told, and what is absent.
#[test]
fn batches_have_all_that_one_step_brings_about() {
    let rules = "table kept(k: int, v: int)
                 kept(0, 0)   :- start()
                 kept(k, v)   :- put(k, v)
                 delete kept(k, _) :+ drop(k) from c, put(0, _) from c
                 note(k, v)@s :~ put(k, _), kept(k, v), !drop(k), store(s)
                 done(k)@s    :~ drop(k), store(s)";
    insta::assert_snapshot!(server_after(rules, &["decouple server { kept, note } into keeper using state_machine"]));
}

#[test]
fn keys_follow_equations() {
    let rules = "note(k, v)@s :~ put(k, v), store(s)
                 table known(k: int, n: int)
                 known(j, n)  :- ack(k), j = k, n = k + 1
                 done(k)@s    :~ ack(i), known(k, _), i == k, store(s)";
    let lines = ["decouple server { known } into knower", "partition knower by k into 2"];
    insta::assert_snapshot!(server_after(rules, &lines));
}

/// All messages of one node have the same sender, so that would be the key of one busy partition.
#[test]
fn keys_that_nobody_names_have_many_values() {
    let rules = "gone(k, c)@s :~ put(k, _) from c, store(s)
                 note(k, v)@s :~ put(k, v), store(s)";
    let copied = "decouple server { gone } into goner using functional";
    let stages = apply_all(
        &program(&format!("{CHANNELS}\ncomponent server {{\n{rules}\n}}")),
        &[copied, "partition goner into 3"],
    );
    let last = stages.last().expect("there are lines");
    let key = |channel: &str| last.program.channel(channel).expect("goner receives it").by[0].as_variable().cloned();
    assert_eq!(key("put_to_goner").as_deref(), Some("k"));
    let proof = last.proofs.iter().find(|proof| proof.precondition == "P1.3").expect("P1.3 is proved");
    assert!(proof.sentence.contains("`put_to_goner` by `k`"), "{}", proof.sentence);
}

#[test]
fn a_key_can_have_several_columns() {
    let stages = apply_all(
        &program(include_str!("../../../protocols/voting/voting.ded")),
        &["decouple leader { voted } into collector", "partition collector by id, c into 3"],
    );
    let last = &stages.last().expect("there are lines").program;
    let vote = last.channel("vote").expect("voting has a channel `vote`");
    let key: Vec<_> = vote.by.iter().filter_map(menard_lang::ir::Expr::as_variable).collect();
    assert_eq!(key, ["id", "c"]);
}

/// Keys are compared between channels, so a column that stands for two of another channel stands there twice.
#[test]
fn keys_of_different_channels_are_equally_long() {
    let text = "
        protocol example
        role client external
        role server
        role store
        channel put(k: int, v: int)   client -> server
        channel drop(k: int)          client -> server
        channel pair(k: int, v: int)  server -> store
        channel ask(k: int)           server -> store
        channel query(v: int)         server -> store
        channel found(k: int)         store -> server
        component server {
          pair(k, v)@s :~ put(k, v), store(s)
          ask(k)@s     :~ drop(k), store(s)
          query(k)@s   :~ drop(k), store(s)
          known(k)     :- found(k)
        }
        component store {
          table kept(k: int, v: int)
          kept(k, v)   :- pair(k, v)
          FOUND
        }";
    let rules = [
        "found(k)@s :~ ask(k) from s, kept(k, k)",
        "found(k)@s :~ ask(k) from s, kept(j, i), j == k, i == k",
        "table asked(k: int)  asked(k) :- query(k)  found(k)@s :~ ask(k) from s, kept(k, k), asked(k)",
    ];
    for rule in rules {
        let original = program(&text.replace("FOUND", rule));
        let stages = apply_all(&original, &["partition store by k, v into 3"]);
        let ask = stages[0].program.channel("ask").expect("the example has a channel `ask`");
        assert_eq!(ask.by.len(), 2, "as many as `pair` has");
        let report = refine::check(&original, &stages, 300, 12);
        assert!(report.violations.is_empty(), "{:?}", report.violations.first());
    }
}

#[test]
fn sites_say_where_rewrites_could_apply() {
    let voting = program(include_str!("../../../protocols/voting/voting.ded"));
    let pieces = DecoupleIndependent.sites(&voting);
    let pieces: Vec<String> = pieces.iter().map(|site| format!("{} {:?}", site.component, site.handles)).collect();
    assert_eq!(pieces, [r#"leader ["ballot"]"#, r#"leader ["reply", "voted", "votes"]"#]);
    let heads = DecoupleFunctional.sites(&voting);
    let allowed: Vec<String> = heads
        .iter()
        .filter(|site| DecoupleFunctional.allow(&voting, site).is_ok())
        .map(|site| format!("{} {:?}", site.component, site.handles))
        .collect();
    assert_eq!(allowed, [r#"leader ["ballot"]"#, r#"leader ["reply"]"#, r#"participant ["vote"]"#]);
    let keys = PartitionCoHash.sites(&voting);
    let keys: Vec<String> = keys.iter().map(|site| format!("{} {}", site.component, exprs(&site.by))).collect();
    assert_eq!(keys, ["leader id", "participant c", "participant cmd", "participant id"]);
}

#[test]
fn every_rewrite_has_a_page_that_tells_its_preconditions() {
    for rewrite in menard_opt::rules::REWRITES {
        for (id, _) in rewrite.preconditions() {
            assert!(rewrite.page().contains(id), "the page of {} does not mention {id}", rewrite.name());
        }
    }
}
