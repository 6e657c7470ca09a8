//! For every numbered precondition on liars a program that has some: what is needed there is not asked, but added.

use menard_lang::ir::Name;
use menard_sim::Config;

use super::cases::{noted, program};

/// A program with liars that is rewritten. Its mutant is the same without verification.
pub struct Liar {
    pub precondition: &'static str,
    /// What is verified.
    pub name: &'static str,
    pub line: &'static str,
    pub text: String,
    /// How the mutant comes about.
    pub without: Without,
}

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Without {
    /// Rules read what is new from anybody.
    Sender,
    /// Partitions take what is for another one, on this channel.
    Message(&'static str),
}

impl Liar {
    /// The precondition that the mutant skips.
    pub fn skipped(&self) -> Option<&'static str> {
        (self.without == Without::Sender).then_some(self.precondition)
    }

    /// The world of the mutant.
    pub fn config(&self) -> Config {
        let trusted = match self.without {
            Without::Sender => Vec::new(),
            Without::Message(channel) => vec![Name::from(channel)],
        };
        Config { without_message_verification: trusted, ..Config::default() }
    }
}

/// All of them.
pub fn liars() -> Vec<Liar> {
    let mut liars = vec![
        functional(),
        super::monotonic::liar(),
        super::mutual::liar(),
        super::state_machine::liar(),
        super::asymmetric::liar(),
        super::prefix::liar(),
        partitioned("P1.6", "partition store by k into 2", "k"),
        partitioned("P2.6", "partition store by k % 3 into 2", "k % 3"),
    ];
    liars.extend(super::partial::liars());
    liars
}

/// The program of a near miss with two servers, one of which may lie to the other.
pub fn two_servers(text: String) -> String {
    assert!(text.contains("role server\n"), "near misses have one server");
    text.replace("role server\n", "role server[2]\nfault byzantine 1 of server\n")
}

fn functional() -> Liar {
    let channels = "
channel put(k: int, v: int)   client -> server
channel note(k: int, v: int)  server -> store
";
    let rules = "component server { note(k, v)@s :~ put(k, v), store(s)  table had(k: int)  had(k) :- put(k, _) }
component store { table kept(k: int, v: int)  kept(k, v) :- note(k, v) }";
    Liar {
        precondition: "D2.6",
        name: "what is forwarded",
        line: "decouple server { note } into noter using functional",
        text: two_servers(program("", channels, rules)),
        without: Without::Sender,
    }
}

fn partitioned(precondition: &'static str, line: &'static str, key: &str) -> Liar {
    let rules =
        format!("table kept(z: int, v: int)  kept({key}, v) :- note(k, v)  done(z, v)@s :~ new kept(z, v), server(s)");
    let text = two_servers(noted("", "", &rules));
    Liar { precondition, name: "what is for another partition", line, text, without: Without::Message("note") }
}
