//! Clients of programs with several channels of commands.

mod common;

use common::{measure, short};
use menard_lang::compile_text;
use menard_node::Config;

/// A store whose two parts are on nodes of their own; it answers reads only for keys that were written, and says so to nobody who asked.
const STORE: &str = "protocol store

role client external
role watcher external
role server
role reader

channel put(id: int, key: int, what: bytes)  client -> server
channel get(id: int, key: int)               client -> reader
channel leave()                              client -> server
channel look(id: int)                        watcher -> server
channel copy(id: int, key: int)               server -> reader
channel done(id: int)                        server -> client
channel got(id: int, known: bool)            reader -> client
channel bye(n: int)                          server -> client

component server {
  done(id)@c     :~ put(id, _, _) from c
  copy(id, key)@r :~ put(id, key, _), reader(r)
  bye(key)@c     :~ put(_, key, _) from c, key % 2 == 0
  bye(0)@c       :~ leave() from c
  bye(0)@c       :~ look(id) from c, id < 0
}

component reader {
  table known(key: int)

  known(key)        :- copy(_, key)
  got(id, true)@c   :~ get(id, key) from c, known(key)
  got(id, false)@c  :~ get(id, key) from c, !known(key)
}
";

#[test]
fn several_channels_of_commands_take_turns() {
    let config = Config { commands: vec!["put".to_owned(), "get".to_owned()], keys: 10, ..short() };
    let report = measure(&compile_text(STORE), &config).expect("both kinds of commands are answered");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.unexpected_replies, report.duplicate_replies, report.unanswered), (0, 0, 0));
    // A put is a command, a copy and an answer, and half of the keys are even; a get is a command and an answer.
    assert!((report.messages_per_command - 2.75).abs() < 0.15, "{}", report.messages_per_command);
}

#[test]
fn one_channel_of_several_can_be_chosen() {
    let config = Config { commands: vec!["get".to_owned()], ..short() };
    let report = measure(&compile_text(STORE), &config).expect("reads are answered");
    assert!((report.messages_per_command - 2.0).abs() < 0.1, "{}", report.messages_per_command);
}
