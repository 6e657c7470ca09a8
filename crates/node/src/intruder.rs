//! A node with valid keys that says what no node says: others go on, count what they refuse, and do not grow.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use menard_lang::compile_text;
use menard_lang::ir::Program;

use crate::callers::{CONNECT_EVERY, CONNECTS_AT_ONCE};
use crate::config::Config;
use crate::deployment::Deployment;
use crate::random::Random;
use crate::report::Report;
use crate::secure::Transport;
use crate::wire::{Caller, Hello, Refusal, Welcome, push_frame};

/// Server 0 is the intruder's victim; it hears `tell` of other servers, and sends `told` to workers.
const PROGRAM: &str = "protocol intruded role client external role server[4]
    fault byzantine 1 of server
    channel ask(id: int) client -> server channel tell(c: node, id: int) server -> server
    channel told(c: node, id: int) server -> worker by id channel answer(id: int) worker -> client
    component server {
      tell(c, id)@s :~ ask(id) from c, server(s)
      told(c, id)@me :~ tell(c, id) from s, index_of(s) == 0
    }
    component worker of server [2] { answer(id)@c :~ told(c, id) from me }";

const VICTIM: usize = 0;
const INTRUDER: usize = 3;

/// A connection with the keys of a place.
struct Intruder {
    stream: TcpStream,
    transport: Transport,
}

impl Intruder {
    /// Connects to a place and is welcome there.
    fn connect(deployment: &Deployment, to: usize) -> Intruder {
        Intruder::knock(deployment, to).expect("it is welcome")
    }

    /// Connects to a place.
    fn knock(deployment: &Deployment, to: usize) -> Result<Intruder, Refusal> {
        let (layout, credentials) = (deployment.layout(), deployment.credentials());
        let hello = Hello {
            fingerprint: layout.fingerprint,
            session: deployment.session(),
            incarnation: 1,
            target: layout.wire_place(to),
            caller: Caller::Peer(layout.wire_place(INTRUDER)),
        };
        let mut greeting = Vec::new();
        hello.push(&mut greeting);
        let guard = credentials.guard(INTRUDER).expect("all places have keys");
        let (transport, opening) = Transport::calling(Some(&guard), hello.target, &greeting).expect("entropy");
        let stream = TcpStream::connect(deployment.nodes()[to].1).expect("nodes listen");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("sockets have timeouts");
        let mut intruder = Intruder { stream, transport };
        intruder.write(&opening);
        loop {
            let mut bytes = [0; 1024];
            let count = intruder.stream.read(&mut bytes).expect("nodes answer");
            assert!(count > 0, "nobody is left without an answer");
            let mut answer = None;
            let fed = intruder.transport.feed(&bytes[..count], |body, _| {
                answer = Welcome::read(body);
                Ok(128)
            });
            fed.expect("nodes answer well");
            match answer {
                Some(Welcome::Accepted { .. }) => return Ok(intruder),
                Some(Welcome::Refused(refusal)) => return Err(refusal),
                None => {}
            }
            let next = intruder.transport.say(&[]);
            intruder.write(&next);
        }
    }

    /// The other end may have closed the connection.
    fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says something under the MAC.
    fn say(&mut self, bytes: &[u8]) {
        let record = self.transport.say(bytes);
        self.write(&record);
    }

