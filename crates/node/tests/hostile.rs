//! Strangers: wrong peers are refused, nonsense is counted, and clients are served meanwhile.

#![allow(clippy::disallowed_methods, reason = "strangers are threads of their own")]

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::{connect, frame, greet, hello, is_closed, place, short, voting};
use menard_lang::{Program, compile_text};
use menard_node::{Config, Deployment, Progress, Report};

/// The status of a refusal, after the 0 of a welcome.
const PROGRAM: u8 = 1;
const TARGET: u8 = 3;
const CALLER: u8 = 4;
const FULL: u8 = 5;
const TAKEN: u8 = 6;
const UNAUTHENTICATED: u8 = 9;

#[test]
fn wrong_peers_are_refused_and_counted() {
    let program = voting();
    let other = compile_text("protocol other role client external role leader");
    let deployment = Deployment::start(&program, &short()).expect("voting starts");
    let (name, leader) = deployment.nodes()[0].clone();
    assert_eq!(name, "leader");
    let (target, clients) = (place(0, 0, 0), place(0, 50, 5));
    let wrong = [
        (PROGRAM, hello(&other, 0, &target, 1, &clients)),
        (TARGET, hello(&program, 0, &place(1, 0, 0), 1, &clients)),
        (TARGET, hello(&program, 0, &place(7, 0, 0), 1, &clients)),
        // A client that claims to be of a role that is not external, or of no role.
        (CALLER, hello(&program, 0, &target, 1, &place(1, 0, 1))),
        (CALLER, hello(&program, 0, &target, 1, &place(9, 0, 1))),
    ];
    for (status, hello) in &wrong {
        let mut stream = connect(leader);
        assert_eq!(greet(&mut stream, hello), *status);
        assert!(is_closed(&mut stream));
    }
    // A node that proves nothing, such as one of another deployment of the same program.
    assert_eq!(greet(&mut connect(leader), &hello(&program, 1, &target, 0, &place(1, 0, 0))), UNAUTHENTICATED);
    let mut good = connect(leader);
    assert_eq!(greet(&mut good, &hello(&program, 0, &target, 1, &clients)), 0);
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("voting runs");
    assert_eq!(
        report.dropped(),
        [("unauthenticated".to_owned(), 1), ("wrong_peer".to_owned(), wrong.len() as u64)].into()
    );
}

#[test]
fn messages_that_are_not_a_callers_own_are_counted() {
    let program = voting();
    let deployment = Deployment::start(&program, &short()).expect("voting starts");
    let mut stream = connect(deployment.nodes()[0].1);
    assert_eq!(greet(&mut stream, &hello(&program, 0, &place(0, 0, 0), 1, &place(0, 50, 5))), 0);
    let message = |channel: u16, from: u32, to: u32, fields: &[u8]| {
        frame(&[&channel.to_le_bytes()[..], &from.to_le_bytes(), &to.to_le_bytes(), fields].concat())
    };
    let request = [&7_i64.to_le_bytes()[..], &2_u32.to_le_bytes(), b"hi"].concat();
    let vote = [&place(0, 50, 0)[..6], &7_i64.to_le_bytes()].concat();
    let frames = [
        message(0, 49, 0, &request),
        message(0, 50, 1, &request),
        message(2, 50, 0, &vote),
        message(99, 50, 0, &request),
        message(0, 50, 0, &request[1..]),
        message(0, 50, 0, &[]),
        frame(b"short"),
    ];
    stream.write_all(&frames.concat()).expect("nodes read");
    // The connection is still good for a request, and its answer comes.
    assert!(!answer(&mut stream, &message(0, 54, 0, &request)).is_empty());
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("voting runs");
    let counts = ["forged_sender", "malformed", "unknown_channel", "wrong_node", "wrong_sender"].map(str::to_owned);
    assert_eq!(report.dropped(), counts.into_iter().zip([1, 3, 1, 1, 1]).collect());
}

fn answer(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    use std::io::Read;
    stream.write_all(request).expect("nodes read");
    let mut reply = vec![0; 4 + 10 + 8];
    stream.read_exact(&mut reply).expect("an answer comes");
    assert_eq!(reply[14..], 7_i64.to_le_bytes());
    reply
}

