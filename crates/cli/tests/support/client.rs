//! A client that speaks to nodes by hand, and so sees what a node says when it dies.
#![allow(clippy::disallowed_methods, reason = "it waits for nodes in real time")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Chance, the same in every run of the test; moments are not.
pub struct Random(pub u64);

impl Random {
    /// A number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What command `id` stores: its length and its bytes follow from the number.
pub fn content(id: i64) -> Vec<u8> {
    let length = usize::try_from(id * 7919 % 700).expect("it is positive");
    (0..length).map(|position| (id as usize * 31 + position) as u8).collect()
}

/// A client that speaks to the server by hand.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer of the server: channel, number, and what follows.
pub type Answer = (u16, i64, Vec<u8>);

impl Client {
    /// Connects as soon as the server takes connections.
    pub fn connect(address: SocketAddr, fingerprint: &[u8; 32]) -> Client {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "the server does not come up");
            let greeted = TcpStream::connect(address).and_then(|stream| Client::greet(stream, fingerprint));
            match greeted {
                Ok(client) => return client,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn greet(mut stream: TcpStream, fingerprint: &[u8; 32]) -> std::io::Result<Client> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let (session, incarnation, target) = ([0; 8], [0; 8], [0; 10]);
        let (role, first, count) = (0_u16.to_le_bytes(), 0_u32.to_le_bytes(), 1_u32.to_le_bytes());
        let version = 2_u16.to_le_bytes();
        let hello = [b"MNRD", &version[..], fingerprint, &session, &incarnation, &target, &[1], &role, &first, &count];
        stream.write_all(&frame(&hello.concat()))?;
        let mut welcome = [0; 4 + 1 + 8 + 8];
        stream.read_exact(&mut welcome)?;
        assert_eq!(welcome[4], 0, "the server refuses its client");
        stream.set_read_timeout(Some(Duration::from_millis(1)))?;
        Ok(Client { stream, received: Vec::new() })
    }

    /// Sends a message; false if the server is gone.
    pub fn send(&mut self, channel: u16, fields: &[&[u8]]) -> bool {
        let header = [&channel.to_le_bytes()[..], &[0; 8]].concat();
        self.stream.write_all(&frame(&[&header, &fields.concat()[..]].concat())).is_ok()
    }

    /// The answers that have come; `None` if the server is gone and there is none.
    pub fn receive(&mut self) -> Option<Vec<Answer>> {
        let mut buffer = [0; 1 << 16];
        let is_gone = match self.stream.read(&mut buffer) {
            Ok(0) => true,
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                false
            }
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted),
        };
        let mut answers = Vec::new();
        while let Some(length) = self.received.first_chunk().map(|length| u32::from_le_bytes(*length) as usize) {
            let Some(body) = self.received.get(4..4 + length) else { break };
            let channel = u16::from_le_bytes([body[0], body[1]]);
            let number = i64::from_le_bytes(*body[10..].first_chunk().expect("all answers have a number"));
            answers.push((channel, number, body[18..].to_vec()));
            self.received.drain(..4 + length);
        }
        if is_gone && answers.is_empty() { None } else { Some(answers) }
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).expect("short").to_le_bytes()[..], body].concat()
}
