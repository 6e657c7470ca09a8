//! A logical node of several machines dies with all of them, again and again, while clients go on: nothing acknowledged is lost.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "kills at random moments of real time")]

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use menard_node::Config;
use support::Desk;
use support::client::{Answer, Client, Random, content};
use support::process::NodeProcess;

const SLOTS: i64 = 40;
const KILLS: u32 = 25;

/// A front that hands commands on, and a store that keeps for each slot the one with the greatest number.
const LEDGER: &str = "\
protocol ledger

role client external
role front
role store

fault restart 1 of store

channel put(id: int, slot: int, what: bytes)            client -> front
channel done(id: int)                                   front -> client
channel ask(slot: int)                                  client -> front
channel has(slot: int, id: int, what: bytes)            front -> client
channel lacks(slot: int)                                front -> client
channel keep(c: node, id: int, slot: int, what: bytes)  front -> store
channel kept(c: node, id: int)                          store -> front
channel find(c: node, slot: int)                        front -> store
channel found(c: node, slot: int, id: int, what: bytes) store -> front
channel missing(c: node, slot: int)                     store -> front

component front {
  keep(c, id, slot, what)@s :~ put(id, slot, what) from c, store(s)
  done(id)@c                :~ kept(c, id)
  find(c, slot)@s           :~ ask(slot) from c, store(s)
  has(slot, id, what)@c     :~ found(c, slot, id, what)
  lacks(slot)@c             :~ missing(c, slot)
}

component store {
  durable table last(slot: int => id: int, what: bytes) max

  last(slot, id, what)        :+ keep(_, id, slot, what)
  kept(c, id)@f               :~ keep(c, id, _, _) from f
  found(c, slot, id, what)@f  :~ find(c, slot) from f, last(slot, id, what)
  missing(c, slot)@f          :~ find(c, slot) from f, !last(slot, _, _)
}
";
const BY_SLOT: &str = "plan by_slot for ledger\n\npartition store by slot into 3\n";
/// The positions of its channels.
const PUT: u16 = 0;
const DONE: u16 = 1;
const ASK: u16 = 2;
const HAS: u16 = 3;

/// What a checker outside of the domain knows.
#[derive(Debug)]
struct Book {
    /// Commands `..sent` were sent.
    sent: i64,
    acknowledgements: u64,
    /// Of each slot the last command that was acknowledged.
    last: [Option<i64>; SLOTS as usize],
}

impl Book {
    fn send(&mut self, client: &mut Client) {
        let (id, what) = (self.sent, content(self.sent));
        let length = u32::try_from(what.len()).expect("short").to_le_bytes();
        self.sent += 1;
        let fields: [&[u8]; 4] = [&id.to_le_bytes(), &(id % SLOTS).to_le_bytes(), &length, &what];
        assert!(client.send(PUT, &fields), "nobody kills the front");
    }