#[test]
fn clients_are_served_while_strangers_do_their_worst() {
    let program = voting();
    let config = Config { duration_s: 2.8, ..short() };
    let deployment = Deployment::start(&program, &config).expect("voting starts");
    let addresses: Vec<_> = deployment.nodes().into_iter().map(|(_, address)| address).collect();
    let silent: Vec<TcpStream> = (0..50).map(|_| connect(addresses[0])).collect();
    let mut half: Vec<TcpStream> = (0..50).map(|_| connect(addresses[1])).collect();
    half.iter_mut().for_each(|stream| stream.write_all(&[50, 0]).expect("nodes read"));
    let done = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| throw_nonsense(&addresses, &done));
        let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false));
        done.store(true, Ordering::Relaxed);
        report
    });
    let report = report.expect("voting runs");
    drop((silent, half));
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!((report.unexpected_replies, report.unanswered), (0, 0));
    let dropped = report.dropped();
    assert_eq!(dropped.get("no_hello"), Some(&100), "{dropped:?}");
    assert!(dropped.get("oversized").is_some_and(|count| *count > 10), "{dropped:?}");
    assert!(dropped.get("malformed").is_some_and(|count| *count > 10), "{dropped:?}");
}

/// Random bytes, huge lengths and frames of nonsense, over and over.
fn throw_nonsense(addresses: &[std::net::SocketAddr], done: &AtomicBool) {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    while !done.load(Ordering::Relaxed) {
        for address in addresses {
            let noise: Vec<u8> = (0..200).map(|_| random()).collect();
            for bytes in [noise.clone(), vec![0xff; 64], frame(&noise[..60])] {
                // Nodes close such connections, maybe before all of it is written; once they are stopped, nobody listens.
                let Ok(mut stream) = TcpStream::connect(address) else { continue };
                let _ = stream.write_all(&bytes);
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
}

const ECHO: &str = "protocol echo
     role client external
     role server
     channel ask(id: int, what: bytes) client -> server
     channel answer(id: int, what: bytes) server -> client
     component server { answer(id, what)@c :~ ask(id, what) from c }";

/// A request of 100,000 bytes, of a client.
fn request(client: u32) -> Vec<u8> {
    let content = vec![7; 100_000];
    let head = [&0_u16.to_le_bytes()[..], &client.to_le_bytes(), &0_u32.to_le_bytes(), &7_i64.to_le_bytes()].concat();
    frame(&[&head[..], &100_000_u32.to_le_bytes(), &content].concat())
}

/// Says hello as a client.
fn greet_as_client(program: &Program, stream: &mut TcpStream, client: u32) {
    assert_eq!(greet(stream, &hello(program, 0, &place(0, 0, 0), 1, &place(0, client, 1))), 0);
}

/// Measures until clients are served.
fn measure_until_served(deployment: Deployment) -> Report {
    let (stop, mut measuring) = (AtomicBool::new(false), false);
    let mut watch = |progress| match progress {
        Progress::Measuring => measuring = true,
        Progress::Second(second) if measuring && second.throughput_per_s > 0.0 => stop.store(true, Ordering::Relaxed),
        _ => {}
    };
    deployment.measure(&mut watch, &stop).expect("it runs for others")
}

#[test]
fn clients_that_do_not_read_share_one_budget() {
    let program = compile_text(ECHO);
    let deployment = Deployment::start(&program, &Config { duration_s: 60.0, ..short() }).expect("echo starts");
    let mut streams: Vec<TcpStream> = (0..20).map(|_| connect(deployment.nodes()[0].1)).collect();
    for (client, stream) in (50..).zip(&mut streams) {
        greet_as_client(&program, stream, client);
    }
    // They ask by turns, so however much the system's buffers hold of each, all have about as much unread when one is disconnected: a 20th of
    // the budget of 64 MB, which is far below the 16 MB that one client may leave unread.
    let requests: Vec<Vec<u8>> = (50..70).map(request).collect();
    let mut rounds = 0;
    while streams.iter_mut().zip(&requests).all(|(stream, request)| stream.write_all(request).is_ok()) {
        rounds += 1;
        assert!(rounds < 2_000, "200 MB of each are not taken");
    }
    let report = measure_until_served(deployment);
    let slow = report.dropped().get("slow_client").copied().unwrap_or(0);
    assert!((1..=16).contains(&slow), "some go, and 64 MB are at least four of 16 MB: {slow}");
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let program = compile_text(ECHO);
    let deployment = Deployment::start(&program, &Config { duration_s: 60.0, ..short() }).expect("echo starts");
    let mut stream = connect(deployment.nodes()[0].1);
    greet_as_client(&program, &mut stream, 50);
    let request = request(50);
    let sent = (0..1_000).take_while(|_| stream.write_all(&request).is_ok()).count();
    assert!((100..1_000).contains(&sent), "16 MB and what the system buffers, not 100 MB: {sent} requests");
    let report = measure_until_served(deployment);
    assert_eq!(report.dropped().get("slow_client"), Some(&1), "{:?}", report.dropped());
}

#[test]
fn idle_clients_keep_nobody_out() {
    let program = voting();
    let deployment = Deployment::start(&program, &short()).expect("voting starts");
    let addresses: Vec<_> = deployment.nodes().into_iter().map(|(_, address)| address).collect();
    let client = |target: &[u8], first| hello(&program, 0, target, 1, &place(0, first, 1));
    let mut idle = Vec::new();
    let statuses = (0..300).map(|number| {
        idle.push(connect(addresses[0]));
        greet(idle.last_mut().expect("just pushed"), &client(&place(0, 0, 0), 1_000 + number))
    });
    let statuses: Vec<u8> = statuses.collect();
    assert_eq!(statuses[..64], [0; 64]);
    assert_eq!(statuses[64..], [FULL; 236]);
    // No client has any business with a participant.
    assert_eq!(greet(&mut connect(addresses[1]), &client(&place(1, 0, 0), 1)), CALLER);
    // The clients of the run get a place once others have been idle for long; participants connect to the leader after that.
    let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false)).expect("voting runs");
    assert!(report.commands > 100, "{report:#?}");
    drop(idle);
}

#[test]
fn clients_cannot_take_the_places_of_others() {
    let program = voting();
    // Commands are not sent again: one whose connection is taken away stays without an answer.
    let config = Config { resend_after_ms: 60_000, ..short() };
    let deployment = Deployment::start(&program, &config).expect("voting starts");
    let leader = deployment.nodes()[0].1;
    let client = |first, count| hello(&program, 0, &place(0, 0, 0), 1, &place(0, first, count));
    assert_eq!(greet(&mut connect(leader), &client(0, u32::MAX)), CALLER);
    let mut first = connect(leader);
    assert_eq!(greet(&mut first, &client(500, 10)), 0);
    assert_eq!(greet(&mut connect(leader), &client(509, 2)), TAKEN);
    assert_eq!(greet(&mut connect(leader), &client(0, 100_000)), TAKEN);
    // It comes back.
    assert_eq!(greet(&mut connect(leader), &client(500, 10)), 0);
    assert!(is_closed(&mut first));
    let done = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if let Ok(mut stream) = TcpStream::connect(leader) {
                    let _ = stream.write_all(&client(1, 100));
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        let report = deployment.measure(&mut |_| {}, &AtomicBool::new(false));
        done.store(true, Ordering::Relaxed);
        report
    });
    let report = report.expect("voting runs");
    assert!(report.commands > 100, "{report:#?}");
    assert_eq!(report.unanswered, 0, "{report:#?}");
}