    /// Waits until the other end closes the connection.
    fn ends(mut self) -> bool {
        let mut bytes = [0; 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}

fn program() -> Program {
    compile_text(PROGRAM)
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    push_frame(&mut frame, |out| out.extend_from_slice(body));
    frame
}

fn message(channel: u16, from: u32, to: u32, fields: &[u8]) -> Vec<u8> {
    frame(&[&channel.to_le_bytes()[..], &from.to_le_bytes(), &to.to_le_bytes(), fields].concat())
}

fn deployment() -> Deployment {
    let config = Config { clients: 20, warmup_s: 0.1, duration_s: 1.0, ..Config::default() };
    Deployment::start(&program(), &config).expect("it starts")
}

fn measure(deployment: Deployment) -> Report {
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("the others go on");
    assert!(report.commands > 50, "{report:#?}");
    assert_eq!((report.unexpected_replies, report.forged_replies, report.contradictions), (0, 0, 0));
    report
}

#[test]
fn messages_that_are_not_its_own_are_refused_one_by_one() {
    let deployment = deployment();
    let mut intruder = Intruder::connect(&deployment, VICTIM);
    let client = [&0_u16.to_le_bytes()[..], &0_u32.to_le_bytes()].concat();
    let fields = [&client[..], &7_i64.to_le_bytes()].concat();
    let (of_clients, tell, told, answer) = (0, 1, 2, 3);
    intruder.say(
        &[
            message(tell, 0, 0, &fields),
            message(tell, 2, 0, &fields),
            message(tell, 9, 0, &fields),
            message(of_clients, 3, 0, &7_i64.to_le_bytes()),
            message(answer, 3, 0, &7_i64.to_le_bytes()),
            message(told, 3, 0, &fields),
            message(tell, 3, 1, &fields),
            message(99, 3, 0, &fields),
            message(tell, 3, 0, &fields[1..]),
            message(tell, 3, 0, &[&fields[..], &[0]].concat()),
            frame(&[0; 9]),
            frame(&vec![7; 60_000]),
        ]
        .concat(),
    );
    // The connection is still good: a ping is answered.
    intruder.say(&frame(&[]));
    assert!(intruder.stream.read(&mut [0; 64]).is_ok_and(|count| count > 0));
    let report = measure(deployment);
    let victim = &report.nodes[VICTIM].dropped;
    let wrong =
        [("forged_sender", 3), ("wrong_sender", 2), ("wrong_node", 2), ("unknown_channel", 2), ("malformed", 3)];
    assert_eq!(*victim, wrong.map(|(reason, count)| (reason.to_owned(), count)).into());
}

#[test]
fn a_partition_takes_nothing_of_another_and_nobody_plays_a_sibling() {
    let deployment = deployment();
    // A worker of server 0: the intruder's component is not the one that sends to workers, whichever node it is of.
    let worker = 4;
    let mut intruder = Intruder::connect(&deployment, worker);
    let client = [&0_u16.to_le_bytes()[..], &0_u32.to_le_bytes()].concat();
    for id in 0..10_i64 {
        intruder.say(&message(2, 3, 0, &[&client[..], &id.to_le_bytes()].concat()));
        intruder.say(&message(2, 0, 0, &[&client[..], &id.to_le_bytes()].concat()));
    }
    let report = measure(deployment);
    let dropped = &report.nodes[worker].dropped;
    assert_eq!(dropped.get("forged_sender"), Some(&10), "{dropped:?}");
    // What is its own it may send; a partition refuses what is the other's, and rules refuse the rest (`from me`).
    assert!(dropped.get("wrong_part").is_some_and(|count| (1..10).contains(count)), "{dropped:?}");
}

#[test]
fn noise_closes_a_connection_and_nothing_else() {
    let deployment = deployment();
    let mut random = Random::new(5);
    for round in 0..20 {
        let mut intruder = Intruder::connect(&deployment, VICTIM);
        let mut noise = vec![0; 1 + random.below(3_000)];
        random.fill(&mut noise);
        match round % 4 {
            // Lengths that no frame has, under the MAC and not.
            0 => intruder.say(&[0xff; 100]),
            1 => intruder.write(&[0xff; 100]),
            // A record that is none.
            2 => intruder.write(&frame(&noise)),
            _ => {
                intruder.say(&frame(&noise));
                let mut record = intruder.transport.say(&frame(&noise));
                let last = record.len() - 1;
                record[last] ^= 1;
                intruder.write(&record);
            }
        }
        assert!(intruder.ends(), "{round}");
    }
    let report = measure(deployment);
    let victim = &report.nodes[VICTIM].dropped;
    assert_eq!((victim.get("oversized"), victim.get("tampered")), (Some(&10), Some(&10)), "{victim:?}");
}

#[test]
fn half_a_handshake_over_and_over_keeps_nobody_out() {
    let deployment = deployment();
    let (layout, credentials) = (deployment.layout(), deployment.credentials());
    let guard = credentials.guard(INTRUDER).expect("all places have keys");
    let half = (0..600).map(|_| {
        let (_, opening) = Transport::calling(Some(&guard), layout.wire_place(VICTIM), &[]).expect("entropy");
        let mut stream = TcpStream::connect(deployment.nodes()[VICTIM].1).expect("nodes listen");
        stream.write_all(&opening).expect("nodes read");
        stream
    });
    let half: Vec<TcpStream> = half.collect();
    let report = measure(deployment);
    let dropped = &report.nodes[VICTIM].dropped;
    let closed = ["too_many_connections", "no_hello"].map(|reason| dropped.get(reason).copied().unwrap_or(0));
    assert!(closed.iter().sum::<u64>() >= 300 && closed[0] > 0, "{dropped:?}");
    drop(half);
}

#[test]
fn who_connects_over_and_over_is_refused_and_the_others_go_on() {
    let deployment = deployment();
    let start = Instant::now();
    let knocks = (0..1_000).map(|_| Intruder::knock(&deployment, VICTIM).map(drop));
    let admitted = knocks.take_while(Result::is_ok).count();
    let allowed = CONNECTS_AT_ONCE as usize + start.elapsed().div_duration_f64(CONNECT_EVERY) as usize;
    assert!((1..=allowed).contains(&admitted), "{admitted} of {allowed}");
    let report = measure(deployment);
    let victim = &report.nodes[VICTIM].dropped;
    assert!(victim.contains_key("too_often"), "{victim:?}");
}
