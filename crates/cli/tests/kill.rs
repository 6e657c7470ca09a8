//! Processes that are killed at any moment: what was acknowledged is there afterwards, turns are whole, and runs go on.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "kills at random moments of real time")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use menard_node::Config;
use support::Desk;
use support::client::{Answer, Client, Random, content};
use support::process::NodeProcess;

const SLOTS: i64 = 40;
const KILLS: u32 = 200;

/// Keeps for each slot the command with the greatest number, twice, so that a turn has two changes that belong together.
const STORE: &str = "\
protocol store

role client external
role server

fault restart 1 of server

channel put(id: int, slot: int, what: bytes)  client -> server
channel done(id: int)                         server -> client
channel ask(slot: int)                        client -> server
channel has(slot: int, id: int, what: bytes)  server -> client
channel torn(slot: int)                       server -> client
channel lacks(slot: int)                      server -> client

component server {
  durable table left(slot: int => id: int, what: bytes) max
  durable table right(slot: int => id: int, what: bytes) max

  left(slot, id, what)  :+ put(id, slot, what)
  right(slot, id, what) :+ put(id, slot, what)
  done(id)@c            :~ put(id, _, _) from c
  has(slot, id, what)@c :~ ask(slot) from c, left(slot, id, what), right(slot, id, what)
  torn(slot)@c          :~ ask(slot) from c, left(slot, id, what), !right(slot, id, what)
  torn(slot)@c          :~ ask(slot) from c, right(slot, id, what), !left(slot, id, what)
  lacks(slot)@c         :~ ask(slot) from c, !left(slot, _, _), !right(slot, _, _)
}
";
/// The positions of its channels.
const PUT: u16 = 0;
const DONE: u16 = 1;
const ASK: u16 = 2;
const HAS: u16 = 3;
const TORN: u16 = 4;
const LACKS: u16 = 5;

/// For each slot the command that it has; checks that what it has is what was sent.
fn slots(client: &mut Client) -> Vec<Option<i64>> {
    let deadline = Instant::now() + Duration::from_secs(10);
    for slot in 0..SLOTS {
        assert!(client.send(ASK, &[&slot.to_le_bytes()]), "the server is there");
    }
    let mut slots = vec![None; SLOTS as usize];
    let mut known = 0;
    while known < SLOTS {
        assert!(Instant::now() < deadline, "the server does not answer");
        for (channel, slot, rest) in client.receive().expect("the server is there") {
            assert_ne!(channel, TORN, "slot {slot} has half a turn");
            known += 1;
            if channel == LACKS {
                continue;
            }
            assert_eq!(channel, HAS);
            let id = i64::from_le_bytes(*rest.first_chunk().expect("a number"));
            assert_eq!(rest[12..], content(id), "command {id}");
            assert_eq!(id % SLOTS, slot);
            slots[slot as usize] = Some(id);
        }
    }
    slots
}

/// What a checker outside of the server knows.
#[derive(Debug, Default)]
struct Book {
    /// Commands `..sent` were sent.
    sent: i64,
    /// Commands `..acknowledged` were acknowledged.
    acknowledged: i64,
    acknowledgements: u64,
}

impl Book {
    fn acknowledge(&mut self, answers: Vec<Answer>) {
        for (channel, id, _) in answers {
            assert_eq!(channel, DONE);
            assert!(id < self.sent, "command {id} was never sent");
            self.acknowledged = self.acknowledged.max(id + 1);
            self.acknowledgements += 1;
        }
    }

    /// The slots have what some first commands leave, with all acknowledged ones among them. What was sent and lost will not be sent again.
    fn check(&mut self, slots: &[Option<i64>]) {
        let kept = slots.iter().flatten().max().map_or(0, |id| id + 1);
        assert!(kept >= self.acknowledged, "{} were acknowledged, {kept} are there", self.acknowledged);
        assert!(kept <= self.sent, "{kept} are there, {} were sent", self.sent);
        for (slot, id) in (0..).zip(slots) {
            let expected = (0..kept).rev().find(|id| id % SLOTS == slot);
            assert_eq!(*id, expected, "slot {slot} after {kept} commands");
        }
        (self.sent, self.acknowledged) = (kept, kept);
    }
}

/// Sends commands until the server is to be killed.
fn load(client: &mut Client, book: &mut Book, until: Instant) {
    while Instant::now() < until {
        for _ in 0..20 {
            let (id, what) = (book.sent, content(book.sent));
            let length = u32::try_from(what.len()).expect("short").to_le_bytes();
            book.sent += 1;
            assert!(
                client.send(PUT, &[&id.to_le_bytes(), &(id % SLOTS).to_le_bytes(), &length, &what]),
                "nobody has killed the server yet"
            );
        }
        book.acknowledge(client.receive().expect("nobody has killed the server yet"));
    }
}

