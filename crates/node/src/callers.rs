//! The incoming connections of one node: those who have not said hello yet, other nodes, and clients.
//!
//! Everything about them is bounded: how many there are, how long they may stay silent before the hello, how long a frame they may send,
//! how much is read from each in one round, and how much a client may leave unread.

mod admission;

use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

#[cfg(test)]
pub(crate) use self::admission::{CONNECT_EVERY, CONNECTS_AT_ONCE};
use self::admission::{ClientRange, Gate, Peer};
use crate::inbox::{Identity, Inbox};
use crate::meter::{DropReason, Meter};
use crate::secure::{Guard, Transport};
use crate::stream::{Filled, WriteBuffer, fill};
use crate::wire::{LENGTH_BYTES, MAX_FRAME_BYTES, MessageHeader, Welcome, push_acknowledgement, push_message};

/// The most connections that have not said hello. Clients are counted apart and each peer has one, so neither keeps a newcomer from
/// its hello.
const MAX_SILENT: usize = 256;
/// The most connections of clients.
const MAX_CLIENT_CONNECTIONS: usize = 64;
/// If there are as many clients as may be, one that has said nothing for this long makes room for another.
const CLIENT_IDLE: Duration = Duration::from_secs(2);
/// A caller that has not said hello after this time is disconnected.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// A peer is told what was taken from it whenever it was so many bytes more.
pub(crate) const ACKNOWLEDGE_BYTES: u64 = 128 << 10;
/// A peer that leaves so many bytes of acknowledgements unread asks for them and does not want them; it is disconnected.
const PEER_UNREAD_BYTES: usize = 256 << 10;
/// Once so many bytes of messages were taken from clients, those who were not read yet are read first in the next round.
const CLIENT_ROUND_BYTES: u64 = 256 << 10;
/// A client that leaves so many bytes unread is disconnected.
const CLIENT_UNREAD_BYTES: usize = 16 << 20;
/// If all clients together leave so many bytes unread, the one that leaves most is disconnected.
const ALL_UNREAD_BYTES: usize = 64 << 20;

/// One incoming connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    transport: Transport,
    out: WriteBuffer,
    identity: Option<Identity>,
    /// When it was made; of a client, when it last said or was told something.
    since: Instant,
    /// There may be something to read.
    readable: bool,
    /// The other side has closed it: after the last bytes comes the end, without another event.
    hung_up: bool,
    /// There is something to write, and the socket may take it.
    dirty: bool,
}

/// All incoming connections of a node.
#[derive(Debug)]
pub(crate) struct Callers {
    /// Of this node.
    incarnation: u64,
    /// The keys of this node, if nodes have keys.
    guard: Option<Guard>,
    slots: Vec<Option<Connection>>,
    free: Vec<usize>,
    first_token: usize,
    peers: Vec<Peer>,
    clients: Vec<ClientRange>,
    silent: usize,
    dirty: Vec<usize>,
    /// The bytes that clients have not read yet.
    unread_bytes: usize,
    /// The slot that is read first.
    turn: usize,
}

impl Callers {
    /// No connections; events of those to come have tokens from `first_token` on. `may_lie`: of each node that
    /// there is, whether it may.
    pub fn new(
        first_token: usize,
        may_lie: impl Iterator<Item = bool>,
        incarnation: u64,
        guard: Option<Guard>,
    ) -> Self {
        Callers {
            incarnation,
            guard,
            slots: Vec::new(),
            free: Vec::new(),
            first_token,
            peers: may_lie.map(Peer::new).collect(),
            clients: Vec::new(),
            silent: 0,
            dirty: Vec::new(),
            unread_bytes: 0,
            turn: 0,
        }
    }