#[test]
fn many_long_commands_at_once_fill_no_queue() {
    let program = voting();
    let config = Config { queue_limit_bytes: 8 << 20, duration_s: 60.0, ..short() };
    let deployment = Deployment::start(&program, &config).expect("voting starts");
    let content = vec![7; 1_000_000];
    let requests = (0..40_u32).map(|number| {
        let mut stream = connect(deployment.nodes()[0].1);
        let clients = place(0, 1_000 + number, 1);
        assert_eq!(greet(&mut stream, &hello(&program, 0, &place(0, 0, 0), 1, &clients)), 0);
        let head = [&0_u16.to_le_bytes()[..], &(1_000 + number).to_le_bytes(), &0_u32.to_le_bytes()].concat();
        let id = (1_000_000 + i64::from(number)).to_le_bytes();
        let request = frame(&[&head[..], &id, &1_000_000_u32.to_le_bytes(), &content].concat());
        stream.write_all(&request[..request.len() - 1]).expect("nodes read");
        stream
    });
    let mut requests: Vec<TcpStream> = requests.collect();
    requests.iter_mut().for_each(|stream| stream.write_all(&[7]).expect("nodes read"));
    let report = measure_until_served(deployment);
    let leader = &report.nodes[0];
    assert_eq!((leader.node.as_str(), leader.dropped.is_empty()), ("leader", true), "{:?}", leader.dropped);
}