fn start(desk: &Desk) -> NodeProcess {
    NodeProcess::start(desk, &["store.ded", "--at", "server"])
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() {
    let program = menard_lang::compile_text(STORE);
    let config = Config::default().with_free_ports(&program).expect("there are free ports");
    let desk = Desk::with(&[("store.ded", STORE), ("deploy.toml", &config.to_toml())]);
    let address = SocketAddr::new(config.listen, config.base_port);
    let fingerprint = *blake3::hash(menard_lang::print(&program).as_bytes()).as_bytes();
    let (mut random, mut book) = (Random(1), Book::default());
    for _ in 0..KILLS {
        let mut server = start(&desk);
        if random.below(8) == 0 {
            // It may not even have read its log.
            std::thread::sleep(Duration::from_micros(random.below(40_000)));
        } else {
            let mut client = Client::connect(address, &fingerprint);
            book.check(&slots(&mut client));
            load(&mut client, &mut book, Instant::now() + Duration::from_micros(random.below(60_000)));
            server.kill();
            // What was on its way when it died counts: it was said.
            while let Some(answers) = client.receive() {
                book.acknowledge(answers);
            }
        }
    }
    let server = start(&desk);
    book.check(&slots(&mut Client::connect(address, &fingerprint)));
    drop(server);
    let incarnation = desk.read("data/server/incarnation");
    let starts: u32 = incarnation.trim_end().rsplit(' ').next().and_then(|last| last.parse().ok()).expect("a number");
    assert!(starts > KILLS * 3 / 4 && starts <= KILLS + 1, "{starts} starts");
    assert!(book.acknowledgements > 1_000, "{book:?}");
    let log_bytes = std::fs::metadata(desk.path().join("data/server/server.log")).expect("it is there").len();
    assert!(log_bytes < 2 << 20, "{log_bytes} bytes for {SLOTS} slots");
}

/// A leader that forgets all when it is killed, and a keeper that does not.
const RELAY: &str = "\
protocol relay

role client external
role leader
role keeper[2]

fault restart 1 of leader
fault restart 1 of keeper

channel request(id: int, what: bytes)         client -> leader
channel keep(c: node, id: int, what: bytes)   leader -> keeper
channel kept(c: node, id: int)                keeper -> leader
channel reply(id: int)                        leader -> client

component leader {
  table votes(c: node, id: int, k: node)

  keep(c, id, what)@k :~ request(id, what) from c, keeper(k)
  votes(c, id, k)     :- kept(c, id) from k
  all(c, id, count(k)) :- votes(c, id, k)
  reply(id)@c         :~ new all(c, id, 2)
  delete votes(c, id, _) :+ new all(c, id, 2)
}

component keeper {
  durable table log(c: node, id: int, what: bytes)

  log(c, id, what)  :+ keep(c, id, what)
  kept(c, id)@l     :~ keep(c, id, _) from l
}
";

#[test]
fn a_run_goes_on_while_its_processes_are_killed() {
    let desk = Desk::with(&[("relay.ded", RELAY), ("deploy.toml", "resend_after_ms = 50\nwarmup_s = 0.1\n")]);
    let words = ["run", "relay.ded", "--processes", "--kill-every", "150", "--seconds", "4", "--clients", "16"];
    let (status, json) = desk.json(&words);
    assert_eq!(status, 0, "{json}");
    assert!(json["kills"].as_u64().is_some_and(|kills| kills >= 5), "{json}");
    assert!(json["commands"].as_u64().is_some_and(|commands| commands > 100), "{json}");
    assert_eq!(json["unexpected_replies"], 0);
}

#[test]
fn processes_say_what_is_missing() {
    let desk = Desk::with(&[("store.ded", STORE), ("none.toml", ""), ("ports.toml", "base_port = 12345\n")]);
    let node = |settings, at| desk.menard(&["node", "store.ded", "--deploy", settings, "--at", at, "--data", "data"]);
    let answer = node("none.toml", "server");
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("set `base_port` in the settings of the deployment"), "{}", answer.stderr);
    let answer = node("ports.toml", "leader");
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("the program has no node leader; known are server"), "{}", answer.stderr);
    let answer = desk.menard(&["run", "voting", "--processes", "--kill-every", "100", "--seconds", "0.2"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("declare it, for instance `fault restart 1 of ROLE`"), "{}", answer.stderr);
}
