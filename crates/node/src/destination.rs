//! Where a connection of this end goes: to which place, with which keys, and with which first words.

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::secure::{Guard, Transport};
use crate::wire::{Hello, WirePlace};

/// Where a connection goes, again and again if it breaks.
#[derive(Debug)]
pub(crate) struct Destination {
    address: SocketAddr,
    token: Token,
    /// The keys of this end, if it has any.
    guard: Option<Guard>,
    target: WirePlace,
    hello: Vec<u8>,
}

impl Destination {
    /// The place that a hello is for, which listens at this address. Events of connections there have this token.
    pub fn new(address: SocketAddr, token: Token, hello: &Hello, guard: Option<Guard>) -> Self {
        let mut greeting = Vec::new();
        hello.push(&mut greeting);
        Destination { address, token, guard, target: hello.target, hello: greeting }
    }

    /// Begins to connect. Gives what is to be said first, too: the hello, or the first frame of a handshake.
    pub fn connect(&self, registry: &Registry) -> io::Result<(TcpStream, Transport, Vec<u8>)> {
        let mut stream = TcpStream::connect(self.address)?;
        registry.register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)?;
        let (transport, opening) = Transport::calling(self.guard.as_ref(), self.target, &self.hello)?;
        Ok((stream, transport, opening))
    }
}