    /// Takes acknowledgements; gives the other answers.
    fn take(&mut self, answers: Vec<Answer>) -> Vec<Answer> {
        let (done, rest): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|(channel, ..)| *channel == DONE);
        for (_, id, _) in done {
            assert!(id < self.sent, "command {id} was never sent");
            let last = &mut self.last[(id % SLOTS) as usize];
            *last = (*last).max(Some(id));
            self.acknowledgements += 1;
        }
        rest
    }

    /// Takes acknowledgements until none comes any more.
    fn settle(&mut self, client: &mut Client) {
        let mut quiet = Instant::now();
        while quiet.elapsed() < Duration::from_millis(300) {
            let before = self.acknowledgements;
            let answers = client.receive().expect("nobody kills the front");
            drop(self.take(answers));
            if self.acknowledgements > before {
                quiet = Instant::now();
            }
        }
    }

    /// Asks for all slots: each has the last command that was acknowledged, or one that was sent later.
    fn check(&mut self, client: &mut Client) {
        let acknowledged = self.last;
        for slot in 0..SLOTS {
            assert!(client.send(ASK, &[&slot.to_le_bytes()]), "nobody kills the front");
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut known = BTreeSet::new();
        while known.len() < SLOTS as usize {
            assert!(Instant::now() < deadline, "only slots {known:?} are known");
            let answers = client.receive().expect("nobody kills the front");
            for (channel, slot, rest) in self.take(answers) {
                known.insert(slot);
                let last = acknowledged[slot as usize];
                if channel != HAS {
                    assert_eq!(last, None, "slot {slot} is empty");
                    continue;
                }
                let id = i64::from_le_bytes(*rest.first_chunk().expect("a number"));
                assert!(
                    Some(id) >= last && id < self.sent && id % SLOTS == slot,
                    "slot {slot} has {id} after {last:?}"
                );
                assert_eq!(rest[12..], content(id), "command {id}");
            }
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_all_machines_of_a_node_are_killed() {
    let original = menard_lang::compile_text(LEDGER);
    let desk = Desk::with(&[("ledger.ded", LEDGER), ("by_slot.plan", BY_SLOT)]);
    let rewritten =
        menard_lang::compile_text(&desk.menard(&["rewrite", "ledger.ded", "--plan", "by_slot.plan"]).stdout);
    assert_eq!((original.physical_nodes(), rewritten.physical_nodes()), (2, 4));
    let config = Config::default().with_free_ports(&rewritten).expect("there are free ports");
    desk.write("deploy.toml", config.to_toml().as_bytes());
    let fingerprint = *blake3::hash(menard_lang::print(&rewritten).as_bytes()).as_bytes();
    let start = |node| NodeProcess::start(&desk, &["ledger.ded", "--plan", "by_slot.plan", "--at", node]);
    let _front = start("front");
    let mut client = Client::connect(SocketAddr::new(config.listen, config.base_port), &fingerprint);
    let (mut random, mut book) = (Random(2), Book { sent: 0, acknowledgements: 0, last: [None; SLOTS as usize] });
    for kill in 0..KILLS {
        let mut store = start("store");
        // The store was killed when nothing was under way, so that nobody tells it again of what it may have forgotten.
        if kill % 5 == 0 {
            book.check(&mut client);
        }
        let until = Instant::now() + Duration::from_millis(30 + random.below(120));
        while Instant::now() < until {
            (0..10).for_each(|_| book.send(&mut client));
            let answers = client.receive().expect("nobody kills the front");
            // What was asked before a restart may be asked again, and is answered again.
            drop(book.take(answers));
        }
        if (kill + 1) % 5 == 0 {
            book.settle(&mut client);
        }
        store.kill();
    }
    let _store = start("store");
    book.check(&mut client);
    let incarnation = desk.read("data/store/incarnation");
    let starts: u32 = incarnation.trim_end().rsplit(' ').next().and_then(|last| last.parse().ok()).expect("a number");
    assert!(starts > KILLS / 2 && starts <= KILLS + 1, "{starts} starts");
    assert!(book.acknowledgements > 1_000 && book.last.iter().all(Option::is_some), "{book:?}");
}

/// Two-phase commit with participants of three machines each, of which any process is killed.
#[test]
fn two_phase_commit_goes_on_while_its_partitioned_participants_are_killed() {
    let desk = Desk::with(&[("deploy.toml", "resend_after_ms = 50\nwarmup_s = 0.1\n")]);
    let words = ["run", "two_phase_commit", "--plan", "scalable", "--deploy", "deploy.toml", "--processes"];
    let load = ["--kill-every", "200", "--seconds", "4", "--clients", "16"];
    let (status, json) = desk.json(&[&words[..], &load].concat());
    assert_eq!(status, 0, "{json}");
    assert!(json["kills"].as_u64().is_some_and(|kills| kills >= 5), "{json}");
    assert!(json["commands"].as_u64().is_some_and(|commands| commands > 100), "{json}");
    assert_eq!(json["unexpected_replies"], 0);
}
