//! How much clients hold for a node that does not read.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use menard_lang::compile_text;

use super::*;
use crate::config::Config;
use crate::session::FULL_BYTES;
use crate::wire::{Caller, Hello, Welcome};

const CLIENTS: u32 = 400;
const PAYLOAD_BYTES: usize = 65_536;

/// Clients of voting, and the listener that plays the leader.
fn clients_of_voting() -> (Load, TcpListener) {
    let program = compile_text(include_str!("../../../../protocols/voting/voting.ded"));
    let layout = Arc::new(Layout::new(&program).expect("voting is small"));
    let workload = Workload::infer(&program, &layout, &Config::default()).expect("voting has clients");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let target = layout.wire_place(workload.places[0]);
    let caller = Caller::Client { role: workload.role, first: 0, count: CLIENTS };
    let hello = Hello { fingerprint: layout.fingerprint, session: 0, incarnation: 0, target, caller };
    let address = listener.local_addr().expect("a bound listener has an address");
    let parts = LoadParts {
        layout,
        workload,
        clients: CLIENTS,
        resend_after: Duration::from_millis(1),
        payload_bytes: Lengths::from(PAYLOAD_BYTES as u32),
        keys: 1,
        history: 0,
        liars: vec![0; program.roles.len()],
        first_number: 0,
        seed: 1,
        signal: Signal::default(),
        keyring: Arc::default(),
        poll: Poll::new().expect("a poll"),
        sessions: vec![Session::new(address, session_token(0), &hello, None, Instant::now())],
    };
    (Load::new(parts), listener)
}

/// Accepts a connection and answers its hello.
fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().expect("clients connect");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets have timeouts");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("clients say hello");
    stream.read_exact(&mut vec![0; u32::from_le_bytes(length) as usize]).expect("clients say hello");
    let mut welcome = Vec::new();
    Welcome::Accepted { incarnation: 1, taken_bytes: 0 }.push(&mut welcome);
    stream.write_all(&welcome).expect("clients read");
    stream
}

#[test]
fn what_a_slow_node_has_not_taken_stays_small() {
    let (mut load, listener) = clients_of_voting();
    let (mut events, mut scratch) = (Events::with_capacity(8), vec![0; READ_BYTES]);
    let accepted = std::thread::spawn(move || accept(&listener));
    while !load.sessions[0].is_open() {
        load.round(&mut events, &mut scratch, false).expect("connecting is no error");
    }
    let mut leader = accepted.join().expect("the connection is made");
    load.loading = true;
    let mut run_round = |load: &mut Load| {
        load.round(&mut events, &mut scratch, false).expect("sending is no error");
        load.resend_commands(Instant::now());
        let waiting = load.sessions[0].out().map_or(0, |out| out.len());
        assert!(waiting <= 2 * FULL_BYTES + 2 * PAYLOAD_BYTES, "{waiting} bytes");
    };
    (0..50).for_each(|_| run_round(&mut load));
    assert!(load.clients.outstanding() < CLIENTS as usize, "the system's buffers do not take 26 MB");
    // When the node reads, all clients get their turn.
    let reader = std::thread::spawn(move || {
        let mut taken = vec![0; PAYLOAD_BYTES];
        while leader.read(&mut taken).is_ok_and(|count| count > 0) {}
    });
    while load.clients.outstanding() < CLIENTS as usize {
        run_round(&mut load);
    }
    drop(load);
    reader.join().expect("the node reads to the end");
}