    /// Takes a new connection in. If too many have said nothing yet, the one that has been silent for longest goes: those who connect and
    /// say nothing cannot keep others out.
    pub fn accept(&mut self, mut stream: TcpStream, registry: &Registry, meter: &mut Meter, now: Instant) {
        if self.silent >= MAX_SILENT
            && let Some(slot) = self.longest_silent()
        {
            meter.drop(DropReason::TooManyConnections);
            self.close(slot);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let token = Token(self.first_token + slot);
        let registered = registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE);
        if registered.and_then(|()| stream.set_nodelay(true)).is_err() {
            self.free.push(slot);
            return;
        }
        self.silent += 1;
        self.slots[slot] = Some(Connection {
            stream,
            transport: Transport::called(self.guard.as_ref()),
            out: WriteBuffer::default(),
            identity: None,
            since: now,
            readable: true,
            hung_up: false,
            dirty: false,
        });
    }

    /// Notes an event of a connection.
    pub fn ready(&mut self, event: &Event) {
        let slot = event.token().0 - self.first_token;
        let Some(connection) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
        connection.hung_up |= event.is_read_closed() || event.is_error();
        connection.readable |= event.is_readable() || connection.hung_up;
        let has_more = connection.out.len() > 0 || connection.transport.has_pending();
        if event.is_writable() && has_more && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Reads once from each connection that has something. `admit_clients`: whether clients are read, too; even then only some of them if
    /// their messages are long, since what one round takes from clients must fill no queue. Gives whether there is more.
    pub fn read(
        &mut self,
        inbox: &mut Inbox,
        scratch: &mut [u8],
        meter: &mut Meter,
        admit_clients: bool,
        now: Instant,
    ) -> bool {
        let mut more = false;
        let mut client_bytes = 0;
        let mut next_turn = None;
        for offset in 0..self.slots.len() {
            let slot = (self.turn + offset) % self.slots.len();
            let Some(connection) = self.slots[slot].as_ref().filter(|connection| connection.readable) else { continue };
            let is_client = matches!(connection.identity, Some(Identity::Client { .. }));
            if is_client && !admit_clients {
                continue;
            }
            if is_client && client_bytes >= CLIENT_ROUND_BYTES {
                next_turn = next_turn.or(Some(slot));
                more = true;
                continue;
            }
            let taken_before = meter.bytes_in;
            more |= self.read_one(slot, inbox, scratch, meter, now);
            client_bytes += if is_client { meter.bytes_in - taken_before } else { 0 };
        }
        self.turn = next_turn.unwrap_or(self.turn);
        more
    }

    fn read_one(
        &mut self,
        slot: usize,
        inbox: &mut Inbox,
        scratch: &mut [u8],
        meter: &mut Meter,
        now: Instant,
    ) -> bool {
        let was_silent = self.slots[slot].as_ref().is_some_and(|connection| connection.identity.is_none());
        let full = was_silent && self.clients.len() >= MAX_CLIENT_CONNECTIONS;
        let has_room = !full || self.idle_client(now).is_some();
        let connection = self.slots[slot].as_mut().expect("only live connections are read");
        let filled = fill(&mut connection.stream, scratch);
        let (Filled::Full(count) | Filled::Drained(count)) = filled else {
            self.close(slot);
            return false;
        };
        let Connection { transport, identity, out, since, .. } = connection;
        if let Some(Identity::Client { .. }) = identity {
            *since = now;
        }
        let (incarnation, guard) = (self.incarnation, self.guard.as_ref());
        let (peers, clients) = (&mut self.peers, &self.clients);
        let mut asked = false;
        let fed = transport.feed(&scratch[..count], |body, peer| match identity {
            Some(caller) => {
                match caller {
                    Identity::Peer { place, .. } => {
                        peers[*place].taken_bytes += (LENGTH_BYTES + body.len()) as u64;
                        asked |= body.is_empty();
                    }
                    Identity::Client { .. } => {}
                }
                if !body.is_empty() || matches!(caller, Identity::Client { .. }) {
                    inbox.take(caller, body, meter);
                }
                Ok(MAX_FRAME_BYTES)
            }
            None => {
                let gate = Gate { inbox, incarnation, guard, clients, has_room };
                let caller = gate.admit(peer, body, peers, now).map_err(|(refusal, reason)| {
                    refusal.into_iter().for_each(|refusal| Welcome::Refused(refusal).push(&mut out.bytes));
                    reason
                })?;
                *identity = Some(caller);
                let taken_bytes = match caller {
                    Identity::Peer { place, .. } => peers[place].taken_bytes,
                    Identity::Client { .. } => 0,
                };
                Welcome::Accepted { incarnation, taken_bytes }.push(&mut out.bytes);
                Ok(MAX_FRAME_BYTES)
            }
        });
        if let Err(reason) = fed {
            meter.drop(reason);
            if was_silent {
                connection.identity = None;
                // A refusal is worth a try; whoever does not read it does without.
                let _ = connection.out.flush(&mut connection.transport, &mut connection.stream);
            }
            self.close(slot);
            return false;
        }
        connection.readable = matches!(filled, Filled::Full(_)) || (connection.hung_up && count > 0);
        let readable = connection.readable;
        if connection.transport.has_pending() {
            self.mark_dirty(slot);
        }
        match self.slots[slot].as_ref().and_then(|connection| connection.identity) {
            Some(identity) if was_silent => self.welcome(slot, identity, now),
            Some(Identity::Peer { place, .. }) => self.acknowledge(slot, place, asked, meter),
            _ => {}
        }
        readable
    }

    /// Enters a caller whose hello was good. A later connection of the same caller takes the place of an earlier one, and a client's that of
    /// an idle one if there is no other.
    fn welcome(&mut self, slot: usize, identity: Identity, now: Instant) {
        self.silent -= 1;
        self.mark_dirty(slot);
        let replaced = match identity {
            Identity::Peer { place, .. } => self.peers[place].slot.replace(slot),
            Identity::Client { role, first, count } => {
                let range = ClientRange { role, first, count, slot };
                let same = self.clients.iter().find(|other| other.overlaps(&range)).map(|other| other.slot);
                let full = self.clients.len() >= MAX_CLIENT_CONNECTIONS;
                let replaced = same.or_else(|| if full { self.idle_client(now) } else { None });
                self.clients.push(range);
                self.unread_bytes += self.slots[slot].as_ref().map_or(0, |connection| connection.out.len());
                replaced
            }
        };
        if let Some(old) = replaced {
            self.close(old);
        }
    }

    /// Tells a peer what was taken from it, if that is much more than it was told last or it asked.
    fn acknowledge(&mut self, slot: usize, place: usize, asked: bool, meter: &mut Meter) {
        let peer = &mut self.peers[place];
        if !asked && peer.taken_bytes - peer.acknowledged_bytes < ACKNOWLEDGE_BYTES {
            return;
        }
        peer.acknowledged_bytes = peer.taken_bytes;
        let Some(connection) = &mut self.slots[slot] else { return };
        if connection.out.len() > PEER_UNREAD_BYTES {
            meter.drop(DropReason::DeafPeer);
            return self.close(slot);
        }
        push_acknowledgement(&mut connection.out.bytes, peer.taken_bytes);
        self.mark_dirty(slot);
    }

    /// Sends a message to a logical node of an external role over its connection, if it has one; gives the number of bytes.
    pub fn reply(
        &mut self,
        role: u16,
        header: MessageHeader,
        args: &[menard_value::Value],
        meter: &mut Meter,
    ) -> Result<usize, DropReason> {
        let contains = |range: &&ClientRange| {
            range.role == role && header.to.checked_sub(range.first).is_some_and(|offset| offset < range.count)
        };
        let slot = self.clients.iter().find(contains).ok_or(DropReason::NoClient)?.slot;
        let connection = self.slots[slot].as_mut().expect("clients are forgotten when their connection is closed");
        let bytes = push_message(&mut connection.out.bytes, header, args).map_err(|_| DropReason::TooLong)?;
        let is_slow = connection.out.len() > CLIENT_UNREAD_BYTES;
        self.unread_bytes += bytes;
        let fullest = if self.unread_bytes > ALL_UNREAD_BYTES { self.fullest_client() } else { None };
        if is_slow || fullest == Some(slot) {
            self.close(slot);
            return Err(DropReason::SlowClient);
        }
        if let Some(other) = fullest {
            self.close(other);
            meter.drop(DropReason::SlowClient);
        }
        self.mark_dirty(slot);
        Ok(bytes)
    }

    /// Writes what waits to be written.
    pub fn flush(&mut self, now: Instant) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            let Some(connection) = &mut self.slots[slot] else { continue };
            connection.dirty = false;
            let waiting = connection.out.len();
            let flushed = connection.out.flush(&mut connection.transport, &mut connection.stream);
            let written = waiting - connection.out.len();
            if written > 0 {
                connection.since = now;
            }
            if let Some(Identity::Client { .. }) = connection.identity {
                self.unread_bytes -= written;
            }
            if flushed.is_err() {
                self.close(slot);
            }
        }
        self.dirty = dirty;
    }

    /// When somebody who has not said hello is to be disconnected.
    pub fn deadline(&self) -> Option<Instant> {
        let slot = if self.silent == 0 { None } else { self.longest_silent() };
        slot.and_then(|slot| self.slots[slot].as_ref()).map(|connection| connection.since + HELLO_TIMEOUT)
    }

    /// The connection that has waited for longest without a hello.
    fn longest_silent(&self) -> Option<usize> {
        let live = self.slots.iter().enumerate().filter_map(|(slot, connection)| Some((slot, connection.as_ref()?)));
        let silent = live.filter(|(_, connection)| connection.identity.is_none());
        silent.min_by_key(|(_, connection)| connection.since).map(|(slot, _)| slot)
    }

    /// The client that has been idle for longest, if one has been for long. One that is not read has said something.
    fn idle_client(&self, now: Instant) -> Option<usize> {
        let clients = self.clients.iter().filter_map(|range| Some((range.slot, self.slots[range.slot].as_ref()?)));
        let idle = clients.filter(|(_, connection)| !connection.readable && connection.since + CLIENT_IDLE <= now);
        idle.min_by_key(|(_, connection)| connection.since).map(|(slot, _)| slot)
    }

    /// The client with most unread bytes.
    fn fullest_client(&self) -> Option<usize> {
        let clients = self.clients.iter().filter_map(|range| Some((range.slot, self.slots[range.slot].as_ref()?)));
        clients.max_by_key(|(_, connection)| connection.out.len()).map(|(slot, _)| slot)
    }

    /// Disconnects those who have not said hello in time.
    pub fn expire(&mut self, meter: &mut Meter, now: Instant) {
        if self.silent == 0 {
            return;
        }
        for slot in 0..self.slots.len() {
            let late =
                |connection: &Connection| connection.identity.is_none() && connection.since + HELLO_TIMEOUT <= now;
            if self.slots[slot].as_ref().is_some_and(late) {
                meter.drop(DropReason::NoHello);
                self.close(slot);
            }
        }
    }

    fn mark_dirty(&mut self, slot: usize) {
        if let Some(connection) = self.slots[slot].as_mut().filter(|connection| !connection.dirty) {
            connection.dirty = true;
            self.dirty.push(slot);
        }
    }

    fn close(&mut self, slot: usize) {
        let Some(connection) = self.slots[slot].take() else { return };
        self.free.push(slot);
        match connection.identity {
            None => self.silent -= 1,
            Some(Identity::Client { .. }) => {
                self.clients.retain(|range| range.slot != slot);
                self.unread_bytes -= connection.out.len();
            }
            Some(Identity::Peer { place, .. }) => {
                let current = &mut self.peers[place].slot;
                *current = current.filter(|live| *live != slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
