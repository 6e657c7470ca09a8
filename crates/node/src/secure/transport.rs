//! One end of a connection: bytes in and out, with or without a handshake and records. Frames within are the same either way.
//!
//! Whoever has keys answers a handshake with a handshake and anything else as it is; whether such a caller is admitted is for others to say.
//! Nothing here grows with what comes: a handshake has short frames, a record has a limit, and so have the frames in records.

use std::io;

use mio::net::TcpStream;

use super::credentials::Guard;
use super::handshake::{Established, Initiator, MAX_HANDSHAKE_BYTES, Responder, is_handshake};
use super::record::{MAX_RECORD_BYTES, Opener, Sealer};
use crate::meter::DropReason;
use crate::stream::{FrameReader, drain};
use crate::wire::{Caller, WirePlace, push_frame};

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Transport {
    stage: Stage,
    /// Cuts what comes into frames, or into those of the handshake and records.
    outer: FrameReader,
    /// Cuts what is in records into frames.
    inner: FrameReader,
    /// What is on its way into the socket: frames of the handshake and records.
    pending: Vec<u8>,
    written: usize,
}

#[derive(Debug)]
enum Stage {
    /// There are no records.
    Plain,
    /// It has called, says this when the handshake is over, and wants to talk to nobody else.
    Calling { initiator: Initiator, guard: Guard, wanted: Caller, hello: Vec<u8> },
    /// It was called, and nothing was said.
    Called(Guard),
    /// It was called, and waits for the third frame.
    Proving(Responder, Guard),
    /// The handshake is over.
    Sealed { sealer: Sealer, opener: Opener, peer: Caller },
    /// The handshake has failed.
    Broken,
}

impl Transport {
    fn new(stage: Stage) -> Self {
        let outer = match stage {
            Stage::Plain => FrameReader::new(),
            _ => FrameReader::with_limit(MAX_HANDSHAKE_BYTES),
        };
        Transport { stage, outer, inner: FrameReader::new(), pending: Vec::new(), written: 0 }
    }

    /// Without keys.
    pub fn plain() -> Self {
        Transport::new(Stage::Plain)
    }

    /// For a connection to a place, which is told `hello` first, as a frame. Gives what is to be written before anything else, too.
    pub fn calling(guard: Option<&Guard>, target: WirePlace, hello: &[u8]) -> io::Result<(Self, Vec<u8>)> {
        let Some(guard) = guard else { return Ok((Transport::plain(), hello.to_vec())) };
        let (initiator, first) = Initiator::start()?;
        let (wanted, hello) = (Caller::Peer(target), hello.to_vec());
        let mut opening = Vec::new();
        push_frame(&mut opening, |out| out.extend_from_slice(&first));
        Ok((Transport::new(Stage::Calling { initiator, guard: guard.clone(), wanted, hello }), opening))
    }

    /// For a connection that somebody else has made.
    pub fn called(guard: Option<&Guard>) -> Self {
        Transport::new(guard.map_or(Stage::Plain, |guard| Stage::Called(guard.clone())))
    }

    /// Bytes that are kept of what has come.
    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.outer.kept_bytes() + self.inner.kept_bytes()
    }

    /// Says something, and takes off what would be written.
    #[cfg(test)]
    pub fn say(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.pending);
        if let (Stage::Sealed { sealer, .. }, false) = (&mut self.stage, bytes.is_empty()) {
            sealer.seal(bytes, &mut out);
        }
        out
    }

    /// Takes bytes and calls `on_frame` with the body of each frame, and with who sent it, if the handshake has shown that. It gives the
    /// longest body that the next frame may have, or why the connection is to be closed.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut on_frame: impl FnMut(&[u8], Option<Caller>) -> Result<usize, DropReason>,
    ) -> Result<(), DropReason> {
        let Transport { stage, outer, inner, pending, .. } = self;
        outer.feed(bytes, |body| match stage {
            Stage::Plain => on_frame(body, None),
            Stage::Sealed { opener, peer, .. } => {
                inner.feed(opener.open(body)?, |frame| on_frame(frame, Some(*peer)))?;
                Ok(MAX_RECORD_BYTES)
            }
            Stage::Called(_) if !is_handshake(body) => {
                *stage = Stage::Plain;
                on_frame(body, None)
            }
            _ => {
                let (next, limit) = advance(std::mem::replace(stage, Stage::Broken), body, pending)?;
                *stage = next;
                Ok(limit)
            }
        })
    }

    /// Writes what the socket takes, and gives how many of these bytes that was, or how many are on their way.
    pub fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        if let Stage::Plain = self.stage {
            return drain(stream, bytes);
        }
        let mut taken = 0;
        loop {
            self.written += drain(stream, &self.pending[self.written..])?;
            if self.has_pending() {
                return Ok(taken);
            }
            self.pending.clear();
            self.written = 0;
            match &mut self.stage {
                Stage::Sealed { sealer, .. } if taken < bytes.len() => {
                    taken += sealer.seal(&bytes[taken..], &mut self.pending);
                }
                _ => return Ok(taken),
            }
        }
    }

    /// From now on the MACs of what is written are wrong.
    pub fn spoil(&mut self) {
        if let Stage::Sealed { sealer, .. } = &mut self.stage {
            *sealer = Sealer::new([0; 32].into());
        }
    }

    /// Whether something is on its way into the socket that it did not take.
    pub fn has_pending(&self) -> bool {
        self.written < self.pending.len()
    }
}

/// Takes the next frame of a handshake; gives what comes next, and the longest body that its first frame may have.
fn advance(stage: Stage, body: &[u8], pending: &mut Vec<u8>) -> Result<(Stage, usize), DropReason> {
    let mut say = |body: &[u8]| push_frame(pending, |out| out.extend_from_slice(body));
    let sealed = |Established { peer, sealer, opener }: Established| Stage::Sealed { sealer, opener, peer };
    match stage {
        Stage::Called(guard) => {
            let (responder, second) = Responder::answer(body, &guard)?;
            say(&second);
            Ok((Stage::Proving(responder, guard), MAX_HANDSHAKE_BYTES))
        }
        Stage::Proving(responder, guard) => Ok((sealed(responder.finish(body, &guard.credentials)?), MAX_RECORD_BYTES)),
        Stage::Calling { initiator, guard, wanted, hello } => {
            let (mut established, third) = initiator.finish(body, &guard, wanted)?;
            say(&third);
            established.sealer.seal(&hello, pending);
            Ok((sealed(established), MAX_RECORD_BYTES))
        }
        Stage::Plain | Stage::Sealed { .. } | Stage::Broken => Err(DropReason::Malformed),
    }
}
