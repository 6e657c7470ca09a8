//! What the tests share: voting, short runs, and strangers who speak the wire format by hand.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use menard_lang::compile_text;
use menard_lang::ir::Program;
use menard_node::{Config, Report, RunError, run};

pub fn voting() -> Program {
    compile_text(include_str!("../../../../protocols/voting/voting.ded"))
}

pub fn short() -> Config {
    Config { clients: 20, warmup_s: 0.1, duration_s: 1.0, ..Config::default() }
}

pub fn measure(program: &Program, config: &Config) -> Result<Report, RunError> {
    run(program, config, &mut |_| {}, &AtomicBool::new(false))
}

/// A connection that has not said anything.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("nodes listen");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("sockets have timeouts");
    stream
}

/// A frame: its length and its body.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(body.len()).expect("short").to_le_bytes().to_vec();
    frame.extend(body);
    frame
}

/// A place or a range of clients as hellos have it.
pub fn place(component: u16, index: u32, part: u32) -> Vec<u8> {
    [&component.to_le_bytes()[..], &index.to_le_bytes(), &part.to_le_bytes()].concat()
}

/// A hello of a client (`kind` 1) or a peer (`kind` 0).
pub fn hello(program: &Program, session: u64, target: &[u8], kind: u8, caller: &[u8]) -> Vec<u8> {
    let fingerprint = blake3::hash(menard_lang::print(program).as_bytes());
    let version = 2_u16.to_le_bytes();
    let parts =
        [b"MNRD", &version[..], fingerprint.as_bytes(), &session.to_le_bytes(), &[0; 8], target, &[kind], caller];
    frame(&parts.concat())
}

/// Says hello and gives the status of the answer: 0 is welcome.
pub fn greet(stream: &mut TcpStream, hello: &[u8]) -> u8 {
    stream.write_all(hello).expect("nodes take a hello");
    let mut welcome = [0; 4 + 1 + 8 + 8];
    stream.read_exact(&mut welcome).expect("nodes answer a hello");
    welcome[4]
}

/// Whether the other side closes the connection without another word.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}
