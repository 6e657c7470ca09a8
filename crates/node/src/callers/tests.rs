//! What a peer may leave unread, against one that is played by hand.

use std::io::Write;
use std::net::{TcpListener, TcpStream as StdStream};
use std::sync::Arc;

use menard_lang::compile_text;
use mio::{Events, Poll};

use super::*;
use crate::layout::Layout;
use crate::wire::{Caller, Hello};

const PROGRAM: &str = "protocol peers role client external role server[2]
    channel ask(id: int) client -> server channel tell(id: int) server -> server
    channel answer(id: int) server -> client
    component server { tell(id)@s :~ ask(id), server(s) answer(id)@c :~ ask(id) from c }";

const ACKNOWLEDGEMENT_BYTES: usize = LENGTH_BYTES + 8;

/// The callers of server 0, and a connection of server 1.
struct Called {
    callers: Callers,
    inbox: Inbox,
    meter: Meter,
    poll: Poll,
    peer: StdStream,
}

impl Called {
    fn new() -> Self {
        let program = compile_text(PROGRAM);
        let layout = Arc::new(Layout::new(&program).expect("two nodes are few"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let peer = StdStream::connect(address).expect("it listens");
        peer.set_nodelay(true).expect("sockets have options");
        let (stream, _) = listener.accept().expect("the peer connects");
        stream.set_nonblocking(true).expect("sockets have options");
        let hello = Hello {
            fingerprint: layout.fingerprint,
            session: 0,
            incarnation: 1,
            target: layout.wire_place(0),
            caller: Caller::Peer(layout.wire_place(1)),
        };
        let mut called = Called {
            callers: Callers::new(0, [false; 2].into_iter(), 1, None),
            inbox: Inbox::new(layout, 0, 0),
            meter: Meter::default(),
            poll: Poll::new().expect("a poll"),
            peer,
        };
        let stream = TcpStream::from_std(stream);
        called.callers.accept(stream, called.poll.registry(), &mut called.meter, Instant::now());
        let mut greeting = Vec::new();
        hello.push(&mut greeting);
        called.peer.write_all(&greeting).expect("nodes read");
        while called.unread().is_some_and(|bytes| bytes == 0) {
            called.read();
        }
        called
    }

    /// Reads what has come, once something has.
    fn read(&mut self) {
        let mut events = Events::with_capacity(8);
        self.poll.poll(&mut events, Some(Duration::from_secs(5))).expect("polls work");
        events.iter().for_each(|event| self.callers.ready(event));
        self.callers.read(&mut self.inbox, &mut [0; 4096], &mut self.meter, true, Instant::now());
    }

    /// How many bytes the peer has not read, if it is connected.
    fn unread(&self) -> Option<usize> {
        self.callers.slots[0].as_ref().map(|connection| connection.out.len())
    }

    /// The peer asks what was taken from it.
    fn ask(&mut self) {
        let before = self.unread();
        self.peer.write_all(&[0; LENGTH_BYTES]).expect("nodes read");
        while before.is_some() && self.unread() == before {
            self.read();
        }
    }
}

#[test]
fn a_peer_that_asks_and_does_not_listen_is_disconnected() {
    let mut called = Called::new();
    let welcome = called.unread().expect("it is welcome");
    // It takes nothing: what it is told stays here.
    called.ask();
    assert_eq!(called.unread(), Some(welcome + ACKNOWLEDGEMENT_BYTES));
    let more = (PEER_UNREAD_BYTES - welcome) / ACKNOWLEDGEMENT_BYTES;
    (0..more).for_each(|_| called.ask());
    assert!(called.unread().is_some_and(|bytes| bytes > PEER_UNREAD_BYTES), "{:?}", called.unread());
    assert!(called.meter.dropped().is_empty(), "{:?}", called.meter.dropped());
    called.ask();
    assert_eq!(called.unread(), None);
    assert_eq!(called.meter.dropped(), [("deaf_peer".to_owned(), 1)].into());
}
